"""How a table is read, and what a run knows of one: the arguments of `csv` and similar sources."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from .cells import group_numbers, texts
from .columns import ColumnsByInput
from .dataset import About
from .dates import moments
from .table import Table
from .table_targets import Points

DROP = "drop"
Names = str | Sequence[str] | None


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How a table is read.

    Attributes:
        target: The target's column or columns; the last one, or all that are no `inputs`, which
            may be none: new samples have no targets.
        inputs: The inputs' columns; all that are not targets.
        classes: What the target's cells call the classes, in the order that numbers them from 0;
            without it, whole numbers are their own classes, and words are in alphabetical order.
        points: `unit` turns pixels of points into numbers from -1 to 1, picture's edge to edge.
        missing: What replaces missing numbers: `mean`, `median`, or a number; `drop` leaves rows
            out in which anything is missing; None refuses them.
        indicator: Whether there is an input that says where a value is missing, for each column
            in which one is.
        onehot: Columns with an input for each of their words or numbers.
        codes: Columns whose words or numbers are fed as their code, each as an input of its name.
        dates: Columns of dates, whose parts are inputs.
        drop: Columns that are left out.
        index: The column that names the samples.
        group: The column whose equal cells keep samples in one part of a split.
        order: The column of numbers or dates by which a split goes, the latest last.
        pictures: The column of pictures, or of the paths of their files, which is then the only
            input; a single column of encoded pictures needs no name.
        files: The folder where paths of pictures start, in that of the table.
        size: Height and width that pictures are resized to; without it, all have one size.
        channels: Those of pictures: 3 for colour, 1 for gray.
    """

    target: Names = None
    inputs: Names = None
    classes: Sequence[str | int] | None = None
    points: Points = "pixels"
    missing: str | float | None = None
    indicator: bool = False
    onehot: Names = None
    codes: Names = None
    dates: Names = None
    drop: Names = None
    index: str | None = None
    group: str | None = None
    order: str | None = None
    pictures: str | None = None
    files: str = ""
    size: tuple[int, ...] | None = None
    channels: int = 3


@dataclass(frozen=True, slots=True)
class Known:
    """What a run knows of the table that it was trained on.

    Attributes:
        columns: The columns of its inputs.
        targets: The columns of its target, as far as they are of use.
        key: The column that names its samples, or nothing.
    """

    columns: ColumnsByInput = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    key: str = ""


def about_rows(table: Table, options: TableOptions, targets: Sequence[str]) -> About:
    """What the columns say of samples that are no input."""
    return About(
        table.name,
        key=options.index or "",
        keys=() if options.index is None else tuple(texts(table, options.index)),
        target_columns=tuple(targets),
        groups=None if options.group is None else group_numbers(table, options.group),
        ranks=None if options.order is None else moments(table, options.order),
    )


def names_in(given: Names) -> list[str]:
    """One name or several as a list."""
    if given is None:
        return []
    return [given] if isinstance(given, str) else list(given)


def without(names: Sequence[str], others: Sequence[str]) -> list[str]:
    """Names but for some."""
    left_out = set(others)
    return [name for name in names if name not in left_out]
