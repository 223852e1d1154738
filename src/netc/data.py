"""Data sets for Python: `arrays`, `table`, and what subclasses `Dataset` to read its own."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from .compiler.expressions.arguments import Word
from .compiler.expressions.binding import GivenArgument
from .compiler.training.data_terms import DATA
from .compiler.training.held_settings import held, keyword_spans, spell_plain
from .compiler.training.term_table import bind_term
from .grammar.diagnostics import NetError, did_you_mean, error, listing
from .grammar.source import PYTHON, Span
from .runtime.data.dataset import About, Batch, Dataset, TargetKind
from .runtime.data.frames import FRAME, frame_data, is_frame
from .runtime.data.from_arrays import arrays
from .runtime.data.table_options import Known, TableOptions

__all__ = ["About", "Batch", "Dataset", "TargetKind", "arrays", "table"]


def table(frame: Any, *, name: str = FRAME, **options: Any) -> Dataset:
    """A data set of a data frame.

    Args:
        frame: A data frame of pandas or polars, an Arrow table, a data set of Hugging Face,
            scikit-learn's `Bunch`, or a pair of a frame and its targets.
        name: What messages call it.
        options: What `csv` takes: `target`, `inputs`, `classes`, `missing`, `indicator`, `onehot`,
            `codes`, `drop`, `index`.

    Raises:
        NetError: A column is not there (E526), a cell is not a number (E524), there is no row
            (E525), or arguments make no sense (E102, E532).
    """
    if not is_frame(frame):
        help = "pass arrays as `(x, t)`, or `netc.data.arrays(x, t)`"
        raise error(
            "E529", f"`{type(frame).__name__}` is not a table with named columns", help=help
        )
    return frame_data(frame, options_of(options), name=name)


TABLE_OPTIONS = tuple(each.name for each in fields(TableOptions))


def opened_frame(
    data: Any, settings: Mapping[str, Any], known: Known | None = None
) -> tuple[Any, Mapping[str, Any]]:
    """A data frame as a data set, and the settings that are not about it; others as they are.

    Args:
        data: What Python gives.
        settings: Settings by name, and what `table` takes.
        known: What a run knows of its table.

    Raises:
        NetError: As `table`; E532, other data come with arguments of tables.
    """
    if not is_frame(data):
        argument = next((name for name in settings if name in TABLE_OPTIONS), None)
        if argument is not None:
            raise _no_table(argument, data)
        return data, settings
    options = options_of({name: settings[name] for name in settings if name in TABLE_OPTIONS})
    rest = {name: value for name, value in settings.items() if name not in TABLE_OPTIONS}
    return frame_data(data, options, known), rest


def _no_table(argument: str, data: Any) -> NetError:
    """The error for an argument of tables where the data are not one."""
    if data is None or isinstance(data, str):
        message = f"`{argument}` is an argument of data frames, and the data are not one"
        help = f"write it where the table is named: `csv(..., {argument}=...)`"
    else:
        message = (
            f"`{argument}` is an argument of data frames, and `{type(data).__name__}` is not one"
        )
        help = "make one: `pandas.DataFrame(...)`"
        if isinstance(data, Mapping) and any(map(is_frame, data.values())):
            part = next(name for name, value in data.items() if is_frame(value))
            help = f'give one of its tables: `data["{part}"]`'
    return error("E532", message, help=help)


def options_of(given: Mapping[str, Any]) -> TableOptions:
    """How a table is read, of keyword arguments from Python.

    Raises:
        NetError: An argument is unknown (E532) or of the wrong kind (E103).
    """
    given = {name: value for name, value in given.items() if value is not None}
    for name in given:
        if name not in TABLE_OPTIONS:
            help = did_you_mean(name, TABLE_OPTIONS) or f"it takes {listing(TABLE_OPTIONS)}"
            raise error("E532", f"`table` takes no `{name}`", help=help)
    texts = {name: _spelled(value) for name, value in given.items()}
    call, spans = keyword_spans(PYTHON, texts, before="table(", after=")")
    arguments = [
        GivenArgument(name, _value(name, value, spans[name]), spans[name])
        for name, value in given.items()
    ]
    path = GivenArgument("path", "", call)
    found = bind_term("data", "csv", [path, *arguments], call, spelling="table").arguments
    return TableOptions(**{name: found[name] for name in TABLE_OPTIONS})


def _spelled(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(spell_plain, value))}]"
    return spell_plain(value)


def _value(name: str, value: Any, span: Span) -> Any:
    """A value from Python as a program would have it: words are words, and tuples are lists."""
    if name == "size" and isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(value, list | tuple):
        return [held(each, span).value for each in value]
    found = held(value, span).value
    is_word = isinstance(found, str) and found in DATA["csv"].kinds[name].words
    return Word(found) if is_word else found
