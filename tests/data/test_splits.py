"""Splits, orders and batches."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

from netc.runtime.data import (
    LOADERS,
    About,
    ArrayData,
    Dataset,
    Rows,
    arrays,
    batch_indices,
    batches,
    shuffled,
    splits,
)


def labelled(counts: Sequence[int], *, held_out: int = 0) -> Dataset:
    """A data set with the given number of samples of each class, sorted by class."""
    labels = np.repeat(np.arange(len(counts)), counts)
    rows = {"target": Rows((labels,), "int64")}
    inputs = {"input": Rows((np.arange(len(labels)),), "int64")}
    return ArrayData(inputs, rows, About("it", {"target": "label"}, held_out=held_out))


@pytest.mark.parametrize(
    ("count", "fractions", "sizes"),
    [
        (1797, (0.8, 0.1, 0.1), (1437, 180, 180)),
        (1797, (0.7, 0.1, 0.2), (1257, 180, 360)),
        (100, (0.8, 0.1, 0.1), (80, 10, 10)),
        (100, (0.7, 0.3), (70, 30, 0)),
        (100, (1,), (100, 0, 0)),
        (100, (1.0, 0.0, 0.0), (100, 0, 0)),
        (100, (0.5, 0.1, 0.1), (50, 10, 10)),
        (4, (0.5, 0.25, 0.25), (2, 1, 1)),
        (10, (0.1, 0.2, 0.7), (1, 2, 7)),
    ],
)
def test_sizes(count: int, fractions: tuple[float, ...], sizes: tuple[int, ...]) -> None:
    """Validation and test part are rounded up; the parts have no sample in common."""
    found = splits(arrays(np.zeros(count)), fractions)
    parts = (found.train, found.validation, found.test)
    assert tuple(map(len, parts)) == sizes
    joined = np.concatenate(parts)
    assert len(set(joined.tolist())) == sum(sizes)
    assert set(joined.tolist()) <= set(range(count))
    assert all((np.diff(part) > 0).all() for part in parts)


@pytest.mark.parametrize("counts", [(50, 30, 20), (997, 2, 1), (7,) * 13, (1,) * 20])
def test_classes_are_in_proportion(counts: tuple[int, ...]) -> None:
    """Each part holds each class's share, up to a sample more or less."""
    data = labelled(counts)
    labels = data.labels()
    assert labels is not None
    found = splits(data, (0.6, 0.2, 0.2), seed=3)
    for part in (found.train, found.validation, found.test):
        held = np.bincount(labels[part], minlength=len(counts))
        expected = np.array(counts) * len(part) / sum(counts)
        assert np.abs(held - expected).max() <= 2  # a stretch has two ends


def test_the_seed_settles_the_split() -> None:
    """The same seed gives the same split, another one another; these numbers are for all time."""
    data = LOADERS["digits"]()
    first, again, other = splits(data, seed=0), splits(data, seed=0), splits(data, seed=1)
    np.testing.assert_array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)
    small = splits(labelled((5, 5)), (0.6, 0.2, 0.2), seed=0)
    assert (small.train.tolist(), small.validation.tolist(), small.test.tolist()) == (
        [1, 2, 3, 5, 6, 8],
        [4, 7],
        [0, 9],
    )


def test_a_test_part_of_its_own_stays() -> None:
    """The data's own test part is kept whole, and the others share the rest in proportion."""
    data = labelled((40, 40, 20), held_out=20)
    found = splits(data, (0.8, 0.1, 0.1))
    np.testing.assert_array_equal(found.test, np.arange(80, 100))
    assert (len(found.train), len(found.validation)) == (71, 9)
    assert max(*found.train, *found.validation) < 80
    without = splits(data, (0.9, 0.1))
    assert (len(without.train), len(without.validation), len(without.test)) == (72, 8, 0)
    assert max(*without.train, *without.validation) < 80


@pytest.mark.parametrize(
    ("count", "fractions", "message"),
    [
        (10, (), "the fractions () do not divide the data"),
        (10, (0.5, 0.6), "the fractions (0.5, 0.6) do not divide the data"),
        (10, (1.2, -0.2), "the fractions (1.2, -0.2) do not divide the data"),
        (10, (0.4, 0.2, 0.2, 0.2), "do not divide the data"),
        (10, (float("nan"), 0.1), "do not divide the data"),
        (10, (0, 0, 0), "do not divide the data"),
        (10, (0, 1), "the fraction for training is 0"),
        (2, (0.4, 0.3, 0.3), "leaves none of the 2 samples"),
    ],
)
def test_splits_that_make_no_sense(count: int, fractions: tuple[float, ...], message: str) -> None:
    """Fractions that are none, and parts without samples."""
    text = refusal(splits, arrays(np.zeros(count)), fractions)
    assert text.startswith("error[E531]")
    assert message in text


def test_orders() -> None:
    """Each epoch and each seed has its own order of the same samples, which can be had again."""
    indices = np.arange(100, 200)
    orders = [shuffled(indices, seed=s, epoch=e) for s, e in ((0, 0), (0, 1), (1, 0), (0, 0))]
    for order in orders:
        np.testing.assert_array_equal(np.sort(order), indices)
    np.testing.assert_array_equal(orders[0], orders[3])
    assert not np.array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


@pytest.mark.parametrize(
    ("count", "size", "last", "lengths"),
    [
        (10, 4, "keep", [4, 4, 2]),
        (10, 4, "drop", [4, 4]),
        (8, 4, "keep", [4, 4]),
        (10, None, "keep", [10]),
        (10, None, "drop", [10]),
        (3, 4, "keep", [3]),
    ],
)
def test_batches(count: int, size: int | None, last: Any, lengths: list[int]) -> None:
    """Batches hold the samples in order; a short one at the end is kept or dropped."""
    data = arrays(np.arange(count))
    order = np.arange(count)[::-1]
    found = list(batches(data, order, size, last=last))
    assert [len(batch) for batch in found] == lengths
    held = np.concatenate([batch.inputs["input"] for batch in found])
    np.testing.assert_array_equal(held, order[: len(held)])


@pytest.mark.parametrize(
    ("count", "size", "last"), [(3, 4, "drop"), (0, 4, "keep"), (0, None, "keep")]
)
def test_no_batch(count: int, size: int | None, last: Any) -> None:
    """Too few samples for a batch are an error."""
    text = refusal(batch_indices, np.arange(count), size, last=last)
    assert text.startswith("error[E531]")
