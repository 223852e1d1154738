"""The formats of pictures: which there are, and which a file's suffix means."""

import os

from ...grammar.diagnostics import error

FORMATS = ("svg", "png", "pdf", "tex", "dot", "mmd")


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
