"""Feature maps that repeat are drawn once, and only they."""

import random

import pytest
from support.scenes import labels, problems
from support.volumes import DECODER, volumes_of

import netc
from netc.compiler.analysis.counts import count
from netc.compiler.pictures.feature_maps import FeatureMap, Repeat, feature_maps
from netc.compiler.pictures.repeated_maps import fold
from netc.compiler.pictures.scene import Scene
from netc.compiler.pictures.volumes import volumes


def test_repeats_are_folded() -> None:
    """Blocks and layers that repeat are drawn once; shortcuts pass within, and say what they do."""
    resnet = labels(volumes(netc.load("zoo:resnet18").graph))
    assert resnet.count("\N{MULTIPLICATION SIGN} 2") == 4
    assert resnet.count("1st: 1x1 conv /2") == 3
    vgg = labels(volumes(netc.load("zoo:classic/vgg16").graph))
    assert vgg.count("3x3 conv \N{MULTIPLICATION SIGN} 2") == 2
    assert vgg.count("3x3 conv \N{MULTIPLICATION SIGN} 3") == 3


@pytest.mark.parametrize("seed", range(40))
def test_stripes_are_activations(seed: int) -> None:
    """Maps that are drawn once have the same activation in every turn."""
    chosen = random.Random(seed)
    kinds = [chosen.choice(["", "RELU", "TANH"]) for _ in range(8)]
    if chosen.random() < 0.5:
        kinds[2:6] = kinds[:2] * 2
    layers = [f"CONV(3x3, 8){' -> ' * bool(kind)}{kind}" for kind in kinds]
    graph = netc.compile(f"INPUT(16x16x8) -> {' -> '.join(layers)} -> POOL -> FC(4)").graph
    found = fold(feature_maps(graph, count(graph)))
    drawn: list[FeatureMap] = []
    at = 0
    turns = {repeat.first: repeat for repeat in found.repeats}
    while at < len(found.maps):
        repeat = turns.get(at, Repeat(at, at, found.maps[at].times))
        drawn += found.maps[at : repeat.last + 1] * repeat.times
        at = repeat.last + 1
    assert [each.activation for each in drawn if each.kind == "CONV"] == kinds


def test_turns_end_with_scopes() -> None:
    """A layer before a block that looks as the block's last one is not part of its turns."""
    graph = netc.compile(
        "INPUT(24x64, sequence) -> LINEAR(64) as a"
        " -> [ATTENTION(4) as b -> LINEAR(128) as c -> LINEAR(64) as d]*4 as e -> LINEAR(5)"
    ).graph
    found = fold(feature_maps(graph, count(graph)))
    (repeat,) = found.repeats
    first, last = (found.maps[i].path.split(".")[-1] for i in (repeat.first, repeat.last))
    assert (first, last, repeat.times) == ("b", "d", 4)


def test_turns_begin_where_blocks_begin() -> None:
    """A decoder's turns run from self attention to the last layer, whatever comes before it."""
    blocks = "x0 = ( t | s ) -> Dec(128) as d0\n"
    blocks += "".join(f"x{i} = ( x{i - 1} | s ) -> Dec(128) as d{i}\n" for i in (1, 2))
    graph = netc.compile(f"{DECODER}{blocks}x2 -> LINEAR(5)").graph
    found = fold(feature_maps(graph, count(graph)))
    ends = [(found.maps[r.first].path, found.maps[r.last].path, r.times) for r in found.repeats]
    assert ends == [("d0.own", "d0.down", 3)]


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            "CONV(3x3, 16) -> CONV(3x3, 16, dilation=2) -> CONV(3x3, 16, dilation=4, groups=4)",
            ["3x3 conv", "3x3 conv, dilation 2", "3x3 conv, groups 4, dilation 4"],
        ),
        (
            "[CONV(3x3, 16, groups=2)]*3 -> [CONV(3x3, 16, groups=4)]*2",
            [f"3x3 conv, groups {n} \N{MULTIPLICATION SIGN} {m}" for n, m in ((2, 3), (4, 2))],
        ),
        (
            "ATTENTION(4) -> ATTENTION(8) -> ATTENTION(8, causal=yes)",
            ["attention", "attention", "causal attention"],
        ),
    ],
    ids=["dilation", "groups", "heads"],
)
def test_layers_that_differ_are_not_folded(layers: str, words: list[str]) -> None:
    """Layers of the same kind and kernel are told apart by dilation, groups and what else differs.

    Captions say dilation and groups.
    """
    size = "24x16, sequence" if "ATTENTION" in layers else "64x64x16"
    scene = volumes_of(f"INPUT({size}) -> {layers} -> FC(10)")
    assert problems(scene) == []
    named = tuple(group for group in scene.groups if group.role == "label" and group.name)
    found = labels(Scene(1, 1, named, "#ffffff"))
    assert [text for text in found if "conv" in text or "attention" in text] == words


WAVENET = """
block W(d) {
  ( ( CONV(kernel=2, 32, dilation=d, pad=same) as f -> TANH
    | CONV(kernel=2, 32, dilation=d, pad=same) as g -> SIGMOID )
    -> MUL -> CONV(kernel=1, 32) as o | ID ) -> ADD
}
INPUT(1024x1, sequence) -> CONV(kernel=2, 32) as start
"""


def test_dilations_of_turns() -> None:
    """A few dilated blocks are drawn each; of many, the first and the last dilation are said."""
    dilations = [f"k2 conv, dilation {2**i}" for i in range(1, 6)]
    few, many = (
        volumes_of(f"{WAVENET}-> for i in range({n}) {{ W({d}) as w{{i}} }} -> CONV(kernel=1, 8)")
        for n, d in ((6, "2^i"), (24, "1 + i"))
    )
    assert [w for w in labels(few) if "dilation" in w][::2] == dilations
    assert problems(many) == []
    words = labels(many)
    assert words.count("k2 conv, dilation 1\N{HORIZONTAL ELLIPSIS}24") == 2
    assert "\N{MULTIPLICATION SIGN} 24" in words


@pytest.mark.parametrize(
    ("program", "repeated"),
    [
        ("INPUT(8x8x4) -> [CONV(3x3, 4) -> RELU]*3", ["3x3 conv \N{MULTIPLICATION SIGN} 3"]),
        # side by side, not one after the other
        ("INPUT(8x8x4) -> ( CONV(3x3, 4) | CONV(3x3, 4) | CONV(3x3, 4) ) -> CONCAT", []),
        (
            "INPUT(8x8x4) -> [( CONV(1x1, 4) -> CONV(3x3, 4) | ID ) -> ADD]*5",
            ["\N{MULTIPLICATION SIGN} 5"],
        ),
    ],
    ids=["chain", "branches", "blocks"],
)
def test_what_repeats(program: str, repeated: list[str]) -> None:
    """Only what follows itself is folded."""
    scene = volumes_of(program)
    assert problems(scene) == []
    assert [text for text in labels(scene) if "\N{MULTIPLICATION SIGN}" in text] == repeated
