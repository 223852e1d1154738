"""What following a help makes of a program: each of its ways, as it says, and as one tries it."""

import re
from collections.abc import Iterator

from netc.grammar.diagnostics import Diagnostic
from netc.grammar.translation.call_text import closing

_BODY = re.compile(r"[^\n]*(?:\n[ \t]+[^\n]*)*")  # a line, and those that are indented below
_OPENED = re.compile(r"[A-Za-z_][\w.]*\(")
_CALL = re.compile(r"[\w\"]+")
_WAY = re.compile(
    r"(?P<write>write|as in) (?P<calls>`[^`]+`(?: or `[^`]+`)*)"
    r"|put (?P<before>`[^`]+`) before it"
    r"|(?P<end>end (?:branch(?:es)? [\d, and]+ in `[^`]+`(?: and )?)+)"
)
_END = re.compile(r"branch(?:es)? ([\d, and]+) in `([^`]+)`")
_NESTED = re.compile(r"merge two at a time, `([^`]+)`")


def followed(program: str, diagnostic: Diagnostic) -> list[str]:
    """The programs that the ways of a help lead to, for the chain that the error stands in.

    Branches of the merge stand right before it, in parentheses, and nest no others.
    """
    assert diagnostic.span is not None
    assert diagnostic.help is not None
    start, end = _call_at(program, diagnostic.span.start)
    call = program[start:end]
    merge = _NESTED.search(diagnostic.help)
    programs: list[str] = []
    for way in _WAY.finditer(diagnostic.help):
        if way["end"]:
            opened = program.rindex("( ", 0, start)
            ended = _ended(program[opened + 2 : program.rindex(" )", 0, start)], way["end"])
            text = _filled(merge[1], ended) if merge else f"( {' | '.join(ended)} ) -> {call}"
            programs.append(program[:opened] + text + program[end:])
        elif way["before"]:
            programs.append(f"{program[:start]}{way['before'][1:-1]} -> {program[start:]}")
        else:
            for written in re.findall("`([^`]+)`", way["calls"]):
                begin = program.index("INPUT") if written.startswith("INPUT(") else start
                close = program.index(" ->", begin) if begin != start else end
                programs.append(program[:begin] + written + program[close:])
    if merge and not programs:
        opened = program.rindex("( ", 0, start)
        branches = program[opened + 2 : program.rindex(" )", 0, start)].split(" | ")
        programs.append(program[:opened] + _filled(merge[1], branches) + program[end:])
    return programs


def _call_at(program: str, place: int) -> tuple[int, int]:
    """Where the call starts and ends that an error points at or into."""
    start = max(program.rfind(sign, 0, place + 1) + len(sign) for sign in ("-> ", "\n", "[", "{ "))
    start = 0 if start == place + 1 and not place else start
    name = _CALL.match(program, start)
    end = name.end() if name else start
    return start, closing(program, end) + 1 if program[end : end + 1] == "(" else end


def _ended(branches: str, steps: str) -> list[str]:
    """The branches, those that a help names with the step at their end."""
    parts = branches.split(" | ")
    for numbers, step in _END.findall(steps):
        for number in re.findall(r"\d+", numbers):
            parts[int(number) - 1] += f" -> {step}"
    return parts


def _filled(merge: str, branches: list[str]) -> str:
    """A merge of `branch1`, `branch2` and so on, each the text of a branch."""
    return re.sub(r"branch(\d+)", lambda m: branches[int(m[1]) - 1], merge)


def places(program: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """What a help may replace: what it points at, the call around, the line, its body, or all."""
    yield start, end
    for match in _OPENED.finditer(program, 0, end + 1):
        last = closing(program, match.end() - 1) + 1
        if match.start() <= start and end <= last:
            yield match.start(), last
    line = program.rfind("\n", 0, start) + 1
    yield line, program.index("\n", end) if "\n" in program[end:] else len(program)
    if body := _BODY.match(program, line):
        yield line, body.end()
    yield 0, len(program)
