"""Numbers as small integers with a scale, and products of such."""

import numpy as np

from netc.compiler.ir.types import DType
from netc.runtime.kerneldef import Array
from support.ops import Given, Known, Random, op_row

X = Random((None, 3, 4), -3, 3)
SCALE, SCALES = Given(0.05), Given([0.02, 0.1, 0.03])
ZERO, ZEROS = Given(100, "uint8"), Given([-3, 0, 7], "int8")
BYTES, SIGNED = Random((None, 3, 4), 0, 256, "uint8"), Random((None, 3, 4), -128, 128, "int8")
WORDS = Random((6,), -999, 999, "int32")
LEFT, RIGHT = Random((None, 4), 0, 256, "uint8"), Random((4, 5), -64, 64, "int8")
IMAGE, FILTERS = Random((None, 2, 5, 6), 0, 256, "uint8"), Random((3, 2, 3, 3), -128, 128, "int8")


def dequantized(x: Array, scale: Array, zero: Array | None = None, axis: int = 1) -> Array:
    """(x - zero) scale, each per place of an axis."""
    shape = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
    shift = 0.0 if zero is None else zero.astype(float).reshape(shape)
    return np.asarray((x.astype(float) - shift) * scale.reshape(shape))


def integer_conv(x: Array, w: Array, x_zero: Array, w_zero: Array, **attributes: object) -> Array:
    """The sum of products by place, where zero points are padding, too."""
    x, w = x.astype(np.int64) - x_zero, w.astype(np.int64) - w_zero.reshape(-1, 1, 1, 1)
    height, width = x.shape[2] - 2, x.shape[3] - 2
    y = np.zeros((len(x), len(w), height, width), np.int64)
    for i in range(3):
        for j in range(3):
            y += np.einsum("nchw,mc->nmhw", x[:, :, i : i + height, j : j + width], w[:, :, i, j])
    return y.astype(np.int32)


def quantized_conv(
    x: Array,
    x_scale: Array,
    x_zero: Array,
    w: Array,
    w_scale: Array,
    w_zero: Array,
    y_scale: Array,
    y_zero: Array,
    bias: Array,
) -> Array:
    """The integers' convolution, rescaled, as bytes."""
    y = integer_conv(x, w, x_zero, w_zero) + bias.reshape(-1, 1, 1)
    factor = (x_scale * w_scale / y_scale).reshape(-1, 1, 1)
    return np.asarray(np.clip(np.rint(y * factor) + y_zero, 0, 255), np.uint8)


ROWS = [
    op_row("QuantizeLinear", X, SCALE),
    op_row("QuantizeLinear", X, SCALE, ZERO),
    op_row("QuantizeLinear", X, SCALES, ZEROS),
    op_row("QuantizeLinear", X, Given([0.5, 0.25, 1.0, 2.0]), axis=-1, output_dtype=DType.INT8),
    op_row("QuantizeLinear", Random((2, 6)), Random((2, 2), 0.1, 0.2), block_size=3),
    op_row("DequantizeLinear", BYTES, SCALE, ZERO, formula=dequantized),
    op_row("DequantizeLinear", SIGNED, SCALES, ZEROS, formula=dequantized),
    op_row("DequantizeLinear", SIGNED, SCALE, formula=dequantized),
    op_row(
        "DequantizeLinear", Random((6,), -999, 999, "int32"), SCALE, formula=dequantized, axis=0
    ),
    op_row("MatMulInteger", LEFT, RIGHT),
    op_row("MatMulInteger", LEFT, RIGHT, ZERO, Given(-5, "int8")),
    op_row("QLinearMatMul", LEFT, SCALE, ZERO, RIGHT, Given(0.01), Given(4, "int8"), SCALE, ZERO),
    op_row(
        "ConvInteger",
        IMAGE,
        FILTERS,
        ZERO,
        Given(3, "int8"),
        formula=integer_conv,
        kernel_shape=(3, 3),
    ),
    op_row(
        *("QLinearConv", IMAGE, SCALE, ZERO, FILTERS, SCALES, Given([0, 3, -7], "int8")),
        *(Given(4.0), Given(90, "uint8"), Known((-700, 0, 900), "int32")),
        formula=quantized_conv,
        no_engine="it takes zero points of one number for all filters",
    ),
]
