"""Data of one shape, a network of another: what fits is reshaped, what does not is refused."""

from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

from netc.compiler.ir.dim import BATCH, symbol
from netc.compiler.ir.types import DType, TensorType
from netc.runtime.data import adapter
from netc.runtime.kerneldef import Array

REAL, WHOLE = np.float32, np.int64


def type_of(*shape: Any, dtype: DType = DType.FLOAT32) -> TensorType:
    """A network's type, the batch first."""
    return TensorType(dtype, (BATCH, *shape))


def samples(*shape: int, dtype: Any = REAL) -> Array:
    """Six samples of a shape, all elements different."""
    return np.arange(6 * int(np.prod(shape))).reshape(6, *shape).astype(dtype)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (samples(1, 8, 8), type_of(1, 8, 8)),
        (samples(8, 8), type_of(1, 8, 8)),
        (samples(64), type_of(1, 8, 8)),
        (samples(3, 8, 8), type_of(192)),
        (samples(), type_of(1)),
        (samples(1), type_of()),
        (samples(dtype=WHOLE), type_of(1)),
        (samples(5, dtype=WHOLE), type_of(5, dtype=DType.INT64)),
        (samples(1, dtype=WHOLE), type_of(dtype=DType.INT64)),
        (samples(4, 4, dtype=WHOLE), type_of(1, 4, 4)),
        (samples(2, 3, 5), type_of(2, symbol("H"), symbol("W"))),
        (samples(2), type_of(2, dtype=DType.FLOAT64)),
        (samples(2) > 0.5, type_of(2, dtype=DType.BOOL)),
        ((samples(2) > 0.5).astype(np.float32), type_of(2, dtype=DType.BOOL)),
    ],
)
def test_what_fits(given: Array, wanted: TensorType) -> None:
    """The same numbers in the same order, in the network's shape and element type."""
    feed = adapter("it", "input `x`", given[:1], wanted)(given)
    shape = [
        dim if isinstance(dim, int) else given.shape[1 + n]
        for n, dim in enumerate(wanted.shape[1:])
    ]
    assert feed.shape == (6, *shape)
    assert feed.dtype == wanted.dtype.value
    np.testing.assert_array_equal(feed.ravel(), given.ravel())


def test_class_indices_become_one_hot() -> None:
    """Where the network takes a number per class, an index says which one is 1; of pixels, too."""
    labels = np.array([2, 0, 1, 2])
    wanted = type_of(3)
    feed = adapter("it", "target `y`", labels, wanted, classes=True)(labels)
    np.testing.assert_array_equal(feed, np.eye(3)[labels])
    assert feed.dtype == np.float32
    mask = np.random.default_rng(0).integers(0, 4, (5, 6, 7))
    feed = adapter("it", "target `y`", mask, type_of(4, 6, 7), classes=True)(mask)
    np.testing.assert_array_equal(feed, np.eye(4)[mask].transpose(0, 3, 1, 2))


@pytest.mark.parametrize(
    ("given", "wanted", "message"),
    [
        (samples(8, 8, 3), type_of(3, 8, 8), "channels come first"),
        (samples(1, 28, 28), type_of(1, 32, 32), "float32 (N, 1, 28, 28), and the network takes"),
        (samples(6), type_of(2, 4), "float32 (N, 6)"),
        (samples(2, 6), type_of(3, 4), "float32 (N, 2, 6)"),
        (samples(2, 3), type_of(2, symbol("H"), symbol("W")), "takes float32 (N, 2, H, W)"),
        (samples(), type_of(dtype=DType.INT64), "class indices and tokens are whole numbers"),
        (samples(dtype=REAL), type_of(dtype=DType.INT64), "`0`, not `0.0`, `t.astype(int)`"),
        (samples(3, 8, 8), type_of(1, 8, 8), "takes images in gray: `images(..., channels=1)`"),
        (samples(3, 8, 8), type_of(64), "takes images in gray: `images(..., channels=1)`"),
        (samples(1, 8, 8), type_of(3, 8, 8), "takes images in colour: `images(..., channels=3)`"),
        (samples(1), type_of(3), "if these are classes, make them whole numbers"),
        (samples(dtype=WHOLE), type_of(3), "takes float32 (N, 3)"),
        (samples(5), type_of(4), "for a table, `inputs=` names the columns; or write `INPUT(5)`"),
        (samples(3, 9, 7), type_of(3, 8, 8), "`images(..., 8x8)` resizes all of them"),
    ],
)
def test_what_does_not_fit(given: Array, wanted: TensorType, message: str) -> None:
    """Other sizes, other orders of axes, real numbers for classes."""
    text = refusal(adapter, "it", "input `x`", given, wanted)
    assert text.startswith("error[E529]: it: the input `x` is ")
    assert message in text
