"""Where a plan's results lie: nothing overlaps, nothing is allocated twice, nothing is lost."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import numpy as np
import pytest
from support.memory import less_memory_than

import netc
from netc.compiler.analysis.memory import measure
from netc.compiler.passes.pipeline import settle
from netc.runtime.engines.memory import ALIGNMENT, Lifetime, Memory, places
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import Array

CNN = "INPUT(16x16x3) -> [CONV(3x3, 8) -> BN -> RELU]*3 -> POOL -> FC(16) -> TANH -> FC(4)"


def _run(net: netc.Network, x: Array, state: Mapping[str, Array]) -> Array:
    """The only output, as the engine returned it."""
    y = net.run(x, state)
    assert isinstance(y, np.ndarray)
    return y


def test_places() -> None:
    """What lives at the same time lies apart, and gaps are used again, also joined ones."""
    random = np.random.default_rng(0)
    for _ in range(50):
        firsts = sorted(random.integers(0, 40, 30))
        lives = [
            Lifetime(int(first), int(first + random.integers(0, 9)), int(random.integers(0, 4000)))
            for first in firsts
        ]
        offsets, end = places(lives)
        spans = list(zip(lives, offsets, strict=True))
        assert all(offset % ALIGNMENT == 0 and offset + x.bytes <= end for x, offset in spans)
        for (a, at), (b, there) in combinations(spans, 2):
            if a.first <= b.last and b.first <= a.last:
                assert at + a.bytes <= there or there + b.bytes <= at
    halves = [Lifetime(0, 0, 64), Lifetime(0, 0, 64), Lifetime(1, 1, 128)]
    assert places(halves) == ([0, 64, 0], 128)
    assert places([]) == ([], 0)


@pytest.mark.parametrize("name", ["lenet5", "resnet18", "vgg16", "googlenet", "densenet121"])
def test_the_arena_is_what_the_summary_says(name: str) -> None:
    """The arena of one sample is at most 10 % more than the activation memory that is counted.

    It may be less: an operator that writes over its argument counts as two arrays. A crop keeps
    what it was cut from, which is not counted, so U-Net takes 1.2 times as much.
    """
    net = netc.load(f"zoo:{name}")
    arena = Memory(plan(settle(net.graph)).memories.results, {"N": 1}).arena.size
    counted = measure(net.graph).peak
    assert isinstance(counted, int)
    assert arena <= 1.1 * counted


def test_results_are_kept() -> None:
    """What a run returned stays as it is, however often the network runs."""
    net = netc.compile(CNN)
    state = net.initialize(0)
    random = np.random.default_rng(0)
    batches = [random.standard_normal((5, 3, 16, 16)).astype(np.float32) for _ in range(6)]
    kept = [_run(net, x, state) for x in batches]
    copies = [y.copy() for y in kept]
    views = [y[1:] for y in kept]
    del kept
    again = [_run(net, x, state) for x in batches]
    for x, y, view in zip(copies, again, views, strict=True):
        np.testing.assert_array_equal(x, y)
        np.testing.assert_array_equal(x[1:], view)


def test_a_step_allocates_nothing_that_is_large() -> None:
    """After the first runs, what a run computes lies in memory that is there."""
    net = netc.compile("INPUT(64) -> [FC(2048) -> TANH]*4 -> FC(8)")
    state = {name: np.asarray(array) for name, array in net.initialize(0).items()}
    x = np.zeros((512, 64), np.float32)
    for _ in range(4):
        net.run(x, state)
    with less_memory_than(512 * 2048 * 4 / 4):
        net.run(x, state)


def test_threads_have_their_own_memory() -> None:
    """Runs at the same time do not write to each other's arrays."""
    net = netc.compile(CNN)
    state = net.initialize(0)
    random = np.random.default_rng(0)
    batches = [random.standard_normal((4, 3, 16, 16)).astype(np.float32) for _ in range(24)]
    expected = [_run(net, x, state).copy() for x in batches]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda x: _run(net, x, state), batches))
    for x, y in zip(expected, found, strict=True):
        np.testing.assert_array_equal(x, y)
