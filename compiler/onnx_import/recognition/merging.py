"""Merges of several tensors."""

from contextlib import suppress
from math import prod

from ...ir.graph import CONSTANT, Value
from ...layers.constants import MOST_NUMBERS
from .trail import RULES, SHAPING, Match, NoMatch, Trail, rule, with_channels_on

MERGES = {"Add": "ADD", "Mul": "MUL", "Sub": "SUB", "Max": "MAX", "Mean": "MEAN", "Sum": "ADD"}


@rule(*MERGES)
def merge(trail: Trail) -> Match:
    """Element by element; a parameter among the operands is a `PARAM`.

    Computed operands are of one rank: layers align batches, and operators last axes. A sum of a
    sum that nothing else reads is one of all its terms, and so is a product.
    """
    operands = tuple(value for value in trail.node.inputs if value is not None)
    operands = _all_terms(trail, operands)
    trail.need(len(operands) >= 2 and len(set(operands)) == len(operands))
    trail.need(all(x.dtype.is_float and not trail.is_by(x, CONSTANT) for x in operands))
    computed = [x for x in operands if not trail.is_stored(x)]
    trail.need(len({x.type.rank for x in computed}) == 1)
    kind, rank = MERGES[trail.node.op_type], trail.node.outputs[0].rank
    vectors = {x: found for x in operands if (found := _vector(trail, x, rank))}
    channels = {channel for _, channel in vectors.values()}
    if len(channels) != 1 or len(vectors) == len(operands):
        return Match(kind, operands)
    taken = tuple(vectors[x][0] if x in vectors else x for x in operands)
    layout = with_channels_on(rank, *channels)
    return Match(kind, taken, layout=layout, result=layout)


def _all_terms(trail: Trail, operands: tuple[Value, ...]) -> tuple[Value, ...]:
    """The operands, the first of which may be a sum or a product itself, as netc writes several."""
    op_type = trail.node.op_type
    while op_type in ("Add", "Mul") and not any(map(trail.is_stored, operands)):
        first, *others = operands
        node = trail.graph.producer(first)
        inner = [x for x in node.inputs if x is not None]
        alike = node.op_type == op_type and first.type == trail.node.outputs[0]
        if not alike or not trail.has_one_reader(first) or any(map(trail.is_stored, inner)):
            break
        if _is_another_layer(trail, first.node):
            break
        trail.passed.add(first.node)
        operands = *inner, *others
    return operands


def _is_another_layer(trail: Trail, last: int) -> bool:
    """Whether an operator is the last one of a layer that is no merge."""
    for other in RULES[trail.graph[last].op_type]:
        if other is not merge:
            with suppress(NoMatch, ArithmeticError, LookupError, TypeError, ValueError):
                other(Trail(trail.graph, last))
                return True
    return False


@rule("ReduceSum")
def dot(trail: Trail) -> Match:
    """`DOT`: a product's sum over what the language calls channels; a `DOT` takes no constants."""
    node = trail.node
    product = trail.argument(node, 0)
    rank = product.type.rank
    (axis,) = trail.few(trail.argument(node, 1), 1)
    maker = trail.back(product, "Mul")
    a, b = trail.arguments(maker, 2)
    trail.need(a != b and a.dtype.is_float)
    trail.need(not any(trail.is_by(x, CONSTANT) for x in (a, b)))
    trail.need(node.attributes["keepdims"] and not (trail.is_stored(a) and trail.is_stored(b)))
    return Match("DOT", (a, b), layout=with_channels_on(rank, axis), strict=True)


@rule("Mul")
def square(trail: Trail) -> Match:
    """`SQUARE`."""
    a, b = trail.arguments(trail.node, 2)
    trail.need(a == b)
    return Match("SQUARE", (a,))


@rule("Concat")
def concat(trail: Trail) -> Match:
    """`CONCAT`; vectors that are the same for all samples are a `CONST`."""
    operands = tuple(_once(trail, value) for value in trail.node.inputs if value is not None)
    trail.need(len(operands) > 1 and all(x.dtype.is_float for x in operands))
    constants = [x for x in operands if trail.is_by(x, CONSTANT)]
    trail.need(all(x.shape[0] == 1 and prod(x.type.extents) <= MOST_NUMBERS for x in constants))
    trail.need(not all(map(trail.is_stored, operands)))
    return Match("CONCAT", operands, axis=trail.node.attributes["axis"] % operands[0].type.rank)


def _once(trail: Trail, value: Value) -> Value:
    """What is stored and repeated for each sample, such as a class token, as it is stored."""
    if not trail.is_by(value, "Expand", "Tile"):
        return value
    held = trail.argument(trail.graph.producer(value), 0)
    alike = held.type.rank == value.type.rank and held.shape[1:] == value.shape[1:]
    return held if alike and trail.is_stored(held) else value


def _vector(trail: Trail, value: Value, rank: int) -> tuple[Value, int] | None:
    """A vector that a value shows along one axis, as merges take it by themselves."""
    if value.type.rank != rank or rank < 3 or not trail.is_by(value, *SHAPING):
        return None
    before = trail.argument(trail.graph.producer(value), 0)
    for channel in (1, rank - 1):
        shape = tuple(before.shape[-1] if i == channel else 1 for i in range(1, rank))
        if before.type.rank == 2 and value.shape == (before.shape[0], *shape):
            return before, channel
    return None
