"""Fixes where the branches of a merge do not fit each other (E202)."""

from collections.abc import Iterator, Mapping, Sequence

from ...ir.types import AUTHOR_AXES, TensorType, author_extents
from ...layers.layerdef import LAYERS
from .alike import BranchEnding, alike, grouped, spoken
from .case import Case, Fix


def another_axis(case: Case) -> Iterator[Fix]:
    """The axis along which alone the branches differ."""
    for axis in AUTHOR_AXES.get(case.x.type.rank - 1, ()) if "axis" in case.arguments else ():
        yield case.written(case.changed("axis", axis))


def smaller_branches(case: Case) -> Iterator[Fix]:
    """Steps at the ends of branches; merges of two take more of them in turn."""
    yield from _made_alike(case, avoided="UPSAMPLE")


def larger_branches(case: Case) -> Iterator[Fix]:
    """The same by enlarging, where that is as plain."""
    first = next(alike(_types(case), case.parameters, ignored=_ignored(case)), ())
    if [step.text.partition("(")[0] for step in first if step.text] == ["POOL"]:
        yield from _made_alike(case, avoided="POOL")


def _made_alike(case: Case, *, avoided: str) -> Iterator[Fix]:
    if LAYERS[case.call.spelling].takes != "many":
        return
    for steps in alike(_types(case), case.parameters, ignored=_ignored(case)):
        if not any(avoided in step.text for step in steps) and _agree(case, steps):
            yield from _merged(case, steps)


def _types(case: Case) -> Sequence[TensorType]:
    return [x.type for x in case.site.current]


def _agree(case: Case, steps: Sequence[BranchEnding]) -> bool:
    """Whether branches whose extents are open surely have the same ones after their steps."""
    if all(isinstance(extent, int) for x in case.site.current for extent in x.shape[1:]):
        return True
    sizes = []
    for name, step in zip(case.tensors, steps, strict=True):
        ended = case.lowered(" -> ".join(filter(None, (name, step.text))))
        if ended is None:
            return False
        sizes.append(author_extents(ended[0].type))
    axes = [axis for axis in range(max(map(len, sizes))) if axis != _ignored(case)]
    return all(len({s[axis] for s in sizes if axis < len(s)} - {1}) <= 1 for axis in axes)


def _merged(case: Case, steps: Sequence[BranchEnding]) -> Iterator[Fix]:
    """Branches that end in steps, merged at once or, where only two can be, in turn."""
    call = case.call.span.text
    ended = spoken(steps) if any(step.text for step in steps) else ""
    inner = OF_TWO.get(LAYERS[case.call.spelling].name)
    if len(steps) > 2 and inner is not None:
        names = [f"branch{i}" for i in range(1, len(steps) + 1)]
        turns = f"merge two at a time, `{_nested(names, inner, call)}`"
        parts = [
            grouped([step], {name: None}) for name, step in zip(case.tensors, steps, strict=True)
        ]
        help = f"{turns}, and {ended}" if ended else turns
        yield Fix(help, _nested(parts, inner, call))
    elif ended:
        yield Fix(ended, f"{grouped(steps, case.tensors)} -> {call}")


# Merges of two branches, and what merges all but the last where there are more.
OF_TWO: Mapping[str, str] = {"SUB": "SUB", "DOT": "MUL"}


def _nested(branches: Sequence[str], inner: str, outer: str) -> str:
    """Branches merged two at a time."""
    merged, *others = branches
    for number, other in enumerate(others, start=1):
        merged = f"( {merged} | {other} ) -> {outer if number == len(others) else inner}"
    return merged


def _ignored(case: Case) -> int | None:
    """The author's axis along which a `CONCAT` lets its branches differ."""
    axis = case.arguments.get("axis")
    if isinstance(axis, int) or axis is None:
        return axis
    names = AUTHOR_AXES.get(max(x.type.rank for x in case.site.current) - 1, ())
    return names.index(axis) if axis in names else None


def values_for_keys(case: Case) -> Iterator[Fix]:
    """As many values as keys."""
    if len(case.site.current) != 3:
        return
    pair = _types(case)[1:]
    for steps in alike(pair, case.parameters, ignored=-1):
        steps = [BranchEnding(), *steps]
        yield Fix(spoken(steps), f"{grouped(steps, case.tensors)} -> {case.call.span.text}")
