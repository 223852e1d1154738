"""Points in the plane, made in code: `xor` and `spirals`."""

from collections.abc import Callable
from functools import partial

import numpy as np

from ..arrays.memory import check_memory
from ..kerneldef import Array
from .choices import loader
from .dataset import INPUT_NAME, TARGET_NAME, About, Batch, Dataset
from .faults import wrong_argument
from .streams import normals

_PER_SAMPLE = 100  # bytes that labels and orders take, however samples are made


@loader("xor")
def xor(*, samples: int, noise: float, seed: int) -> Dataset:
    """The corners of the unit square, (N, 2); the class is whether the two coordinates differ.

    Args:
        samples: How many points; they go round the corners, so 4 are the truth table.
        noise: Standard deviation of what is added to each coordinate.
        seed: Settles the noise.

    Raises:
        NetError: E532, there are no samples, or the noise is negative; E507, they are too many.
    """
    check_samples(samples)
    check_at_least("noise", noise, 0)

    points = partial(_corners, noise=noise, seed=seed)
    return Planar("`xor`", (samples, noise, seed), points, _differ, ("false", "true"))


def _corners(numbers: Array, *, noise: float, seed: int) -> Array:
    corner = numbers % 4
    x = np.stack([corner // 2, corner % 2], axis=1).astype(np.float32)
    x += np.float32(noise) * normals((seed, "xor"), numbers, (2,))
    return x


def _differ(numbers: Array) -> Array:
    differs: Array = (numbers // 2 + numbers) % 2
    return differs


@loader("spirals")
def spirals(*, samples: int, classes: int, noise: float, seed: int) -> Dataset:
    """Arms of a spiral, (N, 2), a class each (Karpathy, CS231n, "Neural networks case study").

    A point at radius r from 0 to 1 on arm j lies at the angle 4 (r + j), with noise added to it;
    of other numbers of arms K, at 4 r + 2 pi j / K.

    Args:
        samples: How many points; they go round the arms.
        classes: How many arms.
        noise: Standard deviation of the angle, in radians.
        seed: Settles the noise.

    Raises:
        NetError: E532, there are no samples or classes, more classes than samples, or the noise
            is negative; E507, there are too many samples.
    """
    check_samples(samples)
    check_at_least("classes", classes, 1)
    check_at_least("noise", noise, 0)
    if classes > samples:
        raise wrong_argument(f"`classes` is {classes}, which is more than the {samples} samples")
    points = partial(_arms, samples=samples, classes=classes, noise=noise, seed=seed)
    arm = partial(_remainders, divisor=classes)
    names = tuple(map(str, range(classes)))
    return Planar("`spirals`", (samples, classes, noise, seed), points, arm, names)


def _arms(numbers: Array, *, samples: int, classes: int, noise: float, seed: int) -> Array:
    arm, place = numbers % classes, numbers // classes
    radius = place / max((samples - 1) // classes, 1)
    apart = 4.0 if classes == 3 else 2 * np.pi / classes
    jitter = noise * normals((seed, "spirals"), numbers, (1,))[:, 0].astype(np.float64)
    angle = 4.0 * radius + apart * arm + jitter
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1).astype(np.float32)


def _remainders(numbers: Array, *, divisor: int) -> Array:
    remainders: Array = numbers % divisor
    return remainders


class Planar(Dataset):
    """Points in the plane and their classes, made when they are read.

    Args:
        name: What messages call them.
        settled: The arguments that they are made by; the first one is how many there are.
        points: The points of some numbers, (n, 2).
        labels: Their classes.
        classes: The names of the classes.
    """

    def __init__(
        self,
        name: str,
        settled: tuple[int, *tuple[float, ...]],
        points: Callable[[Array], Array],
        labels: Callable[[Array], Array],
        classes: tuple[str, ...],
    ) -> None:
        self.samples = settled[0]
        self._settled = settled
        self._points = points
        self._labels = labels
        self.about = About(name, {TARGET_NAME: "label"}, {TARGET_NAME: classes})

    def __len__(self) -> int:
        return self.samples

    def read(self, indices: Array) -> Batch:
        """The points of these numbers, (n, 2), and their classes."""
        return Batch({INPUT_NAME: self._points(indices)}, {TARGET_NAME: self._labels(indices)})

    def fingerprint(self) -> str:
        """The arguments determine every value."""
        return f"{self.about.name}{self._settled}"

    def labels(self) -> Array:
        """The class of every point."""
        return self._labels(np.arange(self.samples))


def check_samples(samples: int) -> None:
    """Refuse a number of samples that makes no sense, or whose numbers memory cannot hold.

    Raises:
        NetError: E507, E532.
    """
    check_at_least("samples", samples, 1)
    check_memory(f"the order of {samples:_} samples", _PER_SAMPLE * samples, "take fewer samples")


def check_at_least(name: str, value: float, least: int) -> None:
    """Refuse an argument below what makes sense.

    Raises:
        NetError: E532.
    """
    if not value >= least:
        raise wrong_argument(f"`{name}` is {value}, but must be at least {least}")
