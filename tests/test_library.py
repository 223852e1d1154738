"""The page of the shipped library is written from its files.

`--update-golden` writes `docs/language/library.md`.
"""

from collections.abc import Iterator
from pathlib import Path

from netc.grammar import ast
from netc.grammar.parsing.parser import parse
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
    module = parse(Source(file.name, file.read_text(encoding="utf-8")))
    remarks = dict(_remarks(module))
    rows = [
        f"| `{signature(s)}` | {remarks.get(s.span.start, '')} |"
        for s in module.statements
        if isinstance(s, ast.BlockStatement | ast.FunctionStatement)
    ]
    opening = remarks.get(-1, "")
    table = "\n".join(["| | |", "|---|---|", *rows])
    return f"## `lib:{file.name}`\n\n{opening}\n\n{table}\n"


def signature(statement: ast.BlockStatement | ast.FunctionStatement) -> str:
    """What a block or a function takes, as its definition says."""
    given = ", ".join(parameter.span.text for parameter in statement.parameters)
    tensors = ", ".join(name.id for name in getattr(statement, "inputs", ()))
    if tensors:
        given = f"{given}; {tensors}"
    return f"{statement.name}({given})" if given else statement.name


def _remarks(module: ast.Module) -> Iterator[tuple[int, str]]:
    """The comments in the lines directly before statements, and under -1 that of the file."""
    lines = module.source.text.split("\n")
    starts = {module.source.text.count("\n", 0, s.span.start): s for s in module.statements}
    for number, statement in starts.items():
        before = number
        while before and lines[before - 1].startswith("#"):
            before -= 1
        if before or number == 0:
            yield statement.span.start, _joined(lines[before:number])
    end = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    yield -1, _joined(lines[:end])


def _joined(lines: list[str]) -> str:
    return " ".join(line.removeprefix("#").strip() for line in lines).replace("|", "\\|")


def test_the_page_is_what_the_files_give(update_golden: bool) -> None:
    """Each block and each function of the library stands on the page."""
    if update_golden:
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_file_says_what_it_is() -> None:
    """A file of the library begins with what its blocks are of."""
    lacking = [file.name for file in FILES if not section(file).split("\n")[2]]
    assert not lacking, f"no comment opens {', '.join(lacking)}"
