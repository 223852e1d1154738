"""Whole programs of other frameworks are answered with programs that build the same networks."""

import re
import time
from pathlib import Path

import pytest
from support.refusals import failure_of, refusal

import netc

TABLE = Path(__file__).with_name("foreign_programs.txt")
ROWS = [tuple(row.split("\n----\n")) for row in TABLE.read_text("utf-8").strip().split("\n====\n")]


def help_of(program: str) -> str:
    """The help of the first thing that is wrong with a program."""
    return failure_of(netc.compile, program).diagnostics[0].help or ""


@pytest.mark.parametrize(("program", "meant"), ROWS, ids=lambda text: text[:40])
def test_a_program_is_translated(program: str, meant: str) -> None:
    """Branches, blocks, several inputs and shared weights are followed."""
    assert help_of(program).startswith(f"write `{meant}`")
    netc.compile(meant)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            "class Block(nn.Module):\n  def __init__(self, c):\n    self.f = nn.Linear(c, c)\n"
            "  def forward(self, x):\n    return x + self.f(x)\n",
            "here `c` is 64",
        ),
        (
            'model = keras.Sequential([Dense(8, kernel_regularizer="l2", input_shape=(4,))])',
            "`kernel_regularizer` belongs to training",
        ),
    ],
)
def test_a_translation_says_what_is_not_the_same(program: str, said: str) -> None:
    """Stand-ins, sizes that the program does not say, and what is left out are named behind it."""
    assert said in help_of(program).partition("`; ")[2]


@pytest.mark.parametrize(
    ("call", "meant"),
    [
        (
            'INPUT(784) -> Sequential([Dense(64, activation="relu"), Dense(10)])',
            "FC(64) -> RELU -> FC(10)",
        ),
        ("INPUT(784) -> nn.Sequential(nn.Linear(784, 64), nn.ReLU())", "FC(64) -> RELU"),
        (
            "Sequential([Dense(64, input_shape=(784,)), Dense(10)])",
            "INPUT(784) -> FC(64) -> FC(10)",
        ),
    ],
)
def test_layers_in_a_row_are_told_as_a_chain(call: str, meant: str) -> None:
    """`Sequential(...)` in a chain is a part of it, and alone a chain with its input."""
    assert help_of(call) == f"write `{meant}`"


@pytest.mark.parametrize(
    "program",
    [
        "x = [1]\n" + "x = x + x\n" * 60,
        "x = [1]\n" + "x += x\n" * 60,
        "x = [1]\n" + "x = [x, x]\n" * 60 + "y = nn.Linear(x, 3)\n",
        "x = 9**9**9\n",
        "x = 'a' * 10**9\n",
        "x = sum([[1] * 900] * 900, [])\n",
        "for i in range(10**12):\n    pass\n",
        "m = nn.Sequential(nn.ReLU())\n" + "m = nn.Sequential(m, m)\n" * 60,
        "m = nn.Sequential()\nm.add(m)\n",
        "def f(x):\n    return f(x)\n",
        "while True:\n    x = 1 / 0\n",
        "x = " + "-" * 50_000 + "1\n",
        "x = a" + ".b" * 30_000 + "\n",
        "x = {[1]: 2}\nf(*5)\n",
        "return nn.Linear(3, 4)(x)\n",
        "class A(A):\n    pass\nm = A()\n",
        "m = nn.TransformerEncoder(nn.TransformerEncoderLayer(64, 8), 10**9)\n",
        "x = [1] * 1000\n" + "x = [x] * 1000\n" * 4 + "y = nn.Linear(x, 3)\n",
        "x = [1] * 1000\n" + "x = [x] * 1000\n" * 4 + "y = nn.Sequential(x)\n",
        "x = [1]\ny = [1]\n" + "x = [x, x]\ny = [y, y]\n" * 60 + "z = x == y\n",
        "x = [1]\ny = [1]\n" + "x = [x, x]\ny = [y, y]\n" * 60 + "z = sorted([x, y])\n",
        "x = '%999999999d' % 1\n",
        "x = " + "f(" * 180 + "1" + ")" * 180 + "\n",
    ],
    ids=range(23),
)
def test_a_hostile_program_is_refused_soon(program: str) -> None:
    """Reading a program neither runs out of time or memory nor fails in another way."""
    start = time.process_time()
    help_of(f"import torch\n{program}model = nn.Sequential(nn.Linear(3, 4))\n")
    assert time.process_time() - start < 2


def test_a_help_of_several_lines_is_indented() -> None:
    """Each line of a program in a help stands below the first."""
    refused = refusal(
        netc.compile, "class N(nn.Module):\n  def forward(self, x):\n    return x + F.relu(x)\n"
    )
    assert re.search(r"  = help: write `x = INPUT\n     \( x", refused)
