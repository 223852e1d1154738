"""Tables as they come: words, missing values, keys, and what a run's columns make of others."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

from netc.runtime.data import LOADERS, Dataset, fit
from netc.runtime.data.columns import Column
from netc.runtime.data.frames import frame_data
from netc.runtime.data.table import Table
from netc.runtime.data.table_data import TableData
from netc.runtime.data.table_options import TableOptions
from netc.runtime.data.tabular import tabulate
from netc.runtime.kerneldef import Array

NAN = np.nan
TEXT = "id,island,mass,sex,kind\np1,Dream,3.5,f,b\np2,Biscoe,,m,a\np3,Dream,4,,b\np4,Dream,2,f,a\n"


def _read(folder: Path, text: str = TEXT, **options: Any) -> TableData:
    (folder / "t.csv").write_text(text)
    found = LOADERS["csv"]("t.csv", folder=str(folder), **options)
    assert isinstance(found, TableData)
    return found


def _inputs(data: Dataset, name: str = "input") -> Array:
    return data.take(range(len(data))).inputs[name]


# Arguments, the inputs that they make, and what messages say of the columns.
ENCODED: dict[str, tuple[dict[str, Any], list[list[float]], list[str]]] = {
    "words of themselves": (
        {"missing": "mean", "drop": "id"},
        [[0, 1, 3.5, 1, 0], [1, 0, NAN, 0, 1], [0, 1, 4, 0, 0], [0, 1, 2, 1, 0]],
        [
            "island: 2 words: 2 one-hot inputs",
            "mass: numbers; 1 missing, which become the mean",
            "sex: 2 words: 2 one-hot inputs; 1 missing, which become zeros",
        ],
    ),
    "indicators": (
        {"missing": 0.5, "indicator": True, "index": "id"},
        [
            [0, 1, 3.5, 0, 1, 0, 0],
            [1, 0, NAN, 1, 0, 1, 0],
            [0, 1, 4, 0, 0, 0, 1],
            [0, 1, 2, 0, 1, 0, 0],
        ],
        [
            "island: 2 words: 2 one-hot inputs",
            "mass: numbers and whether one is missing; 1 missing, which become 0.5",
            "sex: 2 words or missing: 3 one-hot inputs; 1 missing",
        ],
    ),
    "rows left out": (
        {"missing": "drop", "drop": ["id", "sex"]},
        [[1, 3.5], [1, 4], [1, 2]],
        ["1 of 4 lines hold missing values", "island: 1 words: 1 one-hot inputs"],
    ),
    "numbers as categories": (
        {"inputs": "mass", "target": "kind", "onehot": "mass", "missing": "mean"},
        [[0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0]],
        ["mass: 3 words: 3 one-hot inputs; 1 missing, which become zeros"],
    ),
}


@pytest.mark.parametrize("case", ENCODED)
def test_columns_become_inputs(tmp_path: Path, case: str) -> None:
    """Words become an input each, in the order of the alphabet; gaps stay NaN until training."""
    options, x, notes = ENCODED[case]
    data = _read(tmp_path, **options)
    np.testing.assert_array_equal(_inputs(data), np.array(x, np.float32))
    text = "\n".join(data.about.notes)
    assert all(note in text for note in notes), text


def test_codes_are_inputs_of_their_own(tmp_path: Path) -> None:
    """A column of codes is an input by its name; what is missing has the last code."""
    data = _read(tmp_path, codes=["island", "sex"], missing="median", drop="id")
    batch = data.take(range(4))
    assert set(batch.inputs) == {"input", "island", "sex"}
    assert batch.inputs["island"].tolist() == [[1], [0], [1], [1]]
    assert batch.inputs["sex"].tolist() == [[0], [1], [2], [0]]
    assert batch.inputs["sex"].dtype == np.int64
    assert data.about.encodings["sex"] == (Column("sex", ("f", "m", ""), coded=True),)


def test_keys(tmp_path: Path) -> None:
    """`index` names the samples, and is no input."""
    data = _read(tmp_path, index="id", missing="drop")
    assert data.about.keys == ("p1", "p4")
    assert data.about.columns == {"input": ("island", "mass", "sex")}


@pytest.mark.parametrize(("how", "value"), [("mean", 2.75), ("median", 2.75), (-1.0, -1.0)])
def test_gaps_are_filled_from_the_training_part(tmp_path: Path, how: Any, value: float) -> None:
    """Of the samples 0, 1 and 3 alone, whatever the others hold; the fill is the first step."""
    data = _read(tmp_path, missing=how, drop="id")
    fitted = fit([], data, np.array([0, 1, 3]))
    assert [step.name for step in fitted.steps] == ["missing"]
    filled = fitted.apply(data.take([1, 2]).inputs)["input"]
    np.testing.assert_array_equal(filled[:, 2], np.array([value, 4], np.float32))
    again = type(fitted).from_state(fitted.state())
    np.testing.assert_array_equal(again.apply(data.take([1, 2]).inputs)["input"], filled)


def test_a_column_that_is_empty_in_the_training_part(tmp_path: Path) -> None:
    """There is no mean of nothing: zero stands for it."""
    data = _read(tmp_path, "a,b,y\n,1,1.5\n3,,2.5\n", missing="mean")
    fitted = fit([], data, np.array([0]))
    assert fitted.apply(data.take([0, 1]).inputs)["input"].tolist() == [[0, 1], [3, 1]]


KNOWN = {
    "input": (Column("island", ("Biscoe", "Dream", "Torgersen")), Column("mass")),
    "sex": (Column("sex", ("f", "m", ""), coded=True),),
}


def test_other_rows_with_the_columns_of_a_run(tmp_path: Path) -> None:
    """Columns are matched by name, words by their codes; an unknown word is zero everywhere."""
    text = "sex,mass,island,more\n,1,Dream,x\nm,,Atlantis,y\nf,2,,z\n"
    data = _read(tmp_path, text, missing="mean", codes="sex").like(KNOWN)
    assert _inputs(data, "sex").tolist() == [[2], [1], [0]]
    expected = [[0, 1, 0, 1], [0, 0, 0, NAN], [0, 0, 0, 2]]
    np.testing.assert_array_equal(_inputs(data), np.array(expected, np.float32))
    same = data.like(KNOWN)
    assert same is data


def test_categories_that_are_numbers(tmp_path: Path) -> None:
    """A run's numeric categories are those numbers, however they are written."""
    data = _read(tmp_path, "pclass,y\n3,0.5\n1.0,1.5\n2,0.5\n").like(
        {"input": (Column("pclass", ("1", "3")),)}
    )
    assert _inputs(data).tolist() == [[0, 1], [1, 0], [0, 0]]


