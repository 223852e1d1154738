"""Indices of rows and of classes, by every way in."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

import netc
from netc.choices import EngineName

ENGINES = ("numpy", "onnxruntime")
TOKENS = "INPUT(5, dtype=int64) as ids -> EMBED(7, 3) -> FC(2)"
CUT = """
INPUT(5, dtype=int64) as ids -> SLICE(0, 3, axis=length) -> ID as first
( first | ids ) -> CONCAT(axis=length) -> EMBED(7, 3) -> FC(2)
"""
LAST = 'PARAM(4x2) as rows\n( rows | INPUT(3, dtype=int64) ) -> op("Gather", axis=1)'
CLASSES = "INPUT(4) -> FC(3)"
PIXELS = "INPUT(2x2x4) -> CONV(1x1, 3)"
Way = Callable[[netc.Network, Any, Any], object]

WAYS: dict[str, Way] = {
    "value_and_grad": lambda net, x, t: net.value_and_grad(x, t, net.initialize()),
    "gradcheck": lambda net, x, t: net.gradcheck(x, t, net.initialize(), samples=2),
    "train": lambda net, x, t: net.train((x, t), epochs=1, loss="cross_entropy"),
    "train on onnxruntime": lambda net, x, t: net.train(
        (x, t), epochs=1, loss="cross_entropy", engine="onnxruntime"
    ),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("wrong", [-1, -7, 7])
def test_tables_have_no_rows_below_zero_nor_above_the_last(engine: EngineName, wrong: int) -> None:
    """An index outside of a table is refused in the same words on both engines."""
    network = netc.compile(TOKENS)
    caught = refusal(
        network.run, np.array([[0, 1, 2, 3, wrong]]), network.initialize(), engine=engine
    )
    assert f"the input `ids` holds {wrong}, which is out of range for `embed1`" in caught
    last = network.run(np.array([[0, 1, 2, 3, 6]]), network.initialize(), engine=engine)
    assert isinstance(last, np.ndarray)
    assert last.shape == (1, 2)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wrong", [-1, 7])
def test_training_looks_up_rows_that_there_are(way: str, wrong: int) -> None:
    """Gradients, their check and both engines' steps refuse what `run` refuses."""
    ids = np.zeros((20, 5), np.int64)
    ids[:, 2] = wrong
    with pytest.raises(netc.NetError, match="which is out of range for `embed1`"):
        WAYS[way](netc.compile(TOKENS), ids, np.arange(20) % 2)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("wrong", [-1, 3, -100_000])
@pytest.mark.parametrize("program", [CLASSES, PIXELS])
def test_targets_are_classes_of_the_network(way: str, wrong: int, program: str) -> None:
    """A class below zero is no class counted from the end."""
    network = netc.compile(program)
    shape = tuple(e for e in network.inputs[0].shape if isinstance(e, int))
    x = np.zeros((20, *shape), np.float32)
    t = np.full((20, *shape[1:]), 1)
    t[:, ...] = np.arange(20).reshape(20, *[1] * (t.ndim - 1)) % 3
    t.flat[0] = wrong
    with pytest.raises(netc.NetError, match=f"label {wrong} of sample 0 is outside the 3 classes"):
        WAYS[way](network, x, t)


def test_ignored_targets_are_taken() -> None:
    """The class that counts for nothing may be below zero, as a term may say."""
    network, x = netc.compile(CLASSES), np.ones((2, 4), np.float32)
    state = network.initialize()
    both = network.value_and_grad(x, np.array([-100, 2]), state)[0]
    one = network.value_and_grad(x[1:], np.array([2]), state)[0]
    assert both == pytest.approx(one)


@pytest.mark.parametrize("wrong", [-1, 2])
def test_decisions_are_no_or_yes(wrong: int) -> None:
    """Integers that say no and yes are 0 and 1."""
    network = netc.compile("INPUT(4) -> FC(1)")
    with pytest.raises(netc.NetError, match=f"label {wrong} of sample 1 is outside the 2"):
        network.value_and_grad(
            np.zeros((2, 4)),
            np.array([0, wrong]),
            network.initialize(),
            loss="binary_cross_entropy",
        )


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        (["cat", "dog"], "holds words"),
        (np.array(["cat", "dog"], object), "holds words"),
        ([0, None], "holds missing values"),
        ([[1, 2], [3]], "is not an array of numbers"),
        ([2**70, 1], "holds numbers of more than 64 bits"),
        ([1 + 2j, 0], "holds complex numbers"),
    ],
)
@pytest.mark.parametrize("way", ["value_and_grad", "gradcheck"])
def test_targets_are_numbers(way: str, targets: Any, said: str) -> None:
    """Words and other things are refused, and words are told how they become classes."""
    with pytest.raises(netc.NetError, match=f"the target of `output` {said}") as caught:
        WAYS[way](netc.compile(CLASSES), np.zeros((2, 4), np.float32), targets)
    assert ("return_inverse" in str(caught.value)) == (said == "holds words")


@pytest.mark.parametrize("engine", ENGINES)
def test_indices_are_followed_through_what_moves_them(engine: EngineName) -> None:
    """Cuts and joins change no index, so inputs in front of them are checked as well."""
    network = netc.compile(CUT)
    with pytest.raises(netc.NetError, match="the input `ids` holds -2"):
        network.run(np.array([[0, 1, 2, 3, -2]]), network.initialize(), engine=engine)


def test_operators_of_onnx_count_from_the_end() -> None:
    """`op("Gather")` is ONNX's own, where -1 is the last row."""
    network = netc.compile(
        'PARAM(4x2) as rows\n( rows | INPUT(3, dtype=int64) ) -> op("Gather", axis=1)'
    )
    state = network.initialize()
    np.testing.assert_array_equal(
        network.run(np.array([[-1, 0, -4]]), state), network.run(np.array([[3, 0, 0]]), state)
    )
