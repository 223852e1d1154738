"""Hover, definitions, references, renaming, fixes, shapes, outline. `¦` is the cursor."""

from textwrap import dedent

import pytest
from lsprotocol.types import Position, Range
from support.editing import WHOLE, at, edited

from netc.grammar.source import Source
from netc.language_server import fixes, navigation, outline, shapes
from netc.language_server.document import Document
from netc.language_server.hover import hover
from netc.language_server.pictures import picture

URI = "file:///test.net"
LENET = """\
net LeNet5
INPUT(32x32)
  -> CONV(5x5, 6, pad=valid) as c1 -> TANH -> AVGPOOL(2x2)
  -> FC(10)
"""
BLOCKS = """\
let widths = [8, 16]
# Two convolutions.
block Two(c) {
  CONV(3x3, c) -> RELU -> CONV(3x3, c)
}
INPUT(28x28) as x -> for c in widths { Two(c) -> MAXPOOL } -> FC(10) as out
"""

# a text, what is told
TOLD = [
    (LENET.replace("CONV", "CO¦NV"), ["kernel=3, filters=32", "ONNX `Conv`", "156 parameters"]),
    (LENET.replace("CONV", "CO¦NV"), ["32x32x1 → 28x28x6", "117,600 MACs"]),
    (LENET.replace("AVGPOOL", "¦AVGPOOL"), ["`POOL` with `mode=avg`", "14x14x6"]),
    (LENET.replace("TANH", "TA¦NH"), ["28x28x6 → 28x28x6", "receptive field 5x5"]),
    (LENET.replace("pad", "p¦ad"), ["pad=same", "of `CONV`"]),
    (LENET.replace("c1", "c¦1"), ["c1: 28x28x6"]),
    (BLOCKS.replace("in widths", "in wid¦ths"), ["let widths = [8, 16]"]),
    (BLOCKS.replace("{ Two", "{ T¦wo"), ["Two(c)", "Two convolutions.", "2 times"]),
    (BLOCKS.replace("{ Two", "{ T¦wo"), ["28x28x1 → 28x28x8 … 14x14x8 → 14x14x16"]),
    (BLOCKS.replace("MAXPOOL", "MAXP¦OOL"), ["`POOL` with `mode=max`"]),
    ("INPUT(8) -> FC(2)\ntrain {\n  optimizer = sg¦d(lr=0.1)\n}", ["sgd(lr=0.01, momentum=0.0"]),
    ("INPUT(8) -> FC(2)\ntrain {\n  optimizer = sgd(l¦r=0.1)\n}", ["lr=0.01", "positive number"]),
    ("INPUT(8) -> FC(2)\ntrain {\n  opt¦imizer = sgd(lr=0.1)\n}", ["optimizer = sgd(lr=0.1)"]),
    ("let a = ma¦x(2, 3)\nINPUT(8) -> FC(a)", ["max", "numbers"]),
    ('import "lib:resnet.net" as r\nINPUT(32x32x3) -> r.Ba¦sic(64) -> FC(2)', ["Basic("]),
]


@pytest.mark.parametrize(("text", "parts"), TOLD)
def test_what_is_told(text: str, parts: list[str]) -> None:
    """A hover tells what is called, and what comes of it here."""
    found = hover(*at(text))
    assert found is not None
    missing = [part for part in parts if part not in found.contents.value]  # type: ignore[union-attr]
    assert not missing, found.contents.value  # type: ignore[union-attr]  # it is Markdown


@pytest.mark.parametrize("text", ["# CO¦NV", "INPUT(2¦8) -> FC", "¦ INPUT(8)", "INPUT(8) -¦> FC"])
def test_of_the_rest_nothing_is_told(text: str) -> None:
    """Comments, numbers and punctuation have nothing to tell."""
    assert hover(*at(text)) is None


