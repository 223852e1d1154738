"""A weight divided by its largest singular value, and what gradients do not pass."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.graph import Value, present
from ..ir.signature import REQUIRED, InferenceError, OpCall
from ..ir.types import TensorType, product
from .opdef import Moves, OpDef, Operands, define, free, nothing
from .receptive_field import elementwise


def infer_spectral_norm(call: OpCall) -> Sequence[TensorType]:
    """W, and vectors u of its extent on `axis` and v of the product of the others => like W."""
    weight, u, v = (call.type(place) for place in range(3))
    rows = weight.shape[call.attributes["axis"]]
    others = [e for place, e in enumerate(weight.shape) if place != call.attributes["axis"]]
    if u.shape != (rows,) or v.shape != (product(tuple(others)),):
        raise InferenceError(f"{u} and {v} are not singular vectors of {weight}")
    return (weight,)


def infer_like(call: OpCall) -> Sequence[TensorType]:
    """x => y like x."""
    return (call.type(0),)


def itself(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """X, once gradients are there."""
    (x,) = present(operands)
    return [x]


define(
    # Only set_mode determines what this computes, as for stochastic pooling: docs/decisions/0007.
    OpDef(
        "netc.SpectralNorm",
        1,
        domain="netc",
        infer=infer_spectral_norm,
        cost=free,  # a weight costs the same for any number of samples
        sees=elementwise,
        attributes={"axis": REQUIRED, "epsilon": 1e-12},
    ),
    # x, of which nothing is differentiated
    OpDef(
        "netc.Detach",
        1,
        domain="netc",
        infer=infer_like,
        cost=free,
        sees=elementwise,
        vjp=nothing,
        view=True,
        moves=Moves.ALL,
        decompose=itself,
    ),
)
