"""Samples -> training, validation and test part; parts -> batches, in an order of the epoch's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np

from ...grammar.diagnostics import error
from ..kerneldef import Array
from .dataset import Batch, Dataset
from .streams import stream

Last = Literal["keep", "drop"]
_TOLERANCE = 1e-9  # fractions such as 0.8 + 0.1 + 0.1 may be a little more than 1


@dataclass(frozen=True, slots=True)
class Splits:
    """The numbers of the samples of each part, ascending; validation and test may be empty."""

    train: Array
    validation: Array
    test: Array


def splits(data: Dataset, fractions: Sequence[float] = (0.8, 0.1, 0.1), *, seed: int = 0) -> Splits:
    """Divide a data set, each class in proportion where there are labels.

    Validation and test part are rounded up, the training part gets the rest; where the fractions
    sum to less than 1, some samples are left out. A data set with its own test part
    keeps it, unless the fraction for it is 0; the others then divide the rest in proportion.

    Args:
        data: The data set.
        fractions: Of the training, validation and test part; what is left out is 0.
        seed: Settles who comes where; the same on every machine.

    Raises:
        NetError: E531, fractions that make no sense, or that leave no sample for training.
    """
    train, validation, test = _checked(fractions)
    held_out = data.about.held_out
    rest = len(data) - held_out
    if held_out and test:
        train, validation = train / (1 - test), validation / (1 - test)
    own = np.arange(rest, len(data) if test else rest)
    order = _spread(data, rest, seed)
    test = 0.0 if held_out else test
    counts = [_up(test * rest), _up(validation * rest)]
    whole = train + validation + test >= 1 - _TOLERANCE
    left = rest - sum(counts)
    trained = left if whole else min(left, round(train * rest))
    if trained < 1:
        raise error(
            "E531",
            f"the split leaves none of the {len(data)} samples of {data.about.name} for training",
            help="give the training part more, such as `split = (1, 0, 0)`",
        )
    first, second = counts[0], sum(counts)
    return Splits(
        train=np.sort(order[second : second + trained]),
        validation=np.sort(order[first:second]),
        test=own if held_out else np.sort(order[:first]),
    )


def _checked(fractions: Sequence[float]) -> tuple[float, float, float]:
    total = sum(fractions)
    if not 1 <= len(fractions) <= 3 or min(fractions) < 0 or not 0 < total <= 1 + _TOLERANCE:
        listing = ", ".join(f"{fraction:g}" for fraction in fractions)
        raise error(
            "E531",
            f"the fractions ({listing}) do not divide the data",
            help="give up to three fractions, for training, validation and test, that sum to 1",
        )
    train, validation, test = (*fractions, 0.0, 0.0)[:3]
    if train == 0:
        raise error("E531", "the fraction for training is 0", help="such as `split = (0.8, 0.2)`")
    return train, validation, test


def _up(number: float) -> int:
    return ceil(number - _TOLERANCE * max(number, 1))


def _spread(data: Dataset, count: int, seed: int) -> Array:
    """The first `count` samples in an order of which every stretch holds the classes evenly.

    The k-th of n samples of a class, in random order, is at (k + u) / n of the way, with a
    random u of the class's own from [0, 1).
    """
    random = stream((seed, "split"))
    order = random.permutation(count)
    labels = data.labels()
    if labels is None:
        return order
    _, classes, sizes = np.unique(labels[:count][order], return_inverse=True, return_counts=True)
    classes = classes.reshape(-1)
    by_class = np.argsort(classes, kind="stable")
    ranks = np.empty(count, np.int64)
    ranks[by_class] = np.arange(count) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    places = (ranks + random.random(len(sizes))[classes]) / sizes[classes]
    return order[np.argsort(places, kind="stable")]


def shuffled(indices: Array, *, seed: int, epoch: int) -> Array:
    """Samples in the order of an epoch."""
    return stream((seed, "order", epoch)).permutation(indices)


def batch_indices(indices: Array, size: int | None, *, last: Last = "keep") -> tuple[Array, ...]:
    """Samples as batches, in the given order; `size` None is all in one.

    Args:
        indices: The numbers of the samples.
        size: Samples per batch.
        last: Whether a short last batch is kept or dropped.

    Raises:
        NetError: E531, no batch is left.
    """
    size = len(indices) if size is None else size
    count = len(indices) // size if last == "drop" and size else ceil(len(indices) / max(size, 1))
    if not count:
        raise error(
            "E531",
            f"{len(indices)} samples are too few for a batch of {size}",
            help="take smaller batches, `batch = all`, or `last = keep`",
        )
    return tuple(indices[place * size : (place + 1) * size] for place in range(count))


def batches(
    data: Dataset, indices: Array, size: int | None, *, last: Last = "keep"
) -> Iterator[Batch]:
    """Read samples batch by batch, in the given order.

    Raises:
        NetError: E531, no batch is left; or what `Dataset.take` raises.
    """
    for part in batch_indices(indices, size, last=last):
        yield data.take(part)
