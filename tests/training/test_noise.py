"""The noise of training: the same bits on every engine, and no pattern in them."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from support.engines import on_both

from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, Shape, TensorType
from netc.compiler.passes.noise import STEP_STRIDES, kept, key_of, noise_bits, uniform
from netc.runtime.kerneldef import Array

COUNT = 1 << 16
STEPS = (0, 1, 2, 1000, 2**31, 2**32 + 7)
SHAPES: list[tuple[Shape, int]] = [
    ((), 0),
    ((5,), 0),
    ((BATCH,), 9),
    ((BATCH, 1, 1, 1), 4),
    ((BATCH, 3, 4, 5), 0),
    ((BATCH, 3, 4, 5), 1),
    ((BATCH, 3, 4, 5), 6),
    ((BATCH, 2, 3, 2, 2), 2),
    ((7, BATCH, 2), 3),
    ((4 * BATCH, 3), 2),
]


def formula(count: int, step: int, key: int) -> Array:
    """The hash as the module's docstring states it, in Python's integers."""
    mask, low, high = 2**32 - 1, key % 2**32, key >> 32
    words = []
    for i in range(count):
        x = (0x9E3779B9 * i + low + 0x85EBCA6B * step) & mask
        x = (x ^ (x >> 16)) * 0x21F0AAAD & mask
        x = (x + high + 0xC2B2AE35 * step) & mask
        words.append((x ^ (x >> 15)) * 0xD35A2D97 & mask)
    return np.array(words, np.uint32)


def drawn(key: int, steps: int = 1, count: int = COUNT) -> Array:
    """Uniform numbers as onnxruntime and NumPy draw them, (steps, count)."""
    graph, x = graph_of((BATCH,))
    graph.outputs = {"u": uniform(Builder(graph), x, graph.inputs["step"], key)}
    rows = []
    for step in range(steps):
        feeds = {"x": np.zeros(count, np.float32), "step": np.array(step)}
        found, expected = on_both(graph, feeds, {})
        np.testing.assert_array_equal(found["u"], expected["u"])
        rows.append(found["u"])
    return np.array(rows, np.float64)


def graph_of(shape: Shape) -> tuple[Graph, Any]:
    """A graph with an input of a shape and one that counts steps."""
    graph = Graph("noise")
    build = Builder(graph)
    x = build.input("x", TensorType(DType.FLOAT32, shape))
    build.input("step", TensorType(DType.INT64, ()))
    return graph, x


def z_of_correlation(a: Array, b: Array) -> float:
    """The correlation of two rows of numbers in units of its deviation under independence."""
    return float(np.corrcoef(a, b)[0, 1] * np.sqrt(len(a)))


@pytest.mark.parametrize(("shape", "batch"), SHAPES, ids=str)
def test_the_same_bits_on_both_engines(shape: Shape, batch: int) -> None:
    """For any rank and batch size both engines compute what the formula says, bit for bit."""
    graph, x = graph_of(shape)
    build, step, key = Builder(graph), graph.inputs["step"], key_of(3, "a.b")
    graph.outputs = {
        "bits": build.Cast(noise_bits(build, x, step, key), to=DType.INT64),
        "uniform": uniform(build, x, step, key),
        "kept": kept(build, x, step, key, 0.3),
    }
    extents = x.type.bind({"N": batch}).shape
    for number in STEPS:
        feeds = {"x": np.ones(extents, np.float32), "step": np.array(number)}
        found, expected = on_both(graph, feeds, {})
        bits = formula(int(np.prod(extents)), number, key).reshape(extents)
        for results in (found, expected):
            np.testing.assert_array_equal(results["bits"], bits)
            np.testing.assert_array_equal(results["uniform"], (bits >> 8) * np.float32(2.0**-24))
            np.testing.assert_array_equal(results["kept"], bits >= round(0.3 * 2**32))
            assert results["uniform"].dtype == np.float32


def test_a_sample_does_not_see_how_large_its_batch_is() -> None:
    """The noise of the first samples is the same in a larger batch."""
    short, long = (drawn(key_of(0, "a"), count=count)[0] for count in (100, 1000))
    np.testing.assert_array_equal(short, long[:100])


@pytest.mark.parametrize("key", [0, 2**64 - 1, key_of(0, "dropout1"), key_of(1, "x.0.y")])
def test_uniform(key: int) -> None:
    """Mean, variance and the counts of 256 buckets are those of uniform numbers, for any key."""
    u = drawn(key)[0]
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) * (12 * COUNT) ** 0.5 < 4
    assert abs(u.var() - 1 / 12) * (180 * COUNT) ** 0.5 < 4
    for place in (1, 256):  # the high bits, and those below
        counts = np.bincount((u * 256 * place % 256).astype(int), minlength=256)
        chi_square = float(((counts - COUNT / 256) ** 2).sum() / (COUNT / 256))
        assert abs(chi_square - 255) < 4 * (2 * 255) ** 0.5


def test_pairs_of_neighbours() -> None:
    """Pairs of neighbouring elements fill a grid of 32 x 32 evenly."""
    u = drawn(key_of(5, "pairs"))[0]
    cells = (u[::2] * 32).astype(int) * 32 + (u[1::2] * 32).astype(int)
    expected = len(cells) / 1024
    chi_square = float(((np.bincount(cells, minlength=1024) - expected) ** 2).sum() / expected)
    assert abs(chi_square - 1023) < 4 * (2 * 1023) ** 0.5


@pytest.mark.parametrize("lag", [1, 2, 3, 7, 8, 64, 1024])
def test_no_correlation_of_elements(lag: int) -> None:
    """Elements do not tell of those beside them, a row away, or a channel away."""
    u = drawn(key_of(2, "elements"))[0]
    assert abs(z_of_correlation(u[lag:], u[:-lag])) < 4


def test_no_correlation_of_steps() -> None:
    """Neighbouring steps, and neighbouring elements of them, do not tell of each other."""
    rows = drawn(key_of(2, "steps"), steps=8)
    scores = [
        z_of_correlation(a[shift:], b[: COUNT - shift])
        for first, second in pairwise(rows)
        for a, b in ((first, second), (second, first))
        for shift in (0, 1, 2)
    ]
    assert max(map(abs, scores)) < 4


def test_no_correlation_of_layers_and_seeds() -> None:
    """Neither layers, nor seeds, nor several draws of a layer tell of each other."""
    keys = [key_of(seed, scope, draw) for seed in (0, 1) for scope in "ab" for draw in (0, 1)]
    assert len(set(keys)) == len(keys)
    rows = [drawn(key)[0] for key in keys]
    scores = [z_of_correlation(a, b) for i, a in enumerate(rows) for b in rows[:i]]
    assert max(map(abs, scores)) < 4


def test_an_element_over_the_steps_is_uniform() -> None:
    """One element's numbers over many steps are spread evenly, and do not tell of the next."""
    steps = np.arange(COUNT, dtype=np.uint32)
    words = [_word_at(element, steps, key_of(9, "one")) for element in (0, 1, 1000)]
    for word in words:
        counts = np.bincount((word >> 24).astype(int), minlength=256)
        chi_square = float(((counts - COUNT / 256) ** 2).sum() / (COUNT / 256))
        assert abs(chi_square - 255) < 4 * (2 * 255) ** 0.5
        assert abs(z_of_correlation(word[1:].astype(float), word[:-1].astype(float))) < 4


