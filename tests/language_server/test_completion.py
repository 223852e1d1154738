"""What may be written at a place. `¦` is the cursor."""

from dataclasses import replace
from pathlib import Path

import pytest
from lsprotocol.types import MarkupContent
from support.editing import at

from netc.language_server.completion import complete, signature_help
from netc.language_server.document import Document

TWO = "net A\n# Two layers.\nblock Two(c, k=3) {\n  CONV(kernel=k, c)\n}\nINPUT(28x28) as x -> "

# a text, what is offered first and in this order, what is not offered
OFFERED = [
    ("INPUT(28x28) -> CO¦", ["CONCAT", "CONST", "CONV"], ["FC"]),
    ("INPUT(28x28) -> co¦", ["CONCAT", "CONST", "CONV"], ["FC"]),
    ("INPUT(28x28) -> CONV(3x3, st¦", ["stride="], ["filters="]),
    ("INPUT(28x28) -> CONV(3x3, stride=2, ¦)", ["bias=", "bias_value="], ["stride="]),
    ("INPUT(28x28) -> CONV(¦, stride=2)", ["bias="], ["stride="]),
    ("INPUT(28x28) -> CONV(3x3, pad=¦", ["same", "valid"], ["stride="]),
    ("INPUT(28x28) -> CONV(3x3, pad=sa¦)", ["same"], []),
    ("INPUT(28x28) -> CONV(3x3, bias=¦)", ["no", "yes"], []),
    ("INPUT(28x28) -> FC(10)\ntrain {\n  lo¦", ["loss"], []),
    ("INPUT(28x28) -> FC(10)\ntrain {\n  loss = cross¦\n}", ["cross_entropy"], ["CONV"]),
    ("INPUT(28x28) -> FC(10)\ntrain {\n  optimizer = sgd(¦\n}", ["lr=", "momentum="], ["CONV"]),
    ("INPUT(28x28) -> FC(10)\ntrain {\n  batch = 32\n  ep¦\n}", ["epochs"], ["exp"]),
    ("INPUT(28x28) -> FC(10)\ntrain {\n  momentum = lin¦\n}", ["linear"], []),
    ('import "lib:res¦', ["lib:resnet.net"], []),
    (f"{TWO}T¦", ["Two", "TANH"], []),
    (f"{TWO}Two(¦", ["c=", "k="], ["stride="]),
    (f"{TWO}Two(8) as y -> (x | ¦", ["in", "for"], ["let"]),
    ('import "lib:resnet.net" as r\nINPUT(8x8x3) -> r.Ba¦', ["Basic", "Basics"], ["BN"]),
    ("block A { CONV(3x3, in.¦) }\nINPUT(8x8x3) -> A", ["channels"], ["CONV"]),
    ("INPUT(8) -> FC(2)\nassert par¦", ["params"], []),
    ("let widths = [1, 2]\nINPUT(8) -> for i in wi¦ { FC(i) }", ["widths"], []),
    ("let width = 3\nINPUT(8) -> FC(wi¦", ["width"], []),
    ("INPUT(8) as first -> FC(8)\nfir¦", ["first"], []),
    ("bl¦", ["block"], []),
    ("INPUT(8) -> FC(2) as scores\noutput ¦", ["scores"], ["FC", "max"]),
    ("INPUT(8) -> FC(2)\ntrain { metrics = [bal¦] }", ["balanced_accuracy"], []),
    ('INPUT(8) -> op("Sin¦")', ["Sin", "Sinh"], ["Cos"]),
]


@pytest.mark.parametrize(("text", "first", "absent"), OFFERED)
def test_what_is_offered(text: str, first: list[str], absent: list[str]) -> None:
    """What fits comes, in the order in which editors show it, and what does not fit stays away."""
    items = complete(*at(text))
    labels = [item.label for item in sorted(items, key=lambda i: i.sort_text or i.label)]
    assert [label for label in labels if label in first][: len(first)] == sorted(
        first, key=labels.index
    )
    assert labels[0] in first
    assert not set(absent) & set(labels)


def test_files_are_offered(tmp_path: Path) -> None:
    """Imports name programs, and data any file, below the folder of the text."""
    for name in ("b.net", "t.csv", "data/x.npz", ".hidden.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    for text, names in [
        ('import "¦"', ["b.net", "data/"]),
        ('INPUT(2) -> FC(1)\ntrain { data = csv("¦") }', ["b.net", "data/", "t.csv"]),
        ('INPUT(2) -> FC(1)\ntrain { data = npz("data/¦', ["data/x.npz"]),
        ('INPUT(2) -> FC(1)\ntrain { data = csv("t.csv", target="¦', []),
        ('INPUT(2) -> FC(1, init="¦', []),
    ]:
        document, place = at(text)
        source = replace(document.source, name=str(tmp_path / "a.net"))
        found = [item.label for item in complete(Document(source), place)]
        assert [name for name in found if not name.startswith("lib:")] == names


@pytest.mark.parametrize("text", ["# CO¦", 'net "A¦', "net A¦ -> CONV"])
def test_nothing_is_offered_in_comments_and_strings(text: str) -> None:
    """What the author writes freely is left alone."""
    assert complete(*at(text)) == []


def test_items_say_what_they_take() -> None:
    """An item shows the call with its defaults, and what it does."""
    (item,) = (each for each in complete(*at(f"{TWO}Tw¦")) if each.label == "Two")
    assert item.detail == "Two(c, k=3)"
    assert isinstance(item.documentation, MarkupContent)
    assert item.documentation.value == "Two layers."


# a text, the active argument
ACTIVE = [
    ("INPUT(28x28) -> CONV(¦", "kernel=3"),
    ("INPUT(28x28) -> CONV(3x3, ¦", "filters=32"),
    ("INPUT(28x28) -> CONV(3x3, stride=¦", "stride=1"),
    ("INPUT(28x28) -> CONV(3x3, 8, pad=(1, ¦", "pad=same"),
    ("INPUT(8) -> FC(2)\ntrain { optimizer = sgd(lr=0.1, momentum=¦", "momentum=0.0"),
    (f"{TWO}Two(8, ¦)", "k=3"),
]


@pytest.mark.parametrize(("text", "argument"), ACTIVE)
def test_the_argument_that_is_written_is_marked(text: str, argument: str) -> None:
    """Signature help follows the cursor through the arguments."""
    found = signature_help(*at(text))
    assert found is not None
    assert found.active_parameter is not None
    parameters = found.signatures[0].parameters
    assert parameters is not None
    assert parameters[found.active_parameter].label == argument


@pytest.mark.parametrize("text", ["INPUT(8) -> ¦FC(2)", "INPUT(8) -> NOLAYER(¦", "# CONV(¦"])
def test_no_call_no_help(text: str) -> None:
    """Outside of calls, and in those of what is not known, there is nothing to show."""
    assert signature_help(*at(text)) is None
