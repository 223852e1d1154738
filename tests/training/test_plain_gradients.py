"""Gradients of a network's own values, by inputs and by any value of it."""

from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

import netc

PRODUCT = "INPUT(1) as x\nINPUT(1) as y\nz = ( x | y ) -> MUL\nf = ( z | x ) -> ADD"
X = {"x": np.array([[2.0], [1.0]], np.float32), "y": np.array([[3.0], [5.0]], np.float32)}
MLP = "INPUT(3) -> FC(4) as h -> TANH as a -> FC(1)"


def test_an_output_of_one_number_is_differentiated_itself() -> None:
    """Of f = x y + x the sum over the batch, with df/dx = y + 1 and df/dy = x."""
    value, found = netc.compile(PRODUCT).value_and_grad(X, None, {})
    assert value == 14.0
    assert list(found) == ["x", "y"]
    np.testing.assert_array_equal(found["x"], [[4.0], [6.0]])
    np.testing.assert_array_equal(found["y"], [[2.0], [1.0]])


def test_a_binding_can_be_differentiated() -> None:
    """`of` names any value: of z = x y the gradients are the other factors."""
    value, found = netc.compile(PRODUCT).value_and_grad(X, None, {}, of="z", wrt=["x", "y"])
    assert value == 11.0
    np.testing.assert_array_equal(found["x"], X["y"])
    np.testing.assert_array_equal(found["y"], X["x"])


def test_the_graph_of_a_plain_gradient() -> None:
    """The backward graph of `of` has it as an output, and a gradient for each of `wrt` alone."""
    graph = netc.compile(MLP).backward(of="a", wrt=["input", "h.weight"])
    assert list(graph.outputs) == ["output", "a", "input.grad", "h.weight.grad"]


def test_a_single_name_needs_no_list() -> None:
    """`wrt="h.weight"` is one name, not its letters; messages list inner values as well."""
    net = netc.compile(MLP)
    assert list(net.backward(of="a", wrt="h.weight").outputs) == ["output", "a", "h.weight.grad"]
    with pytest.raises(netc.NetError, match="there is `output`, `input`, `h`, `a`"):
        net.backward(of="a", wrt="elsewhere")


def test_gradients_by_inputs_and_inner_values_of_a_loss() -> None:
    """Of the mean of (y - t)^2: by the output 2 (y - t) / n, by what is before it times W."""
    net = netc.compile(MLP)
    state = net.initialize(seed=1)
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    t = np.ones((5, 1), np.float32)
    y = np.asarray(net.run(x, state))
    _, found = net.value_and_grad(x, t, state, loss="mse", wrt=["input", "a", "output"])
    slope = 2 * (y - t) / 5
    by_a = slope @ state["fc1.weight"]
    a = net.run(x, state, fetch=["a"])
    by_x = (by_a * (1 - np.asarray(a["a"]) ** 2)) @ state["h.weight"]
    np.testing.assert_allclose(found["output"], slope, rtol=1e-5)
    np.testing.assert_allclose(found["a"], by_a, rtol=1e-4)
    np.testing.assert_allclose(found["input"], by_x, rtol=1e-4, atol=1e-6)


def test_saliency_of_one_class() -> None:
    """The gradient of a class's score by the image, with dropout at rest, against differences."""
    net = netc.compile(
        "INPUT(6x6x2) -> CONV(4) -> TANH -> DROPOUT -> FC(3) as scores\n"
        "score = scores -> SLICE(1, axis=channels)\noutput scores = scores"
    )
    state = net.initialize(seed=0)
    x = np.random.default_rng(2).standard_normal((1, 2, 6, 6))
    options: dict[str, Any] = {"of": "score", "training": False, "dtype": "float64"}
    _, found = net.value_and_grad(x, None, state, wrt=["input"], **options)
    moved = [x.copy(), x.copy()]
    for array, step in zip(moved, (1e-5, -1e-5), strict=True):
        array[0, 1, 2, 3] += step
    high, low = (net.value_and_grad(m, None, state, wrt=["input"], **options)[0] for m in moved)
    assert found["input"][0, 1, 2, 3] == pytest.approx((high - low) / 2e-5, rel=1e-6)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"wrt": ["q"]}, "error[E101]: the network has no value `q`"),
        ({"of": "zz"}, "did you mean `z`?"),
        ({"of": "z", "loss": "mse"}, "error[E126]: both a loss and `of` say what to differentiate"),
        ({"of": "z", "wrt": ["f"]}, "error[E131]: `z` does not depend on `f`"),
    ],
)
def test_what_cannot_be_asked(asked: dict[str, Any], message: str) -> None:
    """Names that are not there, two things at once, and what does not depend on each other."""
    assert message in refusal(netc.compile(PRODUCT).backward, **asked)


def test_an_empty_name_is_no_value() -> None:
    """The empty text names no value, and is not taken for the loss."""
    with pytest.raises(netc.NetError, match="the network has no value ``"):
        netc.compile(PRODUCT).value_and_grad(X, None, {}, of="")


def test_tokens_have_no_gradient() -> None:
    """Whole numbers cannot be differentiated by."""
    net = netc.compile("INPUT(4, dtype=int64) as words -> EMBED(10, 3) -> FC(1)")
    with pytest.raises(netc.NetError, match="`words` holds int64, which has no gradient"):
        net.backward(wrt=["words"])


def test_targets_without_a_loss() -> None:
    """Targets where nothing takes them are refused, and so is a loss without its target."""
    net = netc.compile(PRODUCT)
    with pytest.raises(netc.NetError, match="there are targets, but no loss that takes them"):
        net.value_and_grad(X, X["x"], {})
    with pytest.raises(netc.NetError, match="there is no target for the output `output`"):
        net.value_and_grad(X, None, {}, loss="mse")
