"""Chains of elementwise operators: what is one step, and that results stay what they were."""

from typing import Any

import numpy as np
import pytest
from onnx import numpy_helper
from support.onnx_models import computed, parsed

import netc
from netc.compiler.passes.pipeline import settle
from netc.compiler.training.descent import Descent
from netc.compiler.training.objective import Objective
from netc.compiler.training.optimizers import OPTIMIZERS
from netc.compiler.training.terms import Term
from netc.compiler.training.train_step import train_step
from netc.runtime.engines.engine import plan_of
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import Plan, plan
from netc.runtime.kernels import parts
from netc.runtime.training.stepper import initial_state

PROGRAMS = {
    "dense": "INPUT(20) -> FC(40) -> TANH -> FC(30) -> GELU -> FC(5)",
    "convolutions": "INPUT(12x12x3) -> CONV(3x3, 8) -> BN -> [( CONV(3x3, 8) -> BN -> RELU | ID )"
    " -> ADD -> RELU]*2 -> POOL -> DWCONV(3x3) -> SILU -> GAP -> FC(5)",
    "attention": "INPUT(10x16, sequence) -> [( LN -> ATTENTION(heads=2) | ID ) -> ADD -> ( LN ->"
    " LINEAR(40) -> GELU -> LINEAR(16) | ID ) -> ADD]*2 -> GAP -> FC(5)",
    "upsampling": "INPUT(8x8x2) -> CONV(3x3, 4) -> SIGMOID -> UPSAMPLE(2) -> CONV(3x3, 3) -> ELU"
    " -> GAP -> FC(5)",
}


def _results(planned: Plan, feeds: dict[str, Any]) -> dict[str, Any]:
    """Those of the third run, which writes to memory of the first."""
    for _ in range(2):
        run(planned, feeds, {})
    return run(planned, feeds, {})


