"""Elementwise operators."""

from collections.abc import Callable, Mapping
from math import erf
from typing import Any

import numpy as np

from netc.compiler.ir.types import DType
from netc.runtime.kerneldef import Array
from support.ops import Argument, Given, Known, Random, op_row

Formula = Callable[..., Any]

X = Random((None, 3, 4, 5), -3, 3)
POSITIVE = Random((None, 3, 4, 5), 0.1, 3)
SMALL = Random((None, 3, 4, 5), -0.9, 0.9)
BEYOND = Random((None, 3, 4, 5), 1.1, 3)
TOKENS = Random((None, 4), -9, 9, "int64")
# Far beyond where exponentials overflow, and the same in float32 and float64.
BIG = 2.0**100
EXTREMES = Given([-np.inf, -BIG, -200.0, -20.0, -0.0, 0.0, 20.0, 200.0, BIG, np.inf, np.nan])
HALVES = Given([-2.5, -1.5, -0.5, -0.2, 0.2, 0.5, 1.5, 2.5])
SCALAR = Given(-0.7)
# Beyond one block of the kernels that work in blocks.
LARGE = Random((None, 3, 20011), -3, 3)

SELU_ALPHA, SELU_GAMMA = 1.6732632423543772, 1.0507009873554805


def exponential(x: Array, alpha: float = 1.0) -> Array:
    """ELU."""
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


def leaky(x: Array, alpha: float = 0.01) -> Array:
    """The leaky ReLU."""
    return np.where(x > 0, x, alpha * x)


def hard(x: Array, alpha: float = 0.2, beta: float = 0.5) -> Array:
    """The hard sigmoid."""
    return np.asarray(np.clip(alpha * x + beta, 0, 1))


def error_function(x: Array) -> Array:
    """Python's own erf, element by element."""
    return np.asarray(np.vectorize(erf, otypes=[np.float64])(x))


def gaussian(x: Array, approximate: str = "none") -> Array:
    """GELU in both forms."""
    if approximate == "tanh":
        return np.asarray(x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))))
    return np.asarray(x / 2 * (1 + error_function(x / np.sqrt(2))))


