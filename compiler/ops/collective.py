"""A sum over the ranks of a parallel run, each of which computes the same graph on its own data."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.graph import Value, present
from ..ir.signature import OpCall
from ..ir.types import TensorType
from .opdef import Cotangents, Moves, OpDef, Operands, VjpCall, define, free
from .receptive_field import elementwise

ALL_REDUCE = "netc.AllReduce"


def infer_all_reduce(call: OpCall) -> Sequence[TensorType]:
    """x => y like x."""
    return (call.type(0),)


def all_reduce_vjp(build: Builder, call: VjpCall) -> Cotangents:
    """y = sum_r x_r on each rank, of a loss that is a sum over ranks  =>  dx_r = sum_r dy_r."""
    return [summed(build, call.cotangent)]


def alone(build: Builder, operands: Operands, call: OpCall) -> Sequence[Value]:
    """X: the sum over one rank."""
    (x,) = present(operands)
    return [x]


def summed(build: Builder, x: Value) -> Value:
    """The sum of a value over all ranks, which each of them has: MPI's `Allreduce`."""
    return build.op(ALL_REDUCE, (x,))[0]


# Where there are several ranks, graphs are cut at it: docs/decisions/0034. Alone, it is x.
define(
    OpDef(
        ALL_REDUCE,
        1,
        domain="netc",
        infer=infer_all_reduce,
        cost=free,
        sees=elementwise,
        vjp=all_reduce_vjp,
        view=True,
        moves=Moves.ALL,
        decompose=alone,
    ),
)
