"""Parquet files -> tables, and columns -> Parquet files; the only file that imports pyarrow."""

from collections.abc import Mapping, Sequence
from typing import IO, Any

from ..extras import from_extra
from .choices import loader
from .dataset import Dataset
from .faults import damaged, located
from .frames import frame_table
from .tabular import Known, Reading, tabulate

_OF_PANDAS = "__index_level_"  # how columns begin that hold pandas' index


@loader("parquet")
def parquet(path: str, *, folder: str = "", known: Known | None = None, **reading: Any) -> Dataset:
    """A Parquet file, or a folder of such files, read as `csv` reads a table.

    Args:
        path: The file.
        folder: Where a relative path starts.
        known: What a run knows of its table, with whose columns and words this one is read.
        reading: See `Reading`.

    Raises:
        NetError: The file cannot be read (E001) or is none (E521), pyarrow is missing (E528), or
            what `tabulate` raises.
    """
    place = located(path, folder, missing="put the table there, or name another file")
    module = arrow()
    try:
        table = module.parquet.read_table(place)
    except (module.ArrowException, OSError, ValueError) as failure:
        reason = str(failure).splitlines()[0] if str(failure) else type(failure).__name__
        raise damaged(path, reason) from None
    left_out = [name for name in table.column_names if name.startswith(_OF_PANDAS)]
    cells = frame_table(table.drop_columns(left_out), f"`{path}`")
    return tabulate(cells, Reading(**reading), known)


def write_parquet(file: IO[bytes], columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns, each of text or of numbers, into an open file.

    Raises:
        NetError: E528, pyarrow is missing.
    """
    module = arrow()
    module.parquet.write_table(module.table(dict(columns)), file)


def arrow() -> Any:
    """The package pyarrow, with its modules for CSV and Parquet.

    Raises:
        NetError: E528, it is not installed.
    """
    with from_extra("Parquet is read and written", "pyarrow", "tables"):
        import pyarrow
        import pyarrow.csv
        import pyarrow.parquet
    return pyarrow
