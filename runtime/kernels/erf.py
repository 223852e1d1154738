"""The error function, which NumPy lacks."""

from functools import cache

import numpy as np

from ...compiler.ops.error_function import CENTRES_PER_UNIT, LAST_CENTRE, expansions
from ..kerneldef import Array

# In float32 erf x = tanh(x p(x^2)): the coefficients of p, highest power first, fitted for the
# least relative error, which is 1e-7. NumPy computes tanh as fast as it adds three times.
COEFFICIENTS = (
    *(1.4189305643772413e-7, -5.669016950949589e-6, 8.763980454541525e-5),
    *(-6.197894165774057e-4, -1.91827086784043e-4, 0.10276905485127019, 1.1283792743403294),
)


def erf(x: Array, y: Array, t: Array, scale: float = 1.0) -> None:
    """Write to y what erf makes of scale times x; all have one length, and t is overwritten."""
    if x.dtype == np.float32:
        _by_tanh(x, y, t, _scaled(scale))
    else:
        _taylor(x * x.dtype.type(scale), y, t)


@cache
def _scaled(scale: float) -> tuple[float, ...]:
    """The coefficients of scale p((scale x)^2)."""
    powers = range(len(COEFFICIENTS) - 1, -1, -1)
    return tuple(
        c * scale ** (2 * power + 1) for c, power in zip(COEFFICIENTS, powers, strict=True)
    )


def _by_tanh(x: Array, y: Array, square: Array, coefficients: tuple[float, ...]) -> None:
    np.multiply(x, x, out=square)
    first, second, *others = coefficients
    np.multiply(square, first, out=y)
    y += second
    for coefficient in others:
        y *= square
        y += coefficient
    y *= x
    np.tanh(y, out=y)


def _taylor(x: Array, y: Array, t: Array) -> None:
    np.abs(x, out=t)
    np.clip(t, 0, LAST_CENTRE, out=t)
    # A number that is none has no index; it stays none by its offset.
    nearest = np.nan_to_num(np.rint(t * CENTRES_PER_UNIT)).astype(np.intp)
    t -= nearest / CENTRES_PER_UNIT
    table = _expansions()
    y.fill(0)
    for row in table[::-1]:
        y *= t
        y += row.take(nearest)
    np.copysign(y, x, out=y)


@cache
def _expansions() -> Array:
    return np.array(expansions())
