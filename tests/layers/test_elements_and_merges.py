"""Activations, mathematics, merges and learned tensors: what the layer table does not say."""

from typing import Any

import numpy as np
import pytest
from support.refusals import codes_of

import netc
from netc.choices import EngineName
from netc.compiler.analysis.initial_values import resolve
from netc.compiler.ir.initializers import GLOROT, HE, LECUN, Init
from netc.compiler.ir.types import author_size
from netc.runtime.kerneldef import Array

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32)
NEURONS = "INPUT(2) -> FC(2, weight=[[-2, 2], [2, -2]], bias_value=[-1, -1]) -> STEP"


def run(program: str, x: Any, engine: EngineName = "numpy") -> Array:
    """A program's output on one input, with its first weights."""
    network = netc.compile(program)
    result = network.run(np.asarray(x, np.float32), network.initialize(0), engine=engine)
    assert isinstance(result, np.ndarray)
    return result


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("weight=[[2, 2]], bias_value=-1", [0, 1, 1, 0]),
        ("weight=[[-2, -2]], bias_value=1", [1, 0, 0, 1]),
    ],
    ids=["xor", "xnor"],
)
def test_step_neurons(output: str, expected: list[int], engine: EngineName) -> None:
    """Threshold neurons with literal weights compute XOR and XNOR."""
    y = run(f"{NEURONS} -> FC(1, {output}) -> STEP", CORNERS, engine)
    np.testing.assert_array_equal(y[:, 0], expected)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_step_fires_at_its_threshold(engine: EngineName) -> None:
    """0 is reached, whatever its sign; what is no number reaches nothing."""
    y = run("INPUT(5) -> STEP", [[-1e-30, -0.0, 0.0, 1e-30, np.nan]], engine)
    np.testing.assert_array_equal(y, [[0, 1, 1, 1, 0]])


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        ("SOFTPLUS", [0, 0, 100, 1e4]),
        ("MISH", [0, 0, 100, 1e4]),
        ("SWISH", [0, 0, 100, 1e4]),
        ("GELU", [0, 0, 100, 1e4]),
        ("GELU(tanh)", [0, 0, 100, 1e4]),
        ("SIGMOID", [0, 0, 1, 1]),
        ("ELU", [-1, -1, 100, 1e4]),
        ("SOFTMAX", [0, 0, 0, 1]),
        ("LOGSOFTMAX", [-2e4, -10100, -9900, 0]),
        ("RELU6", [0, 0, 6, 6]),
    ],
)
def test_large_inputs_overflow_nowhere(
    layer: str, expected: list[float], engine: EngineName
) -> None:
    """Exponentials that overflow leave no infinity and no NaN behind."""
    y = run(f"INPUT(4) -> {layer}", [[-1e4, -100, 100, 1e4]], engine)
    np.testing.assert_allclose(y, [expected], rtol=1e-6, atol=1e-30)


@pytest.mark.parametrize(
    "steps",
    [
        *("GELU", "MISH", "PRELU", "SOFTMAX", "LOGSOFTMAX", "STEP", "SCALE", "REDUCE(max)"),
        *("REDUCE(mean, axis=height)", "( ID | PARAM(3) ) -> CONCAT", "( ID | SQUARE ) -> DOT"),
        *("( ID | PARAM(4x5x3) ) -> MAX", "( ID | GAP ) -> MUL"),
    ],
)
def test_empty_batches(steps: str) -> None:
    """A batch of no samples gives a batch of no results."""
    network = netc.compile(f"INPUT(4x5x3) -> {steps} as l")
    y = network.run(np.zeros((0, 3, 4, 5), np.float32), network.initialize(0))
    expected = network.graph.layers["l"].outputs[0].type.bind({"N": 0}).shape
    assert np.asarray(y).shape == expected


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        *((name, HE) for name in ("LRELU", "PRELU", "ELU", "CELU", "GELU", "GELU(tanh)")),
        *((name, HE) for name in ("SWISH", "SILU", "HARDSWISH", "SOFTPLUS", "MISH", "RELU6")),
        ("SELU", LECUN),
        *((name, GLOROT) for name in ("HARDSIGMOID", "SOFTSIGN", "STEP", "LOGSOFTMAX", "SQUARE")),
    ],
)
def test_initial_values_follow_the_activation(activation: str, expected: Init) -> None:
    """The ReLU family asks for He's values, SELU for LeCun's, everything else for Glorot's."""
    graph = netc.compile(f"INPUT(2x2) -> FC(3) as w -> {activation} -> FC(2)").graph
    assert resolve(graph)["w.weight"] == expected


