"""Element types, shapes and tensor types, and how shapes broadcast."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod

from .dim import Dim, counts_samples, equal, substitute

Shape = tuple[Dim, ...]


class DType(Enum):
    """Element types; the value is NumPy's name of the type."""

    FLOAT32 = "float32"
    FLOAT64 = "float64"
    INT32 = "int32"
    INT64 = "int64"
    UINT32 = "uint32"
    BOOL = "bool"

    @property
    def bytes(self) -> int:
        """Bytes of one element."""
        return {"bool": 1, "float32": 4, "int32": 4, "uint32": 4}.get(self.value, 8)

    @property
    def is_float(self) -> bool:
        """Whether it holds real numbers."""
        return self.value.startswith("float")


@dataclass(frozen=True, slots=True)
class TensorType:
    """An element type and a shape, channels first, the batch as the symbol `N`."""

    dtype: DType
    shape: Shape

    @property
    def rank(self) -> int:
        """The number of axes, the batch included."""
        return len(self.shape)

    @property
    def size(self) -> Dim:
        """The number of elements."""
        return product(self.shape)

    def with_shape(self, shape: Iterable[Dim]) -> "TensorType":
        """The same element type with another shape."""
        return TensorType(self.dtype, tuple(shape))

    def bind(self, values: Mapping[str, int]) -> "TensorType":
        """The type with known symbols replaced."""
        return self.with_shape(substitute(dim, values) for dim in self.shape)

    def __str__(self) -> str:
        return f"{self.dtype.value}[{', '.join(map(str, self.shape))}]"

    def __repr__(self) -> str:
        return f"<TensorType {self}>"


class BroadcastError(Exception):
    """Shapes that do not broadcast; `axis` counts from the last axis, -1 first."""

    def __init__(self, axis: int) -> None:
        super().__init__(f"axis {axis} does not broadcast")
        self.axis = axis


def product(dims: Iterable[Dim]) -> Dim:
    """The product of extents; 1 for none."""
    return prod(dims, start=1)


def broadcast(shapes: Sequence[Shape]) -> Shape:
    """The shape that NumPy and ONNX broadcast to; extents that may be equal count as equal.

    Raises:
        BroadcastError: Two extents differ and neither is 1.
    """
    rank = max(map(len, shapes))
    result: list[Dim] = []
    for axis in range(-rank, 0):
        extents = [shape[axis] for shape in shapes if len(shape) >= -axis]
        extent: Dim = 1
        for other in extents:
            if extent == 1:
                extent = other
            elif other != 1 and equal(extent, other) is False:
                raise BroadcastError(axis)
        result.append(extent)
    return tuple(result)


# The names of a sample's axes as the author sees them, by how many there are.
AUTHOR_AXES: Mapping[int, tuple[str, ...]] = {
    0: (),
    1: ("channels",),
    2: ("length", "channels"),
    3: ("height", "width", "channels"),
    4: ("depth", "height", "width", "channels"),
}


def author_extents(type: TensorType) -> tuple[Dim, ...]:
    """The shape as the author writes it: no batch, channels last.

    `(N, C, H, W)` is H x W x C, `(N, L, C)` is L x C, `(N, C)` is C, and `(64 N, L, C)`, as
    windows are, is L x C, too. A batch of 1 is that of a learned tensor.
    """
    has_batch = type.shape[:1] == (1,) or any(map(counts_samples, type.shape[:1]))
    shape = type.shape[1:] if has_batch else type.shape
    if len(shape) >= 3:
        return (*shape[1:], shape[0])
    return shape


def author_size(type: TensorType) -> str:
    """The author's shape as text: `28x28x6`, `84`, `(H + 1)//2 x W x 3`; a scalar is `1`."""
    extents = author_extents(type)
    separator = "x" if all(isinstance(extent, int) for extent in extents) else " x "
    return separator.join(map(str, extents)) or "1"
