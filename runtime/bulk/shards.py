"""Files of samples -> shards, each of which is read piece by piece and predicted in one go."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...grammar.diagnostics import NetError, error, listing
from ...grammar.files import check_readable
from ..data.dataset import Dataset
from ..data.faults import damaged, unknown_name
from ..data.frames import frame_data
from ..data.from_arrays import arrays, member
from ..data.parquet import arrow
from ..data.picture_files import SUFFIXES, read_pictures
from ..data.table_options import TableOptions
from ..kerneldef import Array
from ..run_folder.trained import Trained
from ..weights.npz import open_npz

ROWS_OF_A_SHARD = 2**17  # of a table, about, in whole row groups
ROWS_AT_ONCE = 2**13  # of a table in memory
PICTURES_OF_A_SHARD, PICTURES_AT_ONCE = 512, 64
_BLOCK = 2**22  # bytes of CSV that are parsed at once


@dataclass(frozen=True, slots=True)
class Shard:
    """Samples that are predicted in one go.

    Attributes:
        files: Their files, one, or of pictures several.
        row: The number in its file of the first one.
        groups: The row groups of Parquet, from and below which.
    """

    files: tuple[str, ...]
    row: int = 0
    groups: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a network takes of files.

    Attributes:
        inputs: The names of its inputs.
        columns: The columns of tables; by default, all that are numbers.
        run: What a run knows of its table, where that holds more than numbers; its weights are not
            needed.
        picture: Channels, height and width of its pictures, if it takes any.
    """

    inputs: tuple[str, ...]
    columns: tuple[str, ...] = ()
    run: Trained | None = None
    picture: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Some samples of a shard, and where each comes from.

    Attributes:
        data: The samples.
        files: The file of each, or of all.
        row: The number of the first one in its file.
    """

    data: Dataset
    files: str | Sequence[str]
    row: int


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of files: how they are divided, and how a shard is read."""

    divide: Callable[[Sequence[str]], Iterator[Shard]]
    read: Callable[[Shard, Wanted], Iterator[Piece]]


def find_shards(path: str) -> list[Shard]:
    """The shards of a file, or of all files in a folder, in the order of their names.

    Raises:
        NetError: E001, a file cannot be read; E547, there are none, or of several kinds.
    """
    files = _files(path) if os.path.isdir(path) else [path]
    kinds = {kind for kind in map(_suffix, files) if kind in FORMATS}
    known = listing(sorted(FORMATS.keys() - set(SUFFIXES) | {SUFFIXES[0]}))
    if not kinds:
        raise error("E547", f"`{path}` holds no samples", help=f"known are {known}, and others")
    formats = {FORMATS[kind] for kind in kinds}
    if len(formats) > 1:
        message = f"`{path}` holds files of several kinds: {listing(sorted(kinds))}"
        raise error("E547", message, help="predict each kind separately")
    return list(formats.pop().divide([file for file in files if _suffix(file) in kinds]))


def read_shard(shard: Shard, wanted: Wanted) -> Iterator[Piece]:
    """The samples of a shard, a piece after the other.

    Raises:
        NetError: A file cannot be read (E001), is damaged (E521), or lacks what is wanted.
    """
    return FORMATS[_suffix(shard.files[0])].read(shard, wanted)


def _files(folder: str) -> list[str]:
    """All files in a folder and those below it; what begins with a dot or `_` is none of them."""
    found: list[str] = []
    for above, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith((".", "_")))
        found += [os.path.join(above, n) for n in sorted(names) if not n.startswith((".", "_"))]
    return found


