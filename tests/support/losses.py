"""Runs one loss on arrays, in float64 unless told otherwise, with its gradient."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any, NamedTuple

import onnxruntime

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import verify
from netc.compiler.ops.gradient import gradients
from netc.compiler.training.losses import LOSSES
from netc.compiler.training.terms import Term
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array


class LossGraph(NamedTuple):
    """A loss in a graph of its own, its inputs `y` and `t` with a symbolic batch."""

    graph: Graph
    output: Value
    loss: Value


class Result(NamedTuple):
    """A loss and its gradient with respect to the output."""

    value: float
    gradient: Array


def term(name: str, /, **arguments: Any) -> Term:
    """A loss by name."""
    return Term("loss", name, arguments)


def loss_graph(
    loss: Term, y: Array, t: Array, *, axis: int | None = None, dtype: str = "float32"
) -> LossGraph:
    """The graph of a loss for arrays of these types."""
    build = Builder(Graph("loss"))
    output = build.input("y", _type(y, dtype))
    target = build.input("t", _type(t, dtype))
    value = LOSSES[loss.name].build(build, output, target, loss, axis=axis)
    assert value.type == TensorType(output.dtype, ())
    build.graph.outputs = {"loss": value}
    verify(build.graph)
    return LossGraph(build.graph, output, value)


def evaluate(graph: Graph, feeds: Mapping[str, Array], dtype: str = "float64") -> dict[str, Array]:
    """The graph's outputs."""
    wide = {n: a.astype(dtype) if a.dtype.kind == "f" else a for n, a in feeds.items()}
    return run(plan(graph, dtype=dtype), wide, {})


def on_engine(graph: Graph, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """The graph's outputs, in float32, from stock onnxruntime."""
    file = BytesIO()
    write(graph, {}, file)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    providers = ["CPUExecutionProvider"]
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers)
    return dict(zip(graph.outputs, session.run(list(graph.outputs), dict(feeds)), strict=True))


def loss_of(loss: Term, y: Array, t: Array, *, axis: int | None = None) -> Result:
    """The loss and its gradient, computed in float64."""
    found = loss_graph(loss, y, t, axis=axis)
    (gradient,) = gradients(Builder(found.graph), found.loss, [found.output])
    assert gradient is not None
    found.graph.outputs["dy"] = gradient
    results = evaluate(found.graph, {"y": y, "t": t})
    return Result(float(results["loss"]), results["dy"])


def _type(array: Array, dtype: str) -> TensorType:
    kind = DType(dtype) if array.dtype.kind == "f" else DType(array.dtype.name)
    return TensorType(kind, (BATCH, *array.shape[1:]))
