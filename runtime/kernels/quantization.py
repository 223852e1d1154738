"""Numbers as small integers with a scale, and products of such."""

from typing import Any

import numpy as np

from ...compiler.ir.types import DType
from ..kerneldef import Array, kernel
from .convolution import conv


@kernel("QuantizeLinear")
def quantize(
    x: Array,
    scale: Array,
    zero: Array | None = None,
    *,
    axis: int,
    block_size: int,
    output_dtype: DType | None,
    **attributes: Any,
) -> Array:
    """x / scale rounded to the nearest integer, half to even, plus zero, within the type."""
    wanted = "uint8" if output_dtype is None else output_dtype.value
    dtype = np.dtype(wanted) if zero is None else zero.dtype
    scaled = x / _spread(scale, x, axis, block_size)
    if dtype.kind not in "iu":  # a float of few bits, which has no zero point
        return scaled.astype(dtype)
    shift = 0 if zero is None else _spread(zero, x, axis, block_size).astype(np.int64)
    return _rounded(scaled, shift, dtype)


def _rounded(y: Array, shift: Any, dtype: np.dtype[Any]) -> Array:
    """Real numbers as integers of a type, from a zero point on."""
    bounds = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(y) + shift, bounds.min, bounds.max).astype(dtype))


@kernel("DequantizeLinear")
def dequantize(
    x: Array,
    scale: Array,
    zero: Array | None = None,
    *,
    axis: int,
    block_size: int,
    output_dtype: DType | None,
) -> Array:
    """(x - zero) scale."""
    dtype = scale.dtype if output_dtype is None else np.dtype(output_dtype.value)
    real = x.astype(np.int64) if x.dtype.kind in "iu" else x.astype(scale.dtype)
    if zero is not None:
        real = real - _spread(zero, x, axis, block_size).astype(real.dtype)
    return np.asarray(real.astype(scale.dtype) * _spread(scale, x, axis, block_size), dtype)


def _spread(numbers: Array, x: Array, axis: int, block_size: int) -> Array:
    """A number, one per place of an axis, or one per block of an axis, for each of x."""
    if block_size:
        return np.repeat(numbers, block_size, axis).take(range(x.shape[axis]), axis)
    if numbers.ndim != 1 or not x.ndim:
        return numbers
    shape = [1] * x.ndim
    shape[axis] = -1
    return numbers.reshape(shape if numbers.size > 1 else [1] * x.ndim)


@kernel("MatMulInteger")
def matmul_integer(
    a: Array, b: Array, a_zero: Array | None = None, b_zero: Array | None = None
) -> Array:
    """(a - zero) (b - zero) in int32; zero points are one, one per row of a or per column of b."""
    left, right = _from_zero(a, a_zero, rows=True), _from_zero(b, b_zero)
    return np.asarray(np.matmul(left, right), np.int32)


def _from_zero(x: Array, zero: Array | None, *, rows: bool = False) -> Array:
    """x, counted from its zero point."""
    wide = x.astype(np.int32)
    if zero is None:
        return wide
    shift = zero.astype(np.int32)
    return wide - (shift[:, None] if rows and shift.ndim == 1 and shift.size > 1 else shift)


@kernel("QLinearMatMul")
def quantized_matmul(
    a: Array,
    a_scale: Array,
    a_zero: Array,
    b: Array,
    b_scale: Array,
    b_zero: Array,
    y_scale: Array,
    y_zero: Array,
) -> Array:
    """The product of two quantized matrices, quantized again."""
    if a_scale.ndim == 1 and a_scale.size > 1:
        a_scale = a_scale[:, None]
    product = np.matmul(_from_zero(a, a_zero, rows=True), _from_zero(b, b_zero))
    factor = a_scale.astype(np.float64) * b_scale / y_scale
    return _rounded(product * factor, y_zero.astype(np.int64), y_zero.dtype)


@kernel("ConvInteger")
def conv_integer(
    x: Array,
    w: Array,
    x_zero: Array | None = None,
    w_zero: Array | None = None,
    **attributes: Any,
) -> Array:
    """The convolution of x - zero and w - zero in int32; a zero point of w may be per filter."""
    return np.asarray(_convolved(x, w, x_zero, w_zero, **attributes), np.int32)


def _convolved(
    x: Array, w: Array, x_zero: Array | None, w_zero: Array | None, **attributes: Any
) -> Array:
    """A convolution of integers: in float64, whose 53 bits hold its sums."""
    if w_zero is not None and w_zero.size > 1:
        w_zero = w_zero.reshape(-1, *(1,) * (w.ndim - 1))
    pair = (_from_zero(x, x_zero), _from_zero(w, w_zero))
    return np.asarray(conv(*(array.astype(np.float64) for array in pair), **attributes))


@kernel("QLinearConv")
def quantized_conv(
    x: Array,
    x_scale: Array,
    x_zero: Array,
    w: Array,
    w_scale: Array,
    w_zero: Array,
    y_scale: Array,
    y_zero: Array,
    bias: Array | None = None,
    **attributes: Any,
) -> Array:
    """A convolution of quantized numbers, quantized again; the bias is in units of both scales."""
    y = _convolved(x, w, x_zero, w_zero, **attributes)
    channels = (-1, *(1,) * (y.ndim - 2))
    if bias is not None:
        y += bias.reshape(channels)
    factor = x_scale.astype(np.float64) * w_scale / y_scale
    y *= factor.reshape(channels) if factor.size > 1 else factor
    return _rounded(y, y_zero.astype(np.int64), y_zero.dtype)
