"""Models of both of PyTorch's exporters -> the layers, counts and numbers of a spec by hand."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.onnx_models import computed

import netc

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
Called = pytest.importorskip("support.torch_calls").Called
pytest.importorskip("onnxscript", reason="PyTorch's exporters need onnxscript")
nn, F = torch.nn, torch.nn.functional

pytestmark = pytest.mark.oracle


def attended(self: Any, x: Any, *, causal: bool = False) -> Any:
    """Attention of 4 heads between dense layers of their own."""
    n, length, width = x.shape
    q, k, v = (
        dense(x).view(n, length, 4, width // 4).transpose(1, 2)
        for dense in (self.q, self.k, self.v)
    )
    y = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    return self.out(y.transpose(1, 2).reshape(n, length, width))


def shared(self: Any, x: Any) -> Any:
    """Attention whose 4 heads of queries share 2 heads of keys and values."""
    n, length, width = x.shape
    q, k, v = (
        dense(x).view(n, length, -1, width // 4).transpose(1, 2)
        for dense in (self.q, self.k, self.v)
    )
    k, v = (part[:, :, None].expand(n, 2, 2, length, width // 4) for part in (k, v))
    k, v = (part.reshape(n, 4, length, width // 4) for part in (k, v))
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return self.out(y.transpose(1, 2).reshape(n, length, width))


def by_hand(self: Any, x: Any) -> Any:
    """GPT's attention in elementary operators, with a mask of the future."""
    n, length, width = x.shape
    q, k, v = (
        part.view(n, length, 4, width // 4).transpose(1, 2) for part in self.qkv(x).split(width, 2)
    )
    scores = q @ k.transpose(-2, -1) / math.sqrt(width // 4)
    future = torch.ones(length, length, dtype=torch.bool).triu(1)
    weights = scores.masked_fill(future, -math.inf).softmax(-1)
    return self.out((weights @ v).transpose(1, 2).reshape(n, length, width))


def convnext(self: Any, x: Any) -> Any:
    """A block of ConvNeXt, whose channels come last within."""
    y = self.norm(self.conv(x).permute(0, 2, 3, 1))
    return x + self.narrow(F.gelu(self.wide(y))).permute(0, 3, 1, 2)


def by_indices(self: Any, x: Any) -> Any:
    """Attention whose products are sums over indices."""
    n, length, width = x.shape
    q, k, v = (dense(x).view(n, length, 4, width // 4) for dense in (self.q, self.k, self.v))
    scores = torch.einsum("blhd,bmhd->bhlm", q, k) / math.sqrt(width // 4)
    y = torch.einsum("bhlm,bmhd->blhd", scores.softmax(-1), v)
    return self.out(y.reshape(n, length, width))


def causal_module(self: Any, x: Any) -> Any:
    """PyTorch's module with a mask of the future."""
    future = torch.full((x.shape[1],) * 2, -math.inf).triu(1)
    return self.a(x, x, x, attn_mask=future, need_weights=False)[0]


def classified(self: Any, x: Any) -> Any:
    """A class token before the patches of an image, as in ViT."""
    patches = self.conv(x).flatten(2).transpose(1, 2)
    return torch.cat([self.token.expand(x.shape[0], -1, -1), patches], 1) + self.positions


def tied(table: Any, last: Any) -> Any:
    """Tokens as rows of a table, by which the last layer multiplies them."""
    last.weight = table.weight
    return Called(lambda m, x: m.last(m.table(x)), table=table, last=last)


WINDOW, SHIFT, SIDE, HEADS = 2, 1, 4, 2  # of Swin, in an image of SIDE x SIDE


def in_windows(x: Any) -> Any:
    """An image (N, H, W, C) in windows (N windows, positions, C)."""
    n, h, w, c = x.shape
    x = x.view(n, h // WINDOW, WINDOW, w // WINDOW, WINDOW, c)
    return x.permute(0, 1, 3, 2, 4, 5).reshape(-1, WINDOW**2, c)


def shifted(self: Any, x: Any) -> Any:
    """Swin's attention in windows that are shifted."""
    n, h, w, c = x.shape
    parts = in_windows(torch.roll(x, (-SHIFT, -SHIFT), (1, 2)))
    size = (-1, WINDOW**2, 3, HEADS, c // HEADS)
    q, k, v = self.qkv(parts).reshape(size).permute(2, 0, 3, 1, 4).unbind(0)
    scores = (q * (c // HEADS) ** -0.5) @ k.transpose(-2, -1)
    place = torch.cartesian_prod(torch.arange(WINDOW), torch.arange(WINDOW))
    apart = place[:, None] - place[None] + WINDOW - 1
    index = apart[..., 0] * (2 * WINDOW - 1) + apart[..., 1]
    scores = scores + self.table[index].permute(2, 0, 1)[None]
    edges = torch.tensor([0] * (SIDE - WINDOW) + [1] * (WINDOW - SHIFT) + [2] * SHIFT)
    regions = in_windows((3 * edges[:, None] + edges)[None, :, :, None].float()).squeeze(-1)
    mask = -100.0 * (regions[:, None] != regions[:, :, None])
    scores = scores.view(n, -1, HEADS, WINDOW**2, WINDOW**2) + mask[None, :, None]
    weights = scores.view(-1, HEADS, WINDOW**2, WINDOW**2).softmax(-1)
    y = self.out((weights @ v).transpose(1, 2).reshape(parts.shape))
    y = y.view(n, h // WINDOW, w // WINDOW, WINDOW, WINDOW, c)
    y = y.permute(0, 1, 3, 2, 4, 5).reshape(x.shape)
    return torch.roll(y, (SHIFT, SHIFT), (1, 2))


def four() -> dict[str, Any]:
    """The dense layers of attention."""
    return {name: nn.Linear(32, 32) for name in ("q", "k", "v", "out")}


# A model, what it takes, and the layers that it is, without the inputs.
MODELS: dict[str, tuple[Callable[[], Any], tuple[int, ...], list[str]]] = {
    "attention": (
        lambda: Called(
            lambda m, x: m.a(x, x, x)[0], a=nn.MultiheadAttention(32, 4, batch_first=True)
        ),
        (1, 8, 32),
        ["ATTENTION"],
    ),
    "attention by a function": (lambda: Called(attended, **four()), (1, 8, 32), ["ATTENTION"]),
    "causal attention by a function": (
        lambda: Called(lambda m, x: attended(m, x, causal=True), **four()),
        (1, 8, 32),
        ["ATTENTION"],
    ),
    "causal attention by hand": (
        lambda: Called(by_hand, qkv=nn.Linear(32, 96), out=nn.Linear(32, 32)),
        (1, 8, 32),
        ["ATTENTION"],
    ),
    "an encoder's layer": (
        lambda: nn.TransformerEncoder(
            nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, norm_first=True),
            1,
            enable_nested_tensor=False,
        ),
        (1, 8, 32),
        ["LN", "ATTENTION", "ADD", "LN", "LINEAR", "RELU", "LINEAR", "ADD"],
    ),
    "a block of ConvNeXt": (
        lambda: Called(
            convnext,
            conv=nn.Conv2d(8, 8, 7, padding=3, groups=8),
            norm=nn.LayerNorm(8),
            wide=nn.Linear(8, 32),
            narrow=nn.Linear(32, 8),
        ),
        (1, 8, 9, 9),
        ["DWCONV", "LN", "LINEAR", "GELU", "LINEAR", "ADD"],
    ),
    "group normalization": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 8), nn.SiLU()),
        (1, 3, 9, 9),
        ["CONV", "GN", "SWISH"],
    ),
    "instances without weights": (
        lambda: nn.Sequential(nn.InstanceNorm2d(3), nn.Conv2d(3, 4, 1)),
        (1, 3, 9, 9),
        ["IN", "CONV"],
    ),
    "squeeze and excite": (
        lambda: Called(
            lambda m, x: x * m.gate(x),
            gate=nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(8, 2, 1),
                nn.ReLU(),
                nn.Conv2d(2, 8, 1),
                nn.Sigmoid(),
            ),
        ),
        (1, 8, 9, 9),
        ["ADAPTIVEPOOL", "CONV", "RELU", "CONV", "SIGMOID", "MUL"],
    ),
    "hard activations": (
        lambda: nn.Sequential(nn.Hardswish(), nn.Hardsigmoid(), nn.ReLU6(), nn.PReLU(3)),
        (1, 3, 9, 9),
        ["HARDSWISH", "HARDSIGMOID", "RELU6", "PRELU"],
    ),
    "heads that share keys": (
        lambda: Called(
            shared,
            q=nn.Linear(32, 32),
            k=nn.Linear(32, 16),
            v=nn.Linear(32, 16),
            out=nn.Linear(32, 32),
        ),
        (1, 8, 32),
        ["ATTENTION"],
    ),
    "attention by indices": (lambda: Called(by_indices, **four()), (1, 8, 32), ["ATTENTION"]),
    "a module with a mask of the future": (
        lambda: Called(causal_module, a=nn.MultiheadAttention(32, 4, batch_first=True)),
        (1, 8, 32),
        ["ATTENTION"],
    ),
    "attention in shifted windows": (
        lambda: Called(
            shifted,
            qkv=nn.Linear(8, 24),
            out=nn.Linear(8, 8),
            table=nn.Parameter(torch.zeros((2 * WINDOW - 1) ** 2, HEADS)),
        ),
        (1, 4, 4, 8),
        ["PERMUTE", "WINDOW", "ATTENTION", "UNWINDOW", "PERMUTE"],
    ),
    "a class token": (
        lambda: Called(
            classified,
            conv=nn.Conv2d(3, 8, 2, 2),
            token=nn.Parameter(torch.zeros(1, 1, 8)),
            positions=nn.Parameter(torch.zeros(1, 5, 8)),
        ),
        (1, 3, 4, 4),
        ["CONV", "RESHAPE", "PARAM", "CONCAT", "PARAM", "ADD"],
    ),
    "a layer normalization without a bias": (
        lambda: nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8, bias=False)),
        (1, 5, 8),
        ["LINEAR", "LN"],
    ),
    "groups without weights": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.GroupNorm(4, 8, affine=False)),
        (1, 3, 9, 9),
        ["CONV", "GN"],
    ),
    "statistics of a batch without weights": (
        lambda: nn.Sequential(nn.BatchNorm2d(3, affine=False), nn.Conv2d(3, 8, 3)),
        (1, 3, 9, 9),
        ["BN", "CONV"],
    ),
    "statistics in a convolution": (
        lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8, affine=False)),
        (1, 3, 9, 9),
        ["CONV"],
    ),
    "two recurrent layers in both directions": (
        lambda: Called(
            lambda m, x: m.f(m.r(x)[0]),
            r=nn.LSTM(5, 3, 2, batch_first=True, bidirectional=True),
            f=nn.Linear(6, 2),
        ),
        (1, 4, 5),
        ["LSTM", "LSTM", "LINEAR"],
    ),
    "a last state": (
        lambda: Called(
            lambda m, x: m.f(m.r(x)[1][-1]),
            r=nn.GRU(5, 3, batch_first=True, bias=False),
            f=nn.Linear(3, 2),
        ),
        (1, 4, 5),
        ["GRU", "FC"],
    ),
    "one token a sample": (
        lambda: nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3)),
        (1,),
        ["EMBED", "FC"],
    ),
    "tokens whose table is the last layer's": (
        lambda: tied(nn.Embedding(9, 4), nn.Linear(4, 9, bias=False)),
        (1, 5),
        ["EMBED", "LINEAR"],
    ),
    "a pool of a sequence": (
        lambda: nn.Sequential(nn.Conv1d(3, 4, 3), nn.ReLU(), nn.MaxPool1d(2)),
        (1, 3, 9),
        ["PERMUTE", "CONV", "RELU", "POOL", "PERMUTE"],
    ),
    "a decoder": (
        lambda: nn.Sequential(
            nn.ConvTranspose2d(4, 8, 2, 2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Tanh()
        ),
        (1, 4, 5, 5),
        ["UPCONV", "UPSAMPLE", "TANH"],
    ),
}
EXPORTERS = [
    pytest.param(False, False, 1, id="script"),
    pytest.param(False, False, 2, id="script-two"),
    pytest.param(False, True, 1, id="script-open"),
    pytest.param(True, False, 1, id="export", marks=pytest.mark.slow),
    pytest.param(True, False, 2, id="export-two", marks=pytest.mark.slow),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("by_export", "is_open", "batch"), EXPORTERS)
