"""Penalties on weights, and what of a graph's parameters is a weight."""

from typing import Any

import numpy as np
import pytest

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.verify import verify
from netc.compiler.ops.gradient import gradients
from netc.compiler.ops.opdef import Role
from netc.compiler.passes.rewrite import rewrite
from netc.compiler.training.regularizers import REGULARIZERS, penalty
from netc.compiler.training.terms import Term
from netc.compiler.training.weights import regularized, roles
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan

State = dict[str, np.ndarray[Any, Any]]


def term(name: str, strength: float, **arguments: Any) -> Term:
    """A regularizer."""
    return Term("regularize", name, {"strength": strength, **arguments})


def state_of(graph: Graph) -> State:
    """Random values in float64 for all parameters, some of them 0."""
    random = np.random.default_rng(0)
    found = {}
    for name, value in graph.parameters.items():
        array = random.normal(0, 1, tuple(int(str(dim)) for dim in value.shape))
        array[random.random(array.shape) < 0.1] = 0.0
        found[name] = array
    return found


def penalized(text: str, *terms: Term) -> tuple[float, State, State]:
    """A program's penalty, its gradients by parameter, and the state."""
    graph = rewrite(netc.compile(text).graph, {})
    build = Builder(graph)
    value = penalty(build, terms)
    assert value is not None
    names = [n for n, v in graph.parameters.items() if graph.producer(v).attributes["trainable"]]
    found = gradients(build, value, [graph.parameters[name] for name in names])
    graph.outputs = {"penalty": value}
    graph.outputs |= {name: g for name, g in zip(names, found, strict=True) if g is not None}
    verify(graph)
    state = state_of(graph)
    results = run(plan(graph, dtype="float64"), _feeds(graph), state)
    return float(results.pop("penalty")), results, state


def _feeds(graph: Graph) -> State:
    return {
        name: np.zeros([3 if str(dim) == "N" else int(str(dim)) for dim in value.shape])
        for name, value in graph.inputs.items()
    }


CNN = "INPUT(8x8x3) -> CONV(3x3, 4) as c -> BN as n -> RELU -> FC(5) as f"


def test_l2() -> None:
    """Half the strength times the sum of squares of weights only; its gradient is strength w."""
    value, gradient, state = penalized(CNN, term("l2", 0.3))
    weights = ("c.weight", "f.weight")
    expected = 0.15 * sum(np.sum(state[name] ** 2) for name in weights)
    assert value == pytest.approx(expected, rel=1e-14)
    assert set(gradient) == set(weights)
    for name in weights:
        np.testing.assert_allclose(gradient[name], 0.3 * state[name], rtol=1e-14)


def test_l1() -> None:
    """The strength times the sum of magnitudes; its gradient is the sign, and 0 at 0."""
    value, gradient, state = penalized(CNN, term("l1", 0.2))
    weights = ("c.weight", "f.weight")
    expected = 0.2 * sum(np.sum(np.abs(state[name])) for name in weights)
    assert value == pytest.approx(expected, rel=1e-14)
    for name in weights:
        np.testing.assert_array_equal(gradient[name], 0.2 * np.sign(state[name]))


def test_both() -> None:
    """Several penalties add up."""
    one, two = penalized(CNN, term("l1", 0.2))[0], penalized(CNN, term("l2", 0.3))[0]
    both = penalized(CNN, term("l1", 0.2), term("l2", 0.3))[0]
    assert both == pytest.approx(one + two, rel=1e-14)


def test_biases_on_demand() -> None:
    """With `biases` all that is trainable is penalized, and running statistics are not."""
    value, gradient, state = penalized(CNN, term("l2", 1.0, biases=True))
    names = {name for name in state if "running" not in name}
    assert set(gradient) == names
    assert value == pytest.approx(sum(np.sum(state[n] ** 2) for n in names) / 2, rel=1e-14)


def test_frozen_weights_are_left_out() -> None:
    """A frozen layer's weights cannot get smaller, so they add nothing."""
    _, gradient, _ = penalized("INPUT(4) -> FC(3, frozen=yes) -> RELU -> FC(2) as f", term("l2", 1))
    assert set(gradient) == {"f.weight"}


def test_shared_weights_count_once() -> None:
    """A weight that two layers share is one weight."""
    text = "INPUT(4) -> FC(4) as a -> TANH -> FC(4, share=a) -> TANH -> FC(2) as f"
    value, _, state = penalized(text, term("l2", 2.0))
    assert value == pytest.approx(sum(np.sum(state[n] ** 2) for n in ("a.weight", "f.weight")))


def test_nothing_to_penalize() -> None:
    """Without a term, or without weights, there is no penalty."""
    graph = rewrite(netc.compile("INPUT(4) -> RELU").graph, {})
    assert penalty(Builder(graph), [term("l2", 1.0)]) is None
    graph = rewrite(netc.compile(CNN).graph, {})
    assert penalty(Builder(graph), []) is None


ROLES = {
    CNN: {"c.weight": "weight", "c.bias": "bias", "n.weight": "scale", "n.bias": "bias"},
    "INPUT(8x4, sequence) -> ATTENTION(2) as a -> LN as n -> LINEAR(3) as l": {
        "n.weight": "scale",
        "n.bias": "bias",
        "l.weight": "weight",
        "l.bias": "bias",
    },
    "INPUT(9, dtype=int64) -> EMBED(50, 4) as e -> GAP -> FC(2)": {"e.weight": "weight"},
    "INPUT(6) -> DROPCONNECT(5, 0.5) as d -> PRELU as p -> FC(2)": {
        "d.weight": "weight",
        "d.bias": "bias",
        "p.weight": "scale",
    },
    "INPUT(8x8x3) -> LOCAL(3x3, 4) as l -> SCALE as s -> UPCONV(2x2, 3) as u": {
        "l.weight": "weight",
        "l.bias": "bias",
        "s.weight": "scale",
        "u.weight": "weight",
        "u.bias": "bias",
    },
    "INPUT(2) as x\nPARAM(2) as w\nPARAM(1) as b\n( ( x | w ) -> DOT | b ) -> ADD -> SIGMOID": {
        "w": "weight",
        "b": "bias",
    },
}


@pytest.mark.parametrize("text", ROLES)
def test_roles(text: str) -> None:
    """What a parameter is follows from the operator that takes it, not from its name."""
    found = roles(netc.compile(text).graph)
    assert {name: found[name].value for name in ROLES[text]} == ROLES[text]


@pytest.mark.parametrize("name", ["resnet18", "vgg11_bn", "unet", "swin_t", "mobilenet_v2"])
def test_roles_in_the_zoo(name: str) -> None:
    """In real networks weights are the kernels and matrices, and nothing else."""
    graph = netc.load(f"zoo:{name}").graph
    found = roles(graph)
    for parameter, value in graph.parameters.items():
        is_matrix = parameter.endswith("weight") and len(value.shape) > 1
        assert (found[parameter] is Role.WEIGHT) == is_matrix, parameter
    assert set(regularized(graph)) == {n for n, role in found.items() if role is Role.WEIGHT}


def test_arguments() -> None:
    """The table names the arguments of each regularizer, for the recipe to bind."""
    for row in REGULARIZERS.values():
        assert list(row.kinds) == ["strength", "biases"]
        assert row.defaults == {"biases": False}
        assert row.numbers == ("strength",)
