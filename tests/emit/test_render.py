"""Rendering: each format, and what happens where no renderer is there or one fails."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from netc.compiler.emit import render as module
from netc.compiler.emit.render import render
from netc.grammar.diagnostics import NetError

DIAGRAM = "digraph { a [label=<<B>\u00e9 \u00d7 \u00b7</B>>]; a -> b }"
MAGIC = {"svg": b"<?xml", "png": b"\x89PNG\r\n", "pdf": b"%PDF-", "dot": b"digraph"}


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the program `dot`."""
    monkeypatch.setattr(shutil, "which", lambda name: None)


@pytest.mark.parametrize("format", MAGIC)
def test_formats(format: str, tmp_path: Path) -> None:
    """The suffix chooses the format."""
    path = tmp_path / f"net.{format.upper()}"
    render(DIAGRAM, str(path))
    assert path.read_bytes().startswith(MAGIC[format])


def test_format_over_suffix(tmp_path: Path) -> None:
    """A format that is given wins over the suffix."""
    render(DIAGRAM, str(tmp_path / "net.txt"), format="svg")
    assert (tmp_path / "net.txt").read_bytes().startswith(MAGIC["svg"])


@pytest.mark.usefixtures("no_program")
def test_bundled_renderer(tmp_path: Path) -> None:
    """Without the program the Graphviz that pygraphviz brings draws every format."""
    for format in ("svg", "png", "pdf"):
        render(DIAGRAM, str(tmp_path / f"net.{format}"))
        assert (tmp_path / f"net.{format}").read_bytes().startswith(MAGIC[format])
    assert "\u00e9 \u00d7 \u00b7" in (tmp_path / "net.svg").read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_program")
def test_no_renderer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any renderer the error names both remedies; the text itself needs none."""
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(NetError) as caught:
        render(DIAGRAM, str(tmp_path / "net.svg"))
    assert str(caught.value) == (
        "error[E503]: Graphviz is not installed\n"
        "  = help: install it as a part of netc (`pip install 'netc[render]'`), or with your"
        " system's packages (`apt install graphviz`)"
    )
    render(DIAGRAM, str(tmp_path / "net.dot"))
    assert [file.name for file in tmp_path.iterdir()] == ["net.dot"]


@pytest.mark.parametrize(
    ("name", "format", "message"),
    [
        ("net.gif", None, "there is no picture format `gif`"),
        ("net", None, "`{path}` has no suffix"),
        ("net.svg", "jpeg", "there is no picture format `jpeg`"),
    ],
    ids=["suffix", "none", "given"],
)
def test_unknown_formats(name: str, format: str | None, message: str, tmp_path: Path) -> None:
    """A format that is not known is an error that lists those that are."""
    path = str(tmp_path / name)
    with pytest.raises(NetError) as caught:
        render(DIAGRAM, path, format=format)
    assert str(caught.value) == (
        f"error[E505]: {message.format(path=path)}\n"
        "  = help: the formats are `svg`, `png`, `pdf`, `dot`"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def fake_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that stands for `dot`, and is chosen; tests write its text."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setattr(shutil, "which", lambda name: str(folder / name))
    monkeypatch.setenv("NETC_GRAPHVIZ", "dot")
    return folder / "dot"


def _script(path: Path, text: str) -> None:
    path.write_text(f"#!{sys.executable}\n{text}\n", encoding="utf-8")
    os.chmod(path, 0o755)


MARK = "import sys; sys.stdin.read(); print(sys.argv[1:])"
FAILS = "import sys; sys.exit('syntax error in line 1')"


def test_the_program_by_choice(
    fake_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program `dot` draws where it is chosen, and only there."""
    _script(fake_program, MARK)
    path = tmp_path / "net.png"
    render(DIAGRAM, str(path))
    assert path.read_text(encoding="utf-8") == "['-Tpng', '-Gdpi=200']\n"
    for value in ("bundled", ""):
        monkeypatch.setenv("NETC_GRAPHVIZ", value)
        render(DIAGRAM, str(path))
        assert path.read_bytes().startswith(MAGIC["png"])


def test_an_unknown_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A choice that names no Graphviz is an error that lists those that are."""
    monkeypatch.setenv("NETC_GRAPHVIZ", "system")
    with pytest.raises(NetError) as caught:
        render(DIAGRAM, str(tmp_path / "net.svg"))
    assert str(caught.value) == (
        "error[E505]: `NETC_GRAPHVIZ=system` is not a known Graphviz\n"
        "  = help: the values are `bundled` and `dot`"
    )


def test_each_falls_back_on_the_other(
    fake_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the chosen renderer fails, or is not there, the other one draws."""
    path = tmp_path / "net.svg"
    _script(fake_program, FAILS)
    render(DIAGRAM, str(path))
    assert path.read_bytes().startswith(MAGIC["svg"])
    _script(fake_program, MARK)
    monkeypatch.setenv("NETC_GRAPHVIZ", "bundled")
    for broken in ("import sys; sys.exit('no library')", ""):
        monkeypatch.setattr(module, "_PYGRAPHVIZ", broken)
        render(DIAGRAM, str(path))
        assert path.read_text(encoding="utf-8") == "['-Tsvg']\n"
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    render(DIAGRAM, str(path))
    assert path.read_text(encoding="utf-8") == "['-Tsvg']\n"


def test_renderers_that_fail(
    fake_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where both fail, what the chosen one says is passed on, and no file is left."""
    _script(fake_program, FAILS)
    monkeypatch.setattr(module, "_PYGRAPHVIZ", "import sys; sys.exit('no library')")
    with pytest.raises(NetError) as caught:
        render(DIAGRAM, str(tmp_path / "net.svg"))
    assert str(caught.value) == (
        "error[E503]: Graphviz failed to draw the diagram\n  = note: syntax error in line 1"
    )
    assert not (tmp_path / "net.svg").exists()


@pytest.mark.usefixtures("no_program")
def test_a_renderer_that_breaks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a traceback, its last line alone is passed on."""
    monkeypatch.setattr(module, "_PYGRAPHVIZ", "raise OSError('no room')")
    with pytest.raises(NetError) as caught:
        render(DIAGRAM, str(tmp_path / "net.svg"))
    assert caught.value.diagnostics[0].notes == ("OSError: no room",)


def test_a_renderer_that_hangs(
    fake_program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A renderer is stopped after its time."""
    monkeypatch.setattr(module, "LAYOUT_SECONDS", 0.2)
    _script(fake_program, "import threading; threading.Event().wait()")
    with pytest.raises(NetError, match=r"error\[E503\]: Graphviz was stopped after 0.2 seconds"):
        render(DIAGRAM, str(tmp_path / "net.svg"))


@pytest.mark.usefixtures("no_program")
def test_text_that_is_no_diagram(tmp_path: Path) -> None:
    """The bundled renderer's failure is an error of ours, too."""
    with pytest.raises(NetError, match=r"error\[E503\]: Graphviz failed to draw the diagram"):
        render("digraph {", str(tmp_path / "net.svg"))


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """A file that cannot be written is an error."""
    with pytest.raises(NetError, match=r"error\[E004\]"):
        render(DIAGRAM, str(tmp_path / "nowhere" / "net.dot"))
