"""Graphviz text -> a picture in a file, by the Graphviz of pygraphviz or by the program `dot`.

The first draws the same picture on every machine; `NETC_GRAPHVIZ=dot` chooses the second. Where the
chosen one is missing or fails, the other draws.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec

from ...grammar.diagnostics import NetError, did_you_mean, error
from ...grammar.files import atomic_writer

FORMATS = ("svg", "png", "pdf", "tex", "dot", "mmd")
LAYOUT_SECONDS = 120  # for the layout, which takes superlinear time
DPI = 200

Renderer = Callable[[str, str], bytes | None]


def render(text: str, path: str, *, format: str | None = None) -> None:
    """Draw a diagram.

    Args:
        text: The diagram in Graphviz's language.
        path: The picture's file, which appears once it is whole.
        format: `svg`, `png`, `pdf` or `dot`, which is the text itself; by default the file's
            suffix.

    Raises:
        NetError: The format is not known (E505), no renderer is installed or the one that is
            fails (E503), or the file cannot be written (E004).
    """
    data = picture(text, format_of(path, format))
    with atomic_writer(path) as file:
        file.write(data)


def picture(text: str, format: str) -> bytes:
    """A diagram's picture as the bytes of a file in one of `FORMATS`.

    Raises:
        NetError: E503.
    """
    if format == "dot":
        return text.encode("utf-8")
    failures: list[NetError] = []
    for renderer in _renderers():
        try:
            data = renderer(text, format)
        except NetError as failure:
            failures.append(failure)
        except subprocess.TimeoutExpired:
            raise error(
                "E503",
                f"Graphviz was stopped after {LAYOUT_SECONDS} seconds",
                help="draw less with `--depth`, or write the diagram's text to a `.dot` file",
            ) from None
        else:
            if data is not None:
                return data
    if failures:
        raise failures[0]
    raise error(
        "E503",
        "Graphviz is not installed",
        help="install it as a part of netc (`pip install 'netc[render]'`), or with your"
        " system's packages (`apt install graphviz`)",
    )


def format_of(path: str, format: str | None) -> str:
    """The format that is asked for, or else that of a file's suffix.

    Raises:
        NetError: E505, it is not one of `FORMATS`.
    """
    found = format or os.path.splitext(path)[1].removeprefix(".")
    if found.lower() in FORMATS:
        return found.lower()
    known = ", ".join(f"`{name}`" for name in FORMATS)
    what = f"`{path}` has no suffix" if not found else f"there is no picture format `{found}`"
    raise error("E505", what, help=f"the formats are {known}")


def _system(text: str, format: str) -> bytes | None:
    """The program `dot`, if there is one."""
    program = shutil.which("dot")
    return _run([program, f"-T{format}", *_options(format)], text) if program else None


# In its own process, so that it can be stopped and its words can be read.
_PYGRAPHVIZ = """
import sys
from pygraphviz import AGraph
graph = AGraph(string=sys.stdin.buffer.read().decode())
data = graph.draw(format=sys.argv[1], prog="dot", args=" ".join(sys.argv[2:]))
sys.stdout.buffer.write(data)
"""


def _bundled(text: str, format: str) -> bytes | None:
    """The Graphviz of pygraphviz, if it is installed."""
    if find_spec("pygraphviz") is None:
        return None
    return _run([sys.executable, "-c", _PYGRAPHVIZ, format, *_options(format)], text)


def _options(format: str) -> list[str]:
    return [f"-Gdpi={DPI}"] if format == "png" else []


def _run(command: list[str], text: str) -> bytes:
    """A renderer's output; its complaints are passed on if it fails.

    Raises:
        NetError: E503.
        TimeoutExpired: It took more than `SECONDS`.
    """
    try:
        done = subprocess.run(
            command,
            input=text.encode("utf-8"),
            capture_output=True,
            timeout=LAYOUT_SECONDS,
            check=False,
        )
    except OSError as failure:
        raise error("E503", f"Graphviz cannot be started: {failure.strerror}") from None
    if done.returncode or not done.stdout:
        lines = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
        shown = 1 if any(line.startswith("Traceback ") for line in lines) else 3
        raise error("E503", "Graphviz failed to draw the diagram", notes=lines[-shown:])
    return done.stdout


# what `NETC_GRAPHVIZ` names, the usual one first
RENDERERS: dict[str, Renderer] = {"bundled": _bundled, "dot": _system}


def _renderers() -> list[Renderer]:
    """The renderers in the order in which they are tried.

    Raises:
        NetError: E505, `NETC_GRAPHVIZ` names none.
    """
    chosen = os.environ.get("NETC_GRAPHVIZ") or next(iter(RENDERERS))
    if chosen not in RENDERERS:
        known = " and ".join(f"`{name}`" for name in RENDERERS)
        help = did_you_mean(chosen, RENDERERS) or f"the values are {known}"
        raise error("E505", f"`NETC_GRAPHVIZ={chosen}` is not a known Graphviz", help=help)
    return [RENDERERS[chosen], *(each for name, each in RENDERERS.items() if name != chosen)]
