"""Graphs for weights that stay: the same results, from fewer steps."""

from typing import Any

import numpy as np
import pytest

import netc
from netc.compiler.ir.graph import CONSTANT
from netc.compiler.passes.fold_normalizations import fold_normalizations
from netc.compiler.passes.pipeline import settle
from netc.runtime.engines import engine, frozen

NETWORKS = {  # chain -> the steps that are taken once
    "INPUT(8x8x3) -> CONV(3x3, 4) -> BN -> RELU -> FC(5)": 4,
    "INPUT(6) -> FC(5) -> TANH -> FC(3) -> SOFTMAX": 0,
    "INPUT(7x4, sequence) -> LSTM(6) -> FC(2)": 10,
    "INPUT(6) -> FC(5) -> BN -> LN -> RELU": 1,
}


@pytest.mark.parametrize("chain", NETWORKS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_from_fewer_steps(chain: str, dtype: str) -> None:
    """Results of both engines agree, on NumPy to the bit but for products in another order."""
    net = netc.load(chain)
    graph, weights = net.model.graph, net.initialize(1)
    fed = next(iter(graph.inputs))
    feeds = {fed: _given(graph.inputs[fed].type.bind({"N": 3}).shape).astype(dtype)}
    plain = engine.OnNumpy().open(graph, dtype=dtype)(feeds, weights)
    run = engine.OnNumpy().open(graph, dtype=dtype, weights=weights)
    for name, array in run(feeds, weights).items():
        assert array.dtype == dtype
        np.testing.assert_allclose(array, plain[name], rtol=1e-6, atol=1e-6)
    before, after = (engine.plan_of(graph, weights=w) for w in (None, weights))
    assert len(before.steps) - len(after.steps) == NETWORKS[chain]
    if dtype == "float32":
        found = engine.OnOnnxruntime().open(graph, weights=weights)(feeds, weights)
        for name, array in found.items():
            np.testing.assert_allclose(array, plain[name], rtol=1e-5, atol=1e-5)


def test_weights_are_transposed_once() -> None:
    """A dense layer of weights (M, K) multiplies by a constant (K, M)."""
    net = netc.load("INPUT(6) -> FC(5)")
    (gemm,) = _nodes(frozen.frozen(settle(net.model.graph), net.initialize(1)), "Gemm")
    assert not gemm.attributes["transB"]
    assert gemm.inputs[1].shape == (6, 5)


def test_only_so_much_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would come to more bytes is computed by each run."""
    net = netc.load("INPUT(6) -> FC(50) -> BN")
    graph = fold_normalizations(settle(net.model.graph))
    kept = [c.outputs[0].bytes for c in _nodes(frozen.frozen(graph, net.initialize(1)), CONSTANT)]
    assert sum(kept) >= 4 * (6 * 50 + 2 * 50)
    monkeypatch.setattr(frozen, "MOST_BYTES", 4 * 6 * 50)
    assert not any(
        node.outputs[0].shape == (6, 50)
        for node in _nodes(frozen.frozen(graph, net.initialize(1)), CONSTANT)
    )


def test_models_that_are_too_large_take_weights_as_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that onnxruntime can open them."""
    monkeypatch.setattr(engine, "MOST_INSIDE", 10)
    net = netc.load("INPUT(6) -> FC(5)")
    run = engine.OnOnnxruntime().open(net.model.graph, weights=net.initialize(1))
    x = _given((2, 6)).astype("float32")
    (found,) = run({_input(net): x}, net.initialize(1)).values()
    (expected,) = (
        engine.OnNumpy().open(net.model.graph)({_input(net): x}, net.initialize(1)).values()
    )
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def _input(net: Any) -> str:
    return str(next(iter(net.model.graph.inputs)))


def _given(shape: Any) -> Any:
    return np.random.default_rng(0).standard_normal(shape)


def _nodes(graph: Any, op_type: str) -> list[Any]:
    return [node for _, node in graph.nodes() if node.op_type == op_type]
