"""Queries and keys that are turned by their positions, as PyTorch's users write it -> `ROPE`."""

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

WIDTH, HEADS, KV_HEADS, DEPTH, LENGTH = 32, 4, 2, 8, 7


def angles(length: int) -> Any:
    """The angle of each position and pair, (L, D / 2)."""
    rates = 500.0 ** (-torch.arange(0, DEPTH, 2).float() / DEPTH)
    return torch.arange(length).float()[:, None] * rates


def rotated_half(x: Any, angle: Any) -> Any:
    """As Hugging Face's Transformers do for Llama."""
    cosine, sine = (torch.cat([f(angle)] * 2, -1)[None, None] for f in (torch.cos, torch.sin))
    first, second = x[..., : DEPTH // 2], x[..., DEPTH // 2 :]
    return x * cosine + torch.cat([-second, first], -1) * sine


def chunked(x: Any, angle: Any) -> Any:
    """Both halves by themselves."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1)


def neighbours(x: Any, angle: Any) -> Any:
    """Pairs of neighbours, as in the paper."""
    a, b = x[..., ::2], x[..., 1::2]
    turned = a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()
    return torch.stack(turned, -1).flatten(-2)


def scaled(x: Any, angle: Any) -> Any:
    """By other angles at the positions from 4 on."""
    return chunked(x, torch.where(torch.arange(len(angle))[:, None] > 3, 0.5 * angle, angle))


Turn = Callable[[Any, Any], Any]
HALVES = {"base": 500.0}
# How heads are turned, and the arguments of `ROPE`; None where it is none.
FORMS: dict[str, tuple[Turn, dict[str, Any] | None]] = {
    "a rotated half": (rotated_half, HALVES),
    "halves": (chunked, HALVES),
    "neighbours": (neighbours, {**HALVES, "layout": "pairs"}),
    "other angles": (scaled, None),
}


def attention(turn: Turn) -> Any:
    """Attention with grouped, turned and normalized queries and keys."""

    def forward(module: Any, x: Any) -> Any:
        length = x.shape[1]
        q, k, v = (
            each(x).unflatten(2, (-1, DEPTH)).transpose(1, 2)
            for each in (module.q, module.k, module.v)
        )
        angle = angles(length)
        q, k = turn(q, angle), turn(k, angle)
        k, v = (
            each[:, :, None].expand(-1, -1, HEADS // KV_HEADS, -1, -1).flatten(1, 2)
            for each in (k, v)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return module.o(y.transpose(1, 2).flatten(2))

    narrow = KV_HEADS * DEPTH
    return Called(
        forward,
        q=nn.Linear(WIDTH, WIDTH, bias=False),
        k=nn.Linear(WIDTH, narrow, bias=False),
        v=nn.Linear(WIDTH, narrow, bias=False),
        o=nn.Linear(WIDTH, WIDTH),
    ).eval()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("is_open", [False, True], ids=["fixed", "open"])
@pytest.mark.parametrize("by_export", [False, pytest.param(True, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", FORMS)
def test_turned_queries_and_keys(name: str, by_export: bool, is_open: bool, tmp_path: Path) -> None:
    """Whatever operators turn pairs of channels, it is one layer before an attention."""
    turn, arguments = FORMS[name]
    module, x, path = attention(turn), torch.randn(1, LENGTH, WIDTH), tmp_path / "model.onnx"
    axes = {0: "n", 1: "length"}
    options: dict[str, Any] = {"dynamo": by_export, "input_names": ["x"]}
    if by_export:
        options |= {"verbose": False, "dynamic_shapes": ((axes,),) if is_open else None}
    elif is_open:
        options["dynamic_axes"] = {"x": axes}
    torch.onnx.export(module, (x,), path, **options)
    net = netc.load_onnx(path)
    found = [layer for layer in net.graph.layers.values() if layer.kind == "ROPE"]
    if arguments is None:
        assert not found
    else:
        given = [{n: a for n, a in f.arguments.items() if n not in f.defaulted} for f in found]
        assert [{"heads": n, **arguments} for n in (HEADS, KV_HEADS)] == given
        ends = ["LINEAR", "ROPE", "LINEAR", "ROPE", "LINEAR", "ATTENTION", "LINEAR"]
        assert sorted(kinds_of(net)) == sorted(ends)
        assert netc.compile(net.to_text()).params == net.params
    samples = x.numpy()
    (wanted,), y = computed(onnx.load(path), {"x": samples}), net.run(samples)
    assert isinstance(y, np.ndarray)
    assert np.linalg.norm(y - wanted) <= 1e-4 * np.linalg.norm(wanted)
