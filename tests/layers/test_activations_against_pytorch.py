"""Activations and embeddings against PyTorch, on random extents, slopes and values."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layers import norm_error

import netc

pytestmark = [pytest.mark.oracle, pytest.mark.slow]

# The layer as a program spells it, with a hole for a random number, and PyTorch's function.
ACTIVATIONS = {
    "RELU": "relu",
    "RELU6": "relu6",
    "LRELU(slope={a})": "leaky_relu:negative_slope",
    "ELU(alpha={a})": "elu:alpha",
    "CELU(alpha={a})": "celu:alpha",
    "SELU": "selu",
    "GELU": "gelu",
    "SWISH": "silu",
    "SIGMOID": "sigmoid",
    "TANH": "tanh",
    "HARDSIGMOID": "hardsigmoid",
    "HARDSWISH": "hardswish",
    "SOFTPLUS": "softplus",
    "SOFTSIGN": "softsign",
    "MISH": "mish",
}


def torch_activation(name: str, x: Any, number: float) -> Any:
    """PyTorch's function of a name, with the number as the keyword behind the colon."""
    from torch.nn import functional

    function, _, keyword = name.partition(":")
    return getattr(functional, function)(x, **({keyword: number} if keyword else {}))


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(ACTIVATIONS)),
    st.lists(st.integers(1, 5), min_size=1, max_size=4),
    st.integers(1, 300),
    st.sampled_from([1e-3, 1.0, 8.0, 60.0]),
    st.integers(0, 2**16),
)
def test_activations(
    call: str, extents: list[int], hundredths: int, scale: float, seed: int
) -> None:
    """Each activation means PyTorch's, near zero and where it saturates."""
    import torch

    number = hundredths / 100
    size = f"({', '.join(map(str, extents))},)"
    network = netc.compile(f"INPUT({size}) -> {call.format(a=number)} as l")
    shape = [3 if dim == "N" else int(dim) for dim in network.inputs[0].shape]
    x = np.random.default_rng(seed).standard_normal(shape) * scale
    found = network.run(x, {}, dtype="float64")
    assert isinstance(found, np.ndarray)
    expected = torch_activation(ACTIVATIONS[call], torch.from_numpy(x), number).numpy()
    assert norm_error(found, expected) <= 1e-10


@settings(max_examples=30)
@given(st.integers(1, 50), st.integers(1, 16), st.integers(1, 9), st.integers(0, 2**16))
def test_embeddings(vocabulary: int, width: int, length: int, seed: int) -> None:
    """Token embeddings with added positions are PyTorch's `embedding` plus the table's rows."""
    import torch
    from torch.nn.functional import embedding

    network = netc.compile(
        f"INPUT({length}, dtype=int64) -> EMBED({vocabulary}, {width}) as e -> POSEMBED as p"
    )
    state = network.initialize(seed)
    ids = np.random.default_rng(seed).integers(0, vocabulary, (2, length))
    found = network.run(ids, state)
    assert isinstance(found, np.ndarray)
    table, places = (torch.from_numpy(state[name]) for name in ("e.weight", "p.weight"))
    expected = (embedding(torch.from_numpy(ids), table) + places).numpy()
    assert norm_error(found, expected) <= 1e-6