# What each operator of one argument means, with its defaults.
FORMULAS: Mapping[str, Formula] = {
    "Abs": lambda x: np.sqrt(x**2),
    "Asinh": lambda x: np.log(x + np.sqrt(x**2 + 1)),
    "Atan": lambda x: np.angle(1 + 1j * x),
    "Ceil": lambda x: -np.floor(-x),
    "Celu": exponential,
    "Cos": lambda x: np.real(np.exp(1j * x)),
    "Cosh": lambda x: (np.exp(x) + np.exp(-x)) / 2,
    "Elu": exponential,
    "Erf": error_function,
    "Exp": lambda x: np.e**x,
    "Floor": lambda x: x - np.mod(x, 1),
    "Gelu": gaussian,
    "HardSigmoid": hard,
    "HardSwish": lambda x: x * hard(x, 1 / 6),
    "Identity": lambda x: x,
    "LeakyRelu": leaky,
    "Mish": lambda x: x * np.tanh(np.log(1 + np.exp(x))),
    "Neg": lambda x: 0 - x,
    "Relu": lambda x: x * (x > 0),
    "Round": lambda x: np.round(x),
    "Selu": lambda x: SELU_GAMMA * exponential(x, SELU_ALPHA),
    "Sigmoid": lambda x: np.exp(x) / (np.exp(x) + 1),
    "Shrink": lambda x: x * (np.abs(x) > 0.5),
    "Sign": lambda x: np.where(x > 0, 1, 0) - np.where(x < 0, 1, 0),
    "Sin": lambda x: np.imag(np.exp(1j * x)),
    "Sinh": lambda x: (np.exp(x) - np.exp(-x)) / 2,
    "Softplus": lambda x: np.log(1 + np.exp(x)),
    "Softsign": lambda x: x / (1 + np.abs(x)),
    "Tanh": lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x)),
    "ThresholdedRelu": lambda x: x * (x > 1),
}
OF_POSITIVE: Mapping[str, Formula] = {
    "Log": lambda x: np.log2(x) * np.log(2),
    "Reciprocal": lambda x: x**-1,
    "Sqrt": lambda x: x**0.5,
}
OF_SMALL: Mapping[str, Formula] = {
    "Acos": lambda x: np.angle(x + 1j * np.sqrt(1 - x**2)),
    "Asin": lambda x: np.angle(np.sqrt(1 - x**2) + 1j * x),
    "Atanh": lambda x: np.log((1 + x) / (1 - x)) / 2,
    "Tan": lambda x: np.sin(x) / np.cos(x),
}
ATTRIBUTES: list[tuple[str, Mapping[str, Any], Formula]] = [
    ("Celu", {"alpha": 0.3}, lambda x, alpha: np.where(x > 0, x, alpha * (np.exp(x / alpha) - 1))),
    ("Elu", {"alpha": 0.3}, exponential),
    ("Elu", {"alpha": -2.0}, exponential),
    ("Gelu", {"approximate": "tanh"}, gaussian),
    ("HardSigmoid", {"alpha": 0.5, "beta": 0.25}, hard),
    ("LeakyRelu", {"alpha": 0.3}, leaky),
    ("LeakyRelu", {"alpha": 0.0}, leaky),
    ("LeakyRelu", {"alpha": 1.0}, leaky),
    ("LeakyRelu", {"alpha": 2.0}, leaky),
    ("LeakyRelu", {"alpha": -0.5}, leaky),
    (
        "Selu",
        {"alpha": 1.5, "gamma": 2.0},
        lambda x, alpha, gamma: gamma * exponential(x, alpha),
    ),
    (
        "Shrink",
        {"bias": 0.25, "lambd": 1.0},
        lambda x, bias, lambd: (x - bias * np.sign(x)) * (np.abs(x) > lambd),
    ),
    ("ThresholdedRelu", {"alpha": -0.5}, lambda x, alpha: np.where(x > alpha, x, 0)),
]
# What they make of `EXTREMES`, the last of which, that is no number, stays none.
TAIL = np.exp(-20.0)
AT_EXTREMES: Mapping[str, list[float]] = {
    "Abs": [np.inf, BIG, 200, 20, 0, 0, 20, 200, BIG, np.inf],
    "Celu": [-1, -1, -1, TAIL - 1, 0, 0, 20, 200, BIG, np.inf],
    "Elu": [-1, -1, -1, TAIL - 1, 0, 0, 20, 200, BIG, np.inf],
    "Erf": [-1, -1, -1, -1, 0, 0, 1, 1, 1, 1],
    "Exp": [0, 0, np.exp(-200.0), TAIL, 1, 1, np.exp(20.0), np.exp(200.0), np.inf, np.inf],
    "HardSigmoid": [0, 0, 0, 0, 0.5, 0.5, 1, 1, 1, 1],
    "LeakyRelu": [-np.inf, -BIG / 100, -2, -0.2, 0, 0, 20, 200, BIG, np.inf],
    "Log": [
        *(np.nan, np.nan, np.nan, np.nan, -np.inf, -np.inf),
        *(np.log(20.0), np.log(200.0), np.log(BIG), np.inf),
    ],
    "Asinh": [
        *(-np.inf, -101 * np.log(2), -np.arcsinh(200.0), -np.arcsinh(20.0), 0, 0),
        *(np.arcsinh(20.0), np.arcsinh(200.0), 101 * np.log(2), np.inf),
    ],
    "Atan": [
        *(-np.pi / 2, -np.pi / 2, np.arctan(-200.0), np.arctan(-20.0), 0, 0),
        *(np.arctan(20.0), np.arctan(200.0), np.pi / 2, np.pi / 2),
    ],
    "Neg": [np.inf, BIG, 200, 20, 0, 0, -20, -200, -BIG, -np.inf],
    "Relu": [0, 0, 0, 0, 0, 0, 20, 200, BIG, np.inf],
    "Sigmoid": [
        *(0, 0, 1 / (1 + np.exp(200.0)), 1 / (1 + np.exp(20.0)), 0.5, 0.5),
        *(1 / (1 + TAIL), 1, 1, 1),
    ],
    "Sign": [-1, -1, -1, -1, 0, 0, 1, 1, 1, 1],
    "Softplus": [
        *(0, 0, np.exp(-200.0), np.log1p(TAIL), np.log(2), np.log(2)),
        *(20 + np.log1p(TAIL), 200, BIG, np.inf),
    ],
    "Tanh": [-1, -1, -1, -1, 0, 0, 1, 1, 1, 1],
}
# Without infinities, whose product with 0 is no number.
FAR = Given([-BIG, -200.0, -20.0, -0.0, 0.0, 20.0, 200.0, BIG])
AT_FAR: Mapping[str, list[float]] = {
    "Gelu": [0, 0, 0, 0, 0, 20, 200, BIG],
    "HardSwish": [0, 0, 0, 0, 0, 20, 200, BIG],
    "Mish": [0, -200 * np.exp(-200.0), -20 * np.log1p(TAIL), 0, 0, 20, 200, BIG],
    "Softsign": [-1, -200 / 201, -20 / 21, 0, 0, 20 / 21, 200 / 201, 1],
}
# Alone, as large results would hide what becomes of these.
STEEP = Given([-200.0, -20.0, -1e-6, 1e-6])
TINY = float(np.float32(1e-6))
LOST = "a difference of numbers as large as these is 0"
COVERED = "it is that of a few elements, which has a row"
ACROSS = "a difference would reach across the bend at 0"
GELU_CURVE = TINY**2 / np.sqrt(2 * np.pi)
AT_STEEP: Mapping[str, list[float]] = {
    "Celu": [-1, TAIL - 1, np.expm1(-TINY), TINY],
    "Elu": [-1, TAIL - 1, np.expm1(-TINY), TINY],
    "Gelu": [0, 0, GELU_CURVE - TINY / 2, GELU_CURVE + TINY / 2],
    "Mish": [
        *(-200 * np.exp(-200.0), -20 * np.tanh(np.log1p(TAIL))),
        *(0.32 * TINY**2 - 0.6 * TINY, 0.32 * TINY**2 + 0.6 * TINY),
    ],
    "Softplus": [np.exp(-200.0), np.log1p(TAIL), np.log(2) - TINY / 2, np.log(2) + TINY / 2],
}
BROADCAST: list[tuple[Argument, Argument]] = [
    (X, Random((None, 3, 4, 5))),
    (X, Random((3, 1, 1))),
    (Random((5,)), X),
    (Random((None, 3, 1, 1)), Random((None, 1, 4, 5))),
    (X, SCALAR),
    (SCALAR, SCALAR),
]
BINARY: Mapping[str, Formula] = {
    "Add": lambda a, b: a + b,
    "Mul": lambda a, b: a * b,
    "Sub": lambda a, b: a - b,
}
COMPARISONS: Mapping[str, Formula] = {
    "Equal": lambda a, b: a == b,
    "Greater": lambda a, b: a > b,
    "GreaterOrEqual": lambda a, b: a >= b,
    "Less": lambda a, b: a < b,
    "LessOrEqual": lambda a, b: a <= b,
}
VARIADIC: Mapping[str, Formula] = {
    "Max": lambda *xs: np.stack(np.broadcast_arrays(*xs)).max(0),
    "Mean": lambda *xs: np.stack(np.broadcast_arrays(*xs)).mean(0),
    "Min": lambda *xs: np.stack(np.broadcast_arrays(*xs)).min(0),
    "Sum": lambda *xs: np.stack(np.broadcast_arrays(*xs)).sum(0),
}


