"""Activations: layers that map each element, or the channels at every position."""

from collections.abc import Callable
from typing import Literal

from ..expressions.arguments import Flag, Initializer, Numbers, PositiveReal, Real
from ..ir.graph import Value
from ..ir.initializers import Init
from ..ops.activation import RECTIFYING
from ..ops.opdef import Activation
from .layer_builder import LayerBuilder
from .layerdef import layer
from .spatial import describe

ActivationRule = Callable[[LayerBuilder, Value], Value]


def real(build: LayerBuilder, x: Value) -> Value:
    """`x`, which must hold real numbers."""
    if not x.dtype.is_float:
        raise build.fail("E201", f"needs real numbers, but its input is {describe(x)}")
    return x


def channel_axis(x: Value) -> int:
    """The axis of the channels: 1 in images and volumes, the last one in sequences and vectors."""
    return 1 if x.type.rank >= 4 else x.type.rank - 1


def per_channel(build: LayerBuilder, vector: Value, x: Value) -> Value:
    """A vector (C), shaped so that it broadcasts along the channels of `x`."""
    trailing = x.type.rank - 1 - channel_axis(x)
    if not trailing:
        return vector
    return build.Reshape(vector, build.index_constant((-1, *(1,) * trailing)))


def define_map(
    name: str,
    formula: str,
    rule: ActivationRule,
    *aliases: str,
    activation: Activation | None = None,
) -> None:
    """Enter a layer without arguments and weights: its meaning in words, and in operators."""

    def apply(build: LayerBuilder, x: Value) -> Value:
        return rule(build, real(build, x))

    apply.__doc__ = f"{formula}."
    layer(name, aliases={alias: {} for alias in aliases}, activation=activation)(apply)


def step(build: LayerBuilder, x: Value) -> Value:
    """1 where x reaches 0, the neuron's threshold, else 0 (McCulloch and Pitts 1943)."""
    reached = build.GreaterOrEqual(x, build.constant(0.0, x.dtype))
    return build.Cast(reached, to=x.dtype)


def swish(build: LayerBuilder, x: Value) -> Value:
    """x sigmoid(x); ONNX's `Swish` is newer than opset 22."""
    return build.Mul(x, build.Sigmoid(x))


def relu6(build: LayerBuilder, x: Value) -> Value:
    """min(max(0, x), 6)."""
    return build.Clip(x, build.constant(0.0, x.dtype), build.constant(6.0, x.dtype))


def _over_channels(op_type: str) -> ActivationRule:
    """An operator on the channels at every position."""

    def apply(build: LayerBuilder, x: Value) -> Value:
        if x.type.rank < 2:
            raise build.fail("E201", f"needs channels, but its input is {describe(x)}")
        return build.op(op_type, (x,), {"axis": channel_axis(x)})[0]

    return apply


define_map("RELU", "max(0, x) (ONNX `Relu`)", lambda build, x: build.Relu(x))
define_map(
    "RELU6", "min(max(0, x), 6) (Krizhevsky 2010, `Convolutional deep belief networks`)", relu6
)
define_map(
    "SELU",
    "Scaled ELU, which keeps mean 0 and variance 1 (Klambauer et al. 2017; ONNX `Selu`)",
    lambda build, x: build.Selu(x),
)
define_map("SIGMOID", "1 / (1 + exp(-x)) (ONNX `Sigmoid`)", lambda build, x: build.Sigmoid(x))
define_map(
    "HARDSIGMOID",
    "max(0, min(1, x / 6 + 1 / 2)), PyTorch's (ONNX `HardSigmoid`)",
    lambda build, x: build.HardSigmoid(x, alpha=1 / 6, beta=0.5),
)
define_map(
    "SWISH", "x sigmoid(x) (Ramachandran, Zoph and Le 2017)", swish, "SILU", activation=RECTIFYING
)
define_map(
    "HARDSWISH",
    "x max(0, min(1, x / 6 + 1 / 2)) (Howard et al. 2019; ONNX `HardSwish`)",
    lambda build, x: build.HardSwish(x),
)
define_map(
    "MISH", "x tanh(log(1 + exp x)) (Misra 2019; ONNX `Mish`)", lambda build, x: build.Mish(x)
)
define_map("TANH", "The hyperbolic tangent (ONNX `Tanh`)", lambda build, x: build.Tanh(x))
define_map("SOFTPLUS", "log(1 + exp x) (ONNX `Softplus`)", lambda build, x: build.Softplus(x))
define_map("SOFTSIGN", "x / (1 + |x|) (ONNX `Softsign`)", lambda build, x: build.Softsign(x))
define_map("STEP", "1 where x >= 0, else 0: the threshold neuron's", step)
define_map(
    "SOFTMAX",
    "exp(x) / sum exp(x) over the channels at every position (ONNX `Softmax`)",
    _over_channels("Softmax"),
)
define_map(
    "LOGSOFTMAX", "The logarithm of SOFTMAX (ONNX `LogSoftmax`)", _over_channels("LogSoftmax")
)


@layer("LRELU", number="slope")
def leaky_relu(build: LayerBuilder, x: Value, *, slope: Real = 0.01) -> Value:
    """x where it is positive, slope x elsewhere (Maas et al. 2013; ONNX `LeakyRelu`)."""
    return build.LeakyRelu(real(build, x), alpha=slope)


@layer("PRELU")
def parametric_relu(
    build: LayerBuilder,
    x: Value,
    *,
    shared: Flag = False,
    init: Initializer = Init("constant", (0.25,)),  # noqa: B008 - a frozen record
    weight: Numbers | None = None,
) -> Value:
    """x where it is positive, else x times a learned slope (He et al. 2015; ONNX `PRelu`).

    The weight is one slope per channel, (channels), or with `shared` one in all, (1).
    """
    (channels,) = (1,) if shared else build.concrete(real(build, x), (channel_axis(x),))
    slopes = build.weight((channels,), init=init, literal=weight)
    return build.PRelu(real(build, x), per_channel(build, slopes, x))


@layer("ELU", number="alpha")
def exponential_linear(build: LayerBuilder, x: Value, *, alpha: Real = 1.0) -> Value:
    """x where it is positive, alpha (exp x - 1) elsewhere (Clevert et al. 2016; ONNX `Elu`)."""
    return build.Elu(real(build, x), alpha=alpha)


@layer("CELU", number="alpha")
def continuous_elu(build: LayerBuilder, x: Value, *, alpha: PositiveReal = 1.0) -> Value:
    """x where it is positive, alpha (exp(x / alpha) - 1) elsewhere (Barron 2017; ONNX `Celu`)."""
    return build.Celu(real(build, x), alpha=alpha)


@layer("GELU", choice="form")
def gaussian_error_linear(
    build: LayerBuilder, x: Value, *, form: Literal["exact", "tanh"] = "exact"
) -> Value:
    """x P(X <= x) for a normal X (Hendrycks and Gimpel 2016; ONNX `Gelu`).

    `tanh` is the paper's approximation x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).
    """
    approximate = "tanh" if form == "tanh" else "none"
    return build.Gelu(real(build, x), approximate=approximate)
