"""The specs of lectures, run on both engines: truth tables, and values by hand."""

from collections.abc import Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest
from support.layers import norm_error

import netc
from netc.choices import EngineName
from netc.runtime.kerneldef import Array

ENGINES = ("numpy", "onnxruntime")

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
TRUTH = {"logic/xor": [0, 1, 1, 0], "logic/xnor": [1, 0, 0, 1]}


def run(network: netc.Network, x: Array, state: Mapping[str, Array], engine: EngineName) -> Array:
    """The only output."""
    y = network.run(x, state, engine=engine)
    assert isinstance(y, np.ndarray)
    return y


def fetch(
    network: netc.Network,
    feeds: Mapping[str, Array],
    state: Mapping[str, Array],
    engine: EngineName,
    *names: str,
) -> dict[str, Array]:
    """Outputs and labelled values by name."""
    found = network.run(feeds, state, engine=engine, fetch=names)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", TRUTH)
def test_truth_table(name: str, engine: EngineName) -> None:
    """The step neurons with literal weights compute the Boolean function exactly."""
    network = netc.load(f"zoo:{name}")
    y = run(network, CORNERS, network.initialize(0), engine)
    assert y[:, 0].tolist() == TRUTH[name]


def test_only_the_reversed_signs_give_xnor() -> None:
    """Of the output layers (2, 2) and (-2, -2) with bias -1 or 1, one turns XOR into XNOR."""
    network = netc.load("zoo:logic/xnor")
    state = dict(network.initialize(0))
    right = []
    for weight, bias in product((2.0, -2.0), (1.0, -1.0)):
        state["fc2.weight"] = np.full((1, 2), weight, np.float32)
        state["fc2.bias"] = np.full(1, bias, np.float32)
        if run(network, CORNERS, state, "numpy")[:, 0].tolist() == TRUTH["logic/xnor"]:
            right.append((weight, bias))
    assert right == [(-2.0, 1.0)]


def test_a_single_neuron_computes_all_boolean_functions_but_xor_and_xnor() -> None:
    """One line separates 14 of the 16 ways to label the corners of a square."""
    network = netc.load("zoo:logic/perceptron_xor")
    found = set()
    for a, b, threshold in product((-1.0, 0.0, 1.0), (-1.0, 0.0, 1.0), (-1.5, -0.5, 0.5, 1.5)):
        state = {
            "fc1.weight": np.array([[a, b]], np.float32),
            "fc1.bias": np.array([-threshold], np.float32),
        }
        found.add(tuple(run(network, CORNERS, state, "numpy")[:, 0].tolist()))
    every = set(product((0.0, 1.0), repeat=4))
    assert every - found == {tuple(map(float, row)) for row in TRUTH.values()}


