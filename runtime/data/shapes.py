"""Pictures of circles, squares and triangles, drawn when they are read: `shapes`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..arrays.memory import check_memory
from ..kerneldef import Array
from .choices import loader
from .dataset import INPUT_NAME, TARGET_NAME, WHITE, About, Batch, Dataset, TargetKind
from .faults import wrong_argument
from .planar import check_at_least, check_samples
from .streams import normals, uniforms

IMAGE_SIDE = 64  # pixels
SHAPE_NAMES = ("circle", "square", "triangle")
ShapeTarget = Literal["label", "box", "mask"]
_KINDS: Mapping[str, TargetKind] = {"label": "label", "box": "box", "mask": "mask"}
_NAMES = {"label": SHAPE_NAMES, "mask": ("background", *SHAPE_NAMES)}

# Outward normals of each class's sides, and their distance from the centre, at radius 1. A
# circle has none: its distance is the centre's.
_HALF = np.sqrt(0.5)
_SIDES = {
    1: (np.array([(1, 0), (0, 1), (-1, 0), (0, -1)], float), _HALF),
    2: (np.array([(0, 1), (-np.sqrt(0.75), -0.5), (np.sqrt(0.75), -0.5)]), 0.5),
}
_CORNERS = {
    1: np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * _HALF,
    2: np.array([(0, -1), (np.sqrt(0.75), 0.5), (-np.sqrt(0.75), 0.5)]),
}
_FRONT_RADIUS = (11.0, 18.0)
_BACK_RADIUS = (5.0, 10.0)
_BACKGROUND = (0.0, 0.35)
_BRIGHTNESS = (0.5, 1.0)
_DRAWN_TOGETHER = 32  # pictures whose arrays stay in the cache
_DESCRIBED_TOGETHER = 2**16  # objects
_PER_PIXEL, _PER_NUMBER = 12, 500  # bytes that a pixel and an object's numbers take
_PER_OBJECT = 6  # numbers that an object is made of


@dataclass(frozen=True, slots=True)
class Objects:
    """What pictures show, the last object in front: arrays (n, objects)."""

    kind: Array
    x: Array
    y: Array
    radius: Array
    angle: Array
    brightness: Array
    background: Array  # (n,)


@loader("shapes")
def shapes(
    *,
    samples: int,
    target: ShapeTarget | Sequence[ShapeTarget],
    objects: int,
    noise: float,
    seed: int,
) -> Dataset:
    """Gray pictures (N, 1, 64, 64) of circles, squares and triangles, turned, and overlapping.

    One object is large and in front; the others are smaller, behind it, and may be hidden.
    Sample i depends on the seed and on i only.

    Args:
        samples: How many pictures.
        target: `label`, the class of the object in front; `box`, the box around it (x0, y0, x1,
            y1 as fractions of the side); `mask`, the class of each pixel, 0 for the background;
            or several of them, as targets of these names.
        objects: How many objects are in a picture.
        noise: Standard deviation of what is added to each pixel.
        seed: Settles everything.

    Raises:
        NetError: E532, there are no samples, objects or targets, more objects than pixels, or
            the noise is negative; E507, there are too many samples.
    """
    check_samples(samples)
    check_at_least("objects", objects, 1)
    if objects > IMAGE_SIDE * IMAGE_SIDE:
        raise wrong_argument(f"`objects` is {objects}, which is more than an image has pixels")
    check_at_least("noise", noise, 0)
    single = isinstance(target, str)
    targets = [target] if isinstance(target, str) else list(target)
    wrong = next((each for each in targets if each not in _KINDS), None)
    if wrong is not None or not targets:
        raise wrong_argument(
            f"`shapes` has no target `{wrong}`" if targets else "`shapes` needs a target",
            "targets are `label`, `box` and `mask`, one or several in a list",
        )
    names = {TARGET_NAME: targets[0]} if single else {str(each): each for each in targets}
    return Shapes(samples, names, objects, noise, seed)


class Shapes(Dataset):
    """Pictures of shapes, each drawn from its seed and number."""

    def __init__(
        self, samples: int, targets: Mapping[str, str], objects: int, noise: float, seed: int
    ) -> None:
        self.samples = samples
        self.targets = targets
        self.objects = objects
        self.noise = noise
        self.seed = seed
        self.about = About(
            name="`shapes`",
            kinds={name: _KINDS[what] for name, what in targets.items()},
            class_names={name: _NAMES[what] for name, what in targets.items() if what in _NAMES},
            units={INPUT_NAME: WHITE},
        )

    def __len__(self) -> int:
        return self.samples

    def read(self, indices: Array) -> Batch:
        """Draw the pictures of these numbers.

        Raises:
            NetError: E507, there is not enough memory for them.
        """
        needed = len(indices) * (_PER_PIXEL * IMAGE_SIDE * IMAGE_SIDE + _PER_NUMBER * self.objects)
        check_memory(
            f"{len(indices):_} images of {IMAGE_SIDE}x{IMAGE_SIDE}", needed, "take smaller batches"
        )
        found = self.describe(indices)
        pictures = np.empty((len(indices), 1, IMAGE_SIDE, IMAGE_SIDE), np.float32)
        mask = np.zeros((len(indices), IMAGE_SIDE, IMAGE_SIDE), np.int64)
        for start in range(0, len(indices), _DRAWN_TOGETHER):
            part = slice(start, start + _DRAWN_TOGETHER)
            _draw(found, part, pictures[part, 0], mask[part])
        if self.noise:
            noise = normals((self.seed, "shapes noise"), indices, (1, IMAGE_SIDE, IMAGE_SIDE))
            pictures += np.float32(self.noise) * noise
        targets = {"label": found.kind[:, -1], "mask": mask, "box": _boxes(found)}
        return Batch({INPUT_NAME: pictures}, {name: targets[w] for name, w in self.targets.items()})

    def fingerprint(self) -> str:
        """The arguments determine every value."""
        settled = (self.samples, self.targets, self.objects, self.noise, self.seed)
        return f"{self.about.name}{settled}"

    def labels(self) -> Array:
        """The class of the object in front of every picture."""
        step = max(1, _DESCRIBED_TOGETHER // self.objects)
        starts = range(0, self.samples, step)
        parts = (np.arange(start, min(start + step, self.samples)) for start in starts)
        return np.concatenate([self.describe(part).kind[:, -1] for part in parts])

    def describe(self, indices: Array) -> Objects:
        """What the pictures of these numbers show."""
        count = self.objects
        drawn = uniforms((self.seed, "shapes"), indices, _PER_OBJECT * count + 1)
        kind, x, y, radius, angle, brightness = (
            drawn[:, 1:].reshape(-1, count, 6).transpose(2, 0, 1)
        )
        radii = np.empty_like(radius)
        radii[:, :-1] = _between(radius[:, :-1], _BACK_RADIUS)
        radii[:, -1] = _between(radius[:, -1], _FRONT_RADIUS)
        # Centres leave room for the radius: no object is cut off.
        return Objects(
            kind=(kind * len(SHAPE_NAMES)).astype(np.int64),
            x=radii + x * (IMAGE_SIDE - 2 * radii),
            y=radii + y * (IMAGE_SIDE - 2 * radii),
            radius=radii,
            angle=angle * 2 * np.pi,
            brightness=_between(brightness, _BRIGHTNESS),
            background=_between(drawn[:, 0], _BACKGROUND),
        )


def _between(drawn: Array, bounds: tuple[float, float]) -> Array:
    low, high = bounds
    return low + drawn * (high - low)


def _draw(found: Objects, part: slice, pictures: Array, mask: Array) -> None:
    """Draw the objects of some pictures from back to front, and the classes of their pixels."""
    pictures[...] = found.background[part, None, None]
    for place in range(found.kind.shape[1]):
        for kind in range(len(SHAPE_NAMES)):
            chosen = np.flatnonzero(found.kind[part, place] == kind)
            columns = (found.x, found.y, found.radius, found.angle, found.brightness)
            x, y, radius, angle, brightness = (
                column[part, place][chosen].astype(np.float32) for column in columns
            )
            outside = _distance(kind, x, y, radius, angle)
            cover = np.clip(0.5 - outside, 0, 1)
            below = pictures[chosen]
            pictures[chosen] = below + cover * (brightness[:, None, None] - below)
            mask[chosen] = np.where(outside <= 0, kind + 1, mask[chosen])


def _distance(kind: int, x: Array, y: Array, radius: Array, angle: Array) -> Array:
    """How far each pixel's centre lies outside of an object, negative inside: (n, 64, 64)."""
    centres = np.arange(IMAGE_SIDE, dtype=np.float32) + np.float32(0.5)
    dx = centres[None, None, :] - x[:, None, None]
    dy = centres[None, :, None] - y[:, None, None]
    if kind not in _SIDES:
        outside: Array = np.sqrt(dx * dx + dy * dy) - radius[:, None, None]
        return outside
    normals_, distance = _SIDES[kind]
    turned = _turned(normals_, angle).astype(np.float32)
    # A linear function of the row plus one of the column: one addition per pixel and side.
    sides = (dx * n[:, None, None, 0] + dy * n[:, None, None, 1] for n in turned.swapaxes(0, 1))
    farthest = next(sides)
    for side in sides:
        farthest = np.maximum(farthest, side)
    inside: Array = farthest - (radius * np.float32(distance))[:, None, None]
    return inside


def _turned(vectors: Array, angle: Array) -> Array:
    """Vectors (k, 2) turned by each of n angles: (n, k, 2)."""
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y = vectors[:, 0], vectors[:, 1]
    return np.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)


def _boxes(found: Objects) -> Array:
    """The box around the object in front, (n, 4) float32, as fractions of the side."""
    kind, x, y, radius, angle = (
        column[:, -1] for column in (found.kind, found.x, found.y, found.radius, found.angle)
    )
    low = high = np.ones((len(kind), 2))
    low = -low
    for each, corners in _CORNERS.items():
        turned = _turned(corners, angle)
        here = (kind == each)[:, None]
        low = np.where(here, turned.min(axis=1), low)
        high = np.where(here, turned.max(axis=1), high)
    centre = np.stack([x, y], axis=1)
    ends = [centre + radius[:, None] * low, centre + radius[:, None] * high]
    return (np.concatenate(ends, axis=1) / IMAGE_SIDE).astype(np.float32)
