"""Networks to ONNX and back: the same layers, counts, names and numbers."""

from pathlib import Path

import numpy as np
import pytest

import netc

NAMES = (
    "lenet5",
    "alexnet",
    "unet",
    "dcgan_generator",
    "squeezenet1_1",
    "mobilenet_v2",
    "resnet18",
    pytest.param("swin_t", marks=pytest.mark.slow),
    pytest.param("vit_b_32", marks=pytest.mark.slow),
)


@pytest.mark.parametrize("name", NAMES)
def test_layers_come_back(name: str, tmp_path: Path) -> None:
    """A model that netc wrote is the network that it was."""
    net = netc.load(f"zoo:{name}")
    path = tmp_path / f"{name}.onnx"
    state = net.initialize(seed=1)
    net.export(path, state)
    back = netc.load_onnx(path)
    assert back.name == name
    assert (back.params, back.macs) == (net.params, net.macs)
    assert _kinds(back) == _kinds(net)
    learned = {name: np.asarray(state[name]) for name in net.graph.parameters}
    mine = back.initialize()
    assert {name: array.tobytes() for name, array in mine.items()} == {
        name: array.tobytes() for name, array in learned.items() if name in mine
    }


def _kinds(net: netc.Network) -> list[tuple[str, str]]:
    """The layers, without those that do nothing when a network is used, or that may be joined."""
    idle = ("CROP", "DROPOUT", "DROPPATH", "FLATTEN", "ID", "RESHAPE", "SLICE", "Slice")
    return [(p, each.kind) for p, each in net.graph.layers.items() if each.kind not in idle]


@pytest.mark.parametrize("name", ["lenet5", "unet", "mobilenet_v2"])
def test_numbers_come_back(name: str, tmp_path: Path) -> None:
    """It yields the same, with the weights that lie in the file."""
    net = netc.load(f"zoo:{name}")
    path = tmp_path / f"{name}.onnx"
    net.export(path, seed=1)
    (spec,) = net.inputs
    x = np.random.default_rng(0).standard_normal((2, *spec.shape[1:]), np.float32)  # type: ignore[arg-type]
    y, again = net.run(x, net.initialize(seed=1)), netc.load(path).run(x)
    assert isinstance(y, np.ndarray)
    assert isinstance(again, np.ndarray)
    np.testing.assert_allclose(again, y, rtol=1e-4, atol=1e-5)


RECURRENT = (
    "LSTM(3)",
    "LSTM(3, last, direction=both, bias=no)",
    "GRU(3, direction=backward)",
    "GRU(3, last, direction=backward)",
    "RNN(3, last, activation=relu)",
    "RNN(3, direction=both)",
)


@pytest.mark.parametrize("layer", RECURRENT)
def test_recurrent_layers_come_back(layer: str, tmp_path: Path) -> None:
    """Gates are put back in the order of PyTorch, and so are directions."""
    net = netc.compile(f"INPUT(6x5, sequence) -> {layer}", name="recurrent")
    path = tmp_path / "recurrent.onnx"
    net.export(path, seed=1)
    back = netc.load_onnx(path)
    assert back.params == net.params
    (mine, theirs) = (
        [each.arguments for each in n.layers if each.kind != "INPUT"] for n in (net, back)
    )
    assert mine == theirs
    x = np.random.default_rng(0).standard_normal((2, 6, 5)).astype(np.float32)
    y, again = net.run(x, net.initialize(seed=1)), back.run(x)
    assert isinstance(y, np.ndarray)
    assert isinstance(again, np.ndarray)
    np.testing.assert_allclose(again, y, rtol=1e-5, atol=1e-6)
