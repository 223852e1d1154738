"""Tables of text (csv) -> a data set: columns of numbers, of words, of pictures."""

from dataclasses import replace
from typing import Any

from .choices import loader
from .dataset import Dataset
from .faults import located
from .table import Table
from .table_options import Known, TableOptions
from .tabular import beside, tabulate
from .text_table import read_table


@loader("csv")
def csv(
    path: str,
    *,
    labels: str | None,
    header: bool | None,
    delimiter: str | None,
    decimal: str | None,
    folder: str = "",
    known: Known | None = None,
    **options: Any,
) -> Dataset:
    """A table of text, gzipped or not, a sample per line, as `read_table` reads it.

    Columns of numbers are the inputs, (N, F), and columns of words are an input for each word. A
    cell of many numbers with spaces between them is a picture: alone it is (N, 1, H, H). A single
    target of words or of whole numbers is a class; other targets are (N, T) float32, where an
    empty cell is NaN: not known, and left out by the losses. Targets in pairs of columns such as
    `nose_tip_x`, `nose_tip_y` are points, and those that differ by `left` and `right` change
    places in a mirror.

    Args:
        path: The file.
        labels: Another file with the targets, a line for each sample.
        header: Whether the first line names the columns; without this argument the cells decide.
        delimiter: What stands between two cells; likewise.
        decimal: What precedes decimals; likewise.
        folder: Where a relative path starts.
        known: What a run knows of its table, with whose columns and words this one is read.
        options: See `TableOptions`.

    Raises:
        NetError: The file cannot be read (E001), is too large (E507) or no table (E521), a column
            or class is not there (E526), a cell is not a number (E524), or it holds no line (E525).
    """

    def read(path: str) -> Table:
        place = located(path, folder, missing="put the table there, or name another file")
        between = {"delimiter": delimiter, "decimal": decimal}
        return read_table(place, f"`{path}`", header=header, **between)

    table, given = read(path), TableOptions(**options)
    if labels is None:
        return tabulate(table, given, known)
    table, targets = beside(table, read(labels))
    return tabulate(table, given if given.target else replace(given, target=targets), known)
