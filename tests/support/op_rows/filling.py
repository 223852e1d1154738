"""Operators that make tensors of a shape."""

import numpy as np

from netc.compiler.ir.tensor import Tensor
from netc.compiler.ir.types import DType
from support.ops import Known, Random, op_row

SEVEN = Tensor.of(np.array([7], np.int32), DType.INT32)

ROWS = [
    op_row("ConstantOfShape", Known((4,)), value=SEVEN),
    op_row("ConstantOfShape", Known((0, 2)), value=SEVEN),
    op_row("EyeLike", Random((3, 4)), formula=lambda x: np.eye(3, 4)),
    op_row("EyeLike", Random((4, 4)), k=-1, dtype=DType.INT64),
    op_row("EyeLike", Random((None, 5), 0, 9, "int64"), k=2),
]
