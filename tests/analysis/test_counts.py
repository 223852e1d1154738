"""Parameters, MACs and elementwise operations, against closed forms."""

import netc
from netc.compiler import ops  # noqa: F401  (fills the op table)
from netc.compiler.analysis.counts import count
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, symbol
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.initializers import AUTO
from netc.compiler.ir.types import DType, TensorType

LENET5 = """
INPUT(32x32x1)
  -> CONV(5x5, 6, pad=valid) as c1 -> RELU -> POOL as s2
  -> CONV(5x5, 16, pad=valid) as c3 -> RELU -> POOL as s4
  -> CONV(5x5, 120, pad=valid) as c5 -> RELU
  -> FC(84) as f6 -> RELU -> FC(10) as f7
"""


def test_lenet5_parameters() -> None:
    """LeNet-5 has K*K*C weights and a bias per filter, and 61,706 parameters in all."""
    counts = count(netc.compile(LENET5).graph)
    found = {path: counts.layers[path].params for path in ("c1", "c3", "c5", "f6", "f7")}
    assert found == {
        "c1": 6 * (5 * 5 * 1 + 1),
        "c3": 16 * (5 * 5 * 6 + 1),
        "c5": 120 * (5 * 5 * 16 + 1),
        "f6": 84 * (120 + 1),
        "f7": 10 * (84 + 1),
    }
    assert found == {"c1": 156, "c3": 2_416, "c5": 48_120, "f6": 10_164, "f7": 850}
    assert (counts.params, counts.trainable, counts.frozen, counts.buffers) == (
        61_706,
        61_706,
        0,
        0,
    )


def test_lenet5_operations() -> None:
    """LeNet-5 takes 416,520 MACs; its biases, activations and pools are elementwise."""
    counts = count(netc.compile(LENET5).graph)
    macs = {path: layer.macs for path, layer in counts.layers.items() if layer.macs}
    assert macs == {
        "c1": 28 * 28 * 6 * 25,
        "c3": 10 * 10 * 16 * 150,
        "c5": 120 * 400,
        "f6": 84 * 120,
        "f7": 10 * 84,
    }
    assert counts.macs == 416_520
    first, second = 28 * 28 * 6, 10 * 10 * 16  # bias, ReLU and pool take as many each
    assert counts.elementwise == 3 * first + 3 * second + 2 * 120 + 2 * 84 + 10
    assert counts.flops == 2 * 416_520 + 19_330


def test_layers_add_up_to_the_totals() -> None:
    """Every count of the network is the sum over its layers."""
    counts = netc.load("zoo:residual").counts
    layers = counts.layers.values()
    assert counts.params == sum(layer.params for layer in layers) == 19_994
    assert counts.buffers == sum(layer.buffers for layer in layers) == 2 * (3 * 16 + 3 * 32)
    assert counts.macs == sum(layer.macs for layer in layers)
    assert counts.flops == sum(layer.flops for layer in layers)


def test_batch_normalization_holds_buffers() -> None:
    """Running statistics are buffers, apart from the learned scale and shift."""
    layer = netc.compile("INPUT(8x8x3) -> BN as n").counts.layers["n"]
    assert (layer.trainable, layer.frozen, layer.buffers) == (6, 0, 6)
    assert (layer.macs, layer.elementwise) == (0, 2 * 8 * 8 * 3)


def test_frozen_parameters_count_apart() -> None:
    """A frozen layer's parameters are parameters that training leaves alone."""
    counts = netc.compile("INPUT(4) -> FC(3, frozen=yes) -> RELU -> FC(2)").counts
    assert (counts.params, counts.frozen, counts.trainable) == (15 + 8, 15, 8)


def test_groups_divide_the_work() -> None:
    """A convolution in g groups has a g-th of the weights and of the MACs."""
    whole = netc.compile("INPUT(8x8x4) -> CONV(3x3, 8, bias=no)").counts
    grouped = netc.compile("INPUT(8x8x4) -> CONV(3x3, 8, bias=no, groups=4)").counts
    assert (whole.params, whole.macs) == (4 * grouped.params, 4 * grouped.macs)
    assert grouped.params == 3 * 3 * 8


def test_a_shared_parameter_counts_once() -> None:
    """A parameter belongs to the layer that made it; others show its name, and cost MACs."""
    graph = Graph("shared")
    build = Builder(graph, scope="input")
    x = build.input("input", TensorType(DType.FLOAT32, (BATCH, 5)))
    build.scope = "first"
    w = build.parameter("first.weight", (5, 5), init=AUTO)
    hidden = build.Gemm(x, w, transB=1)
    build.scope = "second"
    graph.outputs["output"] = build.Gemm(hidden, w, transB=1)
    counts = count(graph)
    assert counts.params == 25
    assert counts.macs == 50
    assert (counts.layers["first"].params, counts.layers["first"].shared) == (25, ())
    assert (counts.layers["second"].params, counts.layers["second"].shared) == (
        0,
        ("first.weight",),
    )


def test_symbolic_extents_give_formulas() -> None:
    """Where the image's extents are symbols, MACs are a polynomial in them; the batch is 1."""
    graph = Graph("symbolic")
    build = Builder(graph, scope="conv")
    shape = (BATCH, 3, symbol("H"), symbol("W"))
    x = build.input("input", TensorType(DType.FLOAT32, shape))
    w = build.parameter("conv.weight", (8, 3, 1, 1), init=AUTO)
    graph.outputs["output"] = build.Conv(x, w, kernel_shape=(1, 1))
    counts = count(graph)
    assert counts.macs == 24 * symbol("H") * symbol("W")
    assert str(counts.flops) == "48*H*W"


def test_huge_networks_are_counted_exactly() -> None:
    """Counts are Python integers, computed without allocating a weight."""
    counts = netc.compile("INPUT(3_000_000_000) -> FC(3_000_000_000)").counts
    assert counts.params == 3_000_000_000**2 + 3_000_000_000
