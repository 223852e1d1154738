"""The error function, which NumPy lacks."""

from functools import cache

import numpy as np

from ...compiler.ops.error_function import CENTRES_PER_UNIT, LAST_CENTRE, expansions
from ..kerneldef import Array

# erf x = x p(x^2) / q(x^2) in float32 up to where it rounds to 1: the coefficients, highest power
# first, of XLA's and Eigen's minimax fit; off by less than 4e-7.
LIMIT = 3.832506856900711
NUMERATOR = (
    *(0.00022905065861350646, 0.0034082910107109506, 0.050955695062380861),
    *(0.18520832239976145, 1.128379143519084),
)
DENOMINATOR = (
    *(-1.1791602954361697e-7, 0.000023547966471313185, 0.0010179625278914885),
    *(0.014070470171167667, 0.11098505178285362, 0.49746925110067538, 1.0),
)


def erf(x: Array, y: Array, t: Array) -> None:
    """Write erf x to y; all are vectors of one length, and t is overwritten."""
    if x.dtype == np.float32:
        _rational(x, y, t)
    else:
        _taylor(x, y, t)


def _rational(x: Array, y: Array, t: Array) -> None:
    np.clip(x, -LIMIT, LIMIT, out=y)
    square = y * y
    _polynomial(NUMERATOR, square, t)
    y *= t
    _polynomial(DENOMINATOR, square, t)
    y /= t
    # Rounding may lead a little beyond 1, which GELU would multiply by its argument.
    np.clip(y, -1, 1, out=y)


def _polynomial(coefficients: tuple[float, ...], x: Array, y: Array) -> None:
    """Write the polynomial's value to y by Horner's rule."""
    first, *others = coefficients
    y.fill(first)
    for coefficient in others:
        y *= x
        y += coefficient


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
