"""What is wrong with a picture, by the geometry of its shapes."""

from collections.abc import Iterator
from itertools import combinations, pairwise
from math import hypot

from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.scene import (
    A4,
    SMALLEST_TEXT,
    Bounds,
    Drawn,
    Group,
    Line,
    Point,
    Scene,
    texts,
)

SLACK = 0.6  # points that shapes may share


def problems(scene: Scene) -> list[str]:
    """What a reader would object to: text that is small, cut off, or over something else."""
    return [*_small(scene), *_outside(scene), *_overlaps(scene)]


def crossings(scene: Scene) -> list[str]:
    """Boxes that lie over another one, that hold less than their text, or that a line runs through.

    Lines may cross lines, and frames.
    """
    boxes = [group for group in scene.groups if group.role == "box"]
    found = [
        f"{a.name} lies over {b.name}"
        for a, b in combinations(boxes, 2)
        if bounds(a).overlaps(bounds(b), SLACK)
    ]
    found += [
        f"{group.name} is too small for {text.text!r}"
        for group in boxes
        for text in texts((group,))
        if not bounds(group.shapes[0]).contains(bounds(text), SLACK)
    ]
    lines = [shape for group in scene.groups if group.role == "edge" for shape in group.shapes]
    for line in lines:
        assert isinstance(line, Line)
        for group in boxes:
            inner = bounds(group)
            if any(_strictly_inside(point, inner) for point in _along(line)):
                found.append(f"a line runs through {group.name}")
    return found


def struck(scene: Scene) -> list[str]:
    """Labels that a line runs through."""
    labels = [(group, bounds(group)) for group in scene.groups if group.role == "label"]
    edges = [group for group in scene.groups if group.role == "edge"]
    lines = [shape for group in edges for shape in group.shapes if isinstance(shape, Line)]
    return [
        f"a line strikes {_name(group)}"
        for group, found in labels
        for line in lines
        if any(_inside(point, found, SLACK) for point in _along(line))
    ]


def _along(line: Line) -> Iterator[Point]:
    """Points of a line, close together; corners stand for the curves that round them."""
    for (x0, y0), (x1, y1) in pairwise(line.points):
        steps = max(1, int(hypot(x1 - x0, y1 - y0) / 2))
        for i in range(steps + 1):
            yield x0 + (x1 - x0) * i / steps, y0 + (y1 - y0) * i / steps


def _strictly_inside(point: Point, box: Bounds) -> bool:
    return _inside(point, box, 1.5)


def _inside(point: Point, box: Bounds, margin: float) -> bool:
    x, y = point
    return box.left + margin < x < box.right - margin and box.top + margin < y < box.bottom - margin


def fits_a4(scene: Scene) -> bool:
    """Whether a picture fits a page, upright or across."""
    return max(scene.width, scene.height) <= max(A4) and min(scene.width, scene.height) <= min(A4)


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
        if not page.contains(bounds(shape), SLACK):
            yield f"outside the page: {_name(shape)} at {bounds(shape)}"


def _overlaps(scene: Scene) -> Iterator[str]:
    labels = [(group, bounds(group)) for group in scene.groups if group.role == "label"]
    boxes = [(group, bounds(group)) for group in scene.groups if group.role == "box"]
    for (a, one), (b, other) in combinations(labels, 2):
        if one.overlaps(other, SLACK):
            yield f"{_name(a)} lies over {_name(b)}"
    for a, one in labels:
        for b, other in boxes:
            if a not in b.shapes and one.overlaps(other, SLACK):
                yield f"{_name(a)} lies over the box {b.name!r}"


def _name(shape: Drawn) -> str:
    found = " ".join(text.text for text in texts([shape]))
    return repr(found or (shape.name if isinstance(shape, Group) else type(shape).__name__))
