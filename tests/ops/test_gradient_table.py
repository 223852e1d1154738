"""Every rule of differentiation against central differences, on the rows of the op table."""

import pytest
from support.gradients import check_gradient, check_second_gradient, has_gradient
from support.op_table import ROWS
from support.ops import OpRow

from netc.compiler.ops.opdef import OPS

SMOOTH = [row for row in ROWS if has_gradient(row)]

# Constant almost everywhere, or no real numbers: gradients end there by decision.
CONSTANT = {
    *("Ceil", "Floor", "Round", "Sign"),
    *("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Shape"),
    *("And", "IsInf", "IsNaN", "Not", "Or", "Xor"),
    *("ArgMax", "ArgMin", "Hardmax", "NonZero", "Size"),
    *("ConstantOfShape", "ConvInteger", "EyeLike", "MatMulInteger", "NonMaxSuppression"),
    *("QLinearConv", "QLinearMatMul", "QuantizeLinear"),
    *("BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor"),
    *("OptionalHasElement", "SequenceLength"),
}
STOPPING = {"netc.Detach"}  # whose rule says that there is no gradient
# Noise and POOL(stochastic) are settled before anything is differentiated; what counts needs none.
NO_RULE_YET = {
    *("Range", "Unique", "netc.Noise", "netc.SpectralNorm", "netc.StochasticPool"),
    *("DeformConv", "DequantizeLinear", "Det", "DFT", "MaxRoiPool", "RoiAlign", "STFT"),
    *("ConcatFromSequence", "Optional", "OptionalGetElement", "SequenceAt", "SequenceConstruct"),
    *("SequenceEmpty", "SequenceErase", "SequenceInsert", "SequenceMap", "SplitToSequence"),
}


@pytest.mark.slow
@pytest.mark.parametrize("row", SMOOTH, ids=str)
def test_gradient(row: OpRow) -> None:
    """The gradient with respect to each argument is what differences say, in float64."""
    check_gradient(row)


@pytest.mark.slow
@pytest.mark.parametrize("row", SMOOTH, ids=str)
def test_gradient_of_gradient(row: OpRow) -> None:
    """Gradients can be differentiated again, wherever they depend on the argument."""
    check_second_gradient(row)


@pytest.mark.parametrize("op_type", [row.op_type for row in OPS.values()])
def test_every_operator_has_a_rule_or_none_by_decision(op_type: str) -> None:
    """An operator without a rule is listed here, and those with one have a row to check it."""
    row, listed = OPS.named(op_type), op_type in CONSTANT | NO_RULE_YET
    assert row.constant == (op_type in CONSTANT), f"list {op_type} in `CONSTANT`, or do not"
    has_rule = row.vjp or row.function
    assert listed or has_rule, f"{op_type} lacks a `slope=`, `vjp=`, `function=` or `constant=`"
    assert not (listed and row.vjp), f"{op_type} has a gradient, and is listed as having none"
    checked = {smooth.op_type for smooth in SMOOTH} | STOPPING
    assert not row.vjp or op_type in checked, f"`tests/support/op_rows` has no row for {op_type}"
