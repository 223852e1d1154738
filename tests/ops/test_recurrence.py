"""Recurrent operators: what their types refuse, what they cost, and training with them."""

from io import BytesIO
from typing import Any

import numpy as np
import onnx
import pytest

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.analysis.counts import count
from netc.compiler.emit.onnx import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, symbol
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.initializers import ZEROS
from netc.compiler.ir.signature import InferenceError
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.passes.append_backward import append_backward
from netc.runtime.engines.engine import ENGINES, run

UNITS, INPUTS = 3, 2


def _start(**extents: Any) -> tuple[Builder, list[Value]]:
    """A graph with a sequence, and parameters W, R and b of an LSTM."""
    build = Builder(Graph("net"))
    shape = (extents.get("length", symbol("S")), BATCH, INPUTS)
    x = build.input("x", TensorType(DType.FLOAT32, shape))
    shapes = {"w": (1, 4 * UNITS, INPUTS), "r": (1, 4 * UNITS, UNITS), "b": (1, 8 * UNITS)}
    return build, [x, *(build.parameter(n, shape, init=ZEROS) for n, shape in shapes.items())]


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"direction": "sideways"}, "LSTM has no direction `sideways`"),
        ({"direction": "bidirectional"}, r"needs float32\[2, 12, 2\] for argument 1, not"),
        ({"activations": ("Tanh",)}, "takes 3 activations, not 1"),
        ({"activations": ("Tanh", "Tanh", "Sine")}, "has no activation `Sine`"),
        ({"hidden_size": 4}, "has 4 units, but weights of 3"),
    ],
)
def test_what_types_refuse(attributes: dict[str, Any], message: str) -> None:
    """Attributes must fit each other and the weights."""
    build, given = _start()
    with pytest.raises(InferenceError, match=message):
        build.op("LSTM", given, attributes)


def test_arguments_that_types_refuse() -> None:
    """So must arguments: lengths are integers, and x is of three axes."""
    build, (x, w, r, b) = _start()
    with pytest.raises(InferenceError, match=r"needs float32\[N\] for argument 4"):
        build.op("LSTM", (x, w, r, b, build.input("l", TensorType(DType.FLOAT32, (BATCH,)))))
    with pytest.raises(InferenceError, match=r"cannot take float32\[1, 24\] with weights"):
        build.op("LSTM", (b, w, r))


def test_counts() -> None:
    """Each element takes G H (I + H) products, and 13 operations per unit."""
    build, given = _start(length=7)
    build.graph.outputs = {"y": build.op("LSTM", given)[0]}
    counts = count(build.graph)
    assert counts.macs == 7 * 4 * UNITS * (INPUTS + UNITS)
    assert counts.elementwise == 7 * UNITS * 13


def test_training_on_both_engines() -> None:
    """Gradients are standard operators in a model, for all lengths, and agree on the engines."""
    build, given = _start()
    y, h, _ = build.op("LSTM", given, outputs=3)
    total = build.ReduceSum(build.Mul(y, y), keepdims=0)
    build.graph.outputs = {"loss": build.Add(total, build.ReduceSum(h, keepdims=0))}
    backward = append_backward(build.graph)
    assert "netc.LSTMGrad" in {node.op_type for _, node in backward.nodes()}
    file = BytesIO()
    random = np.random.default_rng(0)
    state = {
        name: random.standard_normal([int(str(e)) for e in value.shape]).astype(np.float32)
        for name, value in backward.parameters.items()
    }
    write(backward, state, file)
    model = onnx.load_from_string(file.getvalue())
    assert {opset.domain for opset in model.opset_import} == {""}
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("Scan") == 2, "one to note what steps took, one for their gradients"
    for length, batch in ((5, 2), (1, 3)):
        x = random.standard_normal((length, batch, INPUTS)).astype(np.float32)
        mine, theirs = (run(backward, {"x": x}, state, engine=engine) for engine in ENGINES)
        assert mine.keys() == {"loss", "w.grad", "r.grad", "b.grad"}
        for name, array in mine.items():
            np.testing.assert_allclose(array, theirs[name], rtol=1e-4, atol=1e-5)
