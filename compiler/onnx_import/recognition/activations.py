"""Activation functions, whole or in pieces."""

from collections.abc import Callable, Mapping
from math import isclose, pi, sqrt
from typing import Any

from ...ir.graph import Node, Value
from .trail import Match, NoMatch, Trail, as_vector, rule, with_channels_on

# Operators that are layers, with the arguments that their attributes are.
UNARY: Mapping[str, tuple[str, Callable[[Node], Mapping[str, Any]]]] = {
    "Abs": ("ABS", lambda node: {}),
    "Celu": ("CELU", lambda node: {"alpha": node.attributes["alpha"]}),
    "Elu": ("ELU", lambda node: {"alpha": node.attributes["alpha"]}),
    "Exp": ("EXP", lambda node: {}),
    "HardSwish": ("HARDSWISH", lambda node: {}),
    "LeakyRelu": ("LRELU", lambda node: {"slope": node.attributes["alpha"]}),
    "Log": ("LOG", lambda node: {}),
    "Mish": ("MISH", lambda node: {}),
    "Neg": ("NEG", lambda node: {}),
    "Reciprocal": ("RECIPROCAL", lambda node: {}),
    "Relu": ("RELU", lambda node: {}),
    "Sigmoid": ("SIGMOID", lambda node: {}),
    "Softplus": ("SOFTPLUS", lambda node: {}),
    "Softsign": ("SOFTSIGN", lambda node: {}),
    "Sqrt": ("SQRT", lambda node: {}),
    "Tanh": ("TANH", lambda node: {}),
}


@rule(*UNARY)
def unary(trail: Trail) -> Match:
    """One operator."""
    kind, arguments = UNARY[trail.node.op_type]
    x = trail.argument(trail.node, 0)
    trail.need(x.dtype.is_float and not trail.is_stored(x))
    return Match(kind, (x,), arguments(trail.node))


@rule("Gelu")
def gelu(trail: Trail) -> Match:
    """ONNX's own operator."""
    form = "tanh" if trail.node.attributes["approximate"] == "tanh" else "exact"
    return Match("GELU", (trail.argument(trail.node, 0),), {"form": form})


@rule("Selu")
def selu(trail: Trail) -> Match:
    """With the constants of Klambauer et al. 2017, which are ONNX's defaults."""
    attributes = trail.node.attributes
    trail.need(isclose(attributes["alpha"], 1.67326319, rel_tol=1e-6))
    trail.need(isclose(attributes["gamma"], 1.05070102, rel_tol=1e-6))
    return Match("SELU", (trail.argument(trail.node, 0),))


@rule("HardSigmoid")
def hard_sigmoid(trail: Trail) -> Match:
    """max(0, min(1, x / 6 + 1 / 2)), as PyTorch has it."""
    attributes = trail.node.attributes
    trail.need(isclose(attributes["alpha"], 1 / 6, rel_tol=1e-3))
    trail.need(attributes["beta"] == 0.5)
    return Match("HARDSIGMOID", (trail.argument(trail.node, 0),))


@rule("Clip")
def relu6(trail: Trail) -> Match:
    """min(max(0, x), 6)."""
    x, least, most = trail.arguments(trail.node, 3)
    trail.need(trail.is_number(most, 6.0) and trail.number(least) == 0)
    return Match("RELU6", (x,))


@rule("Cast")
def step(trail: Trail) -> Match:
    """1 where x reaches 0, else 0."""
    compared = trail.back(trail.argument(trail.node, 0), "GreaterOrEqual")
    x, zero = trail.arguments(compared, 2)
    trail.need(trail.is_number(zero, 0.0) and trail.node.outputs[0] == x.type)
    return Match("STEP", (x,))


@rule("Softmax", "LogSoftmax")
def softmax(trail: Trail) -> Match:
    """Over what the language calls channels."""
    x = trail.argument(trail.node, 0)
    layout = with_channels_on(x.type.rank, trail.node.attributes["axis"])
    return Match(trail.node.op_type.upper(), (x,), layout=layout, strict=True)


@rule("PRelu")
def parametric_relu(trail: Trail) -> Match:
    """A slope for all channels, or one for each."""
    x, slope = trail.arguments(trail.node, 2)
    weight = trail.weight(slope)
    size = slope.type.size
    layout = with_channels_on(x.type.rank, 1)
    channels = x.shape[1]
    own = x.type.rank - slope.type.rank  # the axis of x that its first one lies on
    trail.need(size == 1 or (own < 2 and size == channels == slope.shape[1 - own]))
    shared = {"shared": True} if size == 1 and channels != 1 else {}
    return Match("PRELU", (x,), shared, {"weight": as_vector(weight)}, layout)