# a text, the text of the definition, how many places use it
DEFINED = [
    (BLOCKS.replace("in widths", "in wid¦ths"), "widths", 1),
    (BLOCKS.replace("{ Two", "{ T¦wo"), "Two", 1),
    (BLOCKS.replace("3x3, c) -> RELU", "3x3, ¦c) -> RELU"), "c", 2),
    (BLOCKS.replace("Two(c) ->", "Two(¦c) ->"), "c", 1),
    ("block B(c) { FC(c) }\nINPUT(8) -> B(¦c=3)", "c", 2),
    ("INPUT(8) as x -> FC(8) as y\n(¦x | y) -> ADD", "x", 1),
    ("let f(x, y=2) = x + ¦y\nINPUT(8) -> FC(f(1))", "y=2", 1),
    ("let f(x, y=2) = x + y\nINPUT(8) -> FC(¦f(1))", "f", 1),
    ("INPUT(8) -> FC(2) as a\nassert params(¦a) == 18", "a", 1),
    ("INPUT(8) -> FC(2) as a\noutput ¦a", "a", 1),
    ("INPUT(8) -> FC(2) as a\noutput b = a\ntrain { loss = {¦b: mse} }", "b", 1),
    ("let a = [i for i in range(3) if ¦i > 0]\nINPUT(8) -> FC(a[0])", "i", 2),
]


@pytest.mark.parametrize(("text", "definition", "uses"), DEFINED)
def test_definitions_and_references(text: str, definition: str, uses: int) -> None:
    """A name leads to where it is given, and to all places that use it."""
    document, place = at(text)
    found = navigation.definition(document, URI, place)
    assert found is not None
    assert found.uri == URI
    line = document.source.text.split("\n")[found.range.start.line]
    assert line[found.range.start.character :].startswith(definition[:1])
    places = navigation.references(document, URI, place, with_definition=True)
    assert found.range in [each.range for each in places]
    assert len(places) == 1 + uses


def test_definitions_in_imported_files() -> None:
    """Blocks and values of an import lead to its file."""
    for text in (
        'import "lib:resnet.net"\nINPUT(32x32x3) -> Ba¦sic(64) -> FC(2)',
        'import "lib:resnet.net" as r\nINPUT(32x32x3) -> r.Ba¦sic(64) -> FC(2)',
    ):
        found = navigation.definition(*_with_uri(at(text)))
        assert found is not None
        assert found.uri.endswith("/lib/resnet.net")


def _with_uri(found: tuple[Document, Position]) -> tuple[Document, str, Position]:
    return found[0], URI, found[1]


def test_a_parameter_is_renamed_with_its_keywords() -> None:
    """Renaming reaches the body and the calls, and nothing that is called alike elsewhere."""
    document, place = at("let c = 9\nblock B(¦c) { FC(c) }\nINPUT(8) -> B(c=c)")
    edits = (navigation.rename(document, URI, place, "units").changes or {})[URI]
    text = edited(document.source.text, list(edits))
    assert text == "let c = 9\nblock B(units) { FC(units) }\nINPUT(8) -> B(units=c)"


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        ("let ¦a = 9\nINPUT(8) -> FC(a)", "for", "a word of the language"),
        ("let ¦a = 9\nINPUT(8) -> FC(a)", "2x", "not a name"),
        ("let ¦a = 9\nlet b = 8\nINPUT(8) -> FC(a)", "b", "is taken"),
        ("block ¦A { FC }\nINPUT(8) -> A", "CONV", "does not fit"),
        ("INPUT(8) -> F¦C(3)", "G", "gives no name here"),
    ],
)
def test_names_that_do_not_fit_are_refused(text: str, name: str, why: str) -> None:
    """A name that would change what the program says is not given."""
    document, place = at(text)
    with pytest.raises(navigation.NotRenamed, match=why):
        navigation.rename(document, URI, place, name)


# a text, what a fix writes, the text then
FIXED = [
    ("INPUT(8) -> FCC(3)", "FC", "INPUT(8) -> FC(3)"),
    ("INPUT(8x8x3) -> CONV(3x3, 8, strid=2)", "stride", "INPUT(8x8x3) -> CONV(3x3, 8, stride=2)"),
    (
        "let width = 3\nINPUT(8) -> FC(widht)",
        "width",
        "let width = 3\nINPUT(8) -> FC(width)",
    ),
    (
        "INPUT(8x8x3) -> CONV(3x3, 8, bias=False)",
        "CONV(3x3, 8, bias=no)",
        "INPUT(8x8x3) -> CONV(3x3, 8, bias=no)",
    ),
]


@pytest.mark.parametrize(("text", "written", "fixed"), FIXED)
def test_help_that_is_an_edit(text: str, written: str, fixed: str) -> None:
    """What a help says to write is offered, and the program is right then."""
    document = Document(Source("test.net", text))
    actions = fixes.quick_fixes(document, URI, WHOLE, [])
    assert actions
    assert actions[0].title == f"Write `{written}`"
    edit = actions[0].edit
    assert edit is not None
    assert edited(text, list((edit.changes or {})[URI])) == fixed
    assert Document(Source("test.net", fixed)).diagnostics == ()


