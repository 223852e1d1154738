"""Sessions of an editor: texts that change in parts, import each other, and are not saved."""

import asyncio
import random
import re
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from support.editing import WHOLE, Editor, edited, session

from netc.grammar.source import Source
from netc.language_server.places import position
from netc.language_server.server import changed_text
from netc.sources import zoo

URI = "file:///tmp/test.net"
THIS = lsp.TextDocumentIdentifier(URI)


def part(text: str, start: int, end: int, new: str) -> lsp.TextDocumentContentChangePartial:
    """A change of a part of a text, as an editor tells it."""
    source = Source("", text)
    return lsp.TextDocumentContentChangePartial(
        range=lsp.Range(position(source, start), position(source, end)), text=new
    )


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_changes_of_parts(end: str) -> None:
    """Any part may change, beside signs of two code units, form feeds and line separators."""
    chance = random.Random(0)
    text = "# 𝄞 \f \u2028 x\nINPUT(8) -> FC(2)\n# é\n".replace("\n", end)
    for _ in range(300):
        start, stop = sorted(chance.randrange(len(text) + 1) for _ in range(2))
        inside = {place for place in (start, stop) if text[place - 1 : place + 1] == "\r\n"}
        if inside:  # no editor has a cursor there
            continue
        new = chance.choice(["", "->", "𝄞", end, f"a{end}b", "\x85"])
        expected = text[:start] + new + text[stop:]
        assert changed_text(text, part(text, start, stop, new)) == expected
        text = expected


def test_places_beyond_the_text_are_its_end() -> None:
    """An editor that counts otherwise changes the end of a line or of the text."""
    far = lsp.Range(lsp.Position(0, 99), lsp.Position(99, 0))
    change = lsp.TextDocumentContentChangePartial(range=far, text="!")
    assert changed_text("INPUT\nFC", change) == "INPUT!"


async def typed(editor: Editor, text: str, change: Any) -> str:
    """Tell the server of a change; the text then."""
    editor.edition += 1
    editor.news.clear()
    identifier = lsp.VersionedTextDocumentIdentifier(editor.edition, URI)
    editor.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [change]))
    return changed_text(text, change)


def test_a_program_is_typed_character_by_character() -> None:
    """Each key is a change; the server ends with the text that was typed."""

    async def script(editor: Editor) -> None:
        text = ""
        editor.open(URI, text)
        for key in re.findall(r"\r\n|.", "# 𝄞: ü\r\nINPUT(8)\r\n  -> FCC(3)\r\n"):
            text = await typed(editor, text, part(text, len(text), len(text), key))
            if key in "(>":
                place = position(Source("", text), len(text))
                asked = lsp.CompletionParams(THIS, place)
                await editor.text_document_completion_async(asked)
        (found,) = await editor.diagnostics(URI)
        assert found.range == lsp.Range(lsp.Position(2, 5), lsp.Position(2, 8))
        start = text.index("FCC")
        await typed(editor, text, part(text, start, start + 3, "FC"))
        assert not await editor.diagnostics(URI)

    session(script)


def test_a_byte_order_mark_shifts_nothing() -> None:
    """Columns of the first line count the mark that the editor sends."""
    text = "\ufefflet width = 3\r\nINPUT(8) -> FC(width)\r\n"

    async def script(editor: Editor) -> None:
        editor.open(URI, text)
        assert not await editor.diagnostics(URI)
        place = position(Source("", text), text.index("width") + 1)
        found = await editor.text_document_rename_async(lsp.RenameParams(THIS, place, "units"))
        assert found is not None
        edits = list((found.changes or {})[URI])
        assert edited(text, edits) == text.replace("width", "units")

    session(script)


def test_unsaved_files_are_imported_as_they_are_open(tmp_path: Path) -> None:
    """What others import is the open text, with its places, until it is closed or removed."""
    block, program = tmp_path / "b.net", tmp_path / "a.net"
    block.write_text("block B { FC(3) }\n")
    text = 'import "b.net"\nINPUT(8) -> B -> RELU -> FC(2)\n'
    program.write_text(text)
    uri, imported = program.as_uri(), block.as_uri()

    async def script(editor: Editor) -> None:
        async def told() -> list[str]:
            while True:
                if uri in editor.told:
                    return [each.code for each in editor.told.pop(uri)]
                await asyncio.sleep(0.02)

        async def hints() -> list[str]:
            asked = lsp.InlayHintParams(lsp.TextDocumentIdentifier(uri), WHOLE)
            found = await editor.text_document_inlay_hint_async(asked)
            return [str(hint.label) for hint in found or ()]

        editor.open(uri, text)
        assert await told() == []
        assert await hints() == ["8", "3", "3", "2"]
        editor.open(imported, "\nblock B { FC(5) }\n")
        assert await told() == []
        assert await hints() == ["8", "5", "5", "2"]
        asked = lsp.DefinitionParams(lsp.TextDocumentIdentifier(uri), lsp.Position(1, 12))
        found = await editor.text_document_definition_async(asked)
        assert isinstance(found, lsp.Location)
        assert (found.uri, found.range.start) == (imported, lsp.Position(1, 6))
        editor.change(imported, 'import "a.net"\nblock B { FC(5) }\n')
        assert await told() == ["E121"]
        editor.text_document_did_close(
            lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(imported))
        )
        assert await told() == []
        assert await hints() == ["8", "3", "3", "2"]
        block.unlink()
        event = lsp.FileEvent(imported, lsp.FileChangeType.Deleted)
        editor.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams([event]))
        assert await told() == ["E001"]

    session(script)


