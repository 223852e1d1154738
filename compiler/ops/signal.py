"""Transforms of signals, and the determinant."""

from collections.abc import Sequence

from ..ir.dim import Dim, unknown
from ..ir.signature import InferenceError, OpCall
from ..ir.types import TensorType
from .opdef import Cost, OpDef, Precision, define
from .receptive_field import everything


def infer_dft(call: OpCall) -> Sequence[TensorType]:
    """x (*A, S, *B, 1 or 2), a length, an axis => y (*A, length, *B, 2), real and imaginary parts.

    With `onesided` half of the frequencies are left out, as the others determine them; inversely,
    these yield a real signal.
    """
    x, axis = call.type(0), call.known(2) if call.has(2) else -2
    if x.rank < 2 or (isinstance(x.shape[-1], int) and x.shape[-1] not in (1, 2)):
        raise InferenceError(f"DFT takes numbers of one or two parts, not {x}")
    onesided, inverse = call.attributes["onesided"], call.attributes["inverse"]
    parts = 1 if onesided and inverse else 2
    if axis is None:
        return (x.with_shape((*(unknown() for _ in x.shape[:-1]), parts)),)
    axis = axis[0] if isinstance(axis, tuple) else axis
    if not -x.rank <= axis < x.rank or axis % x.rank == x.rank - 1:
        raise InferenceError(f"DFT has no axis {axis} in {x}")
    axis %= x.rank
    length = _number(call, 1) if call.has(1) else x.shape[axis]
    if onesided and inverse and not call.has(1):
        length = (x.shape[axis] - 1) * 2
    elif onesided and not inverse:
        length = length // 2 + 1
    return (x.with_shape((*x.shape[:axis], length, *x.shape[axis + 1 : -1], parts)),)


def _number(call: OpCall, index: int) -> Dim:
    """A number among the arguments, which may be a vector of one."""
    known = call.known(index)
    known = known[0] if isinstance(known, tuple) else known
    return unknown() if known is None else known


def transform_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A product per element of the result: the fast algorithm takes a multiple of as many."""
    return Cost(elementwise=outputs[0].size)


def infer_stft(call: OpCall) -> Sequence[TensorType]:
    """A signal (N, S, 1 or 2), a step, a window, a length L => (N, frames, L / 2 + 1, 2)."""
    x, step = call.type(0), _number(call, 1)
    length = call.type(2).shape[0] if call.has(2) else _number(call, 3)
    frames = (x.shape[1] - length) // step + 1 if isinstance(step, int) else unknown()
    bins = length // 2 + 1 if call.attributes["onesided"] else length
    return (x.with_shape((x.shape[0], frames, bins, 2)),)


def infer_determinant(call: OpCall) -> Sequence[TensorType]:
    """Matrices (*A, M, M) => their determinants (*A)."""
    x = call.type(0)
    if x.rank < 2 or not x.dtype.is_float or _differ(*x.shape[-2:]):
        raise InferenceError(f"Det takes square matrices of real numbers, not {x}")
    return (x.with_shape(x.shape[:-2]),)


def _differ(a: Dim, b: Dim) -> bool:
    return isinstance(a, int) and isinstance(b, int) and a != b


def determinant_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """An operation per number and row, as elimination takes."""
    x = call.type(0)
    return Cost(elementwise=x.size * x.shape[-1])


define(
    OpDef(
        "DFT",
        20,
        precision=Precision.FULL,
        infer=infer_dft,
        cost=transform_cost,
        sees=everything,
        attributes={"inverse": 0, "onesided": 0},
    ),
    OpDef(
        "STFT",
        17,
        precision=Precision.FULL,
        infer=infer_stft,
        cost=transform_cost,
        sees=everything,
        attributes={"onesided": 1},
    ),
    OpDef(
        "Det",
        22,
        precision=Precision.FULL,
        infer=infer_determinant,
        cost=determinant_cost,
        sees=everything,
    ),
)
