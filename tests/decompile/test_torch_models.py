"""Models of PyTorch's exporters as programs."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import netc
from netc.compiler.decompile.decompile import decompile
from netc.programs import ReshapedState

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
nn = torch.nn


class Residual(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Two convolutions and a shortcut, which projects where channels change."""

    def __init__(self, inputs: int, filters: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, filters, 3, stride, 1)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1)
        projects = stride != 1 or inputs != filters
        self.downsample = nn.Conv2d(inputs, filters, 1, stride) if projects else None

    def forward(self, x: Any) -> Any:
        """The sum of both branches."""
        y = self.conv2(torch.relu(self.conv1(x)))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Attending(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Attention and its residual connection."""

    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(16, 4, batch_first=True)
        self.norm = nn.LayerNorm(16)

    def forward(self, x: Any) -> Any:
        """What attention adds, normalized."""
        return self.norm(x + self.attn(x, x, x, need_weights=False)[0])


class ImageAttention(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Attention of all positions of an image, by products of channels, as in diffusion's U-Nets."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(2, 8)
        self.q, self.k, self.v, self.out = (nn.Conv2d(8, 8, 1) for _ in range(4))

    def forward(self, x: Any) -> Any:
        """The image with what its positions attend to."""
        y = self.norm(x)
        q, k, v = (each(y).flatten(2) for each in (self.q, self.k, self.v))
        weights = torch.softmax(torch.bmm(q.transpose(1, 2), k) * 8**-0.5, -1)
        return x + self.out(torch.bmm(v, weights.transpose(1, 2)).view(x.shape))


class NormalizedHeads(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Attention whose queries and keys are normalized head by head."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(16, 16) for _ in range(4))
        self.q_norm, self.k_norm = nn.LayerNorm(4), nn.LayerNorm(4)

    def forward(self, x: Any) -> Any:
        """What the sequence attends to."""
        q, k, v = (
            each(x).unflatten(2, (4, 4)).transpose(1, 2) for each in (self.q, self.k, self.v)
        )
        attend = nn.functional.scaled_dot_product_attention
        y = attend(self.q_norm(q), self.k_norm(k), v)
        return self.out(y.transpose(1, 2).flatten(2))


def _residual() -> Any:
    stage1 = nn.Sequential(Residual(8, 8), Residual(8, 8))
    stage2 = nn.Sequential(Residual(8, 16, 2), Residual(16, 16))
    ends = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 5)]
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), stage1, stage2, *ends)


MODELS = {
    "residual": (_residual, (2, 3, 16, 16)),
    "attention": (Attending, (2, 6, 16)),
    "attention of images": (ImageAttention, (2, 8, 5, 6)),
    "attention of normalized heads": (NormalizedHeads, (2, 6, 16)),
    "volumes": (
        lambda: nn.Sequential(nn.Conv3d(1, 4, 3), nn.SiLU(), nn.MaxPool3d(2)),
        (2, 1, 8, 8, 8),
    ),
    "dense": (lambda: nn.Sequential(nn.Linear(6, 9), nn.Tanh(), nn.Linear(9, 3)), (2, 6)),
    "generator": (
        lambda: nn.Sequential(nn.ConvTranspose2d(8, 6, 4, 2, 1), nn.LeakyReLU(0.2), nn.Tanh()),
        (2, 8, 5, 5),
    ),
}


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("name", MODELS)
def test_models_of_pytorch(name: str, dynamo: bool, tmp_path: Path) -> None:
    """The program yields what PyTorch does, with the weights that the program names."""
    make, shape = MODELS[name]
    torch.manual_seed(0)
    model = make().eval()
    x = torch.randn(shape)
    path = str(tmp_path / "model.onnx")
    batch = {"dynamic_shapes": ({0: "batch"},)} if dynamo else {"dynamic_axes": {"x": {0: "batch"}}}
    torch.onnx.export(model, (x,), path, dynamo=dynamo, input_names=["x"], verbose=False, **batch)
    imported = netc.load(path)
    program = decompile(imported.graph)
    again = netc.compile(program.text)
    kinds = {layer.kind for layer in again.graph.layers.values()}
    assert kinds.isdisjoint({"MatMul", "Softmax", "SOFTMAX"})
    assert name.startswith("attention") == ("ATTENTION" in kinds)
    state = ReshapedState(imported.initialize(), program.shapes)
    again.check_weights(state)
    y = again.run(x.numpy(), state)
    assert isinstance(y, np.ndarray)
    np.testing.assert_allclose(y, model(x).detach().numpy(), rtol=1e-4, atol=1e-5)


class Recurrent(torch.nn.Module):  # type: ignore[misc, name-defined]
    """A classifier of tokens by the last state of a recurrent layer."""

    def __init__(self, cell: Any) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 6)
        self.cell = cell(6, 5, batch_first=True)
        self.head = nn.Linear(5, 3)

    def forward(self, tokens: Any) -> Any:
        """Logits."""
        _, state = self.cell(self.embed(tokens))
        return self.head((state[0] if isinstance(state, tuple) else state)[-1])


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("cell", ["LSTM", "GRU"])
def test_recurrent_models(cell: str, dynamo: bool, tmp_path: Path) -> None:
    """`LSTM` and `GRU` without sequence lengths, whose last states are read, for any batch."""
    torch.manual_seed(0)
    model = Recurrent(getattr(nn, cell)).eval()
    path = str(tmp_path / "model.onnx")
    tokens = torch.randint(0, 50, (4, 7), generator=torch.Generator().manual_seed(1))
    batch = {"dynamic_shapes": ({0: "batch"},)} if dynamo else {"dynamic_axes": {"x": {0: "batch"}}}
    torch.onnx.export(model, (tokens,), path, dynamo=dynamo, input_names=["x"], **batch)
    imported = netc.load(path)
    program = decompile(imported.graph)
    again = netc.compile(program.text)
    y = again.run(tokens[:2].numpy(), ReshapedState(imported.initialize(), program.shapes))
    assert isinstance(y, np.ndarray)
    np.testing.assert_allclose(y, model(tokens[:2]).detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.oracle
@pytest.mark.slow
def test_blocks_of_pytorch(tmp_path: Path) -> None:
    """Modules of one class are calls of one block, and stages of them, too."""
    model = _residual().eval()
    path = str(tmp_path / "model.onnx")
    axes = {"x": {0: "batch"}, "y": {0: "batch"}}
    names = {"input_names": ["x"], "output_names": ["y"]}
    x = torch.randn(1, 3, 16, 16)
    torch.onnx.export(model, (x,), path, dynamo=False, dynamic_axes=axes, **names)
    text = netc.load(path).to_text()
    assert text.count("block ") == 2
    assert text.count("CONV") == 4


class Tables(torch.nn.Module):  # type: ignore[misc, name-defined]
    """Tables of all kinds: by a rule, in the text, beside the weights, and for each sample."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 40)
        self.register_buffer("keeps", torch.rand(40, 40, generator=torch.manual_seed(1)) > 0.3)

    def forward(self, x: Any) -> Any:
        """Rows before and after those of x, and the first of them."""
        token = torch.ones(1, 1, 8).repeat(x.shape[0], 1, 1)
        zeros = torch.zeros(x.shape[0], 34, 8)
        y = self.first(torch.cat([token, x * torch.eye(5, 8), zeros], 1))
        return (1 - y).masked_fill(self.keeps, 0.5)


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("dynamo", [False, True])
def test_tables(dynamo: bool, tmp_path: Path) -> None:
    """Constants are tables of layers for any batch, whole in the text or beside the weights."""
    torch.manual_seed(0)
    model, x = Tables().eval(), torch.randn(2, 5, 8)
    path = str(tmp_path / "model.onnx")
    batch = {"dynamic_shapes": ({0: "batch"},)} if dynamo else {"dynamic_axes": {"x": {0: "batch"}}}
    torch.onnx.export(model, (x,), path, dynamo=dynamo, input_names=["x"], verbose=False, **batch)
    imported = netc.load(path)
    program = decompile(imported.graph)
    assert program.text.count("CONST(") >= 3
    assert program.text.count("PARAM(40x40, buffer=yes)") == 1
    again = netc.compile(program.text)
    state = ReshapedState(imported.initialize(), program.shapes, tables=program.tables)
    y = again.run(x.numpy(), state)
    np.testing.assert_allclose(np.asarray(y), model(x).detach().numpy(), rtol=1e-4, atol=1e-5)