@pytest.mark.parametrize("named", ["", " as b"])
def test_names_change_in_open_files_that_import_them(tmp_path: Path, named: str) -> None:
    """A block that is renamed is called by its new name where other open files use it."""
    block, program = (tmp_path / "b.net").as_uri(), (tmp_path / "a.net").as_uri()
    (tmp_path / "b.net").write_text("")
    prefix = "b." if named else ""
    texts = {
        block: "block Dense(c) { FC(c) -> RELU }\n",
        program: f'import "b.net"{named}\n'
        f"INPUT(8) -> {prefix}Dense(4) -> {prefix}Dense(c=3) -> FC(2)\n",
    }

    async def script(editor: Editor) -> None:
        for uri, text in texts.items():
            editor.open(uri, text)
        asked = lsp.RenameParams(lsp.TextDocumentIdentifier(block), lsp.Position(0, 7), "Layer")
        found = await editor.text_document_rename_async(asked)
        assert found is not None
        changes = found.changes or {}
        for uri, text in texts.items():
            assert edited(text, list(changes[uri])) == text.replace("Dense", "Layer")
        where = lsp.ReferenceParams(
            lsp.ReferenceContext(include_declaration=True),
            lsp.TextDocumentIdentifier(block),
            lsp.Position(0, 7),
        )
        places = await editor.text_document_references_async(where) or ()
        assert [place.uri for place in places] == [block, program, program]

    session(script)


def test_cancelled_and_late_requests_harm_nothing() -> None:
    """Requests that are withdrawn, or for texts that are not open, leave the server as it is."""

    async def script(editor: Editor) -> None:
        nowhere = lsp.TextDocumentIdentifier("untitled:Untitled-1")
        asked = lsp.HoverParams(nowhere, lsp.Position(3, 3))
        assert await editor.text_document_hover_async(asked) is None
        editor.open(URI, "INPUT(8) -> FC(2)\n")
        for _ in range(5):
            request = editor.text_document_inlay_hint_async(lsp.InlayHintParams(THIS, WHOLE))
            task = asyncio.ensure_future(request)
            await asyncio.sleep(0)
            task.cancel()
        hints = await editor.text_document_inlay_hint_async(lsp.InlayHintParams(THIS, WHOLE))
        assert [hint.label for hint in hints or ()] == ["8", "2"]

    session(script)


def test_very_long_lines() -> None:
    """A line of 100,000 characters is answered."""

    async def script(editor: Editor) -> None:
        chain = "INPUT(8)" + " -> FC(8) -> RELU" * 200
        editor.open(URI, f"{chain} # {'𝄞' * 100_000}\n")
        assert not await editor.diagnostics(URI)
        place = lsp.Position(0, len(chain) - 1)
        told = await editor.text_document_hover_async(lsp.HoverParams(THIS, place))
        assert told is not None

    session(script)


@pytest.mark.slow
def test_half_typed_specs_over_the_wire() -> None:
    """Every request is answered while shipped specs are edited in parts."""
    names = list(zoo())[::4]

    async def script(editor: Editor) -> None:
        for name in names:
            chance = random.Random(name)
            text = zoo()[name].read_text(encoding="utf-8")
            editor.open(URI, text)
            for new in chance.sample(["(", "->", "{", "x =", "CONV(", '"', "𝄞", "train {"], 2):
                start = chance.randrange(len(text))
                text = await typed(editor, text, part(text, start, start + 1, new))
                place = position(Source("", text), start + len(new))
                await ask_everything(editor, place)

    session(script, seconds=300)


async def ask_everything(editor: Editor, place: lsp.Position) -> None:
    """What an editor asks of a place and of the whole text."""
    tabs = lsp.FormattingOptions(2, insert_spaces=True)
    shown = lsp.CodeActionContext([])
    whole = lsp.ReferenceContext(include_declaration=True)
    await editor.text_document_hover_async(lsp.HoverParams(THIS, place))
    await editor.text_document_completion_async(lsp.CompletionParams(THIS, place))
    await editor.text_document_signature_help_async(lsp.SignatureHelpParams(THIS, place))
    await editor.text_document_definition_async(lsp.DefinitionParams(THIS, place))
    await editor.text_document_references_async(lsp.ReferenceParams(whole, THIS, place))
    await editor.text_document_prepare_rename_async(lsp.PrepareRenameParams(THIS, place))
    await editor.text_document_document_symbol_async(lsp.DocumentSymbolParams(THIS))
    await editor.text_document_folding_range_async(lsp.FoldingRangeParams(THIS))
    await editor.text_document_formatting_async(lsp.DocumentFormattingParams(THIS, tabs))
    await editor.text_document_inlay_hint_async(lsp.InlayHintParams(THIS, WHOLE))
    await editor.text_document_code_lens_async(lsp.CodeLensParams(THIS))
    await editor.text_document_code_action_async(lsp.CodeActionParams(THIS, WHOLE, shown))
