"""Operators of other domains and versions: held, written, and run."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
import onnx
import pytest

from netc.compiler.emit.onnx import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.signature import OPSETS, InferenceError
from netc.compiler.ir.text import to_text
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import verify
from netc.compiler.onnx_standard.foreign_operators import foreign_row
from netc.compiler.ops.elementwise import infer_same, per_element
from netc.compiler.ops.opdef import OPS, OpDef
from netc.compiler.ops.receptive_field import elementwise
from netc.compiler.passes.append_backward import append_backward
from netc.compiler.passes.rewrite import rewrite
from netc.grammar.diagnostics import NetError
from netc.runtime.engines.engine import run
from netc.runtime.engines.session import Session

X = np.array([[0.1, -2.0, 3.0]], np.float32)
MICROSOFT = OpDef(
    "com.microsoft.Gelu",
    1,
    domain="com.microsoft",
    infer=infer_same,
    cost=per_element,
    sees=elementwise,
)


def graph_with(
    operator: str | OpDef, attributes: Mapping[str, Any], opsets: Mapping[str, int]
) -> tuple[Graph, Value]:
    """A graph of one operator, which is its output."""
    graph = Graph("one", opsets={**OPSETS, **opsets})
    build = Builder(graph)
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 3)))
    (y,) = build.op(operator, (x,), attributes)
    graph.outputs["y"] = y
    verify(graph)
    return graph, y


def test_rows_of_onnx_enter_no_table() -> None:
    """What onnx knows of an operator is a row that is the same each time, and in no table."""
    before = dict(OPS)
    row = foreign_row("Hardmax")
    assert row is not None
    assert row is foreign_row("Hardmax")
    assert (row.key, row.attributes) == (("", "Hardmax", 13), {"axis": -1})
    assert foreign_row("Frobnicate") is None
    assert foreign_row("Hardmax", 10) is not foreign_row("Hardmax")
    assert dict(OPS) == before


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_a_domain_that_onnx_knows(engine: str) -> None:
    """An operator of `ai.onnx.ml` has ONNX's own types and attributes, and runs on both engines."""
    row = foreign_row("Binarizer", 3, "ai.onnx.ml")
    assert row is not None
    graph, y = graph_with(row, {"threshold": 0.5}, {"ai.onnx.ml": 3})
    assert y.type == TensorType(DType.FLOAT32, (BATCH, 3))
    assert "= ai.onnx.ml.Binarizer(%0, threshold=0.5)" in to_text(graph)
    assert to_text(rewrite(graph, {})) == to_text(graph)
    found = run(graph, {"x": X}, {}, engine=engine)["y"]
    np.testing.assert_array_equal(found, [[0.0, 0.0, 1.0]])


def test_a_domain_that_onnx_does_not_know() -> None:
    """An operator that only onnxruntime has is written in its domain, attributes by their kind."""
    graph, _ = graph_with(MICROSOFT, {}, {"com.microsoft": 1})
    file = BytesIO()
    write(graph, {}, file)
    model = onnx.load_from_string(file.getvalue())
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 22), ("com.microsoft", 1)]
    assert [(n.domain, n.op_type) for n in model.graph.node] == [("com.microsoft", "Gelu")]
    found = Session(file.getvalue()).run({"x": X})["y"]
    np.testing.assert_allclose(found, [[0.0539828, -0.0455003, 2.9959502]], atol=1e-6)
    with pytest.raises(NetError, match=r"run `com\.microsoft\.Gelu`, which onnx's reference also"):
        run(graph, {"x": X}, {})
    with pytest.raises(NetError, match=r"no rule for the gradient of `com\.microsoft\.Gelu`"):
        append_backward(graph, of="y", wrt=["x"])


def test_older_versions_are_other_operators() -> None:
    """A row stands for an operator from its version on, and an older one is another row."""
    with pytest.raises(KeyError):
        graph_with("ReduceSum", {"keepdims": 0}, {"": 12})
    old = foreign_row("ReduceSum", 12)
    assert old is not None
    assert old.since_version == 11
    graph, y = graph_with(old, {"axes": (1,), "keepdims": 0}, {"": 12})
    assert y.type == TensorType(DType.FLOAT32, (BATCH,))
    np.testing.assert_allclose(run(graph, {"x": X}, {})["y"], X.sum(axis=1))


def test_a_graph_of_an_older_opset() -> None:
    """A model has the opset that its graph speaks, rows of ours hold in it, and others do not."""
    old = foreign_row("Pad", 15)
    assert old is not None
    graph = Graph("old", opsets={"": 15})
    build = Builder(graph)
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 3)))
    (y,) = build.op(old, (build.Relu(x), build.index_constant((0, 1, 0, 0))))
    graph.outputs["y"] = y
    verify(graph)
    file = BytesIO()
    write(graph, {}, file)
    assert [o.version for o in onnx.load_from_string(file.getvalue()).opset_import] == [15]
    for engine in ("numpy", "onnxruntime"):
        found = run(graph, {"x": X}, {}, engine=engine)["y"]
        np.testing.assert_array_equal(found, [[0.0, X[0, 0], 0.0, 3.0]])


def test_attributes_of_unknown_operators() -> None:
    """Where onnx does not know an operator, attributes have the types of their values."""
    attributes = {"a": 1, "b": 0.5, "c": "d", "e": (1, 2), "f": (0.5,), "g": ("h",), "i": ()}
    graph, _ = graph_with(MICROSOFT, attributes, {"com.microsoft": 1})
    file = BytesIO()
    write(graph, {}, file)
    (node,) = onnx.load_from_string(file.getvalue()).graph.node
    found = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    expected = {"a": 1, "b": 0.5, "c": b"d", "e": [1, 2], "f": [0.5], "g": [b"h"], "i": []}
    assert found == expected


def test_operands_that_onnx_refuses() -> None:
    """onnx's own words say why an operator of another domain does not take its operands."""
    row = foreign_row("ArrayFeatureExtractor", 1, "ai.onnx.ml")
    assert row is not None
    with pytest.raises(InferenceError):
        graph_with(row, {}, {"ai.onnx.ml": 1})
