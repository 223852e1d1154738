"""What is told of values tells how plain a rewritten model is."""

import pytest
from onnx import TensorProto, helper
from support.onnx_models import parsed

from netc.compiler.ir.signature import InferenceError, OpCall
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.onnx_import.known_types import KnownTypes
from netc.compiler.onnx_import.read import read_model
from netc.compiler.onnx_import.upgrade import upgrade
from netc.compiler.onnx_standard.foreign_operators import foreign_row, outputs_by_onnx


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("v = Relu (x)", (2, 3, 4, 4)),
        ("v = Conv (x, w)", (None,) * 4),
        ("v = GlobalAveragePool (x)", (2, 3, 1, 1)),
        ("v = Flatten (x)", (None, None)),
        ("u = Flatten (x)  v = Gemm (u, m, b)", (None, None)),
        ("v = Reshape (x, to)", (None,) * 3),
        ("s = Constant <value = int64[2] {0, -1}> ()  v = Reshape (x, s)", (None, None)),
        ("v = Squeeze <axes = [1]> (x)", (None,) * 3),
        ("v = Squeeze (x)", None),
        ("v = Unsqueeze <axes = [0, 1]> (x)", (None,) * 6),
        ("v = MatMul (x, m)", (None,) * 4),
        ("v = MatMul (x, b)", None),
        ("v = Add (x, b)", (None,) * 4),
        ("v = Add (x, x)", (2, 3, 4, 4)),
        ("v = ConstantOfShape (to)", (None,) * 3),
        ("v = Cast <to = 11> (x)", (2, 3, 4, 4)),
        ("v = NonZero (x)", None),
        ("v = local.Relu (x)", None),
    ],
)
def test_shapes(body: str, shape: object) -> None:
    """Ranks follow from operators, extents where these keep them."""
    model = parsed(f"""
        <ir_version: 8, opset_import: ["": 12, "local": 1]>
        g (float[2,3,4,4] x, float[3,3,1,1] w, float[4,4] m) => (v)
          <int64[3] to = {{0, -1, 4}}, float[4] b = {{1, 2, 3, 4}}> {{ {body} }}""")
    model.graph.ClearField("output")
    types = KnownTypes(model)
    assert types.shape("v") == shape
    if shape is not None:
        assert types.code("v") == (11 if "Cast" in body else 1)


def test_a_name_for_two_values_tells_nothing() -> None:
    """Branches may use a name for values of different ranks."""
    model = parsed("""
        <ir_version: 8, opset_import: ["": 12]>
        g (bool c, float[2,3,4] x) => (float[2,12] y) {
          y = If (c) <
            then_branch = g1 () => (v) { t = Flatten (x)  v = Identity (t) },
            else_branch = g2 () => (u) { t = Identity (x)  u = Flatten (t) }>
        }""")
    assert KnownTypes(model).shape("t") is None


def test_softmax_stays_alone_where_it_may() -> None:
    """Nothing is flattened over one axis that has more than one element."""
    for body in ("v = GlobalAveragePool (x)  y = Softmax (v)", "v = Flatten (x)  y = Softmax (v)"):
        model = parsed(f"""
            <ir_version: 8, opset_import: ["": 9]>
            g (float[2,3,4,4] x) => (y) {{ {body} }}""")
        nodes = upgrade(read_model(model.SerializeToString()).proto).graph.node
        assert [node.op_type for node in nodes][1:] == ["Softmax"]


def test_nothing_ends_the_process() -> None:
    """Shapes that no network has, for which onnx's own inference gives up, do no harm."""
    info = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, -30, 16])
    output = helper.make_tensor_value_info("z", TensorProto.FLOAT, None)
    nodes = [
        helper.make_node("Pad", ["x"], ["p"], pads=[0, 0, -90, 0, 0, 0, 0, 0]),
        helper.make_node("Slice", ["p"], ["y"], starts=[0], ends=[4], axes=[2]),
        helper.make_node("Softmax", ["y"], ["z"]),
    ]
    graph = helper.make_graph(nodes, "g", [info], [output])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)], ir_version=7)
    assert upgrade(read_model(model.SerializeToString()).proto).opset_import[0].version == 22


def test_negative_extents_do_not_reach_onnx() -> None:
    """Its shape inference ends the process for a slice of them."""
    row = foreign_row("Slice", 13)
    assert row is not None
    bounds = TensorType(DType.INT64, (1,))
    call = OpCall(row, (TensorType(DType.FLOAT32, (2, -30)), bounds, bounds), {})
    with pytest.raises(InferenceError, match=r"Slice takes no float32\[2, -30\]"):
        outputs_by_onnx(call)
