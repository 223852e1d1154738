"""Attention of PyTorch's modules and of people's own, under masks -> one layer."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from support.onnx_models import computed, kinds_of

import netc

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
Called = pytest.importorskip("support.torch_calls").Called
pytest.importorskip("onnxscript", reason="PyTorch's exporters need onnxscript")
nn, F = torch.nn, torch.nn.functional

pytestmark = pytest.mark.oracle

WIDTH, HEADS, LENGTH = 16, 4, 6
EXPORTERS = [
    pytest.param(False, False, id="script"),
    pytest.param(False, True, id="script-open"),
    pytest.param(True, True, id="export-open", marks=pytest.mark.slow),
]
Axes = list[dict[int, str]]
IGNORED = torch.tensor([[False] * LENGTH, [False] * (LENGTH - 2) + [True] * 2])
TOKENS = torch.tensor([[1, 2, 3, 4, 5, 6], [3, 1, 2, 5, 0, 0]])
ONES = torch.ones(2, LENGTH, dtype=torch.int64)


def exported(
    module: Any, samples: list[Any], path: Path, axes: Axes, by_export: bool, **more: Any
) -> None:
    """Write the model of one of PyTorch's exporters, with some axes open."""
    for parameter in module.parameters():  # exporters store equal tensors once
        nn.init.normal_(parameter, std=0.3)
    names = [f"x{place}" for place in range(len(samples))]
    options: dict[str, Any] = {"input_names": names, "dynamo": by_export, **more}
    if by_export:
        options |= {"verbose": False, "dynamic_shapes": (tuple(axes),) if axes else None}
    elif axes:
        options["dynamic_axes"] = dict(zip(names, axes, strict=True))
    torch.onnx.export(module, tuple(samples), path, **options)


def check(module: Any, samples: list[Any], path: Path) -> netc.Network:
    """The network, whose parameters are the module's, and its numbers onnxruntime's."""
    net = netc.load_onnx(path)
    feeds = {spec.name: x.numpy() for spec, x in zip(net.inputs, samples, strict=True)}
    (wanted,), found = computed(onnx.load(path), feeds), net.run(feeds)
    assert isinstance(found, np.ndarray)
    assert np.linalg.norm(found - wanted) <= 1e-4 * np.linalg.norm(wanted)
    assert net.params == sum(parameter.numel() for parameter in module.parameters())
    return net


def arguments_of(net: netc.Network) -> dict[str, Any]:
    """What the first attention is called with, where that is not the default."""
    layer = next(each for each in net.graph.layers.values() if each.kind == "ATTENTION")
    return {n: v for n, v in layer.arguments.items() if n not in layer.defaulted and n != "heads"}


def future() -> Any:
    """True where a key is after a query."""
    return torch.ones(LENGTH, LENGTH, dtype=torch.bool).triu(1)


