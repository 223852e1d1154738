"""Whole programs of PyTorch, Keras, Flax, Caffe and Darknet -> the program that says the same here.

Such a program is answered once, with its translation, in place of an error on each of its lines.
"""

import re

from ..diagnostics import Diagnostic
from ..source import Source, Span
from .config_files import config_steps, is_config

_PYTHON = re.compile(
    r"^[ \t]*(?:import\s+[A-Za-z_]|from\s+\S+\s+import\b|class\s+\w+\s*[(:]|def\s+\w+\s*\()"
    r"|(?:^|=)[ \t]*(?:\w+\.)*(?:Sequential|Chain|serial|Input|input_data|placeholder)\("
    r"|^[ \t]*\w+\.add\(",
    re.M,
)
_MERGES = (
    "write a chain for each line, such as `y = x -> CONV(3x3, 8)`, and merge tensors by a layer:"
    " `( x | y ) -> ADD`, or `CONCAT`"
)
_LONGEST = 100_000  # characters of a program that are looked at

_OF_NUMBERS = re.compile(  # a function of Python whose value is arithmetic
    r"^def\s+(\w+)\(([\w, ]*)\):\s*return\s+([\w \t+*/%.()-]*[\w)])[ \t]*$", re.MULTILINE
)


def foreign_program(source: Source) -> Diagnostic | None:
    """What to say of a program of another framework, or None where it is none."""
    text = source.text
    if len(text) > _LONGEST:
        return None
    match = is_config(text) or _PYTHON.search(text)
    first = re.compile(r"[^\s=].*").search(text, match.start()) if match else None
    if first is None:
        return None
    help = _config(text) or _python(text)
    if help is None:
        return None
    span = Span(source, first.start(), first.end())
    return Diagnostic("E011", "this is a program of another framework", span, help=help)


def _config(text: str) -> str | None:
    steps = config_steps(text)
    if not steps:
        return None
    start = [] if steps[0].startswith("INPUT") else ["INPUT"]
    return f"write `{' -> '.join([*start, *steps])}`"


def _python(text: str) -> str | None:
    """The translation of a program; a sentence where a class or a function is not understood."""
    # Loaded for programs that are refused only: others start faster.
    from .python_layers import LackingError
    from .python_networks import python_network

    numbers = _OF_NUMBERS.search(text)
    if numbers is not None and "**" not in numbers[3] and "import" not in text:
        return f"write `let {numbers[1]}({numbers[2]}) = {numbers[3]}`"
    try:
        found = python_network(text)
    except LackingError as lacking:
        return str(lacking)
    if found is not None:
        return found.help
    return _MERGES if re.search(r"^[ \t]*(?:class|def)\s+\w+", text, re.M) else None
