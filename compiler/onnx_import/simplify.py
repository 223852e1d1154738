"""Graph -> Graph without the operators that exporters write around others to no effect."""

from collections.abc import Mapping
from dataclasses import replace
from math import prod

import numpy as np

from ..ir.builder import Builder
from ..ir.graph import CONSTANT, INPUT, Graph, Node, Value, present, required
from ..ir.signature import InferenceError
from ..ir.types import TensorType
from ..ops.cuts import ANY_END
from ..ops.opdef import Operands
from ..passes.cancel_reshapes import RESHAPES
from ..passes.eliminate_dead_nodes import eliminate_dead_nodes
from ..passes.rewrite import RewriteRule, rewrite
from .indices import counted_from_the_end
from .masks import chosen
from .products import as_product
from .recognition.activations import UNARY
from .recognition.movements import are_heads
from .recognition.trail import SHAPING, weight_of
from .recognize import UNFORESEEN
from .reshaping import shaped, stated_extents
from .rows import of_part
from .turned import turned, turned_whole

MOST_FILLED = 10_000  # numbers

Results = tuple[Value, ...] | None


def simplify(graph: Graph) -> Graph:
    """The graph with fewer operators, which computes the same."""
    rules = {op_type: guarded(rule) for op_type, rule in RULES.items()}
    return eliminate_dead_nodes(rewrite(graph, rules))


def _whole(build: Builder, x: Value, *, keeps_heads: bool = False) -> Value:
    """What a computed tensor shows in another shape, or else itself.

    With `keeps_heads`, a sequence that heads are put together to is such a tensor.
    """
    while (node := build.graph.producer(x)).op_type in SHAPING and node.inputs[0] is not None:
        if weight_of(build.graph, x) is not None or (keeps_heads and are_heads(build.graph, x)):
            break
        x = node.inputs[0]
    return x


def reshaped(build: Builder, node: Node, operands: Operands) -> Results:
    """A shape of a shape is a shape of the first; rows of a product are axes of its operand."""
    x = required(operands[0])
    y = _product_of_rows(build, node, x)
    if y is not None:
        return (y,)
    first, type = _whole(build, x), node.outputs[0]
    if _stands(build, x, type, first.type.rank):
        return None
    if build.graph.producer(first).op_type == "Concat":
        lying = shaped(build, first, type.shape)
        whole = None if lying is None else turned(build, lying)
        if whole is not None:
            return (whole,)
    is_needed = first == x and x.type != type
    is_needed = is_needed or (first.type == type and build.graph.producer(first).op_type == INPUT)
    if is_needed or weight_of(build.graph, x) is not None:
        return None
    y = shaped(build, first, node.outputs[0].shape)
    return None if y is None or y.type != node.outputs[0] else (y,)


def _stands(build: Builder, x: Value, type: TensorType, before: int) -> bool:
    """Whether a tensor that is shown in another shape is a layer's operand or result as it is.

    Sequences of heads side by side, and images of which windows are cut.
    """
    if x.type.rank == 3 and type.rank > 3 and x.type != type:
        are_split = type.rank == 4 and before > 3 and type.shape[:2] == x.shape[:2]
        return are_split or are_heads(build.graph, x)
    return before > x.type.rank == 4 < type.rank


def _product_of_rows(build: Builder, node: Node, y: Value) -> Value | None:
    """(.., K) as rows, times a matrix (K, M), as (.., M): Keras' and TensorFlow's dense layers."""
    maker, shape = build.graph.producer(y), node.outputs[0].shape
    if maker.op_type != "MatMul" or y.type.rank != 2 or len(shape) < 3:
        return None
    rows, matrix = present(maker.inputs)
    whole = _whole(build, rows)
    if whole == rows or shape[-1] != y.shape[-1]:
        return None
    x = shaped(build, whole, (*shape[:-1], rows.shape[-1]))
    found = None if x is None else build.again(maker, (x, matrix))[0]
    return found if found is not None and found.type == node.outputs[0] else None


def _inserted(build: Builder, x: Value | None) -> tuple[Value, int] | None:
    """A tensor (N, C, L) that another shows as (N, C, 1, L) or (N, C, L, 1), and the new axis."""
    if x is None or x.type.rank != 4:
        return None
    before = _whole(build, x)
    for axis in (2, 3):
        if x.shape[axis] == 1 and before.shape == (*x.shape[:axis], *x.shape[axis + 1 :]):
            return before, axis
    return None


