"""What Python gives for arrays is read as numbers, or refused with what makes numbers of it."""

import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

import netc
from netc.runtime.arrays.from_python import fault_of, to_array
from netc.runtime.data import arrays

NETWORK = "INPUT(2) -> FC(3)"
X = np.array([[0.5, 1], [2, 3], [4, 5]], np.float32)
T = np.array([0, 2, 1])


class NAType:
    """What stands for a missing value in nullable columns of pandas."""


MIXED = [("a", "f4"), ("b", "i4")]
# What is given, what it holds in place of numbers, and what makes numbers of it.
FAULTS: dict[str, tuple[Any, str, str]] = {
    "masked numbers": (np.ma.masked_less(X, 1), "masked values", ".filled(np.nan)"),
    "masked classes": (np.ma.masked_equal(T, 1), "masked values", ".filled(-100)"),
    "a nullable column": (np.array([1, NAType(), 2], object), "missing values", "na_value=np.nan"),
    "None": ([1.5, None], "missing values", "leave such samples out"),
    "words": (["a", "b"], "words", "np.unique(words"),
    "whole numbers as words": (["1", "2"], "numbers written as words", "`.astype(int)`"),
    "real numbers as words": (["1", "2.5"], "numbers written as words", "`.astype(float)`"),
    "words among numbers": (np.array([1, "a"], object), "words and numbers mixed", ".astype(str)"),
    "dates": (np.array(["2026-01-01"], "M8[D]"), "dates", "np.timedelta64(1, 'D')"),
    "spans": (np.array([3], "m8[s]"), "time spans", "np.timedelta64(1, 's')"),
    "complex numbers": (X + 1j, "complex numbers", ".real"),
    "records": (np.zeros(3, MIXED), "records of named fields", "structured_to_unstructured"),
    "large integers": (np.array([2**63], np.uint64), "numbers above 9223372036854775807", "cast"),
    "larger integers": ([2**70, 1], "numbers of more than 64 bits", "cast"),
    "a set": ({1, 2}, "one object of the type `set`", "a list of numbers"),
    "a generator": ((i for i in range(3)), "one object of the type `generator`", "a list"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_not_numbers(case: str) -> None:
    """Each kind is named, and so is what makes numbers of it."""
    given, what, help = FAULTS[case]
    fault = fault_of(to_array(given))
    assert fault is not None
    assert fault[0] == what
    assert help in fault[1]


@pytest.mark.parametrize("case", ["masked numbers", "dates", "records", "a set"])
def test_all_ways_in(case: str) -> None:
    """Training, gradients and running refuse the same inputs in the same words."""
    given, what, _ = FAULTS[case]
    network = netc.compile(NETWORK)
    state = network.initialize()
    for way in (
        lambda: network.train((given, T), epochs=1),
        lambda: network.value_and_grad(given, T, state),
        lambda: network.run(given, state),
    ):
        with pytest.raises(netc.NetError, match=f"`input` holds {what}"):
            way()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.ma.masked_less(X, 0), X),
        (np.array([[Decimal("0.5"), 1], [2, 3], [4, 5]], object), X),
        (X.astype(object), X),
        (X > 1, [[0, 0], [1, 1], [1, 1]]),
        (X.astype(np.longdouble), X),
        (X.astype(">f4"), X),
        (X.tolist(), X),
    ],
)
def test_other_forms_of_numbers(given: Any, expected: Any) -> None:
    """Masked arrays without a mask, decimals, objects, truth values, other widths and orders."""
    found = arrays(given, T).take([0, 1, 2]).inputs["input"]
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, np.asarray(expected, np.float32))
    network = netc.compile("INPUT(2) -> RELU")
    np.testing.assert_array_equal(network.run(given, {}), np.asarray(expected, np.float32))


@pytest.mark.parametrize(
    ("source", "loss", "t", "same"),
    [
        (NETWORK, "cross_entropy", T[:, None], T),
        (NETWORK, "cross_entropy", T.astype(np.uint8), T),
        (NETWORK, "mse", T, np.eye(3)[T]),
        (NETWORK, "mse", [[0], [2], [1]], np.eye(3)[T]),
        ("INPUT(2) -> FC(1)", "mse", T, T[:, None].astype(float)),
        ("INPUT(2) -> FC(1)", "binary_cross_entropy", T > 0, np.array([[0], [1], [1]])),
    ],
)
def test_targets_of_gradients_are_those_of_training(
    source: str, loss: str, t: Any, same: Any
) -> None:
    """Axes of 1, indices for one-hot numbers and truth values mean what they mean in `train`."""
    network = netc.compile(source)
    state = network.initialize()
    value, gradients = network.value_and_grad(X, t, state, loss=loss)
    expected, others = network.value_and_grad(X, same, state, loss=loss)
    assert value == expected
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, others[name])
    assert network.train((X, t), loss=loss, epochs=1, split=(1, 0, 0)).history.rows


