"""Random settings of `ATTENTION` compute what `torch.nn.MultiheadAttention` computes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layers import norm_error, random_state

import netc

pytestmark = pytest.mark.oracle

TOLERANCE = 1e-10
EXAMPLES = settings(max_examples=60)

HEADS, DEPTH, LENGTH = st.integers(1, 4), st.integers(1, 5), st.integers(1, 7)
SEEDS = st.integers(0, 2**32 - 1)


def compare(program: str, feeds: dict[str, Any], **mask: Any) -> None:
    """The program's layer `l` equals PyTorch's with the same weights under the same names."""
    import torch

    network = netc.compile(program)
    heads = network.graph.layers["l"].arguments["heads"]
    state = random_state(network)
    sequences = [torch.from_numpy(feeds[name]) for name in "qkv"]
    layer = torch.nn.MultiheadAttention(
        sequences[0].shape[2],
        heads,
        kdim=sequences[1].shape[2],
        vdim=sequences[2].shape[2],
        bias="l.in_proj_bias" in state,
        batch_first=True,
        dtype=torch.float64,
    )
    layer.load_state_dict(
        {name: torch.from_numpy(state[f"l.{name}"].copy()) for name in layer.state_dict()}
    )
    with torch.no_grad():
        expected, _ = layer(*sequences, need_weights=False, **mask)
    inputs = {spec.name: feeds[spec.name] for spec in network.inputs}
    found = network.run(inputs, state)
    assert isinstance(found, np.ndarray)
    assert norm_error(found, expected.numpy()) <= TOLERANCE


def sequence(name: str, length: int, width: int) -> str:
    """A line of a program: an input that bears a name."""
    return f"INPUT({length}x{width}, sequence, dtype=float64) as {name}\n"


def drawn(seed: int, *shapes: tuple[int, ...]) -> dict[str, Any]:
    """Queries, keys and values of three samples."""
    random = np.random.default_rng(seed)
    arrays = [random.normal(size=(3, *shape)) for shape in shapes]
    return dict(zip("qkv", arrays * 3 if len(arrays) == 1 else arrays, strict=True))


def future(length: int, keys: int) -> Any:
    """PyTorch's mask of what lies behind each position: true where it may not attend."""
    import torch

    return torch.ones(length, keys, dtype=torch.bool).triu(1)


@EXAMPLES
@given(HEADS, DEPTH, LENGTH, st.booleans(), st.booleans(), SEEDS)
def test_self_attention(
    heads: int, depth: int, length: int, causal: bool, bias: bool, seed: int
) -> None:
    """One sequence attends to itself, causally or not, with biases or without."""
    width = heads * depth
    flags = f"causal={'yes' if causal else 'no'}, bias={'yes' if bias else 'no'}"
    program = sequence("q", length, width) + f"q -> ATTENTION({heads}, {flags}) as l"
    mask = {"attn_mask": future(length, length)} if causal else {}
    compare(program, drawn(seed, (length, width)), **mask)


@EXAMPLES
@given(HEADS, DEPTH, LENGTH, LENGTH, st.tuples(DEPTH, DEPTH), st.booleans(), SEEDS)
def test_cross_attention(
    heads: int, depth: int, length: int, keys: int, widths: tuple[int, int], causal: bool, seed: int
) -> None:
    """Keys and values are of another length and of other widths than the queries."""
    shapes = ((length, heads * depth), (keys, widths[0]), (keys, widths[1]))
    inputs = "".join(sequence(name, *shape) for name, shape in zip("qkv", shapes, strict=True))
    flag = "yes" if causal else "no"
    program = inputs + f"( q | k | v ) -> ATTENTION({heads}, causal={flag}) as l"
    mask = {"attn_mask": future(length, keys)} if causal else {}
    compare(program, drawn(seed, *shapes), **mask)


@EXAMPLES
@given(HEADS, DEPTH, LENGTH, LENGTH, SEEDS)
def test_masked_keys(heads: int, depth: int, length: int, keys: int, seed: int) -> None:
    """Integers mask keys where they are 0: PyTorch's `key_padding_mask`, inverted."""
    import torch

    shapes = ((length, heads * depth), (keys, heads * depth), (keys, heads * depth))
    inputs = "".join(sequence(name, *shape) for name, shape in zip("qkv", shapes, strict=True))
    program = (
        f"{inputs}INPUT({keys}, dtype=int64) as m\n( q | k | v ) -> ATTENTION({heads}, mask=m) as l"
    )
    feeds = drawn(seed, *shapes)
    feeds["m"] = np.random.default_rng(seed).integers(0, 2, (3, keys))
    feeds["m"][:, seed % keys] = 7  # PyTorch gives NaN where no key is left
    compare(program, feeds, key_padding_mask=torch.from_numpy(feeds["m"] == 0))


@EXAMPLES
@given(HEADS, DEPTH, LENGTH, st.booleans(), SEEDS)
def test_added_mask(heads: int, depth: int, length: int, causal: bool, seed: int) -> None:
    """Real numbers are added to the scores, sample by sample, beside the causal mask."""
    import torch

    width = heads * depth
    program = (
        sequence("q", length, width)
        + sequence("m", length, length)
        + f"q -> ATTENTION({heads}, mask=m, causal={'yes' if causal else 'no'}) as l"
    )
    feeds = drawn(seed, (length, width))
    feeds["m"] = np.random.default_rng(seed + 1).normal(size=(3, length, length))
    added = torch.from_numpy(feeds["m"]).repeat_interleave(heads, 0)
    if causal:
        added = added.masked_fill(future(length, length), -torch.inf)
    compare(program, feeds, attn_mask=added)
