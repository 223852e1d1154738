"""Numbers -> an array in a graph, without NumPy, which most programs are checked without."""

import struct
from collections.abc import Mapping
from math import prod
from typing import Any

from ...grammar.records import record
from .types import DType


@record
class Tensor:
    """An array that nothing changes; NumPy views it without copying.

    Attributes:
        dtype: The type of its elements.
        shape: Its extents.
        data: Its elements as ONNX stores them: row by row, the lowest byte first, elements of
            fewer than eight bits packed. Of strings, the strings.
    """

    dtype: DType
    shape: tuple[int, ...]
    data: bytes | tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Tensor {self.dtype.value}[{', '.join(map(str, self.shape))}]>"

    @classmethod
    def of(cls, value: Any, dtype: DType) -> "Tensor":
        """A number, nested tuples of numbers, or an array, as a constant.

        Numbers keep the precision that they are written in: of real ones, that is float64, so an
        engine that computes in float64 rounds none to `dtype`.

        Args:
            value: A number or a string, nested tuples of them, an array, or a tensor.
            dtype: The type that the constant is to have; whole numbers are stored in it.

        Raises:
            OverflowError: A whole number is beyond the type.
        """
        if isinstance(value, Tensor):
            return value
        if hasattr(value, "tobytes"):
            own = DType(value.dtype.name)
            ordered = value.astype(value.dtype.newbyteorder("<"), copy=False)
            return cls(own, tuple(value.shape), ordered.tobytes())
        shape, numbers = shape_of(value), _flattened(value)
        kinds = set(map(type, numbers))
        if kinds == {str}:
            return cls(DType.STRING, shape, tuple(numbers))
        if kinds == {bool}:
            stored = DType.BOOL
        elif all(issubclass(kind, int) for kind in kinds):
            stored = dtype if dtype.is_integer and dtype.letter else DType.INT64
        else:
            stored = DType.FLOAT64
        try:
            data = struct.pack(f"<{len(numbers)}{stored.letter}", *numbers)
        except struct.error:
            raise OverflowError(f"{stored.value} cannot hold all of these numbers") from None
        return cls(stored, shape, data)

    @property
    def size(self) -> int:
        """The number of elements."""
        return prod(self.shape)

    def numbers(self) -> tuple[Any, ...] | None:
        """All elements, row by row; None where Python has no numbers of the type."""
        if isinstance(self.data, tuple):
            return self.data
        if not self.dtype.letter:
            return None
        return struct.unpack(f"<{self.size}{self.dtype.letter}", self.data)

    def nested(self) -> Any:
        """The elements in nested tuples, or the one that there is; None as `numbers`."""
        items = self.numbers()
        if items is None or not self.shape:
            return None if items is None else items[0]
        for axis in range(len(self.shape) - 1, 0, -1):
            extent = self.shape[axis]
            count = prod(self.shape[:axis])
            items = tuple(items[i * extent : (i + 1) * extent] for i in range(count))
        return items

    def number(self) -> Any:
        """The only element, whatever the rank; None where there are several, or as `numbers`."""
        items = self.numbers() if self.size == 1 else None
        return None if items is None else items[0]

    @property
    def __array_interface__(self) -> Mapping[str, Any]:
        """How NumPy views the array.

        Raises:
            AttributeError: NumPy has no such type.
        """
        name, size = self.dtype.value, self.dtype.bits // 8
        if not self.dtype.in_numpy:
            raise AttributeError(f"NumPy has no {name}")
        kind = f"<{name[0]}{size}"
        return {"shape": self.shape, "typestr": kind, "data": self.data, "version": 3}


def shape_of(value: Any) -> tuple[int, ...]:
    """The shape of nested tuples that are known to be rectangular."""
    shape: list[int] = []
    while isinstance(value, tuple):
        shape.append(len(value))
        value = value[0] if value else 0
    return tuple(shape)


def _flattened(value: Any) -> list[Any]:
    """The numbers of rectangular nested tuples, row by row."""
    items = [value]
    while items and isinstance(items[0], tuple):
        items = [item for row in items for item in row]
    return items
