"""Pools with windows, and over all positions."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from ...ir.graph import Value
from .convolutions import one
from .trail import SHAPING, Match, NoMatch, Trail, identity, rule, with_channels_on

MODES = {"MaxPool": "max", "AveragePool": "avg", "LpPool": "lp"}
GLOBAL = {"GlobalAveragePool": "avg", "GlobalMaxPool": "max"}
VECTORS = {"avg": "GAP", "max": "GMP"}


@rule(*MODES)
def pool(trail: Trail) -> Match:
    """`POOL`."""
    node = trail.node
    attributes, mode = node.attributes, MODES[node.op_type]
    x = trail.argument(node, 0)
    kernel = tuple(attributes["kernel_shape"])
    rank = len(kernel)
    strides = tuple(attributes["strides"] or (1,) * rank)
    pads = tuple(attributes["pads"] or (0,) * (2 * rank))
    trail.need(set(attributes["dilations"] or (1,)) == {1} and not attributes.get("storage_order"))
    found: dict[str, Any] = {"kernel": kernel}
    if mode != "max":
        found["mode"] = mode
    if strides != kernel:
        found["stride"] = one(strides)
    before, after = pads[:rank], pads[rank:]
    if any(pads):
        found["pad"] = one(before) if before == after else (before, after)
    if attributes["ceil_mode"]:
        found["ceil"] = True
    if attributes.get("count_include_pad") and any(pads):
        found["count_pad"] = True
    if mode == "lp" and attributes["p"] != 2:
        found["p"] = attributes["p"]
    return Match("POOL", (x,), found, layout=with_channels_on(x.type.rank, 1))


@rule(*GLOBAL)
def over_all_positions(trail: Trail) -> Match:
    """`ADAPTIVEPOOL(1)`, which keeps the axes."""
    x = trail.argument(trail.node, 0)
    mode = GLOBAL[trail.node.op_type]
    found = {"size": 1} | ({"mode": mode} if mode != "avg" else {})
    return Match("ADAPTIVEPOOL", (x,), found, layout=with_channels_on(x.type.rank, 1))


@rule("Flatten", "Reshape", "Squeeze")
def as_vector(trail: Trail) -> Match:
    """`GAP` and `GMP`: a global pool without the axes that it leaves."""
    node = trail.node
    pooled = trail.argument(node, 0)
    trail.need(node.outputs[0].shape == pooled.shape[:2])
    if trail.is_by(pooled, *GLOBAL):
        maker = trail.back(pooled, *GLOBAL)
        mode, x = GLOBAL[maker.op_type], trail.argument(maker, 0)
        return Match(VECTORS[mode], (x,), layout=with_channels_on(x.type.rank, 1))
    return _gap(trail, pooled)


@rule("MaxUnpool")
def unpool(trail: Trail) -> Match:
    """`UNPOOL`, with the indices of a pool."""
    x, indices = trail.arguments(trail.node, 2)
    trail.need(trail.is_by(indices, "MaxPool") and indices.output == 1)
    pooled = trail.graph.producer(indices)
    wanted, of = trail.node.outputs[0], trail.argument(pooled, 0)
    trail.need(wanted.rank == of.type.rank and wanted.shape[2:] == of.shape[2:])
    shape = trail.node.optional(2)
    if shape is not None and trail.is_by(shape, "Shape") and trail.has_one_reader(shape):
        trail.back(shape, "Shape")
    pool = Value(indices.node, 0, pooled.outputs[0])
    return Match("UNPOOL", (x,), layout=identity(x.type.rank), labels={"pool": pool})


REDUCTIONS = {
    "ReduceSum": "sum",
    "ReduceMean": "mean",
    "ReduceMax": "max",
    "ReduceMin": "min",
    "ReduceProd": "prod",
}


@rule("ReduceMean", "ReduceMax")
def reduced(trail: Trail) -> Match:
    """`GAP` and `GMP` as a reduction."""
    return _gap(trail, Value(trail.last, 0, trail.node.outputs[0]))


POOLED: Mapping[str, Mapping[str, Any]] = {"ReduceMean": {}, "ReduceMax": {"mode": "max"}}


def _positions(rank: int, channel: int) -> tuple[int, ...]:
    """All axes but the batch and the channels."""
    return tuple(axis for axis in range(1, rank) if axis != channel)


@rule(*SHAPING)
def pool_to_one_position(trail: Trail) -> Match:
    """`ADAPTIVEPOOL(1)`, whose axes are dropped and put back."""
    y = trail.node.outputs[0]
    node = trail.back(trail.argument(trail.node, 0), *POOLED)
    x = trail.argument(node, 0)
    rank = x.type.rank
    axes = tuple(sorted(axis % rank for axis in trail.numbers(trail.argument(node, 1))))
    for channel, place in product((1, rank - 1), repeat=2):
        shape = tuple(x.shape[channel] if i == place else 1 for i in range(1, rank))
        if axes == _positions(rank, channel) and y.shape == (x.shape[0], *shape) and rank > 3:
            layouts = with_channels_on(rank, channel), with_channels_on(rank, place)
            found = {"size": 1, **POOLED[node.op_type]}
            return Match("ADAPTIVEPOOL", (x,), found, layout=layouts[0], result=layouts[1])
    raise NoMatch


@rule(*REDUCTIONS)
def reduction(trail: Trail) -> Match:
    """`REDUCE` along axes, which stay as 1 or are dropped."""
    node = trail.node
    x = trail.argument(node, 0)
    rank = x.type.rank
    axes = tuple(sorted(axis % rank for axis in trail.numbers(trail.argument(node, 1))))
    trail.need(axes and 0 not in axes and x.dtype.is_float)
    found: dict[str, Any] = {"mode": REDUCTIONS[node.op_type]}
    if node.attributes["keepdims"]:
        for channel in (1, rank - 1):
            if rank > 3 and node.op_type in POOLED and axes == _positions(rank, channel):
                found = {"size": 1, **POOLED[node.op_type]}
                layout = with_channels_on(rank, channel)
                return Match("ADAPTIVEPOOL", (x,), found, layout=layout)
        return Match("REDUCE", (x,), {**found, "keep": True}, axis=axes)
    return Match("REDUCE", (x,), found, axis=axes, dropped=axes)


def _gap(trail: Trail, value: Value) -> Match:
    """A mean or maximum over all positions, as a vector."""
    modes = {"ReduceMean": "avg", "ReduceMax": "max"}
    node = trail.back(value, *modes)
    x = trail.argument(node, 0)
    rank = x.type.rank
    axes = sorted(axis % rank for axis in trail.numbers(trail.argument(node, 1)))
    trail.need(trail.node.outputs[0].rank == 2 and rank > 2)
    for channel in (1, rank - 1):
        if axes == [axis for axis in range(1, rank) if axis != channel]:
            layout = with_channels_on(rank, channel)
            return Match(VECTORS[modes[node.op_type]], (x,), layout=layout)
    raise NoMatch