@pytest.mark.parametrize("way", ["train", "value_and_grad"])
def test_real_labels(way: str) -> None:
    """Labels that are real numbers are refused by the array's name, with the cast that helps."""
    network, t = netc.compile(NETWORK), T.astype(float)
    what = {"train": "the data: the target `target`", "value_and_grad": "the batch: the target of"}
    ways: dict[str, Callable[[], object]] = {
        "train": lambda: network.train((X, t), epochs=1),
        "value_and_grad": lambda: network.value_and_grad(X, t, network.initialize()),
    }
    caught = refusal(ways[way])
    assert caught.startswith(f"error[E133]: {what[way]}")
    assert "has real numbers on 1 axis, which `cross_entropy` does not take" in caught
    assert "`t.astype(int)`" in caught
    assert "<settings>" not in caught


def test_whole_numbers_that_say_neither_yes_nor_no() -> None:
    """Several labels per sample are 0 or 1 in training as in gradients."""
    network = netc.compile("INPUT(2) -> FC(2)")
    t = np.array([[0, 1], [1, 7], [0, 0]])
    for way in (
        lambda: network.train((X, t), loss="binary_cross_entropy", epochs=1, split=(1, 0, 0)),
        lambda: network.value_and_grad(X, t, network.initialize(), loss="binary_cross_entropy"),
    ):
        with pytest.raises(netc.NetError, match="the label 7 of sample 1 is outside the 2"):
            way()


class Guarded:
    """A weight that refuses to become an array, as PyTorch's tensors with a gradient do."""

    def __array__(self, *_: object, **__: object) -> np.ndarray[Any, Any]:
        """The refusal."""
        raise RuntimeError("detach it first")


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ma.masked_equal(np.zeros(3, np.float32), 0), "`fc1.bias` holds masked values"),
        (Guarded(), "`fc1.bias` is not an array of numbers\n  = note: detach it first"),
        ([[1], [2, 3]], "`fc1.bias` is not an array of numbers"),
    ],
)
@pytest.mark.parametrize("way", ["run", "value_and_grad", "train", "export"])
def test_weights(tmp_path: Path, way: str, weight: Any, message: str) -> None:
    """Weights with a mask, and what is no array, are refused wherever weights are taken."""
    network = netc.compile(NETWORK)
    state: Any = {**network.initialize(), "fc1.bias": weight}
    ways: dict[str, Callable[[], object]] = {
        "run": lambda: network.run(X, state),
        "value_and_grad": lambda: network.value_and_grad(X, T, state),
        "train": lambda: network.train((X, T), weights=state, epochs=1),
        "export": lambda: network.export(str(tmp_path / "a.onnx"), state),
    }
    assert refusal(ways[way]).startswith(f"error[E501]: the weight {message}")
    assert not (tmp_path / "a.onnx").exists()


def test_a_part_is_chosen_by_its_name() -> None:
    """Arrays in place of a part's name are refused, with what takes arrays."""
    run = netc.compile(NETWORK).train((X, T), epochs=1, split=(1, 0, 0))
    with pytest.raises(netc.NetError, match=r"E531.*\n.*`run.predict\(x\)` takes new samples"):
        run.evaluate((X, T))  # type: ignore[arg-type]  # what a user may try


def test_an_input_that_is_called_by_its_value() -> None:
    """A binding names a value, `as` names the input; the help says so, for runs and predictions."""
    network = netc.compile("x = INPUT(8)\nx -> FC(2)\ntrain { epochs = 1 }")
    given = {"x": np.zeros((4, 8), np.float32)}
    help = "the input is called `input`; with `INPUT(...) as x` it is `x`"
    failure = refusal(network.run, given, network.initialize(0))
    assert failure == f"error[E206]: the network has no input `x`\n  = help: {help}"
    with pytest.raises(netc.NetError, match=re.escape(help)):
        network.predict(given, weights=network.initialize(0))
    named = netc.compile("INPUT(8) as x\nx -> FC(2)")
    found = named.run(given, named.initialize(0))
    assert isinstance(found, np.ndarray)
    assert found.shape == (4, 2)
