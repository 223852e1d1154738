"""Which layers of two networks correspond."""

import time

import pytest

from netc.comparison.alignment import LayerKey, align


def items(names: list[str]) -> list[LayerKey]:
    """Layers that are equal where the part of their name before `@` is."""
    return [LayerKey(n[0], n.split("@")[0], n.split("@")[0], n, labelled=False) for n in names]


def test_pairs_rise() -> None:
    """Alignment keeps the order on both sides, and pairs what is of one kind."""
    before, after = items(["a1", "b1", "c1", "a2"]), items(["c1", "a1", "b2", "a2"])
    assert align(before, after) == [(0, 1), (1, 2), (3, 3)]


@pytest.mark.parametrize("step", [10, 1])
def test_ten_thousand_layers(step: int) -> None:
    """Long networks are compared in seconds, whether few layers changed or every one."""
    before = items([f"a{i % 7}@{i}" for i in range(10_000)])
    changed = [f"{'b' if i % step == 0 else 'a'}{i % 7}@{i}" for i in range(10_000)]
    started = time.process_time()
    pairs = align(before, items(changed))
    assert time.process_time() - started < 20
    assert len(pairs) == (9_000 if step == 10 else 0)
    assert all(i == j for i, j in pairs)


def test_an_insertion_into_ten_thousand_layers() -> None:
    """One new layer among ten thousand is found, though all names behind it shift."""
    before = items([f"a{i % 7}@{i}" for i in range(10_000)])
    after = items([f"a{i % 7}@{i}" for i in range(5_000)] + ["b@new"])
    after += items([f"a{i % 7}@{i + 1}" for i in range(5_000, 10_000)])
    pairs = align(before, after)
    assert pairs == [(i, i + (i >= 5_000)) for i in range(10_000)]
