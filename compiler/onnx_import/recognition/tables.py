"""Merges with tables of numbers that nothing trains.

Their rules come after those of layers that hold numbers themselves, such as `NORMALIZE`.
"""

from math import prod

from ...ir.graph import CONSTANT
from ...layers.constants import MOST_NUMBERS
from .merging import MERGES
from .trail import Match, Trail, rule


@rule(*MERGES)
def merge_with_table(trail: Trail) -> Match:
    """Element by element, with a `CONST`.

    A single number is an argument of its operator, unless something is subtracted from it, or the
    operator takes any number of operands, none of which has a name.
    """
    operands = trail.arguments(trail.node)
    (table,) = (x for x in operands if trail.is_by(x, CONSTANT))
    (other,) = (x for x in operands if x != table)
    size, is_first = prod(table.type.extents), table == trail.node.inputs[0]
    is_named = trail.node.op_type in ("Add", "Mul", "Sub")
    trail.need(size > 1 or not is_named or (is_first and trail.node.op_type == "Sub"))
    trail.need(table.dtype.is_float and size <= MOST_NUMBERS)
    trail.need(not trail.is_stored(other) and other.type.rank == trail.node.outputs[0].rank)
    return Match(MERGES[trail.node.op_type], tuple(operands))
