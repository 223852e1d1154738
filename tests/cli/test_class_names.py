"""Classes and columns of new data are known by their names, whatever their order there."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.command_line import Call

from netc.cli import run as command_line
from netc.runtime.data import LOADERS

TABLE = """\
INPUT(2) -> FC(3)

train {
  data = csv("all.csv", target="kind")
  optimizer = sgd(lr=0.3)
  preprocess = standardize
  epochs = 20
}
"""
CENTRES = {"ant": (0.0, 0.0), "bee": (20.0, 0.0), "cat": (0.0, 20.0)}
PICTURES = """\
INPUT(8x8) -> FC(10)

train {
  data = images("all", 8x8, channels=1)
  optimizer = sgd(lr=0.5)
  epochs = 8
}
"""


NUMBERS = TABLE.replace(
    'csv("all.csv", target="kind")', 'csv("numbers.csv", target="kind", classes=[1, 2, 3])'
)


def write_table(path: Path, *names: str) -> None:
    """A table of 60 points about the centre of each class."""
    random = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["x", "y", "kind"])
        for name in names:
            centre = CENTRES.get(name, (9.0, 9.0))
            for x, y in random.normal(centre, 1.0, (60, 2)):
                writer.writerow([f"{x:.4f}", f"{y:.4f}", name])


def write_pictures(folder: Path, *classes: int) -> None:
    """A folder with some classes of the digits."""
    data = LOADERS["digits"]()
    batch = data.take(range(600))
    for index, (x, t) in enumerate(
        zip(batch.inputs["input"], batch.targets["target"], strict=True)
    ):
        if int(t) in classes:
            (folder / f"d{t}").mkdir(parents=True, exist_ok=True)
            Image.fromarray((x[0] * 255).astype(np.uint8)).save(folder / f"d{t}" / f"{index}.png")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three trained networks with the data that they know."""
    path = tmp_path_factory.mktemp("names")
    write_table(path / "all.csv", *CENTRES)
    write_pictures(path / "all", *range(10))
    write_numbers(path / "numbers.csv", 1, 2, 3)
    for name, program in {"table": TABLE, "pictures": PICTURES, "numbers": NUMBERS}.items():
        (path / f"{name}.net").write_text(program)
        assert command_line(["train", f"{path}/{name}.net", "-o", f"{path}/{name}"]) == 0
    return path


def accuracy(called: Call, folder: Path, name: str, data: str) -> float:
    """What `netc evaluate` measures on other data."""
    options = ["--run", f"{folder}/{name}", "--part", "all", "--set", f"data={data}", "--json"]
    found = called("evaluate", f"{folder}/{name}.net", *options).quiet()
    return float(json.loads(found.out)["metrics"]["accuracy"])


@pytest.mark.parametrize("kept", [("bee", "cat"), ("ant", "cat"), ("cat",), ("cat", "bee", "ant")])
def test_a_table_without_a_class(called: Call, folder: Path, kept: tuple[str, ...]) -> None:
    """Of classes that are far apart, all samples are right, whichever classes are there."""
    write_table(folder / "new.csv", *kept)
    assert accuracy(called, folder, "table", 'csv("new.csv", target="kind")') == 1.0


def test_a_folder_of_two_classes(called: Call, folder: Path) -> None:
    """Pictures of the 3 and the 7 alone are as well known as among the others."""
    write_pictures(folder / "two", 3, 7)
    assert accuracy(called, folder, "pictures", 'images("two", 8x8, channels=1)') > 0.9


def test_data_is_an_option_of_its_own(called: Call, folder: Path) -> None:
    """`netc evaluate --data` names other data as `netc predict --data` does."""
    words = ["evaluate", f"{folder}/table.net", "--run", f"{folder}/table", "--part", "all"]
    write_table(folder / "new.csv", "bee", "cat")
    data = 'csv("new.csv", target="kind")'
    found = called(*words, "--data", data)
    assert found.out.startswith("120 samples of `new.csv`, all")
    assert found.out == called(*words, "--set", f"data={data}").out


def test_an_unknown_class(called: Call, folder: Path) -> None:
    """A class that the run does not know is refused, with the one that may have been meant."""
    write_table(folder / "strange.csv", "ant", "beee")
    data = 'data=csv("strange.csv", target="kind")'
    words = ["evaluate", f"{folder}/table.net", "--run", f"{folder}/table", "--set", data]
    found = called(*words).failed()
    assert "E523" in found.err
    assert "has a class `beee`, which the run does not know" in found.err
    assert "did you mean `bee`?" in found.err


