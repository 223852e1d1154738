"""Names of layers, weights, values and outputs: which may meet, and which are refused."""

import pytest

import netc

COLLIDING = {
    "let n = 3\nINPUT(4x4x3) -> for i in range(3) { LN } as l{n}": "l3",
    "INPUT(4x4x3) -> for i in range(4) { LN } as l{i // 2}": "l0",
    "INPUT -> [CONV as conv{1}]*2": "conv1",
    "INPUT -> CONV -> CONV as conv{1}": "conv1",
    "INPUT(3) -> ( ID | PARAM(3) as a.weight ) -> ADD -> FC as a": "a.weight",
    "INPUT(3) -> FC(3) as a -> ( ID | PARAM(3) as a.bias ) -> ADD": "a.bias",
    "INPUT(2) as a.weight -> FC(2) as a": "a.weight",
    "INPUT(4x4x3) as n.running_mean -> BN as n": "n.running_mean",
    "INPUT(2) -> FC(2) as a -> RELU\nINPUT(2) as a.weight -> FC": "a.weight",
    "INPUT(3) -> FC as a -> [RELU] as a": "a",
    "INPUT(4) -> SPLIT(2) as s -> ADD -> SPLIT(2) as s -> ADD": "s",
    "INPUT(4) -> ( FC(2) | FC(2) ) -> ADD as a -> [FC(2)]*2 as a": "a",
    "INPUT(4) -> [FC(4) as c] as c": "c",
    "block B { FC(4) }\nINPUT(4) -> B as b{0} -> B as b0": "b0",
    "block B { FC(4) }\nINPUT(4) -> B -> B as b{1}": "b1",
    "x = INPUT(4) -> FC(4) as y\ny = x -> FC(4)": "y",
}


@pytest.mark.parametrize("program", COLLIDING)
def test_a_name_that_is_given_twice_is_refused_where_it_is_given(program: str) -> None:
    """Labels, inputs, weights and computed names share one table; the second comer is told."""
    with pytest.raises(netc.NetError) as failure:
        netc.compile(program)
    first = failure.value.diagnostics[0]
    assert (first.code, f"`{COLLIDING[program]}`" in first.message) == ("E112", True)
    assert first.span is not None
    assert first.also or "repetition" in first.label


FREE = {
    "INPUT -> CONV as conv{1} -> CONV": ["input", "conv1", "conv2"],
    "INPUT -> for i in range(2) { CONV as conv{i + 1} } -> CONV -> CONV": [
        *("input", "conv1", "conv2", "conv3", "conv4"),
    ],
    "block B(i) { CONV as conv{i} -> CONV }\nINPUT -> B(1)": ["input", "b1.conv1", "b1.conv2"],
    "block B { CONV as c }\nINPUT -> B as b{1} -> B": ["input", "b1.c", "b2.c"],
    "conv1 = INPUT -> CONV\nconv1 -> CONV": ["input", "conv2", "conv3"],
    "INPUT(4) -> SPLIT(2) as split{1} -> ADD -> SPLIT(2) -> ADD": [
        *("input", "split1", "add1", "split2", "add2"),
    ],
}


@pytest.mark.parametrize("program", FREE)
def test_automatic_names_skip_computed_labels(program: str) -> None:
    """An unlabelled layer takes the next name that no label has taken, computed ones included."""
    assert list(netc.compile(program).graph.layers) == FREE[program]
