"""Every operator in one table: rows from `support/op_rows/` by family."""

import pytest
from onnx.defs import get_schema
from support.op_table import ROWS
from support.ops import OpRow, check_engine, check_meaning, check_memory, check_types

from netc.compiler.ir.signature import OPSETS
from netc.compiler.ops.opdef import OPS
from netc.runtime.kerneldef import KERNELS

NAMES = [row.op_type for row in OPS.values()]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_inferred_types(row: OpRow) -> None:
    """What the compiler infers is what the kernel returns, in float32 and in float64."""
    check_types(row)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_meaning(row: OpRow) -> None:
    """In float64 the kernel is what ONNX, or a formula of our own, says."""
    check_meaning(row)


@pytest.mark.parametrize("row", [row for row in ROWS if row.has_engine], ids=str)
def test_equals_onnxruntime(row: OpRow) -> None:
    """In float32 the kernel is what onnxruntime computes."""
    check_engine(row)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_memory(row: OpRow) -> None:
    """No kernel writes to its arguments, or shares memory unless it says so."""
    check_memory(row)


@pytest.mark.parametrize("op_type", NAMES)
def test_every_operator_has_a_kernel_and_a_row(op_type: str) -> None:
    """No operator is added without a kernel, and none without a row."""
    assert op_type in KERNELS, f"`runtime/kernels` has no kernel for {op_type}"
    tested = {row.op_type for row in ROWS}
    assert op_type in tested, f"`tests/support/op_rows` has no row for {op_type}"


@pytest.mark.parametrize("op_type", KERNELS)
def test_every_kernel_has_a_type_rule(op_type: str) -> None:
    """No kernel stands for an operator that the compiler does not know."""
    assert op_type in NAMES, f"`compiler/ops` has no row for {op_type}"


def test_versions() -> None:
    """Rows are those of our opset, since the operator last changed before it, or of newer ones."""
    for row in OPS.values():
        spoken = {**OPSETS, row.domain: max(OPSETS[row.domain], row.since_version)}
        if not row.domain:
            assert row.since_version == get_schema(row.name, spoken[""]).since_version, row.op_type
        assert row.key == (row.domain, row.name, row.since_version)
        assert OPS.named(row.op_type, spoken) is row
        earlier = OPS.find(row.op_type, {row.domain: row.since_version - 1})
        assert earlier is None or row.since_version > OPSETS[row.domain]
