"""Element types, shapes and tensor types, and how shapes broadcast."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum
from math import prod
from typing import ClassVar, Self

from ...grammar.records import record
from .dim import Dim, counts_samples, equal, is_unknown, substitute, unknown

Shape = tuple[Dim, ...]


class DType(Enum):
    """ONNX's element types; the value is the name that NumPy or `ml_dtypes` gives the type.

    Attributes:
        bits: Bits of an element; elements of fewer than eight are packed. Strings have none.
        code: ONNX's number of the type.
        letter: How Python's `struct` spells the type; empty where it has none.
    """

    bits: int
    code: int
    letter: str

    FLOAT32 = "float32", 32, 1, "f"
    FLOAT64 = "float64", 64, 11, "d"
    INT32 = "int32", 32, 6, "i"
    INT64 = "int64", 64, 7, "q"
    UINT32 = "uint32", 32, 12, "I"
    BOOL = "bool", 8, 9, "?"

    FLOAT16 = "float16", 16, 10, "e"
    INT8 = "int8", 8, 3, "b"
    INT16 = "int16", 16, 5, "h"
    UINT8 = "uint8", 8, 2, "B"
    UINT16 = "uint16", 16, 4, "H"
    UINT64 = "uint64", 64, 13, "Q"
    COMPLEX64 = "complex64", 64, 14, ""
    COMPLEX128 = "complex128", 128, 15, ""
    STRING = "string", 0, 8, ""

    BFLOAT16 = "bfloat16", 16, 16, ""
    FLOAT8E4M3FN = "float8_e4m3fn", 8, 17, ""
    FLOAT8E4M3FNUZ = "float8_e4m3fnuz", 8, 18, ""
    FLOAT8E5M2 = "float8_e5m2", 8, 19, ""
    FLOAT8E5M2FNUZ = "float8_e5m2fnuz", 8, 20, ""
    FLOAT8E8M0 = "float8_e8m0fnu", 8, 24, ""
    FLOAT6E2M3 = "float6_e2m3fn", 6, 27, ""
    FLOAT6E3M2 = "float6_e3m2fn", 6, 28, ""
    FLOAT4E2M1 = "float4_e2m1fn", 4, 23, ""
    INT4 = "int4", 4, 22, ""
    UINT4 = "uint4", 4, 21, ""
    INT2 = "int2", 2, 26, ""
    UINT2 = "uint2", 2, 25, ""

    def __new__(cls, name: str, bits: int = 0, code: int = 0, letter: str = "") -> "DType":
        """A member whose value is its name."""
        member = object.__new__(cls)
        member._value_ = name
        member.bits, member.code, member.letter = bits, code, letter
        return member

    @property
    def range(self) -> tuple[int, int]:
        """The least and the largest number of a type of whole numbers, or of truth values."""
        if not self.is_integer:
            return 0, 1
        if str(self.value).startswith("uint"):
            return 0, 2**self.bits - 1
        return -(2 ** (self.bits - 1)), 2 ** (self.bits - 1) - 1

    @classmethod
    def of_code(cls, code: int) -> "DType | None":
        """The type that ONNX gives a number; None where there is none."""
        return next((dtype for dtype in cls if dtype.code == code), None)

    @property
    def in_numpy(self) -> bool:
        """Whether NumPy has the type, without extensions."""
        return bool(self.letter) or str(self.value).startswith("complex")

    @property
    def is_float(self) -> bool:
        """Whether it holds real numbers."""
        return str(self.value).startswith(("float", "bfloat"))

    @property
    def is_integer(self) -> bool:
        """Whether it holds whole numbers; truth values are none."""
        return str(self.value).startswith(("int", "uint"))

    @property
    def is_categorical(self) -> bool:
        """Whether it is the type of tokens or truth values, which have no channels.

        Pictures and sounds are stored in whole numbers of fewer bits.
        """
        return not self.is_float and (not self.is_integer or self.bits >= 32)


@record
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

    @property
    def bytes(self) -> Dim:
        """The bytes of its elements, without gaps; strings count as none."""
        return -(self.size * -self.dtype.bits // 8)

    @property
    def extents(self) -> tuple[int, ...]:
        """The extents that are known; of an array or a weight, all."""
        return tuple(dim for dim in self.shape if isinstance(dim, int))

    @property
    def nbytes(self) -> int:
        """The bytes of an array or a weight of this type."""
        return -(prod(self.extents) * -self.dtype.bits // 8)

    def with_shape(self, shape: Iterable[Dim]) -> "TensorType":
        """The same element type with another shape."""
        return TensorType(self.dtype, tuple(shape))

    def with_dtype(self, dtype: DType) -> "TensorType":
        """The same shape with another element type."""
        return TensorType(dtype, self.shape)

    def agrees(self, other: "TensorType") -> bool:
        """Whether it is the same type, as far as extents are known."""
        return self == other or (
            (self.dtype, self.rank) == (other.dtype, other.rank)
            and all(
                a == b or is_unknown(a) or is_unknown(b)
                for a, b in zip(self.shape, other.shape, strict=True)
            )
        )

    def bind(self, values: Mapping[str, int]) -> "TensorType":
        """The type with known symbols replaced."""
        return self.with_shape(substitute(dim, values) for dim in self.shape)

    def joined(self, other: "TensorType") -> "TensorType | None":
        """The type of what may be of either: extents that differ are unknown; None without one."""
        if self.__class__ is not other.__class__:
            return None
        if (self.dtype, self.rank) != (other.dtype, other.rank):
            return None
        extents = zip(self.shape, other.shape, strict=True)
        return self.with_shape(a if a == b else unknown() for a, b in extents)

    def __str__(self) -> str:
        return f"{self.dtype.value}[{', '.join(map(str, self.shape))}]"

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__} {self}>"


@record
class HolderType(TensorType):
    """What holds tensors: to all that looks at elements and axes, one value without axes.

    Attributes:
        element: The type of what it holds; None where its rank is not known.
    """

    element: TensorType | None = None

    word: ClassVar[str]

    @classmethod
    def of(cls, element: TensorType) -> Self:
        """What holds this."""
        return cls(element.dtype, (), element)

    @property
    def bytes(self) -> Dim:
        """None of its own; how many tensors it holds is not known."""
        return 0

    def with_dtype(self, dtype: DType) -> TensorType:
        """The same with another element type."""
        element = None if self.element is None else self.element.with_dtype(dtype)
        return replace(self, dtype=dtype, element=element)

    def bind(self, values: Mapping[str, int]) -> TensorType:
        """The type with known symbols replaced."""
        return self if self.element is None else self.of(self.element.bind(values))

    def agrees(self, other: TensorType) -> bool:
        """Whether it is the same type, as far as ranks and extents are known."""
        if not isinstance(other, HolderType) or self.__class__ is not other.__class__:
            return False
        if self.element is None or other.element is None:
            return self.dtype is other.dtype
        return self.element.agrees(other.element)

    def joined(self, other: TensorType) -> TensorType | None:
        """The type of what may be of either; None without one."""
        if not isinstance(other, HolderType) or self.__class__ is not other.__class__:
            return None
        if self.dtype is not other.dtype:
            return None
        if self.element is None or other.element is None:
            return self.__class__(self.dtype, ())
        if self.element.__class__ is not other.element.__class__:
            return None
        element = self.element.joined(other.element)
        return self.__class__(self.dtype, ()) if element is None else self.of(element)

    def __str__(self) -> str:
        return f"{self.word}({self.dtype.value if self.element is None else self.element})"

    __repr__ = TensorType.__repr__


@record
class SequenceType(HolderType):
    """Tensors in a row, of one element type (ONNX `seq(tensor)`): a list of arrays.

    Attributes:
        empty: Whether it is known to hold none, so that what is put in settles their type.
    """

    empty: bool = False

    word: ClassVar[str] = "seq"

    def joined(self, other: TensorType) -> TensorType | None:
        """The type of what may be of either; None without one."""
        if isinstance(other, SequenceType) and self.dtype is other.dtype:
            if self.empty:
                return other
            if other.empty:
                return self
        return HolderType.joined(self, other)

    __repr__ = TensorType.__repr__


@record
class OptionalType(HolderType):
    """A tensor, a sequence, or nothing (ONNX `optional`): None, or what it holds."""

    word: ClassVar[str] = "optional"

    __repr__ = TensorType.__repr__


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

    An unknown extent counts as that of another shape, and two of them leave it open.

    Raises:
        BroadcastError: Two extents differ and neither is 1.
    """
    rank = max(map(len, shapes))
    result: list[Dim] = []
    for axis in range(-rank, 0):
        extents = [shape[axis] for shape in shapes if len(shape) >= -axis]
        extent: Dim = 1
        for other in extents:
            if extent == 1 or (other != 1 and is_unknown(extent) and not is_unknown(other)):
                extent = other
            elif other != 1 and equal(extent, other) is False:
                raise BroadcastError(axis)
            elif other not in (1, extent) and is_unknown(extent):
                extent = unknown()
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
    """The author's shape as text: `28x28x6`, `84`, `(H + 1)//2 x W x 3`; a scalar is `1`.

    Of what holds tensors it is that of what it holds: `seq(28x28x6)`.
    """
    if isinstance(type, HolderType):
        held = type.dtype.value if type.element is None else author_size(type.element)
        return f"{type.word}({held})"
    extents = author_extents(type)
    separator = "x" if all(isinstance(extent, int) for extent in extents) else " x "
    return separator.join(map(str, extents)) or "1"