# Values by hand: the spec, its inputs, and each output.
GRAPHS: list[tuple[str, Mapping[str, list[list[float]]], Mapping[str, list[list[float]]]]] = [
    ("product", {"x": [[3], [-2]], "y": [[4], [5]]}, {"z": [[12], [-10]]}),
    # f = (2 / x)^2
    ("chain_rule", {"x": [[1], [2], [-4]]}, {"output": [[4], [1], [0.25]]}),
    # 2 * -1 - 3 * -2 - 3 = 1, and 2 * 1.5 - 3 * 0 - 3 = 0; sigmoid(1) = 0.731059, sigmoid(0) = 0.5
    ("logistic_neuron", {"x": [[-1, -2], [1.5, 0]]}, {"output": [[0.7310586], [0.5]]}),
    # (1 - 3 + 1, 2 + 2 - 1) and (0 - 0 + 1, 0 - 3 - 1), the negative ones to 0
    ("relu_layer", {"X": [[1, 2, 3], [0, -3, 0]]}, {"output": [[0, 3], [1, 0]]}),
    # w = (1, -2, 3): 1 - 4 + 9 = 6, and 0.5 * (1 + 4 + 9) = 7
    ("weight_decay", {"x": [[1, 2, 3], [1, 1, 0]]}, {"y": [[6], [-1]], "penalty": [[7]]}),
]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "inputs", "outputs"), GRAPHS, ids=[row[0] for row in GRAPHS])
def test_graph_values(name: str, inputs: Any, outputs: Any, engine: EngineName) -> None:
    """The computational graph yields what a pencil does."""
    network = netc.load(f"zoo:graphs/{name}")
    feeds = {name: np.array(value, np.float32) for name, value in inputs.items()}
    found = fetch(network, feeds, network.initialize(0), engine, *network.graph.outputs)
    assert found.keys() == outputs.keys()
    for output, expected in outputs.items():
        np.testing.assert_allclose(found[output], expected, rtol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_chain_rule_names_its_intermediate_values(engine: EngineName) -> None:
    """v = 1 / x, u = 2 v and f = u^2 can be fetched by these names."""
    network = netc.load("zoo:graphs/chain_rule")
    x = np.array([[4.0]], np.float32)
    found = fetch(network, {"x": x}, network.initialize(0), engine, "v", "u", "f")
    assert {name: float(value[0, 0]) for name, value in found.items()} == {
        "v": 0.25,
        "u": 0.5,
        "f": 0.25,
    }


@pytest.mark.parametrize("engine", ENGINES)
def test_regressions_are_one_neuron(engine: EngineName) -> None:
    """Linear regression yields x'w + b, logistic regression the sigmoid of it."""
    random = np.random.default_rng(0)
    for name, layer, width in (("linear", "y", 13), ("logistic", "logit", 30)):
        w, b, x = random.normal(size=width), random.normal(), random.normal(size=(5, width))
        state = {f"{layer}.weight": w[None], f"{layer}.bias": np.array([b])}
        state = {key: value.astype(np.float32) for key, value in state.items()}
        found = run(netc.load(f"zoo:linear/{name}_regression"), x.astype(np.float32), state, engine)
        z = x @ w + b
        expected = z if name == "linear" else 1 / (1 + np.exp(-z))
        assert norm_error(found[:, 0], expected) <= 1e-5


@pytest.mark.parametrize("engine", ENGINES)
def test_dense_local_and_shared_layers_compute_the_same_where_weights_are_tied(
    engine: EngineName,
) -> None:
    """A convolution is a local layer with equal weights, which is a dense layer with a band."""
    random = np.random.default_rng(0)
    taps = random.normal(size=3).astype(np.float32)
    x = random.normal(size=(2, 150)).astype(np.float32)
    bands = [np.diag(np.full(150 - abs(k), taps[k + 1]), k) for k in (-1, 0, 1)]
    weights = {
        "dense": np.sum(bands, axis=0),
        "local": np.tile(taps, (150, 1, 1, 1)),
        "shared": taps[None, None],
    }
    found = {}
    for kind, weight in weights.items():
        network = netc.load(f"zoo:dense_vs_conv/{kind}_150")
        ((name, value),) = network.graph.parameters.items()
        assert value.type.shape == np.shape(weight)
        image = x if kind == "dense" else x[..., None]
        found[kind] = run(network, image, {name: weight}, engine).reshape(2, 150)
    expected = np.stack([np.convolve(row, taps[::-1], mode="same") for row in x])
    for array in found.values():
        assert norm_error(array, expected) <= 1e-5


@pytest.mark.parametrize("engine", ENGINES)
def test_two_heads_share_their_features(engine: EngineName) -> None:
    """Both outputs of the localization network come from one run on the same features."""
    network = netc.load("zoo:dense_prediction/box_regression")
    x = np.random.default_rng(0).normal(size=(2, 3, 64, 64)).astype(np.float32)
    names = ("pool3", "class_hidden", "box_hidden", "class", "box")
    state = network.initialize(0)
    found = fetch(network, {"input": x}, state, engine, *names)
    features = found["pool3"].reshape(2, -1)
    for head in ("class_hidden", "box_hidden"):
        expected = features @ state[f"{head}.weight"].T + state[f"{head}.bias"]
        assert norm_error(found[head], expected) <= 1e-5
    assert (found["class"].shape, found["box"].shape) == ((2, 20), (2, 4))
