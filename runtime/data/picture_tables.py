"""A table with a column of pictures, or of their files' paths -> a data set."""

import os
from dataclasses import replace

import numpy as np

from ...grammar.diagnostics import error, listing
from .cells import texts
from .dataset import INPUT_NAME, TARGET_NAME, WHITE, Dataset
from .faults import absent, empty, unfit, wrong_argument
from .fingerprints import digest, of_arrays
from .picture_files import SUFFIXES, Encoded
from .stored_pictures import Stored, StoredPictures, picture_places
from .table import Table, is_missing
from .table_options import DROP, Known, TableOptions, about_rows, names_in, without
from .table_targets import with_target

_SHOWN = 8  # columns that a note lists


def shown_in(table: Table, options: TableOptions) -> str | None:
    """The column of pictures, where there is one.

    Raises:
        NetError: E526, the one that is named is not there; E532, there are several, and none is
            named, or arguments of pictures are given where there are none.
    """
    if options.pictures is not None:
        if options.pictures not in table.encoded:
            table.column(options.pictures)
        return options.pictures
    left = [name for name in table.encoded if name not in names_in(options.drop)]
    named = [name for name in names_in(options.inputs) if name in left] or left
    if len(named) > 1:
        many = f"{table.name} has several columns of pictures: {listing(named)}"
        raise wrong_argument(many, f'`pictures="{named[0]}"` chooses one')
    if not named and (options.size is not None or options.files):
        said = "size" if options.size is not None else "files"
        help = "`pictures=` names the column of pictures, or of the paths of their files"
        raise wrong_argument(f"`{said}` is said of pictures, and {table.name} has none", help)
    return named[0] if named else None


def picture_rows(table: Table, column: str, options: TableOptions, known: Known | None) -> Dataset:
    """Samples whose only input is a column of pictures.

    Args:
        table: The table.
        column: The column.
        options: How the table is read.
        known: What a run knows of its own one.

    Raises:
        NetError: A picture is not there (E001) or its cell is empty (E524), no row is left (E525),
            or a column is no target and no picture (E526, E532).
    """
    targets, unused = _beside_pictures(table, column, options, known)
    stored = _stored_in(table, column, options.files)
    gaps = np.array([each is None for each in stored])
    if options.missing == DROP:
        gaps = np.logical_or.reduce([gaps, *map(table.missing, targets)])
        kept = np.flatnonzero(~gaps)
        table, stored = table.rows(kept), [stored[place] for place in kept.tolist()]
    elif gaps.any():
        where = f"the column `{column}` of {table.unit} {table.lines[int(np.argmax(gaps))]}"
        help = f"`missing=drop` leaves such {table.unit}s out"
        raise error("E524", f"{table.name}: {where} holds no picture", help=help)
    pictures = [each for each in stored if each is not None]
    if not pictures:
        raise empty(table.name)
    about = replace(about_rows(table, options, targets), units={INPUT_NAME: WHITE})
    if options.index is None and column in table.columns:
        about = replace(about, key=column, keys=tuple(texts(table, column)))
    if unused:
        others = listing(unused[:_SHOWN]) + ", ..." * (len(unused) > _SHOWN)
        about = replace(about, notes=(f"{table.name}: not used are {others}",))
    none = np.empty(0, np.float32)
    made, about = with_target(
        table, targets, none, about, classes=options.classes, points=options.points
    )
    if options.size is not None and about.kinds.get(TARGET_NAME) == "points":
        message = f"the targets of {table.name} are points in pixels, and pictures are resized"
        raise unfit(message, "leave `size=` out, or write points as shares of width and height")
    identity = [digest(of_arrays(rows.parts, rows.dtype, rows.divisor)) for rows in made.values()]
    size, channels = options.size, options.channels
    return StoredPictures(pictures, made, about, size=size, channels=channels, identity=identity)


def _beside_pictures(
    table: Table, column: str, options: TableOptions, known: Known | None
) -> tuple[list[str], list[str]]:
    """The targets beside a column of pictures, and the columns that are of no use."""
    about_samples = [name for name in (options.index, options.group, options.order) if name]
    names = without(list(table.columns), [column, *about_samples, *names_in(options.drop)])
    targets, inputs = names_in(options.target), names_in(options.inputs)
    if known is not None:
        targets = [name for name in known.targets or targets if name in names]
    elif not targets:
        targets = names[-1:]
    others = without([*targets, *inputs], [column])
    for name in others:
        table.column(name)
    if column in targets or without(inputs, [column]):
        raise wrong_argument(
            f"the column `{column}` of {table.name} holds pictures, which are the only input",
            "`target=` names the column of the targets, and `inputs=` no other column",
        )
    return targets, without(names, targets)


def _stored_in(table: Table, column: str, files: str) -> list[Stored | None]:
    """The pictures of a column, None where its cell is empty.

    Raises:
        NetError: E001, a cell names a file that is not there.
    """
    unit = table.unit
    if column in table.encoded:
        cells = zip(table.lines, table.encoded[column], strict=True)
        where = f"`{column}` of {unit} {{}} of {table.name}"
        return [None if x is None else Encoded(where.format(line), x) for line, x in cells]
    names = ["" if is_missing(cell) else cell for cell in texts(table, column)]
    folder = os.path.join(table.folder, os.path.expanduser(files))
    places = picture_places(names, folder, SUFFIXES)
    for name, place, line in zip(names, places, table.lines, strict=True):
        if name and place is None:
            message = f"{table.name}: the column `{column}` of {unit} {line} names `{name}`"
            help = "`files=` names the folder where paths of pictures start, in that of the table"
            raise absent(f"{message}, which is not there", os.path.join(folder, name), help)
    return list(places)
