"""Files of samples predicted shard by shard: every format, interruptions, what does not fit."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.command_line import netc as command
from support.refusals import refusal

import netc
from netc.runtime.bulk import shards
from netc.runtime.bulk.task import Predictor

pa = pytest.importorskip("pyarrow", reason="pip install '.[tables]'")

from pyarrow import csv, parquet  # noqa: E402  # where it is installed

pytestmark = pytest.mark.extra

Array = np.ndarray[Any, Any]
COLUMNS = ("c0", "c1", "c2")
NET = """
INPUT(3) -> FC(8) -> TANH -> FC(2)
train { data = csv("train.csv"), preprocess = standardize, epochs = 1, batch = 10 }
"""


def table(count: int, seed: int = 0) -> Any:
    """Rows with an id and three columns, in another order than the network was trained on."""
    x = np.random.default_rng(seed).normal(size=(count, 3)).astype(np.float32)
    columns = {"id": np.arange(count), "c2": x[:, 2], "word": ["w"] * count}
    return pa.table({**columns, "c0": x[:, 0], "c1": x[:, 1]})


def matrix(rows: Any) -> Array:
    """What the network takes of a table."""
    return np.stack([rows[name].to_numpy() for name in COLUMNS], axis=1)


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> netc.Network:
    """A network with a run in `run`, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    lines = [f"{i},{i * 7 % 5},{i * 3 % 4},{'yes' if i % 3 else 'no'}" for i in range(40)]
    Path("train.csv").write_text("\n".join([",".join((*COLUMNS, "said")), *lines]))
    Path("net.net").write_text(NET)
    net = netc.load("net.net")
    net.train(output="run")
    Path("data").mkdir()
    return net


def expected(net: netc.Network, x: Array, top: int = 1) -> list[Any]:
    """The answers of `net.predict`, names and scores."""
    answers = net.predict(x, run="run", top=top, engine="onnxruntime").answers["output"]
    return [each.ranked for each in answers]


