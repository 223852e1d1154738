"""Nodes are what their operators say: arguments, attributes, and operands that they take."""

import numpy as np
import pytest
from onnx import numpy_helper
from support.onnx_models import computed, parsed

import netc
from netc import NetError

HEAD = '<ir_version: 8, opset_import: ["": 18]> g (float[2,3,4] x) => (float[2,3,4] y) '


def refusal(body: str) -> str:
    """What is said of a model with such nodes."""
    with pytest.raises(NetError) as caught:
        netc.load_onnx(parsed(f"{HEAD} {{ {body} }}").SerializeToString())
    return str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("y = Relu (x, x)", "`Relu` has 2 inputs, and not up to 1"),
        ("y, z = Relu (x)", "`Relu` has 2 outputs, and not up to 1"),
        ("y = Add (x)", "`Add` has 1 inputs, and not 2 or more"),
        ('y = Add (x, "")', "`Add` lacks its argument `B`"),
        ("y = Concat (x, x)", "`Concat` lacks its attribute `axis`"),
        ("y = Concat <axis = 1.0> (x)", "attribute `axis` of `Concat` is not of type INT"),
        ("y = MaxPool <kernel_shape = 2> (x)", "`kernel_shape` of `MaxPool` is not of type INTS"),
        (
            "y = Transpose <perm: strings = []> (x)",
            "`perm` of `Transpose` is not of type INTS",
        ),
    ],
)
def test_nodes_that_are_none_of_their_operator(body: str, said: str) -> None:
    """ONNX's definition of an operator says what a node of it has."""
    found = refusal(body)
    assert found.startswith("error[E576]: ")
    assert said in found


@pytest.mark.parametrize(
    "body",
    [
        "y = Transpose <perm = [0, 1]> (x)",
        "y = MaxPool <kernel_shape = [2, 2]> (x)",
        "y = Concat <axis = 3> (x, x)",
        "y = MatMul (x, x)",
        "y = Gemm (x, x)",
        "y = Softmax <axis = 3> (x)",
        "y = BatchNormalization (x, x, x, x, x)",
    ],
)
def test_operands_that_do_not_fit(body: str) -> None:
    """What a model declares of a result is no reason to take operands that the operator refuses."""
    assert "error[E506]: " in refusal(body)
    assert "does not fit its arguments" in refusal(body)


def test_windows_without_extent() -> None:
    """A transposed window that does not move is none, whatever output is asked for."""
    text = """<ir_version: 8, opset_import: ["": 18]> g (float[1,1,3,3] x, float[1,2,3,3] w)
        => (float[1,2,8,8] y) {
          y = ConvTranspose <strides = [0, 3], output_shape = [8, 8]> (x, w) }"""
    with pytest.raises(NetError, match="strides and dilations of 1 or more"):
        netc.load_onnx(parsed(text).SerializeToString())


@pytest.mark.parametrize(
    "body", ["z = Softmax (w)", "z = Conv (k, k)", "a = Softmax (w)  z = Add (a, w)"]
)
def test_layers_of_what_is_stored(body: str) -> None:
    """Where a weight is what a layer takes, the model is read, and yields what it did."""
    text = f"""<ir_version: 8, opset_import: ["": 18]> g (float[2,4] x) => (float[2,4] y, float z)
        <float[3] w = {{1, 2, 3}}> {{ y = Relu (x)  {body} }}"""
    model = parsed(text)
    model.graph.output[1].type.tensor_type.ClearField("shape")
    kernel = np.arange(12, dtype=np.float32).reshape(2, 2, 3, 1) / 7
    model.graph.initializer.append(numpy_helper.from_array(kernel, "k"))
    x = np.ones((2, 4), np.float32)
    found = netc.load_onnx(model.SerializeToString()).run(x)
    assert isinstance(found, dict)
    for name, wanted in zip("yz", computed(model, {"x": x}), strict=True):
        np.testing.assert_allclose(found[name], wanted, rtol=1e-5)


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        ("y = PRelu (a, w)", (2, 1)),  # a slope for each row, of as many as there are channels
        ("y = PRelu (a, w)", (2, 1, 1)),
        ("m = MatMul (a, k)  y = Max (m, w)", (4, 3)),
        ("m = MatMul (a, k)  y = Mul (m, w)", (3,)),
    ],
)
def test_weights_of_fewer_axes(body: str, shape: tuple[int, ...]) -> None:
    """A weight lies on the last axes of what it meets, however a layer turns that."""
    size = 2 if "PRelu" in body else 4
    model = parsed(f"""<ir_version: 8, opset_import: ["": 18]>
        g (float[1,2,{size},3] a) => (float[1,2,{size},3] y) {{ {body} }}""")
    random = np.random.default_rng(0)
    for name, extents in (("w", shape), ("k", (3, 3))):
        array = random.normal(size=extents).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    x = random.normal(size=(1, 2, size, 3)).astype(np.float32)
    found = netc.load_onnx(model.SerializeToString()).run(x)
    np.testing.assert_allclose(np.asarray(found), computed(model, {"a": x})[0], rtol=1e-5)


def test_a_recurrent_operator_of_open_units() -> None:
    """It stays an operator where no type tells how many units there are."""
    net = netc.load_onnx(
        parsed(
            '<ir_version: 8, opset_import: ["": 18]>'
            " g (float[L,N,3] x, float[1,G,3] w, float[1,G,H] r) => (float[L,1,N,H] y)"
            " { y = GRU (x, w, r) }"
        ).SerializeToString()
    )
    assert [layer.kind for layer in net.graph.layers.values()] == [*["INPUT"] * 3, "GRU"]
