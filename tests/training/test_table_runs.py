"""Runs on tables: what was fitted is kept, exported, and applied to new tables and data frames."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

import netc
import netc.data as netc_data

PROGRAM = """
INPUT(5) -> FC(8) -> RELU -> FC(2)

train {
  data       = csv("t.csv", target="kind", missing=median, index="id")
  preprocess = standardize
  epochs     = 2
}
"""
COLUMNS = ("id", "island", "mass", "sex", "kind")


def _rows(count: int) -> list[tuple[str, ...]]:
    random = Random(0)
    return [
        (
            f"p{n}",
            random.choice(["Dream", "Biscoe"]),
            random.choice(["", f"{random.random():.3f}"]),
            random.choice(["f", "m", "NA"]),
            random.choice(["a", "b"]),
        )
        for n in range(count)
    ]


def _write(path: Path, rows: list[tuple[str, ...]], columns: tuple[str, ...] = COLUMNS) -> None:
    lines = [",".join(row[COLUMNS.index(name)] for name in columns) for row in rows]
    path.write_text("\n".join([",".join(columns), *lines]) + "\n")


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> netc.Network:
    """A network beside its table."""
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / "t.csv", _rows(40))
    (tmp_path / "t.net").write_text(PROGRAM)
    return netc.load("t.net")


def test_a_run_answers_for_new_tables(net: netc.Network, tmp_path: Path) -> None:
    """From its folder, without the target, in another order; rows keep their keys."""
    run = net.train(output="run")
    _write(tmp_path / "new.csv", _rows(6), ("sex", "island", "id", "mass"))
    found = net.predict(run="run", data='csv("new.csv")')
    assert list(found.names) == [f"p{n}" for n in range(6)]
    ours = net.predict(run=run, data='csv("t.csv")')
    np.testing.assert_array_equal(found.outputs["output"], ours.outputs["output"][:6])
    again = net.evaluate(run="run")
    assert again.metrics["loss"] == pytest.approx(run.test["loss"], rel=1e-6)


def test_the_exported_model_takes_numbers_and_codes(net: netc.Network) -> None:
    """Means, categories and all that follows are in the model, and its metadata name the words."""
    run = net.train()
    run.export("t.onnx")
    model = onnx.load("t.onnx")
    (told,) = [p.value for p in model.metadata_props if p.key == "columns"]
    assert json.loads(told)["input"] == [
        {"name": "island", "categories": ["Biscoe", "Dream"]},
        {"name": "mass", "categories": None},
        {"name": "sex", "categories": ["f", "m"]},
    ]
    x = np.array([[1, np.nan, 0], [0, 0.5, np.nan], [-1, 0.25, 1]], np.float32)
    (y,) = onnxruntime.InferenceSession("t.onnx").run(None, {"input": x})
    rows = ["island,mass,sex", "Dream,,f", "Biscoe,0.5,", "Atlantis,0.25,m"]
    Path("new.csv").write_text("\n".join(rows))
    found = net.predict(run=run, data='csv("new.csv")')
    assert list(found.names) == ["0", "1", "2"]  # without the column of keys
    np.testing.assert_allclose(found.outputs["output"], y, rtol=1e-4, atol=1e-5)


def test_the_exported_model_takes_missing_words_as_numbers_or_codes(net: netc.Network) -> None:
    """Where a missing word is an input of its own, NaN stands for it, and so does its code."""
    data = 'csv("t.csv", target="kind", missing=median, index="id", indicator=yes)'
    wide = netc.compile("INPUT(7) -> FC(2)").with_settings(data=data, epochs=1)
    run = wide.train()
    run.export("t.onnx")
    (told,) = [p.value for p in onnx.load("t.onnx").metadata_props if p.key == "columns"]
    words = json.loads(told)["input"][2]["categories"]
    assert words == ["f", "m", ""]
    x = np.array([[1, 0.5, np.nan], [1, 0.5, words.index("")]], np.float32)
    (y,) = onnxruntime.InferenceSession("t.onnx").run(None, {"input": x})
    Path("new.csv").write_text("island,mass,sex\nDream,0.5,\n")
    found = wide.predict(run=run, data='csv("new.csv")').outputs["output"]
    np.testing.assert_allclose(np.vstack([found, found]), y, rtol=1e-4, atol=1e-5)


def test_a_network_of_another_size(net: netc.Network) -> None:
    """The error names the number of inputs that the table gives."""
    small = netc.compile("INPUT(3) -> FC(2)")
    with pytest.raises(netc.NetError, match=re.escape("write `INPUT(5)`")):
        small.with_settings(data='csv("t.csv", missing=0, index="id")').train()


def test_codes_feed_embeddings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers and codes are inputs of their own."""
    monkeypatch.chdir(tmp_path)
    _write(tmp_path / "t.csv", _rows(40))
    net = netc.compile("""
        numbers = INPUT(1) as input
        place = INPUT(1, dtype=int64) as island -> EMBED(2, 3) -> FLATTEN
        ( numbers | place ) -> CONCAT -> FC(2) as y
    """)
    data = 'csv("t.csv", drop=["id", "sex"], codes="island", missing=mean)'
    run = net.with_settings(data=data, epochs=1).train()
    assert set(run.job.wiring.inputs) == {"input", "island"}
    assert run.test["loss"] > 0


