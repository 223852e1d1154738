"""Offsets in a text <-> lines and columns as the Language Server Protocol counts them."""

from lsprotocol.types import Position, Range

from ..grammar.source import Source, Span


def position(source: Source, offset: int) -> Position:
    """An offset as a line and a column, counted from 0, the column in code units of UTF-16."""
    line, column = source.locate_utf16(offset)
    return Position(line - 1, column - 1)


def offset_of(source: Source, place: Position) -> int:
    """The offset of a line and a column; beyond the text, where it ends."""
    return source.offset_utf16(place.line + 1, place.character + 1)


def range_of(span: Span) -> Range:
    """Where a span starts and ends."""
    return Range(position(span.source, span.start), position(span.source, span.end))
