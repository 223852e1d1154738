"""What a help spells in backticks stands: programs compile, names and command lines exist.

What is a program of its own is compiled as it is, or in the place of what the error points at; a
piece of one in a program that it may belong to.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.advice import followed, places
from support.spelled import A_NAME, SPELLED, compiles, exists, filled, is_command_line

import netc
from netc.grammar.diagnostics import Diagnostic
from netc.grammar.explanations import SITUATIONS

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
SYNTAX = ROOT / "tests" / "grammar" / "syntax_errors.txt"
DIVIDER = "----\n"
WAY = re.compile(
    "put `[^`]+` before it|end branch|merge two"
)  # said of steps that do for one place alone

# What helps spell that is neither of the language nor of the command line.
ELSEWHERE = frozenset(
    {".astype", ".gz", ".csv", ".dot", ".json", ".npz", ".safetensors", "monitor.json"}
    | {
        "0",
        "0.0",
        "t.astype(int)",
        "array.astype('float32')",
        "numpy.savez",
        "cpu",
        "cuda",
        "add",
    }
)


def diagnosed() -> Iterator[tuple[str, Diagnostic]]:
    """The recorded programs, each with what it is answered with and has a help."""
    programs = [case.read_text(encoding="utf-8").partition(DIVIDER)[0] for case in CASES]
    blocks = SYNTAX.read_text(encoding="utf-8").split("====\n")
    programs += [block.partition(f"\n{DIVIDER}")[0] for block in blocks]
    for program in programs:
        try:
            found = netc.compile(program, name="example.net").warnings
        except netc.NetError as failure:
            found = failure.diagnostics
        yield from ((program, diagnostic) for diagnostic in found if diagnostic.help)


def written() -> Iterator[str]:
    """The helps of errors that stand in the source as they are said."""
    for part in ("grammar", "compiler", "runtime", "src/netc"):
        for file in sorted((ROOT / part).rglob("*.py")):
            source = file.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(source)) if "help=" in source else ():
                if not isinstance(node, ast.Call):
                    continue
                values = [k.value for k in node.keywords if k.arg == "help"]
                if values and not ast.unparse(node.func).startswith("click."):
                    yield from (text for value in values for text in _texts(value))


def _texts(value: ast.AST) -> Iterator[str]:
    """The texts in an expression, those with computed parts without what is spelled of these."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.JoinedStr):
        values = [p.value if isinstance(p, ast.Constant) else "\0" for p in value.values]
        pieces = "".join(map(str, values)).split("`")
        spelled = [f"`{piece}`" if "\0" not in piece else "" for piece in pieces[1::2]]
        yield "".join(a + b for a, b in zip(pieces[::2], [*spelled, ""], strict=True))
    else:
        for child in ast.iter_child_nodes(value):
            yield from _texts(child)


DIAGNOSED = [(p, d) for p, d in diagnosed()]
SAID = sorted({text for text in written() if "`" in text})


@pytest.mark.parametrize(("program", "diagnostic"), DIAGNOSED, ids=lambda value: str(value)[:50])
def test_what_the_help_for_a_program_spells(program: str, diagnostic: Diagnostic) -> None:
    """It compiles in the place that it is said for, or exists."""
    assert missing(program, diagnostic) == []


def missing(program: str, diagnostic: Diagnostic) -> list[str]:
    """What a help spells, and is not there."""
    help = diagnostic.help or ""
    if WAY.search(help):
        mended = followed(program, diagnostic)
        return [text for text in mended if not compiles(text)] if mended else [help]
    return [
        spelled
        for spelled in SPELLED.findall(help)
        if not (_fits(spelled, program, diagnostic) or exists(spelled, help, program))
    ]


def _fits(spelled: str, program: str, diagnostic: Diagnostic) -> bool:
    """Whether the program compiles with it in the place of the error."""
    if diagnostic.span is None or A_NAME.search(diagnostic.help or ""):
        return False
    start, end = diagnostic.span.start, diagnostic.span.end
    texts = [
        program[:a] + text + program[b:]
        for text in filled(spelled)
        for a, b in places(program, start, end)
    ]
    return any(compiles(text) or compiles(f"{text}\nINPUT(8) -> FC(3)") for text in texts)


@pytest.mark.parametrize("help", SAID, ids=lambda text: text[:60])
def test_what_a_help_in_the_source_spells(help: str) -> None:
    """Settings, options and names of helps that need files or runs exist, too."""
    spelled = [text for text in SPELLED.findall(help) if text not in ELSEWHERE]
    assert [text for text in spelled if not exists(text, help)] == []


@pytest.mark.parametrize("code", SITUATIONS)
def test_what_an_explanation_spells(code: str) -> None:
    """Layers and command lines of explanations exist."""
    spelled = SPELLED.findall(SITUATIONS[code])
    layers = [text for text in spelled if re.fullmatch(r"[A-Z][A-Z0-9_]+", text)]
    lines = [text for text in spelled if text.startswith(("netc ", "--"))]
    assert [text for text in layers if not exists(text)] == []
    assert [text for text in lines if not is_command_line(text)] == []


@pytest.mark.parametrize(
    ("help", "wrong"),
    [
        ("use `LEAKY_RELU`", "LEAKY_RELU"),
        ("write `CONV(3x3, 8, bais=no)`", "CONV(3x3, 8, bais=no)"),
        ("write `CONV(3x3 8)`", "CONV(3x3 8)"),
        ("set `epoch = 5`", "epoch = 5"),
        ("write `optimizer = sdg(lr=0.1)`", "optimizer = sdg(lr=0.1)"),
        ("give `--alow PATTERN`", "--alow PATTERN"),
        ("see `netc explian E202`", "netc explian E202"),
        ("see `netc check --strikt FILE`", "netc check --strikt FILE"),
        ("write `( a | b ) -> AD`", "( a | b ) -> AD"),
        ("write `let = 3`", "let = 3"),
        ("write `=>`", "=>"),
        ("choose another name, such as `in` or `let`", "`in`"),
    ],
)
def test_a_wrong_help_is_found(help: str, wrong: str) -> None:
    """Helps with a slip spell what does not exist."""
    diagnostic = Diagnostic("E101", "unknown", help=help)
    assert missing("INPUT(8) -> FC(3)", diagnostic)[:1] == [wrong.strip("`")]
