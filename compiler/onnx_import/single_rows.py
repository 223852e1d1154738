"""Tensors that hold the same for each sample -> that of one sample, or one for any number."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from onnx import numpy_helper

from ..ir.builder import Builder
from ..ir.dim import BATCH
from ..ir.graph import CONSTANT, Node, Value, present
from ..ir.types import DType
from ..passes.cancel_reshapes import RESHAPES
from .reshaping import stated_extents, target_between
from .stored import StoredTensor, stored

MOST_STEPS = 20  # operators between what is stored and what is read


@dataclass(frozen=True, slots=True)
class Rows:
    """Takes one row of tensors that hold as many, all alike, as there are samples.

    Attributes:
        build: Builds what it takes.
        batch: How many samples there are.
    """

    build: Builder
    batch: int

    def one(self, x: Value, axis: int, depth: int = MOST_STEPS) -> Value | None:
        """The tensor with one row along an axis, all of which are alike; None where they differ."""
        if x.shape[axis] == 1:
            return x
        node = self.build.graph.producer(x)
        rule = RULES.get(node.op_type)
        if rule is None and node.row is not None and node.op_type in BY_ELEMENT:
            rule = _by_element
        if rule is None or not depth or x.output:
            return None
        return rule(self, node, axis, depth - 1)

    def each(self, x: Value, axis: int) -> Value | None:
        """The tensor with a row for each sample; that of a place along the batch counts up."""
        one = self.number(x) or self.one(x, axis)
        shape = (*x.shape[:axis], BATCH, *x.shape[axis + 1 :])
        stated = stated_extents(self.build, shape)
        if stated is None:
            return None
        if one is not None:
            return self.build.Expand(one, stated)
        return self._places(x, axis, stated)

    def number(self, x: Value) -> Value | None:
        """The number that a constant holds everywhere."""
        node = self.build.graph.producer(x)
        numbers = node.attributes["value"].numbers() if node.op_type == CONSTANT else None
        if not numbers or x.dtype is DType.STRING or len(set(numbers)) > 1:
            return None
        return self.build.constant(np.asarray(numbers[0]).astype(x.dtype.value), x.dtype)

    def _places(self, x: Value, axis: int, stated: Value) -> Value | None:
        """Whole numbers that count up along the batch, as the numbers of samples do."""
        node = self.build.graph.producer(x)
        if node.op_type != CONSTANT or x.type.size != self.batch or not x.dtype.is_integer:
            return None
        numbers = node.attributes["value"].numbers()
        first, step = numbers[0], numbers[1] - numbers[0]
        if not step or numbers != tuple(range(first, first + step * self.batch, step)):
            return None
        count = self.build.Gather(stated, self.build.index_constant(axis))
        end = self.build.Mul(count, self.build.index_constant(step)) if step != 1 else count
        end = self.build.Add(end, self.build.index_constant(first)) if first else end
        bounds = (self.build.index_constant(first), end, self.build.index_constant(step))
        found = self.build.Range(*bounds)
        if x.dtype is not DType.INT64:
            found = self.build.Cast(found, to=x.dtype)
        return found if x.type.rank == 1 else self.build.Reshape(found, stated)


def first_row(tensor: StoredTensor, axis: int) -> StoredTensor | None:
    """The first row of a weight along an axis, where all are alike but for rounding."""
    array = np.asarray(tensor)
    row = array.take([0], axis)
    if not np.allclose(array, row, rtol=1e-5, atol=1e-6 * float(abs(row).max(initial=0.0))):
        return None
    return stored(numpy_helper.from_array(row, tensor.proto.name), "")


Rule = Callable[[Rows, Node, int, int], Value | None]


def _constant(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    tensor = node.attributes["value"]
    numbers = tensor.numbers()
    if numbers is None or tensor.dtype is DType.STRING:
        return None
    table = np.asarray(numbers).reshape(tensor.shape)
    first = table.take([0], axis)
    if not (table == first).all():
        return None
    return rows.build.constant(first.astype(tensor.dtype.value), tensor.dtype)


def _expand(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    x, shape = node.input(0), node.outputs[0].extents
    place = axis - (len(shape) - x.type.rank)
    one = x if place < 0 else rows.one(x, place, depth)
    if one is None or len(shape) < node.outputs[0].rank:
        return None
    kept = (*shape[:axis], 1, *shape[axis + 1 :])
    return one if one.shape == kept else rows.build.Expand(one, rows.build.index_constant(kept))


def _tiled(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    """What one row is repeated to."""
    x, repeats = node.input(0), node.input(1)
    known = rows.build.known(repeats)
    if x.shape[axis] != 1 or not isinstance(known, tuple):
        return None
    kept = (*known[:axis], 1, *known[axis + 1 :])
    if all(number == 1 for number in kept):
        return x
    return rows.build.again(node, (x, rows.build.index_constant(kept)))[0]


def _filled(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    shape = node.outputs[0].extents
    if len(shape) < node.outputs[0].rank:
        return None
    kept = rows.build.index_constant((*shape[:axis], 1, *shape[axis + 1 :]))
    return rows.build.again(node, (kept,))[0]


def _by_element(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    taken: list[Value | None] = []
    for x in node.inputs:
        place = axis - (node.outputs[0].rank - (x.type.rank if x else 0))
        found = x if x is None or place < 0 else rows.one(x, place, depth)
        if found is None and x is not None:
            return None
        taken.append(found)
    return rows.build.again(node, taken)[0]


def _gather(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    x, indices = present(node.inputs)
    first = node.attributes["axis"] % x.type.rank
    if first <= axis < first + indices.type.rank:
        found = rows.one(indices, axis - first, depth)
        return None if found is None else rows.build.again(node, (x, found))[0]
    place = axis if axis < first else axis - indices.type.rank + 1
    found = rows.one(x, place, depth)
    return None if found is None else rows.build.again(node, (found, indices))[0]


def _transpose(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    (x,) = present(node.inputs)
    found = rows.one(x, node.attributes["perm"][axis], depth)
    return None if found is None else rows.build.again(node, (found,))[0]


def _shaped(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    """Another shape, in which the axis is one of the operand's with as much before it."""
    x, shape = node.input(0), node.outputs[0].extents
    before = 1
    for place, extent in enumerate(x.type.extents):
        if extent == shape[axis] and before == np.prod(shape[:axis], dtype=int):
            found = rows.one(x, place, depth)
            kept = (*shape[:axis], 1, *shape[axis + 1 :])
            target = None if found is None else target_between(found.shape, kept)
            if found is None or target is None:
                return None
            return rows.build.Reshape(found, rows.build.index_constant(target))
        before *= extent
    return None


