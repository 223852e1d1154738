"""Element types of graphs as NumPy holds them."""

from functools import cache
from typing import Any

import numpy as np

from ...compiler.ir.tensor import Tensor
from ...compiler.ir.types import DType
from ..kerneldef import Array


@cache
def numpy_type(dtype: DType) -> np.dtype[Any]:
    """NumPy's type of an element type; strings are objects."""
    if dtype is DType.STRING:
        return np.dtype(object)
    if not dtype.in_numpy:
        import ml_dtypes  # noqa: F401  (enters its types under their names; few networks have them)
    found: np.dtype[Any] = np.dtype(dtype.value)
    return found


def array_of(tensor: Tensor) -> Array:
    """A constant as an array, which shares the constant's memory where NumPy has its type."""
    if isinstance(tensor.data, tuple):
        return np.array(tensor.data, object).reshape(tensor.shape)
    if tensor.dtype.in_numpy:
        return np.asarray(tensor)
    if tensor.dtype.bits >= 8:
        return np.frombuffer(tensor.data, numpy_type(tensor.dtype)).reshape(tensor.shape)
    return _unpacked(tensor, tensor.data)


def _unpacked(tensor: Tensor, data: bytes) -> Array:
    """Elements of fewer than eight bits, the first in the lowest ones, one to a byte."""
    bits, dtype = tensor.dtype.bits, numpy_type(tensor.dtype)
    places = np.arange(0, 8, bits, dtype=np.uint8)
    packed = np.frombuffer(data, np.uint8)
    found: Array = (packed[:, None] >> places & (2**bits - 1)).reshape(-1)[: tensor.size]
    if tensor.dtype.is_integer:
        if tensor.dtype.range[0] < 0:
            found = (found ^ 2 ** (bits - 1)).astype(np.int8) - 2 ** (bits - 1)
        found = found.astype(dtype)
    else:
        found = found.view(dtype)
    return found.reshape(tensor.shape)
