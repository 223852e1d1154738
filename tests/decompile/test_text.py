"""The programs that graphs are written as, and what no program can say."""

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

import netc
from netc.compiler.decompile.decompile import decompile
from netc.grammar.diagnostics import NetError
from netc.programs import ReshapedState
from netc.runtime.arrays.element_types import array_of

# Pairs of a program and that of its graph, which holds no blocks, loops or bindings.
PROGRAMS = {
    "defaults are left out": (
        "INPUT(8x8x3) -> CONV(kernel=3x3, filters=4, stride=1, bias=no) as a -> POOL(2x2, max)"
        " -> FC(10) as b",
        "INPUT(8x8x3) -> CONV(3x3, 4, bias=no) as a -> POOL -> FC(10) as b\n",
    ),
    "a skip is `ID`": (
        "INPUT(8x8x4) -> ( CONV(3x3, 4) as a -> RELU | ID ) -> ADD -> GAP",
        "INPUT(8x8x4) -> ( CONV(3x3, 4) as a -> RELU | ID ) -> ADD -> GAP\n",
    ),
    "what is read from afar is labelled": (
        "x = INPUT(8) -> RELU as low -> TANH -> SIGMOID as high\n"
        "( low | high ) -> MUL as both\noutput y = ( both | low ) -> ADD\noutput z = high -> EXP",
        "output y = INPUT(8) -> RELU -> ( ( ID | TANH -> SIGMOID as high ) -> MUL | ID ) -> ADD\n"
        "output z = high -> EXP\n",
    ),
    "inputs keep their order": (
        "b = INPUT(4) as first\na = INPUT(4) as second\n( a -> TANH | b -> RELU ) -> SUB",
        "INPUT(4) as first\nINPUT(4) as second\nsecond -> TANH as tanh1\n"
        "first -> RELU as relu1\n( tanh1 | relu1 ) -> SUB\n",
    ),
    "weights are shared": (
        "INPUT(4) -> FC(4) as a -> RELU -> FC(4, share=a) -> FC(2, frozen=yes) as b",
        "INPUT(4) -> FC(4) as a -> RELU -> FC(4, share=a) -> FC(2, frozen=yes) as b\n",
    ),
    "whole numbers of eight bits": (
        'INPUT(4) -> op("Cast", to=int8) -> op("Cast", to=float32) -> FC(2) as a',
        'INPUT(4) -> op("Cast", to=int8) -> op("Cast", to=float32) -> FC(2) as a\n',
    ),
    "operators by name": (
        'INPUT(4) -> op("Clip", min=0, max=6) -> ( ID | op("Erf") ) -> op("Div")',
        'INPUT(4) -> op("Clip", min=0, max=6) -> ( ID | op("Erf") ) -> op("Div")\n',
    ),
    "scopes of one structure are a labelled repetition": (
        "block B(c) { ( CONV(3x3, c) as one -> RELU -> CONV(3x3, c) as two | ID ) -> ADD }\n"
        "INPUT(8x8x4) -> B(4) as s.0 -> B(4) as s.1 -> B(4) as s.2 -> GAP",
        "INPUT(8x8x4)\n"
        "  -> [( CONV(3x3, 4) as one -> RELU -> CONV(3x3, 4) as two | ID ) -> ADD]*3 as s -> GAP\n",
    ),
    "numbers that differ are parameters": (
        "block B(c) { CONV(3x3, c) as one -> RELU -> CONV(1x1, 2 * c) as two }\n"
        "INPUT(8x8x4) -> B(4) as stage1 -> B(8) as stage2 -> B(32) as stage3 -> GAP",
        "block Stage(width) {\n"
        "  CONV(3x3, width) as one -> RELU -> CONV(1x1, 2 * width) as two\n}\n\n"
        "INPUT(8x8x4) -> Stage(4) -> Stage(8) -> Stage(32) -> GAP\n",
    ),
    "what follows itself is a repetition, and labels that say what is known are left out": (
        "INPUT(32x32x3) -> CONV(3x3, 8) as conv1 -> RELU -> CONV(3x3, 8) as conv2 -> RELU -> POOL"
        " -> CONV(3x3, 8) as conv3 -> RELU -> CONV(3x3, 8) as conv4 -> RELU -> POOL"
        " -> FC(16) as fc1 -> RELU -> FC(16) as fc2 -> RELU -> FC(10) as fc3",
        "INPUT(32x32x3) -> [[CONV(3x3, 8) -> RELU]*2 -> POOL]*2 -> [FC(16) -> RELU]*2 -> FC(10)\n",
    ),
    "an automatic name that a computed label has is a label": (
        "INPUT(8x8x4) -> CONV(3x3, 8) as conv4 -> TANH"
        " -> CONV(3x3, 4) as conv1 -> RELU -> CONV(3x3, 4) as conv2 -> RELU"
        " -> CONV(3x3, 4) as conv3 -> RELU -> GAP",
        "INPUT(8x8x4) -> CONV(3x3, 8) as conv4 -> TANH\n"
        "  -> for i in range(3) { CONV(3x3, 4) as conv{i + 1} -> RELU } -> GAP\n",
    ),
    "scopes that are torn are no blocks": (
        "p = INPUT(4) as x -> FC(4) as l.0.a -> RELU -> FC(4) as l.0.b\n"
        "q = INPUT(4) as y -> FC(4) as l.1.a -> RELU -> FC(4) as l.1.b\n"
        "( p | q ) -> ADD -> FC(4) as l.0.c -> FC(4) as l.1.c",
        "INPUT(4) as x -> FC(4) as l.0.a -> RELU -> FC(4) as l.0.b\n"
        "INPUT(4) as y -> FC(4) as l.1.a -> RELU -> FC(4) as l.1.b\n"
        "( l.0.b | l.1.b ) -> ADD -> [FC(4) as c]*2 as l\n",
    ),
    "labels that count up are computed": (
        "INPUT(8x8x4) -> CONV(3x3, 4) as f.0 -> RELU -> CONV(3x3, 4) as f.2 -> RELU"
        " -> CONV(3x3, 4) as f.4 -> RELU -> GAP -> FC(9) as b_3 -> TANH -> FC(9) as b_2 -> TANH"
        " -> FC(9) as b_1 -> TANH",
        "INPUT(8x8x4) -> for i in range(3) { CONV(3x3, 4) as f.{2 * i} -> RELU } -> GAP\n"
        "  -> for i in range(3) { FC(9) as b_{3 - i} -> TANH }\n",
    ),
    "numbers that differ are listed": (
        "INPUT(32x32x3) -> for c in [8, 16, 32] { CONV(3x3, c) -> RELU -> POOL } -> FC(10)",
        "INPUT(32x32x3) -> for width in [8, 16, 32] { CONV(3x3, width) -> RELU -> POOL }"
        " -> FC(10)\n",
    ),
    "a series among others is listed": (
        "INPUT(1x1x100) -> UPCONV(4x4, 512, stride=1) as m.0 -> RELU -> UPCONV(4x4, 256) as m.2"
        " -> RELU -> UPCONV(4x4, 128) as m.4 -> RELU -> UPCONV(4x4, 64) as m.6 -> RELU"
        " -> UPCONV(4x4, 32) as m.8 -> RELU",
        "INPUT(1x1x100) -> UPCONV(4x4, 512, stride=1) as m.0 -> RELU\n"
        "  -> for (i, width) in enumerate([256, 128, 64, 32]) {"
        " UPCONV(4x4, width) as m.{2 * i + 2} -> RELU }\n",
    ),
    "series in series": (
        "INPUT(32x32x3) -> for i in range(3) { for j in range(3) { CONV(3x3, 8) as c{i}_{j + 1}"
        " -> RELU } -> POOL } -> FC(10) as head",
        "INPUT(32x32x3)\n"
        "  -> for i in range(3) {"
        " for j in range(3) { CONV(3x3, 8) as c{i}_{j + 1} -> RELU } -> POOL }\n"
        "  -> FC(10) as head\n",
    ),
    "branches begin with the parts of a split": (
        "INPUT(8x8x4)"
        " -> [SPLIT(2) -> ( ID | CONV(3x3, 2) ) -> CONCAT -> CHANNELSHUFFLE(2)]*3 -> GAP",
        "INPUT(8x8x4) -> [SPLIT(2) -> ( ID | CONV(3x3, 2) ) -> CONCAT -> CHANNELSHUFFLE(2)]*3\n"
        "  -> GAP\n",
    ),
    "parts of a split in another order have names": (
        "(a, b) = INPUT(8) -> SPLIT(2)\n( b -> TANH | a ) -> SUB",
        "(split1_1, split1_2) = INPUT(8) -> SPLIT(2)\n( split1_2 -> TANH | split1_1 ) -> SUB\n",
    ),
    "parts of a split that are outputs have names": (
        "(a, b) = INPUT(8) -> SPLIT(2)\noutput y = ( a | b ) -> ADD\noutput first = a",
        "(split1_1, split1_2) = INPUT(8) -> SPLIT(2)\n"
        "output y = ( split1_1 | split1_2 ) -> ADD\noutput first = split1_1\n",
    ),
    "pictures of bytes have their channels last": (
        "INPUT((H, W, 3), dtype=uint8) -> NORMALIZE(std=255) -> CONV(3x3, 4) as a",
        "INPUT((H, W, 3), dtype=uint8) -> NORMALIZE(std=255.0) -> CONV(3x3, 4) as a\n",
    ),
    "zero points are bytes": (
        'INPUT(8) -> op("QuantizeLinear", y_scale=0.5, y_zero_point=3)'
        ' -> op("DequantizeLinear", x_scale=0.5, x_zero_point=3)',
        'INPUT(8) -> op("QuantizeLinear", y_scale=0.5, y_zero_point=3)\n'
        '  -> op("DequantizeLinear", x_scale=0.5, x_zero_point=3)\n',
    ),
    "an attribute that ONNX requires is written": (
        'INPUT(8) -> op("Concat", axis=1) -> RELU',
        'INPUT(8) -> op("Concat", axis=1) -> RELU\n',
    ),
    "infinite numbers, and the largest of float32": (
        'INPUT(2) -> op("Add", B=[-inf, -3.4028235e38]) -> op("Clip", max=inf)',
        'INPUT(2) -> op("Add", B=[-inf, -3.4028235e38]) -> op("Clip", max=inf)\n',
    ),
    "a mask that is computed comes before the layer that names it": (
        'INPUT(5, dtype=bool) as pad -> op("Not") as keep\n'
        "INPUT(5x4, sequence) -> ATTENTION(2, mask=keep) as a",
        'INPUT(5, dtype=bool) as pad -> op("Not") as keep\n'
        "INPUT(5x4, sequence) -> ATTENTION(2, mask=keep) as a\n",
    ),
    "widths that follow from the input's": (
        "block S(c, d) { CONV(1x1, c) as wide -> RELU -> DWCONV(3x3) as deep -> CONV(1x1, d) as out"
        " }\n"
        "INPUT(8x8x4) -> S(24, 4) as a -> S(24, 8) as b -> S(48, 16) as c -> GAP",
        "block InvertedResidual(width) {\n"
        "  CONV(1x1, 6 * in.channels) as wide -> RELU -> DWCONV(3x3) as deep"
        "\n    -> CONV(1x1, width) as out\n}\n\n"
        "INPUT(8x8x4) -> InvertedResidual(4) as a -> InvertedResidual(8) as b\n"
        "  -> InvertedResidual(16) as c -> GAP\n",
    ),
    "layers that others name keep their labels": (
        "INPUT(8x8x4) -> CONV(3x3, 4) as conv1 -> POOL as pool1 -> CONV(3x3, 4) as conv2"
        " -> POOL as pool2 -> TANH -> UNPOOL(pool2) -> TANH -> UNPOOL(pool1)",
        "INPUT(8x8x4) -> CONV(3x3, 4) -> POOL as pool1 -> CONV(3x3, 4) -> POOL as pool2 -> TANH\n"
        "  -> UNPOOL(pool=pool2) -> TANH -> UNPOOL(pool=pool1)\n",
    ),
    "weights are there before they are shared": (
        "INPUT(6x3, sequence) as x\nINPUT(5x3, sequence) as y\n"
        "h = x -> LINEAR(4) as e -> GRU(5, last) as enc\n"
        "( y -> LINEAR(4, share=e) as f | h ) -> GRU(5) as dec",
        "INPUT(6x3, sequence) as x\nINPUT(5x3, sequence) as y\nx -> LINEAR(4) as e\n"
        "y -> LINEAR(4, share=e) as f\ne -> GRU(5, last) as enc\n( f | enc ) -> GRU(5) as dec\n",
    ),
    "an end is a word": (
        "INPUT(6x3, sequence) -> SLICE(1, end, axis=length)",
        "INPUT(6x3, sequence) -> SLICE(1, end, axis=length)\n",
    ),
    "parameters of one kind are named after what they are for": (
        "block S(c, d) { CONV(3x3, c) as wide -> RELU -> CONV(3x3, d) as narrow -> TANH }\n"
        "INPUT(8x8x4) -> S(24, 4) as a -> S(16, 8) as b -> S(10, 9) as c -> GAP",
        "block Block(width, narrow_width) {\n"
        "  CONV(3x3, width) as wide -> RELU -> CONV(3x3, narrow_width) as narrow -> TANH\n}\n\n"
        "INPUT(8x8x4) -> Block(24, 4) as a -> Block(16, 8) as b -> Block(10, 9) as c -> GAP\n",
    ),
    "a branch that some lack is a choice": (
        "block B(c) { ( CONV(3x3, c) as main | if in.channels != c { CONV(1x1, c) as side.0 } )"
        " -> ADD -> RELU }\n"
        "INPUT(8x8x4) -> B(4) as s.0 -> B(8) as s.1 -> GAP",
        "block Residual(width, side=no) {\n"
        "  ( CONV(3x3, width) as main | if side { CONV(1x1, 8) as side.0 } ) -> ADD -> RELU\n}\n\n"
        "INPUT(8x8x4) -> Residual(4) as s.0 -> Residual(8, side=yes) as s.1 -> GAP\n",
    ),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_text(name: str) -> None:
    """A graph is written as a person would write it."""
    program, expected = PROGRAMS[name]
    net = netc.compile(f"net it\n{program}")
    text = decompile(net.graph).text
    assert text == f"net it\n\n{expected}"


def test_text_of_a_program() -> None:
    """A network that was compiled is written as its program, blocks and comments included."""
    text = "# about\nblock B{ FC(3) }\nINPUT(4)->B->RELU  # end\n"
    wanted = "# about\nblock B { FC(3) }\nINPUT(4) -> B -> RELU  # end\n"
    assert netc.compile(text).to_text() == wanted


def test_what_cannot_be_said() -> None:
    """It is named, and so is its layer."""
    big = [2**25] * 1_600
    program = f'INPUT(1600, dtype=int64) -> op("Add", B={big}) -> op("Cast", to=float32) -> FC(2)'
    with pytest.raises(NetError, match=r"E579.*a constant of 1,600 numbers of int64") as caught:
        decompile(netc.compile(program).graph)
    assert caught.value.diagnostics[0].notes == ("the operator is the layer `add1`",)


TABLES = {
    "real numbers": (
        f'INPUT(40x40x1) -> op("Div", B={[[i + 0.5] * 40 for i in range(40)]}) -> GAP',
        "INPUT(40x40x1) -> ( ID | PARAM(40x40, buffer=yes) as table1"
        ' -> op("Squeeze", axes=[0]) )\n  -> op("Div") -> GAP\n',
    ),
    "whole numbers": (
        f'INPUT(1600, dtype=int64) -> op("Mod", B={[i + 1 for i in range(1600)]})'
        " -> EMBED(1600, 2) -> REDUCE",
        "INPUT(1600, dtype=int64)\n  -> ( ID | PARAM(1600, buffer=yes) as table1"
        ' -> op("Squeeze", axes=[0]) -> op("Cast", to=int64) )\n'
        '  -> op("Mod") -> EMBED(1600, 2) -> REDUCE\n',
    ),
    "a table of a layer": (
        "x = INPUT(40x40, sequence)\n"
        f"( x | CONST({[[i / 7] * 40 for i in range(40)]}) as c ) -> SUB -> REDUCE",
        "INPUT(40x40, sequence) -> ( ID | PARAM(40x40, buffer=yes) as c ) -> SUB -> REDUCE\n",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(name: str) -> None:
    """Constants of more than 1,000 numbers lie with the weights, as what nothing trains."""
    program, expected = TABLES[name]
    net = netc.compile(f"net it\n{program}")
    found = decompile(net.graph)
    assert found.text == f"net it\n\n{expected}"
    state = net.initialize()
    again = netc.compile(found.text)
    assert again.params == net.params
    (spec,) = again.graph.inputs.values()
    x = np.arange(1600, dtype=spec.dtype.value).reshape(spec.type.bind({"N": 1}).extents)
    held = ReshapedState(state, found.shapes, found.copies, found.tables)
    np.testing.assert_array_equal(again.run(x, held), net.run(x, state))


def test_buffers_come_back(tmp_path: Path) -> None:
    """A table that lies with the weights is a constant of the exported model."""
    text = "INPUT(40x40, sequence) -> ( ID | PARAM(40x40, buffer=yes) as t ) -> SUB -> LN"
    net = netc.compile(text, name="model")
    assert (net.params, net.counts.buffers) == (80, 1600)
    net.export(tmp_path / "model.onnx", seed=1)
    back = netc.load_onnx(tmp_path / "model.onnx")
    assert back.params == 80
    program = decompile(back.graph)
    assert program.text.replace("const1", "t") == f"net model\n\n{text}\n"
    (table,) = program.tables.values()
    np.testing.assert_array_equal(array_of(table), net.initialize(seed=1)["t"])


def test_an_input_of_one_number_a_sample() -> None:
    """It is a scalar, and what is computed of it lies as in the model."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N"])
    graph = helper.make_graph([helper.make_node("Exp", ["x"], ["y"])], "g", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    text = decompile(netc.load_onnx(model.SerializeToString()).graph).text
    assert text == "net model\n\noutput y = INPUT(scalar) as x -> EXP\n"


def test_a_product_by_a_table_is_no_dot() -> None:
    """A `DOT` takes no constants, so their product with a tensor and its sum stay two layers."""
    table = helper.make_tensor("t", TensorProto.FLOAT, [1, 5, 3], [0.5] * 15)
    axes = helper.make_tensor("axes", TensorProto.INT64, [1], [2])
    constant = helper.make_node("Constant", [], ["t"], value=table)
    nodes = [
        constant,
        helper.make_node("Mul", ["x", "t"], ["p"]),
        helper.make_node("ReduceSum", ["p", "axes"], ["y"], keepdims=1),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 5, width])
        for name, width in (("x", 3), ("y", 1))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [axes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    net = netc.load_onnx(model.SerializeToString())
    assert "DOT" not in net.to_text()
    x = np.arange(30, dtype=np.float32).reshape(2, 5, 3)
    np.testing.assert_allclose(np.asarray(net.run(x)), 0.5 * x.sum(2, keepdims=True))


def test_weights_of_eight_bits() -> None:
    """What dynamic quantization writes: bytes of inputs times a table of bytes."""
    rows = helper.make_tensor("w", TensorProto.INT8, [3, 2], [1, -2, 3, -4, 5, -6])
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "scale", "zero"]),
        helper.make_node("MatMulInteger", ["q", "w", "zero"], ["p"]),
        helper.make_node("Cast", ["p"], ["c"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["c", "scale"], ["y"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", width])
        for name, width in (("x", 3), ("y", 2))
    ]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [rows])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    net = netc.load_onnx(model.SerializeToString())
    again = netc.compile(net.to_text())
    x = np.array([[-1, 0, 1.55]], np.float32)  # 100, 0 and 255 hundredths
    expected = np.array([[-1 + 5 * 1.55, 2 - 6 * 1.55]], np.float32)
    for network in (net, again):
        np.testing.assert_allclose(np.asarray(network.run(x)), expected, atol=1e-5)