def test_parquet(trained: netc.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """Columns go by their names; each row says where it comes from; shards are row groups."""
    monkeypatch.setattr(shards, "ROWS_OF_A_SHARD", 40)
    first, second = table(100), table(7, seed=1)
    parquet.write_table(first, "data/a.parquet", row_group_size=30)
    Path("data/more").mkdir()
    parquet.write_table(second, "data/more/b.parquet")
    found = trained.predict_files("data", "out.parquet", run="run")
    assert (found.rows, found.shards, found.kept) == (107, 3, 0)
    names = [f"part-0000{number}.parquet" for number in range(3)]
    assert sorted(os.listdir("out.parquet")) == ["_netc.json", *names]
    assert [parquet.read_metadata(f"out.parquet/{name}").num_rows for name in names] == [60, 40, 7]
    rows = parquet.read_table("out.parquet").to_pydict()
    assert rows["file"] == ["a.parquet"] * 100 + ["more/b.parquet"] * 7
    assert rows["row"] == [*range(100), *range(7)]
    answers = expected(trained, np.concatenate([matrix(first), matrix(second)]))
    assert rows["said"] == [name for [(name, _)] in answers]
    assert np.allclose(rows["said.score"], [score for [(_, score)] in answers], atol=1e-6)


def test_words_and_missing_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of a run with words and gaps are read as `net.predict` reads them."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    words = random.choice(["red", "green", "blue"], 200)
    size = [None if number % 9 == 0 else float(number % 7) for number in range(200)]
    cost = [len(word) + (each or 3) for word, each in zip(words, size, strict=True)]
    rows = pa.table({"colour": words.tolist(), "size": size, "cost": cost})
    text = "INPUT(4) -> FC(8) -> TANH -> FC(1)\ntrain { loss = mse, preprocess = standardize }"
    net = netc.compile(text)
    run = net.train(rows, missing="median", epochs=2)
    new = rows.drop_columns(["cost"])
    parquet.write_table(new, "x.parquet")
    csv.write_csv(new, "x.csv")
    answers = net.predict(new, run=run).outputs["output"][:, 0]
    for name in ("x.parquet", "x.csv"):
        net.predict_files(name, f"out-{name}.parquet", run=run)
        found = parquet.read_table(f"out-{name}.parquet").to_pydict()
        assert found["row"] == list(range(200))
        assert np.allclose(found["cost"], answers, atol=1e-5)


def test_several_classes_and_other_files(trained: netc.Network) -> None:
    """CSV and npz files of the same numbers say the same; `top` names several classes."""
    rows = table(50)
    csv.write_csv(rows, "data/a.csv")
    trained.predict_files("data/a.csv", "csv.parquet", run="run", top=2)
    np.savez("data/a.npz", x=matrix(rows), y=np.zeros(50))
    trained.predict_files("data/a.npz", "npz.parquet", run="run", top=2)
    one, other = (parquet.read_table(f"{name}.parquet").to_pydict() for name in ("csv", "npz"))
    answers = expected(trained, matrix(rows), top=2)
    assert one["said"] == other["said"] == [[name for name, _ in each] for each in answers]
    scores = [[score for _, score in each] for each in answers]
    assert np.allclose(one["said.score"], scores, atol=1e-6)
    assert one["said.score"] == other["said.score"]
    with pytest.raises(netc.NetError, match="E547"):
        trained.predict_files("data", "out.parquet", run="run")


def test_numbers_of_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs without a loss are numbers: one is a number, several are a list."""
    monkeypatch.chdir(tmp_path)
    net = netc.compile("x = INPUT(3)\noutput a = x -> FC(1)\noutput b = x -> FC(2)")
    net.export("net.onnx", net.initialize(1))
    model, x = netc.load("net.onnx"), table(20)
    parquet.write_table(x, "x.parquet")
    model.predict_files("x.parquet", "out.parquet", columns=COLUMNS)
    rows = parquet.read_table("out.parquet").to_pydict()
    answers: Any = net.run(matrix(x), net.initialize(1))
    assert rows["file"] == ["x.parquet"] * 20
    assert np.allclose(rows["a"], answers["a"][:, 0], atol=1e-6)
    assert np.allclose(rows["b"], answers["b"], atol=1e-6)


def test_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of any size are resized, as `net.predict` does; several shards are as one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(shards, "PICTURES_OF_A_SHARD", 5)
    monkeypatch.setattr(shards, "PICTURES_AT_ONCE", 2)
    net, random = netc.compile("INPUT(6x5x3) -> CONV(3x3, 2) -> FC(3)"), np.random.default_rng(0)
    weights = net.initialize(0)
    for number in range(7):
        size = (6, 5, 3) if number % 2 else (9, 9)
        folder = tmp_path / "data" / "ab"[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, size, np.uint8)).save(folder / f"{number}.png")
    found = net.predict_files("data", "out.parquet", weights)
    assert (found.rows, found.shards) == (7, 2)
    rows = parquet.read_table("out.parquet").to_pydict()
    files = ["a/0.png", "a/2.png", "a/4.png", "a/6.png", "b/1.png", "b/3.png", "b/5.png"]
    assert rows["file"] == files
    paths = [f"data/{file}" for file in files]
    answers = [each.ranked[0] for each in net.predict(paths, weights).answers["output"]]
    assert rows["output"] == [name for name, _ in answers]
    assert np.allclose(rows["output.score"], [score for _, score in answers], atol=1e-5)


def test_interruptions(trained: netc.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is there is kept, what is missing is written, half a file never appears."""
    for number in range(3):
        parquet.write_table(table(5, seed=number), f"data/{number}.parquet")
    predict = Predictor.predict

    def fail(self: Predictor, number: int) -> int:
        if number == 1:
            monkeypatch.setattr(self, "_tables", None)
        return predict(self, number)

    with monkeypatch.context() as context:
        context.setattr(Predictor, "predict", fail)
        with pytest.raises(TypeError):
            trained.predict_files("data", "out.parquet", run="run")
    assert sorted(os.listdir("out.parquet")) == ["_netc.json", "part-00000.parquet"]
    before = os.stat("out.parquet/part-00000.parquet").st_mtime_ns
    found = trained.predict_files("data", "out.parquet", run="run")
    assert (found.rows, found.shards, found.kept) == (10, 3, 1)
    assert os.stat("out.parquet/part-00000.parquet").st_mtime_ns == before
    assert trained.predict_files("data", "out.parquet", run="run").rows == 0
    rows = parquet.read_table("out.parquet").to_pydict()
    assert sorted(zip(rows["file"], rows["row"], strict=True)) == [
        (f"{number}.parquet", row) for number in range(3) for row in range(5)
    ]
    with pytest.raises(netc.NetError, match="E545"):
        trained.predict_files("data", "out.parquet", run="run", top=2)
    parquet.write_table(table(6), "data/0.parquet")
    with pytest.raises(netc.NetError, match="E545"):
        trained.predict_files("data", "out.parquet", run="run")
    for name in os.listdir("out.parquet"):
        if name.startswith("part-"):
            os.remove(f"out.parquet/{name}")
    assert trained.predict_files("data", "out.parquet", run="run", top=2).rows == 16


def test_on_the_command_line(trained: netc.Network) -> None:
    """`netc predict FILE SHARDS -o OUT.parquet`, in words and as JSON."""
    parquet.write_table(table(5), "data/a.parquet")
    here = Path.cwd()
    words = ["predict", "net.net", "data", "--run", "run"]
    outcome = command(*words, "-o", "out.parquet", cwd=here)
    assert (outcome.status, outcome.out) == (0, "5 rows written to out.parquet\n"), outcome.err
    outcome = command(*words, "-o", "out.parquet", "--json", cwd=here)
    assert json.loads(outcome.out) == {"output": "out.parquet", "rows": 0, "shards": 1, "kept": 1}
    for wrong, message in {
        (): "SHARDS needs `-o OUT.parquet`",
        ("-o", "out.npy"): "error[E505]: `out.npy` does not end in `.parquet`",
        ("-o", "o.parquet", "--engine", "numpy"): "error[E502]: the engine `numpy` does not",
        ("-o", "run/o.parquet", "--columns", "c0,c9,c1"): "error[E526]: `data/a.parquet` has no",
        ("-o", "p.parquet", "--columns", "c0,word,c1"): "error[E529]: the column `word`",
        ("-o", "q.parquet", "--columns", "c0,c1"): "error[E5",
        ("-o", "data/q.parquet", "--input", "data/a.parquet"): "SHARDS needs",
    }.items():
        outcome = command(*words, *wrong, cwd=here)
        assert outcome.status != 0
        assert message in outcome.err
    outcome = command("predict", "net.net", "--run", "run", "--actors", "2", cwd=here)
    assert "need SHARDS" in outcome.err


DAMAGED = {
    "a.parquet": b"PAR1 and nothing else",
    "a.csv": b"c0,c1,c2\n1,2,3\n1,2\n",
    "b.csv": b"c0,c1,c2\n1,2,3\n1,x,3\n",
    "a.npz": b"PK nothing",
    "a.png": b"\x89PNG\r\n",
    "a.txt": b"hello",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(trained: netc.Network, name: str) -> None:
    """A file that cannot be read is an error that names it, and leaves nothing half written."""
    (Path("data") / name).write_bytes(DAMAGED[name])
    assert "data" in refusal(trained.predict_files, "data", "out.parquet", run="run")
    left = os.listdir("out.parquet") if os.path.exists("out.parquet") else []
    assert left in ([], ["_netc.json"])


def test_a_number_that_is_none(trained: netc.Network) -> None:
    """A missing value is an error that names file and row."""
    rows = table(9).set_column(3, "c0", pa.array([1.0, 2, 3, 4, 5, None, 7, 8, 9]))
    parquet.write_table(rows, "data/a.parquet")
    failure = refusal(trained.predict_files, "data", "out.parquet", run="run")
    assert "`data/a.parquet` from row 0: the input `input` of sample 5" in failure
