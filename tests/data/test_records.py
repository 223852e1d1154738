"""Tables as JSON: records, an object on each line, columns; and what is none of these."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from support.refusals import refusal

from netc.runtime.data import LOADERS

RECORDS = '[{"a": 1, "b": 2.5, "t": "x"}, {"a": 3, "b": 4, "t": "y"}]'
FORMS = {
    "records": RECORDS,
    "lines": '{"a": 1, "b": 2.5, "t": "x"}\n\n{"a": 3, "b": 4, "t": "y"}\n',
    "columns": '{"a": [1, 3], "b": [2.5, 4], "t": ["x", "y"]}',
    "within": f'{{"version": 1, "rows": {RECORDS}}}',
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("zipped", [False, True])
def test_forms(tmp_path: Path, form: str, zipped: bool) -> None:
    """All of them hold the same samples."""
    text = FORMS[form].encode()
    (tmp_path / "t.json").write_bytes(gzip.compress(text) if zipped else text)
    batch = (data := LOADERS["json"](str(tmp_path / "t.json"))).take([0, 1])
    np.testing.assert_array_equal(batch.inputs["input"], [[1, 2.5], [3, 4]])
    assert batch.targets["target"].tolist() == [0, 1]
    assert data.classes == ("x", "y")


def test_values_that_are_missing(tmp_path: Path) -> None:
    """Null, and names that a record lacks; lists of numbers side by side are pixels."""
    (tmp_path / "t.json").write_text('[{"a": null, "t": 1}, {"a": 4, "t": 0}, {"t": 1}]')
    data = LOADERS["json"](str(tmp_path / "t.json"), missing=0.0)
    assert np.isnan(data.take([0, 1, 2]).inputs["input"][:, 0]).tolist() == [True, False, True]
    (tmp_path / "p.json").write_text('[{"p": [1, 2, 3, 4], "t": 1}, {"p": [5, 6, 7, 8], "t": 0}]')
    shown = LOADERS["json"](str(tmp_path / "p.json"))
    assert shown.take([1]).inputs["input"].tolist() == [[[[5, 6], [7, 8]]]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "it is not JSON"),
        ("[1, 2]", "it holds no records"),
        ("[]", "it holds no records"),
        ("", "it holds no records"),
        ('{"a": 1', "it is not JSON"),
        ('[{"a": [1]}, {"a": {}}]', "holds no samples"),
    ],
)
def test_what_is_no_table(tmp_path: Path, text: str, message: str) -> None:
    """Other text is refused, with what records look like."""
    (tmp_path / "t.json").write_text(text)
    assert message in refusal(LOADERS["json"], str(tmp_path / "t.json"))
