"""The error function of float64: Taylor polynomials around the multiples of 1 / STEPS.

They reach up to where erf rounds to 1.
"""

from functools import cache
from math import erf, exp, factorial, pi, sqrt

CENTRES_PER_UNIT = 8
DEGREE = 11
LAST_CENTRE = 6


@cache
def expansions() -> tuple[tuple[float, ...], ...]:
    """Row k holds the k-th Taylor coefficient around each centre a.

    The derivatives of erf at a are 2 / sqrt(pi) exp(-a^2) (-1)^k H_k(a), with Hermite's
    polynomials H_0 = 1, H_1 = 2a, H_k+1 = 2a H_k - 2k H_k-1.
    """
    columns = []
    for index in range(CENTRES_PER_UNIT * LAST_CENTRE + 1):
        a = index / CENTRES_PER_UNIT
        hermite = [1.0, 2 * a]
        for k in range(1, DEGREE - 1):
            hermite.append(2 * a * hermite[k] - 2 * k * hermite[k - 1])
        slope = 2 / sqrt(pi) * exp(-a * a)
        terms = [slope * (-1) ** k * h / factorial(k + 1) for k, h in enumerate(hermite)]
        columns.append((erf(a), *terms))
    return tuple(zip(*columns, strict=True))
