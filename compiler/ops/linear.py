"""Matrix products."""

from collections.abc import Sequence

from ..dim import Dim, equal
from ..opdef import Cost, InferenceError, OpCall, defop
from ..types import TensorType


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


defop(
    "Gemm",
    infer=infer_gemm,
    cost=gemm_cost,
    attributes={"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 0},
)
