"""How wide text is: the advance widths of Helvetica, which Arial and Liberation Sans share.

Boxes are made for their text before anything is drawn. Where another font stands in, writers fit
the text into the width that was reckoned here.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from math import cos, radians, sin
from unicodedata import category, combining, east_asian_width, name

from .scene import Bounds, Drawn, Ellipse, Group, Line, Polygon, Rectangle, Text, around, of_points

FAMILY = "Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
ASCENT, DESCENT = 0.74, 0.22  # of the size: from the baseline to what stands highest and lowest

# Thousandths of the size, for the characters from the blank to `~` (Adobe's font metrics).
_REGULAR = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(278, 278, 584, 584, 584, 556, 1015),
    *(667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(278, 278, 278, 469, 556, 333),
    *(556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833),
    *(556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500),
    *(334, 260, 334, 584),
)
_BOLD = (
    *(278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556,) * 10,
    *(333, 333, 584, 584, 584, 611, 975),
    *(722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833),
    *(722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611),
    *(333, 278, 333, 584, 556, 333),
    *(556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889),
    *(611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500),
    *(389, 280, 389, 584),
)
_OTHERS = {"\N{MIDDLE DOT}": 278, "\N{HORIZONTAL ELLIPSIS}": 1000}
MOST_NAMED = 5  # characters that a warning names
_USUAL, _WIDE = 600, 1000  # of a character that no table has


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """The width of a line of text, in the unit of its size."""
    return size / 1000 * _advances(text, bold)


@lru_cache(maxsize=4096)
def _advances(text: str, bold: bool) -> int:
    table = _BOLD if bold else _REGULAR
    return sum(_advance(character, table) for character in text)


def _advance(character: str, table: tuple[int, ...]) -> int:
    if " " <= character <= "~":
        return table[ord(character) - ord(" ")]
    if combining(character):
        return 0
    wide = east_asian_width(character) in "WF"
    return _OTHERS.get(character, _WIDE if wide else _USUAL)


def shortened(text: str, width: float, size: float, *, bold: bool = False) -> str:
    """Text that fits a width; of one that is too long the middle gives way to an ellipsis."""
    if text_width(text, size, bold=bold) <= width:
        return text
    table = _BOLD if bold else _REGULAR
    ends = [*accumulate((_advance(character, table) for character in text), initial=0)]
    for kept in range(len(text) - 1, 1, -1):
        head, tail = (kept + 1) // 2, len(text) - kept // 2
        advances = ends[head] + _OTHERS["\N{HORIZONTAL ELLIPSIS}"] + ends[-1] - ends[tail]
        if size / 1000 * advances <= width:
            return f"{text[:head]}\N{HORIZONTAL ELLIPSIS}{text[tail:]}"
    return "\N{HORIZONTAL ELLIPSIS}"


def bounds(shape: Drawn) -> Bounds:
    """The rectangle that a shape takes, the width of its outline left out."""
    match shape:
        case Rectangle(x, y, width, height):
            return Bounds(x, y, x + width, y + height)
        case Ellipse(x, y, rx, ry):
            return Bounds(x - rx, y - ry, x + rx, y + ry)
        case Polygon(points) | Line(points):
            return of_points(points)
        case Group(shapes):
            return around([bounds(each) for each in shapes])
        case Text():
            return _text_bounds(shape)


def _text_bounds(text: Text) -> Bounds:
    width = text_width(text.text, text.size, bold=text.bold)
    left = {"start": 0.0, "middle": -width / 2, "end": -width}[text.anchor]
    top, bottom = -ASCENT * text.size, DESCENT * text.size
    turn = radians(text.turned)
    corners = [(x, y) for x in (left, left + width) for y in (top, bottom)]
    return of_points(
        (text.x + x * cos(turn) - y * sin(turn), text.y + x * sin(turn) + y * cos(turn))
        for x, y in corners
    )


def named(characters: Sequence[str]) -> str:
    """The first characters, how many more there are, and their scripts."""
    shown = characters[:MOST_NAMED]
    more = f" and {len(characters) - len(shown)} more" if len(characters) > len(shown) else ""
    scripts = " and ".join(sorted({_script(c) for c in characters})[:MOST_NAMED])
    return f"{' '.join(shown)}{more} ({scripts})"


def _script(character: str) -> str:
    """The script of a letter, such as `CJK`; the name of another character."""
    words = name(character, "UNNAMED").split(" ")
    return words[0] if category(character).startswith("L") else " ".join(words)