def _pandas() -> Any:
    return pytest.importorskip("pandas").read_csv("t.csv")


def _polars() -> Any:
    return pytest.importorskip("polars").read_csv("t.csv", null_values=["NA", ""])


def _lazy() -> Any:
    return _polars().lazy()


def _arrow() -> Any:
    csv = pytest.importorskip("pyarrow.csv")
    options = csv.ConvertOptions(null_values=["NA", ""], strings_can_be_null=True)
    return csv.read_csv("t.csv", convert_options=options)


def _hugging_face() -> Any:
    pandas = pytest.importorskip("pandas")
    return pytest.importorskip("datasets").Dataset.from_pandas(pandas.read_csv("t.csv"))


@pytest.mark.extra
@pytest.mark.parametrize("frame", [_pandas, _polars, _lazy, _arrow, _hugging_face])
def test_data_frames(net: netc.Network, frame: Callable[[], Any]) -> None:
    """A frame is the table that it was read from, whatever the library."""
    run = net.train()
    options: Any = {"target": "kind", "missing": "median", "index": "id"}
    same = net.train(frame(), **options)
    assert same.job.data.fingerprint() == run.job.data.fingerprint()
    assert same.test == run.test
    found = net.predict(frame(), run=same)
    ours = net.predict(data='csv("t.csv")', run=run)
    np.testing.assert_array_equal(found.outputs["output"], ours.outputs["output"])
    np.testing.assert_array_equal(same.predict(frame()), ours.outputs["output"])


@pytest.mark.extra
def test_frames_of_a_run_on_arrays() -> None:
    """A frame with a column for each input has no target; with one more, the last one is it."""
    pandas = pytest.importorskip("pandas")
    x = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    net = netc.compile("INPUT(3) -> FC(2)")
    run = net.train((x, np.arange(30) % 2), epochs=1)
    ours = run.predict(x)
    frame = pandas.DataFrame(x, columns=list("abc"))
    np.testing.assert_array_equal(run.predict(frame), ours)
    np.testing.assert_array_equal(net.predict(frame, run=run).outputs["output"], ours)
    np.testing.assert_array_equal(run.predict(frame.assign(kind="z")), ours)


def test_data_as_text(net: netc.Network) -> None:
    """What `data` may be in a program may be given from Python, too."""
    text = 'csv("t.csv", target="kind", missing=median, index="id")'
    assert net.train(text).test == net.train().test
    for path in ("t.csv", "/folder/t.csv"):
        with pytest.raises(netc.NetError, match=re.escape(f'write `csv("{path}")`')):
            net.train(path)


class _Frame:
    """What has named columns, as frames have."""

    columns = ("a", "kind")

    def __getitem__(self, name: str) -> list[str]:
        return ["x", "y"] * 5


@pytest.mark.parametrize(
    ("data", "help"),
    [
        (None, "write it where the table is named: `csv(..., target=...)`"),
        ('csv("t.csv")', "write it where the table is named: `csv(..., target=...)`"),
        ({"a": [1, 2]}, "make one: `pandas.DataFrame(...)`"),
        ({"train": _Frame(), "test": _Frame()}, 'give one of its tables: `data["train"]`'),
    ],
)
def test_what_is_said_of_tables_without_one(net: netc.Network, data: Any, help: str) -> None:
    """Arguments of tables are not settings."""
    with pytest.raises(netc.NetError, match=re.escape(help)):
        net.train(data, target="kind")


