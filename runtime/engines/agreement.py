"""How far two engines' results are apart."""

import numpy as np

from ..kerneldef import Array


def norm_difference(found: Array, expected: Array, *, least: float = 0.0) -> float:
    """max |found - expected| / max |expected|, computed in float64.

    `least` takes the place of a smaller max |expected|.

    Equal infinities, and NaN in both, count as equal; a NaN or infinity in one of them alone, or
    a difference from a tensor of zeros, as infinitely far. 0 for empty arrays.

    Raises:
        ValueError: The shapes differ.
    """
    if found.shape != expected.shape:
        raise ValueError(f"shapes {found.shape} and {expected.shape} cannot be compared")
    a, b = found.astype(np.float64), expected.astype(np.float64)
    differs = ~((a == b) | (np.isnan(a) & np.isnan(b)))
    if not differs.any():
        return 0.0
    with np.errstate(invalid="ignore"):
        difference = float(np.max(np.abs(a - b)[differs]))
    scale = float(np.max(np.abs(b), initial=least, where=np.isfinite(b)))
    if not np.isfinite(difference) or not scale:
        return float("inf")
    return difference / scale
