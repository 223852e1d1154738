"""What type inference knows of each operator: all that a graph needs while it is built."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from .graph import NO_ATTRIBUTES
from .tensor import Tensor
from .types import TensorType


class InferenceError(Exception):
    """Operands that an operator does not take; the message speaks in tensor types."""


class MissingAttributeError(InferenceError):
    """An attribute without a default is not given."""


class Required(Enum):
    """What stands as the default of an attribute that has none."""

    REQUIRED = "required"


REQUIRED = Required.REQUIRED


@dataclass(frozen=True, slots=True)
class OpCall:
    """An application of an operator, as type inference and costs see it.

    Attributes:
        inputs: Types of the arguments; None where an optional one is left out.
        attributes: The operator's attributes with defaults filled in.
        constants: For each argument what it holds where types tell: of a constant its tensor, of a
            shape nested tuples of extents; else None.
        outputs: How many outputs are asked for.
    """

    op_type: str
    inputs: tuple[TensorType | None, ...]
    attributes: Mapping[str, Any]
    constants: tuple[Any, ...] = ()
    outputs: int = 1

    def type(self, index: int) -> TensorType:
        """The type of a required argument."""
        found = self.inputs[index] if index < len(self.inputs) else None
        if found is None:
            raise InferenceError(f"{self.op_type} needs argument {index}")
        return found

    def vector(self, index: int) -> tuple[Any, ...] | None:
        """The numbers of a vector among the arguments, where types tell them.

        Raises:
            InferenceError: The argument is not a vector.
        """
        if self.type(index).rank != 1:
            raise InferenceError(
                f"{self.op_type} needs a vector for argument {index}, not {self.type(index)}"
            )
        known: tuple[Any, ...] | None = self.known(index)
        return known

    def known(self, index: int) -> Any:
        """What an argument holds, as nested tuples, where types tell; else None."""
        told = self.constants[index] if index < len(self.constants) else None
        return told.nested() if isinstance(told, Tensor) else told

    def has(self, index: int) -> bool:
        """Whether an optional argument is given."""
        return index < len(self.inputs) and self.inputs[index] is not None


Infer = Callable[[OpCall], Sequence[TensorType]]
Known = Callable[[OpCall], Any]


@dataclass(frozen=True, slots=True)
class Signature:
    """The types of an operator.

    Attributes:
        infer: The types of its outputs.
        attributes: Its attributes with their ONNX defaults, `REQUIRED` for those without.
        known: What its output holds as far as types tell (nested tuples of extents), or None:
            so that shapes computed from shapes, as `Expand` takes them, can be inferred.
        optional_outputs: Whether all outputs but the first may be left out.
    """

    op_type: str
    _: KW_ONLY
    infer: Infer
    attributes: Mapping[str, Any] = field(default_factory=lambda: NO_ATTRIBUTES)
    known: Known | None = None
    optional_outputs: bool = False


Row = TypeVar("Row", bound=Signature)


class OpTable(dict[str, Row], Generic[Row]):
    """Operators by name.

    Attributes:
        foreign: Operators that a program names and that the table does not define; `fallback.py`
            enters them. They can be looked up, but are not among the table's keys.
    """

    def __init__(self) -> None:
        super().__init__()
        self.foreign: dict[str, Row] = {}

    def __missing__(self, op_type: str) -> Row:
        return self.foreign[op_type]


SIGNATURES: OpTable[Signature] = OpTable()