@pytest.mark.parametrize("name", MODELS)
def test_models_are_layers(
    name: str, by_export: bool, is_open: bool, batch: int, tmp_path: Path
) -> None:
    """Layers and counts are those of the model, and numbers those of onnxruntime."""
    make, (_, *extents), kinds = MODELS[name]
    shape = (batch, *extents)
    torch.manual_seed(0)
    module = make().eval()
    for parameter in module.parameters():  # ones and zeros, which exporters may leave out
        nn.init.normal_(parameter, std=0.3)
    path = tmp_path / "model.onnx"
    options: dict[str, Any] = {"verbose": False} if by_export else {}
    if is_open:
        options = {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}}
    tokens = len(shape) < 3
    sample = torch.arange(5)[: math.prod(extents)] if tokens else torch.randn(*shape)
    sample = sample.expand(batch, -1).reshape(shape) if tokens else sample
    torch.onnx.export(module, (sample,), path, dynamo=by_export, **options)
    net = netc.load_onnx(path)
    assert [each.kind for each in net.graph.layers.values() if each.kind != "INPUT"] == kinds
    assert net.params == sum(parameter.numel() for parameter in module.parameters())
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    x = sample.numpy() if tokens else x
    (spec,) = net.inputs
    (wanted,) = computed(onnx.load(path), {spec.name: x})
    found = net.run(x)
    assert isinstance(found, np.ndarray)
    assert np.linalg.norm(found - wanted) <= 1e-4 * np.linalg.norm(wanted)
