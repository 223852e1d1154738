"""The rows of the tests of losses: a loss, a kind of target, and what PyTorch calls it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from netc.runtime.kerneldef import Array

Tensor = Any
Kind = Literal["indices", "probabilities", "truth", "numbers"]


@dataclass(frozen=True)
class LossRow:
    """A loss as it is tested.

    Attributes:
        name: Its name.
        kind: What its targets are.
        torch: The function of `torch.nn.functional` that takes an output, a target and the same
            arguments; or what takes `torch` before these.
        arguments: Its arguments.
    """

    name: str
    kind: Kind
    torch: str | Callable[..., Tensor]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value}" for name, value in self.arguments.items())
        return f"{self.name}({arguments}) of {self.kind}"


def target(kind: Kind, random: np.random.Generator, shape: tuple[int, ...], axis: int = 1) -> Array:
    """A target for outputs of a shape, the classes on an axis."""
    if kind == "indices":
        return random.integers(0, shape[axis], (*shape[:axis], *shape[axis + 1 :]))
    if kind == "probabilities":
        drawn = random.dirichlet(np.ones(shape[axis]), (*shape[:axis], *shape[axis + 1 :]))
        return np.moveaxis(drawn, -1, axis)
    return random.integers(0, 2, shape) * 1.0 if kind == "truth" else random.normal(0, 1, shape)


def partly_given(kind: Kind, random: np.random.Generator, t: Array) -> Array:
    """A target of which some elements are NaN, where such are left out."""
    if kind in ("indices", "probabilities"):
        return t
    return np.where(random.random(t.shape) < 0.2, np.nan, t)


def _kl_divergence(torch: Any, y: Tensor, t: Tensor) -> Tensor:
    return torch.nn.KLDivLoss(reduction="batchmean")(torch.log_softmax(y, 1), t)


def _half(torch: Any, y: Tensor, t: Tensor, *, half: bool) -> Tensor:
    return ((y - t) ** 2).sum() / len(y) / 2


def _log_cosh(torch: Any, y: Tensor, t: Tensor) -> Tensor:
    error = (y - t).abs()
    return (error + torch.nn.functional.softplus(-2 * error, threshold=1e9) - np.log(2)).mean()


def _focal(
    torch: Any, y: Tensor, t: Tensor, *, gamma: float = 2.0, alpha: float | None = 0.25
) -> Tensor:
    """torchvision's `sigmoid_focal_loss`, the mean."""
    p = y.sigmoid()
    error = torch.nn.functional.binary_cross_entropy_with_logits(y, t, reduction="none")
    loss = error * (1 - (p * t + (1 - p) * (1 - t))) ** gamma
    return (loss if alpha is None else (alpha * t + (1 - alpha) * (1 - t)) * loss).mean()


def _dice(torch: Any, y: Tensor, t: Tensor, *, smooth: float = 1e-5) -> Tensor:
    """MONAI's `DiceLoss` of what already are probabilities."""
    if not t.is_floating_point():
        t = torch.nn.functional.one_hot(t, y.shape[1]).movedim(-1, 1).to(y.dtype)
    y, t = (x.reshape(*x.shape[:2], -1) for x in (y, t))
    shared, sizes = (y * t).sum(2), (y + t).sum(2)
    return (1 - (2 * shared + smooth) / (sizes + smooth)).mean()


def _minimize(torch: Any, y: Tensor, t: Tensor) -> Tensor:
    return y.mean()


def _hinge(torch: Any, y: Tensor, t: Tensor, *, margin: float) -> Tensor:
    return torch.clamp(margin - torch.where(t > 0, 1.0, -1.0).double() * y, min=0).mean()


ROWS = (
    LossRow("cross_entropy", "indices", "cross_entropy"),
    LossRow(
        "cross_entropy", "indices", "cross_entropy", {"ignore_index": 1, "label_smoothing": 0.1}
    ),
    LossRow("cross_entropy", "probabilities", "cross_entropy"),
    LossRow("cross_entropy", "probabilities", "cross_entropy", {"label_smoothing": 0.2}),
    LossRow("kl_divergence", "probabilities", _kl_divergence),
    LossRow("nll", "indices", "nll_loss", {"ignore_index": 1}),
    LossRow("binary_cross_entropy", "truth", "binary_cross_entropy_with_logits"),
    LossRow("focal", "truth", _focal),
    LossRow("focal", "truth", _focal, {"gamma": 1.5, "alpha": None}),
    LossRow("dice", "truth", _dice, {"smooth": 1.0}),
    LossRow("dice", "indices", _dice),
    LossRow("mse", "numbers", "mse_loss"),
    LossRow("mse", "numbers", _half, {"half": True}),
    LossRow("mae", "numbers", "l1_loss"),
    LossRow("huber", "numbers", "huber_loss"),
    LossRow("huber", "numbers", "huber_loss", {"delta": 0.3}),
    LossRow("huber", "numbers", "huber_loss", {"delta": 50.0}),
    LossRow("log_cosh", "numbers", _log_cosh),
    LossRow("hinge", "indices", "multi_margin_loss", {"margin": 1.5}),
    LossRow("hinge", "truth", _hinge, {"margin": 0.5}),
    LossRow("minimize", "numbers", _minimize),
)