def test_what_mends_nothing_is_not_offered() -> None:
    """Help that only advises is no edit."""
    document = Document(Source("test.net", "INPUT(28x28) -> FC(10)\nassert params == 3"))
    assert document.diagnostics
    assert fixes.quick_fixes(document, URI, WHOLE, []) == []


def test_shapes_stand_behind_steps() -> None:
    """Each step of the text has its shape; of several, the first and the last."""
    hints = {
        (hint.position.line, hint.position.character): hint.label
        for hint in shapes.inlay_hints(Document(Source("test.net", BLOCKS)), WHOLE)
    }
    lines = BLOCKS.split("\n")
    assert hints[3, lines[3].index("RELU") + 4] == "28x28x8 … 14x14x16"
    assert hints[5, lines[5].index(") as x") + 1] == "28x28x1"
    assert hints[5, lines[5].index("MAXPOOL") + 7] == "14x14x8 … 7x7x16"
    assert hints[5, lines[5].index("} ->") + 1] == "7x7x16"
    assert hints[5, lines[5].index("FC(10)") + 6] == "10"
    shown = Range(Position(3, 0), Position(3, 80))
    assert len(shapes.inlay_hints(Document(Source("test.net", BLOCKS)), shown)) == 3


def test_counts_stand_above_networks_and_blocks() -> None:
    """Lenses tell the network's totals and those of a block's calls."""
    lenses = shapes.code_lenses(Document(Source("test.net", BLOCKS)))
    told = {lens.range.start.line: lens.command and lens.command.title for lens in lenses}
    assert told[5] == "10 layers, 12,090 parameters, 1,361,952 MACs".replace(
        "12,090", f"{_params():,}"
    ).replace("1,361,952", f"{_macs():,}")
    assert told[2] == f"2 calls: {_params() - 7850:,} parameters, {_macs() - 7840:,} MACs"


def _params() -> int:
    first = 9 * 8 + 8 + 9 * 8 * 8 + 8
    return first + 9 * 8 * 16 + 16 + 9 * 16 * 16 + 16 + 7850


def _macs() -> int:
    first = 28 * 28 * 9 * (8 + 8 * 8)
    return first + 14 * 14 * 9 * (8 * 16 + 16 * 16) + 7840


def test_half_a_program_keeps_its_shapes() -> None:
    """A line that is being written takes none of the others' shapes away."""
    text = LENET.replace("FC(10)", "FC(")
    hints = shapes.inlay_hints(Document(Source("test.net", text)), WHOLE)
    assert [hint.label for hint in hints] == ["32x32x1", "28x28x6", "28x28x6", "14x14x6"]


def test_outline_and_folds() -> None:
    """Blocks hold what they define; brackets and comments of several lines fold."""
    text = dedent("""\
        # A file
        # of two lines.
        net A
        let n = 3
        block B(c) {
          FC(c) as inner
          let m = 2
        }
        INPUT(8)
          -> B(n) as b
        train {
          batch = 8
        }
        """)
    document = Document(Source("test.net", text))
    found = {each.name: each for each in outline.symbols(document)}
    assert list(found) == ["n", "B", "b", "A", "train"]
    assert [child.name for child in found["B"].children or ()] == ["inner", "m"]
    assert found["B"].detail == "B(c)"
    folds = [(each.start_line, each.end_line) for each in outline.folding_ranges(document)]
    assert folds == [(0, 1), (4, 6), (8, 9), (10, 11)]


@pytest.mark.parametrize(
    ("text", "boxes"),
    [
        ("INPUT(8x8x3) -> CONV -> B¦N -> RELU -> FC(2)", ["bn1"]),
        ("INPUT(8x8x3) -> CONV -> BN -> RELU -> F¦C(2)", ["fc1"]),
        ("block B { C¦ONV -> RELU }\nINPUT(8x8x3) -> B as a -> B as b", ["a.conv1", "b.conv1"]),
        ("block B { CONV -> RELU }\nINPUT(8x8x3) -> ¦B as a -> B as b", ["a.conv1", "a.relu1"]),
        ("¦INPUT(8x8x3) -> CONV", ["input"]),
        ("INPUT(8x8x3) -> CONV\n¦", []),
    ],
)
def test_boxes_of_a_step(text: str, boxes: list[str]) -> None:
    """A layer that is drawn within another's box is there."""
    found = picture(*at(text))
    assert found is not None
    assert found["active"] == boxes
