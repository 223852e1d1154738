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
    *("And", "ArgMax", "BitShift", "BitwiseXor", "IsNaN", "Not", "Or", "Size"),
}
# POOL(stochastic) is settled before anything is differentiated; what counts needs no gradient.
NO_RULE_YET = {"Range", "netc.StochasticPool"}


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


def test_every_operator_has_a_rule_or_none_by_decision() -> None:
    """An operator without a rule is listed here, and those with one have a row to check it."""
    assert {op.op_type for op in OPS.values() if op.constant} == CONSTANT
    assert {op.op_type for op in OPS.values() if op.vjp is None} == CONSTANT | NO_RULE_YET
    assert {op.op_type for op in OPS.values() if op.vjp} == {row.op_type for row in SMOOTH}
