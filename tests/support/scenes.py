"""What is wrong with a picture, by the geometry of its shapes."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

import netc
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.graph import graph_scene
from netc.compiler.pictures.scene import (
    A4,
    SMALLEST_TEXT,
    Bounds,
    Drawn,
    Group,
    Line,
    Point,
    Scene,
    of_points,
    texts,
)

SLACK = 0.6  # points that shapes may share


def drawn(program: str, **options: object) -> Scene:
    """A program's diagram of layers."""
    return graph_scene(netc.compile(program).graph, **options)  # type: ignore[arg-type]  # by name


def drawn_spec(spec: str, **options: object) -> Scene:
    """The diagram of a network of the zoo."""
    return graph_scene(netc.load(f"zoo:{spec}").graph, **options)  # type: ignore[arg-type]  # ditto


def contains(around: Bounds, inner: Bounds, slack: float = 0.0) -> bool:
    """Whether a rectangle lies within another, but for `slack` points."""
    return (
        inner.left >= around.left - slack
        and inner.top >= around.top - slack
        and inner.right <= around.right + slack
        and inner.bottom <= around.bottom + slack
    )


def problems(scene: Scene) -> list[str]:
    """What a reader would object to: text that is small, cut off, or over something else."""
    return [*_small(scene), *_outside(scene), *_overlaps(scene)]


def crossings(scene: Scene) -> list[str]:
    """Boxes that lie over another one, that hold less than their text, or that a line runs through.

    Lines may cross lines, and frames.
    """
    boxes = [(group, bounds(group)) for group in scene.groups if group.role == "box"]
    found = [f"{a.name} lies over {b.name}" for a, b in _overlapping(boxes)]
    found += [
        f"{group.name} is too small for {text.text!r}"
        for group, _ in boxes
        for text in texts((group,))
        if not contains(bounds(group.shapes[0]), bounds(text), SLACK)
    ]
    through = _met(
        [shape for g in scene.groups if g.role == "edge" for shape in g.shapes], boxes, 1.5
    )
    return [*found, *(f"a line runs through {group.name}" for group in through)]


def struck(scene: Scene) -> list[str]:
    """Labels that a line runs through."""
    labels = [(group, bounds(group)) for group in scene.groups if group.role == "label"]
    edges = [group for group in scene.groups if group.role == "edge"]
    lines = [shape for group in edges for shape in group.shapes if isinstance(shape, Line)]
    return [f"a line strikes {_name(group)}" for group in _met(lines, labels, SLACK)]


def _met(
    lines: Sequence[Drawn], groups: Sequence[tuple[Group, Bounds]], margin: float
) -> Iterator[Group]:
    """For each line the groups that it runs through, deeper than a margin.

    Corners of a line stand for the curves that round them.
    """
    inner = [
        (group, Bounds(b.left + margin, b.top + margin, b.right - margin, b.bottom - margin))
        for group, b in groups
    ]
    for line in lines:
        assert isinstance(line, Line)
        taken = of_points(line.points)
        for group, box in inner:
            if (
                taken.right > box.left < box.right > taken.left
                and taken.bottom > box.top < box.bottom > taken.top
                and any(_is_met(box, a, b) for a, b in pairwise(line.points))
            ):
                yield group


def _is_met(box: Bounds, a: Point, b: Point) -> bool:
    """Whether the way from a to b leads through the inside of a box (Liang and Barsky 1984)."""
    first, last = 0.0, 1.0
    for start, end, low, high in (
        (a[0], b[0], box.left, box.right),
        (a[1], b[1], box.top, box.bottom),
    ):
        if start == end:
            if not low < start < high:
                return False
            continue
        enters, leaves = sorted(((low - start) / (end - start), (high - start) / (end - start)))
        first, last = max(first, enters), min(last, leaves)
    return first < last


def _overlapping(groups: Sequence[tuple[Group, Bounds]]) -> Iterator[tuple[Group, Group]]:
    """The pairs that lie over each other."""
    ordered = sorted(groups, key=lambda each: each[1].left)
    for i, (group, found) in enumerate(ordered):
        for other, its in ordered[i + 1 :]:
            if its.left >= found.right:
                break
            if found.overlaps(its, SLACK):
                yield group, other


def fits_a4(scene: Scene) -> bool:
    """Whether a picture fits a page, upright or across."""
    return max(scene.width, scene.height) <= max(A4) and min(scene.width, scene.height) <= min(A4)


def check_page(scene: Scene) -> None:
    """Nothing overlaps or is small, no line runs through a box or a word, and the page is A4."""
    assert problems(scene) == []
    assert crossings(scene) == []
    assert struck(scene) == []
    assert fits_a4(scene)


def said(scene: Scene, role: str = "label") -> list[str]:
    """The texts of all groups in a role."""
    return [text.text for group in scene.groups if group.role == role for text in texts((group,))]


def _small(scene: Scene) -> Iterator[str]:
    for text in texts(scene.shapes):
        if text.size < SMALLEST_TEXT - 1e-6:
            yield f"{text.text!r} has {text.size:.2f} points"


def _outside(scene: Scene) -> Iterator[str]:
    page = Bounds(0, 0, scene.width, scene.height)
    for shape in scene.shapes:
        if not contains(page, bounds(shape), SLACK):
            yield f"outside the page: {_name(shape)} at {bounds(shape)}"


def _overlaps(scene: Scene) -> Iterator[str]:
    labels = [(group, bounds(group)) for group in scene.groups if group.role == "label"]
    boxes = [(group, bounds(group)) for group in scene.groups if group.role == "box"]
    for a, b in _overlapping(labels):
        yield f"{_name(a)} lies over {_name(b)}"
    for a, one in labels:
        for b, other in boxes:
            if a not in b.shapes and one.overlaps(other, SLACK):
                yield f"{_name(a)} lies over the box {b.name!r}"


def _name(shape: Drawn) -> str:
    found = " ".join(text.text for text in texts([shape]))
    return repr(found or (shape.name if isinstance(shape, Group) else type(shape).__name__))


def labels(scene: Scene) -> list[str]:
    """What each label says, its lines joined."""
    return [" ".join(said(replace(scene, shapes=(g,)))) for g in scene.groups if g.role == "label"]


def boxes_of(scene: Scene) -> dict[str, Group]:
    """The boxes by name."""
    return {group.name: group for group in scene.groups if group.role == "box"}


def box(scene: Scene, name: str) -> Bounds:
    """Where the one box of a name lies."""
    (found,) = (group for group in scene.groups if group.role == "box" and group.name == name)
    return bounds(found)


def words(scene: Scene, name: str) -> str:
    """What the one box of a name says."""
    (found,) = (group for group in scene.groups if group.role == "box" and group.name == name)
    return " ".join(text.text for text in texts((found,)))


def frames(scene: Scene, name: str) -> list[Bounds]:
    """Where the frames of a name lie."""
    return [bounds(g.shapes[0]) for g in scene.groups if g.role == "frame" and g.name == name]


def lines_of(scene: Scene, way: str = "") -> list[Line]:
    """The lines from box to box, or those of a way by what is said of it."""
    groups = [g for g in scene.groups if g.role == "edge" and way in ("", g.title)]
    return [shape for group in groups for shape in group.shapes if isinstance(shape, Line)]
