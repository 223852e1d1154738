"""The table of ways to clip gradients: what becomes of all gradients before the optimizer."""

from collections.abc import Sequence

from ..expressions.arguments import PositiveReal
from ..ir.builder import Builder
from ..ir.graph import Value
from ..ops.building import number, plus
from .terms import Term, TermDef, TermTable

# A row's function is `function(build, gradients, **arguments)`, as many gradients of their types.
CLIPPING = TermTable("clip", "clipping", TermDef)

LEAST = 1e-6  # what PyTorch adds to the norm, which may be 0


@CLIPPING.enter("norm", numbers=("limit",))
def norm(build: Builder, gradients: Sequence[Value], *, limit: PositiveReal) -> list[Value]:
    """All gradients times limit / norm where their norm together is above the limit.

    Pascanu, Mikolov and Bengio 2013; PyTorch's `clip_grad_norm_`.
    """
    first = gradients[0]
    sums = [build.ReduceSum(build.Mul(each, each), keepdims=0) for each in gradients]
    total = build.Sqrt(sums[0] if len(sums) == 1 else build.Sum(*sums))
    share = build.Div(number(build, limit, first), plus(build, total, LEAST))
    factor = build.Min(share, number(build, 1.0, first))
    return [build.Mul(each, factor) for each in gradients]


@CLIPPING.enter("value", numbers=("limit",))
def value(build: Builder, gradients: Sequence[Value], *, limit: PositiveReal) -> list[Value]:
    """Each number of a gradient, at most the limit and at least its negative.

    PyTorch's `clip_grad_value_`.
    """
    bounds = [number(build, bound, gradients[0]) for bound in (-limit, limit)]
    return [build.Clip(each, *bounds) for each in gradients]


def clipped(build: Builder, gradients: Sequence[Value], term: Term | None) -> Sequence[Value]:
    """Gradients as the optimizer gets them."""
    if term is None or not gradients:
        return gradients
    row = CLIPPING[term.name]
    found: list[Value] = row.function(build, gradients, **row.settled(term.arguments))
    return found
