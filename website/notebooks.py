"""A notebook of `docs/notebooks` in, what its cells yield or a page of the site out.

Notebooks are kept without outputs, so that changes are legible: the tests run them, and so does
the site, which shows what they yield.
"""

import base64
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RICHEST = ("text/html", "image/svg+xml", "image/png", "text/plain")  # what is shown of a value
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


@dataclass(frozen=True)
class Ran:
    """A cell that has run.

    Attributes:
        text: What it printed.
        shown: What it showed: of each value, its forms by media type.
        error: The exception that ended it.
    """

    text: str
    shown: Sequence[Mapping[str, Any]]
    error: BaseException | None = None


def cells(path: Path) -> list[tuple[str, str]]:
    """The kind and the text of each cell, `markdown` or `code`."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]


def run(path: Path) -> list[Ran]:
    """Run the code of a notebook, in a folder of its own, up to the first error."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    class Shown(DisplayHook):
        """Shows the value of a cell as `display` shows others, not as a terminal does."""

        def __call__(self, result: Any = None) -> None:
            if result is not None:
                self.shell.display_pub.publish(*self.compute_format_data(result))

    shell = InteractiveShell.instance(displayhook_class=Shown)
    found = []
    try:
        with tempfile.TemporaryDirectory() as folder, chdir(folder):
            for kind, text in cells(path):
                if kind != "code":
                    continue
                with capture_output() as captured:
                    result = shell.run_cell(text)
                shown = [output.data for output in captured.outputs]
                error = result.error_in_exec or result.error_before_exec
                found.append(Ran(captured.stdout, shown, error))
                if not result.success:
                    break
    finally:
        InteractiveShell.clear_instance()
    return found


def as_page(path: Path, ran: Sequence[Ran]) -> str:
    """A notebook that has run, as Markdown.

    Raises:
        RuntimeError: A cell failed.
    """
    left = iter(ran)
    parts = []
    for kind, text in cells(path):
        if kind != "code":
            parts.append(text)
            continue
        cell = next(left)
        if cell.error is not None:
            raise RuntimeError(f"{path.name}: {cell.error!r} in\n{text}")
        language = "net" if text.startswith("%%net") else "python"
        parts.append(f"```{language}\n{text}\n```")
        if cell.text.strip():
            parts.append(_block(cell.text))
        parts += map(_output, cell.shown)
    title, *rest = parts
    download = f'[Download the notebook]({path.name}){{ download="{path.name}" }}'
    return "\n\n".join([title, download, *rest]) + "\n"


def _output(forms: Mapping[str, Any]) -> str:
    """What a page shows of a value."""
    kind = next(kind for kind in RICHEST if kind in forms)
    data = forms[kind]
    if kind == "text/plain":
        return _block(data)
    if kind == "text/html":
        lines = [line for line in data.splitlines() if line.strip()]
        return "\n".join(['<div class="output">', *lines, "</div>"])
    if kind == "image/svg+xml":
        data = base64.b64encode(data.encode()).decode()
    return (
        f'<img class="output" alt="What the cell yields" src="data:{kind};base64,{data.strip()}">'
    )


def _block(text: str) -> str:
    return f"```text\n{_COLOUR.sub('', text).rstrip()}\n```"
