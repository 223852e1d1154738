"""The server: what editors send, and which texts are open (Language Server Protocol 3.17, pygls).

Each version of a text is compiled once, when something first asks for it; what is asked while
people type needs its tokens and the last version's names alone.
"""

import asyncio
import os
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from .. import __version__
from ..compiler.emit.palette import LIGHT, THEMES
from ..grammar.diagnostics import Diagnostic
from ..grammar.files import read_source
from ..grammar.source import Source, Span
from . import navigation
from .answers import ANSWERS, Question
from .document import Document
from .pictures import PICTURE, picture
from .places import offset_of, range_of

PAUSE = 0.15  # seconds without a change after which a text is checked
SEVERITIES = {
    "error": lsp.DiagnosticSeverity.Error,
    "warning": lsp.DiagnosticSeverity.Warning,
}


class Server(LanguageServer):
    """The open texts by address, and the checks that are due."""

    def __init__(self) -> None:
        super().__init__("netc", __version__, lsp.TextDocumentSyncKind.Incremental)
        self.documents: dict[str, Document] = {}
        self.versions: dict[str, int] = {}
        self._due: dict[str, asyncio.TimerHandle] = {}

    def open(self, uri: str, text: str, version: int) -> None:
        """Take a version of a text, and check it once typing has paused.

        A byte-order mark becomes a space, which takes as much room.
        """
        if text.startswith("\ufeff"):
            text = f" {text[1:]}"
        self.documents[uri] = Document(Source(path_of(uri), text), self.read)
        self.versions[uri] = version
        self.cancel(uri)
        self._due[uri] = asyncio.get_running_loop().call_later(PAUSE, self.check, uri)

    def read(self, path: str) -> Source:
        """A file as it is open, or else as it is saved.

        Raises:
            NetError: It cannot be read.
        """
        real = os.path.realpath(path)
        for document in self.documents.values():
            if os.path.realpath(document.source.name) == real:
                return Source(path, document.source.text)
        return read_source(path)

    def refresh(self, changed: str | None = None) -> None:
        """Read again what imports a text that has changed, or any."""
        for uri, document in list(self.documents.items()):
            if uri != changed and _IMPORT.search(document.source.text):
                self.open(uri, document.source.text, self.versions[uri])

    def cancel(self, uri: str) -> None:
        """Drop the check of a text that is due."""
        due = self._due.pop(uri, None)
        if due is not None:
            due.cancel()

    def check(self, uri: str) -> None:
        """Tell what is wrong in a text."""
        self.cancel(uri)
        document = self.documents.get(uri)
        if document is not None:
            self.publish(uri, [shown(document, uri, each) for each in document.diagnostics])

    def publish(self, uri: str, found: list[lsp.Diagnostic]) -> None:
        """Show diagnostics beside a text, and which version of it they are of."""
        version = self.versions.get(uri)
        params = lsp.PublishDiagnosticsParams(uri=uri, diagnostics=found, version=version)
        self.text_document_publish_diagnostics(params)


_IMPORT = re.compile(r'^import[ \t]*"[^"\n]*"', re.MULTILINE)


def changed_text(text: str, change: lsp.TextDocumentContentChangeEvent) -> str:
    """A text after a change of a part of it, or of all.

    Lines end where netc ends them; pygls takes form feeds and the like for ends of lines, too.
    """
    if isinstance(change, lsp.TextDocumentContentChangeWholeDocument):
        return change.text
    source = Source("", text)
    start, end = (offset_of(source, place) for place in (change.range.start, change.range.end))
    return text[:start] + change.text + text[max(start, end) :]


def path_of(uri: str) -> str:
    """The path of a file's address; what is no file yet keeps its address as a name."""
    parts = urlsplit(uri)
    return url2pathname(unquote(parts.path)) if parts.scheme == "file" else uri


def shown(document: Document, uri: str, found: Diagnostic) -> lsp.Diagnostic:
    """A diagnostic as editors show it; one of an imported file stands at the import."""
    span = _place(document, found)
    notes = [f"note: {note}" for note in found.notes]
    help = [] if found.help is None else [f"help: {found.help}"]
    pointers = [(each.span, each.text) for each in found.also]
    if found.span is not None and found.span.source.name != document.source.name:
        pointers.insert(0, (found.span, "here"))
    related = [
        lsp.DiagnosticRelatedInformation(
            lsp.Location(navigation.uri_of(place.source, document, uri), range_of(place)), text
        )
        for place, text in pointers
    ]
    return lsp.Diagnostic(
        range_of(span),
        "\n".join([found.message, *notes, *help]),
        severity=SEVERITIES[found.severity],
        code=found.code,
        source="netc",
        related_information=related or None,
    )


def _place(document: Document, found: Diagnostic) -> Span:
    """Where a diagnostic stands in a text: of an imported file, at the first import."""
    if found.span is not None and found.span.source.name == document.source.name:
        return Span(document.source, found.span.start, found.span.end)
    match = _IMPORT.search(document.source.text)
    return Span(document.source, *(match.span() if match else (0, 0)))


def make_server() -> Server:
    """A server that answers all that netc knows of programs."""
    server = Server()
    for feature, (answer, options) in ANSWERS.items():
        server.feature(feature, options)(partial(_respond, server, answer))
    for feature, follow in NOTIFICATIONS.items():
        server.feature(feature)(partial(follow, server))

    @server.feature(PICTURE)
    def draw(params: Any) -> dict[str, Any] | None:
        document = server.documents.get(params.textDocument.uri)
        place = lsp.Position(params.position.line, params.position.character)
        theme = THEMES.get(getattr(params, "theme", ""), LIGHT)
        return None if document is None else picture(document, place, theme)

    return server


def _respond(server: Server, answer: Callable[[Question], Any], params: Any) -> Any:
    document = server.documents.get(params.text_document.uri)
    if document is None:
        return None
    try:
        return answer(Question(document, params, server.documents))
    except navigation.NotRenamed as reason:
        raise JsonRpcInvalidParams(str(reason)) from None


def _did_open(server: Server, params: lsp.DidOpenTextDocumentParams) -> None:
    opened = params.text_document
    server.open(opened.uri, opened.text, opened.version)
    server.refresh(opened.uri)


def _did_change(server: Server, params: lsp.DidChangeTextDocumentParams) -> None:
    uri = params.text_document.uri
    document = server.documents.get(uri)
    text = "" if document is None else document.source.text
    for change in params.content_changes:
        text = changed_text(text, change)
    server.open(uri, text, params.text_document.version)
    server.refresh(uri)


def _did_close(server: Server, params: lsp.DidCloseTextDocumentParams) -> None:
    uri = params.text_document.uri
    server.cancel(uri)
    server.documents.pop(uri, None)
    server.versions.pop(uri, None)
    server.publish(uri, [])
    server.refresh()


# What editors notify of, and what follows from it.
NOTIFICATIONS: Mapping[str, Callable[[Server, Any], None]] = {
    lsp.TEXT_DOCUMENT_DID_OPEN: _did_open,
    lsp.TEXT_DOCUMENT_DID_CHANGE: _did_change,
    lsp.TEXT_DOCUMENT_DID_SAVE: lambda server, params: server.refresh(),
    lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES: lambda server, params: server.refresh(),
    lsp.TEXT_DOCUMENT_DID_CLOSE: _did_close,
}
