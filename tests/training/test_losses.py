"""Every loss and its gradient against PyTorch in float64, on random settings."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.loss_rows import ROWS, LossRow, target
from support.losses import loss_of, term

from netc.runtime.kerneldef import Array

torch = pytest.importorskip("torch", reason="PyTorch is the oracle")
pytestmark = pytest.mark.oracle

SEEDS = range(12)
TOLERANCE = 1e-12
# Logits of such a size overflow every exponential.
SCALES = (1.0, 30.0, 1e4)

Tensor = Any
Oracle = Callable[[Tensor, Tensor], Tensor]


def compare(name: str, y: Array, t: Array, oracle: Oracle, **arguments: Any) -> None:
    """Value and gradient equal PyTorch's, relative to the largest number that is involved."""
    output = torch.tensor(y, requires_grad=True)
    expected = oracle(output, torch.tensor(t))
    expected.backward()
    found = loss_of(term(name, **arguments), y, t)
    scale = max(1.0, float(np.max(np.abs(y), initial=0.0)))
    assert abs(found.value - expected.item()) <= TOLERANCE * scale
    assert output.grad is not None
    expected_gradient = output.grad.numpy()
    largest = max(float(np.max(np.abs(expected_gradient), initial=0.0)), 1e-300)
    assert found.gradient.shape == y.shape
    assert np.max(np.abs(found.gradient - expected_gradient)) <= TOLERANCE * max(largest, 1.0)


def logits(random: np.random.Generator, *, classes: int | None = None) -> Array:
    """Logits of a vector or an image, of some extents and some scale."""
    classes = int(random.integers(2, 9)) if classes is None else classes
    positions = tuple(int(n) for n in random.integers(1, 5, random.choice([0, 2])))
    shape = (int(random.integers(1, 7)), classes, *positions)
    return random.normal(0, random.choice(SCALES), shape)


def indices(random: np.random.Generator, y: Array) -> Array:
    """A class index per position."""
    return random.integers(0, y.shape[1], (y.shape[0], *y.shape[2:]))


@pytest.mark.parametrize("row", ROWS, ids=str)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_loss(row: LossRow, seed: int) -> None:
    """Every loss of the table on logits of some scale; numbers also where nothing is wrong."""
    random = np.random.default_rng(seed)
    y = np.asarray(random.normal(0, 1, logits(random).shape))
    if row.torch == "multi_margin_loss":  # which takes vectors only
        y = y.reshape(-1, y.shape[1])
    t = target(row.kind, random, y.shape)
    scale = random.choice([0.5, 1.0] if row.name == "mse" else SCALES)  # squares lose digits
    y, t = y * scale, t * scale if row.kind == "numbers" else t
    if row.kind == "numbers":
        right = random.random(y.shape) < 0.2
        y[right] = t[right] = 0.0

    def oracle(output: Tensor, wanted: Tensor) -> Tensor:
        if isinstance(row.torch, str):
            return getattr(torch.nn.functional, row.torch)(output, wanted, **row.arguments)
        return row.torch(torch, output, wanted, **row.arguments)

    compare(row.name, y, t, oracle, **row.arguments)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("seed", SEEDS)
def test_cross_entropy_of_indices(seed: int, smoothing: float) -> None:
    """Class indices, per sample and per pixel, some of them ignored, with label smoothing."""
    random = np.random.default_rng(seed)
    y = logits(random)
    t = indices(random, y)
    ignored = int(random.choice([-100, 255, 0]))
    t[random.random(t.shape) < 0.3] = ignored
    t[0, ...] = np.where(t[0] == ignored, 1, t[0])

    def oracle(output: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(
            output, target, ignore_index=ignored, label_smoothing=smoothing
        )

    compare("cross_entropy", y, t, oracle, ignore_index=ignored, label_smoothing=smoothing)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("seed", SEEDS)
def test_weights_of_classes(seed: int, smoothing: float) -> None:
    """Of indices, ignored ones among them, and of probabilities; PyTorch's `weight`."""
    random = np.random.default_rng(seed)
    y = logits(random)
    weights = tuple(float(w) for w in random.uniform(0, 3, y.shape[1]))
    t = indices(random, y)
    t[random.random(t.shape) < 0.2] = -100
    for given in (t, np.moveaxis(np.eye(y.shape[1])[np.abs(t) % y.shape[1]], -1, 1)):

        def oracle(output: Tensor, wanted: Tensor) -> Tensor:
            weight = torch.tensor(weights, dtype=torch.float64)
            if not wanted.is_floating_point() and bool((wanted == -100).all()):
                return 0 * output.sum()
            return torch.nn.functional.cross_entropy(
                output, wanted, weight=weight, label_smoothing=smoothing
            )

        arguments = {"label_smoothing": smoothing, "class_weights": weights}
        compare("cross_entropy", y, given, oracle, **arguments)


@pytest.mark.parametrize("several", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_weight_of_yes(seed: int, several: bool) -> None:
    """One number, or one for each channel; PyTorch's `pos_weight`."""
    random = np.random.default_rng(seed)
    y = logits(random)
    t = target("truth", random, y.shape)
    weights = tuple(float(w) for w in random.uniform(0, 5, y.shape[1]))
    given = weights if several else weights[0]

    def oracle(output: Tensor, wanted: Tensor) -> Tensor:
        weight = torch.tensor(given, dtype=torch.float64)
        weight = weight.reshape(-1, *(1,) * (output.ndim - 2))
        return torch.nn.functional.binary_cross_entropy_with_logits(
            output, wanted, pos_weight=weight
        )

    compare("binary_cross_entropy", y, t, oracle, pos_weight=given)


@pytest.mark.parametrize("seed", SEEDS)
def test_cross_entropy_per_position(seed: int) -> None:
    """In sequences (N, L, C) the classes come last."""
    random = np.random.default_rng(seed)
    y = random.normal(0, random.choice(SCALES), (3, 5, 4))
    t = random.integers(0, 4, (3, 5))
    t[random.random(t.shape) < 0.3] = -100
    t[0, 0] = 2

    def oracle(output: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(output.transpose(1, 2), target)

    compare("cross_entropy", y, t, oracle)


def test_one_hot_is_indices() -> None:
    """A one-hot target means what its class index means, with smoothing, too."""
    random = np.random.default_rng(0)
    y, t = random.normal(0, 2, (6, 5)), random.integers(0, 5, 6)
    for arguments in ({}, {"label_smoothing": 0.1}):
        by_index = loss_of(term("cross_entropy", **arguments), y, t)
        by_probability = loss_of(term("cross_entropy", **arguments), y, np.eye(5)[t])
        assert by_index.value == pytest.approx(by_probability.value, abs=1e-14)
        np.testing.assert_allclose(by_index.gradient, by_probability.gradient, atol=1e-15)


@pytest.mark.parametrize("signs", [(-1.0, 1.0), (0.0, 1.0)], ids=["signs", "truth"])
@pytest.mark.parametrize("seed", SEEDS)
def test_binary_hinge(seed: int, signs: tuple[float, float]) -> None:
    """Scores and targets of {-1, 1} or {0, 1}: the mean of max(0, margin - t y)."""
    random = np.random.default_rng(seed)
    y = random.normal(0, random.choice([1.0, 1e4]), (int(random.integers(1, 9)), 3))
    t = random.choice(signs, y.shape)
    margin = float(random.choice([0.5, 1.0, 2.0]))

    def oracle(output: Tensor, target: Tensor) -> Tensor:
        side = torch.where(target > 0, 1.0, -1.0).double()
        return torch.clamp(margin - side * output, min=0).mean()

    compare("hinge", y, t, oracle, margin=margin)
