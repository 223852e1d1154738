"""Gradients against central differences: right ones pass, wrong ones are found."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ops.opdef import OPS, VjpCall
from netc.compiler.passes.set_mode import set_mode
from netc.compiler.training.objective import add_loss
from netc.runtime.inspection.gradcheck import SLOPE_TOLERANCE, ParameterCheck, gradcheck, off_kinks
from netc.runtime.inspection.random_feeds import random_feeds
from netc.runtime.kerneldef import Array

NETWORKS = {
    "tanh": "INPUT(6) -> FC(5) -> TANH -> FC(3)",
    "relu": "INPUT(6) -> FC(8) -> RELU -> FC(3)",
    "convolution": "INPUT(6x6x2) -> CONV(3x3, 4) -> SIGMOID -> POOL -> FC(3)",
    "normalization": "INPUT(6x6x2) -> CONV(3x3, 4) -> BN -> RELU -> GAP -> FC(3)",
    "dropout": "INPUT(6) -> FC(8) -> TANH -> DROPOUT(0.5) -> FC(3)",
    "shared": "INPUT(6) -> [FC(6) -> TANH]*4 -> FC(3)",
}


def prepared(
    text: str, *, training: bool = True
) -> tuple[Graph, dict[str, Array], Mapping[str, Array]]:
    """A network with its loss, a batch of 4 samples of 3 classes, and weights."""
    network = netc.compile(f"{text}\ntrain {{ data = digits }}")
    assert network.recipe is not None
    graph = set_mode(add_loss(network.graph, network.recipe.objective), training=training)
    random = np.random.default_rng(1)
    extents = network.graph.inputs["input"].shape[1:]
    shape = [extent for extent in extents if isinstance(extent, int)]
    feeds: dict[str, Array] = {
        "input": random.standard_normal((4, *shape)).astype(np.float32),
        "target": np.array([0, 1, 2, 1]),
    }
    if "step" in graph.inputs:
        feeds["step"] = np.array(3)
    return graph, feeds, network.initialize(2)


@pytest.mark.parametrize("training", [True, False], ids=["training", "inference"])
@pytest.mark.parametrize("name", NETWORKS)
def test_right_gradients_pass(name: str, training: bool) -> None:
    """Every parameter of usual networks agrees with differences, in both modes."""
    found = gradcheck(*prepared(NETWORKS[name], training=training), samples=None)
    assert found
    assert max(check.error for check in found) < SLOPE_TOLERANCE
    assert all(check.ok and check.checked for check in found)


def wrong_tanh(build: Builder, call: VjpCall) -> list[Value | None]:
    """1 - y in place of 1 - y^2."""
    y = call.outputs[0]
    return [build.Mul(call.cotangent, build.Sub(build.constant(1.0, y.dtype), y))]


def test_a_wrong_rule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong derivative of tanh shows in the weights before it, and not in those behind it."""
    monkeypatch.setitem(OPS, OPS.named("Tanh").key, replace(OPS.named("Tanh"), vjp=wrong_tanh))
    found = {check.name: check for check in gradcheck(*prepared(NETWORKS["tanh"]))}
    assert [name for name, check in found.items() if not check.ok] == ["fc1.weight", "fc1.bias"]
    assert found["fc1.weight"].error > 0.1
    worst = found["fc1.weight"]
    assert abs(worst.gradient - worst.difference) > 0


def test_a_rule_that_is_wrong_by_little_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of a hundred-thousandth of the gradient is ten times what is tolerated."""
    right = OPS.named("Relu").vjp
    assert right is not None

    def nearly(build: Builder, call: VjpCall) -> Any:
        factor = build.constant(1.00001, call.cotangent.dtype)
        return right(build, replace(call, cotangents=(build.Mul(call.cotangent, factor),)))

    monkeypatch.setitem(OPS, OPS.named("Relu").key, replace(OPS.named("Relu"), vjp=nearly))
    found = {check.name: check for check in gradcheck(*prepared(NETWORKS["relu"]), samples=None)}
    assert not found["fc1.weight"].ok
    assert found["fc1.weight"].error == pytest.approx(1e-5, rel=0.01)
    assert found["fc2.weight"].ok


def test_a_gradient_that_is_missing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that yields nothing counts as a gradient of 0, not as one that was not asked for."""

    def nothing(build: Builder, call: VjpCall) -> list[Value | None]:
        return [build.Mul(call.cotangent, build.constant(0.0, call.cotangent.dtype))]

    monkeypatch.setitem(OPS, OPS.named("Tanh").key, replace(OPS.named("Tanh"), vjp=nothing))
    found = {check.name: check for check in gradcheck(*prepared(NETWORKS["tanh"]))}
    assert found["fc1.weight"].error == pytest.approx(1.0)


