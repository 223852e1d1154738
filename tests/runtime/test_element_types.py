"""Element types of ONNX that programs cannot name: what engines compute, and what they refuse."""

import ml_dtypes
import numpy as np
import pytest

import netc
from netc.choices import EngineName
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.runtime.engines.engine import run

X = np.array([[0.1, -2.0, 3.0]], np.float32)


def through(dtype: DType) -> Graph:
    """A graph that turns its input into another type and back."""
    build = Builder(Graph("through"))
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 3)))
    build.graph.outputs["y"] = build.Cast(build.Cast(x, to=dtype), to=DType.FLOAT32)
    return build.graph


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("dtype", [DType.FLOAT16, DType.INT8, DType.INT16, DType.FLOAT64])
def test_types_that_numpy_has(dtype: DType, engine: str) -> None:
    """Both engines compute in a type that NumPy has, though no program can name it."""
    found = run(through(dtype), {"x": X}, {}, engine=engine)["y"]
    np.testing.assert_array_equal(found, X.astype(dtype.value).astype(np.float32))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_types_beyond_numpy(engine: str) -> None:
    """Both engines round to bfloat16."""
    found = run(through(DType.BFLOAT16), {"x": X}, {}, engine=engine)["y"]
    np.testing.assert_array_equal(found, np.array([[0.10009765625, -2.0, 3.0]], np.float32))


def test_inputs_beyond_numpy() -> None:
    """NumPy takes arrays of `ml_dtypes`, onnxruntime none; numbers are not rounded silently."""
    build = Builder(Graph("fed"))
    x = build.input("x", TensorType(DType.BFLOAT16, (BATCH, 3)))
    build.graph.outputs["y"] = build.Cast(x, to=DType.FLOAT32)
    given = X.astype(ml_dtypes.bfloat16)
    found = run(build.graph, {"x": given}, {})["y"]
    np.testing.assert_array_equal(found, given.astype(np.float32))
    with pytest.raises(netc.NetError, match=r"E206.*takes numbers of bfloat16, but got float32"):
        run(build.graph, {"x": X}, {})
    with pytest.raises(netc.NetError, match=r"E575.*`x` is `.*bfloat16.*`, which NumPy cannot"):
        run(build.graph, {"x": given}, {}, engine="onnxruntime")


@pytest.mark.parametrize("product", ["Conv", "MatMul"])
def test_products_of_half_precision_add_up_in_single(product: str) -> None:
    """Of 48 products of 0.1 the sum is rounded once, as on onnxruntime, and not 48 times."""
    build = Builder(Graph("product"))
    x_shape, w_shape = {"Conv": ((1, 2, 48), (2, 1, 48)), "MatMul": ((1, 48), (48, 1))}[product]
    x = build.input("x", TensorType(DType.FLOAT16, x_shape))
    w = build.input("w", TensorType(DType.FLOAT16, w_shape))
    given = {"kernel_shape": (48,), "group": 2} if product == "Conv" else {}
    (build.graph.outputs["y"],) = build.op(product, (x, w), given)
    tenth = np.float16(0.1)
    feeds = {"x": np.full(x_shape, tenth), "w": np.ones(w_shape, np.float16)}
    for engine in ("numpy", "onnxruntime"):
        found = run(build.graph, feeds, {}, engine=engine)["y"]
        assert set(found.ravel().tolist()) == {float(np.float16(48 * np.float32(tenth)))}


def test_constants_that_numpy_lacks() -> None:
    """A constant of bfloat16 is rounded in the model."""
    build = Builder(Graph("constant"))
    constant = build.constant((0.1, 3.0), DType.BFLOAT16)
    build.graph.outputs["y"] = build.Cast(constant, to=DType.FLOAT32)
    found = run(build.graph, {}, {}, engine="onnxruntime")["y"]
    np.testing.assert_array_equal(found, np.array([0.10009765625, 3.0], np.float32))


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_quantized(engine: EngineName) -> None:
    """Operators of ONNX may yield small integers between real layers."""
    network = netc.compile(
        'INPUT(3) -> op("QuantizeLinear", y_scale=0.5) as q -> op("DequantizeLinear", x_scale=0.5)'
    )
    assert network.graph.labels["q"].dtype is DType.UINT8
    found = network.run(X, {}, engine=engine)
    np.testing.assert_array_equal(found, np.array([[0.0, 0.0, 3.0]], np.float32))