def test_a_part_that_is_given_twice(net: netc.Network) -> None:
    """`validation_data`, which Keras says, is `validation`."""
    x, t = np.ones((4, 5), np.float32), np.zeros(4, int)
    with pytest.raises(netc.NetError, match="`validation` is given twice"):
        net.train((x, t), validation=(x, t), validation_data=(x, t))


@pytest.mark.parametrize(
    ("below", "no", "yes"), [(-1, "-1", "1"), (-1.0, "-1", "1"), (0, "no", "yes")]
)
def test_margins_answer_for_either_side(below: float, no: str, yes: str) -> None:
    """A score of `hinge` above 0 says yes, another one says no with as large a score."""
    x = np.array([[-2.0], [-0.5], [0.5], [3.0]], np.float32)
    net = netc.compile("INPUT(1) -> FC(1)\ntrain { loss = hinge, split = (1, 0, 0), batch = all }")
    t = np.where(x > 0, 1, below).astype(type(below))
    run = net.train((x, t), epochs=50, lr=0.1)
    found = net.predict(x, run=run, top=2)
    scores = found.outputs["output"][:, 0]
    assert (scores > 0).tolist() == [False, False, True, True]
    first, last = found.answers["output"][0].ranked, found.answers["output"][3].ranked
    assert first == ((no, -scores[0]), (yes, scores[0]))
    assert last == ((yes, scores[3]), (no, -scores[3]))
    assert net.evaluate(run=run, part="all").metrics["accuracy"] == 1


def test_answers_as_a_table(net: netc.Network, tmp_path: Path) -> None:
    """The key of each row, the class under the target's name, and its score; or numbers."""
    run = net.train()
    found = net.predict(run=run, data='csv("t.csv")')
    found.save("out.csv")
    first, second, *_ = (tmp_path / "out.csv").read_text().splitlines()
    ((name, score), *_) = found.answers["output"][0].ranked
    assert first == "id,kind,kind.score"
    assert second == f"p0,{name},{score}"
    x = np.arange(6, dtype=np.float32)[:, None]
    numbers = netc.compile("INPUT(1) -> FC(2)").train((x, np.hstack([x, x])), loss="mse", epochs=1)
    told = netc.compile("INPUT(1) -> FC(2)").predict(x, run=numbers).columns()
    assert list(told) == ["sample", "output.0", "output.1"]
    with pytest.raises(netc.NetError, match=r"neither a \.csv nor"):
        found.save("out.xlsx")
    assert not Path("out.xlsx").exists()


@pytest.mark.extra
def test_parquet(net: netc.Network) -> None:
    """A Parquet file is the table that it was written from, also as answers."""
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.read_csv("t.csv")
    frame.to_parquet("t.parquet")
    run = net.train()
    same = net.with_settings(
        data='parquet("t.parquet", target="kind", missing=median, index="id")'
    ).train()
    assert same.job.data.fingerprint() == run.job.data.fingerprint()
    found = net.predict(run=same, data='parquet("t.parquet")')
    found.save("out.parquet")
    found.save("out.csv")
    written = pandas.read_parquet("out.parquet")
    pandas.testing.assert_frame_equal(written, pandas.read_csv("out.csv"), check_dtype=False)
    assert written.id.tolist() == frame.id.tolist()


@pytest.mark.parametrize("bunch", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
@pytest.mark.extra
def test_data_sets_of_scikit_learn(bunch: str) -> None:
    """As they are returned, as frames or not, with the names of their classes in their order."""
    load = getattr(pytest.importorskip("sklearn.datasets"), f"load_{bunch}")
    found = load()
    data = netc_data.table(found)
    batch = data.take(range(len(data)))
    shape = found.data.shape if bunch != "digits" else (len(data), 1, 8, 8)
    np.testing.assert_array_equal(batch.inputs["input"], found.data.reshape(shape).astype("f4"))
    np.testing.assert_array_equal(batch.targets["target"].reshape(-1), found.target)
    assert data.classes == tuple(map(str, found.get("target_names", ())))
    if bunch != "digits":
        again = netc_data.table(load(as_frame=True))
        assert again.fingerprint() == data.fingerprint()
        assert again.about.columns["input"] == tuple(found.feature_names)
