"""Where programs come from: files, shipped specs, quoted chains, standard input."""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import takewhile
from pathlib import Path

from . import specs as shipped
from .grammar.diagnostics import did_you_mean, error
from .grammar.files import decode_source, read_source
from .grammar.limits import MAX_TEXT
from .grammar.source import Source
from .grammar.translation.typeset import ARROWS

ZOO = "zoo:"
ONNX = ".onnx"
# An arrow, in whatever characters, a line break, an input, or a call and nothing else.
_CHAIN = re.compile(
    rf"[-=]>|\n|[{ARROWS}]|\\(?:to|mapsto|[Ll]?(?:ong)?[Rr]ightarrow)\b|\A\s*[$`]*INPUT"
    r"|\A\s*[A-Za-z_][\w.]*\(.*\)\s*\Z"
)


def read_program(text: str) -> Source:
    """The source that a command's argument means.

    Args:
        text: A path, `zoo:NAME`, `-` for standard input, or a chain such as `INPUT -> FC`.

    Raises:
        NetError: The file cannot be read, or no shipped spec has that name.
    """
    if text == "-":
        if sys.stdin is None:
            raise error("E001", "standard input is closed")
        return decode_source("<stdin>", sys.stdin.buffer.read(MAX_TEXT + 4))
    if text.startswith(ZOO):
        return read_source(str(zoo_path(text.removeprefix(ZOO))))
    if is_chain(text) and not os.path.exists(text):
        return Source("<chain>", text)
    return read_file(text)


def read_file(path: str) -> Source:
    """The source in a file.

    Raises:
        NetError: The file cannot be read, or is a model (E505).
    """
    if path.endswith(ONNX):
        help = "`netc import` writes a model as a program"
        raise error("E505", f"`{path}` is an ONNX model, and no program", help=help)
    return read_source(path)


def programs_in(text: str) -> list[str]:
    """The files that an argument means: all `.net` files in a folder, or what it names itself.

    Raises:
        NetError: E001, a folder holds none.
    """
    if not os.path.isdir(text):
        return [text]
    found: list[str] = []
    for folder, inner, names in os.walk(text):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".net")]
    if not found:
        help = "name a file, or a folder with programs"
        raise error("E001", f"there is no .net file in `{text}`", help=help)
    return found


def is_chain(text: str) -> bool:
    """Whether an argument is a program rather than a path."""
    return _CHAIN.search(text) is not None


@cache
def zoo() -> Mapping[str, Path]:
    """The shipped specs' paths by name, without the shared blocks in `lib`."""
    root = Path(shipped.__path__[0])  # which a checkout without links has elsewhere
    specs = (path for path in root.rglob("*.net") if path.relative_to(root).parts[0] != "lib")
    return {path.relative_to(root).with_suffix("").as_posix(): path for path in sorted(specs)}


def specs_with(words: Sequence[str]) -> dict[str, Path]:
    """The shipped specs in whose names or descriptions all words occur.

    Raises:
        NetError: E001, there is none.
    """
    specs = zoo()
    folded = [word.casefold() for word in words]
    found = {
        name: path
        for name, path in specs.items()
        if all(word in f"{name} {description(path)}".casefold() for word in folded)
    }
    if not found:
        asked = " ".join(words)
        stems = [name.rsplit("/", 1)[-1] for name in specs]
        help = did_you_mean(asked, stems) or "`netc zoo` lists the shipped specs"
        raise error("E001", f"the zoo has no spec with `{asked}`", help=help)
    return found


def description(path: Path) -> str:
    """What a spec is: the first sentence of the comment that it begins with, without citations."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = takewhile(lambda line: line.startswith("# "), lines)
    text = " ".join(line.removeprefix("# ") for line in comment)
    text = _CITATION.sub("", text)
    return _SENTENCE.match(text)[1]  # type: ignore[index]  # it always matches


_CITATION = re.compile(r"\s*\((?:[^()]*\b(?:19|20)\d\d\b[^()]*)\)")
_SENTENCE = re.compile(r"(.*?)(?:\.(?:\s|$)|(?<=.{24}):(?:\s|$)|$)")  # a few words end at no colon


def zoo_path(name: str) -> Path:
    """The path of a shipped spec, which may be named without its folder.

    Raises:
        NetError: No shipped spec has that name, or several have.
    """
    specs = zoo()
    found = [path for path in specs if path == name or path.rsplit("/", 1)[-1] == name]
    if len(found) == 1 or name in found:
        return specs[name if name in found else found[0]]
    if found:
        message = f"the zoo has several specs `{name}`"
        raise error("E001", message, help=f"choose from {', '.join(f'`{path}`' for path in found)}")
    stems = [path.rsplit("/", 1)[-1] for path in specs]
    near = did_you_mean(name, stems) or "`netc zoo` lists the shipped specs"
    raise error("E001", f"the zoo has no spec `{name}`", help=near)
