"""Every loss and its gradient against PyTorch in float64, on random settings."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from support.losses import Array, loss_of, term

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


def probabilities(random: np.random.Generator, y: Array) -> Array:
    """A distribution per position, or a one-hot one."""
    if random.integers(2):
        return np.moveaxis(np.eye(y.shape[1])[indices(random, y)], -1, 1)
    drawn = random.dirichlet(np.ones(y.shape[1]), (y.shape[0], *y.shape[2:]))
    return np.moveaxis(drawn, -1, 1)


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


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("seed", SEEDS)
def test_cross_entropy_of_probabilities(seed: int, smoothing: float) -> None:
    """A probability for each class, one-hot or not, per sample and per pixel."""
    random = np.random.default_rng(seed)
    y = logits(random)

    def oracle(output: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.cross_entropy(output, target, label_smoothing=smoothing)

    compare("cross_entropy", y, probabilities(random, y), oracle, label_smoothing=smoothing)


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


@pytest.mark.parametrize("seed", SEEDS)
def test_nll(seed: int) -> None:
    """Log-probabilities and class indices, some of them ignored."""
    random = np.random.default_rng(seed)
    y = logits(random)
    t = indices(random, y)
    t[random.random(t.shape) < 0.3] = -1
    t[0, ...] = 1

    def oracle(output: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.nll_loss(output, target, ignore_index=-1)

    compare("nll", y, t, oracle, ignore_index=-1)


@pytest.mark.parametrize("seed", SEEDS)
def test_binary_cross_entropy(seed: int) -> None:
    """Logits and targets of 0, 1 or between; at a logit of 0 the gradient is 1/2 - t."""
    random = np.random.default_rng(seed)
    y = logits(random)
    y[random.random(y.shape) < 0.1] = 0.0
    t = np.asarray(random.uniform(0.0, 1.0, y.shape))
    t = (t > 0.5).astype(np.float64) if seed % 2 else t
    compare("binary_cross_entropy", y, t, torch.nn.functional.binary_cross_entropy_with_logits)


def _log_cosh(output: Tensor, target: Tensor) -> Tensor:
    error = (output - target).abs()
    return (error + torch.nn.functional.softplus(-2 * error, threshold=1e9) - np.log(2)).mean()


ELEMENTWISE: Mapping[str, tuple[str, dict[str, Any], Oracle]] = {
    "mse": ("mse", {}, torch.nn.functional.mse_loss),
    "half": ("mse", {"half": True}, lambda y, t: ((y - t) ** 2).sum() / len(y) / 2),
    "mae": ("mae", {}, torch.nn.functional.l1_loss),
    "huber": ("huber", {}, torch.nn.functional.huber_loss),
    "narrow": (
        "huber",
        {"delta": 0.3},
        lambda y, t: torch.nn.functional.huber_loss(y, t, delta=0.3),
    ),
    "wide": (
        "huber",
        {"delta": 50.0},
        lambda y, t: torch.nn.functional.huber_loss(y, t, delta=50.0),
    ),
    "log_cosh": ("log_cosh", {}, _log_cosh),
}


@pytest.mark.parametrize("case", ELEMENTWISE)
@pytest.mark.parametrize("seed", SEEDS)
def test_elementwise(case: str, seed: int) -> None:
    """Losses of differences, for small and for very large ones, and for none."""
    name, arguments, oracle = ELEMENTWISE[case]
    random = np.random.default_rng(seed)
    scale = random.choice([0.5, 30.0, 1e3] if name == "mse" else SCALES)
    shape = tuple(int(n) for n in random.integers(1, 6, random.choice([1, 2, 3, 4])))
    y = random.normal(0, scale, shape)
    t = random.normal(0, scale, shape)
    t[random.random(shape) < 0.2] = 0.0
    y[t == 0.0] = 0.0
    if name == "mse":  # sums of squares are compared with what they are sums of
        y, t = y / scale, t / scale
    compare(name, y, t, oracle, **arguments)


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


@pytest.mark.parametrize("seed", SEEDS)
def test_hinge_of_classes(seed: int) -> None:
    """Scores and class indices: PyTorch's `MultiMarginLoss`."""
    random = np.random.default_rng(seed)
    shape = (int(random.integers(1, 9)), int(random.integers(2, 9)))
    y = random.normal(0, random.choice([1.0, 1e4]), shape)
    margin = float(random.choice([0.5, 1.0, 2.0]))

    def oracle(output: Tensor, target: Tensor) -> Tensor:
        return torch.nn.functional.multi_margin_loss(output, target, margin=margin)

    compare("hinge", y, indices(random, y), oracle, margin=margin)
