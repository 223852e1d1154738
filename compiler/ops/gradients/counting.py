"""Gradients of operators that count."""

from collections.abc import Sequence

from ...builder import Builder
from ...graph import Value
from ...opdef import VjpCall

Parts = Sequence[Value | None]


def cumulative_sum(build: Builder, call: VjpCall) -> Parts:
    """y_i = sum of x_j, j <= i: dx_j = sum of dy_i, i >= j, the sum from the other end."""
    attributes = {**call.attributes, "reverse": 1 - call.attributes["reverse"]}
    return [build.CumSum(call.cotangent, call.input(1), **attributes)]
