"""Augmentations that mix each sample with the one before it in its batch, whose order is random."""

from dataclasses import replace

import numpy as np

from ..kerneldef import Array
from .augmentation import Chance, augmentation
from .dataset import IN_PICTURES, Mixture
from .erasing import rectangles
from .faults import unfit
from .pictures import Pictures

GRID = 4097  # points at which a distribution function is known


@augmentation("mixup")
def mixup(pictures: Pictures, chance: Chance, *, alpha: float, rate: float) -> Pictures:
    """s x + (1 - s) x', and targets alike, s from Beta(alpha, alpha) (Zhang et al. 2018).

    Each sample has a share s of its own.
    """
    _check(pictures, "mixup")
    share = _share(chance, alpha, rate)
    mixture = Mixture(share)
    inputs = {name: mixture.mixed(array) for name, array in pictures.inputs.items()}
    return replace(pictures, inputs=inputs, mixtures=(*pictures.mixtures, mixture))


@augmentation("cutmix")
def cutmix(pictures: Pictures, chance: Chance, *, alpha: float, rate: float) -> Pictures:
    """A rectangle of another picture; targets by the share of pixels (Yun et al. 2019).

    Its sides are sqrt(1 - s) of the picture's, s from Beta(alpha, alpha), around a pixel anywhere;
    what lies beyond the edge is cut off. Masks and pictures as targets are pasted alike.
    torchvision's `CutMix`, with a rectangle for each sample.
    """
    _check(pictures, "cutmix")
    height, width = pictures.size("cutmix")
    if pictures.mixtures and any(kind in IN_PICTURES for kind in pictures.kinds.values()):
        raise unfit("`cutmix` after `mixup` needs targets that lie in no picture", "choose one")
    half = 0.5 * np.sqrt(1 - _share(chance, alpha, rate))
    place = chance.uniform(4)[:, 2:]
    sides = []
    for extent, drawn in zip((height, width), place.T, strict=True):
        centre, reach = np.floor(drawn * extent), np.floor(half * extent)
        sides.append((centre - reach, 2 * reach))
    (top, down), (left, across) = sides
    inside = rectangles((height, width), top, left, down, across)
    share = 1 - inside.mean(axis=(1, 2))
    inputs, targets = dict(pictures.inputs), dict(pictures.targets)
    for name in pictures.shown():
        inputs[name] = _pasted(inputs[name], inside[:, None])
    for name, kind in pictures.kinds.items():
        if kind in IN_PICTURES and name in targets:
            targets[name] = _pasted(targets[name], inside if kind == "mask" else inside[:, None])
    mixtures = (*pictures.mixtures, Mixture(share, pasted=True))
    return replace(pictures, inputs=inputs, targets=targets, mixtures=mixtures)


def _pasted(x: Array, inside: Array) -> Array:
    return np.where(inside, np.roll(x, 1, axis=0), x)


def _check(pictures: Pictures, what: str) -> None:
    """Refuse what cannot be several at once.

    Raises:
        NetError: E530.
    """
    if any(array.dtype.kind != "f" for array in pictures.inputs.values()):
        raise unfit(f"`{what}` mixes real numbers, and the inputs are integers")
    for name, kind in pictures.kinds.items():
        if name in pictures.targets and kind in ("box", "points", "unit_points"):
            raise unfit(f"`{what}` cannot mix the places that `{name}` holds", "leave it out")


def _share(chance: Chance, alpha: float, rate: float) -> Array:
    """How much of each sample stays itself, (n,): 1 where it is not mixed."""
    drawn = chance.uniform(2)
    return np.where(drawn[:, 0] < rate, beta(drawn[:, 1], alpha), 1.0)


def beta(quantiles: Array, alpha: float) -> Array:
    """Values of Beta(alpha, alpha) by their quantiles, from 0 to 1.

    Its density is symmetric, t^(alpha - 1) (1 - t)^(alpha - 1). That of its lower half is finite by
    u = t^alpha where alpha is below 1, and is summed up by Simpson's rule.
    """
    power = min(alpha, 1.0)
    u = np.linspace(0, 0.5**power, 2 * GRID - 1)
    density = u ** ((alpha - power) / power) * (1 - u ** (1 / power)) ** (alpha - 1)
    steps = density[:-2:2] + 4 * density[1:-1:2] + density[2::2]
    whole = np.concatenate([[0.0], np.cumsum(steps)])
    side = np.minimum(quantiles, 1 - quantiles)
    lower = np.interp(side, 0.5 * whole / whole[-1], u[::2]) ** (1 / power)
    found: Array = np.where(quantiles < 0.5, lower, 1 - lower)
    return found
