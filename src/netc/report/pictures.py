"""A picture of matplotlib -> SVG that is part of the page, in the colours of its theme."""

import os
import re
import tempfile
from collections.abc import Callable

from ..runtime.plots.canvas import PictureFile

_HEAD = re.compile(
    r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL
)
_STYLE = re.compile(r' style="([^"]*)"')
_JOINS = '<svg class="picture" stroke-linejoin="round" stroke-linecap="butt" '


def drawn(draw: Callable[[PictureFile], None]) -> str:
    """The SVG that a function writes to the file that it is given."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "picture.svg")
        draw(PictureFile(path))
        with open(path, encoding="utf-8") as file:
            return themed(file.read())


def themed(svg: str) -> str:
    """SVG whose looks are attributes: the page allows no other styles, and its rules find these."""
    bare = _HEAD.sub("", svg)
    plain = _STYLE.sub(lambda found: _attributes(found[1]), bare)
    return plain.replace("<svg ", _JOINS, 1).strip()


def _attributes(style: str) -> str:
    pairs = (part.partition(":") for part in style.split(";") if part.strip())
    return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in pairs)
