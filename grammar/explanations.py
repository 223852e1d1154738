"""Diagnostic codes to explanations: what each is about, and programs that it answers.

The programs stand in `explanations.txt`, which `tests/diagnostics` writes from its cases.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from .codes import CODES

# What happened, for codes that take files, weights or engines rather than a program.
SITUATIONS: Mapping[str, str] = {
    "E001": "The path is wrong, names a folder, or may not be read; or the zoo has no such spec.",
    "E002": "The file was saved in another encoding. The message names the first byte that does "
    "not fit; save the file as UTF-8.",
    "E004": "The folder is missing or may not be written to, or the disk is full. What stood "
    "under the name before is untouched.",
    "E121": "A file imports itself, directly or through others. Move what both need to a third "
    "file, and import that.",
    "E206": "An array that the network is run on has another number of axes, other extents or "
    "another type than the input. Images are (N, C, H, W), sequences (N, L, C), tokens (N, L).",
    "E403": "A file holds more than 10 MiB, or a label with those around it more than 1,000 "
    "characters. Write repeated parts with `[...]*n`, `for` or a block.",
    "E501": "Weights are missing, unexpected, or of the wrong shape or type. Names follow "
    "PyTorch's `state_dict`: a label in the program is the first part of a weight's name.",
    "E502": "The engine is not installed, or the device is not there. netc never falls back to "
    "another one: a run on the CPU that was meant for a GPU would go unnoticed.",
    "E503": "No Graphviz was found to draw with. Install the extra `render`, or write `.dot`.",
    "E504": "NumPy and onnxruntime computed different results from the same model. The message "
    "names the first value that differs; please report it.",
    "E505": "A file's suffix or content is of no format that netc reads or writes there.",
    "E506": "onnx or onnxruntime refuses the model. The notes are in their words.",
    "E507": "The arrays of one run do not fit into memory. Run smaller batches or smaller inputs.",
    "E509": "ONNX models are written with opset 22 or above, as far as the installed onnx goes.",
    "E510": "Two names differ in the program, and would be the same in the format. Rename one.",
    "E511": "A style, theme, direction or depth of diagrams is not known.",
    "W501": "The diagram was written as `.dot`, since nothing that renders it was found.",
}

_HEAD = "==== "
_DIVIDER = "----\n"


@dataclass(frozen=True, slots=True)
class Example:
    """A program, and the rendered diagnostics that it is answered with."""

    program: str
    answer: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a code is about: in a line, in words where no program shows it, and by example."""

    code: str
    about: str
    situation: str | None
    examples: tuple[Example, ...]


def explain(code: str) -> Explanation:
    """The explanation of a code.

    Raises:
        KeyError: There is no such code.
    """
    return Explanation(code, CODES[code], SITUATIONS.get(code), _examples().get(code, ()))


@cache
def _examples() -> Mapping[str, tuple[Example, ...]]:
    return read_examples((files(__package__) / "explanations.txt").read_text(encoding="utf-8"))


def read_examples(text: str) -> dict[str, tuple[Example, ...]]:
    """Examples by code, as `write_examples` wrote them."""
    found: dict[str, tuple[Example, ...]] = {}
    for part in f"\n{text}".split(f"\n{_HEAD}")[1:]:
        code, _, rest = part.partition("\n")
        program, _, answer = rest.partition(_DIVIDER)
        found[code] = (*found.get(code, ()), Example(program, answer.rstrip("\n") + "\n"))
    return found


def write_examples(examples: Iterable[tuple[str, Example]]) -> str:
    """Examples as one text, which `read_examples` reads."""
    return "\n".join(
        f"{_HEAD}{code}\n{example.program}{_DIVIDER}{example.answer}" for code, example in examples
    )


def to_markdown(explanations: Iterable[Explanation]) -> str:
    """The manual's page on diagnostics."""
    parts = [_INTRODUCTION]
    for explanation in explanations:
        parts.append(f"## {explanation.code}: {explanation.about}\n")
        if explanation.situation is not None:
            parts.append(f"{explanation.situation}\n")
        mark = "" if explanation.code.startswith("W") else " error"
        for example in explanation.examples:
            parts.append(f"```net{mark}\n{example.program}```\n\n```text\n{example.answer}```\n")
    return "\n".join(parts)


_INTRODUCTION = """\
# Diagnostics

Every error and warning has a code. `netc explain CODE` prints its part of this page, and
`netc explain` lists all codes. Codes that start with `E` are errors: the program, the file or the
run is refused. Codes that start with `W` are warnings; `netc check --strict` refuses them, too.

- `E0..`: files and syntax
- `E1..`: names and arguments
- `E2..`: shapes
- `E3..`: expressions and assertions
- `E4..`: limits
- `E5..`, `W5..`: weights, engines, files that are written
- `W1..`: programs that are correct, and probably not what was meant
"""