def test_a_bare_parameter_bears_its_label() -> None:
    """`PARAM` is named and shaped as PyTorch's modules have it."""
    network = netc.compile(
        "INPUT(6x8, sequence) -> ( PARAM(1x8) as vit.cls_token | ID ) -> CONCAT(length)\n"
        "-> ( ID | PARAM(7x8, init=zeros, frozen=yes) as pos_embed ) -> ADD -> FC(2) as head"
    )
    state = network.initialize(0)
    shapes = {name: state[name].shape for name in state}
    assert shapes["vit.cls_token"] == (1, 1, 8)
    assert shapes["pos_embed"] == (1, 7, 8)
    assert 0.005 < state["vit.cls_token"].std() < 0.05
    assert not state["pos_embed"].any()
    assert (network.counts.layers["vit.cls_token"].params, network.counts.frozen) == (8, 56)


def test_a_parameter_does_not_make_its_merge_a_layer_with_weights() -> None:
    """The last bare `FC` stays the head behind which a learned tensor is added."""
    network = netc.compile("INPUT(4) -> FC -> ( ID | PARAM(1) ) -> ADD as sum")
    assert network.graph.layers["fc1"].arguments["units"] == 10
    assert not network.counts.layers["sum"].shared


def test_parameters_take_the_type_of_what_they_meet() -> None:
    """Beside an input of float64 a branch's parameter is float64; elsewhere `dtype=` says so."""
    branch = netc.compile("INPUT(3, dtype=float64) -> ( ID | PARAM(3) ) -> ADD")
    apart = netc.compile(
        "p = PARAM(3, dtype=float64)\nINPUT(3, dtype=float64) -> ( ID | p ) -> ADD"
    )
    for network in (branch, apart):
        assert [p.dtype.value for p in network.graph.parameters.values()] == ["float64"]
        x = np.ones((2, 3))
        assert np.asarray(network.run(x, network.initialize(0))).dtype == np.float64


def test_a_large_parameter_of_one_number_is_not_spelled_out() -> None:
    """`value=` with one number costs nothing at compile time, whatever the size."""
    network = netc.compile("PARAM(4_000_000_000, value=0.5) as p")
    assert network.params == 4_000_000_000


def test_a_learned_tensor_alone_is_a_network() -> None:
    """A program may consist of a parameter and what is made of it."""
    network = netc.compile("PARAM(3, value=[1, 2, 3]) -> SQUARE -> REDUCE")
    found = network.run({}, network.initialize(0))
    np.testing.assert_array_equal(found, [[14]])


