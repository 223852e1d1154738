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
    """Element by element, with a `CONST`; a single number is an argument of its operator."""
    operands = [trail.argument(trail.node, place) for place in range(len(trail.node.inputs))]
    (table,) = (x for x in operands if trail.is_by(x, CONSTANT))
    (other,) = (x for x in operands if x != table)
    trail.need(table.dtype.is_float and 1 < prod(table.type.extents) <= MOST_NUMBERS)
    trail.need(not trail.is_stored(other) and other.type.rank == trail.node.outputs[0].rank)
    return Match(MERGES[trail.node.op_type], tuple(operands))