def write_columns(path: Path, *columns: str) -> None:
    """The table of all classes with its columns in another order, or with other names."""
    names, *rows = [line.split(",") for line in (path / "all.csv").read_text().splitlines()]
    cells = [
        [dict(zip(names, row, strict=True)).get(name, "1") for name in columns] for row in rows
    ]
    lines = [",".join(line) for line in (columns, *cells)]
    (path / "columns.csv").write_text("\n".join(lines))


@pytest.mark.parametrize("columns", ["y x kind", "kind y x", "y note kind x"])
def test_columns_in_another_order(called: Call, folder: Path, columns: str) -> None:
    """Columns are known by their names, in evaluation and in prediction; others are left out."""
    write_columns(folder, *columns.split())
    assert accuracy(called, folder, "table", 'csv("columns.csv", target="kind")') == 1.0
    data = 'csv("columns.csv", inputs=["y", "x"], target="kind")'
    words = ["--run", f"{folder}/table", "--data", data, "--json"]
    found = called("predict", f"{folder}/table.net", *words).ok()
    said = [sample["output"]["ranked"][0]["class"] for sample in json.loads(found.out)]
    kinds = [line.split(",")[2] for line in (folder / "all.csv").read_text().splitlines()[1:]]
    assert said == kinds


def test_a_column_that_is_missing(called: Call, folder: Path) -> None:
    """A table without one of the run's columns is refused, also if it has as many."""
    write_columns(folder, "x", "why", "kind")
    for words in (["evaluate", "--set"], ["predict", "--data"]):
        command, option = words
        data = 'csv("columns.csv", target="kind")'
        data = data if option == "--data" else f"data={data}"
        found = called(command, f"{folder}/table.net", "--run", f"{folder}/table", option, data)
        assert found.status == 1
        assert "error[E526]: `columns.csv` has no input column `y`" in found.err
        assert 'unless `inputs=["x", "y"]` names the inputs' in found.err
        write_columns(folder, "why", "kind")
        found = called(command, f"{folder}/table.net", "--run", f"{folder}/table", option, data)
        assert "help: the run takes `x`, `y`; give all of them" in found.err
        write_columns(folder, "x", "why", "kind")
    write_columns(folder, "x", "y")
    words = ["predict", f"{folder}/table.net", "--run", f"{folder}/table", "--data"]
    assert called(*words, 'csv("columns.csv")').status == 0
    assert called(*words, 'csv("columns.csv", inputs=["x", "y"])').status == 0


def test_columns_without_names(called: Call, folder: Path) -> None:
    """A table without a header is read by position, as the run's table was."""
    rows = (folder / "all.csv").read_text().splitlines()[1:]
    (folder / "bare.csv").write_text("\n".join(rows))
    assert accuracy(called, folder, "table", 'csv("bare.csv", header=no)') == 1.0


def test_features_of_a_table_without_a_class(called: Call, folder: Path) -> None:
    """Features carry the run's numbers of classes."""
    write_table(folder / "new.csv", "cat", "bee")
    data = 'data=csv("new.csv", target="kind")'
    options = ["--label", "fc1", "-o", f"{folder}/f.npz", "--run", f"{folder}/table"]
    called("features", f"{folder}/table.net", *options, "--set", data).ok()
    assert np.load(folder / "f.npz")["y"].tolist() == [2] * 60 + [1] * 60


@pytest.mark.parametrize(
    ("numbers", "options"),
    [
        ((1, 2, 3), ""),
        ((2, 3), ""),
        ((3, 1), ""),
        ((2, 3), ", classes=[2, 3]"),
        ((2.0, 3.0), ", classes=[2, 3]"),
    ],
)
def test_classes_that_are_numbers(
    called: Call, folder: Path, numbers: tuple[float, ...], options: str
) -> None:
    """Where a run called its classes 1 to 3, the same numbers in other data are these classes."""
    write_numbers(folder / "some.csv", *numbers)
    data = f'csv("some.csv", target="kind"{options})'
    assert accuracy(called, folder, "numbers", data) == 1.0
    write_numbers(folder / "strange.csv", 0, 1)
    words = ["--run", f"{folder}/numbers", "--set", 'data=csv("strange.csv", target="kind")']
    found = called("evaluate", f"{folder}/numbers.net", *words)
    assert "has a class `0`, which the run does not know" in found.err


def write_numbers(path: Path, *numbers: float) -> None:
    """As `write_table`, with a number for each class, from 1 on."""
    names = dict(enumerate(CENTRES, start=1))
    write_table(path, *(names.get(int(number), "none") for number in numbers))
    text = path.read_text()
    for number in numbers:
        text = text.replace(names.get(int(number), "none"), str(number))
    path.write_text(text)
