"""Operands that were aligned at an axis, and are at the last one since."""

from ..rewriting import Draft, rule


@rule("Add Sub Mul Div Pow And Or Xor Equal Greater Less", since=7)
def aligned(draft: Draft) -> None:
    """`b` was aligned with `a` from `axis` on; without `axis`, at the last, as now."""
    a, b = draft.input(0), draft.input(1)
    axis = draft.int_of("axis", -1) if draft.int_of("broadcast", 0) else -1
    draft.drop("axis", "broadcast")
    if axis >= 0:
        draft.node.input[1] = followed_by_ones(draft, b, a, axis)


@rule("PRelu", since=7)
def slope(draft: Draft) -> None:
    """A slope per channel was aligned at axis 1; a single one was for all."""
    x, slope = draft.input(0), draft.input(1)
    if draft.types.shape(slope) not in ((1,), ()):
        draft.node.input[1] = followed_by_ones(draft, slope, x, 1)


@rule("Gemm", since=7)
def gemm(draft: Draft) -> None:
    """`c` is broadcast where it is smaller."""
    draft.drop("broadcast")


def followed_by_ones(draft: Draft, b: str, a: str, axis: int) -> str:
    """`b` with as many axes of one after its own as align it with `a` from an axis on."""
    ranks = draft.types.rank(a), draft.types.rank(b)
    if ranks[0] is not None and ranks[1] is not None:
        last = ranks[0] - axis
        if last <= ranks[1]:
            return b
        return draft.add("Unsqueeze", b, hint="aligned", axes=list(range(ranks[1], last)))
    after = draft.add("Sub", draft.rank(a), draft.ints([axis], "axis"), hint="after")
    missing = draft.ones(draft.add("Sub", after, draft.rank(b), hint="missing"))
    shape = draft.add("Concat", draft.add("Shape", b, hint="shape"), missing, axis=0)
    return draft.add("Reshape", b, shape, hint="aligned")
