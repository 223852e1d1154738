"""Einstein summation: products of tensors, summed over the indices that the result lacks."""

from collections import Counter
from collections.abc import Sequence
from string import ascii_letters
from typing import NamedTuple

from ..ir.builder import Builder
from ..ir.dim import Dim, equal
from ..ir.graph import Value
from ..ir.signature import REQUIRED, InferenceError, OpCall
from ..ir.types import BroadcastError, TensorType, broadcast, product
from .building import extent, number, sum_to, vector
from .opdef import Cost, Cotangents, OpDef, Precision, Role, VjpCall, define
from .receptive_field import everything

ELLIPSIS = "..."


class Subscripts(NamedTuple):
    """An equation with its ellipses written out, a letter per axis.

    Attributes:
        inputs: The indices of each argument's axes.
        output: Those of the result.
        dots: Those that stand for the ellipses: there an extent may be 1.
    """

    inputs: tuple[str, ...]
    output: str
    dots: str

    @property
    def spare(self) -> list[str]:
        """Letters that the equation does not use."""
        used = {*"".join(self.inputs), *self.output}
        return [letter for letter in ascii_letters if letter not in used]

    def spelled(self, indices: str) -> str:
        """Indices as an equation has them, with an ellipsis for those that it stands for."""
        return indices.replace(self.dots, ELLIPSIS) if self.dots else indices


def subscripts(equation: str, ranks: Sequence[int]) -> Subscripts:
    """The indices of an equation for arguments of some ranks.

    Without an arrow the result has the ellipsis, and then all letters that occur once, in order.

    Raises:
        InferenceError: The equation does not fit the arguments.
    """
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    wrong = InferenceError(f"Einsum cannot apply `{equation}` to tensors of rank {_listed(ranks)}")
    if len(terms) != len(ranks):
        raise wrong
    covered = [rank - len(t.replace(ELLIPSIS, "")) for t, rank in zip(terms, ranks, strict=True)]
    if any(n < 0 or (n and ELLIPSIS not in t) for t, n in zip(terms, covered, strict=True)):
        raise wrong
    widths = {n for t, n in zip(terms, covered, strict=True) if ELLIPSIS in t} or {0}
    if len(widths) > 1:
        raise wrong
    free = [letter for letter in ascii_letters if letter not in equation]
    dots = "".join(free[: widths.pop()])
    inputs = [term.replace(ELLIPSIS, dots, 1) for term in terms]
    if not arrow:
        single = Counter(left.replace(ELLIPSIS, "").replace(",", ""))
        right = ELLIPSIS + "".join(sorted(letter for letter, n in single.items() if n == 1))
    output = right.replace(ELLIPSIS, dots, 1)
    letters = {*"".join(inputs)}
    if not (letters <= {*ascii_letters} and {*output} <= letters and len({*output}) == len(output)):
        raise wrong
    return Subscripts(tuple(inputs), output, dots)


def _listed(ranks: Sequence[int]) -> str:
    return ", ".join(map(str, ranks))


def infer_einsum(call: OpCall) -> Sequence[TensorType]:
    """Tensors with an index per axis => those of the result; equal indices have equal extents."""
    types = [call.type(i) for i in range(len(call.inputs))]
    if len({type.dtype for type in types}) > 1:
        raise InferenceError(f"Einsum takes one element type, not {' and '.join(map(str, types))}")
    found = subscripts(call.attributes["equation"], [type.rank for type in types])
    extents = _extents(found, types)
    return (types[0].with_shape(extents[index] for index in found.output),)


def _extents(found: Subscripts, types: Sequence[TensorType]) -> dict[str, Dim]:
    """The extent of each index."""
    extents: dict[str, Dim] = {}
    for indices, type in zip(found.inputs, types, strict=True):
        for index, dim in zip(indices, type.shape, strict=True):
            known = extents.setdefault(index, dim)
            if index in found.dots:
                try:
                    (extents[index],) = broadcast([(known,), (dim,)])
                except BroadcastError as mismatch:
                    raise InferenceError(f"Einsum cannot broadcast {known} and {dim}") from mismatch
            elif equal(known, dim) is False:
                raise InferenceError(f"Einsum has {known} and {dim} for the index `{index}`")
    return extents


def einsum_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """A product per argument beyond the first, for each combination of indices; or a sum."""
    types = [call.type(i) for i in range(len(call.inputs))]
    found = subscripts(call.attributes["equation"], [type.rank for type in types])
    combinations = product(_extents(found, types).values())
    if len(types) == 1:
        return Cost(elementwise=combinations)
    return Cost(macs=combinations * (len(types) - 1))


def einsum(build: Builder, call: VjpCall) -> Cotangents:
    """Dx is the product of dy and the other arguments, summed over the indices that x lacks.

    An index that only x has is spread along a vector of ones; one that x has twice takes a unit
    matrix, so that what is off the diagonal gets 0.
    """
    values = [call.input(i) for i in range(len(call.inputs))]
    found = subscripts(call.attributes["equation"], [len(value.shape) for value in values])
    return [
        _gradient(build, call.cotangent, values, found, place) if wanted else None
        for place, wanted in enumerate(call.wanted)
    ]


def _gradient(
    build: Builder, dy: Value, values: Sequence[Value], found: Subscripts, place: int
) -> Value:
    x = values[place]
    factors = [dy, *(value for i, value in enumerate(values) if i != place)]
    terms = [found.output, *(term for i, term in enumerate(found.inputs) if i != place)]
    one, spare = number(build, 1.0, x), iter(found.spare)
    target = "" if found.dots in found.inputs[place] else found.dots
    for axis, index in enumerate(found.inputs[place]):
        side = extent(x, axis)
        if index in target:
            twin = next(spare)
            square = build.Expand(one, vector(build, [side, side]))
            factors.append(build.Trilu(build.Trilu(square, upper=1), upper=0))
            terms.append(index + twin)
            target += twin
            continue
        if not any(index in term for term in terms):
            factors.append(build.Expand(one, vector(build, [side])))
            terms.append(index)
        target += index
    equation = f"{','.join(map(found.spelled, terms))}->{found.spelled(target)}"
    (dx,) = build.op("Einsum", factors, {"equation": equation})
    return sum_to(build, dx, x)


define(
    OpDef(
        "Einsum",
        12,
        precision=Precision.HALF,
        infer=infer_einsum,
        cost=einsum_cost,
        sees=everything,
        attributes={"equation": REQUIRED},
        vjp=einsum,
        roles=(Role.WEIGHT,),
    )
)
