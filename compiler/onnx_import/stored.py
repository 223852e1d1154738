"""Tensors of a model where they lie: in the model itself, or in files beside it."""

import mmap
import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx import TensorProto, external_data_helper, helper, numpy_helper

from ..ir.tensor import Tensor
from ..ir.types import DType, TensorType
from .faults import fault, lost, shown


@dataclass(frozen=True, slots=True, eq=False)
class StoredTensor:
    """A tensor that is read when it is asked for, and not kept.

    NumPy takes it as an array.

    Attributes:
        type: Its element type and its extents.
        proto: The message that holds it, or says where it lies.
        folder: Where the files of the model are.
        axes: The order of its axes, where it is not the message's.
        dims: The extents that are put in another order, where they are not the message's.
    """

    type: TensorType
    proto: TensorProto
    folder: str = ""
    axes: tuple[int, ...] | None = None
    dims: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        return f"<StoredTensor {self.type}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> "np.ndarray[Any, Any]":
        array = self._stored()
        if self.dims is not None:
            array = array.reshape(self.dims)
        if self.axes is not None:
            array = array.transpose(self.axes)
        array = array.reshape(self.type.extents)
        return array if dtype is None else array.astype(dtype, copy=bool(copy))

    @property
    def is_uniform(self) -> bool:
        """Whether all elements are the same number."""
        array = self._stored()
        return array.size < 2 or bool((array == array.flat[0]).all())

    @property
    def least(self) -> float:
        """The least element."""
        array = self._stored()
        return float(array.min()) if array.size else 0.0

    @property
    def first(self) -> float:
        """The first element."""
        return float(self._stored().flat[0])

    def moved(self, axes: tuple[int, ...]) -> "StoredTensor":
        """The tensor with its axes in another order."""
        assert self.axes is None
        shape = tuple(self.type.shape[axis] for axis in axes)
        return replace(self, type=self.type.with_shape(shape), axes=axes, dims=self.type.extents)

    def shaped(self, shape: tuple[int, ...]) -> "StoredTensor":
        """The tensor's elements in another shape of as many."""
        return replace(self, type=self.type.with_shape(shape))

    def _stored(self) -> "np.ndarray[Any, Any]":
        if not external_data_helper.uses_external_data(self.proto):
            return numpy_helper.to_array(self.proto)
        data, dims = self._bytes(), tuple(self.proto.dims)
        if self.type.dtype.bits < 8:  # which lie packed
            code = self.proto.data_type
            return numpy_helper.to_array(
                TensorProto(data_type=code, dims=dims, raw_data=bytes(data))
            )
        dtype = helper.tensor_dtype_to_np_dtype(self.proto.data_type)
        return np.frombuffer(data, dtype).reshape(dims)

    def _bytes(self) -> memoryview:
        """The bytes in another file, which stay there until they are looked at."""
        info = external_data_helper.ExternalDataInfo(self.proto)
        size, first = self.type.nbytes, int(info.offset or 0)
        if not size:
            return memoryview(b"")
        start = first - first % mmap.ALLOCATIONGRANULARITY
        try:
            with open(os.path.join(self.folder, info.location), "rb") as file:
                length = first - start + size
                view = mmap.mmap(file.fileno(), length, offset=start, access=mmap.ACCESS_READ)
        except (OSError, ValueError):  # they were there when the model was read
            raise lost(f"the data of tensor {shown(self.proto.name)} are gone") from None
        return memoryview(view)[first - start :]


@dataclass(frozen=True, slots=True, eq=False)
class DequantizedTensor(StoredTensor):
    """(x - zero) scale of whole numbers that are stored, computed when it is asked for.

    Attributes:
        source: The whole numbers.
        scale: The scale, one or one for each place along `axis`.
        zero: What is subtracted; None of nothing.
        axis: The axis along which scales differ.
    """

    source: StoredTensor | None = None
    scale: StoredTensor | None = None
    zero: StoredTensor | None = None
    axis: int = 1

    def _stored(self) -> "np.ndarray[Any, Any]":
        x, scale = np.asarray(self.source), np.asarray(self.scale)
        shape = [1] * x.ndim
        if scale.size > 1:
            shape[self.axis] = -1
        difference = x.astype(scale.dtype)
        if self.zero is not None:
            difference -= np.asarray(self.zero).reshape(shape).astype(scale.dtype)
        return np.asarray(difference * scale.reshape(shape))


def dequantized(
    source: StoredTensor, scale: StoredTensor, zero: StoredTensor | None, axis: int
) -> DequantizedTensor | None:
    """What DequantizeLinear yields of a stored tensor; None where its scales do not fit."""
    extents, rank, scales = source.type.extents, source.type.rank, scale.type.extents
    fits = not scales or (len(scales) == 1 and -rank <= axis < rank)
    fits = fits and (not scales or scales[0] in (1, extents[axis]))
    if not fits or (zero is not None and zero.type.extents != scales):
        return None
    type = TensorType(scale.type.dtype, extents)
    return DequantizedTensor(
        type, source.proto, source=source, scale=scale, zero=zero, axis=axis % max(rank, 1)
    )


def stored(proto: TensorProto, folder: str) -> StoredTensor:
    """A tensor of a model; its bytes are not read.

    Raises:
        NetError: E576, its element type is none of ONNX's.
    """
    dtype = DType.of_code(proto.data_type)
    if dtype is None:
        raise fault(f"{shown(proto.name)} is of element type {proto.data_type}, which ONNX lacks")
    return StoredTensor(TensorType(dtype, tuple(proto.dims)), proto, folder)


def constant(tensor: StoredTensor) -> Tensor:
    """What a tensor holds, read, as a constant of a graph."""
    if tensor.type.dtype is DType.STRING:
        texts = (text.decode("utf-8", "replace") for text in tensor.proto.string_data)
        return Tensor(DType.STRING, tensor.type.extents, tuple(texts))
    if tensor.proto.HasField("raw_data"):
        return Tensor(tensor.type.dtype, tensor.type.extents, tensor.proto.raw_data)
    packed = numpy_helper.from_array(np.asarray(tensor))
    return Tensor(tensor.type.dtype, tensor.type.extents, packed.raw_data)
