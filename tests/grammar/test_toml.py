"""TOML with the places of its keys and values."""

import pytest
from support.refusals import refusal

from netc.grammar.diagnostics import NetError
from netc.grammar.source import Source
from netc.grammar.toml import Toml, parse_toml

TEXT = '''# colours
ratio = 1.5
[family.convolution]
fill = "#fff" # x = 1
"two words" = 'y # z'
[kind]
CONV = { fill = "#123", label = "a]}, b" }
FC.fill = """
[layer.no]
label = 2"""
rows = [1, [2, { x = 3 }],
  "]", ]
[layer."block.0"]
label = "é"
[[many]]
first = 1
[[many]]
first = 2'''


def _parsed(text: str) -> Toml:
    return parse_toml(Source("x.toml", text), "E512")


def test_values_stand_where_they_are_said_to() -> None:
    """Every value that is no table has a place, whatever the form of its table."""
    found = _parsed(TEXT)
    assert {".".join(path): span.text for path, span in found.places.items()} == {
        "ratio": "1.5",
        "family.convolution.fill": '"#fff"',
        "family.convolution.two words": "'y # z'",
        "kind.CONV.fill": '"#123"',
        "kind.CONV.label": '"a]}, b"',
        "kind.FC.fill": '"""\n[layer.no]\nlabel = 2"""',
        "kind.rows": '[1, [2, { x = 3 }],\n  "]", ]',
        "layer.block.0.label": '"é"',
        "many.first": "2",
    }
    assert found.values["kind"]["CONV"]["label"] == "a]}, b"


def test_keys_stand_where_they_are_said_to() -> None:
    """A key of a header, of a line or of an inline table has a place."""
    keys = _parsed(TEXT).keys
    places = {path: span.place for path, span in keys.items()}
    assert places["family", "convolution"] == "x.toml:3:9"
    assert places["kind", "CONV", "label"] == "x.toml:7:25"
    assert places["kind", "FC", "fill"] == "x.toml:8:4"
    assert keys["layer", "block.0"].text == '"block.0"'
    assert ("layer", "no") not in keys


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = \n", "`x.toml` is not TOML: invalid value"),
        ("a = 1\na = 2\n", "`x.toml` is not TOML: cannot overwrite a value"),
        ("[a\n", "`x.toml` is not TOML: expected ']' at the end of a table declaration"),
        ("a = " + "[" * 100_000, "`x.toml` nests values too deeply"),
    ],
    ids=["value", "twice", "header", "deep"],
)
def test_what_is_no_toml(text: str, message: str) -> None:
    """It is an error with the place where reading stopped."""
    assert refusal(_parsed, text).startswith(f"error[E512]: {message}")


def test_a_file_of_numbers_without_end() -> None:
    """What Python itself refuses to read is an error, too."""
    with pytest.raises(NetError, match=r"E512.*is not TOML: exceeds the limit"):
        _parsed("a = " + "1" * 5_000)
    assert _parsed("[" + "a." * 20_000 + "a]").keys.keys() == {("a",) * n for n in range(1, 6)}
