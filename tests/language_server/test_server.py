"""`netc lsp` as an editor drives it, over standard input and output."""

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from support.command_line import netc
from support.editing import WHOLE, Editor, edited, session

from netc.grammar.source import Source
from netc.language_server import completion, fixes, navigation, outline, shapes
from netc.language_server.answers import formatted
from netc.language_server.document import Document
from netc.language_server.hover import hover
from netc.language_server.server import shown
from netc.sources import zoo

URI = "file:///tmp/test.net"
WRONG = "INPUT(28x28)\n  -> CONVV(3x3, 8) -> RELU -> FC(10)\n"
RIGHT = WRONG.replace("CONVV", "CONV")


def test_a_session() -> None:
    """Open, read the error, take the fix, look around, rename, format, close."""

    async def script(editor: Editor) -> None:
        this = lsp.TextDocumentIdentifier(URI)
        editor.open(URI, WRONG)
        (found,) = await editor.diagnostics(URI)
        assert (found.code, found.source) == ("E101", "netc")
        assert found.range == lsp.Range(lsp.Position(1, 5), lsp.Position(1, 10))
        assert found.message == "unknown layer `CONVV`\nhelp: did you mean `CONV`?"
        asked = lsp.CodeActionParams(this, found.range, lsp.CodeActionContext([found]))
        (action,) = await editor.text_document_code_action_async(asked) or ()
        assert isinstance(action, lsp.CodeAction)
        assert action.edit is not None
        text = edited(WRONG, list((action.edit.changes or {})[URI]))
        assert text == RIGHT

        editor.change(URI, text)
        assert not await editor.diagnostics(URI)
        hints = await editor.text_document_inlay_hint_async(lsp.InlayHintParams(this, WHOLE))
        assert [hint.label for hint in hints or ()] == ["28x28x1", "28x28x8", "28x28x8", "10"]
        place = lsp.Position(1, 6)
        told = await editor.text_document_hover_async(lsp.HoverParams(this, place))
        assert told is not None
        assert "80 parameters" in told.contents.value  # type: ignore[union-attr]  # Markdown
        lenses = await editor.text_document_code_lens_async(lsp.CodeLensParams(this))
        assert [lens.command and lens.command.title for lens in lenses or ()] == [
            "4 layers, 62,810 parameters, 119,168 MACs"
        ]
        items = await editor.text_document_completion_async(lsp.CompletionParams(this, place))
        assert items

        editor.change(URI, text.replace("->", "->  "))
        whole = lsp.FormattingOptions(2, insert_spaces=True)
        edits = await editor.text_document_formatting_async(
            lsp.DocumentFormattingParams(this, whole)
        )
        assert edited(text.replace("->", "->  "), list(edits or ())) == text

        editor.change(URI, "INPUT(28x28) -> FC(")
        (found,) = await editor.diagnostics(URI)
        assert found.code == "E013"
        editor.news.clear()
        editor.text_document_did_close(lsp.DidCloseTextDocumentParams(this))
        assert not await editor.diagnostics(URI)

    session(script)


def test_the_diagram_follows_the_cursor() -> None:
    """The picture comes with the boxes of the step; a program with errors has none."""

    async def script(editor: Editor) -> None:
        editor.open(URI, RIGHT)
        asked = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 22}}
        found = await editor.protocol.send_request_async("netc/picture", asked)
        assert found.svg.startswith("<svg")
        assert list(found.active) == ["relu1"]
        editor.change(URI, WRONG)
        assert await editor.protocol.send_request_async("netc/picture", asked) is None

    session(script)


def test_imports_are_read_again_when_files_are_saved(tmp_path: Path) -> None:
    """An error in an imported file stands at the import, and goes when the file is mended."""
    block, program = tmp_path / "b.net", tmp_path / "a b.net"
    block.write_text("block B { CONVV }\n")
    text = 'import "b.net"\nINPUT(8x8x3) -> B -> FC(2)\n'
    program.write_text(text)
    uri = program.as_uri()

    async def script(editor: Editor) -> None:
        editor.open(uri, text)
        (found,) = await editor.diagnostics(uri)
        assert found.range.start == lsp.Position(0, 0)
        assert found.related_information[0].location.uri == block.as_uri()
        block.write_text("block B { CONV }\n")
        editor.news.clear()
        saved = lsp.TextDocumentIdentifier(block.as_uri())
        editor.text_document_did_save(lsp.DidSaveTextDocumentParams(saved))
        assert not await editor.diagnostics(uri)

    session(script)


