"""What passes by maps: arcs with their signs and words, and stubs with letters."""

from itertools import pairwise

import pytest
from support.scenes import boxes_of, labels, lines_of, problems, said
from support.volumes import DECODER, volumes_of

import netc
from netc.compiler.emit.palette import THEMES
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.scene import Ellipse, Line, texts
from netc.compiler.pictures.volumes import volumes


def test_a_skip_from_another_lane() -> None:
    """What attention to another input is added to passes by it, and ends at a sign."""
    scene = volumes_of(
        "s = INPUT(20x64, sequence) -> LINEAR(64)\nt = INPUT(24x64, sequence) as query\n"
        "( t | ( t | s | s ) -> ATTENTION(4) as cross ) -> ADD -> LINEAR(5)"
    )
    assert problems(scene) == []
    assert [text.text for text in texts(scene.shapes)].count("+") == 1
    strokes = {s.paint.stroke for s in lines_of(scene, "query \N{RIGHTWARDS ARROW} cross")}
    assert strokes == {THEMES["light"].skip, THEMES["light"].line}


ROWS = " -> ".join(f"CONV(3x3, 8) as c{i} -> CONV(1x1, {i}) as d{i}" for i in range(9, 25))


POOLED = "INPUT(64x64x8) -> CONV(3x3, 8) as c -> POOL(2x2) as p ->"


@pytest.mark.parametrize(
    ("program", "source", "target", "summed"),
    [
        (
            f"{DECODER}d = ( t | s ) -> Dec(128) as d0\n( d | s ) -> Dec(96) as d1 -> LINEAR(5)",
            *("mem", "d1.cross", "d1.own"),
        ),
        (
            f"m = {POOLED} CONV(3x3, 8) as e -> CONV(1x1, 8)\n"
            "( m -> UNPOOL(p) as u | c ) -> ADD -> CONV(1x1, 2)",
            *("p", "u", "c"),
        ),
        (
            f"m = {POOLED} {ROWS} -> CONV(3x3, 8) as last\n"
            "( m -> UNPOOL(p) as u | c ) -> ADD -> CONV(1x1, 2)",
            *("p", "u", "c"),
        ),
    ],
    ids=["memory", "indices", "rows"],
)
def test_what_a_layer_reads_is_not_summed(
    program: str, source: str, target: str, summed: str
) -> None:
    """Memory and indices end at the side of a map; only what is added ends at its sign."""
    scene = volumes_of(program)
    assert problems(scene) == []
    box = bounds(boxes_of(scene)[target])
    signs = [s for s in scene.shapes if isinstance(s, Ellipse)]
    (sign,) = (s for s in signs if box.left - 5 < s.x < box.right and s.y < box.center[1])
    for name, ends_there in ((source, False), (summed, True)):
        line = lines_of(scene, f"{name} \N{RIGHTWARDS ARROW} {target}")[-1]
        x, y = line.points[-1]
        assert (y < sign.y and abs(x - sign.x) < 1) == ends_there
        assert ends_there or (x == pytest.approx(box.left, abs=1) and box.top < y < box.bottom)


def test_a_sum_and_a_product_have_signs_of_their_own() -> None:
    """What is multiplied by a sum does not end at the plus sign."""
    scene = volumes_of(
        "x = INPUT(16x16x8) -> CONV(3x3, 8) as a\n"
        "( ( x -> CONV(3x3, 8) as b -> CONV(3x3, 8) as c | x ) -> ADD | x ) -> MUL -> CONV(1x1, 2)"
    )
    assert problems(scene) == []
    assert "mul" in labels(scene)
    assert [text.text for text in texts(scene.shapes)].count("+") == 1


def test_skips_between_rows_end_at_signs() -> None:
    """A skip to another row is summed there as visibly as in its own row."""
    scene = volumes_of(
        "block Double(c) { CONV(3x3, c) -> BN -> RELU -> CONV(3x3, c) -> BN -> RELU }\n"
        "INPUT(256x256x3)\n"
        "-> for i in range(5) { Double(16 * 2^i) as enc{i} -> POOL }\n"
        "-> Double(512) as neck\n"
        "-> for i in reversed(range(5)) {"
        " ( enc{i} | UPSAMPLE(2) -> CONV(1x1, 16 * 2^i) ) -> ADD -> Double(16*2^i) as dec{i} }"
    )
    assert problems(scene) == []
    assert "a" in said(scene)
    assert [text.text for text in texts(scene.shapes)].count("+") == 5


