"""What a program consists of, as editors list and fold it."""

from collections.abc import Iterator, Sequence

from lsprotocol.types import DocumentSymbol, FoldingRange, FoldingRangeKind, SymbolKind

from ..grammar import ast
from ..grammar.remarks import signature
from ..grammar.source import Span
from .document import Document
from .names import Definition, Kind, Names
from .places import range_of

_KINDS: dict[Kind, SymbolKind] = {
    "block": SymbolKind.Class,
    "function": SymbolKind.Function,
    "value": SymbolKind.Constant,
    "tensor": SymbolKind.Variable,
    "label": SymbolKind.Field,
    "output": SymbolKind.Interface,
    "import": SymbolKind.Module,
}
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")


def symbols(document: Document) -> list[DocumentSymbol]:
    """What a program defines, blocks with what they define."""
    if document.module is None or document.names is None:
        return []
    found = [*_defined(document.names, document.module.statements)]
    return [*found, *_unnamed(document.module.statements)]


def _defined(names: Names, statements: Sequence[ast.Statement]) -> Iterator[DocumentSymbol]:
    blocks = [s.span for s in statements if isinstance(s, ast.BlockStatement)]
    for each in names.definitions:
        inside = [span for span in blocks if span.start < each.span.start < span.end]
        is_outer = each.kind == "block" or not inside
        if each.kind in _KINDS and is_outer:
            yield _symbol(names, each)


def _symbol(names: Names, each: Definition) -> DocumentSymbol:
    syntax = each.syntax
    is_called = isinstance(syntax, ast.BlockStatement | ast.FunctionStatement)
    children = [
        _symbol(names, inner)
        for inner in names.definitions
        if isinstance(syntax, ast.BlockStatement)
        and inner.region == syntax.span
        and inner.kind in _KINDS
    ]
    whole = syntax.span
    return DocumentSymbol(
        each.name,
        _KINDS[each.kind],
        range_of(
            whole if whole.start <= each.span.start and each.span.end <= whole.end else each.span
        ),
        range_of(each.span),
        detail=signature(syntax) if is_called else each.kind,  # type: ignore[arg-type]  # a call
        children=children,
    )


def _unnamed(statements: Sequence[ast.Statement]) -> Iterator[DocumentSymbol]:
    """The network, and how it is trained."""
    for each in statements:
        if isinstance(each, ast.NetStatement):
            name = each.name.literal or each.name.span.text
            yield DocumentSymbol(
                name or "net", SymbolKind.Namespace, range_of(each.span), range_of(each.name.span)
            )
        elif isinstance(each, ast.TrainStatement):
            keyword = Span(each.span.source, each.span.start, each.span.start + len("train"))
            yield DocumentSymbol("train", SymbolKind.Object, range_of(each.span), range_of(keyword))


def folding_ranges(document: Document) -> list[FoldingRange]:
    """Brackets, chains and comments that take several lines."""
    source = document.source
    found: dict[int, FoldingRange] = {}

    def fold(start: int, end: int, kind: FoldingRangeKind | None = None) -> None:
        first, last = source.locate(start)[0] - 1, source.locate(end)[0] - 1
        if last > first and first not in found:
            found[first] = FoldingRange(first, last, kind=kind)

    opened: list[int] = []
    for token in document.tokens:
        if token.value in _OPENING:
            opened.append(token.start_pos)
        elif token.value in _CLOSING and opened:
            start = opened.pop()
            last = source.locate(token.start_pos)[0]
            fold(start, source.line_starts[last - 1] - 1)  # the closing bracket stays
    for statement in document.module.statements if document.module else ():
        fold(statement.span.start, statement.span.end)
    for first, last in _comments(document):
        fold(first, last, FoldingRangeKind.Comment)
    return sorted(found.values(), key=lambda each: each.start_line)


def _comments(document: Document) -> Iterator[tuple[int, int]]:
    """Where comments of several lines start and end."""
    block: list[int] = []
    previous = -1
    for token in document.tokens:
        line = document.source.locate(token.start_pos)[0]
        if token.type == "COMMENT" and block and line == previous + 1:
            block[1] = token.start_pos
        else:
            if block:
                yield block[0], block[1]
            block = [token.start_pos, token.start_pos] if token.type == "COMMENT" else []
        previous = line
    if block:
        yield block[0], block[1]
