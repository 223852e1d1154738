"""Programs from papers, lecture notes and chats are answered with the same in plain characters."""
# ruff: noqa: RUF001, this file is about characters that are taken for others

import pytest
from support.refusals import failure_of

import netc
from netc.grammar.translation.typeset import plain


def help_of(program: str) -> str:
    """The help of the only error of a program."""
    (diagnostic,) = failure_of(netc.compile, program).diagnostics
    return diagnostic.help or ""


ROWS = [
    ("INPUT → CONV → RELU → FC", "INPUT -> CONV -> RELU -> FC"),
    ("INPUT ➝ FC ⟹ FC", "INPUT -> FC -> FC"),
    ("INPUT –> CONV –> FC", "INPUT -> CONV -> FC"),
    ("INPUT(28×28×1) → CONV(5 × 5, 6)", "INPUT(28x28x1) -> CONV(5x5, 6)"),
    ("INPUT $\\to$ CONV $\\rightarrow$ FC", "INPUT -> CONV -> FC"),
    ("INPUT \\longrightarrow FC \\implies FC", "INPUT -> FC -> FC"),
    (
        "$\\text{INPUT} \\to [\\text{CONV} \\to \\text{RELU}]^2 \\to \\text{FC}$",
        "INPUT -> [CONV -> RELU]*2 -> FC",
    ),
    (
        "$$\nINPUT(32 \\times 32 \\times 3) \\to [CONV \\to RELU] \\times 2 \\to FC\n$$",
        "INPUT(32x32x3) -> [CONV -> RELU]*2 -> FC",
    ),
    ("INPUT -> [CONV -> RELU]² -> FC", "INPUT -> [CONV -> RELU]*2 -> FC"),
    ("INPUT -> [CONV -> POOL?]*3 -> FC", "INPUT -> [CONV -> POOL]*3 -> FC"),
    ("`INPUT -> FC(10)`", "INPUT -> FC(10)"),
    ("```\nINPUT -> FC(10)\n```", "INPUT -> FC(10)"),
    ("```net\nINPUT(8)\n  -> FC(2)\n```\n", "INPUT(8)\n  -> FC(2)"),
    ("~~~\nINPUT -> FC\n~~~", "INPUT -> FC"),
    ("> INPUT\n>   -> FC(10)", "INPUT\n  -> FC(10)"),
    ("**INPUT** → **FC**", "INPUT -> FC"),
    ("INPUT（8x8） → FC（3）", "INPUT(8x8) -> FC(3)"),
    ("import “lib:resnet.net”\nINPUT -> FC", 'import "lib:resnet.net"'),
    ('net "A → B"\nINPUT → FC → FC', "INPUT -> FC -> FC"),
    ("INPUT → FC → FC  # 8×8 → 3\n", "INPUT -> FC -> FC  # 8×8 → 3"),
    (
        "Input(28×28) → Conv(3×3, 16) → Dense(10)",
        "INPUT(28x28) -> CONV(3x3, 16) -> FC(10)",
    ),
    ("x = Input(8) → Dense(2)\nx → FC", "x = INPUT(8) -> FC(2)\nx -> FC"),
    ("```python\nnn.Sequential(nn.Linear(8, 2))\n```", "INPUT(8) -> FC(2)"),
]


@pytest.mark.parametrize(("written", "meant"), ROWS)
def test_the_help_is_the_program_in_plain_characters(written: str, meant: str) -> None:
    """What it spells compiles, in the place of the line or of the whole program."""
    assert help_of(written) == f"write `{meant}`"
    netc.compile(f"INPUT -> FC\n{meant}" if meant.startswith("import") else meant)


@pytest.mark.parametrize(
    ("written", "help"),
    [
        ("INPUT → FC", "write `->`"),
        ("INPUT(8×8) -> FC", "write `8x8`"),
        ("INPUT -> [FC] \\* 2", "write `*`"),
        ("INPUT → FC → CONV(", "add the missing `)`"),
    ],
)
def test_a_single_character_is_told_where_it_stands(written: str, help: str) -> None:
    """So is another mistake in a program that is not right in plain characters either."""
    assert help_of(written) == help


def test_strings_and_comments_keep_their_characters() -> None:
    """A plain program has nothing to change, whatever its strings hold."""
    assert plain('net "A → B"  # 3×3\nINPUT -> FC') is None
