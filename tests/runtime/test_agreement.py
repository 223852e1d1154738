"""The norm-wise difference between engines' results."""

import numpy as np
import pytest

from netc.runtime.engines.agreement import norm_difference


@pytest.mark.parametrize(
    ("found", "expected", "difference"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.5], [1.0, 2.0], 0.25),
        ([0.1, -4.0], [0.0, -4.0], 0.025),
        ([], [], 0.0),
        ([0.0], [0.0], 0.0),
        ([1e-30], [0.0], np.inf),
        ([np.nan, 1.0], [np.nan, 1.0], 0.0),
        ([np.inf, 1.5], [np.inf, 1.0], 0.5),
        ([np.nan, 1.0], [1.0, 1.0], np.inf),
        ([1.0, 1.0], [np.nan, 1.0], np.inf),
        ([1.0], [np.inf], np.inf),
        ([-np.inf], [np.inf], np.inf),
    ],
)
def test_norm_difference(found: list[float], expected: list[float], difference: float) -> None:
    """It is max |found - expected| / max |expected|, and a NaN never passes for agreement."""
    assert norm_difference(np.array(found), np.array(expected)) == pytest.approx(difference)


def test_computed_in_float64() -> None:
    """Small differences between large float32 and integer numbers do not vanish."""
    assert norm_difference(np.array([2**60 + 2**20]), np.array([2**60])) == 2.0**-40
    a = np.array([16777216.0], np.float32)
    assert norm_difference(a, a.astype(np.float64) + 1) > 0


def test_shapes_must_agree() -> None:
    """Tensors of different shapes cannot be compared."""
    with pytest.raises(ValueError, match="cannot be compared"):
        norm_difference(np.zeros(3), np.zeros((1, 3)))
