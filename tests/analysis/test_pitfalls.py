"""Warnings about names and about what seldom trains: no alarm where the author means it."""

import pytest

import netc

MEANT = {
    "a linear map, said with `ID`": "INPUT(784) -> FC(32) -> ID -> FC(784)",
    "an activation behind a normalization": "INPUT(784) -> FC(32) -> BN -> RELU -> FC(10)",
    "dense layers side by side": "INPUT(8) -> ( FC(4) | FC(4) ) -> ADD -> RELU -> FC(2)",
    "frozen projections": "INPUT(8) -> FC(4, frozen=yes) -> FC(2)",
    "weights that the author wrote": "INPUT(2) -> FC(2, weight=[[1, 2], [3, 4]]) -> FC(1)",
    "shared weights": "INPUT(4) -> FC(4) as a -> RELU -> FC(4, share=a) -> RELU -> FC(2)",
    "a sigmoid at the end": "INPUT(8) -> FC(4) -> RELU -> FC(1) -> SIGMOID",
    "a gate": "INPUT -> CONV as c\n( c | c -> GAP -> FC(32) -> SIGMOID ) -> MUL -> CONV -> GAP",
    "a gate on a sigmoid's values": "INPUT(4) -> FC(4) as c\n( c | c -> SIGMOID ) -> MUL -> FC(4)",
    "a last layer that starts at zero": "INPUT(8) -> FC(2, init=zeros)",
    "a residual branch that starts at zero": (
        "INPUT -> CONV as c\n( c | c -> CONV(32, init=zeros) ) -> ADD -> RELU -> GAP -> FC"
    ),
    "one unit": "INPUT(8) -> FC(1, init=zeros) -> RELU -> FC(2)",
    "zeros whose units following weights tell apart": (
        "INPUT(4) -> FC(4, init=zeros) as a -> TANH -> FC(2)"
    ),
    "equal weights whose units following weights tell apart": (
        "INPUT -> CONV(8, init=constant(0.1)) -> RELU -> GAP -> FC"
    ),
    "equal weights whose units chance tells apart": (
        "INPUT(4) -> FC(4, init=ones) -> TANH -> DROPOUT -> FC(3, init=ones)"
    ),
    "equal weights whose units a shortcut tells apart": (
        "INPUT(4) as x -> FC(4, init=ones) -> TANH as h\n( x | h ) -> ADD -> FC(3, init=ones)"
    ),
    "equal weights that an output needs": (
        "INPUT(4) -> FC(4, init=ones) -> TANH as h -> FC(3, init=ones) as y\noutput h\noutput y"
    ),
    "zeros and biases that open a RELU": (
        "INPUT(8) -> FC(4, init=zeros, bias_value=1) -> RELU -> FC(2)"
    ),
    "bytes": "INPUT(8x8x3, dtype=uint8) -> NORMALIZE(mean=127.5, std=127.5) -> CONV -> GAP -> FC",
    "bytes as they are": "INPUT(8x8x3, dtype=uint8) -> NORMALIZE -> CONV -> GAP -> FC",
    "pictures from 0 to 1": "INPUT(8x8x3) -> NORMALIZE(mean=0.5, std=0.5) -> CONV -> GAP -> FC",
    "dropout between layers": "INPUT(16x8, sequence) -> GRU(4, last, layers=2, dropout=0.5)",
    "equal biases": "INPUT(8) -> FC(4, bias_value=0) -> RELU -> FC(2)",
    "a name that is to be ignored": "let (a, _b) = (1, 2)\nINPUT(8) -> FC(a)",
    "names in bodies side by side": (
        "block A(c) { FC(c) }\nblock B(c) { FC(c) }\nINPUT(8) -> A(2) -> RELU -> B(2)"
    ),
    "turns of two loops": (
        "INPUT(8) -> for i in [2, 3] { FC(i) -> RELU } -> for i in [4] { FC(i) -> RELU }"
    ),
    "a tensor outside of a block": "block A { x = FC(2)\nx -> RELU }\nx = INPUT(8) -> A -> FC(2)",
    "a block that a block calls": "block A { B }\nblock B { FC(3) }\nINPUT(8) -> A",
    "a value that a label reads": "let n = 3\nINPUT(8) -> FC(2) as fc{n}",
    "a value that an assertion reads": "let n = 18\nINPUT(8) -> FC(2)\nassert params == n",
    "a value that a count reads": "let n = 3\nINPUT(8) -> [FC(2) -> RELU]*n",
}


@pytest.mark.parametrize("why", MEANT)
def test_no_false_alarm(why: str) -> None:
    """What can be meant is not warned of."""
    assert netc.compile(MEANT[why]).warnings == ()


@pytest.mark.parametrize(
    ("program", "codes"),
    [
        ("INPUT(8) -> FC(4) -> FLATTEN -> BN -> FC(2)", ["W106"]),
        ("INPUT(4) -> FC(4) as a -> FC(4, share=a) -> RELU -> FC(2)", ["W106"]),
        ("INPUT -> CONV -> SIGMOID -> GAP -> BN -> FC", ["W107"]),
        ("INPUT -> CONV(8, init=zeros) -> BN -> RELU -> GAP -> FC", ["W108"]),
        ("INPUT(4) -> FC(4, init=ones) -> TANH -> FC(1, init=ones) -> TANH -> FC(2)", ["W108"]),
        (
            "INPUT -> CONV(8, init=constant(0.1)) -> RELU as h -> CONV(8, init=ones) as a\n"
            "h -> POOL -> CONV(8, init=ones) as b\n( a -> GAP | b -> GAP ) -> ADD -> FC",
            ["W108"],
        ),
        ("INPUT(8) -> FC(1) -> LOGSOFTMAX", ["W111"]),
        ("INPUT(16x8, sequence) -> RNN(4, last, dropout=0.5)", ["W113"]),
        ("INPUT(8x8x3, dtype=uint8) -> NORMALIZE(std=0.5) -> CONV -> GAP -> FC", ["W112"]),
        ("block A { FC(3) }\nblock B { A }\nlet x = 3\nINPUT(8) -> A", ["W105", "W105"]),
        ("x = INPUT(8) -> FC(2)\nlet x = 3\nINPUT(8) -> FC(x)\noutput y = x", ["W109"]),
    ],
)
def test_found(program: str, codes: list[str]) -> None:
    """Each is found once, also through the layers that change nothing about it."""
    assert [
        warning.code for warning in netc.compile(program).warnings if warning.code != "W103"
    ] == codes


def test_once_per_place() -> None:
    """A repetition repeats the layer, not the warning."""
    warnings = netc.compile("INPUT(8) -> [FC(8) -> SIGMOID]*50 -> FC(2)").warnings
    assert [warning.code for warning in warnings] == ["W107"]
