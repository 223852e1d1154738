"""Normalizations, whole or in pieces."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ...ir.graph import Node, Value
from .trail import Match, NoMatch, Trail, Weight, as_vector, rule, with_channels_on

EPSILON = 1e-5


def _eps(value: float) -> Mapping[str, float]:
    return {} if abs(value / EPSILON - 1) < 1e-6 else {"eps": float(f"{value:.7g}")}


@rule("BatchNormalization")
def batch_normalization(trail: Trail) -> Match:
    """`BN`."""
    node = trail.node
    x, *arrays = (trail.argument(node, place) for place in range(5))
    names = ("weight", "bias", "running_mean", "running_var")
    trail.need_one_output()
    arguments: dict[str, Any] = {**_eps(node.attributes["epsilon"])}
    momentum = round(1 - node.attributes["momentum"], 6)
    if momentum != 0.1 and 0 <= momentum < 1:
        arguments["momentum"] = momentum
    weights = {n: trail.weight(a) for n, a in zip(names[2:], arrays[2:], strict=True)}
    learned = _affine(trail, *arrays[:2])
    if not learned:
        arguments["affine"] = False
    weights |= learned
    return Match("BN", (x,), arguments, weights, with_channels_on(x.type.rank, 1))


@rule("LayerNormalization")
def layer_normalization(trail: Trail) -> Match:
    """`LN` by ONNX's own operator."""
    node = trail.node
    x, scale = (trail.argument(node, place) for place in range(2))
    bias = node.inputs[2] if len(node.inputs) > 2 else None
    trail.need_one_output()
    axis = node.attributes["axis"] % x.type.rank
    with suppress(NoMatch):
        x = _uncentred(trail, x, axis)
    return _over(trail, "LN", x, axis, node.attributes["epsilon"], scale, bias)


def _uncentred(trail: Trail, centred: Value, axis: int) -> Value:
    """x of x - mean x over the last axes."""
    trail.need(trail.is_by(centred, "Sub"))
    difference = trail.graph.producer(centred)
    x, mean = (trail.argument(difference, place) for place in range(2))
    trail.need(trail.is_by(mean, "ReduceMean"))
    inner = trail.graph.producer(mean)
    trail.need(trail.argument(inner, 0) == x and _last_axis(trail, inner) == axis)
    trail.back(centred, "Sub")
    trail.back(mean, "ReduceMean")
    return x


@rule("RMSNormalization")
def root_mean_square_normalization(trail: Trail) -> Match:
    """`RMSNORM` by ONNX's own operator."""
    attributes = trail.node.attributes
    x, scale = (trail.argument(trail.node, place) for place in range(2))
    return _over(trail, "RMSNORM", x, attributes["axis"], attributes["epsilon"], scale, None)


def _over(
    trail: Trail,
    kind: str,
    x: Value,
    axis: int,
    eps: float,
    scale: Value | None,
    bias: Value | None,
) -> Match:
    """A normalization over the axes from one on."""
    rank = x.type.rank
    axis %= rank
    arguments: dict[str, Any] = {**_eps(eps)}
    if axis == rank - 1:
        layout = with_channels_on(rank, axis)
    else:
        trail.need(axis == 1 and kind == "LN")
        layout, arguments = tuple(range(rank)), {"axes": "all", **arguments}
    given = [value for value in (scale, bias) if value is not None]
    trail.need(all(value.shape == x.shape[axis:] for value in given))
    weights = _affine(trail, scale, bias if kind == "LN" else None)
    if not weights:
        arguments["affine"] = False
    elif kind == "LN":
        trail.need(len(weights) == 2)
    return Match(kind, (x,), arguments, weights, layout)


def _affine(trail: Trail, scale: Value | None, bias: Value | None) -> Mapping[str, Weight]:
    """Weight and bias; nothing where they are none, or ones and zeros."""
    plain = scale is None or trail.is_uniform(scale, 1.0)
    if plain and (bias is None or trail.is_uniform(bias, 0.0)):
        return {}
    given = {"weight": scale, "bias": bias}
    return {n: as_vector(trail.weight(v)) for n, v in given.items() if v is not None}