def _word_at(element: int, steps: Array, key: int) -> Array:
    """The formula for one element at many steps."""
    low, high, first, second = (np.uint32(n) for n in (key % 2**32, key >> 32, *STEP_STRIDES))
    with np.errstate(over="ignore"):
        x: Array = np.uint32(0x9E3779B9 * element % 2**32) + low + first * steps
        x = (x ^ (x >> np.uint32(16))) * np.uint32(0x21F0AAAD) + high + second * steps
        return np.asarray((x ^ (x >> np.uint32(15))) * np.uint32(0xD35A2D97))


def test_avalanche() -> None:
    """A flip of any bit of the element's number flips each high bit half of the time."""
    graph, x = graph_of((BATCH,))
    bits = noise_bits(Builder(graph), x, graph.inputs["step"], key_of(4, "avalanche"))
    graph.outputs = {"bits": Builder(graph).Cast(bits, to=DType.INT64)}
    feeds = {"x": np.zeros(COUNT, np.float32), "step": np.array(17)}
    words = on_both(graph, feeds, {})[0]["bits"]
    numbers = np.arange(COUNT)
    for flipped in range(16):
        changed = words ^ words[numbers ^ (1 << flipped)]
        for bit in range(8, 32):
            share = ((changed >> bit) & 1).mean()
            assert abs(share - 0.5) * 2 * (COUNT / 2) ** 0.5 < 5
