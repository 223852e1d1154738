"""Convolutions and pools on random settings against PyTorch, whose definition the language has."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.geometries import geometries, random_array

from netc.runtime import kernels  # noqa: F401 - fills the kernel table
from netc.runtime.engines.agreement import norm_difference
from netc.runtime.kerneldef import KERNELS, Array

TOLERANCE = 1e-12
PROFILE = settings(max_examples=100)


def _attributes(geometry: dict[str, Any]) -> dict[str, Any]:
    """The geometry as ONNX's attributes: padding on both sides."""
    pads = geometry["pads"] * 2
    return {**{k: v for k, v in geometry.items() if k != "spatial"}, "pads": pads}


def _same(found: Array, expected: Any) -> None:
    assert norm_difference(found, expected.numpy()) <= TOLERANCE


@pytest.mark.oracle
@pytest.mark.slow
@PROFILE
@given(
    geometry=geometries(pool=False),
    batch=st.integers(1, 3),
    group=st.integers(1, 4),
    inputs=st.integers(1, 3),
    filters=st.integers(1, 3),
    bias=st.booleans(),
)
def test_convolution(
    geometry: dict[str, Any], batch: int, group: int, inputs: int, filters: int, bias: bool
) -> None:
    """Conv is `torch.conv1d`, `conv2d` and `conv3d` for every rank, padding, stride and group."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    x = random_array((batch, group * inputs, *geometry["spatial"]), 0)
    w = random_array((group * filters, inputs, *geometry["kernel_shape"]), 2)
    b = random_array((group * filters,), 4) if bias else None
    convolve = getattr(torch, f"conv{len(geometry['spatial'])}d")
    tensors = [None if a is None else torch.from_numpy(a) for a in (x, w, b)]
    place = [geometry[key] for key in ("strides", "pads", "dilations")]
    found = KERNELS["Conv"].function(x, w, b, group=group, **_attributes(geometry))
    _same(found, convolve(*tensors, *place, group))


@pytest.mark.oracle
@pytest.mark.slow
@PROFILE
@given(geometry=geometries(pool=True), batch=st.integers(1, 3), ceil=st.booleans())
def test_max_pool(geometry: dict[str, Any], batch: int, ceil: bool) -> None:
    """MaxPool and its indices are PyTorch's, `ceil_mode` and ties included."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    rank = len(geometry["spatial"])
    x = np.round(random_array((batch, 2, *geometry["spatial"]), 0))
    pool = getattr(torch.nn.functional, f"max_pool{rank}d")
    place = [geometry[key] for key in ("kernel_shape", "strides", "pads", "dilations")]
    expected, places = pool(torch.from_numpy(x), *place, ceil, True)
    assume(bool(expected.isfinite().all()))  # dilated windows may see nothing but padding
    attributes = {**_attributes(geometry), "ceil_mode": int(ceil), "storage_order": 0}
    y, index = KERNELS["MaxPool"].function(x, outputs=2, **attributes)
    _same(y, expected)
    np.testing.assert_array_equal(KERNELS["MaxPool"].function(x, **attributes), y)
    planes = np.arange(batch * 2).reshape(batch, 2, *[1] * rank) * np.prod(geometry["spatial"])
    np.testing.assert_array_equal(index, places.numpy() + planes)


@pytest.mark.oracle
@pytest.mark.slow
@PROFILE
@given(
    geometry=geometries(pool=True), batch=st.integers(1, 3), ceil=st.booleans(), pad=st.booleans()
)
def test_average_pool(geometry: dict[str, Any], batch: int, ceil: bool, pad: bool) -> None:
    """AveragePool is PyTorch's, with and without counted padding and `ceil_mode`."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    geometry["dilations"] = (1,) * len(geometry["spatial"])
    # PyTorch takes no volume that is smaller than the kernel, padded or not.
    geometry["spatial"] = tuple(map(max, geometry["spatial"], geometry["kernel_shape"]))
    x = random_array((batch, 2, *geometry["spatial"]), 0)
    pool = getattr(torch.nn.functional, f"avg_pool{len(geometry['spatial'])}d")
    place = [geometry[key] for key in ("kernel_shape", "strides", "pads")]
    expected = pool(torch.from_numpy(x), *place, ceil, pad)
    attributes = {**_attributes(geometry), "ceil_mode": int(ceil), "count_include_pad": int(pad)}
    _same(KERNELS["AveragePool"].function(x, **attributes), expected)


def test_max_pool_sees_nan_and_infinities() -> None:
    """A NaN is the maximum of its window, and a window of minus infinities keeps its own place."""
    x = np.full((1, 1, 2, 6), -np.inf)
    x[0, 0, 1, 3] = np.nan
    x[0, 0, 0, 4] = np.inf
    attributes = {"kernel_shape": (2, 2), "strides": (2, 2), "pads": None, "dilations": None}
    y, index = KERNELS["MaxPool"].function(x, outputs=2, ceil_mode=0, storage_order=0, **attributes)
    np.testing.assert_array_equal(y, [[[[-np.inf, np.nan, np.inf]]]])
    np.testing.assert_array_equal(index, [[[[0, 9, 4]]]])


def test_pools_of_padding_alone() -> None:
    """A dilated window that sees no data at all has no maximum, and a mean of 0."""
    x = np.ones((1, 1, 1))
    geometry = {"kernel_shape": (2,), "strides": (1,), "pads": (1, 1), "dilations": (2,)}
    y, index = KERNELS["MaxPool"].function(x, outputs=2, ceil_mode=0, storage_order=0, **geometry)
    np.testing.assert_array_equal(y, [[[-np.inf]]])
    np.testing.assert_array_equal(index, [[[0]]])
    mean = KERNELS["AveragePool"].function(x, ceil_mode=0, count_include_pad=0, **geometry)
    np.testing.assert_array_equal(mean, [[[0]]])
