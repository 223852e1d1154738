"""Merges of several tensors."""

from .trail import Match, Trail, rule

MERGES = {"Add": "ADD", "Mul": "MUL", "Sub": "SUB", "Max": "MAX", "Mean": "MEAN", "Sum": "ADD"}


@rule(*MERGES)
def merge(trail: Trail) -> Match:
    """Element by element; a parameter among the operands is a `PARAM`."""
    operands = tuple(value for value in trail.node.inputs if value is not None)
    trail.need(len(operands) >= 2 and len(set(operands)) == len(operands))
    trail.need(all(x.dtype.is_float and not trail.is_by(x, "Constant") for x in operands))
    trail.need(not all(map(trail.is_stored, operands)))
    return Match(MERGES[trail.node.op_type], operands)


@rule("Mul")
def square(trail: Trail) -> Match:
    """`SQUARE`."""
    a, b = (trail.argument(trail.node, place) for place in range(2))
    trail.need(a == b)
    return Match("SQUARE", (a,))


@rule("Concat")
def concat(trail: Trail) -> Match:
    """`CONCAT`."""
    operands = tuple(value for value in trail.node.inputs if value is not None)
    trail.need(len(operands) > 1 and all(x.dtype.is_float for x in operands))
    trail.need(not any(trail.is_by(x, "Constant") for x in operands))
    trail.need(not all(map(trail.is_stored, operands)))
    return Match("CONCAT", operands, axis=trail.node.attributes["axis"] % operands[0].type.rank)
