"""Normalizations, whole or in pieces."""

import re
from collections import deque
from collections.abc import Container, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ...ir.graph import CONSTANT, INPUT, Node, Value
from .trail import (
    SHAPING,
    Match,
    NoMatch,
    Stack,
    Trail,
    Weight,
    as_vector,
    rule,
    vector_along,
    with_channels_on,
)

EPSILON = 1e-5


def _eps(value: float) -> Mapping[str, float]:
    return {} if abs(value / EPSILON - 1) < 1e-6 else {"eps": float(f"{value:.7g}")}


@rule("BatchNormalization")
def batch_normalization(trail: Trail) -> Match:
    """`BN`."""
    node = trail.node
    x, *arrays = trail.arguments(node, 5)
    names = ("weight", "bias", "running_mean", "running_var")
    trail.need_one_output()
    arguments: dict[str, Any] = {**_eps(node.attributes["epsilon"])}
    momentum = round(1 - node.attributes["momentum"], 6)
    if momentum != 0.1 and 0 <= momentum < 1:
        arguments["momentum"] = momentum
    weights = {n: trail.weight(a) for n, a in zip(names[2:], arrays[2:], strict=True)}
    # Exporters store equal tensors once: ones and zeros may be statistics that say nothing yet.
    shares = arrays[:2] == arrays[:1:-1]
    stored = trail.graph.producer(arrays[0]).attributes.get("name", "")
    learned = {} if shares and _VARIANCE.search(stored) else _affine(trail, *arrays[:2])
    if not learned:
        arguments["affine"] = False
    weights |= learned
    return Match("BN", (x,), arguments, weights, with_channels_on(x.type.rank, 1))


_VARIANCE = re.compile(r"(\A|[._])running_var\Z")
_BATCH_NORMALIZATION = re.compile(r"batch_?norm|(\A|[._])bn", re.IGNORECASE)


@rule("Add")
def batch_normalization_in_terms(trail: Trail) -> Match:
    """`BN` whose statistics an exporter has put into its weights, as names show: w x + b.

    Its mean is 0 and its variance what makes the root 1.
    """
    scaled, bias = _beside_parameter(trail, trail.node)
    x, scale = _beside_parameter(trail, trail.back(scaled, "Mul"))
    trail.need(_BATCH_NORMALIZATION.search(trail.graph.producer(scaled).scope))
    rank = x.type.rank
    axis = vector_along(scale.shape, rank)
    trail.need(axis == vector_along(bias.shape, rank) and x.type == trail.node.outputs[0])
    trail.need(scale.type.size == bias.type.size == x.shape[axis])
    channels = tuple(range(trail.weight(scale).size))
    weights: dict[str, Weight | Stack] = {
        "weight": as_vector(trail.weight(scale)),
        "bias": as_vector(trail.weight(bias)),
        "running_mean": Stack(((None, channels),)),
        "running_var": Stack(((None, channels),), 1 - EPSILON),
    }
    return Match("BN", (x,), {}, weights, with_channels_on(rank, axis))


@rule("LayerNormalization")
def layer_normalization(trail: Trail) -> Match:
    """`LN` by ONNX's own operator."""
    node = trail.node
    x, scale = trail.arguments(node, 2)
    bias = node.optional(2)
    trail.need_one_output()
    axes = tuple(range(node.attributes["axis"] % x.type.rank, x.type.rank))
    with suppress(NoMatch):
        x = _uncentred(trail, x, axes)
    return _over(trail, "LN", x, axes, node.attributes["epsilon"], scale, bias)


def _uncentred(trail: Trail, centred: Value, axes: tuple[int, ...]) -> Value:
    """x of x - mean x over axes."""
    trail.need(trail.is_by(centred, "Sub"))
    difference = trail.graph.producer(centred)
    x, mean = trail.arguments(difference, 2)
    trail.need(trail.is_by(mean, "ReduceMean"))
    inner = trail.graph.producer(mean)
    trail.need(trail.argument(inner, 0) == x and _mean_axes(trail, inner) == axes)
    trail.back(centred, "Sub")
    trail.back(mean, "ReduceMean")
    return x


@rule("RMSNormalization")
def root_mean_square_normalization(trail: Trail) -> Match:
    """`RMSNORM` by ONNX's own operator."""
    attributes = trail.node.attributes
    x, scale = trail.arguments(trail.node, 2)
    axes = tuple(range(attributes["axis"] % x.type.rank, x.type.rank))
    return _over(trail, "RMSNORM", x, axes, attributes["epsilon"], scale, None)


