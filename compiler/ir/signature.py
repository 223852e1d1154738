"""What type inference knows of each operator: all that a graph needs while it is built."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

from ...grammar.records import record
from .tensor import Tensor
from .types import TensorType

# Dictionaries, which can be pickled, and which are never changed.
NO_ATTRIBUTES: Mapping[str, Any] = {}

# The versions of each domain whose operators the compiler builds: ONNX's own, and ours.
OPSETS: Mapping[str, int] = {"": 22, "netc": 1}


class InferenceError(Exception):
    """Operands that an operator does not take; the message speaks in tensor types."""


class MissingAttributeError(InferenceError):
    """An attribute without a default is not given."""


class Required(Enum):
    """What stands as the default of an attribute that has none."""

    REQUIRED = "required"


REQUIRED = Required.REQUIRED


@record
class BodyType:
    """The types of a subgraph: of its own inputs, without what it captures, and of its outputs."""

    inputs: tuple[TensorType, ...]
    outputs: tuple[TensorType, ...]


@record
class OpCall:
    """An application of an operator, as type inference and costs see it.

    Attributes:
        row: The operator.
        inputs: Types of the arguments; None where an optional one is left out.
        attributes: The operator's attributes with defaults filled in.
        constants: For each argument what it holds, where that is known: of a constant its tensor,
            of a shape nested tuples of extents; else None.
        outputs: How many outputs are asked for.
        bodies: The types of its subgraphs.
    """

    row: "Signature"
    inputs: tuple[TensorType | None, ...]
    attributes: Mapping[str, Any]
    constants: tuple[Any, ...] = ()
    outputs: int = 1
    bodies: Mapping[str, BodyType] = field(default_factory=lambda: NO_ATTRIBUTES)

    @property
    def op_type(self) -> str:
        """The operator's name."""
        return self.row.op_type

    def type(self, index: int) -> TensorType:
        """The type of a required argument."""
        found = self.inputs[index] if index < len(self.inputs) else None
        if found is None:
            raise InferenceError(f"{self.op_type} needs argument {index}")
        return found

    def vector(self, index: int) -> tuple[Any, ...] | None:
        """The numbers of a vector among the arguments, where they are known.

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
        """What an argument holds, as nested tuples, where that is known; else None."""
        known = self.constants[index] if index < len(self.constants) else None
        return known.nested() if isinstance(known, Tensor) else known

    def has(self, index: int) -> bool:
        """Whether an optional argument is given."""
        return index < len(self.inputs) and self.inputs[index] is not None


Infer = Callable[[OpCall], Sequence[TensorType]]
Settle = Callable[[Mapping[str, Any], Sequence[TensorType | None]], Mapping[str, Any]]
Known = Callable[[OpCall], Any]


@dataclass(eq=False, frozen=True, slots=True)
class Signature:
    """The types of an operator.

    Attributes:
        op_type: ONNX's name of it, after its domain where that is not ONNX's own: `Conv`,
            `netc.MaxPoolGrad`.
        since_version: The version of the domain from which on the row holds.
        domain: Who defines it; empty for ONNX.
        infer: The types of its outputs.
        attributes: Its attributes with their ONNX defaults, `REQUIRED` for those without.
        settles: What its attributes come to that the types of its arguments determine, such as the
            pads that `auto_pad` asks for: nodes hold them in numbers.
        known: What its output holds as far as that is known (nested tuples of extents), or None:
            so that shapes computed from shapes, as `Expand` takes them, can be inferred.
        optional_outputs: Whether all outputs but the first may be left out.
        takes_holders: Whether it takes sequences or optional values, too.
    """

    op_type: str
    since_version: int
    _: KW_ONLY
    domain: str = ""
    infer: Infer
    attributes: Mapping[str, Any] = field(default_factory=lambda: NO_ATTRIBUTES)
    settles: Settle | None = None
    known: Known | None = None
    optional_outputs: bool = False
    takes_holders: bool = False

    @property
    def name(self) -> str:
        """Its name within its domain."""
        return self.op_type.removeprefix(f"{self.domain}.")

    @property
    def key(self) -> "OpKey":
        """What it is in a table by."""
        return self.domain, self.name, self.since_version


OpKey = tuple[str, str, int]
Row = TypeVar("Row", bound=Signature)


class OpTable(dict[OpKey, Row], Generic[Row]):
    """Operators by domain, name and version, each row from that version on until the next."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: dict[str, tuple[OpKey, ...]] = {}  # by the name with its domain, newest first

    def enter(self, row: Row) -> None:
        """Add an operator.

        Raises:
            ValueError: The version of the operator is there already.
        """
        if row.key in self:
            raise ValueError(f"operator {row.op_type}, version {row.since_version}, is there twice")
        self[row.key] = row
        keys = (*self._keys.get(row.op_type, ()), row.key)
        self._keys[row.op_type] = tuple(sorted(keys, key=lambda key: -key[2]))

    def find(self, op_type: str, opsets: Mapping[str, int] = OPSETS) -> Row | None:
        """The row of an operator in some versions of the domains; None where there is none."""
        for key in self._keys.get(op_type, ()):
            if key[2] <= opsets.get(key[0], 0):
                return self[key]
        return None

    def named(self, op_type: str, opsets: Mapping[str, int] = OPSETS) -> Row:
        """The row of an operator that is there.

        Raises:
            KeyError: There is none.
        """
        row = self.find(op_type, opsets)
        if row is None:
            raise KeyError(op_type)
        return row


SIGNATURES: OpTable[Signature] = OpTable()
