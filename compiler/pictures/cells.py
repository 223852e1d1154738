"""A box of a diagram -> its text, its size and its shapes."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..emit.clusters import Cluster
from ..emit.dot import MERGE_SIGNS
from ..emit.layer_view import OUTPUT, Box
from ..emit.palette import Theme, called, family, fill, ink, look_of, stroke
from .fonts import shortened, text_width
from .scene import Drawn, Ellipse, Group, Paint, Rectangle, Text

HEAD, NAME, SMALL = 9.0, 8.0, 7.5  # sizes of text
LINE = 9.8  # from one baseline to the next
MARGIN = 7.0
NARROW, WIDE = 74.0, 190.0  # the least and the greatest width of a box
BROAD = 118.0  # a longer line of arguments and joined layers becomes two
SIGN = 8.5  # radius of a merge's circle
STRIPE = 5.0  # of the colours of joined layers
RADIUS = 4.0


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of a line of text."""

    text: str
    size: float
    bold: bool = False
    soft: bool = False

    @property
    def width(self) -> float:
        """What it takes."""
        return text_width(self.text, self.size, bold=self.bold)


Line = Sequence[Word]


@dataclass(frozen=True)
class Cell:
    """A box with its text.

    Attributes:
        lines: The text, from the top.
        width, height: Its size.
        title: Its tooltip.
    """

    box: Box
    lines: Sequence[Line]
    width: float
    height: float
    title: str

    @property
    def is_sign(self) -> bool:
        """Whether it is the small circle of a merge."""
        return self.width == 2 * SIGN

    def shapes(self, x: float, y: float, theme: Theme) -> Group:
        """The cell with its middle at a place."""
        kind, path = self.box.kind, self.box.path
        colour = fill(theme, kind, path)
        border = Paint(colour, stroke(theme, kind, path))
        shapes: list[Drawn] = []
        if self.is_sign:
            shapes.append(Ellipse(x, y, SIGN, SIGN, border))
        else:
            if self.box.kind == OUTPUT:
                border = Paint(border.fill, border.stroke, border.width, (3.0, 2.0))
            shapes += self._outline(x - self.width / 2, y - self.height / 2, border, theme)
        baseline = y - LINE * (len(self.lines) - 1) / 2 + 0.34 * HEAD
        for line in self.lines:
            shapes += written(line, x - self._stripes / 2, baseline, ink(theme, colour))
            baseline += LINE
        return Group(tuple(shapes), "box", self.title, self.box.path)

    def _outline(self, left: float, top: float, border: Paint, theme: Theme) -> list[Drawn]:
        """The box; the layers that are joined to it are stripes of their colours at its end."""
        whole = Rectangle(left, top, self.width, self.height, border, RADIUS)
        if not (kinds := striped(self.box)):
            return [whole]
        *inner, last = (Paint(fill(theme, kind)) for kind in kinds)
        start = left + self.width - self._stripes
        colour, width = Paint(border.fill), self.width - self._stripes
        own = Rectangle(left, top, width, self.height, colour, RADIUS)
        corners = Rectangle(start - 2 * RADIUS, top, 2 * RADIUS, self.height, colour)
        stripes = [
            Rectangle(start + i * STRIPE, top, STRIPE, self.height, paint)
            for i, paint in enumerate(inner)
        ]
        end = replace(whole, paint=last)
        return [end, own, corners, *stripes, replace(whole, paint=replace(border, fill=None))]

    @property
    def _stripes(self) -> float:
        return STRIPE * len(striped(self.box))


def striped(box: Box) -> Sequence[str]:
    """The kinds of joined layers that have a stripe: those of other families than the box's."""
    return [kind for kind in box.joined if family(kind) != family(box.kind)]


def written(line: Line, x: float, baseline: float, colours: tuple[str, str]) -> list[Drawn]:
    """The words of a line about a middle, in the colours of text and of softer text."""
    gap = 3.0
    width = sum(word.width for word in line) + gap * (len(line) - 1)
    at = x - width / 2
    shapes: list[Drawn] = []
    for word in line:
        colour = colours[word.soft]
        shapes.append(Text(at, baseline, word.text, word.size, colour, word.bold, anchor="start"))
        at += word.width + gap
    return shapes