def _over(
    trail: Trail,
    kind: str,
    x: Value,
    axes: tuple[int, ...],
    eps: float,
    scale: Value | None,
    bias: Value | None,
) -> Match:
    """A normalization over the channels, or over all axes from one on."""
    rank = x.type.rank
    if bias is not None and trail.is_uniform(bias, 0.0):
        bias = None
    arguments: dict[str, Any] = {**_eps(eps)}
    given = [value for value in (scale, bias) if value is not None]
    if len(axes) == 1:
        layout = with_channels_on(rank, axes[0])
        trail.need(all(vector_along(value.shape, rank) == axes[0] for value in given))
        trail.need(all(value.type.size == x.shape[axes[0]] for value in given))
    else:
        trail.need(axes == tuple(range(1, rank)) and kind == "LN")
        layout, arguments = tuple(range(rank)), {"axes": "all", **arguments}
        trail.need(all(value.shape == x.shape[1:] for value in given))
    weights = _affine(trail, scale, bias if kind == "LN" else None)
    if not weights:
        arguments["affine"] = False
    elif kind == "LN" and "bias" not in weights:
        arguments["bias"] = False
    trail.need(not weights or "weight" in weights)
    return Match(kind, (x,), arguments, weights, layout)


def _affine(trail: Trail, scale: Value | None, bias: Value | None) -> Mapping[str, Weight]:
    """Weight and bias; nothing where they are none, or ones and zeros."""
    plain = scale is None or trail.is_uniform(scale, 1.0)
    if plain and (bias is None or trail.is_uniform(bias, 0.0)):
        return {}
    given = {"weight": scale, "bias": bias}
    return {n: as_vector(trail.weight(v)) for n, v in given.items() if v is not None}


@dataclass(frozen=True, slots=True)
class Spread:
    """sqrt(mean (x - mean x)^2 + eps), or, where no mean is subtracted, sqrt(mean x^2 + eps)."""

    root: Value
    x: Value
    centred: Value
    mean: Value | None
    axes: tuple[int, ...]
    eps: float

    @property
    def kind(self) -> str:
        """The normalization that divides by it."""
        return "RMSNORM" if self.mean is None else "LN"


@rule("Add", "Mul", "Div")
def normalization_in_pieces(trail: Trail) -> Match:
    """`LN`: (x - mean) / sqrt(mean (x - mean)^2 + eps), times a weight, plus a bias; `RMSNORM`."""
    value, bias = Value(trail.last, 0, trail.node.outputs[0]), None
    if trail.is_by(value, "Add"):
        value, bias = _beside_parameter(trail, trail.back(value, "Add"))
    spread = _spread(trail, value)
    (scale,) = _factors_beside(trail, value, spread.centred, spread) or (None,)
    trail.need(bias is None or spread.mean is not None)
    return _over(trail, spread.kind, spread.x, spread.axes, spread.eps, scale, bias)


@rule("Add")
def normalization_in_two_terms(trail: Trail) -> Match:
    """`LN` as TensorFlow writes it: x w / root + (bias - mean w / root)."""
    a, b = trail.arguments(trail.node, 2)
    for scaled, shift in ((a, b), (b, a)):
        if trail.is_by(scaled, "Mul", "Div") and trail.is_by(shift, "Add", "Sub"):
            spread = _spread(trail, scaled)
            trail.need(spread.mean is not None)
            scale = _factors_beside(trail, scaled, spread.x, spread)
            node = trail.back(shift, "Add", "Sub")
            first, bias = _beside_parameter(trail, node)
            trail.need(node.op_type == "Add" or bias == node.inputs[0])
            sign = 1 if node.op_type == "Add" else -1
            trail.need(_factors_beside(trail, first, spread.mean, spread, -sign) == scale)
            gamma = scale[0] if scale else None
            return _over(trail, "LN", spread.x, spread.axes, spread.eps, gamma, bias)
    raise NoMatch


def _spread(trail: Trail, value: Value) -> Spread:
    """The root that a product is divided by."""
    _, below, _ = _fraction(Trail(trail.graph, trail.last), value)
    root = next((each for each in below if trail.is_by(each, "Sqrt")), None)
    if root is None:
        raise NoMatch
    variance = trail.back(trail.argument(trail.back(root, "Sqrt"), 0), "Add")
    a, b = trail.arguments(variance, 2)
    squares, eps = (a, b) if trail.is_by(a, "ReduceMean") else (b, a)
    node = trail.back(squares, "ReduceMean")
    axes, centred = _mean_axes(trail, node), _squared(trail, trail.argument(node, 0))
    x, mean = centred, None
    if trail.is_by(centred, "Sub"):
        x = _uncentred(trail, centred, axes)
        mean = trail.argument(trail.graph.producer(centred), 1)
    return Spread(root, x, centred, mean, axes, trail.number(eps))


