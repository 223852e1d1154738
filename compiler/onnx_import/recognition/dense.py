"""Dense layers, embeddings, and factors and offsets per channel."""

from collections.abc import Mapping

from ...ir.graph import Value
from .pooling import GLOBAL
from .trail import (
    Match,
    NoMatch,
    Trail,
    Weight,
    as_vector,
    identity,
    rule,
    vector_along,
    with_channels_on,
)


@rule("Gemm")
def fully_connected(trail: Trail) -> Match:
    """`FC`, with the flattening before it."""
    node, attributes = trail.node, trail.node.attributes
    x, weight = (trail.argument(node, place) for place in range(2))
    trail.need(attributes["alpha"] == 1 and not attributes["transA"])
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    trail.need(bias is None or attributes["beta"] == 1)
    axes = None if attributes["transB"] else (1, 0)
    units = weight.shape[0 if attributes["transB"] else 1]
    held = trail.weight(weight)
    weights = {"weight": held.moved(axes) if axes else held, **_bias(trail, bias, units)}
    if trail.is_by(x, "Flatten", "Reshape") and trail.has_one_reader(x):
        before = trail.argument(trail.graph.producer(x), 0)
        pooled = trail.is_by(before, *GLOBAL)
        if before.type.rank > 2 and _is_flattened(before, x) and not pooled:
            trail.back(x, "Flatten", "Reshape")
            x = before
    return Match("FC", (x,), {"units": units, **_without(bias)}, weights, tuple(range(x.type.rank)))


@rule("MatMul")
def product(trail: Trail) -> Match:
    """`FC` or `LINEAR` without a bias."""
    return _linear(trail, Value(trail.last, 0, trail.node.outputs[0]), None)


@rule("Add")
def product_with_bias(trail: Trail) -> Match:
    """`FC` or `LINEAR`: the bias is added by an operator of its own."""
    a, b = (trail.argument(trail.node, place) for place in range(2))
    return _linear(trail, a, b) if trail.is_by(a, "MatMul") else _linear(trail, b, a)


def _linear(trail: Trail, y: Value, bias: Value | None) -> Match:
    node = trail.back(y, "MatMul")
    x, weight = (trail.argument(node, place) for place in range(2))
    trail.need(weight.type.rank == 2 and not trail.is_stored(x))
    rank = x.type.rank
    units = weight.shape[1]
    weights = {"weight": trail.weight(weight).moved((1, 0)), **_bias(trail, bias, units)}
    kind = "FC" if rank == 2 else "LINEAR"
    layout = with_channels_on(rank, rank - 1)
    return Match(kind, (x,), {"units": units, **_without(bias)}, weights, layout)


def _bias(trail: Trail, bias: Value | None, units: object) -> Mapping[str, Weight]:
    if bias is None:
        return {}
    trail.need(bias.type.size == units and bias.shape[-1] == units)
    return {"bias": as_vector(trail.weight(bias))}


def _without(bias: Value | None) -> Mapping[str, bool]:
    return {"bias": False} if bias is None else {}


def _is_flattened(before: Value, after: Value) -> bool:
    return after.type.rank == 2 and before.shape[0] == after.shape[0]


@rule("Gather")
def embedding(trail: Trail) -> Match:
    """`EMBED`: rows of a table."""
    table, tokens = (trail.argument(trail.node, place) for place in range(2))
    trail.need(trail.node.attributes["axis"] == 0 and table.type.rank == 2)
    trail.need(tokens.type.rank == 2 and not trail.is_stored(tokens))
    vocabulary, width = table.shape
    arguments = {"vocabulary": vocabulary, "width": width}
    return Match("EMBED", (tokens,), arguments, {"weight": trail.weight(table)}, (0, 1))


@rule("Add")
def positions(trail: Trail) -> Match:
    """`POSEMBED`: the first rows of a table added to a sequence."""
    a, b = (trail.argument(trail.node, place) for place in range(2))
    x, rows = (a, b) if trail.is_learned(b) else (b, a)
    weight = trail.weight(rows)
    trail.need(x.type.rank == 3 and weight.value.type.rank == 2 and not weight.axes)
    trail.need(rows.type.extents[-2:] == x.shape[1:] and not (weight.part and weight.part[0]))
    length = weight.value.type.extents[0]
    given = {} if length == x.shape[1] else {"length": length}
    return Match("POSEMBED", (x,), given, {"weight": Weight(weight.value)}, identity(3))


@rule("Mul")
def scale(trail: Trail) -> Match:
    """`SCALE`: a learned factor per channel."""
    a, b = (trail.argument(trail.node, place) for place in range(2))
    for x, factors in ((a, b), (b, a)):
        if trail.is_learned(factors) and not trail.is_stored(x):
            rank = x.type.rank
            held = trail.weight(factors).value
            trail.need(held.shape[0] != 1 or held.type.rank < max(rank, 2))  # else it is a `PARAM`
            axis = vector_along(factors.shape, rank)
            layout = with_channels_on(rank, axis)
            return Match("SCALE", (x,), {}, {"weight": as_vector(trail.weight(factors))}, layout)
    raise NoMatch
