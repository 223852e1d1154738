"""How tensors of a model lie in layers, and what the language calls their axes."""

from collections.abc import Mapping, Sequence

from ..expressions.arguments import Word
from ..layers.axes import axis_places
from .recognition.trail import Layout, Match, NoMatch, identity

AXES: Mapping[int, Sequence[str]] = {
    2: ("", "channels"),
    3: ("", "length", "channels"),
    4: ("", "channels", "height", "width"),
    5: ("", "channels", "depth", "height", "width"),
}


def result_layout(layout: Layout, rank: int, match: Match) -> Layout:
    """How a result lies; what a layer leaves of axes lies as in the language."""
    if match.result is not None:
        return match.result
    if len(layout) == rank:
        return layout
    if match.dropped and len(layout) == rank + len(match.dropped):
        gone = {layout[axis] for axis in match.dropped}
        left = [axis for axis in axis_places(len(layout)) if axis not in gone]
        places = dict(zip(left, axis_places(rank), strict=True)) | {0: 0}
        return tuple(places[a] for a in layout if a not in gone)
    return identity(rank)


def axis_name(rank: int, axis: int) -> str:
    """What the language calls an axis.

    Raises:
        NoMatch: It is the batch, or there are too many axes.
    """
    if rank not in AXES or axis == 0:
        raise NoMatch
    return Word(AXES[rank][axis])
