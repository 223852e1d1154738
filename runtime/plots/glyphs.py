"""Fonts for any script: figures whose texts hold what matplotlib's own font has not.

`DejaVu Sans` comes with matplotlib, so pictures are the same everywhere; only characters that it
has not are taken from another font of the machine.
"""

import logging
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any

from ...compiler.pictures.fonts import named

OWN = "DejaVu Sans"
# Fonts without serifs for scripts that it lacks, the usual ones of Linux, macOS and Windows.
OTHERS = (
    *("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans SC", "Noto Sans JP"),
    *("Noto Sans KR", "Source Han Sans SC", "Source Han Sans", "WenQuanYi Zen Hei"),
    *("WenQuanYi Micro Hei", "Droid Sans Fallback", "PingFang SC", "Hiragino Sans GB"),
    *("Hiragino Sans", "Apple SD Gothic Neo", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic"),
    *("SimHei", "MS Gothic", "Noto Sans Devanagari", "Noto Sans Thai", "Noto Sans Bengali"),
    *("Noto Sans Tamil", "Noto Sans Symbols 2", "Noto Emoji", "Nirmala UI", "Leelawadee UI"),
    *("Kohinoor Devanagari", "Thonburi", "Segoe UI Symbol", "Arial Unicode MS", "Unifont"),
)
REFERENCE = 100.0  # the size, in points, at which widths are asked for
FRACTION = 65536 * REFERENCE  # FreeType's numbers are 16.16

logging.getLogger("matplotlib.font_manager").addHandler(logging.NullHandler())  # no bold, so what


def use_glyphs(figure: Any, *, is_drawn_here: bool) -> None:
    """Give each text of a figure fonts that have its characters.

    Where glyphs are drawn here, not by the reader of an SVG file, warn of those that no font has.
    """
    from matplotlib.text import Text

    written = figure.findobj(Text)
    for text in written:
        if families := fonts_for(text.get_text())[0]:
            text.set_fontfamily([OWN, *families])
    if is_drawn_here:
        warn_of_boxes(text.get_text() for text in written)


def font_of(text: str, size: float, *, bold: bool, italic: bool) -> Any:
    """The font of a text, with others for characters that it has not."""
    from matplotlib.font_manager import FontProperties

    weight, style = "bold" if bold else "normal", "italic" if italic else "normal"
    families = [OWN, *fonts_for(text)[0]]
    return FontProperties(family=families, weight=weight, style=style, size=size)  # type: ignore[arg-type]  # a word


def fonts_for(text: str) -> tuple[list[str], set[str]]:
    """Fonts of the machine for what matplotlib's own has not, and the characters that none has."""
    own = _characters(_own())
    left = {c for c in text if ord(c) not in own and c.isprintable()}
    families: list[str] = []
    for family, file in _installed() if left else ():
        found = {c for c in left if ord(c) in _characters(file)}
        families += [family] if found else []
        left -= found
        if not left:
            break
    return families, left


@cache
def _own(*, bold: bool = False, italic: bool = False) -> str:
    """The file of matplotlib's own font, which is always there."""
    from matplotlib.font_manager import FontProperties, findfont

    weight, style = "bold" if bold else "normal", "italic" if italic else "normal"
    return str(findfont(FontProperties(family=OWN, weight=weight, style=style)))  # type: ignore[arg-type]  # a word


@cache
def advance(character: str, *, bold: bool, italic: bool) -> float:
    """How far a character of matplotlib's own font leads on, in sizes; 1 where it has none."""
    from matplotlib.font_manager import get_font

    file = _own(bold=bold, italic=italic)
    if ord(character) not in _characters(file):
        return 1.0
    font = get_font(file)
    font.set_size(REFERENCE, 72)
    return float(font.load_char(ord(character)).linearHoriAdvance) / FRACTION


@cache
def _characters(file: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(file).get_charmap())


@cache
def _installed() -> tuple[tuple[str, str], ...]:
    """The fonts of the machine and their files: usual ones first, then those without serifs.

    matplotlib's `Last Resort` has a box for each script.
    """
    from matplotlib.font_manager import fontManager

    fonts = [f for f in fontManager.ttflist if "Last Resort" not in f.name]
    fonts.sort(key=lambda f: (f.style == "normal", f.weight in (400, "normal")))
    files = {f.name: f.fname for f in fonts}  # of the upright font of usual weight, if there is one
    usual = {family: place for place, family in enumerate(OTHERS)}

    def order(family: str) -> tuple[int, bool, str]:
        return usual.get(family, len(usual)), "Sans" not in family, family

    return tuple((family, files[family]) for family in sorted(files, key=order))


def warn_of_boxes(written: Iterable[str]) -> None:
    """Warn, once for all, of characters that no font of the machine has: boxes stand for them."""
    lacking = sorted(set().union(*(fonts_for(text)[1] for text in written)))
    if not lacking:
        return
    warnings.warn(
        f"no font of this machine has {named(lacking)}: boxes are drawn instead;"
        " install a font that has them, such as Noto Sans, or draw SVG, whose reader chooses fonts",
        stacklevel=2,
    )
