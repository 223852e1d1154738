"""Spatial extents that only an input settles: fully convolutional nets."""

import numpy as np
import pytest

import netc

ENCODER = (
    "INPUT((H, W, 3)) -> CONV(3x3, 8, stride=2) -> POOL -> ( ID | CONV(8) ) -> CONCAT"
    " -> GAP -> FC(3)"
)
SKIP = (
    "INPUT((H, W, 1)) -> ( CONV(4) -> POOL -> UPCONV(2x2, 4) | CONV(4) ) -> CONCAT -> CONV(1x1, 2)"
)


def test_shapes_and_counts_are_formulas() -> None:
    """Extents, MACs and memory are spelled in H and W; parameters are numbers."""
    network = netc.compile(SKIP)
    assert network.inputs[0].shape == ("N", 1, "H", "W")
    assert network.outputs[0].shape == ("N", 2, "2*(H//2)", "2*(W//2)")
    assert network.params == 40 + 68 + 40 + 18
    assert str(network.macs) == "128*(H//2)*(W//2) + 72*H*W"


@pytest.mark.parametrize("extents", [(32, 40), (17, 23)])
def test_engines_agree_on_any_size(extents: tuple[int, int]) -> None:
    """One network runs on inputs of different sizes, equally on both engines."""
    network = netc.compile(ENCODER)
    state = network.initialize(0)
    x = np.random.default_rng(0).standard_normal((2, 3, *extents)).astype(np.float32)
    found = network.run(x, state)
    expected = network.run(x, state, engine="onnxruntime")
    assert isinstance(found, np.ndarray)
    assert isinstance(expected, np.ndarray)
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


def test_what_was_left_open_is_checked_with_the_input() -> None:
    """An odd extent does not survive pooling and enlarging, which only the input shows."""
    network = netc.compile(SKIP)
    state = network.initialize(0)
    network.run(np.zeros((1, 1, 8, 8), np.float32), state)
    odd = np.zeros((1, 1, 9, 8), np.float32)
    with pytest.raises(netc.NetError, match=r"CONCAT `concat1` cannot take .* H = 9 and W = 8"):
        network.run(odd, state)
    with pytest.raises(netc.NetError, match="onnxruntime cannot run the model"):
        network.run(odd, state, engine="onnxruntime")


def test_a_weight_needs_known_extents() -> None:
    """A dense layer on a symbolic image is an error at the layer."""
    with pytest.raises(netc.NetError, match="FC needs an input of known extents"):
        netc.compile("INPUT((H, W, 3)) -> FC")
