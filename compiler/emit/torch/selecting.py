"""Operators that find places, and take or write elements by them -> expressions of PyTorch."""

from collections.abc import Mapping

from .code import POSTFIX, PRODUCT, SUM, Code, Group, call, code, joined, method, operand, option
from .operator_call import OperatorCall, Row


def extreme(name: str) -> Row:
    """ArgMax or ArgMin: the first place of several, or the last."""

    def write(op: OperatorCall) -> Code:
        axis, kept = op["axis"], option("keepdim", bool(op["keepdims"]), False)
        if not op["select_last_index"]:
            return method(0, name, axis, kept)
        (count,) = op.known_extents((axis % op.x.rank,))
        return joined("-", SUM, code(count - 1), method(method(0, "flip", axis), name, axis, kept))

    return Row(write)


def hardmax(op: OperatorCall) -> Code:
    """Hardmax: 1 at the first place of the largest element, and 0 elsewhere."""
    axis = op["axis"] % op.x.rank
    hot = call("F.one_hot", method(0, "argmax", axis), *op.known_extents((axis,)))
    hot = hot if axis == op.x.rank - 1 else method(hot, "movedim", -1, axis)
    return method(hot, "to", Code((*operand(0, POSTFIX).parts, ".dtype")))


def one_hot(op: OperatorCall) -> Code:
    """OneHot; what is out of range is nowhere hot."""
    depth = op.constant(1)
    depth = depth[0] if isinstance(depth, tuple) else depth
    return call("one_hot", operand(0), code(depth), operand(2), option("axis", op["axis"], -1))


def largest(op: OperatorCall) -> Code:
    """TopK: values and their places."""
    (count,) = op.constant(1)
    return method(0, "topk", count, op["axis"], option("largest", bool(op["largest"]), True))


def _places() -> Code:
    """Places in several axes, a tensor for each axis."""
    return call("tuple", method(1, "unbind", -1))


def gather_nd(op: OperatorCall) -> Code:
    """GatherND of places in the first axes."""
    if op["batch_dims"]:
        raise NotImplementedError("axes of a batch")
    return Code((*operand(0, POSTFIX).parts, Group((_places(),), "[]", "list")))


def scatter_nd(op: OperatorCall) -> Code:
    """ScatterND: elements that are replaced, or added to."""
    if op["reduction"] not in ("none", "add"):
        raise NotImplementedError("other reductions than sums")
    adds = option("accumulate", op["reduction"] == "add", False)
    return method(0, "index_put", _places(), operand(2), adds)


def gather_elements(op: OperatorCall) -> Code:
    """GatherElements."""
    return method(0, "gather", op["axis"], _wrapped(op))


REDUCTIONS = {"mul": "prod", "max": "amax", "min": "amin"}


def scatter_elements(op: OperatorCall) -> Code:
    """ScatterElements."""
    arguments = (op["axis"], _wrapped(op), operand(2))
    name = {"none": "scatter", "add": "scatter_add"}.get(op["reduction"])
    if name is not None:
        return method(0, name, *arguments)
    return method(0, "scatter_reduce", *arguments, f'"{REDUCTIONS[op["reduction"]]}"')


def _wrapped(op: OperatorCall) -> Code:
    """Indices along an axis, which count from the end, too."""
    (count,) = op.known_extents((op["axis"] % op.x.rank,))
    return joined("%", PRODUCT, method(1, "long"), code(count))


SELECTING: Mapping[str, Row] = {
    "ArgMax": extreme("argmax"),
    "ArgMin": extreme("argmin"),
    "GatherElements": Row(gather_elements),
    "GatherND": Row(gather_nd),
    "Hardmax": Row(hardmax),
    "NonZero": Row(lambda op: Code((*method(0, "nonzero").parts, ".T"))),
    "OneHot": Row(one_hot, frozenset({1})),
    "ScatterElements": Row(scatter_elements),
    "ScatterND": Row(scatter_nd),
    "TopK": Row(largest, frozenset({1}), several=True),
}
