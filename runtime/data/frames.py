"""Data frames of other libraries -> tables of cells; none of these libraries is imported."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph
from ...grammar.diagnostics import error
from ..kerneldef import Array
from .cells import spelled
from .dataset import TARGET_NAME, Dataset, as_array
from .faults import empty, wrong_argument
from .from_arrays import arrays
from .picture_files import is_picture_file
from .table import Cells, Table
from .table_options import Known, TableOptions
from .tabular import beside, tabulate

FRAME = "the table"  # what messages call a frame
_PACKED = ("data", "target")  # what scikit-learn's `Bunch` has


def is_frame(given: Any) -> bool:
    """Whether something is a table with named columns: pandas, polars, Arrow, Hugging Face.

    So are scikit-learn's `Bunch`, and a pair of a table and its targets.
    """
    if isinstance(given, tuple) and len(given) == 2:
        return _has_columns(given[0])
    return _has_columns(given) or _is_bunch(given)


def holds_inputs(frame: Any, graph: Graph, known: Known) -> bool:
    """Whether a frame is an array of inputs: no table is known, and it is as wide as they are."""
    if known.columns or len(graph.inputs) != 1:
        return False
    (value,) = graph.inputs.values()
    return tuple(getattr(frame, "shape", ())[1:]) == value.type.shape[1:]


def _has_columns(given: Any) -> bool:
    if _is_lazy(given):
        return True
    names = hasattr(given, "column_names") or hasattr(given, "columns")
    return names and hasattr(given, "__getitem__") and not isinstance(given, type | Mapping)


def _is_lazy(given: Any) -> bool:
    """Whether it is a query that yields a table, as polars' `LazyFrame`."""
    return hasattr(given, "collect_schema") and hasattr(given, "collect")


def _is_bunch(given: Any) -> bool:
    return isinstance(given, Mapping) and all(name in given for name in (*_PACKED, "DESCR"))


def frame_data(
    frame: Any, options: TableOptions, known: Known | None = None, *, name: str = FRAME
) -> Dataset:
    """The rows of a data frame as samples.

    Args:
        frame: What `is_frame` takes.
        options: How it is read.
        known: What a run knows of its table.
        name: What messages call it.

    Raises:
        NetError: As `tabulate`; E529, a column holds what is neither numbers nor text; E532, two
            columns have one name.
    """
    targets: Sequence[str] = ()
    if _is_bunch(frame):
        if frame.get("images") is not None:
            return _pictures(frame, name)
        table, targets = _bunch_table(frame, name)
    elif isinstance(frame, tuple):
        table, targets = _with_targets(frame_table(frame[0], name), frame[1])
    else:
        table = frame_table(frame, name)
    if targets and options.target is None and options.inputs is None:
        options = replace(options, target=targets)
    return tabulate(table, options, known)


def frame_table(frame: Any, name: str = FRAME) -> Table:
    """The cells of a data frame.

    Raises:
        NetError: E525, it has no rows; E529 or E532 as `frame_data`.
    """
    frame, levels = _plain(frame)
    names = list(getattr(frame, "column_names", None) or frame.columns)
    texts = [str(each) for each in names]
    for text, count in Counter(texts).items():
        if count > 1:
            raise wrong_argument(f"{name} has two columns `{text}`", "name each differently")
    given = {text: frame[each] for text, each in zip(texts, names, strict=True)}
    return table_of(name, given, levels)


