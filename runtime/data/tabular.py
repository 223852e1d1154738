"""A table of cells -> a data set: which columns are inputs and targets, and what each becomes."""

from collections.abc import Sequence
from dataclasses import replace
from math import isqrt

import numpy as np

from ...grammar.diagnostics import Diagnostic, NetError
from ..kerneldef import Array
from .cells import (
    categories_of,
    check_words,
    holds_words,
    no_number,
    numbers,
    texts,
)
from .columns import Column, Columns, inputs_of
from .dataset import INPUT_NAME, TARGET_NAME, About, ArrayData, Dataset, Rows
from .dates import parted
from .faults import empty, mismatched, wrong_argument
from .picture_tables import picture_rows, shown_in
from .table import Table
from .table_data import TableData, about_columns
from .table_options import DROP, Known, TableOptions, about_rows, names_in, without
from .table_targets import with_target

REFUSED_AT_ONCE = 5  # columns: where more are, they have one cause


def tabulate(table: Table, options: TableOptions, known: Known | None = None) -> Dataset:
    """The rows of a table as samples.

    Args:
        table: The table.
        options: How it is read.
        known: What a run knows, with whose columns and words it is then read.

    Raises:
        NetError: A column or class is not there (E526), a cell is not a number (E524), no row is
            left (E525), or arguments make no sense (E532).
    """
    if options.indicator and options.missing in (None, DROP):
        raise wrong_argument(
            "`indicator=yes` goes with what replaces missing values", "such as `missing=median`"
        )
    if known is not None:  # new samples need no keys
        index, group, order = (
            name if name in table.columns else None
            for name in (options.index or known.key, options.group, options.order)
        )
        options = replace(options, index=index, group=group, order=order)
    shown = shown_in(table, options)
    if shown is not None:
        return picture_rows(table, shown, options, known)
    table = parted(table, _dates(table, options, known), _names_of(known))
    targets, others = _chosen(table, options, known)
    table, notes = _without_gaps(table, [*targets, *others], options)
    columns, parts = zip(*_parts(table, options, others), strict=True)
    values = np.concatenate(parts, axis=1)
    about = replace(about_rows(table, options, targets), notes=notes)
    if values.shape[1] > len(columns):  # cells of several numbers, which are pixels
        return _pixels(table, others, columns, values, targets, about, options)
    made, about = _targets(table, targets, values, about, options)
    places = {column.name: place for place, column in enumerate(columns)}
    inputs = {
        name: Rows((values[:, [places[column.name] for column in each]],), "float32")
        for name, each in inputs_of(columns)
    }
    filled = options.missing is not None and options.missing != DROP and INPUT_NAME in inputs
    fills = {INPUT_NAME: options.missing or 0.0} if filled else {}
    about = replace(about_columns(about, dict(inputs_of(columns))), fills=fills)
    where = [f"{table.unit} {line}" for line in table.lines]
    if known is not None and known.columns:
        return TableData(inputs, made, about, where).like(known.columns)
    _check_gaps(table, columns, values, options)
    notes = (*about.notes, *_notes(table, columns, options))
    return TableData(inputs, made, replace(about, notes=notes), where)


def beside(table: Table, targets: Table) -> tuple[Table, list[str]]:
    """A table with the columns of another one, which are targets, and their names there.

    Names that the first one has as well, and those that are numbers, begin with `target`.

    Raises:
        NetError: E522, the tables have different numbers of rows.
    """
    counts = [(each.name, len(each.lines)) for each in (table, targets)]
    if len(table.lines) != len(targets.lines):
        raise mismatched(counts)
    taken = {name for name in targets.columns if name.isdecimal() or name in table.columns}
    names = {
        name: (TARGET_NAME + name * (len(targets.columns) > 1)) if name in taken else name
        for name in targets.columns
    }
    added = {names[name]: cells for name, cells in targets.columns.items()}
    levels = {names.get(name, name): words for name, words in targets.levels.items()}
    columns = {**table.columns, **added}
    return replace(table, columns=columns, levels={**table.levels, **levels}), list(added)


def _chosen(
    table: Table, options: TableOptions, known: Known | None
) -> tuple[list[str], list[str]]:
    """The columns of targets and of inputs."""
    about_samples = (options.index, options.group, options.order)
    left_out = [name for given in (options.drop, *about_samples) for name in names_in(given)]
    twice = [name for name in names_in(options.target) if name in left_out]
    if twice:
        raise wrong_argument(
            f"the target `{twice[0]}` of {table.name} is also named by another argument",
            "`drop`, `index`, `group` and `order` name columns that are neither input nor target",
        )
    names = without(list(table.columns), left_out)
    run = _names_of(known)
    for name in (*left_out, *names_in(options.onehot), *names_in(options.codes)):
        if not run or name in left_out:
            table.column(name)
    given = None if options.inputs is None else names_in(options.inputs)
    if known is not None and run:
        if set(run) <= set(names):
            return [name for name in known.targets if name in names], run
        if given is None and len(names) == len(run):  # without names, or without a target
            return [], names
    if options.target is not None:
        targets = names_in(options.target)
    else:
        targets = names[-1:] if given is None else without(names, given)
    others = without(names, targets) if given is None else given
    for name in (*targets, *others):
        table.column(name)
    if not others:
        raise wrong_argument(
            f"{table.name} has no column left for the inputs",
            "name the inputs with `inputs=`; where these are all columns, there are no targets",
        )
    both = sorted(set(targets) & set(others))
    if both:
        raise wrong_argument(f"the column `{both[0]}` of {table.name} is both input and target")
    return targets, others