def test_names_that_cannot_be_given_are_refused_with_a_reason() -> None:
    """The editor shows why a name was not given."""

    async def script(editor: Editor) -> None:
        editor.open(URI, "let a = 3\nINPUT(8) -> FC(a)\n")
        asked = lsp.RenameParams(lsp.TextDocumentIdentifier(URI), lsp.Position(0, 4), "for")
        with pytest.raises(Exception, match="a word of the language"):
            await editor.text_document_rename_async(asked)

    session(script)


def test_without_pygls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra."""
    monkeypatch.delitem(sys.modules, "netc.language_server.server")
    monkeypatch.setitem(sys.modules, "pygls.lsp.server", None)
    outcome = netc("lsp", cwd=tmp_path).failed()
    assert outcome.err.startswith("error[E528]")
    assert "netc[editor]" in outcome.err


def answers(document: Document, places: list[lsp.Position]) -> list[Callable[[], Any]]:
    """All that can be asked of a text."""
    source = document.source
    found: list[Callable[[], Any]] = [
        lambda: [shown(document, URI, each) for each in document.diagnostics],
        lambda: shapes.inlay_hints(document, WHOLE),
        lambda: shapes.code_lenses(document),
        lambda: outline.symbols(document),
        lambda: outline.folding_ranges(document),
        lambda: formatted(source),
    ]
    for place in places:
        found += [
            lambda place=place: hover(document, place),  # type: ignore[misc]  # bound now
            lambda place=place: completion.complete(document, place),  # type: ignore[misc]
            lambda place=place: completion.signature_help(document, place),  # type: ignore[misc]
            lambda place=place: navigation.definition(document, URI, place),  # type: ignore[misc]
            lambda place=place: navigation.renamed(document, place),  # type: ignore[misc]
            lambda place=place: navigation.references(  # type: ignore[misc]
                document, URI, place, with_definition=True
            ),
        ]
    return found


TYPED = ("", "(", "->", "{", "x =", "CONV(", '"', "[", " as ", "# ", "𝄞", "\r\n")


def half_typed(text: str, chance: random.Random) -> str:
    """A text as it is while somebody writes it: cut off, or with a piece in place of another."""
    start = chance.randrange(len(text))
    if chance.random() < 0.4:
        return text[:start]
    return text[:start] + chance.choice(TYPED) + text[start + chance.randrange(12) :]


def check_half_typed(name: str, times: int) -> None:
    """Ask all there is of a spec as it is while somebody writes it."""
    chance = random.Random(name)
    text = zoo()[name].read_text(encoding="utf-8")
    for _ in range(times):
        typed = half_typed(text, chance)
        document = Document(Source(str(zoo()[name]), typed))
        lines = typed.split("\n")
        rows = [chance.randrange(len(lines)) for _ in range(4)]
        places = [lsp.Position(row, chance.randrange(len(lines[row]) + 2)) for row in rows]
        for answer in answers(document, places):
            answer()
        fixes.quick_fixes(document, URI, WHOLE, [])


@pytest.mark.parametrize("name", ["lenet5", "training/digits_mlp", "resnet/resnet18"])
def test_half_typed_texts_are_answered(name: str) -> None:
    """Nothing that can be asked of a half-written text fails."""
    check_half_typed(name, 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo())
def test_half_typed_specs_are_answered(name: str) -> None:
    """Nothing that can be asked of a half-written spec fails."""
    check_half_typed(name, 3)


@pytest.mark.slow
def test_half_typed_specs_lose_little() -> None:
    """Of nearly all half-written texts a tree is found, so that names and shapes stay."""
    chance = random.Random(0)
    texts = [path.read_text(encoding="utf-8") for path in zoo().values()]
    found = [
        Document(Source("test.net", half_typed(text, chance))).module is not None
        for text in texts
        for _ in range(3)
    ]
    assert sum(found) > 0.95 * len(found)
