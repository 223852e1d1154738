"""Matrix products."""

from collections.abc import Sequence

from ..dim import Dim, equal
from ..opdef import Cost, InferenceError, OpCall, defop
from ..types import BroadcastError, Shape, TensorType, broadcast
from .gradients.linear import RULES


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


defop(
    "Gemm",
    infer=infer_gemm,
    cost=gemm_cost,
    attributes={"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
    vjp=RULES["Gemm"],
)
defop("MatMul", infer=infer_matmul, cost=matmul_cost, vjp=RULES["MatMul"])
