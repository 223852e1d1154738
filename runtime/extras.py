"""Packages that only some of netc needs: they are imported where they are used, or missed there."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from ..grammar.diagnostics import error


@contextmanager
def importing(code: str, message: str, help: str) -> Iterator[None]:
    """Import a package that may be missing.

    Raises:
        NetError: Of the code; where the package is there but does not load, a note says why.
    """
    try:
        yield
    except ImportError as failure:
        notes = [] if isinstance(failure, ModuleNotFoundError) else [str(failure)]
        raise error(code, message, notes=notes, help=help) from None


def from_extra(what: str, package: str, extra: str) -> AbstractContextManager[None]:
    """Import a package of an extra, by which something is done: `images are read` by `Pillow`.

    Raises:
        NetError: E528, it is missing.
    """
    message = f"{what} by {package}, which is not installed"
    return importing("E528", message, f"install the extra `{extra}`: `pip install 'netc[{extra}]'`")
