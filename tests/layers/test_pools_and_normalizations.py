"""What the layer table cannot show of pools, normalizations and dropout: graphs and edge cases."""

from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.choices import EngineName
from netc.compiler.analysis.initial_values import resolve
from netc.compiler.analysis.memory import measure
from netc.compiler.analysis.receptive_fields import receptive_fields
from netc.compiler.ir.graph import LEAVES, Graph
from netc.compiler.ir.initializers import HE
from netc.compiler.layers.adaptive_pooling import bins_of
from netc.compiler.passes.pipeline import settle

FLOAT, INDEX = 4, 8


def graph_of(program: str) -> Graph:
    """A program's graph, as lowering leaves it."""
    return netc.compile(program).graph


def operators(graph: Graph) -> list[str]:
    """The operators of a graph in order."""
    return [node.op_type for _, node in graph.nodes() if node.op_type not in LEAVES]


def max_pools(graph: Graph) -> list[int]:
    """How many outputs each `MaxPool` has."""
    return [len(node.outputs) for _, node in graph.nodes() if node.op_type == "MaxPool"]


def attributes_of(program: str, op_type: str) -> dict[str, Any]:
    """The attributes of the one operator of a kind."""
    (found,) = [n.attributes for _, n in graph_of(program).nodes() if n.op_type == op_type]
    return dict(found)


def test_indices_are_kept_only_for_unpooling() -> None:
    """A max-pool's indices leave the graph that runs, unless an UNPOOL reads them."""
    alone = graph_of("INPUT(8x8x1) -> POOL -> FC(2)")
    undone = graph_of("INPUT(8x8x1) -> POOL as a -> POOL -> UPCONV(filters=1) -> UNPOOL(a)")
    assert (max_pools(alone), max_pools(settle(alone))) == ([2], [1])
    assert (max_pools(undone), max_pools(settle(undone))) == ([2, 2], [2, 1])


def test_a_model_names_indices_only_for_unpooling(tmp_path: Any) -> None:
    """In ONNX, too, `MaxPool` has a second output only where something reads it."""
    for program, expected in (
        ("INPUT(8x8x1) -> POOL", 1),
        ("INPUT(8x8x1) -> POOL as p -> UNPOOL(p)", 2),
    ):
        network = netc.compile(program)
        network.export(str(tmp_path / "m.onnx"), network.initialize(0))
        node = onnx.load(str(tmp_path / "m.onnx")).graph.node[0]
        assert (node.op_type, len(node.output)) == ("MaxPool", expected)


def test_memory_counts_indices_only_for_unpooling() -> None:
    """Indices take eight bytes each while they live, and none where nothing reads them."""
    assert measure(graph_of("INPUT(8x8x1) -> POOL")).peak == (64 + 16) * FLOAT
    undone = graph_of("INPUT(8x8x1) -> POOL as p -> UNPOOL(p)")
    # Beside them the output, and the four extents that it gets.
    assert measure(undone).peak == 16 * (FLOAT + INDEX) + 64 * FLOAT + 4 * INDEX


def test_rounding_up_is_padding_at_the_end() -> None:
    """The graph holds explicit pads: engines differ in what they take `ceil_mode` for."""
    found = attributes_of("INPUT(9x8x1) -> POOL(3x3, stride=2, pad=1, ceil=yes)", "MaxPool")
    assert (found["ceil_mode"], found["pads"]) == (0, (1, 1, 1, 2))


def test_windows_dropped_by_rounding_up_add_nothing() -> None:
    """A window that would start in the padding needs no more of it."""
    found = attributes_of("INPUT(5x5x1) -> POOL(2x2, stride=3, pad=1, ceil=yes)", "MaxPool")
    assert found["pads"] == (1, 1, 1, 1)


def test_padding_counts_on_both_sides_or_is_put_around() -> None:
    """`count_pad` is ONNX's attribute where engines agree on it, and explicit elsewhere."""
    even = "INPUT(8x8x1) -> POOL(3x3, avg, pad=1, count_pad=yes)"
    assert operators(graph_of(even)) == ["AveragePool"]
    assert attributes_of(even, "AveragePool")["count_include_pad"] == 1
    uneven = "INPUT(8x8x1) -> POOL(3x3, avg, pad=(1x1, 0x0), count_pad=yes)"
    assert operators(graph_of(uneven)) == ["Pad", "AveragePool"]
    assert attributes_of(uneven, "AveragePool")["pads"] == (0, 0, 0, 0)


