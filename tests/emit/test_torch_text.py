"""The text of exported PyTorch files, which no PyTorch is needed for."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

import netc
from netc.compiler.emit.torch.modules import MODULES
from netc.compiler.emit.torch.source import torch_source
from netc.compiler.layers.layerdef import LAYERS
from netc.grammar.diagnostics import NetError
from netc.sources import zoo

# Long lists, and loops over modules, are not laid out as by ruff.
TABLES = {
    *("language/t5_small", "generative/ddpm_cifar10", "transformers/maxvit_t"),
    *("language/qwen2_5_0_5b", "language/qwen3_0_6b"),
    *("language/smollm_135m", "language/tinyllama_1_1b", "language/gemma3_270m"),
    *("language/mixtral_8x7b", "audio/whisper_tiny", "generative/dit_s_2"),
    *(f"transformers/swin_v2_{size}" for size in "tsb"),
}


RESIDUAL = """
net Small
block Basic(c, stride=1) {
  ( CONV(3x3, c, stride=stride, bias=no) as conv1 -> BN as bn1 -> RELU
      -> CONV(3x3, c, bias=no) as conv2 -> BN as bn2
  | if stride != 1 { CONV(1x1, c, stride=stride, bias=no) as downsample.0 -> BN as downsample.1 }
  ) -> ADD -> RELU
}
INPUT(32x32x16)
  -> for i in range(2) { Basic(16) as layer1.{i} }
  -> Basic(32, stride=2) as layer2.0 -> Basic(32) as layer2.1
  -> GAP -> FC(10) as fc
"""


RESIDUAL_TEXT = """
class Basic(nn.Module):
    def __init__(self, in_channels, out_channels, stride=1, downsample=False):
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, out_channels, 3, stride=stride, padding=1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.downsample = nn.Identity()
        if downsample:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(Basic(16, 16), Basic(16, 16))
        self.layer2 = nn.Sequential(
            Basic(16, 32, stride=2, downsample=True), Basic(32, 32)
        )
        self.fc = nn.Linear(32, 10)

    def forward(self, x):
        x = self.layer1(x)
        x = self.layer2(x).mean((2, 3))
        return self.fc(x)
"""


LENET_TEXT = '''# LeNet5 in PyTorch, written by netc from lenet5.net.
#
# Names and shapes of the weights are those of netc:
# `model.load_state_dict(safetensors.torch.load_file("weights.safetensors"))`.

import torch
from torch import nn
from torch.nn import functional as F


class LeNet5(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.c5 = nn.Conv2d(16, 120, 5)
        self.f6 = nn.Linear(120, 84)
        self.out = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.c1(x)), 2)
        x = F.max_pool2d(F.relu(self.c3(x)), 2)
        x = F.relu(self.c5(x)).flatten(1)
        x = F.relu(self.f6(x))
        return self.out(x)


def train(model, loader):
    """Trains a network on the batches that `loader` yields."""
    # The program asks for batches of:
    #   data = idx(path="mnist/")
    #   split = [0.8, 0.1, 0.1]
    #   augment = [crop(size=32x32, pad=2)]
    #   batch = 64
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    model.train()
    for _ in range(20):
        for x, t in loader:
            y = model(x)
            loss = F.cross_entropy(y, t)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
'''


def text_of(program: str) -> str:
    """A program's file."""
    return torch_source(netc.compile(program).model)


def classes_of(program: str) -> str:
    """A program's file from its first class on."""
    text = text_of(program)
    return text[text.index("\nclass ") :]


def test_lenet() -> None:
    """A chain of named layers is an `__init__` and lines of `forward`."""
    assert torch_source(netc.load("zoo:lenet5").model) == LENET_TEXT


