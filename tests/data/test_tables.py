"""The tables of data, preprocessing and augmentation: what a row needs besides, and what it yields.

A row says what `train` blocks accept, and a function in `runtime/data` of the same name does it.
"""

import copy
import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.data_rows import ROWS, DataRow

from netc.compiler.training.data_terms import AUGMENT, DATA, PREPROCESS
from netc.compiler.training.terms import TermDef
from netc.runtime.data import AUGMENTATIONS, LOADERS, PREPROCESSORS, load
from netc.runtime.data.table_options import TableOptions
from netc.runtime.kerneldef import Array

# What the runtime gives by itself, and no program says.
INTERNAL = {"folder", "known", "parts", "pictures", "chance"}
TABLES: list[tuple[Mapping[str, TermDef], Mapping[str, Callable[..., Any]]]] = [
    (DATA, LOADERS),
    (PREPROCESS, {name: row.fit for name, row in PREPROCESSORS.items()}),
    (AUGMENT, {name: row.function for name, row in AUGMENTATIONS.items()}),
]
PAIRS = [(row, functions) for rows, functions in TABLES for row in rows.values()]


def _name(value: object) -> str | None:
    return f"{value.kind}-{value.name}" if isinstance(value, TermDef) else ""


@pytest.mark.parametrize("rows", TABLES, ids=["data", "preprocess", "augment"])
def test_nothing_is_done_that_no_program_can_say(rows: Any) -> None:
    """Each function has a row."""
    known, functions = rows
    lacking = set(functions) - set(known)
    assert not lacking, f"`compiler/training/data_terms.py` has no rows for {sorted(lacking)}"


@pytest.mark.parametrize(("row", "functions"), PAIRS, ids=_name)
def test_the_arguments_are_the_same(
    row: TermDef, functions: Mapping[str, Callable[..., Any]]
) -> None:
    """Each row has a function, which takes its arguments, and whose defaults are its own."""
    assert row.name in functions, f"nothing in `runtime/data` does the {row.kind} `{row.name}`"
    parameters = {
        parameter.name: parameter.default
        for parameter in inspect.signature(functions[row.name]).parameters.values()
        if parameter.name not in INTERNAL
    }
    if parameters.pop("options", None):  # which tables have in common
        parameters |= {field.name: field.default for field in fields(TableOptions)}
    assert set(parameters) == set(row.kinds)
    given = {
        key: value for key, value in parameters.items() if value is not inspect.Parameter.empty
    }
    assert given == dict(row.defaults)


@pytest.mark.parametrize("name", DATA)
def test_every_data_set_has_a_row(name: str) -> None:
    """What each source yields is told by a row."""
    assert name in {row.name for row in ROWS}, f"`tests/support/data_rows.py` has no `{name}`"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_copies_hold_the_same_samples(row: DataRow, tmp_path: Path) -> None:
    """Data sets are pickled and copied, also after samples were read."""
    told = row.write(tmp_path)
    data = load(DATA.term(row.name, **told.arguments), folder=str(tmp_path))
    batch = data.take([1, 0])
    for other in (pickle.loads(pickle.dumps(data)), copy.copy(data), copy.deepcopy(data)):
        assert other.about == data.about
        found = other.take([1, 0])
        for ours, theirs in ((found.inputs, batch.inputs), (found.targets, batch.targets)):
            assert ours.keys() == theirs.keys()
            assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_samples(row: DataRow, tmp_path: Path) -> None:
    """Samples are those of the row, in any order, again and again, and without those around."""
    told = row.write(tmp_path)
    data, again = (
        load(DATA.term(row.name, **told.arguments), folder=str(tmp_path)) for _ in range(2)
    )
    whole = data.take(np.arange(len(data)))
    (kind,) = data.about.kinds.values()
    _check(whole.inputs["input"], told.x, np.float32)
    _check(whole.targets["target"], told.t, np.int64 if kind == "label" else np.float32)
    some = np.array([len(data) - 1, 0, len(data) // 2])
    part = again.take(some)
    np.testing.assert_array_equal(part.inputs["input"], whole.inputs["input"][some])
    np.testing.assert_array_equal(part.targets["target"], whole.targets["target"][some])
    part.inputs["input"][...] = part.targets["target"][...] = 0
    np.testing.assert_array_equal(again.take(some).inputs["input"], whole.inputs["input"][some])
    assert data.fingerprint() == again.fingerprint()
    if kind == "label":
        np.testing.assert_array_equal(data.labels(), whole.targets["target"])


def _check(found: Array, told: Array | tuple[int, ...], dtype: Any) -> None:
    """An array is the one that is told, or has the shape."""
    assert found.dtype == dtype
    if isinstance(told, tuple):
        assert found.shape == told
    else:
        np.testing.assert_allclose(found, told, rtol=1e-6, atol=1e-6)
