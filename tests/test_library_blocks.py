"""Blocks of the shipped library that are modules of PyTorch: the same weights, the same numbers."""

import numpy as np
import pytest

import netc

pytestmark = pytest.mark.oracle
torch = pytest.importorskip("torch")


@pytest.mark.parametrize(("block", "norm_first"), [("PostNorm", False), ("PreNorm", True)])
def test_layers_of_transformers(block: str, norm_first: bool) -> None:
    """They take the weights of `nn.TransformerEncoderLayer` as they are, and compute the same."""
    call = f"{block}(4, 32, drop=0.1)"
    net = netc.compile(f'import "lib:transformer.net"\nINPUT(7x16, sequence) -> {call} as a')
    module = torch.nn.TransformerEncoderLayer(
        16, 4, 32, dropout=0.1, batch_first=True, norm_first=norm_first
    ).eval()
    state = {f"a.{name}": tensor.numpy() for name, tensor in module.state_dict().items()}
    net.check_weights(state)
    x = np.random.default_rng(0).standard_normal((3, 7, 16), np.float32)
    with torch.no_grad():
        expected = module(torch.from_numpy(x)).numpy()
    found = net.run(x, state)
    assert isinstance(found, np.ndarray)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_levels_of_a_unet() -> None:
    """Of convolutions that keep the size, nothing is cropped."""
    net = netc.compile(
        'import "lib:unet.net"\n'
        "INPUT(32x32x3) -> Double(8) as d -> POOL -> Double(16) as b\n"
        "( d | b ) -> Up(8) as u -> CONV(1x1, 2)\n"
        "assert shape(u) == 32x32x8"
    )
    double = 9 * 3 * 8 + 8 + 9 * 8 * 8 + 8
    bottom = 9 * 8 * 16 + 16 + 9 * 16 * 16 + 16
    up = 4 * 16 * 8 + 8 + 9 * 16 * 8 + 8 + 9 * 8 * 8 + 8
    assert net.params == double + bottom + up + 8 * 2 + 2
