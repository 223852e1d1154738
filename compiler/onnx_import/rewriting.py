"""The table of rewrites from one version of an operator to the next, and what they build with."""

from collections.abc import Callable, Iterable, Set
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import numpy as np
from onnx import AttributeProto, NodeProto, TensorProto, helper, numpy_helper

from ...grammar.diagnostics import NetError, error
from ..ir.types import DType
from .attributes import described, drop, value
from .faults import fault
from .known_types import KnownTypes


@dataclass(frozen=True, slots=True)
class Context:
    """What rewrites know of the model.

    Attributes:
        types: Its values as they were before.
        names: All names of values, which new ones avoid.
        read: The names that are read by nodes or graph outputs.
        weights: The tensors that rewrites add to what the model stores.
    """

    types: KnownTypes
    names: set[str]
    read: Set[str]
    weights: list[TensorProto] = field(default_factory=list)


class Draft:
    """The nodes that take the place of one, in order; they are named after it."""

    def __init__(self, node: NodeProto, context: Context) -> None:
        self.node, self.context, self.types = node, context, context.types
        self.nodes: list[NodeProto] = []
        self.is_placed = False
        self.stem = next((name for name in node.output if name), node.name or node.op_type)

    def add(
        self, op_type: str, *inputs: str, output: str = "", hint: str = "", **attributes: Any
    ) -> str:
        """Add a node of one output; returns the output's name."""
        output = output or self.fresh(hint or op_type.lower())
        made = helper.make_node(op_type, list(inputs), [output], name=output, **attributes)
        made.metadata_props.extend(self.node.metadata_props)
        self.nodes.append(made)
        return output

    def place(self) -> None:
        """Put the node itself here; a rule that does not has it behind all that it adds."""
        self.nodes.append(self.node)
        self.is_placed = True

    def fresh(self, hint: str) -> str:
        """A name that no value has."""
        names = (f"{self.stem}_{hint}" + (f"_{k}" if k else "") for k in count())
        name = next(name for name in names if name not in self.context.names)
        self.context.names.add(name)
        return name

    def ints(self, numbers: Iterable[int], hint: str) -> str:
        """A constant vector of whole numbers."""
        return self.constant(np.array(tuple(numbers), np.int64), hint)

    def constant(self, array: Any, hint: str) -> str:
        """A constant."""
        return self.add("Constant", hint=hint, value=numpy_helper.from_array(np.asarray(array)))

    def weight(self, array: Any, name: str) -> str:
        """A tensor that the model learns, named after the node."""
        stem = self.node.name or self.node.op_type
        taken, names = self.context.names, (f"{stem}{k or ''}.{name}" for k in count())
        full = next(each for each in names if each not in taken)
        taken.add(full)
        self.context.weights.append(numpy_helper.from_array(array, full))
        return full

    def number(self, scalar: float, like: str, hint: str) -> str:
        """A constant scalar of the element type of a value."""
        dtype = DType.of_code(self.types.code(like) or 0)
        if dtype is None or not dtype.is_float:
            return self.add("CastLike", self.constant(np.float32(scalar), hint), like)
        return self.constant(np.asarray(scalar, helper.tensor_dtype_to_np_dtype(dtype.code)), hint)

    def real(self, number: float, hint: str) -> str:
        """A constant real number, float32."""
        return self.constant(np.array(number, np.float32), hint)

    def scalar(self, number: int, hint: str) -> str:
        """A constant whole number."""
        return self.constant(np.array(number, np.int64), hint)

    def rank(self, x: str) -> str:
        """The rank of a value, as a vector of one number."""
        return self.add("Shape", self.add("Shape", x, hint="shape"), hint="rank")

    def ones(self, lengths: str) -> str:
        """Ones in the shape that a vector says."""
        one = numpy_helper.from_array(np.ones(1, np.int64))
        return self.add("ConstantOfShape", lengths, hint="ones", value=one)

    # What the node holds.

    def input(self, position: int) -> str:
        """An argument that must be given.

        Raises:
            NetError: E576, it is not.
        """
        name = self.node.input[position] if position < len(self.node.input) else ""
        if not name:
            raise fault(f"{described(self.node)} lacks argument {position}")
        return name

    def has(self, position: int) -> bool:
        """Whether an optional argument is given."""
        return position < len(self.node.input) and bool(self.node.input[position])

    def put(self, position: int, name: str) -> None:
        """Set an argument; those before it that are not there are left out."""
        missing = position + 1 - len(self.node.input)
        self.node.input.extend([""] * missing)
        self.node.input[position] = name

    def int_of(self, name: str, default: int) -> int:
        """An attribute that is a whole number."""
        found: int = value(self.node, name, AttributeProto.INT, default)
        return found

    def float_of(self, name: str, default: float) -> float:
        """An attribute that is a real number."""
        found: float = value(self.node, name, AttributeProto.FLOAT, default)
        return found

    def string_of(self, name: str, default: str) -> str:
        """An attribute that is text."""
        found: str = value(self.node, name, AttributeProto.STRING, default)
        return found

    def output(self, position: int) -> str:
        """The name of an output; empty where it is not asked for."""
        return self.node.output[position] if position < len(self.node.output) else ""

    def drop(self, *names: str) -> None:
        """Remove attributes, where they are given."""
        drop(self.node, *names)

    def take_ints(self, name: str) -> tuple[int, ...] | None:
        """Remove an attribute, a list of whole numbers; None where it is not given."""
        found: tuple[int, ...] | None = value(self.node, name, AttributeProto.INTS)
        drop(self.node, name)
        return found

    def set(self, **attributes: Any) -> None:
        """Set attributes."""
        drop(self.node, *attributes)
        self.node.attribute.extend(
            helper.make_attribute(name, held) for name, held in attributes.items()
        )

    def become(self, op_type: str, *inputs: str, **attributes: Any) -> None:
        """Make the node another one, which yields the same outputs."""
        self.node.op_type = op_type
        del self.node.input[:]
        self.node.input.extend(inputs)
        del self.node.attribute[:]
        self.set(**attributes)


Rewrite = Callable[[Draft], None]
RULES: dict[str, dict[int, Rewrite]] = {}


def rule(ops: str, since: int) -> Callable[[Rewrite], Rewrite]:
    """Enter a rewrite to a version, from the one before, for operators named in a text."""

    def enter(rewrite: Rewrite) -> Rewrite:
        for op_type in ops.split():
            RULES.setdefault(op_type, {})[since] = rewrite
        return rewrite

    return enter


def cannot_raise(draft: Draft, why: str) -> NetError:
    """E578: an operator means something that newer versions cannot say."""
    return error("E578", f"{described(draft.node)} {why}", help="export the model with opset 13")