@pytest.mark.parametrize("block", [2**7, parts.BLOCK_BYTES])
@pytest.mark.parametrize("batch", [1, 6])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_step_of_training(
    name: str, optimizer: str, batch: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loss, outputs and all new state are the same with chains and without, on any blocks."""
    monkeypatch.setattr(parts, "BLOCK_BYTES", block)
    network = netc.compile(PROGRAMS[name])
    objective = Objective({"output": Term("loss", "cross_entropy", {})})
    rule = OPTIMIZERS.term(optimizer, **({"momentum": 0.9} if optimizer == "sgd" else {}))
    step = train_step(network.graph, objective, Descent(rule))
    random = np.random.default_rng(0)
    feeds: dict[str, Any] = dict(initial_state(step, network.initialize(0)))
    feeds |= {"step": np.int64(3), "lr": np.float32(0.1), "momentum": np.float32(0.9)}
    extents = [batch, *network.graph.inputs["input"].shape[1:]]
    feeds["input"] = random.standard_normal([int(str(e)) for e in extents]).astype(np.float32)
    feeds["target"] = random.integers(0, 5, batch)
    feeds = {key: value for key, value in feeds.items() if key in step.graph.inputs}
    graph = settle(step.graph)
    apart, joined = plan(graph), plan(graph, fuse=True)
    assert len(joined.steps) < len(apart.steps)
    expected, found = _results(apart, feeds), _results(joined, feeds)
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        np.testing.assert_allclose(found[key], array, rtol=1e-5, atol=1e-6, err_msg=key)


def test_what_is_a_chain() -> None:
    """Operators on one shape, in order; what a later step reads is a result, and no other."""
    graph = netc.compile(
        "INPUT(8) -> TANH as t -> [SIGMOID -> RELU] -> FC(8) -> ( ID | t ) -> ADD -> FC(2)"
    ).graph
    steps = plan(settle(graph), fuse=True).steps
    assert [step.kernel.op_type for step in steps] == ["Tanh Sigmoid Relu", "Gemm", "Add", "Gemm"]
    assert [len(step.outputs) for step in steps] == [2, 1, 1, 1]


NORMALIZED = {
    "sequences": "INPUT(9x3, sequence) -> CONV(kernel=3, filters=4, bias=no) -> BN -> RELU",
    "images": "INPUT(9x8x3) -> CONV(3x3, 4) -> BN -> RELU6 -> CONV(1x1, 5, stride=2) -> BN",
    "volumes": "INPUT(5x6x4x2) -> CONV(3x3x3, 4) -> BN -> TANH",
    "transposed": "INPUT(5x6x3) -> DECONV(3x3, 4) -> BN -> RELU -> DECONV(2x2, 4, stride=2) -> BN",
    "depthwise": "INPUT(9x8x4) -> DWCONV(3x3) -> BN -> RELU -> DWCONV(3x3, stride=2) -> BN",
    "grouped": "INPUT(9x8x4) -> CONV(3x3, 6, groups=2) -> BN -> RELU",
    "dense": "INPUT(7) -> FC(5) -> BN -> RELU -> FC(3)",
    "residual": "INPUT(9x8x4) -> ( CONV(3x3, 4) -> BN | CONV(1x1, 4) -> BN ) -> ADD -> RELU",
    "before": "INPUT(9x8x4) -> BN -> RELU -> CONV(3x3, 4) -> BN -> ( RELU | TANH ) -> ADD",
    "read twice": "INPUT(9x8x4) -> CONV(3x3, 4) -> ( BN | ID ) -> ADD -> RELU",
}


@pytest.mark.parametrize("batch", [1, 3, 40])
@pytest.mark.parametrize("name", NORMALIZED)
def test_normalizations_with_what_they_follow(name: str, batch: int) -> None:
    """Results are those of each operator alone, and follow weights that change in place."""
    network = netc.compile(NORMALIZED[name])
    random = np.random.default_rng(0)
    given = network.initialize(0)
    state = {key: (np.array(given[key]) + random.random(given[key].shape) / 2) for key in given}
    state = {key: array.astype(np.float32) for key, array in state.items()}
    extents = [batch, *network.graph.inputs["input"].shape[1:]]
    x = random.standard_normal([int(str(e)) for e in extents]).astype(np.float32)
    apart = plan(settle(network.graph), dtype="float64")
    joined = plan_of(network.graph, dtype="float64")
    names = [step.kernel.op_type for step in joined.steps]
    assert not any("BatchNormalization" in op_type for op_type in names)
    for _ in range(3):
        (expected,) = run(apart, {"input": x}, state).values()
        (found,) = run(joined, {"input": x}, state).values()
        np.testing.assert_allclose(found, expected, rtol=1e-11, atol=1e-11)
        for array in state.values():
            array *= 1.25


def test_chains_behind_convolutions() -> None:
    """A chain that reads a convolution is one step with it; what is read later is a result."""

    def steps(program: str) -> list[tuple[str, int]]:
        found = plan_of(netc.compile(program).graph).steps
        return [(s.kernel.op_type, len(s.outputs)) for s in found if "Conv" in s.kernel.op_type]

    assert steps("INPUT(2x2x2) -> CONV(3x3, 4) -> BN -> RELU") == [("Conv Mul Add Relu", 1)]
    assert steps("INPUT(8x8x2) -> CONV(3x3, 4) -> BN -> RELU") == [("Conv Relu", 1)]
    assert steps("INPUT(8x8x2) -> CONV(3x3, 4) -> ( TANH | ID ) -> ADD -> SIGMOID") == [
        ("Conv Tanh Add Sigmoid", 1)
    ]
    assert steps(
        "INPUT(8x8x2) -> CONV(3x3, 4) -> RELU as r -> POOL -> UPSAMPLE(2) -> ( ID | r ) -> ADD"
    ) == [("Conv Relu", 1)]
    assert steps(
        "INPUT(8x8x2) -> CONV(3x3, 4) as c -> RELU -> POOL -> UPSAMPLE(2) -> ( ID | c ) -> ADD"
    ) == [("Conv Relu", 2)]


def test_watched_plans_are_not_fused() -> None:
    """Who watches a run sees each operator."""
    network = netc.compile("INPUT(8) -> TANH -> SIGMOID -> RELU -> FC(2)")
    seen: list[str] = []
    planned = plan(settle(network.graph))
    x = np.zeros((2, 8), np.float32)
    run(planned, {"input": x}, network.initialize(0), watch=lambda n, _: seen.append(n.op_type))
    assert seen == ["Tanh", "Sigmoid", "Relu", "Gemm"]


@pytest.mark.parametrize("chosen", ["s, k", "k, s"])
def test_an_operator_that_may_not_write_where_it_reads(chosen: str) -> None:
    """`Where` behind a convolution and an activation finds both until it has chosen."""
    model = parsed(f"""<ir_version: 8, opset_import: ["": 18]>
        g (float[5,3,4,2] x, bool[5,2,4,2] c) => (float[5,2,4,2] y) <float k = {{7}}> {{
          h = Conv (x, w)  r = Relu (h)  s = Tanh (r)  y = Where (c, {chosen}) }}""")
    random = np.random.default_rng(0)
    w = random.standard_normal((2, 3, 1, 1)).astype(np.float32)
    model.graph.initializer.append(numpy_helper.from_array(w, "w"))
    x = random.standard_normal((5, 3, 4, 2)).astype(np.float32)
    feeds = {"x": x, "c": random.random((5, 2, 4, 2)) < 0.5}
    found = netc.load_onnx(model.SerializeToString()).run(feeds)
    (wanted,) = computed(model, feeds)
    np.testing.assert_allclose(np.asarray(found), wanted, rtol=1e-5, atol=1e-6)
