"""The page of the shipped library is written from its files.

`--update-golden` writes `docs/language/library.md`.
"""

from itertools import takewhile
from pathlib import Path

from netc.grammar import ast
from netc.grammar.parsing.parser import parse
from netc.grammar.remarks import remark, signature
from netc.grammar.source import Source

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "language" / "library.md"
FILES = sorted((ROOT / "specs" / "lib").glob("*.net"))
HEAD = """# The library

Blocks and functions that ship with netc. `import "lib:resnet.net"` makes those of a file known;
weights have the names that the reference implementations give them. What a block takes behind `;`
are tensors. Blocks that are only parts of others are listed, too.
"""


def page() -> str:
    """The page: for each file its heading, and a row for each block and function."""
    return "\n".join([HEAD, *(section(file) for file in FILES)])


def section(file: Path) -> str:
    """A file's part of the page."""
    source = Source(file.name, file.read_text(encoding="utf-8"))
    rows = [
        f"| `{signature(s)}` | {_escaped(remark(source, s.span.start))} |"
        for s in parse(source).statements
        if isinstance(s, ast.BlockStatement | ast.FunctionStatement)
    ]
    opening = _escaped(_opening(source))
    table = "\n".join(["| | |", "|---|---|", *rows])
    return f"## `lib:{file.name}`\n\n{opening}\n\n{table}\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _opening(source: Source) -> str:
    """The comment that opens a file, as one text."""
    lines = takewhile(lambda line: line.startswith("#"), source.text.split("\n"))
    return " ".join(line.removeprefix("#").strip() for line in lines)


def test_the_page_is_what_the_files_give(update_golden: bool) -> None:
    """Each block and each function of the library stands on the page."""
    if update_golden:
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_file_says_what_it_is() -> None:
    """A file of the library begins with what its blocks are of."""
    lacking = [file.name for file in FILES if not section(file).split("\n")[2]]
    assert not lacking, f"no comment opens {', '.join(lacking)}"
