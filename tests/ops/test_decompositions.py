"""What operators of our own are built from for other engines, on onnxruntime."""

from collections.abc import Mapping
from io import BytesIO

import numpy as np
import onnxruntime
import pytest
from support.op_table import ROWS
from support.ops import FLOAT32_TOLERANCE, Known, OpRow, apply, arguments_of, run_kernel

from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType
from netc.compiler.ops.opdef import OPS
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.kerneldef import Array

# Of float32, what an older release computes itself may deviate, as the row says.
BUILT = [
    row
    for row in ROWS
    if OPS.named(row.op_type).decompose is not None and (row.has_engine or not row.engine_from)
]


def _graph(row: OpRow) -> Graph:
    """The row's operator alone, with symbolic batch."""
    build = Builder(Graph("row"))
    values: list[Value | None] = []
    for position, argument in enumerate(row.arguments):
        if argument is None:
            values.append(None)
        elif isinstance(argument, Known):
            values.append(build.constant(argument.numbers, DType(argument.dtype)))
        else:
            values.append(build.input(f"a{position}", argument.type()))
    results = apply(build, row, values)
    build.graph.outputs = {f"y{k}": value for k, value in enumerate(results)}
    return build.graph


def _session(graph: Graph) -> onnxruntime.InferenceSession:
    file = BytesIO()
    write(graph, {}, file)
    return onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, feeds: Mapping[str, Array]) -> list[Array]:
    """All results, given at least what the model takes."""
    taken = {value.name for value in session.get_inputs()}
    return list(session.run(None, {name: a for name, a in feeds.items() if name in taken}))


def _same(found: Array, expected: Array) -> None:
    assert found.shape == expected.shape
    if np.any(expected):
        assert norm_difference(found, expected) <= FLOAT32_TOLERANCE
    else:
        assert not np.any(found)


@pytest.mark.parametrize("row", BUILT, ids=str)
def test_decomposition_on_onnxruntime(row: OpRow) -> None:
    """One model for all batches computes what the kernel does, norm-wise within 1e-5."""
    session = _session(_graph(row))
    for batch in row.batches:
        arguments = arguments_of(row, batch)
        named = {f"a{k}": a for k, a in enumerate(arguments) if a is not None}
        for ours, theirs in zip(run_kernel(row, arguments), _run(session, named), strict=True):
            _same(theirs, ours)
