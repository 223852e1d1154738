"""Batches -> batches that look different in each epoch: flips, rotations, crops, noise, colour.

What happens to a sample depends on the seed, the epoch, the sample and the augmentation's place
in the list only: not on the order of samples, nor on the batch that they are in.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ...compiler.training.data_terms import AUGMENT
from ...compiler.training.terms import Term
from ..kerneldef import Array
from .choices import with_defaults
from .dataset import Batch, Dataset
from .faults import unfit
from .pictures import Motion, Pictures, moved, unmoved
from .resampling import cut, rotated
from .streams import StreamKey, normals, uniforms


@dataclass(frozen=True, slots=True)
class Chance:
    """The random numbers of a batch's samples for one augmentation."""

    key: StreamKey
    samples: Array

    def uniform(self, count: int) -> Array:
        """From [0, 1), float64 (n, count)."""
        return uniforms(self.key, self.samples, count)

    def normal(self, shape: tuple[int, ...], *more: str) -> Array:
        """Standard normal, float32 (n, *shape); `more` distinguishes several uses."""
        return normals((*self.key, *more), self.samples, shape)


Augmentation = Callable[..., Pictures]


@dataclass(frozen=True, slots=True)
class AugmentationDef:
    """A row of the table of augmentations.

    Attributes:
        name: Its name in the language.
        function: `function(pictures, chance, **arguments)`.
        still: `still(pictures, **arguments)`: what takes its place outside of training; None for
            nothing.
    """

    name: str
    function: Augmentation
    still: Augmentation | None


AUGMENTATIONS: dict[str, AugmentationDef] = {}


def augmentation(
    name: str, still: Augmentation | None = None
) -> Callable[[Augmentation], Augmentation]:
    """Enter the decorated function into the table of augmentations."""

    def register(function: Augmentation) -> Augmentation:
        whole = still and with_defaults(AUGMENT, name, still)
        AUGMENTATIONS[name] = AugmentationDef(name, with_defaults(AUGMENT, name, function), whole)
        return function

    return register


@dataclass(frozen=True, slots=True)
class Augmenter:
    """The augmentations of a data set, in their order."""

    choices: tuple[Term, ...]
    data: Dataset
    seed: int

    def augment(self, batch: Batch, indices: Array, *, epoch: int) -> Batch:
        """A batch for training.

        Args:
            batch: The samples.
            indices: Their numbers in the data set.
            epoch: Which round it is.

        Raises:
            NetError: E530, an augmentation does not suit the data.
        """
        pictures = self._opened(batch)
        samples = np.asarray(indices)
        for place, choice in enumerate(self.choices):
            chance = Chance((self.seed, "augment", epoch, place, choice.name), samples)
            pictures = AUGMENTATIONS[choice.name].function(pictures, chance, **choice.arguments)
        return Batch(dict(pictures.inputs), dict(pictures.targets), pictures.mixtures)

    def still(self, batch: Batch) -> Batch:
        """A batch for everything else: nothing is random, and crops take the centre.

        Raises:
            NetError: E530, as `augment`.
        """
        pictures = self._opened(batch)
        for choice in self.choices:
            function = AUGMENTATIONS[choice.name].still
            if function is not None:
                pictures = function(pictures, **choice.arguments)
        return Batch(dict(pictures.inputs), dict(pictures.targets))

    def _opened(self, batch: Batch) -> Pictures:
        about = self.data.about
        return Pictures(batch.inputs, batch.targets, about.kinds, about.pairs)


def augmenter(choices: Iterable[Term], data: Dataset, *, seed: int = 0) -> Augmenter:
    """The augmentations of a data set; tried on one sample, so that mistakes show at once.

    Args:
        choices: Names in `AUGMENTATIONS` with their arguments.
        data: The data set.
        seed: Settles, with epoch and sample, what is done.

    Raises:
        NetError: E530, an augmentation does not suit the data.
    """
    made = Augmenter(tuple(choices), data, seed)
    first = np.zeros(1, np.int64)
    if made.choices:
        made.augment(data.take(first), first, epoch=0)
    return made


@augmentation("flip")
def flip(
    pictures: Pictures,
    chance: Chance,
    *,
    axis: Literal["horizontal", "vertical"],
    rate: float,
    pairs: Sequence[Sequence[int]] | None,
) -> Pictures:
    """Mirror a share of the pictures, left to right or upside down.

    Args:
        pictures: The batch.
        chance: Its random numbers.
        axis: `horizontal` exchanges left and right, `vertical` top and bottom.
        rate: The share of samples.
        pairs: Points, by number, that change places, such as ((0, 1),) for left and right eye;
            without it, those that the data names.

    Raises:
        NetError: E530, no pictures, or pairs of points that are not there.
    """
    size = pictures.size("flip")
    along = 0 if axis == "horizontal" else 1  # of (x, y)
    matrix, offset, mirrored = unmoved(len(pictures))
    mirrored = chance.uniform(1)[:, 0] < rate
    matrix[mirrored, along, along] = -1
    offset[mirrored, along] = size[1 - along] - 1

    def move(images: Array, nearest: bool) -> Array:
        result = images.copy()
        result[mirrored] = np.flip(images[mirrored], axis=3 - along)
        return result

    given = None if pairs is None else tuple((left, right) for left, right in pairs)
    motion = Motion(matrix, offset, size, mirrored, move)
    return moved(pictures, motion, what="flip", pairs=given)


