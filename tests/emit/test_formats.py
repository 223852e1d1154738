"""The format of a picture: by its file's suffix, or as it is asked for."""

from pathlib import Path

import pytest
from support.refusals import refusal

import netc
from netc.choices import Style, format_of
from netc.grammar.diagnostics import NetError

MAGIC = {"svg": b"<?xml", "png": b"\x89PNG\r\n", "pdf": b"%PDF-", "dot": b"digraph"}


@pytest.mark.parametrize("style", ["graph", "backward"])
@pytest.mark.parametrize("format", MAGIC)
def test_formats(format: str, style: Style, tmp_path: Path) -> None:
    """The suffix chooses the format, in capitals, too; no other program takes part."""
    path = tmp_path / f"net.{format.upper()}"
    netc.compile("INPUT(3) -> FC(2)").draw(path, style=style)
    assert path.read_bytes().startswith(MAGIC[format])


def test_format_over_suffix() -> None:
    """A format that is given wins over the suffix."""
    assert format_of("net.png", "SVG") == "svg"


@pytest.mark.parametrize(
    ("name", "format", "message"),
    [
        ("net.gif", None, "there is no picture format `gif`"),
        ("net", None, "`net` has no suffix"),
        ("net.svg", "jpeg", "there is no picture format `jpeg`"),
    ],
    ids=["suffix", "none", "given"],
)
def test_unknown_formats(name: str, format: str | None, message: str) -> None:
    """A format that is not known is an error that lists those that are."""
    assert refusal(format_of, name, format) == (
        f"error[E505]: {message}\n"
        "  = help: the formats are `svg`, `png`, `pdf`, `tex`, `dot`, `mmd`"
    )


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A file that cannot be written is an error."""
    with pytest.raises(NetError, match=r"error\[E004\]"):
        netc.compile("INPUT(3) -> FC(2)").draw(tmp_path / "nowhere" / "net.dot")
