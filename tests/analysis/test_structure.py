"""Heads, depth and width."""

import pytest

import netc
from netc.compiler.analysis.structure import depth, heads, width
from netc.compiler.ir.graph import Graph
from netc.compiler.lower import lower
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source


def lowered(text: str) -> Graph:
    """The graph before heads get their units."""
    return lower(parse(Source("test", text)), name="test").graph


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("INPUT -> FC -> RELU -> FC", ("fc2",)),
        ("INPUT -> FC -> SOFTMAX", ("fc1",)),
        ("INPUT -> FC -> BN", ()),
        ("INPUT -> FC(10)", ()),
        ("INPUT -> FC(bias=no)", ("fc1",)),
        ("INPUT -> FC -> RELU -> FC(10)", ()),
        ("INPUT -> FC -> ( FC | FC -> RELU ) -> ADD", ("fc2", "fc3")),
        ("INPUT -> ( FC | FC -> FC ) -> ADD", ("fc1", "fc3")),
        ("x = INPUT -> FC\noutput a = x\noutput b = x -> FC", ("fc2",)),
        ("x = INPUT -> FC as trunk\noutput a = x -> FC\noutput b = x -> FC", ("fc1", "fc2")),
        ("x = INPUT -> FC as f\ny = x -> FC\noutput a = x", ("f",)),
        ("x = INPUT\ny = x -> FC as unused\noutput a = x -> FC", ("fc1",)),
    ],
)
def test_heads(text: str, expected: tuple[str, ...]) -> None:
    """A head is a needed FC without units behind which no parameters lie on the way out."""
    assert heads(lowered(text)) == expected


def test_heads_take_linear_time() -> None:
    """A chain of thousands of dense layers has one head."""
    assert heads(lowered("INPUT(8) -> [FC -> RELU]*4_990")) == ("fc4990",)


def structure(text: str) -> tuple[int, int]:
    """Depth and width of a program."""
    net = netc.compile(text)
    return depth(net.graph, net.counts), width(net.graph, net.counts)


def test_depth_counts_layers_with_weights() -> None:
    """Convolutions and dense layers count; normalization, activation and pools do not."""
    assert structure("INPUT -> [CONV(16) -> BN -> RELU -> POOL]*3 -> FC(100) -> FC(10)") == (5, 100)


def test_depth_is_the_longest_path() -> None:
    """Of parallel branches the longer one counts."""
    text = "INPUT -> ( CONV(8) -> CONV(8) -> CONV(8) | CONV(8) | ID -> CONV(8) ) -> CONCAT -> FC(2)"
    assert structure(text) == (4, 8)


def test_width_is_that_of_layers_not_of_merges() -> None:
    """A concatenation is wider than its branches, but has no weights."""
    assert structure("INPUT -> ( CONV(24) | CONV(16) ) -> CONCAT -> FC(2)") == (2, 24)


def test_a_network_without_weights() -> None:
    """Pools alone have no depth and no width."""
    assert structure("INPUT -> POOL") == (0, 0)
