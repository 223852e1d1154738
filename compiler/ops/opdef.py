"""The op table: all that the compiler knows of each operator of the instruction set, in one row."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, cast

from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import Graph, Node, Value, required
from ..ir.initializers import Init
from ..ir.signature import NO_ATTRIBUTES, SIGNATURES, OpCall, OpKey, OpTable, Signature
from ..ir.types import TensorType
from .receptive_field import FieldRule


@record
class Cost:
    """Multiply-accumulates of products, and elementwise operations apart."""

    macs: Dim = 0
    elementwise: Dim = 0


@record
class VjpCall:
    """An application of an operator, as differentiation sees it.

    Attributes:
        inputs: Its arguments; None where an optional one is left out.
        outputs: What it yields.
        cotangents: For each output the gradient of the loss with respect to it, of its type; None
            where the loss does not depend on it.
        wanted: For each argument whether its gradient is asked for.
        attributes: The operator's attributes with defaults filled in.
        subgraphs: What it runs.
    """

    op_type: str
    inputs: tuple[Value | None, ...]
    outputs: tuple[Value, ...]
    cotangents: tuple[Value | None, ...]
    wanted: tuple[bool, ...]
    attributes: Mapping[str, Any]
    subgraphs: Mapping[str, Graph] = field(default_factory=lambda: NO_ATTRIBUTES)

    def input(self, index: int) -> Value:
        """A required argument."""
        return required(self.inputs[index])

    def optional(self, index: int) -> Value | None:
        """An argument that may be left out."""
        return self.inputs[index] if index < len(self.inputs) else None

    @property
    def cotangent(self) -> Value:
        """The gradient with respect to the first output, which the loss depends on."""
        return required(self.cotangents[0])


class Role(Enum):
    """What a parameter does, as an argument of an operator, to the data that it meets."""

    WEIGHT = "weight"
    BIAS = "bias"
    SCALE = "scale"
    OTHER = "other"


class Yields(Enum):
    """What kind of numbers an operator yields, as far as a loss must know."""

    ANYTHING = "anything"
    ACTIVATIONS = "activations"
    PROBABILITY = "a probability"
    PROBABILITIES = "probabilities along an axis"
    LOG_PROBABILITIES = "log-probabilities along an axis"
    LOGARITHM = "a logarithm"
    NOISE = "numbers that training drops at random"

    @property
    def runs_over_an_axis(self) -> bool:
        """Whether the numbers of an axis depend on each other."""
        return self in (Yields.PROBABILITIES, Yields.LOG_PROBABILITIES)


class Moves(Enum):
    """Whether an operator only moves numbers, and which."""

    NONE = "it computes"
    ALL = "each number of its first argument, once"
    SOME = "numbers of its first argument, some of them several times or never"
    JOINED = "the numbers of all its arguments"


class Precision(Enum):
    """What an operator computes in where weights are stored in float16 or bfloat16."""

    EITHER = "what costs fewer casts: each result is rounded once"
    HALF = "the type of the weights: products, which engines add up in float32"
    FULL = "float32: sums of many numbers, powers, exponentials, logarithms, and subgraphs"


@record
class Activation:
    """How an activation function treats what a layer yields.

    Attributes:
        init: What `init=auto` gives the weights before it.
        dies: Whether a unit that is negative for all data yields 0 and learns no more.
        slope: Of a function that saturates its slope, as a share of the steepest, computed from an
            output or an array of outputs.
    """

    init: Init
    dies: bool = False
    slope: Callable[[Any], Any] | None = None


@record
class Notation:
    """An operator as lectures write it: x is its first argument, y its result.

    Attributes:
        value: What it computes.
        gradients: Its derivative by each argument, where g arrives; None where the operators that
            compute it are shown.
    """

    value: str
    gradients: tuple[str | None, ...]


Cotangents = Sequence[Value | None]
Operands = tuple[Value | None, ...]

CostRule = Callable[[OpCall, Sequence[TensorType]], Cost]
Decompose = Callable[[Builder, Operands, OpCall], Sequence[Value] | None]
Function = Callable[[Builder, Operands, OpCall], Sequence[Value]]
Vjp = Callable[[Builder, VjpCall], Cotangents]
NotationRule = Callable[[Graph, Node], Notation]
Kinks = Callable[[Builder, Node, Sequence[Value]], Sequence[Value]]


def free(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """The cost of an operator that only moves data."""
    return Cost()


def nothing(build: Builder, call: VjpCall) -> Cotangents:
    """The gradient of what passes none: what depends on x by this alone has no gradient there."""
    return [None]


def once(call: OpCall) -> Dim:
    """How often one of two branches runs."""
    return 1


@dataclass(eq=False, frozen=True, slots=True, kw_only=True)
class OpDef(Signature):
    """All compile-time meaning of an operator in one place.

    A field that is left out states what its default says.

    Attributes:
        cost: What it costs, given its outputs' types.
        turns: How often its subgraphs run; of several, one of them.
        sees: What of the network's input one element of its output sees.
        elementwise: Whether it maps each element of its only argument separately.
        vjp: Builds the gradient with respect to each argument (vector-Jacobian products), None
            for those that are not wanted or have none; the last of these may be left out.
        constant: Whether its output is constant almost everywhere, or holds no real numbers, so
            that gradients end there by decision. Otherwise an operator without a rule is one that
            netc cannot differentiate yet.
        kinks: Builds what says on which side of its kinks its operands are: integers, or truth
            values. None where it is smooth.
        decompose: Builds it from other operators, for engines that lack it; may return None for
            operands on which the operator needs no decomposition.
        function: Builds it from other operators, as ONNX defines it: for engines and opsets that
            lack it, and for its gradient where it has no `vjp`.
        asks: For an argument how many outputs its producer is to have before this is decomposed,
            where it can have them.
        view: Whether its output shares its first argument's memory.
        moves: Whether it only moves numbers.
        precision: What it computes in where weights are stored in half precision.
        passes: Whether `init=auto` looks through it for the activation after a layer.
        activation: What it is as an activation function.
        yields: What kind of numbers it yields.
        roles: What a parameter is as each of its arguments; the last stands for all further ones.
        symbol: What stands in its box in pictures, if not its name.
        sign: What stands between its two arguments in formulas.
        notation: How lectures write it where its derivative is several operators.
    """

    cost: CostRule
    sees: FieldRule
    turns: Callable[[OpCall], Dim] = once
    elementwise: bool = False
    vjp: Vjp | None = None
    constant: bool = False
    kinks: Kinks | None = None
    decompose: Decompose | None = None
    function: Function | None = None
    asks: Mapping[int, int] = field(default_factory=dict)
    view: bool = False
    moves: Moves = Moves.NONE
    precision: Precision = Precision.EITHER
    passes: bool = False
    activation: Activation | None = None
    yields: Yields = Yields.ANYTHING
    roles: tuple[Role, ...] = (Role.OTHER,)
    symbol: str = ""
    sign: str = ""
    notation: NotationRule | None = None

    def role(self, argument: int) -> Role:
        """What a parameter is as an argument."""
        return self.roles[min(argument, len(self.roles) - 1)]

    def __reduce__(self) -> tuple[Any, ...]:
        """A pickled graph names its operators; their rules stay in the table."""
        if OPS.get(self.key) is not self:
            raise TypeError(f"the operator {self.op_type} has no row in the table")
        return _row_at, (self.key,)


def _row_at(key: OpKey) -> "OpDef":
    return OPS[key]


# The same table: its rows are signatures, and more.
OPS = cast("OpTable[OpDef]", SIGNATURES)


def definition(node: Node) -> OpDef | None:
    """The row of a node's operator; None for an input, a parameter or a constant."""
    return cast("OpDef | None", node.row)


def row_of(node: Node) -> OpDef:
    """The row of a node that is an operator."""
    return required(definition(node))


def define(*rows: OpDef) -> None:
    """Enter operators into the table."""
    for row in rows:
        OPS.enter(row)
