"""What repeats: its count is in the picture, whatever surrounds it, and the parameters add up."""

import re
from random import Random

import pytest
from support.scenes import contains, crossings, drawn, problems

import netc
from netc.compiler.analysis.counts import count, total
from netc.compiler.emit.clusters import Cluster
from netc.compiler.emit.collapse import collapse
from netc.compiler.emit.layer_view import layer_view
from netc.compiler.pictures.detail import folded, listed
from netc.compiler.pictures.fonts import bounds
from netc.compiler.pictures.graph import graph_scene
from netc.compiler.pictures.mermaid import to_mermaid
from netc.compiler.pictures.scene import Group, Scene, texts

LARGE = "3000x3000"
TIMES = re.compile("\N{MULTIPLICATION SIGN} ([0-9,]+)$")
PARAMS = re.compile(r"([0-9,]+) params?\b")
TWO_READERS = """c = INPUT(16x16x3) -> CONV(3x3, 8)
a = c -> [( ID | CONV(3x3, 8) -> RELU ) -> ADD]*3 as enc
a2 = a -> GAP
b = INPUT(8) -> FC(8) as side
( a2 | b ) -> ADD -> FC(2) as x
( b | a2 ) -> CONCAT -> FC(3) as y
output o = x
output p = y"""
CROSS = """s = INPUT(20x64, sequence) -> [( ID | LN -> ATTENTION(4) as self ) -> ADD]*3 as enc
t = INPUT(24x64, sequence) -> LN
( t | ( t | s | s ) -> ATTENTION(4) as cross ) -> ADD -> LINEAR(5)"""
DECODER = """s = INPUT(20x64, sequence) -> LINEAR(64)
t = INPUT(24x64, sequence) -> [( ID | ( ID | s | s ) -> ATTENTION(4) ) -> ADD]*3 as dec
( t | s ) -> CONCAT(axis=length) -> LINEAR(5) as x
( s | t ) -> CONCAT(axis=length) -> LINEAR(7) as y
output o = x
output p = y"""
TOWERS = """block Tower { FC(64) as l1 -> GELU -> FC(32) as code }
u = INPUT(20) -> Tower as tower
v = INPUT(20) -> Tower(share=tower) as twin
output score = ( u | v ) -> DOT
output extra = ( u | v ) -> CONCAT -> FC(5)"""


def _scene(program: str, **options: object) -> Scene:
    return drawn(program, page=LARGE, **options)


def _turns(group: Group) -> list[int]:
    """The turns that a box or the heading of a frame says, outermost first."""
    found = (TIMES.search(text.text) for text in texts((group,)))
    return [int(match[1].replace(",", "")) for match in found if match]


def _said(scene: Scene) -> tuple[int, list[int]]:
    """The parameters that boxes say, in all; and all counts of turns."""
    params, turns = 0, [times for g in scene.groups if g.role == "frame" for times in _turns(g)]
    for box in (g for g in scene.groups if g.role == "box"):
        turns += _turns(box)
        lines = " ".join(text.text for text in texts((box,)))
        if found := PARAMS.search(lines):
            params += int(found[1].replace(",", ""))
    return params, turns


def _repeated(cluster: Cluster) -> list[int]:
    inner = [child for child in cluster.children if isinstance(child, Cluster)]
    return [c.times for c in inner if c.times > 1] + [n for c in inner for n in _repeated(c)]


def _program(random: Random) -> str:
    """Chains of equal width that read each other, with repetitions, and a few outputs."""

    def step(depth: int, names: list[str]) -> str:
        other = random.choice(names) if names else "ID"
        kinds = ["FC(8)", "RELU", "( ID | FC(8) -> RELU ) -> ADD", f"( ID | {other} ) -> ADD"]
        if depth < 2 and random.random() < 0.45:
            body = " -> ".join(step(depth + 1, names) for _ in range(random.randint(1, 3)))
            label = f" as r{random.randint(0, 999)}" if random.random() < 0.5 else ""
            return f"[{body}]*{random.randint(2, 4)}{label}"
        return random.choice(kinds)

    lines, names = [], list[str]()
    for number in range(random.randint(2, 4)):
        start = "INPUT(8)"
        if names and random.random() < 0.5:
            start = f"( {random.choice(names)} | {random.choice(names)} ) -> CONCAT -> FC(8)"
        steps = (step(0, names) for _ in range(random.randint(1, 4)))
        lines.append(f"v{number} = {' -> '.join([start, *steps])}")
        names.append(f"v{number}")
    outputs = (f"output o{n} = ( {' | '.join(names)} ) -> CONCAT -> FC({n + 2})" for n in range(2))
    return "\n".join([*lines, *outputs])


