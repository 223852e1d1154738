"""Attention where masks leave some positions no key, beside causality and learned biases."""

from typing import Any

import numpy as np
import pytest
from support.engines import on_both
from support.layers import random_state

import netc
from netc.runtime.kerneldef import Array

LENGTH, WIDTH = 5, 4
KEYS = np.array([[0, 1, 1, 0, 1], [0, 0, 0, 0, 0], [0, 0, 1, 1, 1], [1, 0, 0, 0, 0]])
PAIRS = np.random.default_rng(7).integers(0, 2, (4, LENGTH, LENGTH)) * KEYS[:, :, None]

# A mask's declaration, and how it says which keys may be attended to.
MASKS: dict[str, tuple[str, Any]] = {
    "integers": (f"INPUT({LENGTH}, dtype=int64)", lambda kept: kept),
    "doubles": (f"INPUT({LENGTH}, dtype=float64)", lambda kept: np.where(kept, 0, -1e300)),
    "booleans": (f'INPUT({LENGTH}) -> op("Cast", to=bool)', lambda kept: 3 * kept),
    "infinities": (f"INPUT({LENGTH})", lambda kept: np.where(kept, 0, -np.inf)),
    "lowest": (f"INPUT({LENGTH})", lambda kept: np.where(kept, 0, np.finfo(np.float32).min)),
    "own": (f"INPUT({LENGTH})", lambda kept: np.where(kept, 0, -1e38)),
}


def _program(declared: str, *, causal: bool, relative: bool) -> netc.Network:
    flags = f"causal={'yes' if causal else 'no'}, relative={'yes' if relative else 'no'}"
    return netc.compile(
        f"x = INPUT({LENGTH}x{WIDTH}, sequence)\n{declared} as m\n"
        f"x -> ATTENTION(2, mask=m, {flags}) as l"
    )


def _reference(x: Any, kept: Array, state: dict[str, Any], *, causal: bool) -> Any:
    """By hand: weights are equal over what a position may see, where the mask leaves it none."""
    import torch

    kept = np.broadcast_to(kept if kept.ndim == 3 else kept[:, None, :], (4, LENGTH, LENGTH)) != 0
    seen = np.tril(np.ones((LENGTH, LENGTH), bool)) if causal else np.ones((LENGTH, LENGTH), bool)
    lost = torch.from_numpy(~(kept & seen).any(-1))[:, None, :, None]
    left = torch.from_numpy(kept & seen)[:, None]
    q, k, v = (x @ state["l.in_proj_weight"].T + state["l.in_proj_bias"]).chunk(3, -1)
    q, k, v = (part.reshape(4, LENGTH, 2, 2).transpose(1, 2) for part in (q, k, v))
    scores = q @ k.transpose(2, 3) / 2**0.5
    if "l.relative_position_bias_table" in state:
        places = torch.arange(LENGTH)
        table = state["l.relative_position_bias_table"]
        scores = scores + table[places[:, None] - places + LENGTH - 1].permute(2, 0, 1)
    scores = torch.where(lost, 0.0, scores)
    scores = scores.masked_fill(~torch.where(lost, torch.from_numpy(seen), left), -torch.inf)
    y = (scores.softmax(-1) @ v).transpose(1, 2).reshape(4, LENGTH, WIDTH)
    return y @ state["l.out_proj.weight"].T + state["l.out_proj.bias"]


@pytest.mark.oracle
@pytest.mark.parametrize("relative", [False, True])
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("pairs", [False, True])
@pytest.mark.parametrize("kind", MASKS)
def test_values_and_gradients(kind: str, pairs: bool, causal: bool, relative: bool) -> None:
    """Both engines yield the closed form, and gradients that are those of the closed form."""
    import torch

    declared, spell = MASKS[kind]
    kept = PAIRS if pairs else KEYS
    if pairs:
        extents = f"INPUT({LENGTH}x{LENGTH}, sequence"
        declared = declared.replace(f"INPUT({LENGTH}", extents)
    network = _program(declared, causal=causal, relative=relative)
    state = random_state(network)
    x = np.random.default_rng(1).standard_normal((4, LENGTH, WIDTH)).astype(np.float32)
    names = [spec.name for spec in network.inputs]
    numbers = spell(kept).astype(network.inputs[1].dtype)
    feeds = dict(zip(names, (x, numbers), strict=True))
    graph = network.backward(loss="mse")
    feeds |= {"target": np.zeros_like(x)}
    weights = {n: torch.from_numpy(a.astype(np.float64)).requires_grad_() for n, a in state.items()}
    expected = _reference(torch.from_numpy(x.astype(np.float64)), kept, weights, causal=causal)
    expected.square().mean().backward()
    for found in on_both(graph, feeds, state):
        np.testing.assert_allclose(found["output"], expected.detach().numpy(), atol=1e-5)
        for name, weight in weights.items():
            np.testing.assert_allclose(found[f"{name}.grad"], weight.grad.numpy(), atol=1e-5)
