"""Initial weights by the data: orthonormal, and scaled until each layer's output has variance 1."""

import numpy as np
import pytest
from support.jobs import job_of

import netc
from netc.compiler.ir.graph import Graph
from netc.runtime.inspection.lsuv import VARIANCE_TOLERANCE, lsuv, lsuv_weights, scaled_state
from netc.runtime.kerneldef import Array
from netc.runtime.training.job import PROBED_SAMPLES

NETWORKS = {
    "dense": "INPUT(4x5) -> [FC(16) -> TANH]*6 -> FC(5)",
    "sigmoid": "INPUT(20) -> [FC(16) -> SIGMOID]*6 -> FC(5)",
    "convolution": "INPUT(8x8x3) -> [CONV(3x3, 8) -> RELU]*4 -> GAP -> FC(5)",
    "residual": "INPUT(8x8x3) -> CONV(8) -> (CONV(8) -> RELU | ID) -> ADD -> GAP -> FC(5)",
    "dropout": "INPUT(20) -> FC(16) -> RELU -> DROPOUT(0.5) -> FC(5)",
    "sequence": "INPUT(6x8, sequence) -> ATTENTION(heads=2) -> LINEAR(8) -> GAP -> FC(5)",
}


def prepared(text: str) -> tuple[Graph, dict[str, Array]]:
    """A network, and 64 samples whose features differ in scale."""
    graph = netc.compile(text).graph
    shape = [extent for extent in graph.inputs["input"].shape[1:] if isinstance(extent, int)]
    numbers = 3.0 * np.random.default_rng(5).standard_normal((64, *shape)) + 1.0
    return graph, {"input": numbers.astype(np.float32)}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_has_variance_1(name: str) -> None:
    """After it, the output of each product of weights and data has variance 1."""
    graph, feeds = prepared(NETWORKS[name])
    state, report = scaled_state(graph, feeds, 7)
    assert [found.name for found in report] == [
        name for name in graph.parameters if name.endswith("weight")
    ]
    assert all(abs(found.variance - 1) < VARIANCE_TOLERANCE for found in report)
    if name == "dense":
        acts = netc.compile(NETWORKS[name]).run(feeds, state, fetch=[f"fc{i}" for i in range(1, 8)])
        assert isinstance(acts, dict)
        assert [round(float(a.var()), 1) for a in acts.values()] == [1.0] * 7


def test_weights_are_orthonormal_up_to_their_scale() -> None:
    """Rows are orthogonal to each other, and all of one length."""
    graph, feeds = prepared(NETWORKS["dense"])
    weight = lsuv(graph, feeds, 7)["fc1.weight"].astype(np.float64)
    products = weight @ weight.T
    np.testing.assert_allclose(products / products[0, 0], np.eye(16), atol=1e-6)


def test_all_else_is_as_it_was() -> None:
    """Biases, normalizations, running statistics and literals are as usual; weights are not."""
    text = (
        "INPUT(8x8x3) -> CONV(4) -> BN -> RELU -> GAP"
        " -> FC(3, bias_value=[1, 2, 3]) as a -> TANH -> FC(2, weight=[[1, 2, 3], [3, 2, 1]]) as b"
    )
    graph, feeds = prepared(text)
    state, usual = lsuv(graph, feeds, 7), netc.compile(text).initialize(7)
    assert set(state) == set(graph.parameters)
    changed = {name for name in usual if not np.array_equal(state[name], usual[name])}
    assert changed == {"conv1.weight", "a.weight"}
    np.testing.assert_array_equal(state["a.bias"], [1, 2, 3])


def test_frozen_weights_stay() -> None:
    """What training leaves alone is left alone."""
    text = "INPUT(20) -> FC(16, frozen=yes) -> TANH -> FC(5)"
    graph, feeds = prepared(text)
    state, report = scaled_state(graph, feeds, 7)
    assert [found.name for found in report] == ["fc2.weight"]
    assert np.array_equal(state["fc1.weight"], netc.compile(text).initialize(7)["fc1.weight"])


def test_the_same_seed_gives_the_same_weights() -> None:
    """Two runs agree to the last bit, and another seed does not."""
    graph, feeds = prepared(NETWORKS["convolution"])
    first, second, other = lsuv(graph, feeds, 7), lsuv(graph, feeds, 7), lsuv(graph, feeds, 8)
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert not np.array_equal(first["conv1.weight"], other["conv1.weight"])


def test_a_layer_without_signal_is_left_as_it_is() -> None:
    """Inputs of 0 cannot be scaled to variance 1; nothing becomes infinite."""
    graph, feeds = prepared(NETWORKS["dense"])
    state, report = scaled_state(graph, {"input": np.zeros_like(feeds["input"])}, 7)
    assert all(np.isfinite(array).all() for array in state.values())
    assert {found.rounds for found in report} == {0}


def test_signals_survive_where_the_usual_ones_vanish() -> None:
    """Ten layers with weights that are far too small tell samples apart at the end."""
    text = "INPUT(20) -> [FC(16, init=normal(0.01)) -> TANH]*10 -> FC(5)"
    graph, feeds = prepared(text)
    network = netc.compile(text)
    usual = network.run(feeds, network.initialize(7))
    scaled = network.run(feeds, lsuv(graph, feeds, 7))
    assert isinstance(usual, np.ndarray)
    assert isinstance(scaled, np.ndarray)
    assert usual.std(axis=0).max() < 1e-6
    assert scaled.std(axis=0).min() > 0.1


def test_weights_for_a_job() -> None:
    """A job starts from weights that its own training samples scale."""
    job = job_of("INPUT(8x8x1) -> [FC(16) -> TANH]*3 -> FC(10)\ntrain { data = digits }")
    state = lsuv_weights(job)
    feeds = {"input": job.sample_feeds()["input"]}
    expected = lsuv(job.graph, feeds, job.recipe.seed)
    assert all(np.array_equal(state[name], expected[name]) for name in expected)
    assert len(feeds["input"]) == PROBED_SAMPLES
