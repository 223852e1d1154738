"""An application of an operator, as the rows that write it in PyTorch see it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ir.dim import Dim
from ...ir.graph import required
from ...ir.types import TensorType
from .code import Code, Spelled, code, method, number

# Element types in which PyTorch computes whatever it computes at all.
DTYPES = frozenset("float32 float64 int64 int32 int8 uint8 bool".split())


@dataclass(frozen=True, slots=True)
class OperatorCall:
    """An application of an operator.

    Attributes:
        attributes: ONNX's attributes, with defaults filled in.
        inputs: The types of the arguments; None where one is left out.
        outputs: The types of the results.
        known: What arguments hold where that is known; None elsewhere.
        training: The expression that says whether Dropout drops, and BatchNormalization uses the
            batch's statistics.
        wanted: How many results something reads, counted from the first.
        suppliers: Which operands have an extent that only an input determines: the operand and
            the axis.
    """

    attributes: Mapping[str, Any]
    inputs: tuple[TensorType | None, ...]
    outputs: tuple[TensorType, ...]
    known: tuple[Any, ...]
    training: str
    wanted: int = 1
    suppliers: Sequence[tuple[Dim, int, int]] = ()

    def __getitem__(self, name: str) -> Any:
        return self.attributes[name]

    @property
    def x(self) -> TensorType:
        """The type of the first argument."""
        return required(self.inputs[0])

    @property
    def types(self) -> Iterator[TensorType]:
        """Those of all arguments and results."""
        yield from filter(None, self.inputs)
        yield from self.outputs

    @property
    def spatial(self) -> int:
        """The number of axes after batch and channels."""
        return self.x.rank - 2

    def has(self, argument: int) -> bool:
        """Whether an argument is given."""
        return argument < len(self.inputs) and self.inputs[argument] is not None

    def constant(self, argument: int) -> Any:
        """What an argument holds; None where it is left out.

        Raises:
            NotImplementedError: It is computed.
        """
        if not self.has(argument):
            return None
        if self.known[argument] is None:
            raise NotImplementedError("arguments that are computed")
        return self.known[argument]

    def window(self, name: str, default: int = 1) -> tuple[int, ...]:
        """An attribute with a number for each spatial axis; of pads, two."""
        count = self.spatial * (2 if name == "pads" else 1)
        return self.attributes.get(name) or (default,) * count

    def extent(self, dim: Dim) -> Code:
        """An extent as an expression.

        Raises:
            NotImplementedError: Nothing at hand has it.
        """
        if isinstance(dim, int):
            return code(dim)
        for known, operand, axis in self.suppliers:
            if known == dim:
                size = method(operand, "shape")
                return Code((*size.parts[:-1], f"[{axis}]"))
        raise NotImplementedError(f"the extent {dim}")

    def sizes(self, shape: Sequence[Dim]) -> list[Code]:
        """The extents of the same elements in another shape, at most one of them as -1."""
        if not shape:
            return [code("()")]
        unknown = [i for i, dim in enumerate(shape) if not isinstance(dim, int)]
        rest = unknown[:1]
        if len(unknown) > 1:
            held = {str(dim) for dim, _, _ in self.suppliers}
            rest = [i for i in unknown if str(shape[i]) not in held]
        if len(rest) > 1:
            raise NotImplementedError(f"the extents {', '.join(str(shape[i]) for i in rest)}")
        return [code(-1) if i in rest else self.size(dim) for i, dim in enumerate(shape)]

    def size(self, dim: Dim) -> Code:
        """An extent, as a number or of the operand that has it."""
        return number(dim, "size") if isinstance(dim, int) else self.extent(dim)

    def known_extents(self, axes: Sequence[int]) -> tuple[int, ...]:
        """The extents of the first argument on some axes, which have to be numbers."""
        found = tuple(self.x.shape[axis] for axis in axes)
        if not all(isinstance(extent, int) for extent in found):
            raise NotImplementedError("extents that only an input determines")
        return tuple(extent for extent in found if isinstance(extent, int))


Write = Callable[[OperatorCall], Code]


@dataclass(frozen=True, slots=True)
class Row:
    """How an operator is written in PyTorch.

    Attributes:
        write: The expression of its operands. It raises `NotImplementedError` with what PyTorch
            cannot do.
        known: The arguments that `write` reads, and which are no operands.
        several: Whether it yields several results.
        numbers: Whether an operand may be a number of Python's, and not a tensor.
    """

    write: Write
    known: frozenset[int] = frozenset()
    several: bool = False
    numbers: bool = False


def dtype(type: TensorType) -> Spelled:
    """PyTorch's name of an element type."""
    return f"torch.{type.dtype.value}"


def dims(axes: Sequence[int]) -> Any:
    """Axes as an argument: one alone as a number."""
    return axes[0] if len(axes) == 1 else tuple(axes)


def alike(numbers: Sequence[int]) -> Any:
    """A number for each axis as an argument: one alone where all are the same."""
    return numbers[0] if len(set(numbers)) == 1 else tuple(numbers)
