"""Pictures with their targets, and what moving a picture does to boxes, points and masks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from ..kerneldef import Array
from .dataset import MirrorPairs, Mixture, TargetKind
from .faults import unfit

# One picture's array (n, C, H, W) -> the moved one; `nearest` for masks, whose values are classes.
Mover = Callable[[Array, bool], Array]

_POINTS = ("points", "unit_points")


@dataclass(frozen=True, slots=True)
class Pictures:
    """A batch on its way through augmentation.

    Attributes:
        inputs: By name; pictures are (n, C, H, W).
        targets: By name.
        kinds: What the targets mean.
        pairs: The points of targets that change places in a mirror.
        mixtures: How targets are to be mixed, first things first.
    """

    inputs: Mapping[str, Array]
    targets: Mapping[str, Array]
    kinds: Mapping[str, TargetKind]
    pairs: Mapping[str, MirrorPairs]
    mixtures: tuple[Mixture, ...] = ()

    def __len__(self) -> int:
        return len(next(iter(self.inputs.values())))

    def shown(self) -> list[str]:
        """The names of the inputs that are pictures."""
        return [n for n, a in self.inputs.items() if a.ndim == 4 and a.dtype.kind == "f"]

    def size(self, what: str) -> tuple[int, int]:
        """Height and width of the pictures, which the augmentation `what` needs.

        Raises:
            NetError: E530, there are no pictures, or of several sizes.
        """
        sizes = {self.inputs[name].shape[2:] for name in self.shown()}
        if len(sizes) != 1:
            problem = "no input is an image" if not sizes else "the inputs differ in size"
            raise unfit(f"`{what}` applies to images, but {problem}", "images are (N, C, H, W)")
        height, width = sizes.pop()
        return height, width


@dataclass(frozen=True, slots=True)
class Motion:
    """What happens to pixels and points: p becomes `matrix` p + `offset`, p = (x, y) in pixels.

    Attributes:
        matrix: (n, 2, 2).
        offset: (n, 2).
        size: Height and width afterwards.
        mirrored: (n,), which pictures are seen in a mirror.
        move: What moves the pictures accordingly.
    """

    matrix: Array
    offset: Array
    size: tuple[int, int]
    mirrored: Array
    move: Mover


def moved(
    pictures: Pictures, motion: Motion, *, what: str, pairs: MirrorPairs | None = None
) -> Pictures:
    """Pictures, and all targets that lie in them, after a motion.

    Args:
        pictures: The batch.
        motion: Where everything goes.
        what: The augmentation, for messages.
        pairs: The points that change places in a mirror, instead of those that the data names.

    Raises:
        NetError: E530, a target's shape is not that of its kind.
    """
    size = pictures.size(what)
    inputs = dict(pictures.inputs)
    for name in pictures.shown():
        inputs[name] = motion.move(inputs[name], False)
    targets = dict(pictures.targets)
    for name, kind in pictures.kinds.items():
        if name not in targets:
            continue
        target = targets[name]
        swapped = pictures.pairs.get(name, ()) if pairs is None else pairs
        if kind == "mask":
            targets[name] = motion.move(target[:, None], True)[:, 0]
        elif kind == "image":
            targets[name] = motion.move(target, False)
        elif kind == "box":
            targets[name] = _boxes(target, motion, size)
        elif kind in _POINTS:
            targets[name] = _points(name, target, kind, motion, size, swapped)
    return replace(pictures, inputs=inputs, targets=targets)


def _boxes(boxes: Array, motion: Motion, size: tuple[int, int]) -> Array:
    """The boxes around the moved corners of boxes, cut off at the picture's edge."""
    extent = np.array(size[::-1], np.float64)
    x0, y0, x1, y1 = (boxes[:, place].astype(np.float64) for place in range(4))
    corners = np.stack([np.stack(c, axis=1) for c in ((x0, y0), (x1, y0), (x0, y1), (x1, y1))], 1)
    # Fractions count from the picture's edge, half a pixel before the first centre.
    turned = _moved_points(corners * extent - 0.5, motion)
    after = (turned + 0.5) / np.array(motion.size[::-1], np.float64)
    ends = np.concatenate([after.min(axis=1), after.max(axis=1)], axis=1)
    clipped: Array = np.clip(ends, 0, 1).astype(boxes.dtype)
    return clipped


def _points(
    name: str,
    points: Array,
    kind: TargetKind,
    motion: Motion,
    size: tuple[int, int],
    pairs: MirrorPairs,
) -> Array:
    """Moved points; in mirrored pictures, those of each pair change places."""
    flat = points.reshape(len(points), -1)
    if flat.shape[1] % 2:
        count = f"the points `{name}` have {flat.shape[1]} numbers"
        raise unfit(f"{count}: an odd count cannot form (x, y) pairs")
    places = flat.reshape(len(flat), -1, 2).astype(np.float64)
    last, new = (np.array(each[::-1], np.float64) - 1 for each in (size, motion.size))
    if kind == "unit_points":
        places = (places + 1) / 2 * last
    places = _moved_points(places, motion)
    if kind == "unit_points":
        places = places / np.maximum(new, 1) * 2 - 1
    order = mirror_order(name, places.shape[1], pairs)
    places = np.where(motion.mirrored[:, None, None], places[:, order], places)
    return places.reshape(points.shape).astype(points.dtype)


def mirror_order(name: str, count: int, pairs: MirrorPairs) -> Array:
    """Which point stands where in a mirror.

    Raises:
        NetError: E530, a pair names a point that is not there, or one is in two pairs.
    """
    order = np.arange(count)
    members = [point for pair in pairs for point in pair]
    wrong = next((point for point in members if not 0 <= point < count), None)
    if wrong is not None:
        raise unfit(
            f"`{name}` has {count} points, and a pair names point {wrong}",
            f"points count from 0 to {count - 1}",
        )
    if len(set(members)) < len(members):
        raise unfit(f"a point of `{name}` is in two pairs", "each point may be in one pair only")
    for left, right in pairs:
        order[[left, right]] = right, left
    return order


def _moved_points(points: Array, motion: Motion) -> Array:
    """Points (n, k, 2) in pixels; NaN, a point that is not known, stays NaN."""
    turned: Array = np.einsum("nij,nkj->nki", motion.matrix, points)
    return turned + motion.offset[:, None]


def unmoved(count: int) -> tuple[Array, Array, Array]:
    """The matrix, offset and mirroring of pictures that stay as they are."""
    matrix = np.broadcast_to(np.eye(2), (count, 2, 2)).copy()
    return matrix, np.zeros((count, 2)), np.zeros(count, bool)
