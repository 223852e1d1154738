"""Receptive fields of layers that enlarge, against what each output element depends on."""

from typing import Any

import numpy as np
import pytest

import netc
from netc.compiler.analysis.receptive_fields import receptive_fields

LENGTH = 24


def dependence(network: netc.Network) -> Any:
    """Which input position each output position depends on: (output length, input length)."""
    ones = {name: np.ones_like(array) for name, array in network.initialize(0).items()}
    channels = network.inputs[0].shape[2]
    assert isinstance(channels, int)
    # A sample per input position that is 1 there and 0 elsewhere; weights of 1 cancel nothing.
    samples = np.zeros((LENGTH, LENGTH, channels), np.float32)
    samples[np.arange(LENGTH), np.arange(LENGTH)] = 1
    y = network.run(samples, ones)
    assert isinstance(y, np.ndarray)
    return (y.sum(axis=2) != 0).T


@pytest.mark.parametrize(
    ("layers", "stride"),
    [
        ("UPCONV(kernel=2, 1, bias=no)", 1 / 2),
        ("UPCONV(kernel=3, 1, bias=no)", 1 / 2),
        ("UPCONV(kernel=4, 1, pad=1, bias=no)", 1 / 2),
        ("UPCONV(kernel=7, 1, stride=3, bias=no)", 1 / 3),
        ("UPCONV(kernel=2, 1, stride=3, bias=no)", 1 / 3),
        ("UPCONV(kernel=4, 1, stride=2, dilation=3, bias=no)", 1 / 2),
        ("UPCONV(kernel=5, 1, stride=4, dilation=2, bias=no)", 1 / 4),
        ("UPSAMPLE(2) -> CONV(kernel=3, 1, bias=no)", 1 / 2),
        ("UPSAMPLE(3) -> CONV(kernel=3, 1, bias=no)", 1 / 3),
        ("UPSAMPLE(4) -> CONV(kernel=3, 1, dilation=3, bias=no)", 1 / 4),
        ("UPSAMPLE(2, linear)", 1 / 2),
        ("LOCAL(kernel=5, 1, bias=no)", 1),
        ("LOCAL(kernel=3, 2, stride=2, dilation=2, bias=no) -> CONV(kernel=3, 1, bias=no)", 2),
        ("CONV(kernel=3, 4, bias=no) -> PIXELSHUFFLE(2) -> CONV(kernel=2, 1, bias=no)", 1 / 2),
        ("POOL(kernel=2) -> UPCONV(kernel=2, 1, bias=no) -> CONV(kernel=3, 1, bias=no)", 1),
        ("CONV(kernel=3, 4, bias=no) -> CHANNELSHUFFLE(2)", 1),
    ],
)
def test_sequences(layers: str, stride: float) -> None:
    """The extent is that of the element that depends on most."""
    network = netc.compile(f"INPUT({LENGTH}x1, sequence) -> {layers} as l -> ID")
    field = receptive_fields(network.graph)["l"]
    seen = dependence(network)
    first, last = seen.argmax(axis=1), LENGTH - 1 - seen[:, ::-1].argmax(axis=1)
    spans = np.where(seen.any(axis=1), last - first + 1, 0)
    assert field.extents == (spans.max(),)
    assert field.strides == (stride,)


@pytest.mark.parametrize(
    ("layers", "extents", "strides"),
    [
        ("UPCONV(4x2, 8, pad=1x0)", (2, 1), (0.5, 0.5)),
        ("LOCAL(3x5, 4, stride=1x2)", (3, 5), (1, 2)),
        ("LOCAL(3x5, 4, stride=1x2) -> CONV(3x3, 4)", (5, 9), (1, 2)),
        ("PIXELSHUFFLE(2)", (1, 1), (0.5, 0.5)),
        ("UPSAMPLE(1x4, bilinear) -> CONV(1x3, 2)", (1, 3), (1, 0.25)),
        ("POOL -> UPSAMPLE(2)", (2, 2), (1, 1)),
    ],
)
def test_images(layers: str, extents: tuple[int, ...], strides: tuple[float, ...]) -> None:
    """Rows and columns are tracked apart."""
    network = netc.compile(f"INPUT(8x8x4) -> {layers} as l")
    field = receptive_fields(network.graph)["l"]
    assert (field.extents, field.strides) == (extents, strides)


def test_a_stride_below_one_in_an_assertion() -> None:
    """A program can state it."""
    netc.compile("INPUT(8x8x4) -> UPCONV(4) as up -> FC\nassert stride(up) == (0.5, 0.5)")
