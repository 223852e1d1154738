"""Parquet files -> tables, and columns -> Parquet files; the only file that imports pyarrow."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from os.path import dirname, getsize, isdir, join
from typing import IO, Any

from ..arrays.memory import check_memory
from ..extras import from_extra
from .choices import loader
from .dataset import Dataset
from .faults import damaged, listed, located
from .frames import Labelled, frame_table
from .given_parts import GivenParts, part_files
from .table import Table
from .table_options import Known, TableOptions
from .tabular import tabulate

_SUFFIX = ".parquet"
_HUGGING_FACE = b"huggingface"  # the key of what it says of columns
_OF_PANDAS = "__index_level_"  # how columns begin that hold pandas' index


@loader("parquet")
def parquet(path: str, *, folder: str = "", known: Known | None = None, **options: Any) -> Dataset:
    """A Parquet file, or a folder of such files, read as `csv` reads a table.

    Files of a folder whose names begin with `train`, `validation` and `test` are these parts.

    Args:
        path: The file.
        folder: Where a relative path starts.
        known: What a run knows of its table, with whose columns and words this one is read.
        options: See `TableOptions`.

    Raises:
        NetError: The file cannot be read (E001) or is none (E521), pyarrow is missing (E528),
            memory does not hold it (E507), or what `tabulate` raises.
    """
    place = located(path, folder, missing="put the table there, or name another file")
    given = TableOptions(**options)
    names = [name for name in listed(place) if name.endswith(_SUFFIX)] if isdir(place) else []
    files = part_files(names)
    if files is None:
        return tabulate(_table([place], f"`{path}`", place), given, known)

    def part(kind: str, known: Known | None) -> Dataset | None:
        paths = [join(place, name) for name in files.get(kind, ())]
        name = f"`{path}`" if kind == "train" else f"the part `{kind}` of `{path}`"
        return tabulate(_table(paths, name, place), given, known) if paths else None

    train = part("train", known)
    assert train is not None  # `part_files` found it
    known = Known(train.about.encodings, train.about.target_columns, train.about.key)
    return GivenParts(train, part("validation", known), part("test", known))


def _table(paths: Sequence[str], name: str, place: str) -> Table:
    """The cells of Parquet files of the same columns; `place` is what messages call them."""
    module = arrow()
    needed = sum(getsize(path) for path in paths if not isdir(path))
    check_memory(
        f"the table {name}", needed, "`images(...)` reads folders of pictures batch by batch"
    )
    try:
        parts = [module.parquet.read_table(path) for path in paths]
        table = parts[0] if len(parts) == 1 else module.concat_tables(parts)
    except (module.ArrowException, OSError, ValueError) as failure:
        reason = str(failure).splitlines()[0] if str(failure) else type(failure).__name__
        raise damaged(place, reason) from None
    left_out = [name for name in table.column_names if name.startswith(_OF_PANDAS)]
    words = _class_names((table.schema.metadata or {}).get(_HUGGING_FACE))
    cells = frame_table(Labelled(table.drop_columns(left_out), words), name)
    return replace(cells, folder=place if isdir(place) else dirname(place))


def _class_names(described: bytes | None) -> dict[str, tuple[str, ...]]:
    """The names of classes by their columns, as Hugging Face writes them into Parquet files."""
    try:
        features = json.loads(described or b"{}")["info"]["features"]
        return {
            column: tuple(map(str, feature["names"]))
            for column, feature in features.items()
            if isinstance(feature, dict) and feature.get("names")
        }
    except (AttributeError, LookupError, TypeError, ValueError):
        return {}  # of another writer


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