# What `nn.MultiheadAttention` is given, the layers before it, and its arguments.
MASKS: dict[str, tuple[Callable[[Any], dict[str, Any]], list[str], dict[str, Any]]] = {
    "none": (lambda _: {}, [], {}),
    "of truth values": (lambda _: {"attn_mask": future()}, [], {"causal": True}),
    "of numbers": (
        lambda _: {"attn_mask": torch.full((LENGTH, LENGTH), -math.inf).triu(1), "is_causal": True},
        [],
        {"causal": True},
    ),
    "padding": (lambda p: {"key_padding_mask": p}, ["Not"], {"mask": "not1"}),
    "both": (
        lambda p: {"key_padding_mask": p, "attn_mask": future()},
        ["Not"],
        {"causal": True, "mask": "not1"},
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("by_export", "is_open"), EXPORTERS)
@pytest.mark.parametrize("need_weights", [False, True], ids=["fused", "weights"])
@pytest.mark.parametrize("batch_first", [True, False], ids=["NLE", "LNE"])
@pytest.mark.parametrize("name", MASKS)
def test_modules_under_masks(
    name: str, batch_first: bool, need_weights: bool, by_export: bool, is_open: bool, tmp_path: Path
) -> None:
    """Whatever comes first, whether weights are asked for, and whatever masks keys."""
    given, before, arguments = MASKS[name]
    module = Called(
        lambda m, x, p: m.a(x, x, x, need_weights=need_weights, **given(p))[0],
        a=nn.MultiheadAttention(WIDTH, HEADS, batch_first=batch_first),
    ).eval()
    size = (2, LENGTH) if batch_first else (LENGTH, 2)
    axes: Axes = [{0 if batch_first else 1: "n"}, {0: "n"}] if is_open else []
    samples = [torch.randn(*size, WIDTH), IGNORED]
    if not before:
        module = Called(lambda m, x: m.inner(x, None), inner=module)
        samples, axes = samples[:1], axes[:1]
    exported(module, samples, path := tmp_path / "model.onnx", axes, by_export)
    net = check(module, samples, path)
    assert [kind for kind in kinds_of(net) if kind != "Transpose"] == [*before, "ATTENTION"]
    found = arguments_of(net)
    assert found | {"mask": str(found.get("mask", "")).split(".")[-1]} == {"mask": ""} | arguments


def split(x: Any) -> Any:
    """Features divided among heads."""
    return x.view(*x.shape[:2], HEADS, -1).transpose(1, 2)


def joined(x: Any) -> Any:
    """Heads side by side."""
    return x.transpose(1, 2).reshape(x.shape[0], x.shape[2], -1)


def of_gpt(self: Any, tokens: Any, *, by_hand: bool) -> Any:
    """A layer of nanoGPT with its embeddings, in either of the ways in which it attends."""
    length = tokens.shape[1]
    x = self.tokens(tokens) + self.positions(torch.arange(length))
    q, k, v = (split(part) for part in self.qkv(x).split(WIDTH, 2))
    if not by_hand:
        return self.out(joined(F.scaled_dot_product_attention(q, k, v, is_causal=True)))
    scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(k.shape[-1]))
    scores = scores.masked_fill(self.bias[:, :, :length, :length] == 0, -math.inf)
    return self.out(joined(F.softmax(scores, -1) @ v))


def of_bert(self: Any, tokens: Any, mask: Any, *, fills: bool) -> Any:
    """A layer of BERT with its embeddings, whose mask holds ones for what is attended to."""
    x = self.tokens(tokens) + self.positions(self.places[:, : tokens.shape[1]])
    ignored = 1.0 - mask[:, None, None, :].to(x.dtype)
    least = torch.finfo(x.dtype).min
    bias = ignored.masked_fill(ignored.to(torch.bool), least) if fills else ignored * least
    q, k, v = (split(dense(x)) for dense in (self.q, self.k, self.v))
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + bias
    return self.out(joined(scores.softmax(-1) @ v))


def embedded(forward: Callable[..., Any], **modules: Any) -> Any:
    """A module with tables of tokens and of positions, and a last dense layer."""
    tables = {"tokens": nn.Embedding(9, WIDTH), "positions": nn.Embedding(LENGTH, WIDTH)}
    module = Called(forward, **tables, **modules, out=nn.Linear(WIDTH, WIDTH))
    module.register_buffer("bias", torch.ones(LENGTH, LENGTH).tril()[None, None])
    module.register_buffer("places", torch.arange(LENGTH)[None])
    return module


def dense(names: str, width: int = WIDTH) -> dict[str, Any]:
    """Dense layers by name."""
    return {name: nn.Linear(WIDTH, width) for name in names.split()}


