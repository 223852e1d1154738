"""The op table: what each operator of the instruction set means at compile time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .dim import Dim
from .graph import NO_ATTRIBUTES
from .types import TensorType

if TYPE_CHECKING:
    from .builder import Builder
    from .graph import Value


class InferenceError(Exception):
    """Operands that an operator does not take; the message speaks in tensor types."""


@dataclass(frozen=True, slots=True)
class OpCall:
    """An application of an operator, as type inference and costs see it.

    Attributes:
        inputs: Types of the arguments; None where an optional one is left out.
        attributes: The operator's attributes with defaults filled in.
        constants: For each argument its nested tuples where it is a constant, else None.
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

    def has(self, index: int) -> bool:
        """Whether an optional argument is given."""
        return index < len(self.inputs) and self.inputs[index] is not None


@dataclass(frozen=True, slots=True)
class Cost:
    """Multiply-accumulates of products, and elementwise operations apart."""

    macs: Dim = 0
    elementwise: Dim = 0


@dataclass(frozen=True, slots=True)
class VjpCall:
    """An application of an operator, as differentiation sees it.

    Attributes:
        inputs: Its arguments; None where an optional one is left out.
        outputs: What it yields.
        cotangents: For each output the gradient of the loss with respect to it, of its type; None
            where the loss does not depend on it.
        wanted: For each argument whether its gradient is asked for.
        attributes: The operator's attributes with defaults filled in.
    """

    op_type: str
    inputs: "tuple[Value | None, ...]"
    outputs: "tuple[Value, ...]"
    cotangents: "tuple[Value | None, ...]"
    wanted: tuple[bool, ...]
    attributes: Mapping[str, Any]

    def input(self, index: int) -> "Value":
        """A required argument."""
        value = self.inputs[index]
        assert value is not None
        return value

    @property
    def cotangent(self) -> "Value":
        """The gradient with respect to the first output, which the loss depends on."""
        value = self.cotangents[0]
        assert value is not None
        return value


Infer = Callable[[OpCall], Sequence[TensorType]]
CostRule = Callable[[OpCall, Sequence[TensorType]], Cost]
Known = Callable[[OpCall], Any]
Decompose = Callable[["Builder", "Sequence[Value | None]", OpCall], "Sequence[Value] | None"]

Vjp = Callable[["Builder", VjpCall], "Sequence[Value | None]"]


def free(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """The cost of an operator that only moves data."""
    return Cost()


@dataclass(frozen=True, slots=True)
class OpDef:
    """All compile-time meaning of an operator in one place.

    Attributes:
        infer: The types of its outputs.
        cost: What it costs, given its outputs' types.
        attributes: Its attributes with their ONNX defaults.
        view: Whether its output shares its first argument's memory.
        known: What its output holds as far as types tell (nested tuples of extents), or None:
            so that shapes computed from shapes, as `Expand` takes them, can be inferred.
        optional_outputs: Whether all outputs but the first may be left out.
        decompose: Builds it from other operators, for engines that lack it; may return None for
            operands on which the operator needs no decomposition.
        vjp: Builds the gradient with respect to each argument (vector-Jacobian products), None
            for those that are not wanted or have none; the last of these may be left out.
        constant: Whether its output is constant almost everywhere, or holds no real numbers, so
            that gradients end there by decision. Otherwise an operator without a rule is one that
            netc cannot differentiate yet.
    """

    op_type: str
    infer: Infer
    cost: CostRule
    attributes: Mapping[str, Any] = field(default_factory=lambda: NO_ATTRIBUTES)
    view: bool = False
    known: Known | None = None
    optional_outputs: bool = False
    decompose: Decompose | None = None
    vjp: Vjp | None = None
    constant: bool = False


class OpTable(dict[str, OpDef]):
    """Operators by name.

    Attributes:
        foreign: Operators that a program names and that the table does not define; `fallback.py`
            enters them. They can be looked up, but are not among the table's keys.
    """

    def __init__(self) -> None:
        super().__init__()
        self.foreign: dict[str, OpDef] = {}

    def __missing__(self, op_type: str) -> OpDef:
        return self.foreign[op_type]


OPS = OpTable()


def defop(
    op_type: str,
    *,
    infer: Infer,
    cost: CostRule,
    attributes: Mapping[str, Any] = NO_ATTRIBUTES,
    view: bool = False,
    known: Known | None = None,
    optional_outputs: bool = False,
    decompose: Decompose | None = None,
    vjp: Vjp | None = None,
    constant: bool = False,
) -> None:
    """Enter an operator into the table."""
    if op_type in OPS:
        raise ValueError(f"operator {op_type} is defined twice")
    OPS[op_type] = OpDef(
        *(op_type, infer, cost, attributes, view, known, optional_outputs, decompose, vjp),
        constant,
    )