def _joined(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    rank = node.outputs[0].rank
    if axis == node.attributes["axis"] % rank:
        return None
    found = [None if x is None else rows.one(x, axis, depth) for x in node.inputs]
    return None if None in found else rows.build.again(node, found)[0]


def _cut(rows: Rows, node: Node, axis: int, depth: int) -> Value | None:
    """A part of a tensor, of which the axis is whole."""
    x = node.input(0)
    if x.shape[axis] != node.outputs[0].shape[axis]:
        return None
    found = rows.one(x, axis, depth)
    return None if found is None else rows.build.again(node, (found, *node.inputs[1:]))[0]


BY_ELEMENT = frozenset(
    {
        *("Abs", "Add", "And", "Cast", "Clip", "Cos", "Div", "Equal", "Erf", "Exp", "Floor"),
        *("Greater", "GreaterOrEqual", "Identity", "Less", "LessOrEqual", "Log", "Max", "Min"),
        *("Mod", "Mul", "Neg", "Not", "Or", "Pow", "Reciprocal", "Relu", "Sigmoid", "Sin", "Sqrt"),
        *("Sub", "Tanh", "Where", "Xor"),
    }
)
RULES: Mapping[str, Rule] = {
    **dict.fromkeys(RESHAPES, _shaped),
    CONSTANT: _constant,
    "Concat": _joined,
    "ConstantOfShape": _filled,
    "Expand": _expand,
    "Gather": _gather,
    "Slice": _cut,
    "Tile": _tiled,
    "Transpose": _transpose,
}
