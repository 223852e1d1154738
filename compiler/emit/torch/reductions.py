"""Reductions over axes, and Range -> expressions of PyTorch."""

from collections.abc import Mapping

from .code import POSTFIX, Code, call, code, keyword, method, operand, option
from .operator_call import OperatorCall, Row, dims


def reduced(name: str, before: str = "", after: str = "") -> Row:
    """A reduction over axes, of what the method `before` makes, and `after` of what comes out."""

    def write(op: OperatorCall) -> Code:
        y = method(0, before) if before else operand(0, POSTFIX)
        axes = _reduced_axes(op)
        if axes:
            kept = option("keepdim", bool(op["keepdims"]), False)
            y = method(y, name, dims(axes), kept)
        return method(y, after) if after else y

    return Row(write, frozenset({1}))


def _reduced_axes(op: OperatorCall) -> tuple[int, ...]:
    """The axes of a reduction; none where none are to be reduced."""
    given = tuple(op.constant(1) or ())
    return given or (() if op["noop_with_empty_axes"] else tuple(range(op.x.rank)))


def multiplied(op: OperatorCall) -> Code:
    """ReduceProd: of the last axes as one, of others one after the other from the last on."""
    axes = sorted(axis % op.x.rank for axis in _reduced_axes(op))
    if len(axes) > 1 and axes == list(range(axes[0], op.x.rank)):
        y = method(method(0, "flatten", axes[0]), "prod", axes[0])
        kept = ", ".join(["...", *["None"] * len(axes)])
        return Code((*y.parts, f"[{kept}]")) if op["keepdims"] else y
    y = operand(0, POSTFIX)
    for axis in reversed(axes):
        y = method(y, "prod", axis, option("keepdim", bool(op["keepdims"]), False))
    return y


def norm(order: int) -> Row:
    """A norm over axes, of real numbers."""

    def write(op: OperatorCall) -> Code:
        axes = _reduced_axes(op)
        if not axes:
            return method(0, "abs")
        kept = option("keepdim", bool(op["keepdims"]), False)
        return call(
            "torch.linalg.vector_norm",
            operand(0),
            option("ord", order, 2),
            keyword("dim", code(str(dims(axes)))),
            kept,
        )

    return Row(write, frozenset({1}))


def counted(op: OperatorCall) -> Code:
    """Range from 0 to an extent of an operand."""
    (count,) = op.outputs[0].shape
    if op.known[0] != 0 or op.known[2] != 1 or op.outputs[0].dtype.is_float:
        raise NotImplementedError("other numbers than those from 0 on")
    extent = op.extent(count)
    if isinstance(count, int):
        return call("torch.arange", extent)
    (source, *_) = extent.parts
    return call("torch.arange", extent, device=Code((source, ".device")))


def running_sum(op: OperatorCall) -> Code:
    """CumSum, from either end."""
    axis = op.constant(1)
    axis = axis[0] if isinstance(axis, tuple) else axis
    if op["exclusive"]:
        raise NotImplementedError("sums without the element itself")
    y = method(0, "flip", axis) if op["reverse"] else operand(0, POSTFIX)
    y = method(y, "cumsum", axis)
    return method(y, "flip", axis) if op["reverse"] else y


REDUCTIONS: Mapping[str, Row] = {
    "CumSum": Row(running_sum, frozenset({1})),
    "Range": Row(counted, frozenset({0, 1, 2})),
    "ReduceL1": norm(1),
    "ReduceL2": norm(2),
    "ReduceLogSum": reduced("sum", after="log"),
    "ReduceLogSumExp": reduced("logsumexp"),
    "ReduceMax": reduced("amax"),
    "ReduceMean": reduced("mean"),
    "ReduceMin": reduced("amin"),
    "ReduceProd": Row(multiplied, frozenset({1})),
    "ReduceSum": reduced("sum"),
    "ReduceSumSquare": reduced("sum", before="square"),
}