def table_of(
    name: str,
    given: Mapping[str, Any],
    levels: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Table:
    """A table of columns, as arrays or sequences.

    Args:
        name: What messages call it.
        given: The columns by name.
        levels: The words of columns that say in what order theirs are.

    Raises:
        NetError: E525, it has no rows; E529.
    """
    orders, columns, encoded = dict(levels), {}, {}
    for text, column in given.items():
        if (files := _encoded(column)) is not None:
            encoded[text] = files
            continue
        if (order := _order(column)) is not None:
            orders.setdefault(text, order)
        columns[text] = _cells(column, f"the column `{text}` of {name}")
    count = len(next(iter([*columns.values(), *encoded.values()]), ()))
    if not count:
        raise empty(name)
    return Table(name, columns, range(count), unit="row", levels=orders, encoded=encoded)


def _encoded(column: Any) -> Sequence[bytes | None] | None:
    """The files in a column: bytes, or records of `bytes` as Hugging Face keeps pictures."""
    array = np.asarray(column)
    if array.dtype.kind != "O" or array.ndim != 1:
        return None
    files = [cell.get("bytes") if isinstance(cell, Mapping) else cell for cell in array]
    found = [cell if isinstance(cell, bytes) else None for cell in files]
    first = next(filter(None, found), b"")
    return found if is_picture_file(first) else None


def _plain(frame: Any) -> tuple[Any, dict[str, tuple[str, ...]]]:
    """A frame whose columns are arrays, and the words of columns that have an order of theirs.

    Data sets of Hugging Face hold the numbers of classes, and their names apart.
    """
    if _is_lazy(frame):
        frame = frame.collect()
    if isinstance(frame, Labelled):
        return frame, dict(frame.named)
    features = getattr(frame, "features", None)
    if not isinstance(features, Mapping) or not hasattr(frame, "with_format"):
        return frame, {}
    named = {
        name: tuple(map(str, feature.names))
        for name, feature in features.items()
        if getattr(feature, "names", None)
    }
    return Labelled(frame.with_format("arrow")[:], named), named


class Labelled:
    """An Arrow table whose numbers of classes are the classes' names, in columns that have some."""

    def __init__(self, rows: Any, named: Mapping[str, tuple[str, ...]]) -> None:
        self.rows, self.column_names = rows, rows.column_names
        self.named = {name: words for name, words in named.items() if name in rows.column_names}

    def __getitem__(self, name: str) -> Any:
        column, words = self.rows[name], self.named.get(name)
        if words is None or np.asarray(column).dtype.kind not in "iuf":
            return column
        known = dict(enumerate(words))
        return np.array([known.get(code, "") for code in column.to_pylist()], object)


def _order(column: Any) -> tuple[str, ...] | None:
    """The words of a categorical column, in its order."""
    found = getattr(getattr(column, "dtype", None), "categories", None)  # pandas, polars' Enum
    return None if found is None else tuple(map(_text, found))


def _cells(column: Any, what: str) -> Cells:
    """A column as numbers, or as text, `""` where it is missing.

    Raises:
        NetError: E529.
    """
    array = np.asarray(column)
    if array.dtype.kind in "iuf":
        return array
    if array.ndim == 1 and array.dtype.kind in "bOUSmMT":
        first = next((cell for cell in array if cell is not None), None)
        if isinstance(first, list | tuple | np.ndarray):
            return as_array([np.asarray(cell, np.float32).reshape(-1) for cell in array], what)
        if isinstance(first, Mapping | bytes):
            kind = "bytes" if isinstance(first, bytes) else "records, such as encoded pictures"
            help = "make arrays of them: `net.train((x, t))`; a folder of pictures is `images(...)`"
            raise error("E529", f"{what} holds {kind}, not numbers or text", help=help)
        return list(map(_text, array.tolist() if array.dtype.kind != "M" else array.astype(str)))
    numbers: Array = as_array(column, what)
    return numbers


def _text(cell: Any) -> str:
    """A cell as text; nothing where it is missing: None, NaN, NaT, or pandas' NA."""
    if isinstance(cell, str):
        return "" if cell == "NaT" else cell.strip()
    if isinstance(cell, bool):
        return str(cell)
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return ""
    if isinstance(cell, float):
        return "" if cell != cell else spelled(cell)
    return str(cell)


def _bunch_table(bunch: Mapping[str, Any], name: str) -> tuple[Table, list[str]]:
    """The features and the target of scikit-learn's data sets."""
    x, target, names = bunch["data"], bunch["target"], bunch.get("target_names")
    if _has_columns(x):
        table = frame_table(x, name)
    else:
        known = bunch.get("feature_names")
        called = map(str, range(1, x.shape[1] + 1) if known is None else known)
        table = table_of(name, {each: x[:, place] for place, each in enumerate(called)})
    array = np.asarray(target)
    if names is None or array.ndim > 1 or array.dtype.kind not in "iu":
        return _with_targets(table, target)
    words = tuple(map(str, names))
    return _with_targets(table, np.array(words, object)[array], order=words)


def _with_targets(
    table: Table, targets: Any, *, order: tuple[str, ...] | None = None
) -> tuple[Table, list[str]]:
    """A table with targets as its last columns, and their names; `order` is that of words."""
    if _has_columns(targets):
        return beside(table, frame_table(targets, "the targets"))
    array = np.asarray(targets)
    name = str(getattr(targets, "name", None) or TARGET_NAME)
    parts = [targets] if array.ndim < 2 else list(array.T)
    names = [name] if len(parts) == 1 else [f"{name}{n}" for n in range(1, len(parts) + 1)]
    levels = {} if order is None else {name: order}
    return beside(table, table_of("the targets", dict(zip(names, parts, strict=True)), levels))


def _pictures(bunch: Mapping[str, Any], name: str) -> Dataset:
    """Pictures of scikit-learn's data sets, (N, H, W) or (N, H, W, 3), with their classes."""
    images = np.asarray(bunch["images"], np.float32)
    x = images[:, None] if images.ndim == 3 else np.moveaxis(images, -1, 1)
    names = bunch.get("target_names")
    classes = () if names is None else tuple(map(str, names))
    return arrays(np.ascontiguousarray(x), np.asarray(bunch["target"]), classes=classes, name=name)
