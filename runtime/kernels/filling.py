"""Operators that make tensors of a shape."""

from typing import Any

import numpy as np

from ...compiler.ir.tensor import Tensor
from ...compiler.ir.types import DType
from ..kerneldef import Array, kernel


@kernel("ConstantOfShape")
def constant_of_shape(shape: Array, *, value: Tensor | None) -> Array:
    """One number everywhere, by default 0."""
    number: Any = np.zeros(1, np.float32) if value is None else np.asarray(value)
    return np.full([int(extent) for extent in shape], number.reshape(()), number.dtype)


@kernel("EyeLike")
def eye_like(x: Array, *, dtype: DType | None, k: int) -> Array:
    """Ones on the diagonal k, else zeros."""
    rows, columns = x.shape
    wanted: np.dtype[Any] = x.dtype if dtype is None else np.dtype(dtype.value)
    return np.asarray(np.eye(rows, columns, k).astype(wanted))
