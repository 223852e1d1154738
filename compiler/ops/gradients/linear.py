"""Gradients of matrix products: matrix products with what the other factor was."""

from collections.abc import Mapping, Sequence

from ...builder import Builder
from ...graph import Value
from ...opdef import Vjp, VjpCall
from .shapes import sum_to, times
from .shaping import reshape_like

Parts = Sequence[Value | None]


def gemm(build: Builder, call: VjpCall) -> Parts:
    """y = alpha a b + beta c: alpha dy bT to a, alpha aT dy to b, beta dy to c.

    Where a or b is transposed first, so is its gradient: a bT becomes b aT.
    """
    a, b, dy = call.input(0), call.input(1), call.cotangent
    left, right = call.attributes["transA"], call.attributes["transB"]
    alpha, beta = call.attributes["alpha"], call.attributes["beta"]
    da: Value | None = None
    db: Value | None = None
    dc: Value | None = None
    if call.wanted[0]:
        factors, flags = ((b, dy), (right, 1)) if left else ((dy, b), (0, 1 - right))
        da = build.Gemm(*factors, alpha=alpha, transA=flags[0], transB=flags[1])
    if call.wanted[1]:
        factors, flags = ((dy, a), (1, left)) if right else ((a, dy), (1 - left, 0))
        db = build.Gemm(*factors, alpha=alpha, transA=flags[0], transB=flags[1])
    if len(call.inputs) > 2 and call.wanted[2]:
        total = sum_to(build, dy, call.input(2))
        dc = total if beta == 1 else times(build, total, beta)
    return [da, db, dc]


def matmul(build: Builder, call: VjpCall) -> Parts:
    """y = a b: dy bT to a, and aT dy to b, each summed over the axes that it was broadcast along.

    A vector counts as a matrix of one row or column.
    """
    a, b, dy = call.input(0), call.input(1), call.cotangent
    rows, columns = a, b
    if len(b.shape) == 1:
        columns = build.Unsqueeze(b, build.index_constant((1,)))
        dy = build.Unsqueeze(dy, build.index_constant((-1,)))
    if len(a.shape) == 1:
        rows = build.Unsqueeze(a, build.index_constant((0,)))
        dy = build.Unsqueeze(dy, build.index_constant((-2,)))
    return [
        reshape_like(build, _left(build, rows, columns, dy), a) if call.wanted[0] else None,
        reshape_like(build, _right(build, rows, columns, dy), b) if call.wanted[1] else None,
    ]


def _left(build: Builder, a: Value, b: Value, dy: Value) -> Value:
    if len(dy.shape) == 2 == len(b.shape):
        return build.Gemm(dy, b, transB=1)
    return sum_to(build, build.MatMul(dy, _transposed(build, b)), a)


def _right(build: Builder, a: Value, b: Value, dy: Value) -> Value:
    """With one matrix b for the whole batch, the sum over the batch is in the product."""
    if len(b.shape) == 2 and all(isinstance(y.shape[-1], int) for y in (a, dy)):
        return build.Gemm(_stacked(build, a), _stacked(build, dy), transA=1)
    return sum_to(build, build.MatMul(_transposed(build, a), dy), b)


def _stacked(build: Builder, y: Value) -> Value:
    """The rows of all matrices as one matrix."""
    if len(y.shape) == 2:
        return y
    return build.Reshape(y, build.index_constant((-1, y.shape[-1])))


def _transposed(build: Builder, x: Value) -> Value:
    rank = len(x.shape)
    return build.Transpose(x, perm=(*range(rank - 2), rank - 1, rank - 2))


RULES: Mapping[str, Vjp] = {"Gemm": gemm, "MatMul": matmul}