def _names_of(known: Known | None) -> list[str]:
    """The columns that a run knows."""
    return [column.name for each in (known.columns if known else {}).values() for column in each]


def _dates(table: Table, options: TableOptions, known: Known | None) -> list[str]:
    """The columns of dates; a table of new samples may lack some that the run does not take."""
    names = names_in(options.dates)
    return names if known is None else [name for name in names if name in table.columns]


def _without_gaps(
    table: Table, used: Sequence[str], options: TableOptions
) -> tuple[Table, tuple[str, ...]]:
    """The table without rows in which a value is missing, where these are dropped."""
    if options.missing != DROP:
        return table, ()
    gaps = np.logical_or.reduce([table.missing(name) for name in used])
    if not gaps.any():
        return table, ()
    if gaps.all():
        what = f"{table.name}, without {table.unit}s with missing values,"
        raise empty(what, "`missing=median` replaces missing numbers")
    count = f"{int(gaps.sum()):_} of {len(gaps):_} {table.unit}s"
    note = f"{table.name}: {count} hold missing values and are left out"
    return table.rows(np.flatnonzero(~gaps)), (note,)


def _parts(
    table: Table, options: TableOptions, inputs: Sequence[str]
) -> list[tuple[Column, Array]]:
    """What each column of inputs becomes.

    Raises:
        NetError: As `_part`, of the first columns that are refused, all at once.
    """
    found: list[tuple[Column, Array]] = []
    refused: list[Diagnostic] = []
    for name in inputs:
        try:
            found.append(_part(table, name, options, inputs))
        except NetError as failure:
            refused += failure.diagnostics
            if len(refused) == REFUSED_AT_ONCE:
                break
    if refused:
        raise NetError(refused)
    return found


def _part(
    table: Table, name: str, options: TableOptions, inputs: Sequence[str]
) -> tuple[Column, Array]:
    """What a column of inputs becomes, and its numbers or codes (N, 1); (N, F) of pixels."""
    coded = name in names_in(options.codes)
    fills = options.missing not in (None, DROP)
    if not coded and name not in names_in(options.onehot):
        if not holds_words(table, name):
            values = numbers(table, name, inputs=inputs)
            return Column(
                name, indicator=options.indicator and bool(np.isnan(values).any())
            ), values
        check_words(table, name, categories_of(table, name))
    categories, gaps = categories_of(table, name), table.missing(name)
    number_of = {word: float(code) for code, word in enumerate(categories)}
    cells = texts(table, name)
    codes = [np.nan if gap else number_of[cell] for cell, gap in zip(cells, gaps, strict=True)]
    if gaps.any() and fills and (coded or options.indicator):
        categories = (*categories, "")
    return Column(name, categories, coded=coded), np.array(codes, np.float32)[:, None]


def _check_gaps(table: Table, columns: Columns, values: Array, options: TableOptions) -> None:
    """Refuse missing values of inputs where nothing says what becomes of them.

    Raises:
        NetError: E524.
    """
    if options.missing is not None:
        return
    gaps = np.isnan(values)
    if gaps.any():
        place = int(np.argmax(gaps.any(axis=0)))
        names = [column.name for column in columns]
        raise no_number(table, names[place], int(np.argmax(gaps[:, place])), names)


def _targets(
    table: Table, targets: list[str], x: Array, about: About, options: TableOptions
) -> tuple[dict[str, Rows], About]:
    return with_target(table, targets, x, about, classes=options.classes, points=options.points)


def _pixels(
    table: Table,
    names: list[str],
    columns: Columns,
    values: Array,
    targets: list[str],
    about: About,
    options: TableOptions,
) -> Dataset:
    """Cells of many numbers side by side (N, F); those of a single column are (N, 1, H, H)."""
    words = [name for name, column in zip(names, columns, strict=True) if column.categories]
    if words:
        raise wrong_argument(
            f"the column `{words[0]}` of {table.name} holds words, and others several numbers a"
            " cell",
            f'`drop="{words[0]}"` leaves the column out, and `inputs=` names those of numbers',
        )
    gaps = np.isnan(values).any(axis=1)
    if gaps.any():
        raise no_number(table, names[0], int(np.argmax(gaps)), names)
    side = isqrt(values.shape[1])
    if len(names) == 1 and side * side == values.shape[1]:
        values = values.reshape(-1, 1, side, side)
    made, about = _targets(table, targets, values, about, options)
    return ArrayData({INPUT_NAME: Rows((values,), "float32")}, made, about)


def _notes(table: Table, columns: Columns, options: TableOptions) -> tuple[str, ...]:
    """What became of columns that are not plain numbers, a line each."""
    lines = []
    for column in columns:
        gaps = int(table.missing(column.name).sum()) if options.missing is not None else 0
        if column.categories is None and not gaps:
            continue
        text = column.described()
        if gaps:
            what = "zeros" if column.categories is not None else spell(options.missing)
            become = "" if "" in (column.categories or ()) else f", which become {what}"
            text += f"; {gaps:_} missing{become}"
        lines.append(f"  {column.name}: {text}")
    if not lines:
        return ()
    width = sum(column.width for column in columns if not column.coded)
    return (f"{table.name} has {width} inputs; what became of its columns:", *lines)


def spell(missing: str | float | None) -> str:
    """What replaces missing numbers, for messages."""
    return f"the {missing}" if isinstance(missing, str) else f"{missing:g}"