def _suffix(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _single(files: Sequence[str]) -> Iterator[Shard]:
    """A shard for each file."""
    return (Shard((file,)) for file in files)


def _row_groups(files: Sequence[str]) -> Iterator[Shard]:
    """Shards of Parquet: as many row groups of a file as have enough rows together."""
    for file in files:
        with _parquet_file(file) as opened:
            about = opened.metadata
            counts = [about.row_group(place).num_rows for place in range(about.num_row_groups)]
        first = row = rows = 0
        for place, count in enumerate(counts, start=1):
            rows += count
            if rows >= ROWS_OF_A_SHARD or (place == len(counts) and rows):
                yield Shard((file,), row, (first, place))
                first, row, rows = place, row + rows, 0


def _albums(files: Sequence[str]) -> Iterator[Shard]:
    """Shards of pictures."""
    for start in range(0, len(files), PICTURES_OF_A_SHARD):
        yield Shard(tuple(files[start : start + PICTURES_OF_A_SHARD]))


def _read_parquet(shard: Shard, wanted: Wanted) -> Iterator[Piece]:
    [file] = shard.files
    with _parquet_file(file) as opened:
        names = _columns(file, opened.schema_arrow, wanted)
        batches = opened.iter_batches(
            batch_size=ROWS_AT_ONCE,
            row_groups=range(*shard.groups),
            columns=list(names),
            use_threads=False,
        )
        yield from _pieces(file, shard.row, names, batches, wanted.run)


def _read_csv(shard: Shard, wanted: Wanted) -> Iterator[Piece]:
    [file] = shard.files
    check_readable(file)
    csv = arrow().csv
    options = {"read_options": csv.ReadOptions(block_size=_BLOCK, use_threads=False)}
    try:
        with csv.open_csv(file, **options) as first:
            names = _columns(file, first.schema, wanted)
        types = {} if wanted.run else dict.fromkeys(names, arrow().float32())
        convert = csv.ConvertOptions(column_types=types, include_columns=list(names))
        with csv.open_csv(file, convert_options=convert, **options) as opened:
            yield from _pieces(file, shard.row, names, opened, wanted.run)
    except arrow().ArrowInvalid as failure:
        raise damaged(file, str(failure).partition("\n")[0]) from None


def _pieces(
    file: str, row: int, names: Sequence[str], batches: Any, run: Trained | None
) -> Iterator[Piece]:
    """Batches of Arrow as samples."""
    try:
        for batch in batches:
            if batch.num_rows:
                where = f"`{file}` from row {row}"
                data = _numbers(batch, names, where) if run is None else _cells(batch, run, where)
                yield Piece(data, file, row)
                row += batch.num_rows
    except OSError as failure:
        raise damaged(file, str(failure)) from None


def _numbers(batch: Any, names: Sequence[str], where: str) -> Dataset:
    """Columns of numbers as samples."""
    columns = [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
    return arrays(np.stack(columns, axis=1, dtype=np.float32, casting="unsafe"), name=where)


def _cells(batch: Any, run: Trained, where: str) -> Dataset:
    """Columns of words, codes and numbers that may be missing, as a run took them."""
    known = replace(run.known, targets=())
    table = arrow().Table.from_batches([batch])
    return run.with_columns(frame_data(table, TableOptions(), known, name=where))


def _columns(file: str, schema: Any, wanted: Wanted) -> tuple[str, ...]:
    """The columns to read.

    Raises:
        NetError: E526, one of those that are wanted is not there; E529, it holds no numbers.
    """
    types = arrow().types
    numbers = (types.is_integer, types.is_floating, types.is_boolean)
    numeric = {each.name for each in schema if any(check(each.type) for check in numbers)}
    for name in wanted.columns:
        if name not in schema.names:
            raise unknown_name("column", name, schema.names, f"`{file}`")
        if name not in numeric and wanted.run is None:
            kind = schema.field(name).type
            raise error("E529", f"the column `{name}` of `{file}` is {kind}, and no numbers")
    return wanted.columns or tuple(name for name in schema.names if name in numeric)


def _parquet_file(file: str) -> Any:
    check_readable(file)
    try:
        return arrow().parquet.ParquetFile(file)
    except (OSError, arrow().ArrowInvalid) as failure:
        raise damaged(file, str(failure).partition("\n")[0]) from None


def _read_npz(shard: Shard, wanted: Wanted) -> Iterator[Piece]:
    """Arrays by the inputs' names; that of an only input may be called `x`, or be the only one."""
    [file] = shard.files
    archive = open_npz(file)
    found: dict[str, Array] = {}
    for name in wanted.inputs:
        alone = len(wanted.inputs) == 1 and name not in archive
        key = next(iter(archive)) if alone and len(archive) == 1 else "x" if alone else name
        if key not in archive:
            raise unknown_name("array", name, archive, f"`{file}`")
        found[name] = member(archive, key)
    yield Piece(arrays(found, name=f"`{file}`"), file, 0)


def _read_pictures(shard: Shard, wanted: Wanted) -> Iterator[Piece]:
    if wanted.picture is None:
        raise _no_pictures(shard.files[0], wanted)
    channels, *size = wanted.picture
    for start in range(0, len(shard.files), PICTURES_AT_ONCE):
        files = shard.files[start : start + PICTURES_AT_ONCE]
        pixels, _ = read_pictures(files, channels=channels, size=tuple(size))
        yield Piece(arrays(pixels, name=f"`{files[0]}` and on"), files, 0)


def _no_pictures(file: str, wanted: Wanted) -> NetError:
    help = f"its inputs are {listing(wanted.inputs)}"
    return error("E547", f"`{file}` is an image, and the network takes none", help=help)


FORMATS: Mapping[str, Format] = {
    ".parquet": Format(_row_groups, _read_parquet),
    ".csv": Format(_single, _read_csv),
    ".npz": Format(_single, _read_npz),
    **dict.fromkeys(SUFFIXES, Format(_albums, _read_pictures)),
}
