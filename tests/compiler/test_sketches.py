"""Programs as they are sketched on whiteboards are answered with the chain that they mean."""
# ruff: noqa: RUF001, this file is about characters that are taken for others

import pytest
from support.refusals import failure_of, help_of

import netc

# What is sketched, and the part of the program that the help spells, in the place of the sketch.
ROWS = [
    ("INPUT -> 8@3x3 -> FC(10)", "8@3x3", "CONV(3x3, 8)"),
    ("INPUT -> 32@28x28 -> FC(10)", "32@28x28", "CONV(32)"),
    ("INPUT -> CONV(8@3x3) -> FC(10)", "CONV(8@3x3)", "CONV(3x3, 8)"),
    (
        "INPUT -> 7x7 conv, 64, /2 -> pool, /2 -> fc 1000",
        "7x7 conv, 64, /2 -> pool, /2 -> fc 1000",
        "CONV(7x7, 64, stride=2) -> POOL(stride=2) -> FC(1000)",
    ),
    (
        "INPUT -> [3x3 conv, 64 -> relu]*2 -> fc 10",
        "[3x3 conv, 64 -> relu]*2 -> fc 10",
        "[CONV(3x3, 64) -> RELU]*2 -> FC(10)",
    ),
    ("INPUT -> conv 3x3, 64 -> FC(10)", "conv 3x3, 64", "CONV(3x3, 64)"),
    ("INPUT -> CONV(3x3, 8)-BN-RELU -> FC", "CONV(3x3, 8)-BN-RELU", "CONV(3x3, 8) -> BN -> RELU"),
    ("INPUT -> 1000-d fc -> SOFTMAX", "1000-d fc", "FC(1000)"),
    ("INPUT -> [CONV || ID] -> CONCAT", "[CONV || ID]", "( CONV | ID )"),
    ("INPUT -> { CONV, ID } -> CONCAT", "{ CONV, ID }", "( CONV | ID )"),
    (
        "INPUT -> ( CONV(3x3, 8), conv 5x5 8 ) -> CONCAT",
        "( CONV(3x3, 8), conv 5x5 8 )",
        "( CONV(3x3, 8) | CONV(5x5, 8) )",
    ),
    (
        "INPUT -> RESIDUAL(CONV(3x3, 3) -> RELU) -> FC",
        "RESIDUAL(CONV(3x3, 3) -> RELU)",
        "( CONV(3x3, 3) -> RELU | ID ) -> ADD",
    ),
    ("INPUT -> CONV(3x3, 3->16) -> FC", "3->16", "16"),
    ("INPUT(784) -> FC(784 -> 128)", "784 -> 128", "128"),
    ('"""LeNet"""\nINPUT -> FC', '"""LeNet"""', "# LeNet"),
    ("% LeNet\nINPUT -> FC", "% LeNet", "# LeNet"),
    ("INPUT -> 3x3x64 conv -> FC(10)", "3x3x64 conv", "CONV(3x3, 64)"),
    ("INPUT -> 3x3 conv, 64, relu -> FC(10)", "3x3 conv, 64, relu", "CONV(3x3, 64) -> RELU"),
    ("INPUT -> CONV(32 filters) -> FC(10)", "CONV(32 filters)", "CONV(32)"),
    (
        "INPUT -> CONV(3x3 kernel, 32 filters, stride 2) -> FC(10)",
        "CONV(3x3 kernel, 32 filters, stride 2)",
        "CONV(3x3, 32, stride=2)",
    ),
    ("INPUT -> CONV(3x3, 64, /2) -> FC(10)", "CONV(3x3, 64, /2)", "CONV(3x3, 64, stride=2)"),
    ("INPUT -> CONV(3x3, 64)/2 -> FC(10)", "CONV(3x3, 64)/2", "CONV(3x3, 64, stride=2)"),
    ("INPUT -> 2x2 max pool -> FC(10)", "2x2 max pool", "MAXPOOL(2x2)"),
    ("INPUT -> global average pooling -> FC(10)", "global average pooling", "GAP"),
    ("INPUT -> batch norm -> FC(10)", "batch norm", "BN"),
    ("INPUT -> conv1: 16 filters 3x3 -> FC", "conv1: 16 filters 3x3", "CONV(3x3, 16)"),
    ("image 32x32 -> conv 16 -> GAP", "image 32x32 -> conv 16", "INPUT(32x32) -> CONV(16)"),
    (
        "Input(28,28) → Conv(32,3×3) → ReLU → Dense(10)",
        "Input(28,28) → Conv(32,3×3) → ReLU → Dense(10)",
        "INPUT(28x28) -> CONV(3x3, 32) -> RELU -> FC(10)",
    ),
    (
        "INPUT -> nn.Conv2d(3, 16, 3) -> nn.ReLU() -> nn.MaxPool2d(2) -> nn.Linear(4096, 10)",
        "nn.Conv2d(3, 16, 3) -> nn.ReLU() -> nn.MaxPool2d(2) -> nn.Linear(4096, 10)",
        "CONV(3x3, 16) -> RELU -> MAXPOOL(2x2) -> FC(10)",
    ),
    ("INPUT -> [3x3 conv 8]x2 -> FC", "[3x3 conv 8]x2", "[CONV(3x3, 8)]*2"),
    ("INPUT -> CONV + BN + RELU -> FC(10)", "CONV + BN + RELU", "CONV -> BN -> RELU"),
    ("INPUT -> CONV/RELU -> FC(10)", "CONV/RELU", "CONV -> RELU"),
    ("INPUT -> CONV, RELU, POOL -> FC", "CONV, RELU, POOL", "CONV -> RELU -> POOL"),
    ("INPUT -> CONV[3x3, 64] -> FC(10)", "CONV[3x3, 64]", "CONV(3x3, 64)"),
    ("INPUT -> CONV x2 -> FC", "CONV x2", "[CONV]*2"),
    ("INPUT -> 2x(CONV -> RELU) -> FC", "2x(CONV -> RELU)", "[CONV -> RELU]*2"),
    ("INPUT -> dropout 50% -> FC", "dropout 50%", "DROPOUT(0.5)"),
    ("INPUT(784) -> 128 relu -> 10", "128 relu -> 10", "FC(128) -> RELU -> FC(10)"),
    ("784-128-10", "784-128-10", "INPUT(784) -> FC(128) -> RELU -> FC(10)"),
    ("784 -> 128 -> 10", "784 -> 128 -> 10", "INPUT(784) -> FC(128) -> RELU -> FC(10)"),
    (
        "INPUT -> C6 -> S2 -> 16@5x5 -> F120 -> 10",
        "C6 -> S2 -> 16@5x5 -> F120 -> 10",
        "CONV(6) -> MAXPOOL(2x2) -> CONV(5x5, 16) -> FC(120) -> FC(10)",
    ),
    (
        "Input: 28x28\nConv: 3x3, 8\nFC: 10",
        "Input: 28x28\nConv: 3x3, 8\nFC: 10",
        "INPUT(28x28) -> CONV(3x3, 8) -> FC(10)",
    ),
    (
        "1. INPUT(28x28)\n2. CONV(3x3, 8)\n3. FC(10)",
        "1. INPUT(28x28)\n2. CONV(3x3, 8)\n3. FC(10)",
        "INPUT(28x28) -> CONV(3x3, 8) -> FC(10)",
    ),
    ("INPUT\n↓\nCONV\n↓\nFC(10)", "INPUT\n↓\nCONV\n↓\nFC(10)", "INPUT -> CONV -> FC(10)"),
]