def _factors_beside(
    trail: Trail, value: Value, wanted: Value | None, spread: Spread, sign: int = 1
) -> list[Value]:
    """What a value is multiplied by, which is divided by the root; a weight, or nothing."""
    whole = {each for each in (spread.x, spread.centred, spread.mean) if each is not None}
    above, below, found = _fraction(trail, value, whole)
    trail.need(below == [spread.root] and wanted in above and found == sign)
    others = [each for each in above if each != wanted]
    trail.need(len(others) == len(above) - 1 <= 1 and all(map(trail.is_stored, others)))
    return others


def _fraction(
    trail: Trail, value: Value, whole: Container[Value] = ()
) -> tuple[list[Value], list[Value], int]:
    """The factors of a product and those that it is divided by, the nearest first, and its sign."""
    sides: tuple[list[Value], list[Value]] = ([], [])
    pending, sign = deque([(value, 0)]), 1
    while pending:
        each, side = pending.popleft()
        if each in whole or not trail.is_by(each, "Mul", "Div", "Neg", "Reciprocal"):
            if not trail.is_number(each, 1.0):
                sides[side].append(each)
            continue
        node = trail.back(each, "Mul", "Div", "Neg", "Reciprocal")
        first, *rest = trail.arguments(node)
        turned = 1 - side
        pending.append((first, turned if node.op_type == "Reciprocal" else side))
        pending.extend((x, turned if node.op_type == "Div" else side) for x in rest)
        sign = -sign if node.op_type == "Neg" else sign
    return *sides, sign


def _beside_parameter(trail: Trail, node: Node) -> tuple[Value, Value]:
    """The other argument of an operator, and the vector among its arguments."""
    a, b = trail.arguments(node, 2)
    if trail.is_stored(b):
        return a, b
    trail.need(trail.is_stored(a))
    return b, a


def _squared(trail: Trail, value: Value) -> Value:
    node = trail.back(value, "Pow", "Mul")
    if node.op_type == "Pow":
        trail.need(trail.number(node.inputs[1]) == 2)
    else:
        trail.need(node.inputs[0] == node.inputs[1])
    return trail.argument(node, 0)


def _mean_axes(trail: Trail, node: Node) -> tuple[int, ...]:
    """The axes that a mean goes over, which it keeps."""
    rank = trail.argument(node, 0).type.rank
    trail.need(node.attributes["keepdims"])
    return tuple(sorted(axis % rank for axis in trail.numbers(trail.argument(node, 1))))


@rule("InstanceNormalization")
def instance_normalization(trail: Trail) -> Match:
    """`IN`."""
    node = trail.node
    x, scale, bias = trail.arguments(node, 3)
    with suppress(NoMatch):
        x = _uncentred(trail, x, tuple(range(2, x.type.rank)))
    weights = _affine(trail, scale, bias)
    arguments = {**_eps(node.attributes["epsilon"]), **({} if weights else {"affine": False})}
    return Match("IN", (x,), arguments, weights, with_channels_on(x.type.rank, 1))


@rule("Div", "Mul", "Sub")
def preprocessing(trail: Trail) -> Match:
    """`NORMALIZE`: (x - mean) / std with constants, each a number or one per channel."""
    value, given = Value(trail.last, 0, trail.node.outputs[0]), {}
    rank, axes = value.type.rank, set()
    for name, op_types in (("std", ("Div", "Mul")), ("mean", ("Sub",))):
        node = trail.graph.producer(value)
        if node.op_type in op_types and trail.is_by(trail.argument(node, 1), CONSTANT):
            start, constant = trail.arguments(node, 2)
            held = trail.numbers(constant)
            # A factor by itself is no deviation, unless it is of what comes in.
            trail.need(node.op_type != "Mul" or trail.is_by(start, "Sub", INPUT))
            inverse = node.op_type == "Mul"
            given[name] = tuple(float(f"{1 / n:.7g}") for n in held) if inverse else held
            if constant.type.size != 1:
                axes.add(vector_along(constant.shape, rank))
            trail.passed.add(value.node)
            value = start
    trail.need(given and value.dtype.is_float and value.type == trail.node.outputs[0])
    trail.need(min(given.get("std", (1.0,))) > 0 and len(axes) < 2)
    layout = with_channels_on(rank, *axes) if axes else None
    arguments = {name: n if len(set(n)) > 1 else n[0] for name, n in given.items()}
    return Match("NORMALIZE", (value,), arguments, layout=layout)