def cell_of(
    box: Box, scope: str, *, show: Mapping[str, bool], theme: Theme, around: Sequence[Cluster] = ()
) -> Cell:
    """A box with what it says.

    Args:
        box: A layer, an output or what folds several layers.
        scope: The path of the frame around it, which its name leaves out.
        show: What to say besides kind and name: of `graph.SHOWN`.
        theme: What calls kinds and layers otherwise.
        around: Clusters that no frame shows, outermost first: their turns are the box's.
    """
    times = list(filter(None, map(times_of, around)))
    name = look_of(theme, box.path).label or relative(box.path, scope, folded=not box.kind)
    title = f"{' '.join([box.kind, *box.joined])} {box.path}: {box.output}".strip()
    if box.kind in MERGE_SIGNS and not box.joined and not times:
        sign = (Word(MERGE_SIGNS[box.kind], 12, bold=True),)
        return Cell(box, (sign,), 2 * SIGN, 2 * SIGN, title)
    room = WIDE - 2 * MARGIN
    turns = [Word(each, SMALL, bold=True, soft=True) for each in times]
    kind = shortened(called(theme, box.kind), room, HEAD, bold=True)
    heading = [Word(kind, HEAD, bold=True)] if box.kind else []
    if show["names"] or not box.kind:
        rest = room - words_width([*heading, *turns])
        size, alone = (NAME, False) if box.kind else (HEAD, True)
        text = shortened(name, rest, size, bold=alone)
        heading.append(Word(text, size, bold=alone, soft=not alone))
    heading += turns
    details = [d for d in box.details if d != "no bias" or "BN" not in box.joined]
    facts = [", ".join(details if show["arguments"] or not box.kind else ())]
    stripes = striped(box)
    more = Counter(called(theme, kind) for kind in box.joined if kind not in stripes)
    facts += ["and " + ", ".join(f"{n} {kind}" for kind, n in more.items())] if more else []
    facts += [" \N{MIDDLE DOT} ".join(called(theme, kind) for kind in stripes)]
    sizes = [box.output] if show["shapes"] else []
    if box.params and show["params"]:
        sizes.append(f"{box.params:,} {_plural('param', box.params)}")
    if box.lender and show["params"]:
        sizes.append(f"weights of {box.lender}")
    if box.macs != 0 and show["macs"]:
        macs = f"{box.macs:,}" if isinstance(box.macs, int) else str(box.macs)
        sizes.append(f"{macs} MACs")
    facts = list(filter(None, facts))
    row = " \N{MIDDLE DOT} ".join(facts)
    below = [*([row] if text_width(row, SMALL) < BROAD else facts), " \N{MIDDLE DOT} ".join(sizes)]
    lines = [heading, *([Word(shortened(t, room, SMALL), SMALL, soft=True)] for t in below if t)]
    widest = max(sum(w.width for w in line) + 3.0 * (len(line) - 1) for line in lines)
    width = max(NARROW, widest + 2 * MARGIN + STRIPE * len(stripes))
    return Cell(box, lines, width, LINE * len(lines) + 5.0, title)


def relative(path: str, scope: str, *, folded: bool = False) -> str:
    """A path without what the frame around it says.

    Of what is folded, or framed, a number alone would not say enough.
    """
    parts, around = path.split("."), scope.split(".") if scope else []
    shared = 0
    while shared < min(len(parts) - 1, len(around)) and parts[shared] == around[shared]:
        shared += 1
    if shared < len(parts) - 1 and shared and parts[shared].isdigit() and not folded:
        shared += 1  # the turn of a repetition, which another frame says
    if folded and shared and parts[-1].rstrip(_MORE).isdigit():
        shared = len(parts) - 2
    return ".".join(parts[shared:])


_MORE = " \N{HORIZONTAL ELLIPSIS}"


def _plural(word: str, number: int) -> str:
    return word if number == 1 else f"{word}s"


def frame_words(cluster: Cluster, scope: str, theme: Theme, *, continued: bool = False) -> Line:
    """What stands above a frame: its name and how many equal turns it stands for."""
    label = look_of(theme, cluster.name, cluster.scope).label
    name = label or relative(cluster.name, scope, folded=True)
    words = []
    if name:
        words.append(Word(shortened(name, 150, SMALL, bold=True), SMALL, bold=True, soft=True))
    if times := times_of(cluster):
        words.append(Word(times, SMALL, bold=True, soft=True))
    elif cluster.turn is not None and not name:
        turn = f"turn {cluster.turn.index + 1} of {cluster.turn.count}"
        words.append(Word(turn, SMALL, soft=True))
    if continued:
        words.append(Word("continued", SMALL, soft=True))
    return words


def times_of(cluster: Cluster) -> str:
    """How many turns a frame stands for, with a sign before; nothing for one."""
    times = cluster.listed or (f"{cluster.times:,}" if cluster.times > 1 else "")
    return f"\N{MULTIPLICATION SIGN} {times}" if times else ""


def words_width(words: Line) -> float:
    """The width of a line."""
    return sum(word.width for word in words) + 3.0 * max(len(words) - 1, 0)
