"""Tables with a column of pictures: paths of files, or files in the cells."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.data_files import write_pictures
from support.refusals import refusal

import netc
from netc.runtime.data import LOADERS, Dataset
from netc.runtime.kerneldef import Array

SIZES = {f"train/{name}": (5, 4) for name in ("a.png", "b.png", "c.png")}


@pytest.fixture
def pixels(tmp_path: Path) -> Array:
    """Three pictures in `train`, and a table that names them."""
    (tmp_path / "t.csv").write_text("id,breed,age\na,cat,3\nb,dog,4\nc,cat,5\n")
    return np.stack(list(write_pictures(tmp_path, SIZES).values())).transpose(0, 3, 1, 2) / 255


def _csv(folder: Path, **arguments: Any) -> Dataset:
    return LOADERS["csv"](str(folder / "t.csv"), **arguments)


def test_paths_in_a_table(tmp_path: Path, pixels: Array) -> None:
    """Pictures are the only input; a path may lack its suffix, and names the sample."""
    data = _csv(tmp_path, pictures="id", files="train", target="breed")
    batch = data.take([2, 0, 1])
    np.testing.assert_allclose(batch.inputs["input"], pixels[[2, 0, 1]], rtol=1e-6)
    assert batch.targets["target"].tolist() == [0, 0, 1]
    assert (data.classes, data.about.keys) == (("cat", "dog"), ("a", "b", "c"))
    assert data.about.notes == (f"`{tmp_path}/t.csv`: not used are `age`",)
    assert _csv(tmp_path, pictures="id", files="train").about.kinds == {"target": "label"}
    gray = _csv(tmp_path, pictures="id", files="train", size=(2, 3), channels=1)
    assert gray.take([0]).inputs["input"].shape == (1, 1, 2, 3)
    assert gray.fingerprint() != data.fingerprint()


def test_paths_start_beside_the_table(tmp_path: Path, pixels: Array) -> None:
    """As in the `metadata.csv` of Hugging Face; numbers are targets of their own."""
    (tmp_path / "train" / "metadata.csv").write_text("file_name,x,y\nb.png,1.5,2\na.png,3,4\n")
    data = LOADERS["csv"](
        str(tmp_path / "train" / "metadata.csv"), pictures="file_name", target=["x", "y"]
    )
    batch = data.take([0, 1])
    np.testing.assert_allclose(batch.inputs["input"], pixels[[1, 0]], rtol=1e-6)
    assert batch.targets["target"].tolist() == [[1.5, 2], [3, 4]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pictures": "id"}, "the column `id` of line 2 names `a`, which is not there"),
        ({"pictures": "ids"}, "has no column `ids`"),
        ({"pictures": "id", "files": "train", "inputs": "age"}, "which are the only input"),
        ({"pictures": "id", "files": "train", "target": "id"}, "which are the only input"),
        ({"pictures": "id", "files": "train", "target": "bread"}, "did you mean `breed`"),
        ({"size": (4, 4)}, "`size` is said of pictures"),
        ({"files": "train"}, "`files` is said of pictures"),
    ],
)
def test_arguments_that_make_no_sense(
    tmp_path: Path, pixels: Array, arguments: dict[str, Any], message: str
) -> None:
    """Columns that are not there, no pictures, or no targets."""
    assert message in refusal(_csv, tmp_path, **arguments)


def test_cells_without_a_picture(tmp_path: Path, pixels: Array) -> None:
    """They are refused, or left out with `missing=drop`, as are missing targets."""
    (tmp_path / "t.csv").write_text("id,breed\na,cat\n,dog\nc,\nb,dog\n")
    given: dict[str, Any] = {"pictures": "id", "files": "train"}
    assert "the column `id` of line 3 holds no picture" in refusal(_csv, tmp_path, **given)
    data = _csv(tmp_path, **given, missing="drop")
    np.testing.assert_allclose(data.take([0, 1]).inputs["input"], pixels[[0, 1]], rtol=1e-6)
    assert data.take([0, 1]).targets["target"].tolist() == [0, 1]


def test_points_of_resized_pictures(tmp_path: Path, pixels: Array) -> None:
    """They would be elsewhere."""
    (tmp_path / "t.csv").write_text("id,nose_x,nose_y\na,1,2\nb,2,3\n")
    given: dict[str, Any] = {"pictures": "id", "files": "train", "target": ["nose_x", "nose_y"]}
    assert _csv(tmp_path, **given).about.kinds == {"target": "points"}
    assert "are points in pixels" in refusal(_csv, tmp_path, **given, size=(8, 8))


def _encoded(folder: Path, *, names: bool = True) -> Any:
    """An Arrow table as Hugging Face writes it: files in cells, and numbers of named classes."""
    pyarrow = pytest.importorskip("pyarrow")
    files = [(folder / name).read_bytes() for name in SIZES]
    cells = [{"bytes": data, "path": None} for data in files]
    table = pyarrow.table({"image": cells, "label": [1, 0, 1]})
    if not names:
        return table
    features = {"image": {"_type": "Image"}, "label": {"names": ["no", "yes"]}}
    told = {"huggingface": json.dumps({"info": {"features": features}})}
    return table.replace_schema_metadata(told)


@pytest.mark.extra
def test_files_in_cells(tmp_path: Path, pixels: Array) -> None:
    """Of Parquet files and Arrow tables, with the names of classes where the file has them."""
    parquet = pytest.importorskip("pyarrow.parquet")
    table = _encoded(tmp_path)
    parquet.write_table(table, tmp_path / "t.parquet")
    data = LOADERS["parquet"](str(tmp_path / "t.parquet"))
    batch = data.take([2, 0])
    np.testing.assert_allclose(batch.inputs["input"], pixels[[2, 0]], rtol=1e-6)
    assert batch.targets["target"].tolist() == [1, 1]
    assert data.classes == ("no", "yes")
    plain = netc.data.table(_encoded(tmp_path, names=False), channels=1, size=(2, 2))
    assert plain.take([1]).inputs["input"].shape == (1, 1, 2, 2)
    assert plain.take([0, 1]).targets["target"].tolist() == [1, 0]
    assert plain.fingerprint() != data.fingerprint()
    broken = table.set_column(0, "image", [[b"\x89PNG"] * 3])
    told = "`image` of row 0 of the table` cannot be used as data"
    assert told in refusal(netc.data.table, broken)


@pytest.mark.extra
def test_parts_in_a_folder_of_parquet_files(tmp_path: Path, pixels: Array) -> None:
    """As data sets of Hugging Face are kept: the beginnings of the files' names are the parts."""
    parquet = pytest.importorskip("pyarrow.parquet")
    (folder := tmp_path / "data").mkdir()
    table = _encoded(tmp_path)
    for part, rows in (("train-00000-of-00002", 2), ("train-00001-of-00002", 3), ("test", 1)):
        parquet.write_table(table.slice(0, rows), folder / f"{part}.parquet")
    data = LOADERS["parquet"](str(folder))
    assert (len(data), data.about.held_out, data.about.validation) == (6, 1, 0)
    np.testing.assert_allclose(
        data.take(range(6)).inputs["input"], pixels[[0, 1, 0, 1, 2, 0]], rtol=1e-6
    )
    parquet.write_table(table, folder / "more.parquet")
    assert LOADERS["parquet"](str(folder)).about.held_out == 0


def test_a_run_on_a_table_of_pictures(
    tmp_path: Path, pixels: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers for other tables, which are read as its own was, and for files."""
    monkeypatch.chdir(tmp_path)
    net = netc.compile(
        "INPUT(4x5x3) -> FC(2)\ntrain { split = (1, 0, 0), epochs = 1,"
        ' data = csv("t.csv", pictures="id", files="train", target="breed") }'
    )
    run = net.train(output="run")
    assert run.evaluate("all")["loss"] > 0
    (tmp_path / "new.csv").write_text("id\nb\na\n")
    found = net.predict(run="run", data='csv("new.csv")')
    by_file = net.predict(["train/b.png", "train/a.png"], run="run")
    assert list(found.names) == ["b", "a"]
    assert list(found.columns()) == ["id", "breed", "breed.score"]
    np.testing.assert_array_equal(found.outputs["output"], by_file.outputs["output"])
