"""The kernel table: what computes each operator on NumPy arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]


class OperandError(Exception):
    """Values that an operator does not take, such as an index beyond the last row.

    Kernels raise it for what only the numbers tell, never for shapes or types, which are checked
    before. The message continues from the layer's name: `needs indices below 10, not 12`.
    """


@dataclass(frozen=True, slots=True)
class Kernel:
    """How one operator is computed.

    Attributes:
        function: Called as `function(*arrays, **attributes)`, None for arguments left out, with
            the node's attributes. Returns an array (or, without axes, a NumPy scalar), or a tuple
            of as many as were asked for. It never writes to its arguments, and its results have
            the arguments' element type.
        counts_outputs: Whether it takes `outputs=`, the number of results that are asked for.
        view: Whether its results may share memory with its arguments.
        inplace: Whether it takes `out=`: None, or an array of the result's shape and element
            type to write to, which may be one of its arguments.
    """

    op_type: str
    function: Function
    counts_outputs: bool = False
    view: bool = False
    inplace: bool = False


KERNELS: dict[str, Kernel] = {}


def kernel(
    op_type: str, *, counts_outputs: bool = False, view: bool = False, inplace: bool = False
) -> Callable[[Function], Function]:
    """Enter the decorated function into the table; see `Kernel` for the options."""

    def register(function: Function) -> Function:
        if op_type in KERNELS:
            raise ValueError(f"operator {op_type} has two kernels")
        KERNELS[op_type] = Kernel(op_type, function, counts_outputs, view, inplace)
        return function

    return register