def test_any_repetition_says_its_count() -> None:
    """In pictures of programs whose chains read each other, frames or boxes say all turns."""
    repetitions = drawn = 0
    for seed in range(40):
        program = _program(Random(f"repetitions {seed}"))
        try:
            graph = netc.compile(program).graph
        except netc.NetError:
            continue
        direction = ("TB", "LR")[seed % 2]
        scene = graph_scene(graph, direction=direction, page=LARGE, compact=False, columns=1)
        params, turns = _said(scene)
        expected = _repeated(collapse(layer_view(graph, count(graph))).root)
        assert not set(expected) - set(turns), program
        assert params == count(graph).params, program
        assert crossings(scene) == [], program
        drawn, repetitions = drawn + 1, repetitions + len(expected)
    assert drawn > 15
    assert repetitions > 15


@pytest.mark.parametrize("program", [TWO_READERS, CROSS], ids=["two readers", "cross"])
@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_a_frame_whose_output_has_two_readers(program: str, direction: str) -> None:
    """It is drawn around its members, where what follows crosses with other branches."""
    scene = _scene(program, direction=direction)
    (frame,) = (bounds(g.shapes[0]) for g in scene.groups if g.role == "frame")
    inside = [g.name for g in scene.groups if g.role == "box" and contains(frame, bounds(g))]
    assert len(inside) == 3
    assert all(name.startswith("enc") for name in inside)
    assert problems(scene) == crossings(scene) == []
    assert _said(scene)[0] == count(netc.compile(program).graph).params


def test_boxes_say_the_turns_of_a_frame_that_cannot_be_drawn() -> None:
    """Each layer of a decoder that reads an encoder from outside a knot says how often it is."""
    scene = _scene(DECODER)
    attention = next(g for g in scene.groups if g.role == "box" and "attention" in g.name)
    assert _turns(attention) == [3] or any(
        _turns(g) == [3] for g in scene.groups if g.role == "frame"
    )
    assert _said(scene)[0] == count(netc.compile(DECODER).graph).params


STAGES = """import "lib:resnet.net"
INPUT(64x64x64) -> for (i, m) in enumerate([3, 4, 6, 3]) {
  Bottlenecks(m, 64 * 2^i, stride=if i == 0 then 1 else 2) as layer{i + 1}
} -> GAP -> FC(10)"""


@pytest.mark.parametrize(
    ("depth", "words"),
    [
        (1, ["42 | 62 | 32 layers, \N{MULTIPLICATION SIGN} 3", "23,282,688 params"]),
        (2, ["10 layers, \N{MULTIPLICATION SIGN} 3 | 5 | 2", "15,351,296 params"]),
    ],
)
def test_stages_of_unequal_length_say_what_they_hold(depth: int, words: list[str]) -> None:
    """Frames that are listed together, or folded, say the parameters of all their turns."""
    graph = netc.compile(STAGES).graph
    drawing = folded(listed(collapse(layer_view(graph, count(graph)))), depth)
    boxes = [drawing.boxes[position] for position in drawing.root.boxes()]
    assert sum(box.params for box in boxes) == count(graph).params
    assert total(box.macs for box in boxes) == count(graph).macs
    said = [f"{', '.join(box.details)} {box.params:,} params" for box in boxes]
    assert any(all(word in text for word in words) for text in said)


def test_what_passes_a_layer_by_is_a_skip() -> None:
    """The way around cross-attention has the colour of skips, though its branch is a name."""
    scene = _scene(CROSS)
    edges = [line for g in scene.groups if g.role == "edge" for line in g.shapes]
    (skip,) = {line.paint.stroke for line in edges if line.paint.width > 1.2}  # type: ignore[union-attr]
    source = next(bounds(g) for g in scene.groups if g.role == "box" and g.name == "ln1")
    leaving = [
        line.paint.stroke  # type: ignore[union-attr]
        for line in edges
        if line.points[0] == pytest.approx((source.center[0], source.bottom))  # type: ignore[union-attr]
    ]
    assert skip in leaving
    assert len(set(leaving)) == 2


def test_towers_are_framed_and_folded_ones_name_their_owner() -> None:
    """Both towers have a frame; as one box the second says whose weights it has."""
    frames = [g.title for g in _scene(TOWERS).groups if g.role == "frame"]
    assert frames == ["tower", "twin"]
    (twin,) = (g for g in _scene(TOWERS, depth=1).groups if g.role == "box" and g.name == "twin")
    assert "weights of tower" in " ".join(text.text for text in texts((twin,)))
    assert "weights of tower" in to_mermaid(netc.compile(TOWERS).graph, depth=1)
