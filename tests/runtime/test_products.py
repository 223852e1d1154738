"""Products of flat matrices in pieces, and sums of channels on BLAS, against NumPy's own."""

from typing import Any

import numpy as np
import pytest

from netc.runtime.kernels.channel_sums import channel_products, channel_sums
from netc.runtime.kernels.normalization import batch_normalization
from netc.runtime.kernels.products import correlate, multiply
from netc.runtime.kernels.slabs import in_order

# Rows, terms and columns: large enough for pieces, of a width without divisors, and small.
PRODUCTS = [(16, 48, 2048), (48, 16, 4096), (16, 144, 4099), (3, 5, 7), (128, 512, 640)]


@pytest.mark.parametrize(("rows", "terms", "columns"), PRODUCTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_in_pieces(rows: int, terms: int, columns: int, dtype: type) -> None:
    """`multiply` and `correlate` come to the product, also of a stack that has gaps in memory."""
    rng = np.random.default_rng(rows)
    left: Any = rng.standard_normal((2, 3, rows, terms)).astype(dtype)[:, 1:]
    right: Any = rng.standard_normal((2, 2, terms, columns + 8)).astype(dtype)[..., :columns]
    expected = left.astype(np.float64) @ right.astype(np.float64)
    tolerance = 1e-5 if dtype is np.float32 else 1e-13
    memory: Any = np.empty((2, rows, 2, columns), dtype)
    out = memory.swapaxes(1, 2)
    multiply(left, right, out)
    np.testing.assert_allclose(out, expected, tolerance, tolerance * np.abs(expected).max())
    total: Any = np.ones((2, columns, rows), dtype)
    correlate(right.swapaxes(2, 3).copy(), left, total)
    turned = 1 + expected.swapaxes(2, 3).sum(0)
    np.testing.assert_allclose(total, turned, tolerance, tolerance * np.abs(expected).max())


def test_products_of_nothing() -> None:
    """Without terms a product is zeros; without rows it is empty."""
    left, right = np.ones((2, 3, 0), np.float32), np.ones((2, 0, 4), np.float32)
    out = np.ones((2, 3, 4), np.float32)
    multiply(left, right, out)
    assert not out.any()
    total = np.ones((4, 3))
    correlate(np.ones((2, 4, 0)), np.ones((2, 3, 0)), total)
    correlate(np.ones((0, 4, 5)), np.ones((0, 3, 5)), total)
    assert np.array_equal(total, np.ones((4, 3)))


@pytest.mark.parametrize(
    "shape", [(4, 3, 16, 16), (64, 3, 8, 8), (32, 5, 40), (2, 3, 2, 2), (6, 4)]
)
def test_sums_of_channels(shape: tuple[int, ...]) -> None:
    """Row-major, batch innermost, some of the channels, or numbers with gaps: the same sums."""
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    laid = in_order(np.empty(x.size, np.float32), shape) if len(shape) > 2 else x.copy(order="F")
    laid[...] = x
    wide = np.repeat(x, 2, axis=-1)[..., ::2]
    axes = (0, *range(2, x.ndim))
    for each in (x, laid, wide, x[:, 1:3], laid[:, 1:3]):
        exact = each.astype(np.float64)
        np.testing.assert_allclose(channel_sums(each), exact.sum(axes), 1e-5, 1e-4)
        np.testing.assert_allclose(channel_products(each, each), (exact**2).sum(axes), 1e-5)


def test_batch_normalization_of_half_precision() -> None:
    """More numbers per channel than float16 counts to have a mean and a deviation all the same."""
    x = np.random.default_rng(0).normal(3, 2, (64, 2, 40, 40)).astype(np.float16)
    ones, zeros = np.ones(2, np.float16), np.zeros(2, np.float16)
    options: Any = {"epsilon": 1e-5, "momentum": 0.0, "training_mode": 1, "outputs": 3}
    y, mean, variance = batch_normalization(x, ones, zeros, zeros, ones, **options)
    np.testing.assert_allclose(mean, x.astype(np.float64).mean((0, 2, 3)), rtol=2e-3)
    np.testing.assert_allclose(variance, x.astype(np.float64).var((0, 2, 3)), rtol=2e-3)
    assert abs(float(y.astype(np.float64).std()) - 1) < 1e-3
