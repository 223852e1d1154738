"""Formulas of layers: with the numbers put in they come to what the compiler counts."""

import re
from importlib import import_module
from math import prod
from pkgutil import iter_modules

import pytest
from support import rows
from support.layers import LayerRow

import netc
from netc.compiler.analysis.formulas import WORDS, Formula, formulas

LAYER_ROWS: list[LayerRow] = [
    row
    for family in iter_modules(rows.__path__)
    for row in import_module(f"support.rows.{family.name}").ROWS
]
PLAIN = {ord("\N{MULTIPLICATION SIGN}"): "*", ord("\N{MINUS SIGN}"): "-"}
FLOORED = str.maketrans({"⌊": "int(", "⌋": ")"})


def _of(program: str, label: str = "l") -> dict[str, Formula]:
    net = netc.compile(program)
    found = formulas(net.graph, label, net.counts.layers[label])
    return {formula.name: formula for formula in found}


def _numbers(program: str, name: str) -> str:
    return _of(program)[name].numbers.translate(PLAIN)


@pytest.mark.parametrize("row", [r for r in LAYER_ROWS if r.params], ids=lambda r: r.program)
def test_parameters_add_up(row: LayerRow) -> None:
    """Each layer with weights has a formula in words, whose numbers come to what it counts."""
    net = netc.compile(row.program)
    found = _of(row.program)["parameters"]
    if net.graph.layers["l"].kind in WORDS:
        assert found.formula
    terms = found.numbers.translate(PLAIN).split(" = ")[0].replace(",", "").split(" + ")
    assert sum(prod(map(int, term.split(" * "))) for term in terms) == row.params


def test_every_layer_with_weights_has_words() -> None:
    """The table knows each kind of layer that learns; the weights of a scan are its block's."""
    kinds = {netc.compile(row.program).graph.layers["l"].kind for row in LAYER_ROWS if row.params}
    assert kinds - {"SCAN"} <= WORDS.keys()


@pytest.mark.parametrize(
    ("program", "name", "numbers"),
    [
        ("INPUT(224x224x3) -> CONV(7x7, 64, stride=2, pad=3) as l", "rows, columns",
         "⌊(224 + 2 * 3 - 7) / 2⌋ + 1 = 112"),
        ("INPUT(9x7x3) -> CONV(3x3, 8, pad=valid) as l", "rows", "9 - 3 + 1 = 7"),
        ("INPUT(9x9x3) -> CONV(3x3, 8, dilation=2, pad=valid) as l", "rows, columns",
         "9 - 5 + 1 = 5"),
        ("INPUT(28x28x6) -> POOL(2x2) as l", "rows, columns", "(28 - 2) / 2 + 1 = 14"),
        ("INPUT(8x8x4) -> UPCONV(2x2, 3, stride=2) as l", "rows, columns",
         "(8 - 1) * 2 + 2 = 16"),
        ("INPUT(5x5x16) -> FLATTEN as l", "features", "5 * 5 * 16 = 400"),
        ("INPUT(32x32x3) -> CONV(5x5, 6, pad=valid) as l", "parameters",
         "5 * 5 * 3 * 6 + 6 = 456"),
        ("INPUT(32x32x1) -> CONV(5x5, 6, pad=valid) as l", "MACs", "150 * 28 * 28 = 117,600"),
    ],
)  # fmt: skip
def test_formulas_as_lectures_write_them(program: str, name: str, numbers: str) -> None:
    """Sizes and counts stand there as they are computed by hand."""
    assert _numbers(program, name) == numbers


@pytest.mark.parametrize("row", [r for r in LAYER_ROWS if not r.params], ids=lambda r: r.program)
def test_sizes_come_out(row: LayerRow) -> None:
    """What stands before the last equals sign equals what stands after it."""
    for formula in _of(row.program).values():
        before, equals, after = formula.numbers.translate(PLAIN).rpartition(" = ")
        text = re.sub(r",(?=\d{3})", "", before).translate(FLOORED)
        if equals and "⌈" not in text and "N" not in text:
            assert eval(text) == int(after.replace(",", ""))
