"""The kernel table: what computes each operator on NumPy arrays."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Function = Callable[..., Any]
Part = tuple[slice, ...]  # of an array: from where to where on its leading axes
Finish = Callable[[Part], None] | None


class OperandError(Exception):
    """Values that an operator does not take, such as an index beyond the last row.

    Kernels raise it for what depends on the numbers, never for shapes or types, which are checked
    before. The message continues from the layer's name: `needs indices below 10, not 12`.
    """


class Layout(Enum):
    """The order of axes in memory that is fastest for a first result."""

    ROW_MAJOR = "row-major"
    AS_ARGUMENT = "as an argument of the same rank does"
    BATCH_INNERMOST = "batch innermost where rows are long, or else row-major"


@dataclass(frozen=True, slots=True)
class Kernel:
    """How one operator is computed.

    Attributes:
        function: Called as `function(*arrays, **attributes)`, None for arguments left out, with
            the node's attributes. Returns an array (or, without axes, a NumPy scalar), a list of
            arrays for a sequence, None for an optional value that is not there, or a tuple of as
            many as were asked for. It never writes to its arguments, and its results have
            the arguments' element type.
        counts_outputs: Whether it takes `outputs=`, the number of results that are asked for.
        view: Whether its results may share memory with its arguments.
        out: Whether it takes `out=`: None, or an array of the first result's shape and element
            type to write it to, row-major or, where `layout` has another, in that one. An
            elementwise kernel takes it in any layout, also with gaps.
        inplace: Whether this array may be one of its arguments.
        layout: The layout of `out` that suits it.
        elementwise: Whether it computes each number from those at its place alone, and broadcasts.
        outs: Whether it takes `outs=`, for each result what `out` is for the first.
        spreads: Whether it spreads large work on threads.
        finishes: Whether it takes `finish=` with `out`: None, or what is called once with each
            part of the result as soon as that is there, and may change it.
    """

    op_type: str
    function: Function
    counts_outputs: bool = False
    view: bool = False
    out: bool = False
    inplace: bool = False
    layout: Layout = Layout.ROW_MAJOR
    elementwise: bool = False
    outs: bool = False
    spreads: bool = False
    finishes: bool = False


def in_single(kernel: Kernel) -> Kernel:
    """The kernel of a product on float16, whose sums are of float32, and rounded once."""

    def compute(*arrays: Array | None, **options: Any) -> Any:
        wide = (
            array.astype(np.float32) if array is not None and array.dtype == np.float16 else array
            for array in arrays
        )
        return kernel.function(*wide, **options)

    return Kernel(kernel.op_type, compute, kernel.counts_outputs)


KERNELS: dict[str, Kernel] = {}


def kernel(
    op_type: str,
    *,
    counts_outputs: bool = False,
    view: bool = False,
    out: bool = False,
    inplace: bool = False,
    elementwise: bool = False,
    layout: Layout | None = None,
    spreads: bool = False,
    finishes: bool = False,
) -> Callable[[Function], Function]:
    """Enter the decorated function into the table; see `Kernel` for the options."""

    def register(function: Function) -> Function:
        if op_type in KERNELS:
            raise ValueError(f"operator {op_type} has two kernels")
        local = elementwise or inplace
        KERNELS[op_type] = Kernel(
            op_type,
            function,
            counts_outputs,
            view,
            out or local,
            inplace,
            layout or (Layout.AS_ARGUMENT if local else Layout.ROW_MAJOR),
            local,
            spreads=spreads,
            finishes=finishes,
        )
        return function

    return register