PER_AXIS = ("kernel_shape", "strides", "dilations", "pads", "output_padding")


def along_one_axis(build: Builder, node: Node, operands: Operands) -> Results:
    """A window over an image of one row is one over a sequence."""
    found = _inserted(build, operands[0])
    if found is None or len(node.outputs) > 1:
        return None
    x, axis = found
    place, attributes = axis - 2, dict(node.attributes)
    if attributes["kernel_shape"][place] != 1:
        return None
    for name in PER_AXIS:
        if attributes.get(name):
            held = list(attributes[name])
            cut = [held.pop(place)] if name != "pads" else [held.pop(place + 2), held.pop(place)]
            if name == "pads" and any(cut):
                return None
            attributes[name] = tuple(held)
    others = [_without(build, weight, axis) for weight in operands[1:2]]
    y = build.again(replace(node, attributes=attributes), (x, *others, *operands[2:]))[0]
    return _with_axis(build, node, y, axis)


def _without(build: Builder, weight: Value | None, axis: int) -> Value | None:
    return None if weight is None else build.Squeeze(weight, build.index_constant((axis,)))


def _with_axis(build: Builder, node: Node, y: Value, axis: int) -> Results:
    again = build.Unsqueeze(y, build.index_constant((axis,)))
    return (again,) if again.type == node.outputs[0] else None


def by_channel(build: Builder, node: Node, operands: Operands) -> Results:
    """What is computed element by element, or channel by channel, needs no further axis."""
    found = _inserted(build, operands[0])
    if found is None or len(node.outputs) > 1:
        return None
    x, axis = found
    return _with_axis(build, node, build.again(node, (x, *operands[1:]))[0], axis)


def transposed(build: Builder, node: Node, operands: Operands) -> Results:
    """An axis of one element is added after the others have been moved."""
    x, perm = operands[0], node.attributes["perm"]
    if x is None or x.type.rank < 4:
        return None
    if x.type.rank > 4:
        return _without_ones(build, node, x)
    before = _whole(build, x)
    for axis in range(1, 4):
        if x.shape[axis] == 1 and before.shape == (*x.shape[:axis], *x.shape[axis + 1 :]):
            order = tuple(place - (place > axis) for place in perm if place != axis)
            if order != (0, 1, 2):
                before = build.Transpose(before, perm=order)
            return _with_axis(build, node, before, perm.index(axis))
    return None


def _without_ones(build: Builder, node: Node, x: Value) -> Results:
    """Axes that are moved, and none of one element among them."""
    kept = [axis for axis, extent in enumerate(x.shape) if axis == 0 or extent != 1]
    if len(kept) == x.type.rank or weight_of(build.graph, x) is not None:
        return None
    whole = _whole(build, x, keeps_heads=True)
    before = shaped(build, whole, tuple(x.shape[axis] for axis in kept))
    if before is None:
        return None
    order = tuple(kept.index(axis) for axis in node.attributes["perm"] if axis in kept)
    is_moved = order != tuple(range(len(kept)))
    moved = build.Transpose(before, perm=order) if is_moved else before
    y = shaped(build, moved, node.outputs[0].shape)
    return None if y is None or y.type != node.outputs[0] else (y,)


def bias_of_parts(build: Builder, node: Node, operands: Operands) -> Results:
    """A bias that is added to the parts of the last axis is added to the whole."""
    a, b = present(operands)
    for y, bias in ((a, b), (b, a)):
        whole, parts = _whole(build, y), bias.shape
        rest = y.shape[: y.type.rank - len(parts)]
        is_split = whole.shape[:-1] == rest and y.shape == (*rest, *parts) and len(parts) > 1
        if is_split and weight_of(build.graph, bias) is not None:
            flat = build.Reshape(bias, build.index_constant((-1,)))
            total = shaped(build, build.Add(whole, flat), y.shape)
            return None if total is None else (total,)
    return None


