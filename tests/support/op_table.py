"""All rows of the op table, from `op_rows/` by family."""

from importlib import import_module
from pathlib import Path

from support.ops import OpRow

FAMILIES = sorted(path.stem for path in (Path(__file__).parent / "op_rows").glob("[a-z]*.py"))
ROWS: list[OpRow] = [
    row for family in FAMILIES for row in import_module(f"support.op_rows.{family}").ROWS
]