@pytest.mark.parametrize(
    ("program", "code"),
    [
        *(("INPUT(3) -> PARAM(3)", "E111"), ("PARAM", "E105"), ("PARAM(2x2x2x2x2)", "E201")),
        *(("PARAM(3, sequence)", "E201"), ("PARAM(3x3, value=[1, 2])", "E205")),
        *(("PARAM(99999999999x99999999999)", "E404"), ("PARAM(0)", "E103")),
        *(("INPUT(3) -> LRELU(a)", "E101"), ("INPUT(3) -> ELU(yes)", "E103")),
        *(("INPUT(3) -> CELU(0)", "E103"), ("INPUT(3) -> GELU(fast)", "E103")),
        *(("INPUT(3) -> PRELU(weight=[1, 2])", "E205"), ("INPUT(3) -> LRELU(1, 2)", "E104")),
        *(("INPUT(3) -> SCALE(weight=[1, 2])", "E205"), ("INPUT(3) -> SCALE(2)", "E103")),
        *(("INPUT(3) -> REDUCE(median)", "E103"), ("INPUT(3) -> REDUCE(axis=width)", "E103")),
        *(("INPUT(3) -> REDUCE(axis=[])", "E103"), ("INPUT(3) -> REDUCE(axis=1)", "E103")),
        *(("INPUT(3) -> REDUCE(axis=[[0]])", "E103"), ("INPUT(3) -> REDUCE(axis=-2)", "E103")),
        *(("INPUT(3, dtype=int64) -> GELU", "E201"), ("INPUT(3, dtype=int64) -> REDUCE", "E201")),
        *(("INPUT(3, dtype=int64) -> PRELU", "E201"), ("INPUT(3, dtype=int64) -> SCALE", "E201")),
        ("INPUT(3) -> SLICE(0) -> SOFTMAX", "E201"),
        ("INPUT(3) -> SUB", "E113"),
        ("INPUT(3) -> ( ID | ID | ID ) -> SUB", "E202"),
        ("INPUT(3) -> ( ID | ID | ID ) -> DOT", "E202"),
        ("INPUT(3) -> ( ID | FC(2) ) -> DOT", "E202"),
        ("INPUT(4x5x3) -> ( ID | RESHAPE(20x3) ) -> MEAN", "E202"),
        ("INPUT(4x5x3) -> ( ID | POOL ) -> MAX", "E202"),
        ("INPUT(3, dtype=int64) -> ( ID | ID ) -> ADD", "E202"),
        ("INPUT(3) -> ( ID | PARAM(3, dtype=float64) ) -> MUL", "E202"),
        ("INPUT(3) -> ( ID | PARAM(3, dtype=float64) ) -> CONCAT", "E202"),
        ("INPUT(4x5x3) -> ( ID | POOL ) -> CONCAT(height)", "E202"),
        ("INPUT(3) -> ( ID | ID ) -> CONCAT(height)", "E103"),
        ("INPUT(3) -> ( ID | ID ) -> CONCAT(7)", "E103"),
        ("INPUT(3) -> ( ID | ID ) -> CONCAT(up)", "E103"),
    ],
)
def test_wrong_programs(program: str, code: str) -> None:
    """Wrong arguments and tensors are diagnostics of their own kind."""
    assert codes_of(netc.compile, program) == [code]


@pytest.mark.parametrize(
    ("steps", "size"),
    [
        ("( ID | PARAM(2) ) -> CONCAT", "H x W x 5"),
        ("( ID | PARAM(1x1x3) ) -> CONCAT(height)", "H + 1 x W x 3"),
        ("( ID | NEG ) -> CONCAT(width)", "H x 2*W x 3"),
        ("( ID | GAP -> FC(5) ) -> CONCAT", "H x W x 8"),
        ("( ID | REDUCE(mean, axis=channels) ) -> MUL", "H x W x 3"),
        ("REDUCE(max, axis=height)", "W x 3"),
        ("PRELU -> SCALE -> SWISH -> SOFTMAX", "H x W x 3"),
    ],
)
def test_open_extents(steps: str, size: str) -> None:
    """Extents that only an input settles broadcast, repeat and reduce on both engines."""
    network = netc.compile(f"INPUT((H, W, 3)) -> {steps} as l")
    assert author_size(network.graph.layers["l"].outputs[0].type) == size
    state = network.initialize(0)
    for height, width in ((5, 7), (4, 4)):
        x = np.random.default_rng(0).normal(size=(2, 3, height, width)).astype(np.float32)
        found = network.run(x, state, fetch=["l"])["l"]
        expected = network.run(x, state, fetch=["l"], engine="onnxruntime")["l"]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
