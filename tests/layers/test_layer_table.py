"""Every layer in one table: a row per layer and per mode, from `rows/` by family."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from support.layers import LayerRow, check_counts, check_engines, check_torch

import netc
from netc.compiler.layers.layerdef import LAYERS

FOLDER = Path(__file__).parents[1] / "support" / "rows"
FAMILIES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))
ROWS: list[LayerRow] = [
    row for family in FAMILIES for row in import_module(f"support.rows.{family}").ROWS
]


def name(row: LayerRow) -> str:
    """A row's name in pytest's report."""
    return row.program.replace("\n", "; ")


@pytest.mark.parametrize("row", ROWS, ids=name)
def test_shape_and_counts(row: LayerRow) -> None:
    """Shape, parameters and MACs equal closed forms."""
    check_counts(row)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("row", [row for row in ROWS if row.engines], ids=name)
def test_engines_agree(row: LayerRow, batch: int) -> None:
    """NumPy equals onnxruntime."""
    check_engines(row, batch)


@pytest.mark.oracle
@pytest.mark.parametrize("row", [row for row in ROWS if row.torch], ids=name)
def test_equals_pytorch(row: LayerRow) -> None:
    """The layer means what PyTorch means by it."""
    check_torch(row)


def test_the_manual_has_every_layer() -> None:
    """A layer is in the table of the reference by its name, or by its alias."""
    page = (Path(__file__).parents[2] / "docs" / "language" / "layers.md").read_text("utf-8")
    lacking = [name for name in LAYERS if not re.search(rf"`{name}[`(]", page)]
    assert {*lacking} <= {"maxpool", "avgpool"}, f"`docs/language/layers.md` lacks {lacking}"


def test_every_layer_has_a_row() -> None:
    """No layer is added without a row, and no other name of one."""
    labelled = {netc.compile(row.program).graph.layers["l"].kind for row in ROWS}
    words = {word for row in ROWS for word in re.findall(r"\w+", row.program)}
    lacking = {row.name for row in LAYERS.values()} - labelled | set(LAYERS) - words
    assert not lacking, f"`tests/support/rows` has no row for {', '.join(sorted(lacking))}"
