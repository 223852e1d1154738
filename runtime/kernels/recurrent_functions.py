"""Activation functions of recurrent operators, and their slopes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ...compiler.ops.recurrent_kinds import Function
from ..kerneldef import Array


def _sigmoid(x: Array, f: Function) -> None:
    np.negative(x, out=x)
    np.exp(x, out=x)
    x += 1
    np.reciprocal(x, out=x)


def _affine(x: Array, f: Function) -> None:
    x *= f.alpha
    x += f.beta


def _elu(x: Array, f: Function) -> None:
    np.copyto(x, f.alpha * np.expm1(x), where=x < 0)


def _hard_sigmoid(x: Array, f: Function) -> None:
    _affine(x, f)
    np.clip(x, 0, 1, out=x)


def _leaky_relu(x: Array, f: Function) -> None:
    np.multiply(x, f.alpha, out=x, where=x < 0)


def _scaled_tanh(x: Array, f: Function) -> None:
    x *= f.beta
    np.tanh(x, out=x)
    x *= f.alpha


def _threshold(x: Array, f: Function) -> None:
    x[x <= f.alpha] = 0


def _softsign(x: Array, f: Function) -> None:
    x /= 1 + np.abs(x)


def _softplus(x: Array, f: Function) -> None:
    np.logaddexp(x, x.dtype.type(0), out=x)


# Each in place, of an array.
APPLY: Mapping[str, Callable[[Array, Function], object]] = {
    "Affine": _affine,
    "Elu": _elu,
    "HardSigmoid": _hard_sigmoid,
    "LeakyRelu": _leaky_relu,
    "Relu": lambda x, f: np.clip(x, 0, np.inf, out=x),
    "ScaledTanh": _scaled_tanh,
    "Sigmoid": _sigmoid,
    "Softplus": _softplus,
    "Softsign": _softsign,
    "Tanh": lambda x, f: np.tanh(x, out=x),
    "ThresholdedRelu": _threshold,
}

# dy / dx, of x and y.
SLOPES: Mapping[str, Callable[[Array, Array, Function], Array | float]] = {
    "Affine": lambda x, y, f: f.alpha,
    "Elu": lambda x, y, f: np.where(x < 0, y + f.alpha, 1),
    "HardSigmoid": lambda x, y, f: f.alpha * ((y > 0) & (y < 1)),
    "LeakyRelu": lambda x, y, f: np.where(x < 0, f.alpha, 1),
    "Relu": lambda x, y, f: x > 0,
    "ScaledTanh": lambda x, y, f: f.alpha * f.beta * (1 - np.tanh(f.beta * x) ** 2),
    "Sigmoid": lambda x, y, f: y * (1 - y),
    "Softplus": lambda x, y, f: -np.expm1(-y),
    "Softsign": lambda x, y, f: (1 + np.abs(x)) ** -2,
    "Tanh": lambda x, y, f: 1 - y * y,
    "ThresholdedRelu": lambda x, y, f: x > f.alpha,
}


@dataclass(frozen=True, slots=True)
class Active:
    """An activation function behind a clip.

    Attributes:
        function: The function with its numbers.
        most: Where its arguments are clipped, at both ends; not where it is None.
    """

    function: Function
    most: float | None

    def apply(self, x: Array) -> None:
        """Replace x by the function of it."""
        if self.most is not None:
            np.clip(x, -self.most, self.most, out=x)
        APPLY[self.function.name](x, self.function)

    def back(self, dy: Array, x: Array, y: Array) -> None:
        """Multiply dy by the slope at x, which is before the clip, where the function is y."""
        if self.most is not None:
            dy *= np.abs(x) <= self.most
            x = np.clip(x, -self.most, self.most)
        dy *= SLOPES[self.function.name](x, y, self.function)
