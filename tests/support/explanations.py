"""Explanations of diagnostics -> the text that ships with netc, and the manual's page."""

from collections.abc import Iterable

from netc.grammar.explanations import DIVIDER, HEAD, Example, Explanation


def write_examples(examples: Iterable[tuple[str, Example]]) -> str:
    """Examples as one text, which `read_examples` reads."""
    return "\n".join(
        f"{HEAD}{code}\n{example.program}{DIVIDER}{example.answer}" for code, example in examples
    )


def to_markdown(explanations: Iterable[Explanation]) -> str:
    """The manual's page on diagnostics."""
    parts = [INTRODUCTION]
    for explanation in explanations:
        parts.append(f"## {explanation.code}: {explanation.about}\n")
        if explanation.situation is not None:
            parts.append(f"{explanation.situation}\n")
        mark = "" if explanation.code.startswith("W") else " error"
        for example in explanation.examples:
            parts.append(f"```net{mark}\n{example.program}```\n\n```text\n{example.answer}```\n")
    return "\n".join(parts)


INTRODUCTION = """\
# Diagnostics

Every error and warning has a code. `netc explain CODE` prints its part of this page, and
`netc explain` lists all codes. Codes that start with `E` are errors: netc refuses the program, the
file or the run. Codes that start with `W` are warnings; `netc check --strict` makes them errors.

- `E0..`: files and syntax
- `E1..`: names and arguments
- `E2..`: shapes
- `E3..`: expressions and assertions
- `E4..`: limits
- `E5..`, `W5..`: weights, engines, data, output files
- `W1..`: programs that are valid, but probably not what was meant
"""