def test_kinks_are_left_out_and_counted() -> None:
    """With weights of 0 every ReLU is at its kink, where the slope to the right is not 0."""
    graph, feeds, state = prepared("INPUT(2) -> FC(1) -> RELU -> FC(3)")
    at_kink = {
        **state,
        "fc1.weight": np.zeros((1, 2), np.float32),
        "fc1.bias": np.zeros(1, np.float32),
    }
    found = {check.name: check for check in gradcheck(graph, feeds, at_kink, samples=None)}
    assert (found["fc1.weight"].checked, found["fc1.weight"].kinks) == (0, 2)
    assert (found["fc1.bias"].checked, found["fc1.bias"].kinks) == (0, 1)
    assert found["fc2.bias"].kinks == 0
    assert all(check.ok for check in found.values())


def test_curvature_is_no_kink(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong gradient is not excused where the loss is so curved that slopes differ."""
    monkeypatch.setitem(OPS, OPS.named("Tanh").key, replace(OPS.named("Tanh"), vjp=wrong_tanh))
    graph, feeds, state = prepared(NETWORKS["tanh"])
    steep = {**state, "fc2.weight": 200 * state["fc2.weight"]}
    found = {check.name: check for check in gradcheck(graph, feeds, steep, samples=None)}
    assert not found["fc1.weight"].ok
    assert found["fc1.weight"].kinks == 0


def test_a_kink_nearby_is_stepped_around() -> None:
    """A ReLU that is 2e-5 from its kink has a derivative, which a narrow step finds."""
    graph, feeds, state = prepared("INPUT(2) -> FC(1) -> RELU -> FC(3)")
    feeds = {**feeds, "input": np.ones((4, 2), np.float32)}
    near = {
        **state,
        "fc1.weight": np.array([[1.0, -1.0]], np.float32),
        "fc1.bias": np.array([2e-5], np.float32),
    }
    found = {check.name: check for check in gradcheck(graph, feeds, near, samples=None)}
    assert found["fc1.weight"].ok
    assert (found["fc1.weight"].checked, found["fc1.weight"].kinks) == (2, 0)


def test_samples_hold_the_largest_gradient_and_repeat() -> None:
    """A draw of some numbers is the same for the same seed, and never misses the largest."""
    graph, feeds, state = prepared(NETWORKS["tanh"])
    first = gradcheck(graph, feeds, state, samples=4, seed=7)
    assert first == gradcheck(graph, feeds, state, samples=4, seed=7)
    assert {check.name: check.checked for check in first}["fc1.weight"] == 4


def test_tiny_gradients_are_no_false_alarm() -> None:
    """Where all slopes are less than rounding leaves of them, the check does not fail for that."""
    graph, feeds, state = prepared("INPUT(6) -> [FC(6) -> SIGMOID]*6 -> FC(3)")
    found = gradcheck(graph, feeds, {n: 0.1 * state[n] for n in state}, samples=None)
    assert [check.name for check in found if check.ok] == list(state)


def test_frozen_weights_are_not_asked_for() -> None:
    """Only what training changes is checked."""
    graph, feeds, state = prepared("INPUT(6) -> FC(5, frozen=yes) -> TANH -> FC(3)")
    assert [c.name for c in gradcheck(graph, feeds, state)] == ["fc2.weight", "fc2.bias"]


def test_numbers_that_are_not_finite_do_not_pass() -> None:
    """A loss that is no number is no agreement."""
    graph, feeds, state = prepared(NETWORKS["tanh"])
    broken = {**state, "fc1.bias": np.full(5, np.nan, np.float32)}
    found = gradcheck(graph, feeds, broken)
    assert [check.name for check in found if not check.ok] == list(state)
    assert isinstance(found[0], ParameterCheck)


# Deep enough that steps of 1e-4 and 1e-5 cross kinks of all of them.
BENT = {
    "relu": "INPUT(8x8x2) -> [CONV(3x3, 8) -> RELU]*6 -> GAP -> FC(3)",
    "residual": "INPUT(8x8x4) -> [( [CONV(3x3, 4) -> BN -> RELU]*2 | ID ) -> ADD]*4 -> FC(3)",
    "lrelu": "INPUT(8x8x2) -> [CONV(3x3, 8) -> LRELU(0.2)]*6 -> GAP -> FC(3)",
    "prelu": "INPUT(8x8x2) -> [CONV(3x3, 8) -> PRELU]*6 -> GAP -> FC(3)",
    "hardswish": "INPUT(8x8x2) -> [CONV(3x3, 8) -> BN -> HARDSWISH]*4 -> GAP -> FC(3)",
    "hardsigmoid": "INPUT(8x8x2) -> [CONV(3x3, 8) -> BN -> HARDSIGMOID]*4 -> GAP -> FC(3)",
    "relu6": "INPUT(8x8x2) -> [CONV(3x3, 8) -> BN -> RELU6]*5 -> GAP -> FC(3)",
    "abs": "INPUT(8x8x2) -> [CONV(3x3, 8) -> ABS]*6 -> GAP -> FC(3)",
    "max": "INPUT(8x8x4) -> [( CONV(3x3, 4) | CONV(3x3, 4) ) -> MAX]*4 -> GAP -> FC(3)",
    "pool": "INPUT(16x16x2) -> [CONV(3x3, 8) -> POOL(3x3, stride=1, pad=1)]*4 -> GMP -> FC(3)",
    "hinge": "INPUT(6) -> FC(40) -> TANH -> FC(3)",
    "huber": "INPUT(6) -> FC(40) -> RELU -> FC(3)",
    "mae": "INPUT(6) -> FC(40) -> RELU -> FC(3)",
}
LOSSES = ("hinge", "huber", "mae")


def bent(name: str) -> tuple[Graph, dict[str, Array], Mapping[str, Array]]:
    """A network with many kinks, its loss, random inputs, and weights of deviations near 1."""
    loss = name if name in LOSSES else "cross_entropy"
    network = netc.compile(f"{BENT[name]}\ntrain {{ data = digits, loss = {loss} }}")
    assert network.recipe is not None
    objective = network.recipe.objective
    feeds = random_feeds(network.graph, objective, batch=4)
    state = off_kinks(network.graph, network.initialize(1))
    return set_mode(add_loss(network.graph, objective), training=True), feeds, state


@pytest.mark.parametrize("name", BENT)
def test_kinks_are_no_wrong_gradients(name: str) -> None:
    """Right gradients of networks with thousands of kinks pass, and most can be compared."""
    found = gradcheck(*bent(name), samples=6)
    assert all(check.ok for check in found), [check for check in found if not check.ok]
    compared, kinks = (sum(getattr(c, n) for c in found) for n in ("checked", "kinks"))
    assert compared > 4 * kinks


BROKEN = {
    "relu": "Relu",
    "residual": "Relu",
    "lrelu": "LeakyRelu",
    "prelu": "PRelu",
    "hardswish": "HardSwish",
    "hardsigmoid": "HardSigmoid",
    "abs": "Abs",
    "max": "Max",
    "pool": "MaxPool",
}


@pytest.mark.parametrize("name", BROKEN)
def test_wrong_rules_are_found_among_kinks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that is wrong by a thousandth is not excused by the kinks around."""
    operator = BROKEN[name]
    right = OPS.named(operator).vjp
    assert right is not None

    def nearly(build: Builder, call: VjpCall) -> Any:
        factor = build.constant(1.001, call.cotangent.dtype)
        moved = (build.Mul(call.cotangent, factor), *call.cotangents[1:])
        return right(build, replace(call, cotangents=moved))

    monkeypatch.setitem(OPS, OPS.named(operator).key, replace(OPS.named(operator), vjp=nearly))
    found = gradcheck(*bent(name), samples=4)
    assert not found[0].ok
    assert found[0].error > 1e-4
    assert all(check.ok for check in found[-2:])


def test_a_rule_without_its_mask_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient that passes a ReLU straight through is wrong."""

    def straight(build: Builder, call: VjpCall) -> list[Value | None]:
        return [call.cotangent]

    monkeypatch.setitem(OPS, OPS.named("Relu").key, replace(OPS.named("Relu"), vjp=straight))
    found = gradcheck(*bent("relu"), samples=4)
    assert not found[0].ok


def test_time_is_bounded() -> None:
    """With no time left each parameter has one number compared, and the rest is counted."""
    told: list[int] = []
    found = gradcheck(*bent("relu"), samples=6, seconds=0.0, done=told.append)
    assert told == list(range(1, len(found) + 1))
    assert all(check.ok and check.checked + check.kinks == 1 for check in found)
    assert sum(check.skipped for check in found) > 0