@rule("Mul")
def gated(trail: Trail) -> Match:
    """x times a gate of x: SWISH, HARDSWISH, MISH."""
    a, b = trail.arguments(trail.node, 2)
    for x, gate in ((a, b), (b, a)):
        maker = trail.graph.producer(gate)
        if maker.op_type == "Sigmoid" and maker.inputs == (x,):
            trail.back(gate, "Sigmoid")
            return Match("SWISH", (x,))
        if maker.op_type == "HardSigmoid" and maker.inputs == (x,):
            trail.need(isclose(maker.attributes["alpha"], 1 / 6, rel_tol=1e-3))
            trail.back(gate, "HardSigmoid")
            return Match("HARDSWISH", (x,))
        if maker.op_type == "Tanh" and trail.is_by(trail.argument(maker, 0), "Softplus"):
            inner = trail.back(trail.argument(trail.back(gate, "Tanh"), 0), "Softplus")
            trail.need(inner.inputs == (x,))
            return Match("MISH", (x,))
    raise NoMatch


@rule("Mul", "Div")
def gelu_in_pieces(trail: Trail) -> Match:
    """x / 2 (1 + erf(x / sqrt 2)), or the approximation by tanh, in whatever order.

    Keras writes 1 + erf(z) as erfc(-z), an operator of TensorFlow's.
    """
    found, scale = trail.factors(Value(trail.last, 0, trail.node.outputs[0]))
    trail.need(len(found) == 2 and isclose(scale, 0.5, rel_tol=1e-6))
    for x, other in (found, found[::-1]):
        if trail.is_by(other, "Erfc"):
            inside = trail.argument(trail.back(other, "Erfc"), 0)
            return _checked(trail, x, inside, -1 / sqrt(2), "exact")
        if trail.is_by(other, "Add") and _has_one(trail, other):
            gate = trail.with_number(trail.back(other, "Add"), 1.0)
            if trail.is_by(gate, "Erf"):
                inside = trail.argument(trail.back(gate, "Erf"), 0)
                return _checked(trail, x, inside, 1 / sqrt(2), "exact")
            inside = trail.argument(trail.back(gate, "Tanh"), 0)
            parts, inner = trail.factors(inside)
            trail.need(len(parts) == 1 and isclose(inner, sqrt(2 / pi), rel_tol=1e-5))
            _cubic(trail, trail.back(parts[0], "Add"), x)
            return Match("GELU", (x,), {"form": "tanh"})
    raise NoMatch


@rule("Div")
def soft_sign(trail: Trail) -> Match:
    """x / (1 + |x|)."""
    x, divisor = trail.arguments(trail.node, 2)
    size = trail.with_number(trail.back(divisor, "Add"), 1.0)
    trail.need(trail.argument(trail.back(size, "Abs"), 0) == x)
    return Match("SOFTSIGN", (x,))


@rule("Mul", "Div")
def hard_gate_in_pieces(trail: Trail) -> Match:
    """min(max(0, x + 3), 6) / 6, and x times it."""
    found, scale = trail.factors(Value(trail.last, 0, trail.node.outputs[0]))
    trail.need(len(found) in (1, 2) and isclose(scale, 1 / 6, rel_tol=1e-6))
    for gate in found:
        if trail.is_by(gate, "Clip"):
            clip = trail.back(gate, "Clip")
            shifted, least, most = trail.arguments(clip, 3)
            trail.need(trail.is_number(least, 0.0) and trail.is_number(most, 6.0))
            x = trail.with_number(trail.back(shifted, "Add"), 3.0)
            others = [each for each in found if each != gate]
            trail.need(others in ([], [x]))
            return Match("HARDSWISH" if others else "HARDSIGMOID", (x,))
    raise NoMatch


def _has_one(trail: Trail, sum: Value) -> bool:
    """Whether one is added."""
    return any(x is not None and trail.is_number(x, 1.0) for x in trail.graph.producer(sum).inputs)


def _checked(trail: Trail, x: Value, inside: Value, scale: float, form: str) -> Match:
    parts, found = trail.factors(inside)
    trail.need(parts == [x] and isclose(found, scale, rel_tol=1e-5))
    return Match("GELU", (x,), {} if form == "exact" else {"form": form})


def _cubic(trail: Trail, sum: Node, x: Value) -> None:
    """x + 0.044715 x^3."""
    a, b = trail.arguments(sum, 2)
    trail.need(x in (a, b))
    parts, scale = trail.factors(b if a == x else a)
    trail.need(isclose(scale, 0.044715, rel_tol=1e-4))
    if parts == [x, x, x]:
        return
    trail.need(len(parts) == 1)
    power = trail.back(parts[0], "Pow")
    trail.need(trail.argument(power, 0) == x and trail.number(power.inputs[1]) == 3)