@augmentation("rotate")
def rotate(pictures: Pictures, chance: Chance, *, degrees: float) -> Pictures:
    """Turn each picture around its centre by an angle from -degrees to degrees.

    Pictures are interpolated linearly, with 0 around them; a box becomes the box around the
    turned box.
    """
    size = pictures.size("rotate")
    angle = np.deg2rad(degrees) * (2 * chance.uniform(1)[:, 0] - 1)
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.stack([np.stack([cos, -sin], 1), np.stack([sin, cos], 1)], 1)
    centre = (np.array(size[::-1], np.float64) - 1) / 2
    offset = centre - matrix @ centre

    def move(images: Array, nearest: bool) -> Array:
        return rotated(images, cos, sin, nearest=nearest)

    unmirrored = np.zeros(len(pictures), bool)
    return moved(pictures, Motion(matrix, offset, size, unmirrored, move), what="rotate")


@augmentation("translate")
def translate(pictures: Pictures, chance: Chance, *, pixels: int) -> Pictures:
    """Shift each picture by -pixels to pixels along both axes; what comes in is 0."""
    size = pictures.size("translate")
    steps = np.floor(chance.uniform(2) * (2 * pixels + 1)).astype(np.int64) - pixels
    return _cut(pictures, -steps, size, "translate")


def _centre(pictures: Pictures, *, size: Sequence[int], pad: int) -> Pictures:
    """The window in the centre."""
    room = _room(pictures, size, pad)
    start = np.broadcast_to(room // 2 - pad, (len(pictures), 2))
    return _cut(pictures, start, (size[0], size[1]), "crop")


@augmentation("crop", still=_centre)
def crop(pictures: Pictures, chance: Chance, *, size: Sequence[int], pad: int) -> Pictures:
    """A window of each picture, height x width, anywhere; outside of training, in the centre.

    With `pad`, of each picture with a border of that many pixels around it, which are 0.

    Raises:
        NetError: E530, the window is larger than the picture.
    """
    room = _room(pictures, size, pad)
    start = np.floor(chance.uniform(2) * (room + 1)).astype(np.int64) - pad
    return _cut(pictures, start, (size[0], size[1]), "crop")


def _room(pictures: Pictures, size: Sequence[int], pad: int) -> Array:
    """How far a window can go in x and y."""
    height, width = (extent + 2 * pad for extent in pictures.size("crop"))
    if len(size) != 2 or size[0] > height or size[1] > width:
        spelled = "x".join(map(str, size))
        raise unfit(f"`crop({spelled})` does not fit into images of {height}x{width}")
    return np.array([width - size[1], height - size[0]])


def _cut(pictures: Pictures, start: Array, size: tuple[int, int], what: str) -> Pictures:
    """The windows of a size that start at (x, y), which may lie outside."""

    def move(images: Array, nearest: bool) -> Array:
        return cut(images, start, size)

    matrix, offset, mirrored = unmoved(len(pictures))
    return moved(pictures, Motion(matrix, offset - start, size, mirrored, move), what=what)


@augmentation("noise")
def noise(pictures: Pictures, chance: Chance, *, std: float) -> Pictures:
    """Add normal noise to every element of every input of real numbers."""
    inputs = dict(pictures.inputs)
    names = [name for name, array in inputs.items() if array.dtype.kind == "f"]
    if not names:
        raise unfit("`noise` is added to real numbers, and the inputs are integers")
    for name in names:
        added = chance.normal(inputs[name].shape[1:], name)
        inputs[name] = inputs[name] + np.float32(std) * added
    return replace(pictures, inputs=inputs)


@augmentation("color")
def color(pictures: Pictures, chance: Chance, *, amount: float) -> Pictures:
    """Change brightness, contrast and, of three channels, saturation, in this order.

    Each is a factor from 1 - amount to 1 + amount: on the picture, on what differs from its mean
    gray, and on what differs from each pixel's gray (0.299, 0.587, 0.114 of ITU-R BT.601).
    """
    pictures.size("color")
    factors = (1 + amount * (2 * chance.uniform(3) - 1)).astype(np.float32)
    brightness, contrast, saturation = (factors[:, place, None, None, None] for place in range(3))
    inputs = dict(pictures.inputs)
    for name in pictures.shown():
        images = inputs[name] * brightness
        mean = _gray(images).mean(axis=(1, 2, 3), keepdims=True)
        images = mean + contrast * (images - mean)
        if images.shape[1] == 3:
            gray = _gray(images)
            images = gray + saturation * (images - gray)
        inputs[name] = images
    return replace(pictures, inputs=inputs)


def _gray(images: Array) -> Any:
    """The gray of pictures, (n, 1, H, W)."""
    if images.shape[1] != 3:
        return images.mean(axis=1, keepdims=True)
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    return np.einsum("nchw,c->nhw", images, weights)[:, None]