GPT, TABLES = dense("qkv", 3 * WIDTH), ["EMBED", "POSEMBED", "ATTENTION"]
WRITTEN: dict[str, tuple[Any, list[Any], list[str], dict[str, Any]]] = {
    "GPT by a function": (
        embedded(lambda m, t: of_gpt(m, t, by_hand=False), **GPT),
        [TOKENS],
        TABLES,
        {"causal": True},
    ),
    "GPT by hand": (
        embedded(lambda m, t: of_gpt(m, t, by_hand=True), **GPT),
        [TOKENS],
        TABLES,
        {"causal": True},
    ),
    "BERT by a product": (
        embedded(lambda m, t, k: of_bert(m, t, k, fills=False), **dense("q k v")),
        [TOKENS, ONES],
        TABLES,
        {"mask": "x1"},
    ),
    "BERT by a fill": (
        embedded(lambda m, t, k: of_bert(m, t, k, fills=True), **dense("q k v")),
        [TOKENS, ONES],
        TABLES,
        {"mask": "x1"},
    ),
    "tokens of zero": (
        embedded(
            lambda m, t: m.out(
                joined(
                    F.scaled_dot_product_attention(
                        *(split(d(m.tokens(t))) for d in (m.q, m.k, m.v)),
                        attn_mask=(t != 0)[:, None, None],
                    )
                )
            ),
            **dense("q k v"),
        ),
        [TOKENS],
        ["EMBED", "ATTENTION"],
        {"mask": "x0"},
    ),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("by_export", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", WRITTEN)
def test_own_attention_of_any_length(name: str, by_export: bool, tmp_path: Path) -> None:
    """Attention as GPT and BERT write it, where the batch and the length are open."""
    module, samples, kinds, arguments = WRITTEN[name]
    path, axes = tmp_path / "model.onnx", [{0: "n", 1: "length"} for _ in samples]
    exported(module.eval(), samples, path, axes, by_export)
    net = netc.load_onnx(path)
    assert (kinds_of(net), arguments_of(net)) == (kinds, arguments)
    feeds = {spec.name: x.numpy() for spec, x in zip(net.inputs, samples, strict=True)}
    (wanted,), found = computed(onnx.load(path), feeds), net.run(feeds)
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)  # type: ignore[arg-type]
    again = netc.compile(net.to_text())
    assert again.params == net.params


LAYER = ["ATTENTION", "ADD", "LN", "LINEAR", "RELU", "LINEAR", "ADD", "LN"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("by_export", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_encoders_share_a_mask(by_export: bool, tmp_path: Path) -> None:
    """What makes the mask is read by each layer, and is part of none."""
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 32, batch_first=True)
    module = Called(
        lambda m, x, p: m.encoder(x, src_key_padding_mask=p),
        encoder=nn.TransformerEncoder(layer, 2, enable_nested_tensor=False),
    ).eval()
    samples = [torch.randn(2, LENGTH, WIDTH), IGNORED]
    exported(module, samples, path := tmp_path / "model.onnx", [{0: "n"}] * 2, by_export)
    assert kinds_of(check(module, samples, path)) == ["Not", *LAYER, *LAYER]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_encoders_as_they_are_trained(tmp_path: Path) -> None:
    """Exported for training, a layer has its dropouts, but for that of attention weights."""
    module = nn.TransformerEncoderLayer(WIDTH, HEADS, 32, batch_first=True, dropout=0.25)
    path = tmp_path / "model.onnx"
    exported(module, [torch.randn(2, LENGTH, WIDTH)], path, [], by_export=True)
    net = netc.load_onnx(path)
    assert [kind for kind in kinds_of(net) if kind != "DROPOUT"] == LAYER
    assert kinds_of(net).count("DROPOUT") == 3


@pytest.mark.filterwarnings("ignore")
def test_attention_as_it_is_trained(tmp_path: Path) -> None:
    """The rate at which attention weights are dropped is the layer's."""
    attention = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True, dropout=0.25)
    module = Called(lambda m, x: m.a(x, x, x)[0], a=attention)
    options = {"training": torch.onnx.TrainingMode.TRAINING, "do_constant_folding": False}
    sample, path = torch.randn(2, LENGTH, WIDTH), tmp_path / "model.onnx"
    exported(module, [sample], path, [{0: "n"}], by_export=False, **options)
    net = netc.load_onnx(path)
    assert (kinds_of(net), arguments_of(net)) == (["ATTENTION"], {"dropout": 0.25})
