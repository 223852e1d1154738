"""What editors ask of an open text, led to what answers it."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from lsprotocol import types as lsp

from ..grammar.diagnostics import NetError
from ..grammar.formatting.formatter import format_source
from ..grammar.records import record
from ..grammar.source import Source
from . import completion, fixes, navigation, outline, shapes
from .document import Document
from .hover import hover
from .places import position, range_of

T = TypeVar("T")


@record
class Question:
    """What an editor asks of an open text, `others` being all that are open, by address."""

    document: Document
    params: Any
    others: Mapping[str, Document]

    @property
    def uri(self) -> str:
        """The text's address."""
        return str(self.params.text_document.uri)

    def at(self, answer: Callable[..., T]) -> T:
        """What a function says of the place that is asked about."""
        return answer(self.document, self.params.position)


def _references(asked: Question) -> list[lsp.Location]:
    return navigation.references(
        *(asked.document, asked.uri, asked.params.position),
        with_definition=asked.params.context.include_declaration,
        others=asked.others,
    )


def _highlights(asked: Question) -> list[lsp.DocumentHighlight]:
    place = asked.params.position
    found = navigation.references(asked.document, asked.uri, place, with_definition=True)
    return [lsp.DocumentHighlight(each.range) for each in found]


def _name_to_replace(asked: Question) -> lsp.Range | None:
    span = asked.at(navigation.renamed)
    return None if span is None else range_of(span)


def _rename(asked: Question) -> lsp.WorkspaceEdit:
    place, name = asked.params.position, asked.params.new_name
    return navigation.rename(asked.document, asked.uri, place, name, asked.others)


def _quick_fixes(asked: Question) -> list[lsp.CodeAction]:
    shown = asked.params.context.diagnostics
    return fixes.quick_fixes(asked.document, asked.uri, asked.params.range, shown)


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


# By what editors ask for: the answer, and the options that they are offered.
ANSWERS: Mapping[str, tuple[Callable[[Question], Any], Any]] = {
    lsp.TEXT_DOCUMENT_HOVER: (lambda asked: asked.at(hover), None),
    lsp.TEXT_DOCUMENT_COMPLETION: (
        lambda asked: asked.at(completion.complete),
        lsp.CompletionOptions(trigger_characters=[">", "(", ",", "=", ".", '"', ":", "/"]),
    ),
    lsp.TEXT_DOCUMENT_SIGNATURE_HELP: (
        lambda asked: asked.at(completion.signature_help),
        lsp.SignatureHelpOptions(trigger_characters=["(", ",", "="]),
    ),
    lsp.TEXT_DOCUMENT_DEFINITION: (
        lambda asked: navigation.definition(asked.document, asked.uri, asked.params.position),
        None,
    ),
    lsp.TEXT_DOCUMENT_REFERENCES: (_references, None),
    lsp.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: (_highlights, None),
    lsp.TEXT_DOCUMENT_PREPARE_RENAME: (_name_to_replace, None),
    lsp.TEXT_DOCUMENT_RENAME: (_rename, lsp.RenameOptions(prepare_provider=True)),
    lsp.TEXT_DOCUMENT_DOCUMENT_SYMBOL: (lambda asked: outline.symbols(asked.document), None),
    lsp.TEXT_DOCUMENT_FOLDING_RANGE: (lambda asked: outline.folding_ranges(asked.document), None),
    lsp.TEXT_DOCUMENT_FORMATTING: (lambda asked: formatted(asked.document.source), None),
    lsp.TEXT_DOCUMENT_INLAY_HINT: (
        lambda asked: shapes.inlay_hints(asked.document, asked.params.range),
        None,
    ),
    lsp.TEXT_DOCUMENT_CODE_LENS: (lambda asked: shapes.code_lenses(asked.document), None),
    lsp.TEXT_DOCUMENT_CODE_ACTION: (
        _quick_fixes,
        lsp.CodeActionOptions(code_action_kinds=[lsp.CodeActionKind.QuickFix]),
    ),
}
