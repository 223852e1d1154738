"""The name or the extents of a page -> its width and height."""

import re
from collections.abc import Mapping
from math import ceil, prod

from ...grammar.diagnostics import error, listing

Size = tuple[float, float]

# Widths and heights in points.
PAGES: Mapping[str, Size] = {
    "a3": (842.0, 1191.0),
    "a4": (595.0, 842.0),
    "a5": (420.0, 595.0),
    "letter": (612.0, 792.0),
    "slide": (960.0, 540.0),
}
_MILLIMETRES = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)")
LEAST_PAGE = 60.0  # millimetres, with room for margins, heading and legend


def larger_page(page: str, factor: float) -> str:
    """A page that is larger by a factor: the least by name, or its millimetres."""
    sides = [factor * side for side in page_size(page)]
    for name, size in sorted(PAGES.items(), key=lambda item: prod(item[1])):
        if all(a >= b for a, b in zip(sorted(size), sorted(sides), strict=True)):
            return name
    return "x".join(f"{ceil(side * 2.54 / 72) * 10}" for side in sides)


def page_size(page: str) -> Size:
    """A page's width and height in points.

    Raises:
        NetError: E511, it is neither a name nor a size, or smaller than `LEAST_PAGE`.
    """
    name = str(page).lower()
    if name in PAGES:
        return PAGES[name]
    found = _MILLIMETRES.fullmatch(name)
    if found is None:
        help = f"choose from {listing(PAGES)}, or give a size in millimetres such as `160x100`"
        raise error("E511", f"unknown page `{page}`", help=help)
    if min(map(float, found.groups())) < LEAST_PAGE:
        help = f"width and height must be {LEAST_PAGE:g} millimetres at least"
        raise error("E511", f"the page `{page}` is too small", help=help)
    width, height = (float(text) * 72 / 25.4 for text in found.groups())
    return width, height
