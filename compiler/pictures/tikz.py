r"""Scene -> TikZ, as a LaTeX document of the class `standalone`, which others can include."""

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .fonts import named
from .scene import (
    Drawn,
    Ellipse,
    Group,
    Line,
    Paint,
    Point,
    Polygon,
    Rectangle,
    Scene,
    Text,
    printable,
    texts,
)
from .svg import with_arrow

_PREAMBLE = r"""\documentclass[tikz]{standalone}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[utf8]{inputenc}
  \IfFileExists{t1uhv.fd}{\usepackage[T1]{fontenc}\usepackage[scaled]{helvet}}{}
  \renewcommand\familydefault{\sfdefault}
\else
  \usepackage{fontspec}
  \IfFontExistsTF{TeX Gyre Heros}{\setmainfont{TeX Gyre Heros}}{}
\fi
"""

# What LaTeX would read as a command, or what its usual fonts lack.
_ESCAPES = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "{}$&#%_"},
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{MINUS SIGN}": "$-$",
    "\N{MIDDLE DOT}": r"$\cdot$",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{N-ARY SUMMATION}": r"$\sum$",
    "\N{GREEK SMALL LETTER SIGMA}": r"$\sigma$",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{SQUARE ROOT}": r"$\surd$",
    "\N{SUPERSCRIPT TWO}": "$^2$",
    "\N{SUPERSCRIPT THREE}": "$^3$",
}


def to_tikz(scene: Scene) -> str:
    """A scene as a LaTeX document; lengths are PostScript points.

    Warns of characters that pdfLaTeX has not.
    """
    lacking = sorted({c for t in texts(scene.shapes) for c in printable(t.text) if not _known(c)})
    if lacking:
        warnings.warn(
            f"pdfLaTeX shows `?` for {named(lacking)}: compile the file with XeLaTeX or LuaLaTeX,"
            " and a font that has them",
            stacklevel=2,
        )
    writer = _Writer()
    body = list(writer.shapes(scene.shapes))
    back = writer.colour(scene.background)
    colours = (
        rf"\definecolor{{{name}}}{{HTML}}{{{code[1:].upper()}}}"
        for code, name in writer.colours.items()
    )
    return "\n".join(
        [
            f"% {printable(scene.title)}",
            _PREAMBLE.rstrip(),
            *colours,
            r"\begin{document}",
            r"\begin{tikzpicture}[x=1bp, y=-1bp, line join=round]",
            rf"\fill[{back}] (0,0) rectangle ({_n(scene.width)},{_n(scene.height)});",
            *body,
            r"\end{tikzpicture}",
            "\\end{document}\n",
        ]
    )


@dataclass(eq=False)
class _Writer:
    colours: dict[str, str] = field(default_factory=dict)

    def colour(self, code: str) -> str:
        """The name of a colour, which the document defines."""
        return self.colours.setdefault(code, f"netc{len(self.colours)}")

    def shapes(self, shapes: Iterable[Drawn]) -> Iterator[str]:
        """The commands that draw shapes."""
        for shape in shapes:
            match shape:
                case Group(inner):
                    yield from self.shapes(inner)
                case Rectangle(x, y, width, height, paint, radius):
                    corners = f"rounded corners={_n(radius)}bp, " if radius else ""
                    end = f"({_n(x + width)},{_n(y + height)})"
                    yield self._path(f"({_n(x)},{_n(y)}) rectangle {end}", paint, corners)
                case Ellipse(x, y, rx, ry, paint):
                    radii = f"[x radius={_n(rx)}bp, y radius={_n(ry)}bp]"
                    yield self._path(f"({_n(x)},{_n(y)}) ellipse {radii}", paint)
                case Polygon(points, paint):
                    yield self._path(f"{' -- '.join(map(_at, points))} -- cycle", paint)
                case Line():
                    yield from self._line(shape)
                case Text():
                    yield self._text(shape)

    def _line(self, line: Line) -> Iterator[str]:
        points, head = with_arrow(line)
        if line.curved:
            start, *rest = map(_at, points)
            triples = zip(rest[::3], rest[1::3], rest[2::3], strict=True)
            curves = (f".. controls {a} and {b} .. {c}" for a, b, c in triples)
            path = " ".join([start, *curves])
        else:
            path = " -- ".join(map(_at, points))
        yield self._path(path, line.paint)
        if head:
            yield self._path(f"{' -- '.join(map(_at, head))} -- cycle", Paint(line.paint.stroke))

    def _path(self, path: str, paint: Paint, options: str = "") -> str:
        looks = [options.rstrip(", ")] if options else []
        if paint.fill:
            looks.append(f"fill={self.colour(paint.fill)}")
        if paint.stroke:
            looks += [f"draw={self.colour(paint.stroke)}", f"line width={_n(paint.width)}bp"]
        if paint.dash:
            ons_and_offs = zip(paint.dash[::2], paint.dash[1::2], strict=False)
            dashes = " ".join(f"on {_n(on)}bp off {_n(off)}bp" for on, off in ons_and_offs)
            looks.append(f"dash pattern={dashes}")
        if paint.opacity != 1.0:
            looks.append(f"opacity={_n(paint.opacity)}")
        return rf"\path[{', '.join(looks)}] {path};"

    def _text(self, text: Text) -> str:
        anchor = {"start": "base west", "middle": "base", "end": "base east"}[text.anchor]
        size = rf"\fontsize{{{_n(text.size)}bp}}{{{_n(1.2 * text.size)}bp}}\selectfont"
        font = size + (r"\bfseries" if text.bold else "") + (r"\itshape" if text.italic else "")
        looks = f"anchor={anchor}, inner sep=0, font={font}, text={self.colour(text.colour)}"
        turned = f", rotate={_n(-text.turned)}" if text.turned else ""
        return rf"\node[{looks}{turned}] at {_at((text.x, text.y))} {{{_escaped(text.text)}}};"


def _escaped(text: str) -> str:
    r"""Text that LaTeX shows as it is; pdfLaTeX has no fonts for other scripts, and shows `?`."""
    return "".join(
        _ESCAPES.get(c, c) if _known(c) else rf"\ifPDFTeX ?\else {c}\fi{{}}"
        for c in printable(text)
    )


def _known(character: str) -> bool:
    """Whether pdfLaTeX has a character."""
    return character in _ESCAPES or ord(character) < 0x180


def _at(point: Point) -> str:
    return f"({_n(point[0])},{_n(point[1])})"


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
