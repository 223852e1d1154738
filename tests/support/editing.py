"""Texts with a cursor, and a session of an editor with `netc lsp`."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from netc.grammar.source import Source
from netc.language_server.document import Document
from netc.language_server.places import position

from .command_line import ENVIRONMENT

CURSOR = "¦"
WHOLE = lsp.Range(lsp.Position(0, 0), lsp.Position(10_000, 0))


def at(text: str) -> tuple[Document, lsp.Position]:
    """A text without its cursor, and where that was."""
    before, cursor, after = text.partition(CURSOR)
    assert cursor, "the text has no cursor"
    source = Source("test.net", before + after)
    return Document(source), position(source, len(before))


def edited(text: str, edits: list[lsp.TextEdit]) -> str:
    """A text after edits, which do not overlap."""
    source = Source("test.net", text)
    for edit in sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character))[::-1]:
        start, end = (
            source.offset_utf16(place.line + 1, place.character + 1)
            for place in (edit.range.start, edit.range.end)
        )
        text = text[:start] + edit.new_text + text[end:]
    return text


class Editor(LanguageClient):
    """An editor that keeps what it is told of each text."""

    def __init__(self) -> None:
        super().__init__("test", "1")
        self.told: dict[str, Any] = {}
        self.news = asyncio.Event()
        self.edition = 1

        def note(params: lsp.PublishDiagnosticsParams) -> None:
            self.told[params.uri] = params.diagnostics
            if params.version in (None, self.edition):  # not of what was there before
                self.news.set()

        self.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(note)

    def open(self, uri: str, text: str) -> None:
        """Open a text."""
        item = lsp.TextDocumentItem(uri, "net", self.edition, text)
        self.text_document_did_open(lsp.DidOpenTextDocumentParams(item))

    def change(self, uri: str, text: str) -> None:
        """Type until a text is another."""
        self.edition += 1
        self.news.clear()
        identifier = lsp.VersionedTextDocumentIdentifier(self.edition, uri)
        change = lsp.TextDocumentContentChangeWholeDocument(text)
        self.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [change]))

    async def diagnostics(self, uri: str) -> Any:
        """What is told of a text once there is news of it."""
        await asyncio.wait_for(self.news.wait(), 20)
        return self.told[uri]


def session(script: Callable[[Editor], Awaitable[None]], *, seconds: float = 60) -> None:
    """Run a script of an editor against a server in a separate process."""

    async def run() -> None:
        editor = Editor()
        await editor.start_io(sys.executable, "-m", "netc", "lsp", "--stdio", env=ENVIRONMENT)
        await editor.initialize_async(lsp.InitializeParams(lsp.ClientCapabilities()))
        editor.initialized(lsp.InitializedParams())
        await script(editor)
        await editor.shutdown_async(None)
        editor.exit(None)
        await editor.stop()  # type: ignore[no-untyped-call]  # of pygls

    asyncio.run(asyncio.wait_for(run(), seconds))