MISFITS: dict[str, tuple[str, Mapping[str, Any], str]] = {
    "a column that is not there": ("mass,sex,y\n1,f,2.5\n", KNOWN, "E526"),
    "a word without a code": ("sex,mass,island,y\nx,1,Dream,0.5\n", KNOWN, "E523"),
    "words where there were numbers": (
        "island,y\nDream,0.5\n",
        {"input": (Column("island"),)},
        "E524",
    ),
}


@pytest.mark.parametrize("case", MISFITS)
def test_rows_that_do_not_fit_a_run(tmp_path: Path, case: str) -> None:
    """What a run cannot be told is refused."""
    text, known, code = MISFITS[case]
    data = _read(tmp_path, text)
    assert refusal(data.like, known).startswith(f"error[{code}]")


def test_gaps_that_nothing_fills(tmp_path: Path) -> None:
    """A run without `missing=` refuses gaps in numbers; missing words are zeros."""
    data = _read(tmp_path, missing="mean", drop="id").like(
        {"input": (Column("sex", ("f", "m")), Column("mass"))}
    )
    data.check_gaps(filled=True)
    assert "the column `mass` of line 3 holds nothing" in refusal(data.check_gaps, filled=False)


def test_numbers_beyond_float32(tmp_path: Path) -> None:
    """They are told where they stand, in text and in a frame's columns, without a warning."""
    (tmp_path / "t.csv").write_text("a,b\n1.5,1\n-8e59,2\n")
    text = refusal(LOADERS["csv"], "t.csv", folder=str(tmp_path))
    assert "the column `a` of line 3 holds -8e+59, which float32 does not" in text
    frame = {"a": np.array([1.5, 8e59]), "b": np.array([1, 2])}
    table = Table("t", frame, range(2), unit="row")
    assert "the column `a` of row 1 holds 8e+59" in refusal(tabulate, table, TableOptions())


def test_fingerprints_tell_words(tmp_path: Path) -> None:
    """The same codes of other words are other data."""
    one, same, other = (
        _read(tmp_path, f"a,y\nx,1\n{word},2\n").fingerprint() for word in ("z", "z", "zz")
    )
    assert one == same != other


def test_columns_of_records() -> None:
    """What is neither a number nor text, such as a picture's bytes, is refused."""

    class Frame:
        columns = ("image", "y")

        def __getitem__(self, name: str) -> list[Any]:
            return [0, 1] if name == "y" else [{"bytes": b"x"}, {"bytes": b"y"}]

    text = refusal(frame_data, Frame(), TableOptions())
    assert "error[E529]: the column `image` of the table holds records" in text


def test_a_target_that_is_left_out(tmp_path: Path) -> None:
    """A column is one thing."""
    (tmp_path / "t.csv").write_text("a,b,t\n1,2,0\n3,4,1\n")
    for argument in ("drop", "index", "group", "order"):
        text = refusal(LOADERS["csv"], str(tmp_path / "t.csv"), target="t", **{argument: "t"})
        assert "the target `t`" in text
        assert "is also named by another argument" in text


def test_decimals_of_two_kinds(tmp_path: Path) -> None:
    """The first cell of either kind is shown, whichever is said to be right."""
    (tmp_path / "t.csv").write_text("a;b;t\n1,5;2;0\n3;2.5;1\n")
    for decimal in (None, ".", ","):
        text = refusal(LOADERS["csv"], str(tmp_path / "t.csv"), decimal=decimal)
        assert "follow a point (`2.5` in `b`, line 3), some a comma (`1,5` in `a`, line 2)" in text


def test_columns_that_are_refused_together(tmp_path: Path) -> None:
    """Each says what to do with it; of many, the first ones do."""
    rows = [f"2026-01-{n:02},$5,n{n},{n},{n % 2}" for n in range(1, 25)]
    (tmp_path / "t.csv").write_text("\n".join(["sold,cost,name,size,t", *rows]) + "\n")
    text = refusal(LOADERS["csv"], str(tmp_path / "t.csv"))
    assert text.count("error[E524]") == 3
    for help in ('`dates="sold"` makes', "write the number without a unit", '`drop="name"` leaves'):
        assert help in text
    many = ",".join(f"${n}" for n in range(20))
    (tmp_path / "t.csv").write_text(",".join("abcdefghijklmnopqrst") + f",y\n{many},1\n")
    assert refusal(LOADERS["csv"], str(tmp_path / "t.csv")).count("error[E524]") == 5
