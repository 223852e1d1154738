"""Statements as other languages write them are answered with netc's, and the answers compile."""

import re

import pytest
from support.refusals import failure_of

import netc


def first_help(program: str) -> str:
    """The help of the first error of a program."""
    return failure_of(netc.compile, program).diagnostics[0].help or ""


@pytest.mark.parametrize(
    ("program", "part", "meant"),
    [
        ("INPUT -> [CONV -> RELU](2) -> FC", "[CONV -> RELU](2)", "[CONV -> RELU]*2"),
        ("INPUT -> [CONV -> RELU] 2 -> FC", "[CONV -> RELU] 2", "[CONV -> RELU]*2"),
        ("INPUT -> [CONV -> RELU]{2} -> FC", "[CONV -> RELU]{2}", "[CONV -> RELU]*2"),
        ("let n: int = 3\nINPUT -> FC(n)", "let n: int = 3", "let n = 3"),
        ("const n = 3\nINPUT -> FC(n)", "const n = 3", "let n = 3"),
        ("let n == 3\nINPUT -> FC(n)", "let n == 3", "let n = 3"),
        (
            'import resnet from "lib:resnet.net"\nINPUT -> FC',
            'import resnet from "lib:resnet.net"',
            'import "lib:resnet.net"',
        ),
        ("output = INPUT -> FC", "output = INPUT -> FC", "output y = INPUT -> FC"),
        ("output INPUT -> FC(3)", "output INPUT -> FC(3)", "output y = INPUT -> FC(3)"),
        ("output INPUT -> FC as y", "output INPUT -> FC as y", "output y = INPUT -> FC"),
        ("INPUT(28 28 1) -> FC", "INPUT(28 28 1)", "INPUT(28x28x1)"),
        ("INPUT(?, 784) -> FC", "INPUT(?, 784)", "INPUT(784)"),
        ("INPUT(Nx784) -> FC", "INPUT(Nx784)", "INPUT(784)"),
        ("INPUT(HxWx3) -> GAP -> FC", "INPUT(HxWx3)", "INPUT((H, W, 3))"),
        ("INPUT -> CONV(3x3, 16, stride:2) -> FC", "stride:2", "stride = 2"),
        ("INPUT -> CONV(3x3; 16) -> FC", ";", ","),
        ("model = nn.Linear(784, 10)", "nn.Linear(784, 10)", "INPUT(784) -> FC(10)"),
        ("FC(10) -> SOFTMAX", "FC(10)", "INPUT -> FC(10)"),
        ("INPUT -> CONV as my conv -> FC", "as my conv", "as my_conv"),
        ("INPUT -> CONV as my-conv -> FC", "as my-conv", "as my_conv"),
        (
            "INPUT -> for i = 1 to 3 { CONV } -> FC",
            "for i = 1 to 3",
            "for i in range(1, 4)",
        ),
    ],
)
def test_the_help_spells_the_statement(program: str, part: str, meant: str) -> None:
    """In the place of what it is said for, it makes a program that compiles."""
    assert first_help(program) == f"write `{meant}`"
    netc.compile(program.replace(part, meant))


@pytest.mark.parametrize(
    ("program", "meant"),
    [
        ("INPUT -> [CONV]*n -> FC", "let n = 3"),
        ("block B(c) { x -> CONV(3x3, c) }\nINPUT -> B(3) -> FC", "in"),
        ("h -> CONV -> FC", "h = INPUT"),
        ("block B(c) { return CONV(3x3, c) }\nINPUT -> B(3) -> FC", "return"),
        ("INPUT -> FC -> output y", "output y = y_"),
        ("INPUT -> for i in range(n) { CONV } -> FC", "let n = 3"),
        ("INPUT(8x8) -> CONV as c -> FC\nassert c == 8x8x32", "shape(c)"),
        ("INPUT(64x32) -> LN -> ATTENTION(4)", "RESHAPE(64x32)"),
        ("INPUT(64x32) -> POSEMBED", "INPUT(64x32, sequence)"),
    ],
)
def test_the_help_names_what_is_missing(program: str, meant: str) -> None:
    """A name without a value, a label without its quantity, an image for a sequence."""
    assert f"`{meant}`" in first_help(program)


@pytest.mark.parametrize("name", ["Res", "Dense", "Inception", "Bottleneck"])
def test_a_block_of_the_file_is_not_taken_for_a_foreign_layer(name: str) -> None:
    """Wrong arguments of a block are answered for the block, whatever others call so."""
    program = f"block {name}(c) {{ CONV(3x3, c) }}\nINPUT -> {name} -> FC"
    found = re.search("as in `(.*)`", first_help(program))
    assert found is not None
    assert found[1] == f"{name}(c=16)"


def test_a_forgotten_arrow_behind_a_label_is_told() -> None:
    """A layer after a label is no part of the label."""
    assert "put `->` between two steps" in first_help("INPUT -> CONV as a FC")
