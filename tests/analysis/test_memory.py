"""Peaks of live activations, by hand."""

import netc
from netc.compiler import ops  # noqa: F401  (fills the op table)
from netc.compiler.analysis.memory import measure
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, symbol
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.initializers import AUTO
from netc.compiler.ir.types import DType, TensorType

FLOAT = 4


def peak(text: str) -> object:
    """The peak of a program, in bytes."""
    return measure(netc.compile(text).graph).peak


def test_a_chain_holds_an_operator_and_its_input() -> None:
    """In a chain the widest neighbours count: 20 and 50 units, not the sum of all."""
    assert peak("INPUT(10) -> FC(20) -> FC(50) -> FC(5)") == (20 + 50) * FLOAT


def test_a_branch_keeps_its_start_alive() -> None:
    """While the long branch runs, the shortcut's tensor lives: x, conv1 and conv2's outputs."""
    text = "INPUT(8x8x1) -> CONV(3x3, 4) -> ( CONV(3x3, 4) -> CONV(3x3, 4) | ID ) -> ADD"
    assert peak(text) == 3 * 8 * 8 * 4 * FLOAT


def test_views_share_memory() -> None:
    """FLATTEN, ID and, at inference, DROPOUT take no memory of their own."""
    text = "INPUT(4x4x2) -> ID -> DROPOUT -> FLATTEN as f"
    memory = measure(netc.compile(text).graph)
    assert memory.peak == 4 * 4 * 2 * FLOAT
    assert dict(memory.layers) == {"input": 128, "id1": 0, "dropout1": 0, "f": 0}


def test_a_view_keeps_its_origin_alive() -> None:
    """The origin dies behind the last use of any of its views."""
    text = "x = INPUT(10) -> ID\nhidden = x -> FC(100) -> FC(1)\noutput y = hidden\noutput z = x"
    assert peak(text) == (10 + 100 + 1) * FLOAT


def test_outputs_live_until_the_end() -> None:
    """An output that was computed early is still there when the last layer runs."""
    text = "x = INPUT(10) -> FC(30) as early\noutput a = x\noutput b = x -> FC(40) -> FC(50)"
    assert peak(text) == (30 + 40 + 50) * FLOAT


def test_unused_layers_take_nothing() -> None:
    """What no output needs is not scheduled."""
    text = "x = INPUT(10)\ny = x -> FC(1_000)\noutput a = x -> FC(5)"
    assert peak(text) == (10 + 5) * FLOAT


def test_element_types_have_sizes() -> None:
    """A double takes eight bytes, and float32 weights are no activations."""
    assert peak("INPUT(10, dtype=float64) -> FC(3)") == (10 + 3) * 8


def test_symbolic_extents_give_a_formula() -> None:
    """The peak of a fully convolutional net is a formula in the image's extents."""
    build = Builder(Graph("symbolic"), scope="conv")
    shape = (BATCH, 1, symbol("H"), symbol("W"))
    x = build.input("input", TensorType(DType.FLOAT32, shape))
    w = build.parameter("conv.weight", (2, 1, 1, 1), init=AUTO)
    build.graph.outputs["output"] = build.Conv(x, w, kernel_shape=(1, 1))
    assert str(measure(build.graph).peak) == "12*H*W"
