"""Augmentations that blacken a rectangle of each picture."""

from dataclasses import replace

import numpy as np

from ..kerneldef import Array
from .augmentation import Chance, augmentation
from .pictures import Pictures

TRIES = 10  # at a rectangle that fits, as in torchvision
LONGEST = 10 / 3  # the sides' largest ratio


@augmentation("cutout")
def cutout(pictures: Pictures, chance: Chance, *, size: int) -> Pictures:
    """Blacken a square around a pixel of each picture (DeVries and Taylor 2017)."""
    height, width = pictures.size("cutout")
    drawn = chance.uniform(2)
    top = np.floor(drawn[:, 0] * height).astype(np.int64) - size // 2
    left = np.floor(drawn[:, 1] * width).astype(np.int64) - size // 2
    return _blackened(pictures, rectangles((height, width), top, left, size, size))


@augmentation("erase")
def erase(
    pictures: Pictures, chance: Chance, *, rate: float, least: float, most: float
) -> Pictures:
    """Blacken a rectangle of a share of the pictures (Zhong, Zheng, Kang, Li and Yang 2020).

    Its area is a share from `least` to `most` of the picture's, the ratio of its sides from 0.3 to
    3.3, evenly by their logarithm; the first of ten such that fits is taken.
    torchvision's `RandomErasing`.
    """
    height, width = pictures.size("erase")
    drawn = chance.uniform(1 + 4 * TRIES)
    erased = drawn[:, 0] < rate
    tries = drawn[:, 1:].reshape(-1, TRIES, 4)
    area = height * width * (least + (most - least) * tries[..., 0])
    ratio = np.exp((2 * tries[..., 1] - 1) * np.log(LONGEST))
    h, w = np.rint(np.sqrt(area * ratio)), np.rint(np.sqrt(area / ratio))
    fits = (h < height) & (w < width)
    first = fits.argmax(axis=1)
    rows = np.arange(len(first))
    h, w = (np.where(erased & fits.any(axis=1), e[rows, first], 0).astype(np.int64) for e in (h, w))
    top = np.floor(tries[rows, first, 2] * (height - h + 1)).astype(np.int64)
    left = np.floor(tries[rows, first, 3] * (width - w + 1)).astype(np.int64)
    return _blackened(pictures, rectangles((height, width), top, left, h, w))


def rectangles(
    size: tuple[int, int], top: Array, left: Array, height: Array | int, width: Array | int
) -> Array:
    """Which pixels lie in a rectangle of each picture, (n, H, W); what is beyond the edge is not.

    Args:
        size: Height and width of the pictures.
        top: The first row of each, (n,).
        left: The first column of each, (n,).
        height: How many rows each has.
        width: How many columns each has.
    """
    rows, columns = (np.arange(extent)[None] for extent in size)
    down = (rows >= top[:, None]) & (rows < (top + height)[:, None])
    across = (columns >= left[:, None]) & (columns < (left + width)[:, None])
    inside: Array = down[:, :, None] & across[:, None, :]
    return inside


def _blackened(pictures: Pictures, inside: Array) -> Pictures:
    inputs = dict(pictures.inputs)
    for name in pictures.shown():
        inputs[name] = np.where(inside[:, None], np.zeros((), inputs[name].dtype), inputs[name])
    return replace(pictures, inputs=inputs)
