"""Random geometries of convolutions and pools."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

Array = np.ndarray[Any, Any]


@st.composite
def geometries(draw: st.DrawFn, *, pool: bool) -> dict[str, Any]:
    """An input's extents, and a window that fits into them; pools pad by half a kernel at most."""
    rank = draw(st.integers(1, 3))
    spatial, kernel, strides, pads, dilations = [], [], [], [], []
    for _ in range(rank):
        kernel.append(draw(st.integers(1, 4)))
        strides.append(draw(st.integers(1, 4)))
        dilations.append(draw(st.integers(1, 3)))
        pads.append(draw(st.integers(0, kernel[-1] // 2 if pool else 3)))
        reach = dilations[-1] * (kernel[-1] - 1) + 1
        spatial.append(max(reach - 2 * pads[-1], 1) + draw(st.integers(0, 5)))
    return {
        "spatial": tuple(spatial),
        "kernel_shape": tuple(kernel),
        "strides": tuple(strides),
        "pads": tuple(pads),
        "dilations": tuple(dilations),
    }


def random_array(shape: tuple[int, ...], seed: int) -> Array:
    """Numbers that are near to whole ones, and never equal."""
    return np.random.default_rng(seed).integers(-4, 5, shape) + np.random.default_rng(
        seed + 1
    ).uniform(0, 0.25, shape)
