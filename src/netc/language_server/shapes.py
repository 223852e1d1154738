"""Shapes beside the steps that they come of, and counts above networks and blocks."""

from collections.abc import Iterator, Sequence

from lsprotocol.types import CodeLens, Command, InlayHint, Range

from ..compiler.analysis.counts import total
from ..compiler.ir.types import author_size
from ..compiler.lower.state import Tensors
from ..grammar import ast
from ..grammar.source import Span
from ..tables import counted
from .document import Document
from .places import offset_of, position, range_of

NO_COMMAND = ""  # a lens that only shows text


def inlay_hints(document: Document, shown: Range) -> list[InlayHint]:
    """The shape that each step of a part of the text yields; of several, the first and the last."""
    start, end = (offset_of(document.source, place) for place in (shown.start, shown.end))
    hints: list[InlayHint] = []
    for span, turns in document.compiled.trace.items():
        is_here = document.module is not None and span.source is document.module.source
        if not is_here or not start <= span.end <= end:
            continue
        found = list(dict.fromkeys(filter(None, (sizes(turn.went) for turn in turns))))
        if found:
            text = found[0] if len(found) == 1 else f"{found[0]} … {found[-1]}"
            place = position(document.source, span.end)
            hints.append(InlayHint(place, text, padding_left=True))
    return hints


def sizes(tensors: Tensors) -> str:
    """The sizes of tensors as an author writes them."""
    return " | ".join(author_size(tensor.type) for tensor in tensors)


def code_lenses(document: Document) -> list[CodeLens]:
    """Parameters and multiply-accumulates of the network, and of all calls of each block."""
    if document.module is None:
        return []
    return [
        CodeLens(range_of(span), Command(text, NO_COMMAND))
        for span, text in _hints(document, document.module.statements)
    ]


def _hints(document: Document, statements: Sequence[ast.Statement]) -> Iterator[tuple[Span, str]]:
    compiled, source = document.compiled, document.source
    named = next((s.span for s in statements if isinstance(s, ast.NetStatement)), None)
    first = next((s.span for s in statements if isinstance(s, ast.ChainStatement)), None)
    place = named or first or Span(source, 0, 0)
    if compiled.is_whole:
        counts = document.counts
        layers = counted(len(compiled.graph.layers), "layer")
        params, macs = counted(counts.params, "parameter"), counted(counts.macs, "MAC")
        yield place, f"{layers}, {params}, {macs}"
    for statement in statements:
        if isinstance(statement, ast.BlockStatement):
            scopes = [
                path for path, name in compiled.graph.blocks.items() if name == statement.name
            ]
            if scopes:
                yield statement.name_span, _of_calls(document, scopes)


def _of_calls(document: Document, scopes: Sequence[str]) -> str:
    """What the calls of a block hold and cost, all together."""
    prefixes = tuple(f"{scope}." for scope in scopes)
    layers = document.counts.layers
    inside = [counted for path, counted in layers.items() if path.startswith(prefixes)]
    params = sum(counted.params for counted in inside)
    macs = total(counted.macs for counted in inside)
    return f"{counted(len(scopes), 'call')}: {counted(params, 'parameter')}, {counted(macs, 'MAC')}"
