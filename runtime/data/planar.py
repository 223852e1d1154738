"""Points in the plane, made in code: `xor` and `spirals`."""

import numpy as np

from ..kerneldef import Array
from .choices import loader
from .dataset import INPUT, TARGET, About, ArrayData, Dataset, Rows
from .faults import wrong_argument
from .streams import normals


@loader("xor")
def xor(*, samples: int = 4, noise: float = 0.0, seed: int = 0) -> Dataset:
    """The corners of the unit square, (N, 2); the class is whether the two coordinates differ.

    Args:
        samples: How many points; they go round the corners, so 4 are the truth table.
        noise: Standard deviation of what is added to each coordinate.
        seed: Settles the noise.

    Raises:
        NetError: E532, there are no samples, or the noise is negative.
    """
    check_at_least("samples", samples, 1)
    check_at_least("noise", noise, 0)
    corner = np.arange(samples) % 4
    x = np.stack([corner // 2, corner % 2], axis=1).astype(np.float32)
    x += np.float32(noise) * normals((seed, "xor"), np.arange(samples), (2,))
    return _classified("`xor`", x, (corner // 2) ^ (corner % 2), ("false", "true"))


@loader("spirals")
def spirals(*, samples: int = 300, classes: int = 3, noise: float = 0.2, seed: int = 0) -> Dataset:
    """Arms of a spiral, (N, 2), a class each (Karpathy, CS231n, "Neural networks case study").

    A point at radius r from 0 to 1 on arm j lies at the angle 4 (r + j), with noise added to it;
    of other numbers of arms K, at 4 r + 2 pi j / K.

    Args:
        samples: How many points; they go round the arms.
        classes: How many arms.
        noise: Standard deviation of the angle, in radians.
        seed: Settles the noise.

    Raises:
        NetError: E532, there are no samples or classes, or the noise is negative.
    """
    check_at_least("samples", samples, 1)
    check_at_least("classes", classes, 1)
    check_at_least("noise", noise, 0)
    numbers = np.arange(samples)
    arm, place = numbers % classes, numbers // classes
    radius = place / max((samples - 1) // classes, 1)
    jitter = noise * normals((seed, "spirals"), numbers, (1,))[:, 0].astype(np.float64)
    apart = 4.0 if classes == 3 else 2 * np.pi / classes
    angle = 4.0 * radius + apart * arm + jitter
    x = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
    return _classified("`spirals`", x.astype(np.float32), arm, tuple(map(str, range(classes))))


def check_at_least(name: str, value: float, least: int) -> None:
    """Refuse an argument below what makes sense.

    Raises:
        NetError: E532.
    """
    if not value >= least:
        raise wrong_argument(f"`{name}` is {value}, and has to be at least {least}")


def _classified(name: str, x: Array, labels: Array, classes: tuple[str, ...]) -> Dataset:
    about = About(name, {TARGET: "label"}, {TARGET: classes})
    targets = {TARGET: Rows((labels.astype(np.int64),), "int64")}
    return ArrayData({INPUT: Rows((x,), "float32")}, targets, about)
