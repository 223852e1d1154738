"""Matrix products, whose gradients are matrix products with what the other factor was."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.dim import Dim, equal
from ..ir.graph import Node, Value
from ..ir.signature import InferenceError, OpCall
from ..ir.types import BroadcastError, Shape, TensorType, broadcast
from .building import reshape_like, sum_to, times
from .opdef import Cost, Cotangents, OpDef, Precision, Role, VjpCall, define
from .receptive_field import Field, elementwise, everything, without


def infer_gemm(call: OpCall) -> Sequence[TensorType]:
    """a (M, K), b (K, N), each transposed on demand => y (M, N)."""
    a, b = _operands(call)
    if len(a) != 2 or len(b) != 2 or equal(a[1], b[0]) is False:
        raise InferenceError(f"Gemm cannot multiply {call.type(0)} and {call.type(1)}")
    return (call.type(0).with_shape((a[0], b[1])),)


def gemm_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """M K N products; the addend is one operation per output element."""
    (y,) = outputs
    a, _ = _operands(call)
    return Cost(macs=y.size * a[1], elementwise=y.size if call.has(2) else 0)


def _operands(call: OpCall) -> tuple[tuple[Dim, ...], tuple[Dim, ...]]:
    a, b = call.type(0).shape, call.type(1).shape
    return (
        a[::-1] if call.attributes["transA"] else a,
        b[::-1] if call.attributes["transB"] else b,
    )


def gemm(build: Builder, call: VjpCall) -> Cotangents:
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


def infer_matmul(call: OpCall) -> Sequence[TensorType]:
    """a (*A, M, K), b (*B, K, N) => y (*broadcast(A, B), M, N); a vector lacks its M or N."""
    a, b = call.type(0), call.type(1)
    if a.dtype != b.dtype:
        raise InferenceError(f"MatMul takes one element type, not {a} and {b}")
    left, right = _as_matrices(a, b)
    if equal(left[-1], right[-2]) is False:
        raise InferenceError(f"MatMul cannot multiply {a} and {b}")
    try:
        batch = broadcast([left[:-2], right[:-2]])
    except BroadcastError as mismatch:
        raise InferenceError(f"MatMul cannot broadcast {a} and {b}") from mismatch
    rows = left[-2:-1] if a.rank > 1 else ()
    columns = right[-1:] if b.rank > 1 else ()
    return (a.with_shape((*batch, *rows, *columns)),)


def matmul_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Each output element takes K products."""
    (y,) = outputs
    return Cost(macs=y.size * call.type(0).shape[-1])


def _as_matrices(a: TensorType, b: TensorType) -> tuple[Shape, Shape]:
    if a.rank == 0 or b.rank == 0:
        raise InferenceError(f"MatMul takes matrices, not {a} and {b}")
    return (
        a.shape if a.rank > 1 else (1, *a.shape),
        b.shape if b.rank > 1 else (*b.shape, 1),
    )


def matmul(build: Builder, call: VjpCall) -> Cotangents:
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


def matrix_product(node: Node, operands: Sequence[Field]) -> Field:
    """A sum over places, as attention's over the keys, sees them all; other places stay."""
    ranks = [value.type.rank for value in node.inputs if value is not None]
    summed = (ranks[0] - 1, max(ranks[1] - 2, 0))
    pairs = zip(operands, summed, strict=True)
    return elementwise(node, [tuple(without(axis, at) for axis in field) for field, at in pairs])


define(
    OpDef(
        "Gemm",
        13,
        precision=Precision.HALF,
        infer=infer_gemm,
        cost=gemm_cost,
        sees=everything,
        attributes={"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
        vjp=gemm,
        roles=(Role.WEIGHT, Role.WEIGHT, Role.BIAS),
        symbol="W x + b",
    ),
    OpDef(
        "MatMul",
        13,
        precision=Precision.HALF,
        infer=infer_matmul,
        cost=matmul_cost,
        sees=matrix_product,
        vjp=matmul,
        roles=(Role.WEIGHT,),
        sign="\N{DOT OPERATOR}",
    ),
)