def weighted(build: Builder, node: Node, operands: Operands) -> Results:
    """V (N, D, S) times turned weights of attention is these times turned V, turned."""
    x, other = operands
    if x is None or other is None or x.type.rank < 3 or x.type.rank != other.type.rank:
        return None
    maker, rank = build.graph.producer(other), x.type.rank
    swap = (*range(rank - 2), rank - 1, rank - 2)
    if maker.op_type != "Transpose" or maker.attributes["perm"] != swap:
        return None
    (weights,) = present(maker.inputs)
    if build.graph.producer(weights).op_type not in ("Dropout", "Softmax"):
        return None
    return (build.Transpose(build.MatMul(weights, build.Transpose(x, perm=swap)), perm=swap),)


NEUTRAL = {"Add": 0.0, "Div": 1.0, "Mul": 1.0, "Sub": 0.0}


def neutral(build: Builder, node: Node, operands: Operands) -> Results:
    """A number that changes nothing is left out."""
    others = (operands[::-1],) if node.op_type in ("Add", "Mul") else ()
    for x, other in (operands, *others):
        maker = None if other is None else build.graph.producer(other)
        if maker is not None and maker.op_type == CONSTANT and x is not None:
            numbers = maker.attributes["value"].numbers() if maker.outputs[0].size == 1 else ()
            is_read = build.graph.producer(x).op_type != INPUT
            if numbers == (NEUTRAL[node.op_type],) and x.type == node.outputs[0] and is_read:
                return (x,)
    return _by_numbers(build, node, operands)


def _by_numbers(build: Builder, node: Node, operands: Operands) -> Results:
    """A constant of one element is a number, which has no axes."""
    given = [None if x is None else _number(build, x) for x in operands]
    if not any(given) or all(given):
        return None
    results = build.again(node, [new or x for new, x in zip(given, operands, strict=True)])
    return results if results[0].type == node.outputs[0] else None


def _number(build: Builder, x: Value) -> Value | None:
    """The one number of a constant with axes."""
    node = build.graph.producer(x)
    if node.op_type != CONSTANT or not x.type.rank or x.type.size != 1:
        return None
    return build.constant(replace(node.attributes["value"], shape=()), x.dtype)


def added(build: Builder, node: Node, operands: Operands) -> Results:
    """Sums that are simpler."""
    for rule in (neutral, bias_of_parts, chosen, turned_whole):
        found = rule(build, node, operands)
        if found is not None:
            return found
    return None


def shape_of_inputs(build: Builder, node: Node, operands: Operands) -> Results:
    """Open extents are read from inputs, so that shapes keep no layer from being recognized."""
    x = operands[0]
    if x is None or build.graph.producer(x).op_type == INPUT or not x.type.rank:
        return None
    stated = stated_extents(build, x.shape[slice(node.attributes["start"], node.attributes["end"])])
    return None if stated is None else (stated,)


def sliced(build: Builder, node: Node, operands: Operands) -> Results:
    """Axes that are taken whole are not cut."""
    x, *given = operands
    known = [build.known(value) for value in given if value is not None]
    if x is None or len(known) < 3 or len(known) < len(given):
        return None
    starts, ends, axes, steps = (*known, (1,) * len(known[0] or ()))[:4]
    if None in (starts, ends, axes, steps):
        return None
    cuts = list(zip(starts, ends, axes, steps, strict=True))
    kept = [cut for cut in cuts if cut[0] != 0 or cut[1] < ANY_END or cut[3] != 1]
    if len(kept) == len(cuts) or not kept:
        return None
    bounds = [build.index_constant(tuple(each)) for each in zip(*kept, strict=True)]
    return (build.Slice(x, *bounds),)


def resized(build: Builder, node: Node, operands: Operands) -> Results:
    """Of a size that is computed from the batch's, what is known."""
    x, *others = operands
    if x is None or len(others) < 3 or others[2] is None or node.attributes["axes"]:
        return None
    shape = node.outputs[0].shape
    last = tuple(range(2, x.type.rank))
    is_kept = x.shape[:2] == shape[:2] and all(isinstance(extent, int) for extent in shape[2:])
    if not is_kept or build.graph.producer(others[2]).op_type == CONSTANT or others[0] is not None:
        return None
    sizes = build.index_constant(shape[2:])
    attributes = {**node.attributes, "axes": last}
    return (build.again(replace(node, attributes=attributes), (x, None, None, sizes))[0],)


def beside(build: Builder, node: Node, operands: Operands) -> Results:
    """What one number fills for each sample is a table that is repeated along the batch.

    Halves of heads that are turned, side by side, are sequences that are.
    """
    whole = turned_whole(build, node, operands)
    if whole is not None:
        return whole
    given = [None if x is None else _filled(build, x) for x in operands]
    if not any(given):
        return None
    return (build.again(node, [new or x for new, x in zip(given, operands, strict=True)])[0],)


