"""Branches whose number is computed, and what the turns of repetitions name."""

import pytest
from support.refusals import failure_of

import netc

# program -> (kinds of its layers, extents of its output without the batch)
NETWORKS = {
    "INPUT(8x8x4) -> ( for r in [1, 2, 3] | CONV(3x3, 2, dilation=r) ) -> CONCAT": (
        *("INPUT CONV CONV CONV CONCAT", (6, 8, 8)),
    ),
    "INPUT(8x8x4) -> ( CONV(1x1, 5) | for r in [1, 2] | CONV(3x3, r) | ID ) -> CONCAT": (
        *("INPUT CONV CONV CONV ID CONCAT", (12, 8, 8)),
    ),
    "INPUT(8x8x4) -> ( for a in [1, 2] | for b in [3, 4] | CONV(a * b) ) -> CONCAT": (
        *("INPUT CONV CONV CONV CONV CONCAT", (21, 8, 8)),
    ),
    "INPUT(8x8x4) -> SPLIT(2) -> ( for a in [1, 2, 3] if a > 1 | CONV(a) ) -> CONCAT": (
        *("INPUT SPLIT CONV CONV CONCAT", (5, 8, 8)),
    ),
    "INPUT(8x8x4) -> ( for a in [1, 2] if a > 1 | for b in [2, 4] if b > a | CONV(b) ) -> ADD": (
        *("INPUT CONV", (4, 8, 8)),
    ),
    "INPUT(8x8x4) -> ( for a in [1, 2] | CONV(a) if a > 1 | ID ) -> CONCAT": (
        *("INPUT CONV ID CONCAT", (6, 8, 8)),
    ),
    "INPUT(8x8x4) -> ( CONV(4) | ID if yes ) -> ADD": ("INPUT CONV ID ADD", (4, 8, 8)),
    "INPUT(8x8x4) -> ( CONV(4) | ID if no ) -> ADD as sum -> RELU": ("INPUT CONV RELU", (4, 8, 8)),
    "INPUT(8x8x4) -> ( CONV(5) | ID if no ) -> CONCAT": ("INPUT CONV", (5, 8, 8)),
    "INPUT(8x8x4) -> ( CONV(5) if no | ID if no | GAP ) -> FC(2)": ("INPUT GAP FC", (2,)),
    "INPUT(8x8x4) -> ( for r in [7] | CONV(r) ) -> MEAN": ("INPUT CONV", (7, 8, 8)),
    "INPUT(8x8x4) -> SPLIT(2) -> ( for c in [3, 5] | CONV(c) ) -> CONCAT": (
        *("INPUT SPLIT CONV CONV CONCAT", (8, 8, 8)),
    ),
    "INPUT(8x8x4) -> SPLIT(2) -> ( CONV(3) | ID if no ) -> ADD": ("INPUT SPLIT CONV", (3, 8, 8)),
}


@pytest.mark.parametrize("program", NETWORKS)
def test_branches(program: str) -> None:
    """A branch is there in each turn in which its condition holds; a lone tensor is not merged."""
    net = netc.compile(program)
    kinds, extents = NETWORKS[program]
    assert " ".join(layer.kind for layer in net.graph.layers.values()) == kinds
    assert tuple(net.outputs[0].shape[1:]) == extents


def test_a_label_on_a_merge_of_one_names_its_tensor() -> None:
    """A value that starts chains is there whether or not there was something to merge."""
    net = netc.compile("INPUT(8x8x4) -> ( CONV(4) as c | ID if no ) -> ADD as sum\nsum -> FC(2)")
    assert net.graph.labels["sum"] == net.graph.labels["c"]


PYRAMID = """
x = INPUT(32x32x3)
  -> for i in range(3) { CONV(3x3, 8 * (i + 1), stride=2) as stage{i} -> RELU as c{i} }

for i in range(3) {
  side = c{i} -> CONV(1x1, 16) -> RELU
  p{i} = side -> CONV(3x3, 16)
  output level{i} = p{i} -> GAP
}
output all = ( for i in range(3) | p{i} -> GAP ) -> CONCAT
"""


def test_what_turns_name() -> None:
    """Computed names last, plain ones are the turn's own, and each turn may have an output."""
    net = netc.compile(PYRAMID)
    assert {output.name: tuple(output.shape[1:]) for output in net.outputs} == {
        **{f"level{i}": (16,) for i in range(3)},
        "all": (48,),
    }
    assert {"p0", "p1", "p2", "x", "stage0"} <= net.graph.labels.keys()
    assert "side" not in net.graph.labels
    assert net.warnings == ()


