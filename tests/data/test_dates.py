"""Dates in tables: how they are written, what order they are in, and what inputs become of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

import netc
from netc.runtime.data import LOADERS, Dataset
from netc.runtime.data.dates import dates_of, moments
from netc.runtime.data.table import Table


def _table(*cells: str) -> Table:
    return Table("`t`", {"d": cells}, range(2, len(cells) + 2))


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-31",
        "2026/1/31",
        "20260131",
        "31.1.2026",
        "31/1/2026",
        "1/31/2026",
        "Jan 31, 2026",
        "31-JAN-2026",
        "January 31 2026",
        "2026-01-31T00:00:00",
        "2026-01-31 00:00",
        "2026-01-31 12:00 AM",
        "2026-01-31T01:30:00+01:30",
        "2026-01-30 23:00:00.000-0100",
    ],
)
def test_forms(cell: str) -> None:
    """The same moment, however it is written."""
    (date,) = dates_of(_table(cell), "d")
    assert date is not None
    assert date.timestamp() == datetime(2026, 1, 31, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("cells", "months"),
    [
        (["2026Q1", "2025-Q4", "Q2 2026"], [1, 10, 4]),
        (["2026-03", "Feb 2026", "2025/12"], [3, 2, 12]),
        (["3/4/2026", "31/1/2026"], [4, 1]),  # the second one tells that days come first
        (["3/4/2026", "1/31/2026"], [3, 1]),
        (["12/31/2026 1:05 PM", "", "1/2/2026 12:00 AM"], [12, None, 1]),
    ],
)
def test_months(cells: list[str], months: list[int | None]) -> None:
    """Quarters and months are their first day; one number above 12 tells which is the day."""
    dates = dates_of(_table(*cells), "d")
    assert [None if date is None else date.month for date in dates] == months


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["2026-01-31", "soon"], "line 3 holds `soon`, which is not a date"),
        (["2026-02-30"], "day is out of range for month"),
        (["1/2/2026", "3/4/2026"], "day and month cannot be told apart"),
        (["13/1/2026", "1/13/2026"], "day and month cannot be told apart"),
        (["2026-01-31 25:00"], "hour must be in 0..23"),
    ],
)
def test_no_dates(cells: list[str], message: str) -> None:
    """The first cell that is none, and why."""
    text = refusal(dates_of, _table(*cells), "d")
    assert text.startswith("error[E524]")
    assert message in text


def test_order() -> None:
    """Numbers by their size, and dates of any form by time."""
    assert moments(_table("3", "1e1", "-2"), "d").tolist() == [3, 10, -2]
    assert np.argsort(moments(_table("2021Q1", "2020Q4", "2020Q1"), "d")).tolist() == [2, 1, 0]


def _csv(folder: Path, text: str, **arguments: Any) -> Dataset:
    (folder / "t.csv").write_text(text)
    return LOADERS["csv"](str(folder / "t.csv"), **arguments)


TEXT = "a,sold,t\n1,2026-01-31,x\n2,2024-02-29 18:30,y\n"


def test_parts_of_dates_as_inputs(tmp_path: Path) -> None:
    """Year, month, day, weekday, and the hour where there is one; Monday is 0."""
    data = _csv(tmp_path, TEXT, dates="sold")
    names = ("a", "sold.year", "sold.month", "sold.day", "sold.weekday", "sold.hour")
    assert data.about.columns == {"input": names}
    inputs = data.take([0, 1]).inputs["input"]
    assert inputs.tolist() == [[1, 2026, 1, 31, 5, 0], [2, 2024, 2, 29, 3, 18.5]]
    assert _csv(tmp_path, TEXT.replace(" 18:30", ""), dates="sold").about.columns == {
        "input": names[:-1]
    }
    text = refusal(_csv, tmp_path, TEXT)
    assert 'help: `dates="sold"` makes inputs of year, month, day and weekday' in text
    assert "has no column `sole`" in refusal(_csv, tmp_path, TEXT, dates="sole")


def test_a_run_reads_dates_of_new_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it read its own, also where they have no time, and beside months as words."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text(TEXT + "3,2025-07-01,x\n4,2025-08-02,y\n")
    net = netc.compile(
        "INPUT(6) -> FC(2)\ntrain { split = (1, 0, 0), epochs = 1, batch = all,"
        ' preprocess = standardize, data = csv("t.csv", dates="sold") }'
    )
    run = net.train(output="run")
    (tmp_path / "new.csv").write_text("sold,a\n2026-01-31,1\n")
    found = net.predict(run="run", data='csv("new.csv")').outputs["output"]
    same = net.predict(np.array([[1, 2026, 1, 31, 5, 0]], np.float32), run=run)
    np.testing.assert_allclose(found, same.outputs["output"])
