"""Activation functions, with their slopes.

Slopes jump where PyTorch's do. `Where` chooses between terms that are all finite, so that no 0
meets an infinity.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import pi, sqrt

from ..ir.builder import Builder
from ..ir.graph import Node, Value
from ..ir.initializers import GLOROT, HE, LECUN
from ..ir.signature import InferenceError, OpCall
from ..ir.types import TensorType
from . import double_precision, notation
from .building import indicator, number, plus, sum_to, times
from .double_precision import in_double_precision
from .elementwise import broadcast_type, infer_same, per_element, spelled, unary
from .kinks import ZERO, around, beyond
from .opdef import Activation, Cotangents, OpDef, Precision, Role, VjpCall, Yields, define
from .receptive_field import elementwise

# SELU's numbers in full (Klambauer et al. 2017, equation 2), which ONNX rounds to float32.
SELU_ALPHA = 1.6732632423543772848170429916717
SELU_GAMMA = 1.0507009873554804934193349852946

# Beyond, the hyperbolic tangent in GELU is 1 to the last bit of float64.
GELU_LIMIT = 10.0

RECTIFYING = Activation(HE)
BOUNDED = Activation(GLOROT)


def relu(build: Builder, x: Value, y: Value) -> Value:
    """1 where x > 0, which is where y > 0, else 0."""
    return indicator(build, build.Greater(y, number(build, 0.0, y)), y)


def leaky_relu(build: Builder, x: Value, y: Value, *, alpha: float) -> Value:
    """1 where x > 0, else alpha."""
    return _where_positive(build, x, 1.0, number(build, alpha, x))


def elu(build: Builder, x: Value, y: Value, *, alpha: float) -> Value:
    """1 where x > 0, else alpha exp x = y + alpha."""
    if alpha == 1:
        return plus(build, _below_zero(build, y), 1.0)
    return _where_positive(build, x, 1.0, plus(build, y, alpha))


def selu(build: Builder, x: Value, y: Value, *, alpha: float, gamma: float) -> Value:
    """gamma where x > 0, else gamma alpha exp x = y + gamma alpha."""
    return _where_positive(build, x, gamma, plus(build, y, gamma * alpha))


def celu(build: Builder, x: Value, y: Value, *, alpha: float) -> Value:
    """1 where x > 0, else exp(x / alpha) = y / alpha + 1."""
    return plus(build, times(build, _below_zero(build, y), 1 / alpha), 1.0)


def _below_zero(build: Builder, y: Value) -> Value:
    """y where y < 0, else 0: no choice between tensors, which takes 20 times as long as a sum."""
    return build.Min(y, number(build, 0.0, y))


def _where_positive(build: Builder, x: Value, above: float, below: Value) -> Value:
    """A number where x > 0, else what is given."""
    return build.Where(build.Greater(x, number(build, 0.0, x)), number(build, above, x), below)


def thresholded_relu(build: Builder, x: Value, y: Value, *, alpha: float) -> Value:
    """1 where x > alpha, else 0."""
    return indicator(build, build.Greater(x, number(build, alpha, x)), x)


def shrink(build: Builder, x: Value, y: Value, *, bias: float, lambd: float) -> Value:
    """1 where x < -lambd or x > lambd, else 0."""
    below = build.Less(x, number(build, -lambd, x))
    return indicator(build, build.Or(below, build.Greater(x, number(build, lambd, x))), x)


def sigmoid(build: Builder, x: Value, y: Value) -> Value:
    """y (1 - y)."""
    return build.Mul(y, build.Sub(number(build, 1.0, y), y))


def tanh(build: Builder, x: Value, y: Value) -> Value:
    """1 - y^2."""
    return build.Sub(number(build, 1.0, y), build.Mul(y, y))


def softplus(build: Builder, x: Value, y: Value) -> Value:
    """1 / (1 + exp(-x))."""
    return build.Sigmoid(x)


def softsign(build: Builder, x: Value, y: Value) -> Value:
    """1 / (1 + |x|)^2."""
    root = build.Reciprocal(plus(build, build.Abs(x), 1.0))
    return build.Mul(root, root)


def gelu(build: Builder, x: Value, y: Value, *, approximate: str) -> Value:
    """P(X <= x) + x p(x) for a normal X of density p, or the slope of the approximation."""
    if approximate == "tanh":
        return _approximate_gelu(build, x)
    below = times(build, plus(build, build.Erf(times(build, x, sqrt(0.5))), 1.0), 0.5)
    bell = build.Exp(times(build, build.Mul(x, x), -0.5))
    return build.Add(below, times(build, build.Mul(x, bell), 1 / sqrt(2 * pi)))


def _approximate_gelu(build: Builder, x: Value) -> Value:
    """(1 + t) / 2 + x / 2 (1 - t^2) u' with t = tanh u and u = sqrt(2 / pi) (x + c x^3).

    Far out, where the slope is 0 or 1, the powers of x would overflow.
    """
    x = build.Clip(x, number(build, -GELU_LIMIT, x), number(build, GELU_LIMIT, x))
    linear, cubic = sqrt(2 / pi), sqrt(2 / pi) * 0.044715
    square = build.Mul(x, x)
    t = build.Tanh(build.Mul(x, plus(build, times(build, square, cubic), linear)))
    steepness = build.Mul(x, plus(build, times(build, square, 3 * cubic), linear))
    curve = build.Mul(steepness, build.Sub(number(build, 1.0, t), build.Mul(t, t)))
    return times(build, plus(build, build.Add(t, curve), 1.0), 0.5)


def mish(build: Builder, x: Value, y: Value) -> Value:
    """t + x sigmoid(x) (1 - t^2) with t = tanh(softplus x)."""
    t = build.Tanh(build.Softplus(x))
    rest = build.Sub(number(build, 1.0, t), build.Mul(t, t))
    return build.Add(t, build.Mul(build.Mul(x, build.Sigmoid(x)), rest))


def hard_sigmoid(build: Builder, x: Value, y: Value, *, alpha: float, beta: float) -> Value:
    """alpha where 0 < y < 1, else 0."""
    inside = build.And(
        build.Greater(y, number(build, 0.0, y)), build.Less(y, number(build, 1.0, y))
    )
    return build.Where(inside, number(build, alpha, y), number(build, 0.0, y))


def hard_swish(build: Builder, x: Value, y: Value) -> Value:
    """1 / 2 + x / 3 where |x| < 3, else 0 or 1."""
    inside = build.Less(build.Abs(x), number(build, 3.0, x))
    outside = indicator(build, build.Greater(x, number(build, 0.0, x)), x)
    return build.Where(inside, plus(build, times(build, x, 1 / 3), 0.5), outside)


def _hard_sigmoid_kinks(build: Builder, node: Node, results: Sequence[Value]) -> Sequence[Value]:
    slope, offset = node.attributes["alpha"], node.attributes["beta"]
    bounds = (-offset / slope, (1 - offset) / slope) if slope else ()
    return around(*bounds)(build, node, results)


def infer_clip(call: OpCall) -> Sequence[TensorType]:
    """x, and optionally the least and the largest number."""
    x = call.type(0)
    for bound in (call.type(i) for i in range(1, len(call.inputs)) if call.has(i)):
        if bound.rank or bound.dtype != x.dtype:
            raise InferenceError(f"Clip takes single numbers of {x.dtype.value}, not {bound}")
    return (x,)


def clip(build: Builder, call: VjpCall) -> Cotangents:
    """y = min(max(x, low), high): dy to whichever y is, to x also where it equals a bound.

    Bounds get a gradient as in PyTorch: the lower one where x < low < high, the upper one where
    x > high or high < low.
    """
    x, dy = call.input(0), call.cotangent
    low, high = (*call.inputs[1:], None, None)[:2]
    zero = number(build, 0.0, x)
    found: list[Value | None] = [None, None, None]
    if call.wanted[0] and low is None and high is None:
        found[0] = dy
    elif call.wanted[0]:
        found[0] = build.Mul(dy, indicator(build, build.Equal(x, call.outputs[0]), x))
    if low is not None and call.wanted[1]:
        below = build.Less(x, low)
        if high is not None:
            below = build.And(below, build.Less(low, high))
        found[1] = sum_to(build, build.Where(below, dy, zero), low)
    if high is not None and call.wanted[2]:
        above = build.Greater(x, high)
        if low is not None:
            above = build.Or(above, build.Less(high, low))
        found[2] = sum_to(build, build.Where(above, dy, zero), high)
    return found


def _clip_kinks(build: Builder, node: Node, results: Sequence[Value]) -> Sequence[Value]:
    x, *bounds = node.inputs
    return [build.Greater(x, bound) for bound in bounds if bound is not None]


def infer_within(call: OpCall) -> Sequence[TensorType]:
    """x, and further arguments that must broadcast to its shape."""
    x = call.type(0)
    types = [x, *(call.type(i) for i in range(1, len(call.inputs)) if call.has(i))]
    if broadcast_type(call, types, types) != x:
        raise InferenceError(f"{call.op_type} cannot broadcast {spelled(types[1:])} to {x}")
    return (x,)


def prelu(build: Builder, call: VjpCall) -> Cotangents:
    """y = x where x > 0, else slope x: dy times 1 or the slope to x, and x dy to the slope."""
    x, slope, dy = call.input(0), call.input(1), call.cotangent
    zero, one = number(build, 0.0, x), number(build, 1.0, x)
    positive = build.Greater(x, zero)
    return [
        build.Mul(dy, build.Where(positive, one, slope)) if call.wanted[0] else None,
        sum_to(build, build.Mul(dy, build.Where(positive, zero, x)), slope)
        if call.wanted[1]
        else None,
    ]


define(
    unary(
        "Celu",
        12,
        slope=celu,
        attributes={"alpha": 1.0},
        activation=RECTIFYING,
        double=double_precision.celu,
        notation=notation.celu,
    ),
    unary(
        "Elu",
        22,
        slope=elu,
        attributes={"alpha": 1.0},
        kinks=ZERO,
        activation=RECTIFYING,
        double=double_precision.elu,
        notation=notation.elu,
    ),
    unary(
        "Gelu",
        20,
        slope=gelu,
        attributes={"approximate": "none"},
        activation=RECTIFYING,
        double=double_precision.gelu,
        notation=notation.gelu,
    ),
    unary(
        "HardSigmoid",
        22,
        slope=hard_sigmoid,
        attributes={"alpha": 0.2, "beta": 0.5},
        kinks=_hard_sigmoid_kinks,
        activation=BOUNDED,
        double=double_precision.hard_sigmoid,
        notation=notation.hard_sigmoid,
    ),
    unary(
        "HardSwish",
        22,
        slope=hard_swish,
        kinks=around(-3.0, 3.0),
        activation=RECTIFYING,
        double=double_precision.hard_swish,
        notation=notation.fixed(
            "x clip(x/6 + 1/2, 0 to 1)", "(x/3 + 1/2) g if |x| < 3, else g if x > 0, else 0"
        ),
    ),
    unary(
        "LeakyRelu",
        16,
        slope=leaky_relu,
        attributes={"alpha": 0.01},
        kinks=ZERO,
        activation=RECTIFYING,
        double=double_precision.leaky_relu,
        notation=notation.leaky_relu,
    ),
    unary(
        "Mish",
        22,
        precision=Precision.FULL,
        slope=mish,
        activation=RECTIFYING,
        double=double_precision.mish,
        notation=notation.fixed("x t, t = tanh log(1 + exp x)", "(t + x (1 - t²) sigmoid x) g"),
    ),
    unary(
        "Relu",
        14,
        slope=relu,
        infer=infer_same,
        kinks=ZERO,
        activation=replace(RECTIFYING, dies=True),
        notation=notation.fixed("max(0, x)", "g if x > 0, else 0"),
    ),
    unary(
        "Selu",
        22,
        slope=selu,
        attributes={"alpha": SELU_ALPHA, "gamma": SELU_GAMMA},
        kinks=ZERO,
        activation=Activation(LECUN),
        double=double_precision.selu,
        notation=notation.selu,
    ),
    unary("Shrink", 9, slope=shrink, attributes={"bias": 0.0, "lambd": 0.5}, kinks=beyond("lambd")),
    unary(
        "Sigmoid",
        13,
        slope=sigmoid,
        activation=replace(BOUNDED, slope=lambda y: 4 * y * (1 - y)),
        yields=Yields.PROBABILITY,
        symbol="\N{GREEK SMALL LETTER SIGMA}",
        double=double_precision.sigmoid,
    ),
    unary(
        "Softplus",
        22,
        precision=Precision.FULL,
        slope=softplus,
        activation=RECTIFYING,
        double=double_precision.softplus,
        notation=notation.fixed("log(1 + exp x)", "g sigmoid x"),
    ),
    unary(
        "Softsign",
        22,
        slope=softsign,
        activation=BOUNDED,
        double=double_precision.softsign,
        notation=notation.fixed("x / (1 + |x|)", "g / (1 + |x|)²"),
    ),
    unary("Tanh", 13, slope=tanh, activation=replace(BOUNDED, slope=lambda y: 1 - y * y)),
    unary(
        "ThresholdedRelu",
        22,
        slope=thresholded_relu,
        attributes={"alpha": 1.0},
        kinks=beyond("alpha"),
        activation=replace(RECTIFYING, dies=True),
        double=double_precision.thresholded_relu,
    ),
    OpDef(
        "Clip",
        13,
        infer=infer_clip,
        cost=per_element,
        sees=elementwise,
        vjp=clip,
        kinks=_clip_kinks,
        activation=RECTIFYING,
        notation=notation.clip,
    ),
    OpDef(
        "PRelu",
        16,
        infer=infer_within,
        cost=per_element,
        sees=elementwise,
        vjp=prelu,
        kinks=ZERO,
        activation=RECTIFYING,
        roles=(Role.OTHER, Role.SCALE),
        decompose=in_double_precision(double_precision.prelu),
        notation=notation.fixed("x if x > 0, else a x", "g if x > 0, else a g", "∑ g min(0, x)"),
    ),
)
