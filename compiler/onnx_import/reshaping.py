"""Targets of reshapes, stated so that they hold for any batch."""

from collections.abc import Sequence
from typing import Any

from ..ir.builder import Builder
from ..ir.dim import Dim, equal, substitute
from ..ir.graph import Graph, Node, Value, present
from ..ir.signature import InferenceError
from ..ir.types import Shape
from ..ops.opdef import Operands
from ..passes.rewrite import rewrite_if_any


def stated_targets(graph: Graph) -> Graph:
    """Reshapes to constant targets: 0 keeps an extent, -1 is what is left."""
    return rewrite_if_any(graph, {"Reshape": _stated})


def _stated(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
    x, target = present(operands[:2])
    wanted, known = target_between(x.shape, node.outputs[0].shape), build.known(target)
    literal = node.attributes["allowzero"]
    if wanted is None or (known == wanted and not literal) or (literal and _has_zero(known)):
        return None
    try:
        return (build.Reshape(x, build.index_constant(wanted)),)
    except InferenceError:
        return None


def _has_zero(known: Any) -> bool:
    """Whether a target may ask for an extent of nothing."""
    return not isinstance(known, tuple) or 0 in known


def target_between(before: Shape, after: Shape) -> tuple[int, ...] | None:
    """A target that makes one shape of another; None where several extents are open."""
    target: list[int] = []
    for place, extent in enumerate(after):
        keeps = place < len(before) and before[place] == extent
        if keeps and (place == 0 or not isinstance(extent, int)):
            target.append(0)
        elif isinstance(extent, int):
            target.append(extent)
        else:
            target.append(-1)
    return tuple(target) if target.count(-1) <= 1 and 0 not in after else None


def shaped(build: Builder, x: Value, shape: Shape) -> Value | None:
    """A tensor in another shape; None where no target holds for any batch."""
    if x.shape == shape:
        return x
    target = target_between(x.shape, shape)
    return None if target is None else build.Reshape(x, build.index_constant(target))


def stated_extents(build: Builder, shape: Sequence[Dim]) -> Value | None:
    """A shape whose open extents are read from inputs."""
    parts: list[tuple[Value, int, int] | list[int]] = []
    for extent in shape:
        last = parts[-1] if parts else None
        if isinstance(extent, int):
            known = last if isinstance(last, list) else []
            known.append(extent)
            parts += [] if known is last else [known]
            continue
        found = _input_with(build, extent)
        if found is None:
            return None
        if isinstance(last, tuple) and found == (last[0], last[2]):
            parts[-1] = last[0], last[1], last[2] + 1
        else:
            parts.append((*found, found[1] + 1))
    values = [
        build.index_constant(tuple(part))
        if isinstance(part, list)
        else build.Shape(part[0], start=part[1], end=part[2])
        for part in parts
    ]
    return build.Concat(*values, axis=0) if len(values) > 1 else values[0] if values else None


def _input_with(build: Builder, extent: Dim) -> tuple[Value, int] | None:
    """An input that has an open extent, and its axis."""
    for value in build.graph.inputs.values():
        if extent in value.shape:
            return value, value.shape.index(extent)
    return None


def fitting_target(build: Builder, node: Node, operands: Sequence[Value | None]) -> Value | None:
    """A target as it is, or with one extent that takes up the batch where it does not fit."""
    x, target = present(operands[:2])
    known = build.known(target)
    if not isinstance(known, tuple) or not all(isinstance(extent, int) for extent in known):
        return target
    wanted = node.outputs[0].shape
    for place in (None, *range(len(known))):
        tried = known
        if place is not None:
            tried = tuple(-1 if i == place else abs(e) if e < 0 else e for i, e in enumerate(known))
        if _yields(build, node, x, tried, wanted):
            return target if place is None else build.index_constant(tried)
    return target


def _yields(build: Builder, node: Node, x: Value, target: tuple[int, ...], wanted: Shape) -> bool:
    """Whether a target makes what is wanted of one sample."""
    with build.graph.tentatively():
        try:
            (found,) = build.again(node, (x, build.index_constant(target)))
        except InferenceError:
            return False
    if equal(found.type.size, x.type.size) is not True:  # it holds for one sample only
        return False
    return all(_same(a, b) for a, b in zip(found.shape, wanted, strict=True))


def _same(found: Dim, wanted: Dim) -> bool:
    if isinstance(wanted, int):
        found = substitute(found, {"N": 1})
    return equal(found, wanted) is True
