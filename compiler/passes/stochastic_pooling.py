"""What stochastic pooling (Zeiler and Fergus 2013) computes in each mode, in standard operators."""

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.windows import Window, window_of
from ..ops.cuts import END


def mean_by_magnitude(build: Builder, x: Value, attributes: Mapping[str, Any]) -> Value:
    """At inference: y = sum x^2 / sum x per window of x (N, C, *S), and 0 where all x is 0.

    That is the mean weighted by the probabilities that training samples with (equation 6).
    """
    squares = build.AveragePool(build.Mul(x, x), **attributes)
    values = build.AveragePool(x, **attributes)
    zero, one = (build.constant(number, x.dtype) for number in (0.0, 1.0))
    return build.Div(squares, build.Where(build.Equal(values, zero), one, values))


def sample_by_magnitude(
    build: Builder, x: Value, attributes: Mapping[str, Any], draw: Callable[[Value], Value]
) -> Value:
    """In training: y is an element of each window of x (N, C, *S), drawn by magnitude.

    Element i of a window is drawn with the probability |x_i| / sum |x| (equations 4 and 5): with
    sums c_i = |x_1| + ... + |x_i| over all K, it is the one with c_(i-1) <= u c_K < c_i. Sums are
    added up one by one, so that all engines round alike and draw the same element. A window of
    zeros gives 0. The gradient goes to the element drawn, and nowhere in a window of zeros.

    Args:
        build: A builder on the graph that holds `x`.
        x: What to pool.
        attributes: The window, as ONNX states it for pools.
        draw: Builds uniform numbers in [0, 1) of the shape of a value.
    """
    elements = window_elements(build, x, window_of(attributes))
    last = len(elements.shape) - 1
    axis = build.index_constant(last)
    magnitudes = build.Abs(elements)
    sums = build.CumSum(magnitudes, axis)
    before = build.CumSum(magnitudes, axis, exclusive=1)
    total = _slice(build, sums, last, -1, END, 1)
    point = build.Mul(draw(total), total)
    drawn = build.And(build.LessOrEqual(before, point), build.Less(point, sums))
    only = build.Mul(elements, build.Cast(drawn, to=x.dtype))
    return build.ReduceSum(only, build.index_constant((last,)), keepdims=0)


def window_elements(build: Builder, x: Value, window: Window) -> Value:
    """What each window of x (N, C, *S) sees, padding as 0: (N, C, *windows, elements)."""
    if any(window.pads):
        pads = (0, 0, *window.before, 0, 0, *window.after)
        x = build.Pad(x, build.index_constant(pads))
    for axis in range(window.rank):
        taps = [_tap(build, x, window, axis, tap) for tap in range(window.kernel[axis])]
        x = build.Concat(*taps, axis=len(x.shape))
    shape = (*(0,) * (2 + window.rank), prod(window.kernel))
    return build.Reshape(x, build.index_constant(shape))


def _tap(build: Builder, x: Value, window: Window, axis: int, tap: int) -> Value:
    """What the windows see by one tap of an axis, with an axis for taps after all others.

    The end counts from the end of x, so that the same numbers do for extents that are not known.
    """
    dilation = window.dilations[axis]
    behind = (window.kernel[axis] - 1 - tap) * dilation
    stride = window.strides[axis]
    seen = _slice(build, x, 2 + axis, tap * dilation, -behind if behind else END, stride)
    return build.Unsqueeze(seen, build.index_constant((len(x.shape),)))


def _slice(build: Builder, x: Value, axis: int, start: int, end: int, step: int) -> Value:
    return build.Slice(x, *(build.index_constant((number,)) for number in (start, end, axis, step)))