def test_residual_blocks() -> None:
    """Calls of one block are one class; the shortcut that some lack is an argument."""
    assert classes_of(RESIDUAL) == RESIDUAL_TEXT


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        (
            "INPUT(4) -> FC(8) as net.0 -> RELU -> DROPOUT(0.2) -> FC(2) as net.3",
            "self.net = nn.Sequential(\n"
            "            nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2)\n"
            "        )\n\n    def forward(self, x):\n        return self.net(x)\n",
        ),
        (
            "INPUT(4) -> FC(4) as net.0 -> FC(2) as net.2",
            "nn.Sequential(nn.Linear(4, 4), nn.Identity(), nn.Linear(4, 2))",
        ),
        (
            "INPUT(6x4, sequence) -> CONV(kernel=3, 5) as c",
            "return self.c(x.transpose(1, 2)).transpose(1, 2)",
        ),
        (
            "a = INPUT(4)\nb = INPUT(4)\noutput s = ( a | b ) -> ADD\noutput p = ( a | b ) -> MUL",
            "return input + input2, input * input2",
        ),
        (
            "x = INPUT(4) -> FC(4) as f -> RELU\noutput y = ( x | x -> FC(4, share=f) ) -> ADD",
            "return x + self.f(x)",
        ),
        (
            "INPUT(5x5x3) -> CONV(2x2, 4) as c",
            "self.c(F.pad(x, (0, 1, 0, 1)))",
        ),
        (
            "INPUT(5x4, sequence) -> ( PARAM(1x4) as cls | ID ) -> CONCAT(length)"
            " -> SLICE(0, axis=length)",
            "torch.cat([self.cls.expand(x.shape[0], -1, -1), x], dim=1)[:, 0]",
        ),
        (
            "INPUT(3) -> FC(2) as train",
            'self._modules["train"] = nn.Linear(3, 2)',
        ),
        (
            "INPUT(8x8x4) -> for i in range(3) { CONV(3x3, 4) as c.{i} -> CHANNELSHUFFLE(2) }",
            "for block in self.c:\n            x = F.channel_shuffle(block(x), 2)",
        ),
    ],
)
def test_forms(program: str, expected: str) -> None:
    """How an engineer would write it."""
    assert expected in text_of(program)


SERIES = """
block Layer { BN as norm -> RELU -> CONV(3x3, 4, bias=no) as conv }
block Dense(n) { for i in range(n) { ( ID | Layer as layer{i + 1} ) -> CONCAT } }
INPUT(8x8x4) -> Dense(3) as a -> CONV(1x1, 8) as t -> Dense(4) as b -> GAP -> FC(2)
"""


SERIES_TEXT = """
class Dense(nn.Module):
    def __init__(self, layers, num_features):
        super().__init__()
        for i in range(layers):
            self.add_module(f"layer{i + 1}", Layer(num_features + 4 * i))

    def forward(self, x):
        for block in self.children():
            x = torch.cat([x, block(x)], dim=1)
        return x


class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = Dense(3, 4)
        self.t = nn.Conv2d(16, 8, 1)
        self.b = Dense(4, 8)
        self.fc1 = nn.Linear(24, 2)
"""


def test_members_that_count_up_are_a_loop() -> None:
    """Layers of a dense block, whose channels grow, are added and called in a loop."""
    assert SERIES_TEXT in text_of(SERIES)


OPTIONS = """
block Act(hard) { if hard { HARDSWISH } else { RELU } }
block Squeeze(s) {
  ( ID | ADAPTIVEPOOL(1x1) -> CONV(1x1, s) as fc1 -> RELU -> CONV(1x1, 8) as fc2 -> SIGMOID ) -> MUL
}
block Inverted(c, s, hard, stride) {
  let p = if s == 0 then 2 else 3
  y = CONV(1x1, 8) as block.0.0 -> BN as block.0.1 -> Act(hard)
    -> DWCONV(3x3, stride=stride) as block.1.0 -> BN as block.1.1 -> Act(hard)
    -> if s > 0 { Squeeze(s) as block.2 }
    -> CONV(1x1, c) as block.{p}.0 -> BN as block.{p}.1
  if stride == 1 and c == in.channels { ( in | y ) -> ADD } else { y }
}
INPUT(8x8x4) -> Inverted(4, 0, no, 1) as features.0 -> Inverted(8, 0, yes, 2) as features.1
  -> Inverted(8, 2, yes, 1) as features.2 -> Inverted(6, 3, no, 1) as features.3 -> GAP -> FC(2)
"""