def _filled(build: Builder, x: Value) -> Value | None:
    """A table of a batch of 1 in place of one that a number fills, such as a column of ones."""
    maker, (first, *rest) = build.graph.producer(x), x.shape or (1,)
    extents = [extent for extent in rest if isinstance(extent, int)]
    if isinstance(first, int) or len(extents) < len(rest) or prod(extents) > MOST_FILLED:
        return None
    number: float | int | None = None
    if maker.op_type == "ConstantOfShape":
        value = maker.attributes["value"]
        number = 0.0 if value is None else value.number()
    elif maker.op_type == "Expand" and (held := maker.inputs[0]) and not held.type.rank:
        number = build.known(held)
    if not isinstance(number, int | float) or maker.inputs[-1] is None:
        return None
    array = np.full((1, *extents), number, x.dtype.value)
    return build.Expand(build.constant(array, x.dtype), maker.inputs[-1])


def expanded(build: Builder, node: Node, operands: Operands) -> Results:
    """What has the extents that it is to have is left as it is; a shape that is chosen is known."""
    x, target = operands[0], operands[1]
    if x is None or target is None:
        return None
    if build.graph.producer(target).op_type == "Where":  # -1 is the tensor's own extent
        stated = stated_extents(build, node.outputs[0].shape)
        return None if stated is None else (build.Expand(x, stated),)
    is_same = x.type == node.outputs[0] and build.graph.producer(x).op_type != INPUT
    return (x,) if is_same else None


STATES = {"GRU": (5,), "LSTM": (5, 6), "RNN": (5,)}
PASSING = ("Cast", "Expand", "Gather", "Identity", "Slice", "Tile", "Transpose", *SHAPING)


def taken(build: Builder, node: Node, operands: Operands) -> Results:
    """Rows by indices as they are, and of the tensor that has them."""
    return counted_from_the_end(build, node, operands) or of_part(build, node, operands)


def cut(build: Builder, node: Node, operands: Operands) -> Results:
    """Axes that are not cut, and rows of the tensor that has them."""
    return sliced(build, node, operands) or of_part(build, node, operands)


def from_zeros(build: Builder, node: Node, operands: Operands) -> Results:
    """First states of zeros are a recurrent layer's default."""
    places = STATES[node.op_type]
    kept = [None if i in places and _is_zero(build, x) else x for i, x in enumerate(operands)]
    while kept[-1] is None:
        kept.pop()
    return None if len(kept) == len(operands) else build.again(node, kept)


def _is_zero(build: Builder, x: Value | None) -> bool:
    """Whether all elements of a tensor are zero, of whatever extents."""
    while x is not None:
        node = build.graph.producer(x)
        if node.op_type == "ConstantOfShape":
            value = node.attributes["value"]
            return value is None or value.number() == 0
        if node.op_type == CONSTANT:
            return set(node.attributes["value"].numbers() or (1,)) == {0}
        if node.op_type == "Concat":
            return all(_is_zero(build, each) for each in node.inputs)
        x = node.inputs[0] if node.op_type in PASSING else None
    return False


def guarded(rule: RewriteRule) -> RewriteRule:
    """A rule that leaves as it is what has shapes or arguments that no operator of its kind has."""

    def apply(build: Builder, node: Node, operands: Operands) -> Results:
        try:
            return rule(build, node, operands)
        except (InferenceError, *UNFORESEEN):
            return None

    return apply


RULES: Mapping[str, RewriteRule] = {
    **dict.fromkeys(RESHAPES, reshaped),
    **dict.fromkeys(("AveragePool", "Conv", "MaxPool"), along_one_axis),
    **dict.fromkeys(("BatchNormalization", "Clip", *UNARY), by_channel),
    **dict.fromkeys(STATES, from_zeros),
    **dict.fromkeys(NEUTRAL, neutral),
    "Add": added,
    "Concat": beside,
    "Einsum": as_product,
    "Expand": expanded,
    "Gather": taken,
    "MatMul": weighted,
    "Resize": resized,
    "Shape": shape_of_inputs,
    "Slice": cut,
    "Transpose": transposed,
}