@rule("Add", "Mul", "Div")
def normalization_in_pieces(trail: Trail) -> Match:
    """`LN`: (x - mean) / sqrt(mean (x - mean)^2 + eps), times a weight, plus a bias; `RMSNORM`."""
    value, scale, bias = Value(trail.last, 0, trail.node.outputs[0]), None, None
    if trail.is_by(value, "Add"):
        value, bias = _beside_parameter(trail, trail.back(value, "Add"))
        trail.need(trail.is_by(value, "Mul"))
    if trail.is_by(value, "Mul"):
        node = trail.graph.producer(value)
        try:
            value, scale = _beside_parameter(trail, node)
            trail.back(Value(_place(trail, node), 0, node.outputs[0]), "Mul")
        except NoMatch:
            trail.need(bias is None)
    centred, root = _quotient(trail, value)
    variance = trail.back(trail.argument(trail.back(root, "Sqrt"), 0), "Add")
    a, b = (trail.argument(variance, place) for place in range(2))
    mean, eps = (a, trail.number(b)) if trail.is_by(a, "ReduceMean") else (b, trail.number(a))
    node = trail.back(mean, "ReduceMean")
    axis = _last_axis(trail, node)
    trail.need(_squared(trail, trail.argument(node, 0)) == centred)
    if trail.is_by(centred, "Sub"):
        x = _uncentred(trail, centred, axis)
        return _over(trail, "LN", x, axis, eps, scale, bias)
    trail.need(bias is None)
    return _over(trail, "RMSNORM", centred, axis, eps, scale, None)


def _place(trail: Trail, node: Node) -> int:
    return next(i for i, each in trail.graph.nodes() if each is node)


def _beside_parameter(trail: Trail, node: Node) -> tuple[Value, Value]:
    """The other argument of an operator, and the vector among its arguments."""
    a, b = (trail.argument(node, place) for place in range(2))
    if trail.is_learned(b):
        return a, b
    trail.need(trail.is_learned(a))
    return b, a


def _quotient(trail: Trail, value: Value) -> tuple[Value, Value]:
    """Numerator and denominator, where a reciprocal may be multiplied by."""
    if trail.is_by(value, "Div"):
        node = trail.back(value, "Div")
        return trail.argument(node, 0), trail.argument(node, 1)
    node = trail.back(value, "Mul")
    a, b = (trail.argument(node, place) for place in range(2))
    x, inverse = (a, b) if trail.is_by(b, "Reciprocal", "Div") else (b, a)
    maker = trail.back(inverse, "Reciprocal", "Div")
    if maker.op_type == "Reciprocal":
        return x, trail.argument(maker, 0)
    trail.need(trail.is_number(trail.argument(maker, 0), 1.0))
    return x, trail.argument(maker, 1)


def _squared(trail: Trail, value: Value) -> Value:
    node = trail.back(value, "Pow", "Mul")
    if node.op_type == "Pow":
        trail.need(trail.number(node.inputs[1]) == 2)
    else:
        trail.need(node.inputs[0] == node.inputs[1])
    return trail.argument(node, 0)


def _last_axis(trail: Trail, node: Node) -> int:
    """The first of the last axes that a mean goes over, which it keeps."""
    rank = trail.argument(node, 0).type.rank
    axes: list[int] = sorted(axis % rank for axis in trail.numbers(trail.argument(node, 1)))
    trail.need(node.attributes["keepdims"] and axes == list(range(axes[0], rank)))
    return axes[0]


@rule("InstanceNormalization")
def instance_normalization(trail: Trail) -> Match:
    """`IN`."""
    node = trail.node
    x, scale, bias = (trail.argument(node, place) for place in range(3))
    weights = _affine(trail, scale, bias)
    arguments = {**_eps(node.attributes["epsilon"]), **({} if weights else {"affine": False})}
    return Match("IN", (x,), arguments, weights, with_channels_on(x.type.rank, 1))


@rule("GroupNormalization")
def group_normalization(trail: Trail) -> Match:
    """`GN` by ONNX's own operator."""
    node = trail.node
    x, scale, bias = (trail.argument(node, place) for place in range(3))
    weights = _affine(trail, scale, bias)
    arguments = {"groups": node.attributes["num_groups"], **_eps(node.attributes["epsilon"])}
    arguments |= {} if weights else {"affine": False}
    return Match("GN", (x,), arguments, weights, with_channels_on(x.type.rank, 1))


@rule("Add")
def group_normalization_in_pieces(trail: Trail) -> Match:
    """`GN` as PyTorch writes it: an instance normalization of groups, then scale and shift."""
    scaled, bias = _beside_parameter(trail, trail.node)
    back, scale = _beside_parameter(trail, trail.back(scaled, "Mul"))
    normal = trail.back(trail.argument(trail.back(back, "Reshape"), 0), "InstanceNormalization")
    grouped, ones, zeros = (trail.argument(normal, place) for place in range(3))
    trail.need(set(trail.numbers(ones)) == {1.0} and set(trail.numbers(zeros)) == {0.0})
    x = trail.argument(trail.back(grouped, "Reshape"), 0)
    trail.need(back.type == x.type and grouped.type.rank == 3)
    arguments = {"groups": grouped.shape[1], **_eps(normal.attributes["epsilon"])}
    weights = {"weight": as_vector(trail.weight(scale)), "bias": as_vector(trail.weight(bias))}
    return Match("GN", (x,), arguments, weights, with_channels_on(x.type.rank, 1))
