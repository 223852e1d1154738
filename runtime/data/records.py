"""Records as JSON -> a data set; those of a line each, too (JSON Lines)."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from os.path import dirname
from typing import Any

import numpy as np

from .choices import loader
from .dataset import Dataset
from .faults import damaged, located
from .frames import table_of
from .table_options import Known, TableOptions
from .tabular import tabulate
from .text_file import told_text


@loader("json")
def records(path: str, *, folder: str = "", known: Known | None = None, **options: Any) -> Dataset:
    """Records of a file, gzipped or not, read as `csv` reads the lines of a table.

    It is a list of objects, an object on each line, or an object of lists: columns. What is no
    number, text or list of numbers is left out.

    Args:
        path: The file.
        folder: Where a relative path starts.
        known: What a run knows of its table, with whose columns and words this one is read.
        options: See `TableOptions`.

    Raises:
        NetError: The file cannot be read (E001), is too large (E507) or holds no records (E521),
            or what `tabulate` raises.
    """
    place = located(path, folder, missing="put the records there, or name another file")
    columns = _columns(place, told_text(place))
    plain = {name: _plain(cells) for name, cells in columns.items()}
    table = table_of(f"`{path}`", {name: each for name, each in plain.items() if each is not None})
    data = tabulate(replace(table, folder=dirname(place)), TableOptions(**options), known)
    left_out = [name for name, each in plain.items() if each is None]
    if left_out:
        note = f"`{path}`: left out are {', '.join(left_out)}, which hold lists or objects"
        data.about = replace(data.about, notes=(*data.about.notes, note))
    return data


def _columns(place: str, text: str) -> dict[str, list[Any]]:
    """The values of records by name, None where one lacks it.

    Raises:
        NetError: E521, the text is no JSON, or holds no records.
    """
    found = _parsed(place, text)
    if isinstance(found, Mapping):
        lists = [each for each in found.values() if isinstance(each, list)]
        if len(lists) == len(found) and len(set(map(len, lists))) == 1:
            return dict(found)
        found = next((each for each in lists if _are_records(each)), [found])
    if not _are_records(found):
        help = "records are a list of objects, `[{...}, {...}]`, or an object on each line"
        raise damaged(place, "it holds no records", help)
    names = list(dict.fromkeys(name for record in found for name in record))
    return {name: [record.get(name) for record in found] for name in names}


def _parsed(place: str, text: str) -> Any:
    with suppress(ValueError):
        return json.loads(text)
    try:
        return [json.loads(line) for line in text.splitlines() if line.strip()]
    except ValueError as failure:
        raise damaged(place, f"it is not JSON: {failure}") from None


def _are_records(found: Any) -> bool:
    return isinstance(found, list) and bool(found) and all(isinstance(x, Mapping) for x in found)


def _plain(cells: list[Any]) -> Any:
    """A column as an array: numbers, text, or lists of numbers; None of anything else."""
    present = [cell for cell in cells if cell is not None]
    kinds = set(map(type, present))
    if kinds <= {int, float} and kinds:
        if kinds == {int} and len(present) == len(cells):
            return np.array(cells, np.int64)
        return np.array([np.nan if cell is None else cell for cell in cells], np.float64)
    if kinds == {list}:
        even = len(present) == len(cells) and len(set(map(len, present))) == 1
        numbers = even and all(type(x) in (int, float) for cell in present for x in cell)
        return np.array(cells, np.float64) if numbers else None
    found = np.empty(len(cells), object)
    found[:] = cells
    return found if kinds <= {str, bool, int, float} else None