@pytest.mark.parametrize(("written", "part", "meant"), ROWS)
def test_a_sketch_is_answered_with_its_chain(written: str, part: str, meant: str) -> None:
    """The help spells what the marked part means, and the program that has it there compiles."""
    (found,) = failure_of(netc.compile, written).diagnostics
    assert found.help == f"write `{meant}`"
    assert found.span is not None
    assert found.span.text == part
    netc.compile(written.replace(part, meant))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("Dense(7*7*8)", "FC(7*7*8)"),
        ("CONV(3*3, 8)", "CONV(3x3, 8)"),
        ("CONV(3*3*1, 8)", "CONV(3x3, 8)"),
        ("POOL(2*2)", "POOL(2x2)"),
        ("CONV(3x3, 64, s2)", "CONV(3x3, 64, stride=2)"),
        ("CONV(k3, 64, s2, p1)", "CONV(3x3, 64, stride=2, pad=1)"),
        ("C8", "CONV(8)"),
        ("S2", "MAXPOOL(2x2)"),
        ("F120", "FC(120)"),
        ("conv64", "CONV(64)"),
    ],
)
def test_a_sketch_that_parses_is_answered_as_well(written: str, meant: str) -> None:
    """A call or a word that a layer refuses is read as what a whiteboard means by it."""
    assert help_of(netc.compile, f"INPUT -> {written} -> FC(2)") == f"write `{meant}`"
    netc.compile(f"INPUT -> {meant} -> FC(2)")


@pytest.mark.parametrize("written", ["x = 5", "INPUT CONV", "INPUT -> FC (10)", "INPUT -> zzz 3"])
def test_what_is_no_sketch_keeps_its_own_answer(written: str) -> None:
    """A value, a forgotten arrow, a space in a call, and an unknown word are no sketches."""
    assert "a step is a layer" not in failure_of(netc.compile, written).diagnostics[0].message