def test_a_turns_own_value_can_be_shared_within_the_turn() -> None:
    """`share=` and `UNPOOL` find the layer behind a value of the turn."""
    net = netc.compile(
        "INPUT(8x8x4) -> for i in range(2) { a = CONV(4)\nb = in -> CONV(4, share=a)\n"
        "( a | b ) -> ADD }"
    )
    assert net.params == 2 * (4 * 4 * 9 + 4)


def test_loops_in_loops_name_what_they_yield() -> None:
    """A `for` or an `if` that only holds such as end with names drops nothing."""
    net = netc.compile(
        "x0_0 = INPUT(8x8x4)\nfor m in range(2) {\n"
        "for s in range(1) { for i in range(2) { b{m}_{i} = x{m}_0 -> CONV(4) } }\n"
        "if m == 0 { for i in range(1) { y{m} = b{m}_0 -> RELU } } else { y{m} = b{m}_1 -> TANH }\n"
        "x{m + 1}_0 = ( y{m} | for i in range(2) | b{m}_{i} ) -> ADD\n}\nx2_0 -> GAP -> FC"
    )
    assert net.params == 4 * (4 * 4 * 9 + 4) + 5 * 10


def test_values_of_a_block_meet_whatever_comes_in() -> None:
    """Branches that all start with values take none of a block's tensors, so any number fits."""
    net = netc.compile(
        "block Pyramid(; a, b, c) { x = ( a | b ) -> ADD\ny = ( x | c ) -> ADD -> CONV(2) as last\n"
        "( x | ( y | c ) -> ADD | PARAM(2) as p | a | b ) }\n"
        "(u, v, _w, _s, _t) = INPUT(8x8x2) -> ( ID | RELU | TANH ) -> Pyramid as fpn\n"
        "( u | v ) -> CONCAT -> FC(2) as fc\nassert params(fpn) == 2 * 2 * 9 + 2 + 2"
    )
    assert [name for name in net.graph.parameters if name.startswith("fpn")] == [
        *("fpn.last.weight", "fpn.last.bias", "fpn.p"),
    ]


REFUSED = {
    "INPUT -> for i in range(2) { for j in range(2) { CONV }\nRELU }": (
        *("E115", "the result of this chain is dropped"),
    ),
    "block B(; a, b, c) { ( a | CONV(2) ) -> ADD }\nINPUT -> ( ID | ID | ID ) -> B": (
        *("E113", "3 tensors meet 2 branches"),
    ),
    "INPUT -> ( CONV(4) | ID ) as pair -> ADD": ("E113", "`pair` can label one tensor, not 2"),
    "INPUT -> for i in range(2) { a = CONV }\na -> FC": ("E101", "unknown layer or value `a`"),
    "INPUT -> for i in range(2) { a{0} = CONV }": ("E112", "the name `a0` is given twice"),
    "INPUT -> ( CONV(4) | ID ) -> RELU": ("E113", "RELU takes one tensor, but 2 branches"),
    "INPUT -> ( CONV(4) ) -> ADD": ("E113", "ADD merges several tensors, but gets one"),
    "INPUT -> ( CONV(4) if no ) -> ADD": ("E113", "no branch is left here"),
    "INPUT -> ( for r in [] | CONV(r) ) -> ADD": ("E113", "no branch is left here"),
    "INPUT -> ( for r in 3 | CONV(r) ) -> ADD": ("E302", "`for` takes a list"),
    "INPUT -> ( CONV(4) | ID if 1 ) -> ADD": ("E302", "a condition must be `yes` or `no`"),
    "INPUT -> SPLIT(3) -> ( for c in [1, 2] | CONV(c) ) -> CONCAT": (
        *("E113", "3 tensors meet 2 branches"),
    ),
    "INPUT -> ( for r in range(50_000) | RELU ) -> ADD": ("E401", "turns and calls"),
    "block B { output y = FC(2) }\nINPUT -> B": ("E118", "a block gives the network no output"),
}


@pytest.mark.parametrize("program", REFUSED)
def test_refused(program: str) -> None:
    """What is wrong is told in one sentence."""
    first = failure_of(netc.compile, program).diagnostics[0]
    code, message = REFUSED[program]
    assert first.code == code
    assert message in first.message
