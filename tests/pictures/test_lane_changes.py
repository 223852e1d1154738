"""Branches side by side, levels of a U, and what leads from one to another."""

from itertools import pairwise

import pytest
from support.scenes import boxes_of, labels, lines_of, problems
from support.volumes import volumes_of

import netc
from netc.compiler.emit.palette import THEMES
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.scene import Line, texts
from netc.compiler.pictures.volumes import volumes


def _bus(line: Line) -> float:
    """Where a line leads from lane to lane: its longest way up or down."""
    steps = [(abs(b[1] - a[1]), a[0]) for a, b in pairwise(line.points) if abs(b[0] - a[0]) < 0.01]
    return round(max(steps)[1], 2)


def test_skips_that_cross_have_lines_of_their_own() -> None:
    """Where two branches attend to each other, the skip of each is told from the other's."""
    scene = volumes_of(
        "a = INPUT(24x64, sequence) -> LINEAR(64) -> GELU -> LINEAR(32) -> LINEAR(64) as a1\n"
        "b = INPUT(24x64, sequence) -> LINEAR(64) as b1\n"
        "output p = ( a | ( a | b | b ) -> ATTENTION(4) as ca ) -> ADD -> LINEAR(5)\n"
        "output q = ( b | ( b | a | a ) -> ATTENTION(4) as cb ) -> ADD -> LINEAR(7)"
    )
    assert problems(scene) == []
    skips = [e for e in lines_of(scene) if e.paint.stroke == THEMES["light"].skip]
    assert len(skips) == 2
    assert abs(_bus(skips[0]) - _bus(skips[1])) > 1


def test_outputs_have_lines_of_their_own() -> None:
    """Where one output reads what another does not, their lines do not share a way."""
    scene = volumes_of(
        "u = INPUT(20) -> FC(16) -> TANH -> FC(32) as u1\n"
        "v = INPUT(20) -> FC(16) -> TANH -> FC(32) as v1\n"
        "p = INPUT(12) -> FC(32) as p1\n"
        "output score = ( u | v ) -> DOT as dot\n"
        "output extra = ( u | v | p ) -> CONCAT as both -> FC(5)"
    )
    assert problems(scene) == []

    ways = (f"{way[0]}1 \N{RIGHTWARDS ARROW} {way[2:]}" for way in ("p both", "u dot", "v both"))
    p, u, v = (_bus(*lines_of(scene, way)) for way in ways)
    assert p == v
    assert p != u


def test_a_mask_enters_by_itself() -> None:
    """What attention reads beside its input ends below it; what is summed ends at one place."""
    scene = volumes(netc.load("zoo:bert_base_uncased").graph)
    attention = bounds(boxes_of(scene)["encoder.layer.0.attention.self"])
    edges = [
        (group.title, shape.points[-1])
        for group in scene.groups
        for shape in group.shapes
        if group.role == "edge"
        and isinstance(shape, Line)
        and not shape.points[-1][1] < attention.top
    ]
    (mask,) = (end for said, end in edges if said.startswith("attention_mask"))
    (other,) = (end for said, end in edges if said.endswith("attention.self") and end != mask)
    assert mask[0] == pytest.approx(attention.left)
    assert other[1] + 15 < mask[1] < attention.bottom
    assert len({round(y, 3) for said, (_, y) in edges if said.endswith("add1")}) == 1


def test_branches_have_lanes() -> None:
    """Twins lie below each other; what they are compared by follows both."""
    scene = volumes(netc.load("zoo:siamese").graph)
    assert labels(scene).count("10x10 conv (shared)") == 1
    boxes = boxes_of(scene)
    first, second = (bounds(boxes[f"{name}.conv2"]) for name in ("twin", "other"))
    assert first.center[0] == pytest.approx(second.center[0])
    assert second.top > first.bottom
    assert bounds(boxes["distance"]).left > bounds(boxes["twin.fc"]).right


def test_encoders_with_decoders_are_a_u() -> None:
    """Each level lies below the one before, and skips lead straight across."""
    scene = volumes(netc.load("zoo:segmentation/unet").graph)
    boxes = boxes_of(scene)
    for level in range(4):
        down, up = bounds(boxes[f"down{level}.conv2"]), bounds(boxes[f"up{level}.up"])
        assert down.center[1] == pytest.approx(up.center[1])
        below = boxes[f"down{level + 1}.conv2" if level < 3 else "bottom.conv2"]
        assert bounds(below).top > down.bottom
        way = f"down{level}.conv2 \N{RIGHTWARDS ARROW} up{level}.up"
        (skip,) = lines_of(scene, way)
        (_, y), (_, other) = skip.points
        assert y == other
        assert down.left < bounds(below).left
    assert min(text.size for g in scene.groups if g.role == "label" for text in texts((g,))) >= 7
    captions = [text for g in scene.groups if g.title == "down0.conv1" for text in texts((g,))]
    assert {text.size for text in captions} == {8}
