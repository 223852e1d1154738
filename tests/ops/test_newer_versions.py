"""What operators of opsets after ours add: it runs, and is written for ours where that has it."""

from io import BytesIO
from typing import Any

import numpy as np
import pytest
from onnx.reference import ReferenceEvaluator

from netc.compiler.emit.onnx.export import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.signature import OPSETS
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import verify
from netc.compiler.ops.opdef import OPS
from netc.grammar.diagnostics import NetError
from netc.runtime.engines.engine import plan_of
from netc.runtime.engines.executor import run
from netc.runtime.kerneldef import Array

NEWEST = {**OPSETS, "": 28}


def _graph(op_type: str, *arrays: Array, **attributes: Any) -> Graph:
    build = Builder(Graph("newer", opsets=NEWEST))
    types = (TensorType(DType(array.dtype.name), array.shape) for array in arrays)
    inputs = [build.input(f"a{i}", type) for i, type in enumerate(types)]
    row = OPS.named(op_type, NEWEST)
    build.graph.outputs = {"y": build.op(row, inputs, attributes)[0]}
    verify(build.graph)
    return build.graph


def test_remainders_of_real_numbers() -> None:
    """Since opset 28 they have the divisor's sign; for opset 22 they are built."""
    pair = np.array([5.5, -5.5, 5.5, -5.5]), np.array([2.0, 2.0, -2.0, -2.0])
    graph = _graph("Mod", *pair)
    feeds = {"a0": pair[0], "a1": pair[1]}
    expected = [1.5, 0.5, -0.5, -1.5]
    assert run(plan_of(graph), feeds, {})["y"].tolist() == expected
    file = BytesIO()
    write(graph, {}, file, opset=22)
    (found,) = map(np.asarray, ReferenceEvaluator(file.getvalue()).run(None, feeds))
    assert found.tolist() == expected


def test_channels_before_blocks() -> None:
    """`SpaceToDepth` undoes `DepthToSpace` in both modes, and opset 22 lacks one."""
    x = np.arange(2 * 3 * 4 * 6, dtype=np.float32).reshape(2, 3, 4, 6)
    for mode in ("DCR", "CRD"):
        graph = _graph("SpaceToDepth", x, blocksize=2, mode=mode)
        y = run(plan_of(graph), {"a0": x}, {})["y"]
        back = _graph("DepthToSpace", y, blocksize=2, mode=mode)
        np.testing.assert_array_equal(run(plan_of(back), {"a0": y}, {})["y"], x)
    with pytest.raises(NetError, match="its attribute `mode` came later"):
        write(graph, {}, BytesIO(), opset=22)
