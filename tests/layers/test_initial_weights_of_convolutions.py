"""Initializers see the products per output element, whatever the layout of the weight."""

from math import sqrt

import numpy as np
import pytest

import netc


@pytest.mark.parametrize(
    ("layers", "fan_in"),
    [
        ("CONV(3x3, 64)", 8 * 9),
        ("CONV(3x3, 64, groups=4)", 2 * 9),
        ("DWCONV(5x5, multiplier=64)", 25),
        ("LOCAL(3x3, 16)", 8 * 9),
        ("LOCAL(3x3, 16, groups=2)", 4 * 9),
        ("UPCONV(4x4, 64)", 8 * 16 // 4),
        ("UPCONV(3x3, 64, stride=1, groups=2)", 4 * 9),
    ],
)
def test_he(layers: str, fan_in: int) -> None:
    """The standard deviation of `he` is sqrt(2 / fan_in)."""
    network = netc.compile(f"INPUT(12x12x8) -> {layers[:-1]}, init=he) as l")
    weight = network.initialize(0)["l.weight"]
    error = 1 / sqrt(2 * weight.size)  # of a deviation that is estimated
    assert np.std(weight) == pytest.approx(sqrt(2 / fan_in), rel=4 * error)


@pytest.mark.parametrize(("layers", "fan_in"), [("UPCONV(4x4, 64)", 64 * 16), ("CONV", 8 * 9)])
def test_pytorch_defaults(layers: str, fan_in: int) -> None:
    """`init=torch` is PyTorch's bound, which takes axis 1 of the weight for the fan."""
    call = f"{layers[:-1]}, init=torch)" if layers.endswith(")") else f"{layers}(init=torch)"
    state = netc.compile(f"INPUT(12x12x8) -> {call} as l").initialize(0)
    for name in ("l.weight", "l.bias"):
        assert np.max(np.abs(state[name])) <= 1 / sqrt(fan_in)
        assert np.max(np.abs(state[name])) >= 0.9 / sqrt(fan_in)
