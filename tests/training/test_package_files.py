"""Tables in files that scikit-learn ships: trained, measured, answered and exported from them."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from support.command_line import Outcome, netc

pytestmark = pytest.mark.extra

PROGRAM = """
INPUT({inputs}) -> FC(16) -> RELU -> FC({outputs})

train {{
  data       = csv({data})
  split      = (0.7, 0, 0.3)
  preprocess = standardize
  optimizer  = adam(lr=0.02)
  epochs     = 30
  {more}
}}
"""
TARGETS = "loss = mse, targets = standardize"
# By the table: what `csv` takes, inputs and outputs, more settings; a metric, and its worst value:
# scikit-learn's linear models reach about 0.95, 0.97 and 0.96, and an error of 44.
TABLES: dict[str, tuple[str, int, int, str, str, float]] = {
    "iris": ('"{}/iris.csv"', 4, 3, "", "accuracy", 0.9),
    "wine": ('"{}/wine_data.csv"', 13, 3, "", "accuracy", 0.92),
    "cancer": ('"{}/breast_cancer.csv"', 30, 2, "", "accuracy", 0.93),
    "diabetes": (
        '"{}/diabetes_data_raw.csv.gz", labels="{}/diabetes_target.csv.gz"',
        *(10, 1, TARGETS, "mae", 52.0),
    ),
}


def _files() -> str:
    """The folder of scikit-learn's tables."""
    found = find_spec("sklearn")
    if found is None or found.origin is None:
        pytest.skip("scikit-learn is not installed")
    return str(Path(found.origin).parent / "datasets" / "data")


def _netc(folder: Path, *arguments: Any) -> Outcome:
    found = netc(*map(str, arguments), cwd=folder).ok()
    return found


@pytest.mark.parametrize("name", TABLES)
def test_from_the_file_to_onnxruntime(name: str, tmp_path: Path) -> None:
    """`netc train`, `evaluate`, `predict`, and the exported model, fed with the file."""
    folder = _files()
    given, inputs, outputs, more, metric, worst = TABLES[name]
    data = given.replace("{}", folder)
    text = PROGRAM.format(inputs=inputs, outputs=outputs, data=data, more=more)
    (tmp_path / "net.net").write_text(text)
    _netc(tmp_path, "train", "net.net", "-o", "run")
    told = _netc(tmp_path, "evaluate", "net.net", "--run", "run", "--metric", metric).out
    match = re.search(rf"{metric} +([\d.]+)", told)
    assert match is not None
    assert float(match[1]) <= worst if metric == "mae" else float(match[1]) >= worst
    predict = ("predict", "net.net", "--run", "run", "--data", f"csv({data})")
    _netc(tmp_path, *predict, "-o", "y.npy")
    _netc(tmp_path, "export", "net.net", "--run", "run", "-o", "net.onnx")
    first = re.findall(r'"([^"]+)"', data)[0]
    header = int(not first.endswith(".gz"))
    delimiter = " " if first.endswith(".gz") else ","
    x = np.loadtxt(first, np.float32, skiprows=header, delimiter=delimiter)[:, :inputs]
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: x})
    expected = np.load(tmp_path / "y.npy")
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