OPTIONS_TEXT = """
class Inverted(nn.Module):
    def __init__(
        self,
        in_channels,
        block_channels,
        activation=nn.ReLU,
        stride=1,
        out_channels=None,
        residual=False,
        squeeze=False,
    ):
        super().__init__()
        self.residual = residual
        self.block = nn.Sequential(
            nn.Sequential(
                nn.Conv2d(in_channels, 8, 1), nn.BatchNorm2d(8), activation()
            ),
            nn.Sequential(
                nn.Conv2d(8, 8, 3, stride=stride, padding=1, groups=8),
                nn.BatchNorm2d(8),
                activation(),
            ),
            *([Squeeze(out_channels)] if squeeze else []),
            nn.Sequential(
                nn.Conv2d(8, block_channels, 1), nn.BatchNorm2d(block_channels)
            ),
        )

    def forward(self, x):
        y = self.block(x)
        return x + y if self.residual else y


class Chain(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            Inverted(4, 4, residual=True),
            Inverted(4, 8, activation=nn.Hardswish, stride=2),
            Inverted(
                8,
                8,
                activation=nn.Hardswish,
                out_channels=2,
                residual=True,
                squeeze=True,
            ),
            Inverted(8, 6, out_channels=3, squeeze=True),
        )
        self.fc1 = nn.Linear(6, 2)
"""


def test_parts_that_some_blocks_lack() -> None:
    """Activations, a module of a chain and a sum are arguments of one class."""
    text = text_of(OPTIONS)
    assert OPTIONS_TEXT in text
    assert text.count("class ") == 3


def test_shared_scopes_are_called_again() -> None:
    """Twins are one module that is called twice."""
    text = torch_source(netc.load("zoo:siamese").model)
    assert "torch.abs(self.twin(first) - self.twin(second))" in text


def test_every_layer_is_known() -> None:
    """Rows of modules are those of layers."""
    assert MODULES.keys() <= {row.name for row in LAYERS.values()}


def test_a_layer_without_a_counterpart_is_named() -> None:
    """The error points at the layer, and no file is left."""
    with pytest.raises(NetError, match="E506") as caught:
        text_of('INPUT(4x4x3) -> op("LpNormalization") as d')
    assert "the layer `d`" in str(caught.value)


@pytest.mark.parametrize(
    ("names", "refused"),
    [
        (("w", "b"), ""),
        (('a/b"c', "on::nx.5.x"), ""),
        (("w\\n", "class.train"), ""),
        (("w.1", "w.1.2"), "`w.1`"),
        (("w", "a..b"), "`a..b`"),
    ],
)
def test_names_of_other_tools(tmp_path: Path, names: tuple[str, str], refused: str) -> None:
    """Weights of ONNX models have any names; those that no module can have are refused."""
    made = onnx.helper.make_node("Gemm", ["x", *names], ["y"], alpha=0.5)
    types = [onnx.helper.make_tensor_value_info(n, 1, [2, 3]) for n in "xy"]
    weights = [
        onnx.numpy_helper.from_array(np.ones(shape, np.float32), name)
        for name, shape in zip(names, ((3, 3), (3,)), strict=True)
    ]
    graph = onnx.helper.make_graph([made], "odd", types[:1], types[1:], weights)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)])
    model.ir_version = 10
    onnx.save(model, tmp_path / "odd.onnx")
    network = netc.load(str(tmp_path / "odd.onnx"))
    if not refused:
        ast.parse(torch_source(network.model))
        return
    with pytest.raises(NetError, match="E506") as caught:
        torch_source(network.model)
    assert refused in str(caught.value)


@pytest.mark.slow
def test_ruff_has_nothing_to_say(tmp_path: Path) -> None:
    """All shipped specs are formatted as ruff formats, and pass its checks."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or shutil.which("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    for name in zoo().keys() - TABLES:
        text = torch_source(netc.load(f"zoo:{name}").model)
        (tmp_path / f"{name.replace('/', '_')}.py").write_text(text)
    for command in (["format", "--check"], ["check"]):
        found = subprocess.run(
            [ruff, *command, "--isolated", "."], cwd=tmp_path, capture_output=True, text=True
        )
        assert found.returncode == 0, found.stdout
