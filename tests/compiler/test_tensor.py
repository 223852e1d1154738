"""Constants as arrays, and ONNX's element types."""

from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

import netc
import netc.compiler.ops
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.tensor import Tensor
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.onnx_standard.protos import tensor_proto

VALUES: tuple[Any, ...] = (
    *(0.1, 3, True, "a", (), (1, 2), (0.5, 2.0), ((1, 2, 3), (4, 5, 6))),
    *(((True,), (False,)), ((), ()), (((0.1,),),), ("a", "b")),
)


@pytest.mark.parametrize("value", VALUES)
def test_numbers_come_back_as_they_were_given(value: Any) -> None:
    """Nested tuples give the same tuples again, with integers, truth values and all digits."""
    tensor = Tensor.of(value, DType.FLOAT32)
    assert repr(tensor.nested()) == repr(value)
    assert tensor == Tensor.of(value, DType.FLOAT32)
    assert hash(tensor) == hash(Tensor.of(value, DType.FLOAT32))


@pytest.mark.parametrize("dtype", [dtype for dtype in DType if dtype.in_numpy])
def test_numpy_views_a_tensor(dtype: DType) -> None:
    """NumPy sees a tensor as a read-only array, and an array becomes the same tensor."""
    array = np.arange(6).reshape(2, 3).T.astype(dtype.value)
    tensor = Tensor.of(array, dtype)
    assert (tensor.dtype, tensor.shape, tensor.size) == (dtype, (3, 2), 6)
    view = np.asarray(tensor)
    assert not view.flags.writeable
    assert view.dtype == array.dtype
    np.testing.assert_array_equal(view, array)
    assert view.base is not None
    assert tensor.nested() == (tuple(map(tuple, array.tolist())) if dtype.letter else None)


def test_one_number() -> None:
    """The only number of a tensor is told whatever its rank, and none of several."""
    assert Tensor.of(((2.5,),), DType.FLOAT32).number() == 2.5
    assert Tensor.of((2.5, 1.0), DType.FLOAT32).number() is None
    assert Tensor(DType.BFLOAT16, (), bytes(2)).number() is None


@pytest.mark.parametrize("code", [code for code in TensorProto.DataType.values() if code])
def test_element_types_are_onnx_own(code: int) -> None:
    """Each of ONNX's element types has a row with NumPy's name, its code and its size."""
    dtype = DType.of_code(code)
    assert dtype is not None
    if dtype is DType.STRING:
        return
    array = np.ones(9, helper.tensor_dtype_to_np_dtype(code))
    assert dtype.value == array.dtype.name
    packed = numpy_helper.from_array(array).raw_data
    assert TensorType(dtype, (9,)).bytes == len(packed)
    held = Tensor(dtype, (9,), packed)
    assert tensor_proto(held, dtype, "x") == numpy_helper.from_array(array, "x")
    assert tensor_proto(Tensor.of((1.0,) * 9, dtype), dtype, "x").raw_data == packed


def test_strings_as_messages() -> None:
    """A tensor of strings becomes ONNX's own."""
    proto = tensor_proto(Tensor.of(("a", "ü"), DType.STRING), DType.STRING, "x")
    assert numpy_helper.to_array(proto).tolist() == ["a", "ü"]


def test_big_constants_stay_arrays() -> None:
    """A constant of a million numbers, read by an operator, takes no more than its bytes."""
    array = np.ones((1_000, 1_000), np.float32)
    build = Builder(Graph("big"))
    constant = build.constant(array, DType.FLOAT32)
    y = build.Add(constant, build.input("x", constant.type))
    tensor = build.graph.producer(constant).attributes["value"]
    assert len(tensor.data) == array.nbytes
    assert y.type == TensorType(DType.FLOAT32, (1_000, 1_000))


@pytest.mark.parametrize("dtype", [dtype for dtype in DType if dtype.is_integer and dtype.letter])
def test_ranges(dtype: DType) -> None:
    """Whole numbers of a type are those that NumPy's holds, and others make no constant."""
    found = np.iinfo(dtype.value)
    assert dtype.range == (found.min, found.max)
    for number in dtype.range:
        assert Tensor.of(number, dtype).nested() == number
    for number in (found.min - 1, found.max + 1):
        with pytest.raises(OverflowError, match=f"{dtype.value} cannot hold"):
            Tensor.of(number, dtype)
    assert DType.BOOL.range == (0, 1)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            "INPUT(4x4x1, dtype=int64) -> PAD(1, axis=height, value=1e19)",
            "E103.*PAD cannot add 1e.19 to int64 numbers",
        ),
        (
            'INPUT(4x4x1) -> op("Cast", to=int32) -> PAD(1, axis=height, value=-99999999999)',
            "E103.*PAD cannot add -99999999999.0 to int32 numbers",
        ),
    ],
)
def test_numbers_beyond_a_type(program: str, message: str) -> None:
    """A program whose number no constant can hold is an error of the program."""
    with pytest.raises(netc.NetError, match=message):
        netc.compile(program)
