"""The weights of layers -> what the model stores of them, and what distinguishes them."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from ..ir.graph import Graph
from ..ir.types import DType, TensorType
from .recognition.trail import NoMatch, Stack, Weight
from .stored import StoredTensor


@dataclass(frozen=True, slots=True, eq=False)
class StackedTensor:
    """Rows of stored tensors, read when they are asked for; NumPy takes it as an array.

    Attributes:
        type: Its element type and its extents.
        parts: The tensors and the rows of each.
        fill: What rows of none hold.
    """

    type: TensorType
    parts: tuple[tuple[StoredTensor | None, tuple[int, ...]], ...]
    fill: float = 0.0

    def __repr__(self) -> str:
        return f"<StackedTensor {self.type}>"

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> "np.ndarray[Any, Any]":
        others = next((t.type.extents[1:] for t, _ in self.parts if t is not None), ())
        arrays = [self._rows(tensor, rows, others) for tensor, rows in self.parts]
        found = np.concatenate(arrays).reshape(self.type.extents)
        return found if dtype is None else found.astype(dtype, copy=bool(copy))

    def _rows(
        self, tensor: StoredTensor | None, rows: tuple[int, ...], others: tuple[int, ...]
    ) -> "np.ndarray[Any, Any]":
        if tensor is None:
            return np.full((len(rows), *others), self.fill, self.type.dtype.value)
        array = np.asarray(tensor)
        is_run = rows == tuple(range(rows[0], rows[0] + len(rows)))
        return array[rows[0] : rows[-1] + 1] if is_run else array[list(rows)]

    @property
    def is_uniform(self) -> bool:
        """Whether all elements are the same number."""
        array = np.asarray(self)
        return array.size < 2 or bool((array == array.flat[0]).all())

    def shaped(self, shape: tuple[int, ...]) -> "StackedTensor":
        """The tensor's elements in another shape of as many."""
        return replace(self, type=self.type.with_shape(shape))


Literal = StoredTensor | StackedTensor


def literal_of(graph: Graph, weight: Weight | Stack) -> Literal:
    """What the model stores of a weight."""
    if isinstance(weight, Weight):
        stored: StoredTensor = graph.producer(weight.value).attributes["literal"]
        if weight.part is not None:
            if weight.axes is not None:
                raise NoMatch
            whole = _as_stack(weight)
            return _stacked(graph, whole)
        stored = stored if weight.dims is None else stored.shaped(weight.dims)
        stored = stored if weight.axes is None else stored.moved(weight.axes)
        return stored if weight.shape is None else stored.shaped(weight.shape)
    return _stacked(graph, weight)


def _as_stack(weight: Weight) -> Stack:
    assert weight.part is not None
    return Stack(((replace(weight, part=None, shape=None), tuple(range(*weight.part))),))


def _stacked(graph: Graph, stack: Stack) -> StackedTensor:
    parts: list[tuple[StoredTensor | None, tuple[int, ...]]] = []
    others: tuple[int, ...] = ()
    dtype = DType.FLOAT32
    for weight, rows in stack.parts:
        tensor = None
        if weight is not None:
            first = 0 if weight.part is None else weight.part[0]
            shape = weight.shape if weight.part is None else None  # else it is that of the part
            held = literal_of(graph, replace(weight, part=None, shape=shape))
            assert isinstance(held, StoredTensor)
            tensor, rows = held, tuple(first + row for row in rows)
            others, dtype = tensor.type.extents[1:], tensor.type.dtype
        parts.append((tensor, rows))
    count = sum(len(rows) for _, rows in parts)
    return StackedTensor(TensorType(dtype, (count, *others)), tuple(parts), stack.fill)


def simplified(graph: Graph, weight: Weight | Stack) -> Weight | Stack:
    """A stack of all rows of one tensor in their order as that tensor."""
    if isinstance(weight, Weight):
        return weight
    held = {part for part, _ in weight.parts}
    rows = tuple(row for _, rows in weight.parts for row in rows)
    (first, *others) = held
    if others or first is None or first.part is not None:
        return weight
    count = literal_of(graph, first).type.extents[0]
    return first if rows == tuple(range(count)) else weight


def key_of(weight: Weight | Stack) -> tuple[Hashable, ...]:
    """What distinguishes weights; it begins with the place of the parameter where there is one."""
    if isinstance(weight, Weight):
        return weight.value.node, weight.value.output, weight.axes, weight.dims, weight.part
    return (weight,)


def size_of(literal: Literal) -> int:
    """The number of elements."""
    return prod(literal.type.extents)
