"""Samples -> training, validation and test part; parts -> batches, in an order of the epoch's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil
from typing import Literal

import numpy as np

from ...grammar.diagnostics import error
from ..kerneldef import Array
from .dataset import Batch, Dataset
from .streams import stream

Fold = tuple[int, int]  # the number of a fold from 0, and how many there are
Last = Literal["keep", "drop"]
_TOLERANCE = 1e-9  # fractions such as 0.8 + 0.1 + 0.1 may be a little more than 1


@dataclass(frozen=True, slots=True)
class Splits:
    """The numbers of the samples of each part, ascending; validation and test may be empty."""

    train: Array
    validation: Array
    test: Array


def splits(
    data: Dataset,
    fractions: Sequence[float] = (0.8, 0.1, 0.1),
    *,
    seed: int = 0,
    fold: Fold | None = None,
) -> Splits:
    """Divide a data set, each class in proportion where there are labels.

    Validation and test part are rounded up, the training part gets the rest; where the fractions
    sum to less than 1, some samples are left out. A data set with its own validation or test part
    keeps it, unless the fraction for it is 0; the others then divide the rest in proportion.
    Samples of one group stay together; samples with a place in time are divided by it, the latest
    for the test part, and those before for the validation part.

    Args:
        data: The data set.
        fractions: Of the training, validation and test part; what is left out is 0.
        seed: Settles who comes where; the same on every machine.
        fold: Which of how many equal folds is the test part, in place of any other; the other
            fractions divide the rest in proportion. In time, training parts end before it begins.

    Raises:
        NetError: E531, fractions that make no sense, or that leave no sample for training.
    """
    train, validation, test = _checked(fractions)
    about = data.about
    end = len(data) - about.held_out
    rest = end - about.validation
    own_test = bool(about.held_out and (test or about.always)) and fold is None
    own_validation = bool(about.validation and (validation or about.always))
    given = own_test * test + own_validation * validation + (test if fold else 0)
    train, validation, test = (share / (1 - given) for share in (train, validation, test))
    order = _order(data, rest, seed)
    tested = order[:0]
    if fold is not None:
        tested, order = _fold(data, order, fold)
    # Data with a part of their own never share what is left with another of the same kind.
    test = 0.0 if about.held_out or fold else test
    validation = 0.0 if about.validation else validation
    found = _divided(data, order, train, validation, test)
    if own_validation:
        found = replace(found, validation=np.arange(rest, end))
    if own_test:
        found = replace(found, test=np.arange(end, len(data)))
    return found if fold is None else replace(found, test=np.sort(tested))


def _divided(data: Dataset, order: Array, train: float, validation: float, test: float) -> Splits:
    """Samples as parts: the first for testing, the next for validation, in whole groups.

    Raises:
        NetError: E531, none is left for training.
    """
    left = len(order)
    first = _whole_groups(data, order, _up(test * left))
    second = _whole_groups(data, order, first + _up(validation * left))
    whole = train + validation + test >= 1 - _TOLERANCE
    trained = left - second if whole else min(left - second, round(train * left))
    if trained < 1:
        raise error(
            "E531",
            f"the split leaves none of the {len(data)} samples of {data.about.name} for training",
            help="give the training part more, such as `split = (1, 0, 0)`",
        )
    return Splits(
        train=np.sort(order[second : second + trained]),
        validation=np.sort(order[first:second]),
        test=np.sort(order[:first]),
    )


def _order(data: Dataset, count: int, seed: int) -> Array:
    """The first `count` samples, of which the test part takes the first, then the validation part.

    Those of a group follow each other; those in time are the latest first.
    """
    about = data.about
    if about.ranks is not None:
        return np.argsort(-about.ranks[:count], kind="stable")
    if about.groups is None:
        return _spread(data, count, seed)
    _, groups = np.unique(about.groups[:count], return_inverse=True)
    places = stream((seed, "split")).permutation(groups.max() + 1)
    return np.argsort(places[groups.reshape(-1)], kind="stable")


def _whole_groups(data: Dataset, order: Array, count: int) -> int:
    """`count`, or as many samples more as it takes to end with a whole group."""
    groups = data.about.groups
    if groups is None:
        return count
    while 0 < count < len(order) and groups[order[count - 1]] == groups[order[count]]:
        count += 1
    return count


def _fold(data: Dataset, order: Array, fold: Fold) -> tuple[Array, Array]:
    """The samples of a fold, and those that are left to train on, in their order.

    Raises:
        NetError: E531, there are fewer samples or groups than folds.
    """
    number, count = fold
    in_time = data.about.ranks is not None
    parts = count + in_time  # what comes first in time is only trained on
    bounds = [
        _whole_groups(data, order, round(place * len(order) / parts)) for place in range(parts + 1)
    ]
    if in_time:  # the latest come first
        number = count - 1 - number
    start, stop = bounds[number : number + 2]
    if start == stop:
        what = f"{data.about.name} does not divide into {count} folds"
        raise error("E531", what, help="take fewer folds")
    others = order[stop:] if in_time else np.concatenate([order[:start], order[stop:]])
    return order[start:stop], others


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
