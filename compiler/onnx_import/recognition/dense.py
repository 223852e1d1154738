"""Dense layers, embeddings, and factors and offsets per channel."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from ...ir.graph import CONSTANT, Value
from ...layers.recurrent import CELLS
from .pooling import GLOBAL
from .trail import (
    SHAPING,
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
    x, weight = trail.arguments(node, 2)
    trail.need(attributes["alpha"] == 1 and not attributes["transA"])
    bias = node.optional(2)
    trail.need(bias is None or attributes["beta"] == 1)
    axes = None if attributes["transB"] else (1, 0)
    units = weight.shape[0 if attributes["transB"] else 1]
    held = trail.weight(weight)
    weights = {"weight": held.moved(axes) if axes else held, **_bias(trail, bias, units)}
    return _after_flattening(trail, x, {"units": units, **_without(bias)}, weights)


def _after_flattening(
    trail: Trail, x: Value, arguments: Mapping[str, Any], weights: Mapping[str, Weight]
) -> Match:
    """`FC` of a matrix, or of what is flattened to one.

    Where that has its channels last, the layer's, which flattens channels first, has its weights
    in another order.
    """
    plain = Match("FC", (x,), arguments, weights, identity(2))
    if not trail.is_by(x, "Flatten", "Reshape") or not trail.has_one_reader(x):
        return plain
    before = trail.argument(trail.graph.producer(x), 0)
    rank = before.type.rank
    is_whole = x.type.rank == 2 < rank and before.shape[0] == x.shape[0]
    joined = (*GLOBAL, "ReduceMean", "ReduceMax")  # whose layers yield a vector as it is
    if not is_whole or trail.is_by(before, *joined) or _is_last_state(trail, before):
        return plain
    trail.back(x, "Flatten", "Reshape")
    match = Match("FC", (before,), arguments, weights, identity(rank))
    weight, extents = weights["weight"], before.shape[1:]
    if rank < 4 or weight.shape or weight.part or not all(isinstance(e, int) for e in extents):
        return match
    units, places, last = weight.value.type.extents[0], range(rank - 2), rank - 2
    dims: tuple[Any, ...] = (units, *extents)
    order = (0, 1 + last, *(1 + place for place in places))
    if weight.axes:  # stored as (features, units)
        dims = (*extents, weight.value.type.extents[1])
        order = (rank - 1, last, *places)
    moved = {**weights, "weight": replace(weight, dims=dims, axes=order)}
    other = replace(
        match, weights=moved, layout=with_channels_on(rank, rank - 1), result=identity(2)
    )
    return replace(match, others=(other,))


def _is_last_state(trail: Trail, x: Value) -> bool:
    """Whether it is the state of a recurrent operator, direction by direction."""
    if trail.is_by(x, "Transpose"):
        x = trail.argument(trail.graph.producer(x), 0)
    return trail.is_by(x, *CELLS) and x.output == 1


@rule("MatMul")
def product(trail: Trail) -> Match:
    """`FC` or `LINEAR` without a bias."""
    return _linear(trail, Value(trail.last, 0, trail.node.outputs[0]), None)


@rule("Add")
def product_with_bias(trail: Trail) -> Match:
    """`FC` or `LINEAR`: the bias is added by an operator of its own."""
    a, b = trail.arguments(trail.node, 2)
    return _linear(trail, a, b) if trail.is_by(a, "MatMul") else _linear(trail, b, a)


def _linear(trail: Trail, y: Value, bias: Value | None) -> Match:
    node = trail.back(y, "MatMul")
    x, weight = trail.arguments(node, 2)
    trail.need(weight.type.rank == 2 and not trail.is_learned(x))
    rank = x.type.rank
    units = weight.shape[1]
    weights = {"weight": trail.weight(weight).moved((1, 0)), **_bias(trail, bias, units)}
    arguments = {"units": units, **_without(bias)}
    if rank == 2:
        return _after_flattening(trail, x, arguments, weights)
    return Match("LINEAR", (x,), arguments, weights, with_channels_on(rank, rank - 1))


def _bias(trail: Trail, bias: Value | None, units: object) -> Mapping[str, Weight]:
    if bias is None:
        return {}
    trail.need(bias.type.size == units and bias.shape[-1] == units)
    return {"bias": as_vector(trail.weight(bias))}


def _without(bias: Value | None) -> Mapping[str, bool]:
    return {"bias": False} if bias is None else {}


@rule("Gather")
def embedding(trail: Trail) -> Match:
    """`EMBED`: rows of a table; those of an image of tokens are its channels."""
    table, tokens = trail.arguments(trail.node, 2)
    trail.need(trail.node.attributes["axis"] == 0 and table.type.rank == 2)
    rank = tokens.type.rank
    trail.need(rank in (1, 2, 3) and not trail.is_learned(tokens))
    vocabulary, width = table.shape
    arguments = {"vocabulary": vocabulary, "width": width}
    weights, result = {"weight": trail.weight(table)}, (0, 2, 3, 1) if rank == 3 else None
    return Match("EMBED", (tokens,), arguments, weights, identity(rank), result=result)


@rule("Add")
def positions(trail: Trail) -> Match:
    """`POSEMBED`: the first rows of a table added to a sequence."""
    a, b = trail.arguments(trail.node, 2)
    x, rows = (a, b) if trail.is_learned(b) or _first_rows(trail, b) else (b, a)
    weight = _first_rows(trail, rows) or trail.weight(rows)
    trail.need(x.type.rank == 3 and weight.value.type.rank == 2 and not weight.axes)
    trail.need(rows.shape[-2:] == x.shape[1:] and not (weight.part and weight.part[0]))
    length = weight.value.type.extents[0]
    given = {} if length == x.shape[1] else {"length": length}
    return Match("POSEMBED", (x,), given, {"weight": Weight(weight.value)}, identity(3))


def _first_rows(trail: Trail, rows: Value) -> Weight | None:
    """The table whose first rows a value is, as many as an open extent says."""
    way = Trail(trail.graph, trail.last)
    while way.is_by(rows, *SHAPING):
        rows = way.argument(way.graph.producer(rows), 0)
    node = way.graph.producer(rows)
    if node.op_type != "Gather" or node.attributes["axis"]:
        return None
    table, index = way.arguments(node, 2)
    while way.is_by(index, *SHAPING):
        index = way.argument(way.graph.producer(index), 0)
    numbers = way.graph.producer(index)
    places = way.arguments(numbers)
    if numbers.op_type == "Range":
        is_counted = way.is_number(places[0], 0) and way.is_number(places[2], 1)
    else:  # of numbers that count from 0, as many as there are positions
        is_counted = numbers.op_type == "Slice" and way.is_by(places[0], CONSTANT)
        is_counted = is_counted and way.is_uniform(places[1], 0)
        is_counted = is_counted and (len(places) < 5 or way.is_uniform(places[4], 1))
        is_counted = is_counted and way.tensor(places[0]).numbers() == tuple(
            range(prod(places[0].type.extents))
        )
    return way.weight(table) if is_counted else None


@rule("Mul")
def scale(trail: Trail) -> Match:
    """`SCALE`: a learned factor per channel."""
    a, b = trail.arguments(trail.node, 2)
    for x, factors in ((a, b), (b, a)):
        if trail.is_learned(factors) and not trail.is_stored(x):
            rank = x.type.rank
            held = trail.weight(factors).value
            trail.need(held.shape[0] != 1 or held.type.rank < max(rank, 2))  # else it is a `PARAM`
            axis = vector_along(factors.shape, rank)
            layout = with_channels_on(rank, axis)
            return Match("SCALE", (x,), {}, {"weight": as_vector(trail.weight(factors))}, layout)
    raise NoMatch
