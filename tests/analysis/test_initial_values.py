"""What `init=auto` means, by the activation that a layer's output meets."""

import numpy as np
import pytest

import netc
from netc.compiler import ops  # noqa: F401  (fills the op table)
from netc.compiler.analysis.initial_values import resolve
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.initializers import AUTO, GLOROT, HE, TORCH, Init
from netc.compiler.ir.types import DType, TensorType


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INPUT -> CONV as w -> RELU", HE),
        ("INPUT -> CONV as w -> TANH -> RELU -> FC", GLOROT),
        ("INPUT -> CONV as w -> SIGMOID -> FC", GLOROT),
        ("INPUT -> FC -> FC(3) as w -> SOFTMAX", GLOROT),
        ("INPUT -> FC -> FC(3) as w", GLOROT),
        ("INPUT -> FC(3) as w", TORCH),
        ("INPUT -> DROPOUT -> FC(3) as w -> SOFTMAX", TORCH),
        ("INPUT -> BN -> LINEAR(3) as w -> DROPOUT", TORCH),
        ("INPUT -> ( FC(3) as w | FC(2) ) -> CONCAT", TORCH),
        ("INPUT -> FC(3) as w -> RELU -> FC", HE),
        ("INPUT -> FC(3) as w -> TANH -> FC", GLOROT),
        ("INPUT -> FC(3) as w -> RELU", HE),
        ("INPUT -> FC(3, bias=no) as w -> BN -> TANH -> FC", TORCH),
        ("INPUT -> LINEAR(4) as w -> LN -> FC", TORCH),
        ("INPUT -> ( CONV(3) as w | ID ) -> ADD -> BN -> RELU", HE),
        ("INPUT -> CONV as w -> RELU -> BN -> FC", HE),
        ("INPUT -> CONV as w -> CONV -> RELU", GLOROT),
        ("INPUT -> CONV as w -> BN -> POOL -> DROPOUT -> RELU", TORCH),
        ("INPUT -> CONV as w -> POOL(avg) -> FLATTEN -> ID -> RELU", HE),
        ("INPUT -> ( CONV(3) as w -> BN | ID ) -> ADD -> RELU", TORCH),
        ("INPUT -> ( CONV as w | CONV ) -> CONCAT -> RELU", HE),
        ("INPUT -> CONV as w -> ( TANH | RELU ) -> ADD -> FC", GLOROT),
        ("INPUT -> CONV as w -> ( RELU | TANH ) -> ADD", HE),
        ("INPUT -> CONV as w -> ( CONV | RELU ) -> ADD", HE),
        ("INPUT(16x3, sequence) -> CONV(kernel=3) as w -> RELU", HE),
        ("INPUT -> CONV as w -> UPSAMPLE -> PIXELSHUFFLE -> CHANNELSHUFFLE(2) -> RELU", HE),
        ("INPUT -> UPCONV as w -> RELU", HE),
        ("INPUT(6x5x2) -> LOCAL as w -> RELU", HE),
    ],
)
def test_first_activation_decides(text: str, expected: Init) -> None:
    """PyTorch's before a normalization and in linear models, He before ReLU; else Glorot."""
    assert resolve(netc.compile(text).graph)["w.weight"] == expected


@pytest.mark.parametrize(
    ("text", "torch"),
    [
        ("INPUT(4) -> FC(3) -> RELU -> FC(5) -> TANH -> FC(2)", ["fc1"]),
        ("INPUT(4) -> DROPOUT -> FC(3) -> RELU -> FC(5) -> RELU -> FC(1)", ["fc1", "fc3"]),
        ("INPUT(4) -> FC(3) -> RELU -> FC(1) -> SIGMOID", ["fc1", "fc2"]),
        ("INPUT(4) -> LINEAR(3) -> GELU -> LINEAR(1)", ["linear1", "linear2"]),
        ("INPUT(4) -> FC(3, bias=no) -> RELU -> FC(2)", ["fc1"]),
        ("INPUT(4) -> FC(3) -> SELU -> FC(2)", []),
        ("INPUT(4) -> FC(3, init=he) -> RELU -> FC(2)", []),
        ("INPUT(1) -> FC(2, weight=[[1], [2]]) -> RELU -> FC(1, weight=[[1, 2]])", []),
        ("INPUT(2x2) -> FC(3) -> RELU -> FC(1)", []),
        ("INPUT(4x2, sequence) -> LINEAR(3) -> RELU -> FC(1)", []),
        ("( INPUT(4) | INPUT(2x2) -> FLATTEN ) -> CONCAT -> FC(3) -> RELU -> FC(1)", []),
    ],
)
def test_layers_that_read_vectors(text: str, torch: list[str]) -> None:
    """They start as PyTorch's, biases included, and so do last ones of one unit behind them."""
    network = netc.compile(text)
    found = {name for name, init in resolve(network.graph).items() if init == TORCH}
    state = network.initialize(seed=0)
    expected = {f"{layer}.{own}" for layer in torch for own in ("weight", "bias")}
    assert found == expected & state.keys()
    for layer in torch:
        bound = state[f"{layer}.weight"].shape[1] ** -0.5
        for array in (state[name] for name in found if name.startswith(f"{layer}.")):
            assert 0 < np.abs(array).max() <= bound
    assert not any(state[n].any() for n in state.keys() - found if n.endswith("bias"))


def test_branches_added_to_normalized_values() -> None:
    """What is added before the next normalization starts small; not where sums stay as they are."""
    text = "INPUT(8x6, sequence) -> LN -> [({first}ID | {second}LINEAR(9) -> RELU -> LINEAR(6))"
    behind = netc.compile(text.format(first="", second="") + " -> ADD -> LN]*2 -> FC(2)")
    found = resolve(behind.graph)
    assert found.pop("fc1.weight") == GLOROT
    assert set(found.values()) == {TORCH}
    before = netc.compile(text.format(first="", second="LN -> ") + " -> ADD]*2 -> LN -> FC(2)")
    assert HE in resolve(before.graph).values()


def test_stated_initializers_stay() -> None:
    """Only `auto` is resolved: stated initializers, biases and statistics are left alone."""
    graph = netc.compile("INPUT -> CONV(init=orthogonal) -> BN -> RELU -> FC as f").graph
    assert resolve(graph) == {"f.weight": GLOROT}
    graph = netc.compile("INPUT(5x4, sequence) -> LSTM(3) as l").graph
    assert set(resolve(graph).values()) <= {GLOROT}


@pytest.mark.parametrize("layer", ["LSTM", "GRU", "RNN"])
def test_recurrent_layers_start_as_pytorchs(layer: str) -> None:
    """Uniform up to 1 / sqrt(hidden), biases included, whether that is chosen or not."""
    own, chosen = (
        netc.compile(f"INPUT(8x9, sequence) -> {layer}(25{init}) as r").initialize(seed=0)
        for init in ("", ", init=torch")
    )
    for name, value in own.items():
        np.testing.assert_array_equal(value, chosen[name])
        assert 0.17 < np.abs(value).max() <= 0.2


def test_a_weight_that_is_computed() -> None:
    """A weight behind operators of its own meets what its product meets."""
    build = Builder(Graph("test"))
    x = build.input("input", TensorType(DType.FLOAT32, (BATCH, 4)))
    w = build.parameter("w", (4, 4), init=AUTO)
    scaled = build.Mul(build.Transpose(w, perm=(1, 0)), build.constant(2.0, DType.FLOAT32))
    build.graph.outputs["output"] = build.Relu(build.Gemm(x, scaled))
    assert resolve(build.graph) == {"w": HE}
