"""LSTM, GRU and RNN of two layers and two directions against PyTorch: values and gradients."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from support.layers import norm_error

from netc.compiler import ops  # noqa: F401 - fills the op table
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, symbol
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import verify
from netc.compiler.ops.gradient import pullback
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array

TOLERANCE = 1e-8
LENGTH, BATCHED, INPUTS, HIDDEN, LAYERS = 7, 4, 3, 5, 2
# Where PyTorch's gates are in ONNX's order.
ORDERS = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "LSTM": {},
    "GRU": {"linear_before_reset": 1},
    "RNN": {},
}
STATES = {"LSTM": ("h", "c"), "GRU": ("h",), "RNN": ("h",)}
LENGTHS = (7, 5, 3, 1)  # PyTorch packs the longest first


def _weights(op_type: str, module: Any, layer: int) -> list[Any]:
    """W, R and b of both directions of a layer, from tensors of PyTorch's module."""
    import torch

    def ordered(tensor: Any) -> Any:
        gates = tensor.chunk(len(ORDERS[op_type]))
        return torch.cat([gates[i] for i in ORDERS[op_type]])

    ends = (f"l{layer}", f"l{layer}_reverse")
    found = [
        torch.stack([ordered(getattr(module, f"weight_{part}_{end}")) for end in ends])
        for part in ("ih", "hh")
    ]
    biases = [
        torch.cat([ordered(getattr(module, f"bias_{part}_{end}")) for part in ("ih", "hh")])
        for end in ends
    ]
    return [*found, torch.stack(biases)]


def _network(op_type: str) -> tuple[Graph, dict[str, Value], list[Value]]:
    """A graph, what it takes, and y with the last states of both layers."""
    build = Builder(Graph("net"))
    sizes = len(ORDERS[op_type]) * HIDDEN

    def real(name: str, *shape: Any) -> Value:
        return build.input(name, TensorType(DType.FLOAT32, shape))

    x = y = real("x", symbol("S"), BATCH, INPUTS)
    lengths = build.input("lengths", TensorType(DType.INT32, (BATCH,)))
    taken, yielded = {"x": x}, []
    for layer in range(LAYERS):
        width = y.shape[2]
        w, r = real(f"w{layer}", 2, sizes, width), real(f"r{layer}", 2, sizes, HIDDEN)
        b = real(f"b{layer}", 2, 2 * sizes)
        states = [real(f"{name}{layer}", 2, BATCH, HIDDEN) for name in STATES[op_type]]
        given = {f"w{layer}": w, f"r{layer}": r, f"b{layer}": b}
        taken |= given | {f"{n}{layer}": v for n, v in zip(STATES[op_type], states, strict=True)}
        rows, *last = build.op(
            op_type,
            (y, w, r, b, lengths, *states),
            {"direction": "bidirectional", **SETTINGS[op_type]},
            outputs=1 + len(states),
        )
        y = build.Reshape(
            build.Transpose(rows, perm=(0, 2, 1, 3)), build.index_constant((0, 0, 2 * HIDDEN))
        )
        yielded += last
    return build.graph, taken, [y, *yielded]


def _ours(op_type: str, feeds: Mapping[str, Array], arrived: Sequence[Array]) -> dict[str, Array]:
    """Values `y0`, `y1` and so on, and gradients by what they are of."""
    graph, taken, values = _network(op_type)
    build = Builder(graph)
    seeds = {v: build.input(f"seed{i}", v.type) for i, v in enumerate(values)}
    found = pullback(build, seeds, list(taken.values()))
    graph.outputs = {f"y{i}": value for i, value in enumerate(values)}
    graph.outputs |= {n: v for n, v in zip(taken, found, strict=True) if v is not None}
    verify(graph, after="differentiation")
    seeds_given = {f"seed{i}": each for i, each in enumerate(arrived)}
    return run(plan(graph, dtype="float64"), {**feeds, **seeds_given}, {})


@pytest.mark.oracle
@pytest.mark.parametrize("op_type", ORDERS)
@pytest.mark.parametrize("lengths", [LENGTHS, (LENGTH,) * BATCHED], ids=["varied", "full"])
def test_like_pytorch(op_type: str, lengths: tuple[int, ...]) -> None:
    """Values and gradients are PyTorch's in float64, for sequences of other lengths, too."""
    torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
    torch.manual_seed(0)
    module = getattr(torch.nn, op_type)(INPUTS, HIDDEN, LAYERS, bidirectional=True).double()
    random = np.random.default_rng(0)
    x = torch.tensor(random.standard_normal((LENGTH, BATCHED, INPUTS)), requires_grad=True)
    shape = (2 * LAYERS, BATCHED, HIDDEN)
    first = [
        torch.tensor(random.standard_normal(shape), requires_grad=True) for _ in STATES[op_type]
    ]
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, torch.tensor(lengths))
    y, last = module(packed, tuple(first) if op_type == "LSTM" else first[0])
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, total_length=LENGTH)
    last = last if op_type == "LSTM" else (last,)
    weights = [_weights(op_type, module, layer) for layer in range(LAYERS)]
    values = [y, *(each[2 * layer : 2 * layer + 2] for layer in range(LAYERS) for each in last)]
    seeds = [torch.tensor(random.standard_normal(value.shape)) for value in values]
    leaves = [x, *first, *(p for p in module.parameters())]
    total = sum((value * seed).sum() for value, seed in zip(values, seeds, strict=True))
    grads = torch.autograd.grad(total, leaves)
    feeds = {"x": x.detach().numpy(), "lengths": np.array(lengths, np.int32)}
    expected = {"x": grads[0].numpy()}
    expected |= {f"y{i}": value.detach().numpy() for i, value in enumerate(values)}
    slopes = dict(
        zip((n for n, _ in module.named_parameters()), grads[1 + len(first) :], strict=True)
    )
    shadow = type("Shadow", (), slopes)
    for layer in range(LAYERS):
        rows = slice(2 * layer, 2 * layer + 2)
        named = zip("wrb", weights[layer], _weights(op_type, shadow, layer), strict=True)
        for name, value, slope in named:
            feeds[f"{name}{layer}"] = value.detach().numpy()
            expected[f"{name}{layer}"] = slope.numpy()
        for name, value, slope in zip(STATES[op_type], first, grads[1:], strict=False):
            feeds[f"{name}{layer}"] = value.detach().numpy()[rows]
            expected[f"{name}{layer}"] = slope.numpy()[rows]
    found = _ours(op_type, feeds, [seed.numpy() for seed in seeds])
    assert found.keys() == expected.keys()
    for name, array in found.items():
        assert norm_error(array, expected[name]) <= TOLERANCE, name