@rule("GroupNormalization")
def group_normalization(trail: Trail) -> Match:
    """`GN` by ONNX's own operator."""
    node = trail.node
    x, scale, bias = trail.arguments(node, 3)
    weights = _affine(trail, scale, bias)
    arguments = {"groups": node.attributes["num_groups"], **_eps(node.attributes["epsilon"])}
    arguments |= {} if weights else {"affine": False}
    return Match("GN", (x,), arguments, weights, with_channels_on(x.type.rank, 1))


@rule("Add")
def group_normalization_in_pieces(trail: Trail) -> Match:
    """`GN` as PyTorch writes it: an instance normalization of groups, then scale and shift."""
    scaled, bias = _beside_parameter(trail, trail.node)
    back, scale = _beside_parameter(trail, trail.back(scaled, "Mul"))
    return _grouped(trail, back, scale, bias)


@rule("Reshape")
def group_normalization_without_weights(trail: Trail) -> Match:
    """`GN` as PyTorch writes it where it has no weights."""
    return _grouped(trail, Value(trail.last, 0, trail.node.outputs[0]), None, None)


def _grouped(trail: Trail, back: Value, scale: Value | None, bias: Value | None) -> Match:
    normal = trail.back(trail.argument(trail.back(back, "Reshape"), 0), "InstanceNormalization")
    grouped, ones, zeros = trail.arguments(normal, 3)
    trail.need(set(trail.numbers(ones)) == {1.0} and set(trail.numbers(zeros)) == {0.0})
    with suppress(NoMatch):
        grouped = _uncentred(trail, grouped, tuple(range(2, grouped.type.rank)))
    x = trail.argument(trail.back(grouped, "Reshape"), 0)
    trail.need(back.type == x.type and grouped.type.rank >= 3)
    channels, groups = x.shape[1], grouped.shape[1]
    trail.need(isinstance(channels, int) and isinstance(groups, int) and channels % groups == 0)
    trail.need(grouped.shape[0] == x.shape[0])
    arguments = {"groups": grouped.shape[1], **_eps(normal.attributes["epsilon"])}
    weights = _affine(trail, scale, bias)
    arguments |= {} if weights else {"affine": False}
    return Match("GN", (x,), arguments, weights, with_channels_on(x.type.rank, 1))


@rule("LRN")
def local_response_normalization(trail: Trail) -> Match:
    """`LRN` by ONNX's own operator."""
    x, held = trail.argument(trail.node, 0), trail.node.attributes
    names = {"size": "size", "alpha": "alpha", "beta": "beta", "k": "bias"}
    numbers = {name: _rounded(held[theirs]) for name, theirs in names.items()}
    return Match("LRN", (x,), {**numbers, "mean": True}, layout=with_channels_on(x.type.rank, 1))


@rule("Div")
def local_response_normalization_in_pieces(trail: Trail) -> Match:
    """`LRN` as PyTorch writes it: x / (k + alpha mean x^2)^beta, the mean by a pool of channels."""
    x, power = trail.arguments(trail.node, 2)
    raised = trail.back(power, "Pow")
    shifted = trail.back(trail.argument(raised, 0), "Add")
    scaled, k = trail.arguments(shifted, 2)
    product = trail.back(scaled, "Mul")
    mean, alpha = trail.arguments(product, 2)
    pool = trail.back(_behind_shapes(trail, mean), "AveragePool")
    padded = trail.back(trail.argument(pool, 0), "Pad")
    size, *ones = pool.attributes["kernel_shape"]
    pads = trail.numbers(trail.argument(padded, 1))
    wide = [place for place, number in enumerate(pads) if number]
    grouped = trail.argument(padded, 0)
    trail.need(set(ones) == {1} and sum(pads) == size - 1 and pads[2] == size // 2)
    trail.need(set(wide) <= {2, 2 + grouped.type.rank} and grouped.shape[2] == x.shape[1])
    trail.need(_squared(trail, _behind_shapes(trail, grouped)) == x and mean.type == x.type)
    found = {"alpha": trail.number(alpha), "beta": trail.number(raised.inputs[1])}
    found = {name: _rounded(n) for name, n in {**found, "k": trail.number(k)}.items()}
    layout = with_channels_on(x.type.rank, 1)
    return Match("LRN", (x,), {"size": size, **found, "mean": True}, layout=layout)


def _rounded(number: float) -> float:
    """A number as it was before it was one of float32."""
    return number if isinstance(number, int) else float(f"{number:.7g}")


def _behind_shapes(trail: Trail, value: Value) -> Value:
    while trail.is_by(value, *SHAPING):
        value = trail.argument(trail.back(value, *SHAPING), 0)
    return value