def test_letters_stand_beside_lines() -> None:
    """No way leads through the letter of another, in a row or into the same map."""
    scene = volumes_of(
        "block Double(c) { CONV(3x3, c) -> RELU -> CONV(3x3, c) -> RELU }\n"
        "block Up(c; x, s) {\n"
        "  u = x -> UPCONV(2x2, c, stride=2) as up\n"
        "  g = ( u -> CONV(1x1, c // 2) | s -> CONV(1x1, c // 2) ) -> ADD -> RELU\n"
        "  k = g -> CONV(1x1, 1) -> SIGMOID\n"
        "  ( u | ( s | k ) -> MUL ) -> CONCAT -> Double(c)\n"
        "}\n"
        "a = INPUT(128x128x1) -> Double(16) as e0\nb = a -> POOL -> Double(32) as e1\n"
        "c = b -> POOL -> Double(64) as e2\nd = c -> POOL -> Double(128) as e3\n"
        "e = d -> POOL -> Double(256) as neck\nf = ( e | d ) -> Up(128) as d3\n"
        "g = ( f | c ) -> Up(64) as d2\nh = ( g | b ) -> Up(32) as d1\n"
        "( h | a ) -> Up(16) as d0 -> CONV(1x1, 2)"
    )
    assert problems(scene) == []
    letters = [
        (group.title, text.x, text.y)
        for group in scene.groups
        for text in texts((group,))
        if group.role == "label" and "\N{RIGHTWARDS ARROW}" in group.title and len(text.text) == 1
    ]
    assert len(letters) > 3
    for way, x, y in letters:
        for group in scene.groups:
            if group.role == "edge" and group.title != way:
                lines = [shape for shape in group.shapes if isinstance(shape, Line)]
                for a, b in (pair for line in lines for pair in pairwise(line.points)):
                    assert (
                        not min(a[0], b[0]) - 1.5 < x < max(a[0], b[0]) + 1.5
                        or not min(a[1], b[1]) - 1 < y - 2 < max(a[1], b[1]) + 1
                    ), f"{group.title} leads through the letter of {way}"


def _uprights(line: Line) -> list[tuple[float, float, float]]:
    """The straight parts of a line that lead up or down: where, from and to."""
    steps = [(a, b) for a, b in pairwise(line.points) if abs(a[0] - b[0]) < 0.01]
    return [(a[0], min(a[1], b[1]), max(a[1], b[1])) for a, b in steps if abs(a[1] - b[1]) > 1]


def test_skips_from_row_to_row_are_beside_the_main_line() -> None:
    """What a skip of a row's first map and that map itself read comes along two paths."""
    blocks = " -> ".join(
        f"( CONV(3x3, {c}) -> CONV(3x3, {c + 1}) | CONV(1x1, {c + 1}) ) -> ADD -> RELU"
        for c in range(8, 44, 3)
    )
    scene = volumes_of(f"INPUT(64x64x3) -> {blocks} -> FC(5)")
    assert problems(scene) == []
    skip, line = THEMES["light"].skip, THEMES["light"].line
    skips, others = (
        [u for edge in lines_of(scene) if edge.paint.stroke == colour for u in _uprights(edge)]
        for colour in (skip, line)
    )
    assert len(others) > 1  # from row to row
    for x, top, bottom in skips:
        shared = [o for o in others if abs(o[0] - x) < 1 and top < o[2] - 1 and o[1] < bottom - 1]
        assert shared == []


def test_later_turns_have_shortcuts_of_their_own() -> None:
    """Beside the projection of a stage's first block is the identity of the others, undashed."""
    scene = volumes(netc.load("zoo:resnet18").graph)
    end = "layer2.0.conv2"
    lines = [s for g in scene.groups if g.role == "edge" for s in g.shapes if g.title.endswith(end)]
    dashes = [bool(line.paint.dash) for line in lines if len(line.points) > 8]  # type: ignore[union-attr]
    assert sorted(dashes) == [False, True]


def test_ways_with_words_have_lanes_of_their_own() -> None:
    """Two projections of one map are two lines, and the words of each stand on its own."""
    scene = volumes_of(
        "block Stage(c, s) {\n"
        "  ( CONV(3x3, c, stride=s) -> RELU -> CONV(3x3, c) as out | CONV(1x1, c, stride=s) )\n"
        "  -> ADD\n}\n"
        "c2 = INPUT(64x64x3) -> CONV(3x3, 16) -> Stage(16, 1) as s2\n"
        "c3 = c2 -> Stage(32, 2) as s3\n"
        "c4 = c3 -> Stage(64, 2) as s4\n"
        "m4 = c4 -> CONV(1x1, 32) as lat4\n"
        "m3 = ( c3 -> CONV(1x1, 32) as lat3 | m4 -> UPSAMPLE as up3 ) -> ADD\n"
        "m2 = ( c2 -> CONV(1x1, 32) as lat2 | m3 -> UPSAMPLE as up2 ) -> ADD\n"
        "output p2 = m2 -> CONV(3x3, 8) as q2\noutput p3 = m3 -> CONV(3x3, 8) as q3\n"
        "output p4 = m4 -> CONV(3x3, 8) as q4"
    )
    assert problems(scene) == []
    for source, near, far in (("s2.out", "s3.out", "up2"), ("s3.out", "s4.out", "up3")):
        ways = (lines_of(scene, f"{source} \N{RIGHTWARDS ARROW} {end}") for end in (near, far))
        inner, outer = (max(each, key=lambda line: len(line.points)).points for each in ways)
        assert outer[0][0] < inner[0][0]
        assert min(y for _, y in outer) < min(y for _, y in inner) - 5
    words = labels(scene)
    assert {f"3x3 conv output p{n}" for n in (2, 3, 4)} <= set(words)
