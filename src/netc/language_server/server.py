"""The server: what editors send, led to what answers it (Language Server Protocol 3.17, pygls).

Each version of a text is compiled once, when something first asks for it; what is asked while
people type needs its tokens and the last version's names alone.
"""

import asyncio
import os
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer

from .. import __version__
from ..compiler.emit.palette import LIGHT, THEMES
from ..grammar.diagnostics import Diagnostic, NetError
from ..grammar.files import read_source
from ..grammar.formatting.formatter import format_source
from ..grammar.source import Source, Span
from . import completion, fixes, navigation, outline, shapes
from .document import Document
from .hover import hover
from .pictures import PICTURE, picture
from .places import offset_of, position, range_of

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
        """Take a version of a text, and check it once nobody types any more.

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
        """Read anew what imports a text that has changed, or any."""
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
            self.tell(uri, [shown(document, uri, each) for each in document.diagnostics])

    def tell(self, uri: str, found: list[lsp.Diagnostic]) -> None:
        """Show diagnostics beside a text, and which version of it they are of."""
        version = self.versions.get(uri)
        told = lsp.PublishDiagnosticsParams(uri=uri, diagnostics=found, version=version)
        self.text_document_publish_diagnostics(told)


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

    def answers(
        feature: str, options: Any = None
    ) -> Callable[[Callable[[Document, Any], Any]], None]:
        """Lead what is asked of an open text to a function of the text and what is asked."""

        def register(answer: Callable[[Document, Any], Any]) -> None:
            @server.feature(feature, options)
            def respond(params: Any) -> Any:
                document = server.documents.get(params.text_document.uri)
                return None if document is None else answer(document, params)

        return register

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        opened = params.text_document
        server.open(opened.uri, opened.text, opened.version)
        server.refresh(opened.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        document = server.documents.get(uri)
        text = "" if document is None else document.source.text
        for change in params.content_changes:
            text = changed_text(text, change)
        server.open(uri, text, params.text_document.version)
        server.refresh(uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
        server.refresh()

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_files(params: lsp.DidChangeWatchedFilesParams) -> None:
        server.refresh()

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        server.cancel(params.text_document.uri)
        server.documents.pop(params.text_document.uri, None)
        server.versions.pop(params.text_document.uri, None)
        server.tell(params.text_document.uri, [])
        server.refresh()

    @answers(lsp.TEXT_DOCUMENT_HOVER)
    def _(document: Document, params: lsp.HoverParams) -> lsp.Hover | None:
        return hover(document, params.position)

    @answers(
        lsp.TEXT_DOCUMENT_COMPLETION,
        lsp.CompletionOptions(trigger_characters=[">", "(", ",", "=", ".", '"', ":", "/"]),
    )
    def _(document: Document, params: lsp.CompletionParams) -> list[lsp.CompletionItem]:
        return completion.complete(document, params.position)

    @answers(
        lsp.TEXT_DOCUMENT_SIGNATURE_HELP,
        lsp.SignatureHelpOptions(trigger_characters=["(", ",", "="]),
    )
    def _(document: Document, params: lsp.SignatureHelpParams) -> lsp.SignatureHelp | None:
        return completion.signature_help(document, params.position)

    @answers(lsp.TEXT_DOCUMENT_DEFINITION)
    def _(document: Document, params: lsp.DefinitionParams) -> lsp.Location | None:
        return navigation.definition(document, params.text_document.uri, params.position)

    @answers(lsp.TEXT_DOCUMENT_REFERENCES)
    def _(document: Document, params: lsp.ReferenceParams) -> list[lsp.Location]:
        uri, with_definition = params.text_document.uri, params.context.include_declaration
        return navigation.references(
            *(document, uri, params.position),
            with_definition=with_definition,
            others=server.documents,
        )

    @answers(lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def _(document: Document, params: lsp.DocumentHighlightParams) -> list[lsp.DocumentHighlight]:
        uri = params.text_document.uri
        found = navigation.references(document, uri, params.position, with_definition=True)
        return [lsp.DocumentHighlight(each.range) for each in found]

    @answers(lsp.TEXT_DOCUMENT_PREPARE_RENAME)
    def _(document: Document, params: lsp.PrepareRenameParams) -> lsp.Range | None:
        span = navigation.renamed(document, params.position)
        return None if span is None else range_of(span)

    @answers(lsp.TEXT_DOCUMENT_RENAME, lsp.RenameOptions(prepare_provider=True))
    def _(document: Document, params: lsp.RenameParams) -> lsp.WorkspaceEdit:
        uri, name = params.text_document.uri, params.new_name
        try:
            return navigation.rename(document, uri, params.position, name, server.documents)
        except navigation.NotRenamed as reason:
            raise JsonRpcInvalidParams(str(reason)) from None

    @answers(lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def _(document: Document, params: lsp.DocumentSymbolParams) -> list[lsp.DocumentSymbol]:
        return outline.symbols(document)

    @answers(lsp.TEXT_DOCUMENT_FOLDING_RANGE)
    def _(document: Document, params: lsp.FoldingRangeParams) -> list[lsp.FoldingRange]:
        return outline.folding_ranges(document)

    @answers(lsp.TEXT_DOCUMENT_FORMATTING)
    def _(document: Document, params: lsp.DocumentFormattingParams) -> list[lsp.TextEdit] | None:
        return formatted(document.source)

    @answers(lsp.TEXT_DOCUMENT_INLAY_HINT)
    def _(document: Document, params: lsp.InlayHintParams) -> list[lsp.InlayHint]:
        return shapes.inlay_hints(document, params.range)

    @answers(lsp.TEXT_DOCUMENT_CODE_LENS)
    def _(document: Document, params: lsp.CodeLensParams) -> list[lsp.CodeLens]:
        return shapes.code_lenses(document)

    @answers(
        lsp.TEXT_DOCUMENT_CODE_ACTION,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]),
    )
    def _(document: Document, params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        uri, shown = params.text_document.uri, params.context.diagnostics
        return fixes.quick_fixes(document, uri, params.range, shown)

    @server.feature(PICTURE)
    def draw(params: Any) -> dict[str, Any] | None:
        document = server.documents.get(params.textDocument.uri)
        place = lsp.Position(params.position.line, params.position.character)
        theme = THEMES.get(getattr(params, "theme", ""), LIGHT)
        return None if document is None else picture(document, place, theme)

    return server


def formatted(source: Source) -> list[lsp.TextEdit] | None:
    """The change to a program's canonical form; None for a text that does not parse."""
    try:
        text = format_source(source)
    except NetError:
        return None
    if text == source.text:
        return []
    whole = lsp.Range(lsp.Position(0, 0), position(source, len(source.text)))
    return [lsp.TextEdit(whole, text)]
