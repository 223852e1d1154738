"""Fixes where a call does not take an argument that it is given (E101 to E117)."""

import re
from collections.abc import Iterator
from math import prod

from ....grammar.diagnostics import did_you_mean
from ...expressions.arguments import spell
from ...ir.types import author_extents
from ...layers.layerdef import LAYERS
from .case import Case, Fix

REACH = 8  # how far the nearest number that fits is looked for


def known_label(case: Case) -> Iterator[Fix]:
    """The label that is spelled nearly as one that is not there."""
    if case.blamed is not None and isinstance(case.blamed.value, str):
        labels = [name.rpartition(".")[2] for name in case.state.graph.labels]
        if near := did_you_mean(case.blamed.value, labels):
            yield Fix(near, case.chain(case.replaced(case.blamed, near.split("`")[1])))
        if outside := case.state.outside(case.blamed.value, case.site.scope):
            yield Fix(outside, case.chain(""))
        if LAYERS.get(case.call.spelling) is not None and case.arguments:
            if re.search(rf"\n[ \t]*{re.escape(case.blamed.value)}[ \t]*=(?!=)", _below(case)):
                yield Fix(f"move the line that binds `{case.blamed.value}` above", case.chain(""))
            label = f"`... as {case.blamed.value}`"
            yield Fix(f"label the intended layer, as in {label}", case.chain(""))


def _below(case: Case) -> str:
    """The program's text below a call."""
    return case.call.span.source.text[case.call.span.end :]


def same_elements(case: Case) -> Iterator[Fix]:
    """A size of as many elements as there are, with one extent changed, the last one first."""
    size, own = case.arguments.get("size"), author_extents(case.x.type)
    numbers = [extent for extent in own if isinstance(extent, int)]
    extents = (size,) if isinstance(size, int) else size
    if case.call.spelling != "RESHAPE" or extents is None or len(numbers) < len(own):
        return
    for place in reversed(range(len(extents))):
        extent, rest = divmod(prod(numbers), prod((*extents[:place], *extents[place + 1 :])))
        if not rest:
            fitted = (*extents[:place], extent, *extents[place + 1 :])
            yield case.written(case.changed("size", "x".join(map(str, fitted))))
    yield case.written(case.changed("size", str(prod(numbers))))


def within_input(case: Case) -> Iterator[Fix]:
    """A size that is no larger than the input."""
    size, extents = case.arguments.get("size"), author_extents(case.x.type)[:-1]
    if isinstance(size, tuple) and len(size) == len(extents):
        pairs = zip(size, extents, strict=True)
        fitted = tuple(min(a, b) if isinstance(b, int) else a for a, b in pairs)
        yield case.written(case.changed("size", spell(fitted)))


def up_to_the_end(case: Case) -> Iterator[Fix]:
    """A slice that ends where its axis does."""
    if "stop" in case.arguments:
        yield case.written(case.changed("stop", "end"))


def nearest_number(case: Case) -> Iterator[Fix]:
    """The nearest whole number that is taken, of the same sign unless it must not be negative."""
    number = None if case.blamed is None else case.blamed.value
    if case.blamed is None or not isinstance(number, int) or isinstance(number, bool):
        return
    near = [n for step in range(1, REACH) for n in (number - step, number + step)]
    for other in (-number, *near) if number < 0 else near:
        if number <= 0 or other > 0:
            yield case.written(case.replaced(case.blamed, str(other)))


def without_refused(case: Case) -> Iterator[Fix]:
    """The call without a keyword that is understood, and does not go with what is there."""
    if case.arguments and case.blamed is not None and case.blamed.name is not None:
        yield from without_argument(case)


def without_argument(case: Case) -> Iterator[Fix]:
    """The call without the argument, which has a default or is given already."""
    if case.blamed is not None:
        others = [a.span.text for a in case.call.given if a is not case.blamed]
        listed = f"({', '.join(others)})" if others else ""
        yield case.written(f"{case.call.spelling}{listed}")


def own_weights(case: Case) -> Iterator[Fix]:
    """The layer with its own weights."""
    for fix in without_argument(case):
        yield Fix(f"{fix.help} for weights of its own", fix.chain)


def general_spelling(case: Case) -> Iterator[Fix]:
    """The layer's own name in place of an alias that determines the argument."""
    row = LAYERS.get(case.call.spelling)
    if row is not None and row.preset:
        text = case.call.span.text
        yield case.written(f"{row.name}{text.removeprefix(case.call.spelling)}")


def missing_number(case: Case) -> Iterator[Fix]:
    """A number for the argument that has no default, of a block or a layer."""
    for name in _required(case):
        for sample in TRIED_VALUES:
            call = case.changed(name, str(sample))
            yield Fix(f"give it a value, as in `{call}`", case.chain(call))


TRIED_VALUES = (16, 8, 4, 3, 2)


def _required(case: Case) -> Iterator[str]:
    """The arguments that have no default."""
    row, block = (
        LAYERS.get(case.call.spelling),
        case.site.scope.home.blocks.get(case.call.spelling),
    )
    if row is not None:
        yield from (name for name in row.kinds if name not in row.defaults)
    elif block is not None:
        yield from (p.name for p in block.statement.parameters if p.default is None)