def test_uniform_bins_are_a_plain_pool() -> None:
    """7 rows in 3 bins are windows of 3 at a stride of 2, so nothing is gathered."""
    program = "INPUT(7x6x1) -> ADAPTIVEPOOL(3x2)"
    assert operators(graph_of(program)) == ["AveragePool"]
    found = attributes_of(program, "AveragePool")
    assert (found["kernel_shape"], found["strides"]) == ((3, 3), (2, 3))


@given(extent=st.integers(1, 200), count=st.integers(1, 200))
def test_bins(extent: int, count: int) -> None:
    """Bins see what PyTorch's do, whether they are windows or gathered rows."""
    bins = bins_of(extent, count)
    for i in range(count):
        expected = list(range(i * extent // count, -(-(i + 1) * extent // count)))
        if not bins.rows:
            assert [i * bins.stride + tap for tap in range(bins.kernel)] == expected
            continue
        part = slice(i * bins.kernel, (i + 1) * bins.kernel)
        weights = bins.weights[part]
        assert sorted(set(bins.rows[part])) == expected
        assert [row for row, w in zip(bins.rows[part], weights, strict=True) if w] == expected
        assert sum(weights) == pytest.approx(bins.kernel)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_stochastic_pooling_of_zeros(engine: EngineName) -> None:
    """A window of zeros gives 0, and others their mean weighted by magnitude."""
    network = netc.compile("INPUT(6x1, sequence) -> POOL(stochastic)")
    x = np.array([[[0], [0], [3], [0], [1], [4]]], np.float32)
    y = network.run(x, network.initialize(0), engine=engine)
    assert isinstance(y, np.ndarray)
    np.testing.assert_allclose(y.ravel(), np.array([0, 3, 17 / 5]), rtol=1e-6)


def test_stochastic_depth_vanishes_at_inference() -> None:
    """DROPPATH leaves no operator behind, not even a product with ones."""
    assert operators(settle(graph_of("INPUT(8x8x2) -> RELU -> DROPPATH(0.3)"))) == ["Relu"]


def test_a_product_with_ones_that_broadcasts_stays() -> None:
    """Only ones that change no shape are left out."""
    graph = graph_of("INPUT(1x1x2) -> ( GAP | ID ) -> MUL")
    assert "Mul" in operators(settle(graph))


@pytest.mark.parametrize("between", ["DROPPATH", "POOL(lp)", "LRN"])
def test_initial_values_look_through(between: str) -> None:
    """A convolution whose output meets a ReLU behind these layers starts as He et al. say."""
    graph = graph_of(f"INPUT(8x8x2) -> CONV(3x3, 4) as c -> {between} -> RELU")
    assert resolve(graph)["c.weight"] == HE


@pytest.mark.parametrize(
    ("layers", "extents", "strides"),
    [
        ("POOL as p -> CONV(3x3, 2) -> UNPOOL(p)", (6, 6), (1, 1)),
        ("CONV(3x3, 2) -> IN", (12, 12), (1, 1)),
        ("CONV(3x3, 2) -> GN(2)", (12, 12), (1, 1)),
        ("CONV(3x3, 2) -> LN", (3, 3), (1, 1)),
        ("CONV(3x3, 2) -> LN(axes=all)", (12, 12), (1, 1)),
        ("CONV(3x3, 2) -> RMSNORM", (3, 3), (1, 1)),
        ("CONV(3x3, 2) -> LRN", (3, 3), (1, 1)),
        ("POOL(3x3, stochastic, stride=2) -> POOL(lp)", (5, 5), (4, 4)),
        ("GAP", (12, 12), None),
    ],
)
def test_receptive_fields(
    layers: str, extents: tuple[int, ...], strides: tuple[int, ...] | None
) -> None:
    """Statistics over positions see them all; over channels they see their own position."""
    field = receptive_fields(graph_of(f"INPUT(12x12x2) -> {layers} as l"))["l"]
    assert (field.extents, field.strides) == (extents, strides)


def test_dropped_weights_are_shared_by_the_batch() -> None:
    """DROPCONNECT's noise is on the weight (units, features), DROPPATH's on (N, 1, 1, 1)."""
    graph = graph_of("INPUT(4x4x2) -> DROPPATH -> DROPCONNECT(5)")
    shapes = [str(n.outputs[0]) for _, n in graph.nodes() if n.op_type == "Dropout"]
    assert shapes == ["float32[N, 1, 1, 1]", "float32[5, 32]"]
