"""Networks to ONNX and back: the same layers, counts, names and numbers."""

from pathlib import Path

import numpy as np
import pytest
from support.layers import feeds_for

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


PARTS = "INPUT(6x8, sequence) -> ( LINEAR(4) as q | LINEAR(4, bias=no) as k | LINEAR(8) as v )"
TURNED = "INPUT(6x8, sequence) -> ( LINEAR(16) as q -> ROPE(4) | LINEAR(8) -> ROPE(2) | LINEAR(8) )"
IN_WINDOWS = "INPUT(8x8x4) -> WINDOW(4x4, shift=2) -> LINEAR(12) -> SPLIT(3)"
IMAGES = f"INPUT(6x6x4) -> ( {' | '.join(['CONV(1x1, 4) -> RESHAPE(36x4)'] * 3)} )"
TABLE = "CONST([2, 1, 0, 3]) -> FC(7) -> RESHAPE(7x1) -> SIGMOID as sigmoid1\nINPUT(4x8, sequence)"
BIASED = (
    "CONST([[0, 1, 2], [1, 0, 2], [2, 1, 0]], dtype=int64) -> EMBED(3, 2) as e\n"
    "INPUT(3x8, sequence) -> ( LINEAR(8, bias=no) | LINEAR(8, bias=no) | LINEAR(8, bias=no) )"
)
MASKED = "INPUT(6x5, sequence) as x\nINPUT(6, dtype=int64) as m\nx"
LAYERS = (
    "INPUT(6x5, sequence) -> LSTM(3)",
    "INPUT(6x5, sequence) -> LSTM(3, last, direction=both, bias=no)",
    "INPUT(6x5, sequence) -> GRU(3, direction=backward)",
    "INPUT(6x5, sequence) -> GRU(3, last, direction=backward)",
    "INPUT(6x5, sequence) -> RNN(3, last, activation=relu)",
    "INPUT(6x5, sequence) -> RNN(3, direction=both)",
    "INPUT(5x6x2) -> LOCAL(3x3, 4, stride=2)",
    "INPUT(5x6x2) -> LOCAL(3x3, 4, pad=valid, bias=no)",
    "INPUT(6x6x4) -> LOCAL(2x3, 4, stride=2x1, groups=2)",
    "INPUT(9x9x2) -> LOCAL(3x3, 2, dilation=2)",
    "INPUT(9x3, sequence) -> LOCAL(kernel=3, 4)",
    "INPUT(6x8, sequence) -> ATTENTION(4, kv_heads=2)",
    "INPUT(6x8, sequence) -> ATTENTION(4, kv_heads=1, causal=yes, bias=no)",
    "INPUT(6x8, sequence) -> ATTENTION(2, width=12, scale=0.3)",
    "INPUT(6x5, sequence) -> LSTM(3, last) -> FC(2)",
    f"{MASKED} -> LSTM(3, last, mask=m) -> FC(2)",
    f"{MASKED} -> RNN(3, direction=both, mask=m)",
    f"{MASKED} -> ATTENTION(5, mask=m)",
    "INPUT(6x8, sequence) -> ATTENTION(2, project=no)",
    "INPUT(6x8, sequence) -> ATTENTION(1, scale=1.0, project=no, causal=yes)",
    f"{PARTS} -> ATTENTION(2, project=no) -> LINEAR(8) as out",
    f"{PARTS} -> ATTENTION(4, scale=0.3, project=no, causal=yes)",
    f"{MASKED} -> ATTENTION(1, project=no, mask=m)",
    f"{TURNED} -> ATTENTION(4, kv_heads=2, project=no) -> LINEAR(8, bias=no)",
    "INPUT(6x16, sequence) -> RESHAPE(24x4) -> RMSNORM as n -> RESHAPE(6x16) -> ROPE(4)",
    "INPUT(16x8, sequence) -> ROPE(2, pairs, 500.5)",
    "INPUT(300x64, sequence) -> ROPE(4, 1000000.0)",
    "INPUT(5x2, sequence) -> ROPE(1)",
    f"{IN_WINDOWS} -> ATTENTION(2, project=no) -> UNWINDOW -> RELU",
    f"{IN_WINDOWS} -> ATTENTION(2, project=no, mask=shifted, relative=yes) -> UNWINDOW -> RELU",
    f"{TABLE} -> ATTENTION(1, relative=sigmoid1)",
    f"{BIASED} -> ATTENTION(2, scale=1.0, project=no, mask=e) -> RELU",
    f"{BIASED} -> ATTENTION(2, scale=1.0, project=no, causal=yes, mask=e) -> RELU",
    "CONST([0, 1, 2, 3, 4, 0, 1], dtype=int64) -> EMBED(5, 2) as e\nINPUT(4x8, sequence)"
    " -> LINEAR(24) -> SPLIT(3) -> ATTENTION(2, project=no, relative=e) -> RELU",
    f"{IMAGES} -> ATTENTION(1, project=no) -> RESHAPE(6x6x4) -> RELU",
    "INPUT(8x8x4) -> LN -> ( ID | WINDOW(4x4) -> LN -> UNWINDOW ) -> ADD",
    "INPUT(4x4x4) -> WINDOW(4x4) -> LINEAR(12) -> SPLIT(3)"
    " -> ATTENTION(2, project=no, relative=yes)",
    "INPUT(9x8x4) -> RESHAPE(72x4) -> LN -> RESHAPE(9x8x4) -> CONV(3x3, 2)",
)


@pytest.mark.parametrize("text", LAYERS)
def test_programs_come_back(text: str, tmp_path: Path) -> None:
    """Layers of many operators are told by what these compute."""
    net = netc.compile(text, name="layers")
    path = tmp_path / "layers.onnx"
    net.export(path, seed=1)
    back = netc.load_onnx(path)
    assert back.params == net.params
    assert back.to_text().split() == ["net", "layers", *text.split()]
    feeds = feeds_for(net, 2, low=-1.0, high=1.0)
    y, again = net.run(feeds, net.initialize(seed=1)), back.run(feeds)
    assert isinstance(y, np.ndarray)
    assert isinstance(again, np.ndarray)
    np.testing.assert_allclose(again, y, rtol=1e-4, atol=1e-5)
