"""Each rewrite of an operator computes what the old version computed."""

from functools import partial
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, version_converter
from support.onnx_models import computed
from support.upgrade_rows import UPGRADE_ROWS, UpgradeRow

from netc.compiler.onnx_import.read import read_model
from netc.compiler.onnx_import.rules import RULES
from netc.compiler.onnx_import.upgrade import upgrade


def run(model: ModelProto, row: UpgradeRow) -> list[Any]:
    """What onnxruntime computes of a row's arguments."""
    return computed(model, {f"x{k}": feed for k, feed in enumerate(row.feeds)})


def expected_of(row: UpgradeRow) -> list[Any]:
    """What the old version computes."""
    if row.expected is None:
        return run(row.model(), row)
    found = row.expected(*row.feeds)
    return list(found) if isinstance(found, tuple) else [found]


# Rewrites that look at types, and do without.
TYPED = {
    *("Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Greater", "Less", "PRelu"),
    *("Softmax", "LogSoftmax", "Hardmax", "Clip", "Pad", "BatchNormalization", "Tile"),
}
CASES = [
    (row, with_shapes)
    for row in UPGRADE_ROWS
    for with_shapes in (True, False)
    if with_shapes or row.op_type in TYPED
]


@pytest.mark.parametrize(
    ("row", "with_shapes"),
    CASES,
    ids=[row.name + ("" if with_shapes else "-no shapes") for row, with_shapes in CASES],
)
def test_the_new_version_computes_the_same(row: UpgradeRow, with_shapes: bool) -> None:
    """Values are equal, onnx finds no fault, and the node keeps its name and what is told of it."""
    wanted = expected_of(row)
    old = row.model(like=wanted, with_shapes=with_shapes)
    new = upgrade(read_model(old.SerializeToString()).proto)
    if with_shapes:
        onnx.checker.check_model(new, full_check=True)
    new.opset_import[0].version = row.runs_at
    for found, array in zip(run(new, row), wanted, strict=True):
        np.testing.assert_allclose(found, array, rtol=1e-5, atol=1e-6)
    (node,) = [node for node in new.graph.node if node.name == "layer"]
    assert node.doc_string == "what it does"
    assert all(n.metadata_props[0].value == "here" for n in new.graph.node)


def test_every_rule_has_a_row() -> None:
    """A rule that no row needs is one that no test runs."""
    rules = {(op_type, since) for op_type, found in RULES.items() for since in found}
    tried = {
        (row.op_type, since)
        for row in UPGRADE_ROWS
        for since in RULES[row.op_type]
        if row.opset < since
    }
    assert rules - tried == {("Scan", 9)}  # which has a test of its own


# Operators that onnx's own converter turns into others than they were.
CONVERTED_WRONGLY = {"Hardmax", "Resize", "Selu", "Upsample"}


@pytest.mark.slow
def test_onnx_converts_to_the_same() -> None:
    """Where onnx's own converter has an adapter, it yields what ours does, with few exceptions."""
    agree = set()
    for row in UPGRADE_ROWS:
        wanted = expected_of(row)
        try:
            model = version_converter.convert_version(row.model(like=wanted), 22)
            model.opset_import[0].version = row.runs_at
            found = run(model, row)
        except Exception:  # it refuses the model, or yields one that onnxruntime refuses
            continue
        same = all(map(partial(np.allclose, rtol=1e-5, atol=1e-6), found, wanted))
        assert same or row.op_type in CONVERTED_WRONGLY, row.name
        agree |= {row.name} if same else set()
    assert len(agree) > 100
