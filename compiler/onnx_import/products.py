"""`Einsum` of two tensors -> a matrix product of their axes, moved."""

from collections.abc import Sequence

from ..ir.builder import Builder
from ..ir.dim import Dim
from ..ir.graph import Node, Value
from ..ir.signature import InferenceError
from ..ir.types import product
from ..ops.einsum import subscripts
from ..ops.opdef import Operands
from .reshaping import shaped


def as_product(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    """Indices of both tensors that stay are the batch of matrices, those that go are summed over.

    None where the equation is another one: traces, sums over an index of one tensor, `...`.
    """
    x, y = operands if len(operands) == 2 else (None, None)
    if x is None or y is None:
        return None
    try:
        found = subscripts(node.attributes["equation"], (x.type.rank, y.type.rank))
    except InferenceError:
        return None
    (a, b), out = found.inputs, found.output
    batch = [i for i in out if i in a and i in b]
    summed = [i for i in a if i in b and i not in out]
    left, right = ([i for i in term if i in out and i not in batch] for term in (a, b))
    whole = sorted((*batch, *summed, *left)) == sorted(a)
    whole = whole and sorted((*batch, *summed, *right)) == sorted(b) and bool(left and right)
    if found.dots or not whole:
        return None
    extents = dict(zip(a, x.shape, strict=True)) | dict(zip(b, y.shape, strict=True))
    rows = [[i] for i in left] if not batch else [left]
    p = _laid(build, x, a, [*([i] for i in batch), *rows, summed], extents)
    q = _laid(build, y, b, [*([i] for i in batch), summed, right], extents)
    if p is None or q is None:
        return None
    z, made = build.MatMul(p, q), [*batch, *left, *right]
    spread = shaped(build, z, tuple(extents[i] for i in made))
    return None if spread is None else (_moved(build, spread, [made.index(i) for i in out]),)


def _laid(
    build: Builder, x: Value, term: str, groups: Sequence[Sequence[str]], extents: dict[str, Dim]
) -> Value | None:
    """A tensor whose axes are groups of indices, in this order."""
    moved = _moved(build, x, [term.index(i) for group in groups for i in group])
    return shaped(build, moved, tuple(product([extents[i] for i in g]) for g in groups))


def _moved(build: Builder, x: Value, perm: Sequence[int]) -> Value:
    return x if list(perm) == sorted(perm) else build.Transpose(x, perm=tuple(perm))