def at(values: list[float]) -> Formula:
    """A formula that knows its results."""
    return lambda x, **attributes: np.array(values, np.float64)


ROWS = [
    *(op_row(op_type, X, formula=formula) for op_type, formula in FORMULAS.items()),
    *(
        op_row(op_type, LARGE, formula=formula, no_gradient=COVERED)
        for op_type, formula in FORMULAS.items()
    ),
    *(op_row(op_type, SCALAR, formula=formula) for op_type, formula in FORMULAS.items()),
    *(op_row(op_type, POSITIVE, formula=formula) for op_type, formula in OF_POSITIVE.items()),
    *(op_row(op_type, SMALL, formula=formula) for op_type, formula in OF_SMALL.items()),
    op_row("Acosh", BEYOND, formula=lambda x: np.log(x + np.sqrt(x**2 - 1))),
    *(op_row(op_type, X, formula=f, **attributes) for op_type, attributes, f in ATTRIBUTES),
    *(
        op_row(
            op_type,
            EXTREMES,
            formula=at([*values, np.nan]),
            engine_from="1.28" if op_type == "Erf" else "",  # before, erf of NaN was a number
        )
        for op_type, values in AT_EXTREMES.items()
    ),
    *(
        op_row(op_type, FAR, formula=at(values), no_gradient=LOST)
        for op_type, values in AT_FAR.items()
    ),
    op_row("Gelu", FAR, formula=at(AT_FAR["Gelu"]), approximate="tanh", no_gradient=LOST),
    *(
        op_row(
            op_type,
            STEEP,
            formula=at(values),
            no_gradient=ACROSS if op_type in ("Celu", "Elu") else "",
        )
        for op_type, values in AT_STEEP.items()
    ),
    op_row("Identity", EXTREMES),
    *(op_row(op_type, HALVES) for op_type in ("Ceil", "Floor", "Round")),
    op_row("Sqrt", Given([0.0, 4.0, np.inf])),
    op_row("Reciprocal", Given([0.0, 4.0, np.inf, -np.inf])),
    op_row("Abs", TOKENS),
    op_row("Neg", TOKENS),
    *(op_row(name, a, b, formula=f) for name, f in BINARY.items() for a, b in BROADCAST),
    *(op_row(name, TOKENS, Random((4,), -9, 9, "int64"), formula=f) for name, f in BINARY.items()),
    *(
        op_row("Div", a, b, formula=lambda a, b: a * b**-1)
        for a, b in [(X, POSITIVE), (X, Random((3, 1, 1), 0.5, 2)), (Random((5,)), POSITIVE)]
    ),
    op_row(
        "Div",
        Given([-7, -6, 7, 6, 0], "int64"),
        Given([2, 2, 2, -4, 3], "int64"),
        formula=lambda a, b: np.array([-3, -3, 3, -1, 0]),
    ),
    op_row(
        "Mod",
        Given([-7.5, 7.25, 1.25]),
        Given([2.0, -2.0, 3.0]),
        formula=lambda a, b, fmod: a - b * np.array([-3.0, -3.0, 0.0]),
        fmod=1,
    ),
    op_row("Pow", POSITIVE, X, formula=lambda a, b: np.exp(b * np.log(a))),
    op_row(
        "Pow",
        X,
        Given(2.0),
        formula=lambda a, b: a * a,
        no_gradient="powers of negative numbers exist for integers only",
    ),
    op_row("Pow", X, Known(0.0, "float32"), formula=lambda a, b: np.ones_like(a)),
    op_row("Pow", X, Known(1.0, "float32"), formula=lambda a, b: a),
    op_row("Pow", X, Known(2.0, "float32"), formula=lambda a, b: a * a),
    op_row("Pow", X, Known(3.0, "float32"), formula=lambda a, b: a * a * a),
    op_row("Pow", POSITIVE, Known(-0.5, "float32"), formula=lambda a, b: 1 / np.sqrt(a)),
    op_row("Pow", POSITIVE, Random((3, 1, 1), -2, 2), formula=lambda a, b: np.exp(b * np.log(a))),
    op_row("Pow", Random((5,), 0.5, 2), X, formula=lambda a, b: np.exp(b * np.log(a))),
    *(op_row(name, a, b, formula=f) for name, f in COMPARISONS.items() for a, b in BROADCAST),
    *(op_row(name, HALVES, HALVES, formula=f) for name, f in COMPARISONS.items()),
    *(op_row(name, *xs, formula=f) for name, f in VARIADIC.items() for xs in [(X,), *BROADCAST]),
    *(
        op_row(name, Random((5,)), SCALAR, X, Random((None, 1, 4, 1)), formula=f)
        for name, f in VARIADIC.items()
    ),
    op_row("Clip", X, formula=lambda x: x),
    op_row("Clip", X, Given(-1.0), formula=lambda x, low: np.where(x < low, low, x)),
    op_row("Clip", X, None, Given(1.0), formula=lambda x, _, high: np.where(x > high, high, x)),
    op_row("Clip", X, Given(-1.0), Given(2.0), formula=lambda x, a, b: np.clip(x, a, b)),
    op_row("Clip", X, Given(2.0), Given(-1.0), formula=lambda x, a, b: np.full_like(x, -1)),
    op_row("Clip", SCALAR, Given(-0.5), Given(2.0), formula=lambda x, a, b: np.array(-0.5)),
    op_row("Clip", EXTREMES, Given(0.0), Given(6.0)),
    *(
        op_row("PRelu", X, slope, formula=lambda x, slope: np.where(x > 0, x, slope * x))
        for slope in (Random((3, 1, 1)), Given([-2.0]), Random((5,), 1, 3), SCALAR)
    ),
    op_row("PRelu", Random((None, 7), -1, 1), Random((7,))),
    op_row("Where", Random((None, 3, 4, 5), 0, 2, "bool"), X, SCALAR),
    op_row("Where", Random((4, 1), 0, 2, "bool"), X, Random((None, 1, 1, 5))),
    op_row("Where", Random((None, 4), 0, 2, "bool"), TOKENS, Known(0)),
    op_row("Cast", HALVES, formula=lambda x, to: np.fix(x).astype(np.int64), to=DType.INT64),
    op_row("Cast", TOKENS, formula=lambda x, to: x != 0, to=DType.BOOL),
    op_row("Cast", TOKENS, formula=lambda x, to: x, to=DType.INT64),
    op_row("Cast", X, formula=lambda x, to: x, to=DType.FLOAT64),
]
