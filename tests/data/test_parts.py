"""Parts that are given, groups, order in time, folds: which sample is in which part."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.data_files import write_mnist, write_pictures
from support.refusals import refusal

import netc
from netc.runtime.data import LOADERS, About, Dataset, arrays, splits
from netc.runtime.data.dataset import ArrayData, Rows
from netc.runtime.data.given_parts import GivenParts


def _numbered(first: int, count: int, name: str = "the data") -> Dataset:
    x = np.arange(first, first + count, dtype=np.float32)[:, None]
    return arrays(x, np.arange(count) % 2, name=name)


def _about(count: int, **facts: Any) -> Dataset:
    rows = Rows((np.zeros((count, 1), np.float32),), "float32")
    return ArrayData({"input": rows}, {}, About("it", **facts))


def test_parts_are_read_in_any_order() -> None:
    """Samples are numbered through all parts, and keep their values and labels."""
    data = GivenParts(_numbered(0, 5), _numbered(10, 3), _numbered(20, 2))
    assert len(data) == 10
    batch = data.take([9, 0, 6, 5, 8, 4])
    assert batch.inputs["input"][:, 0].tolist() == [21, 0, 11, 10, 20, 4]
    labels = data.labels()
    assert labels is not None
    assert labels.tolist() == [0, 1, 0, 1, 0, 0, 1, 0, 0, 1]
    assert data.fingerprint() != GivenParts(_numbered(0, 5), _numbered(10, 5)).fingerprint()


@pytest.mark.parametrize(
    ("parts", "always", "fractions", "sizes"),
    [
        ((3, 2), False, (0.8, 0.1, 0.1), (20, 3, 2)),
        ((3, 0), False, (0.8, 0.1, 0.1), (17, 3, 3)),
        ((0, 2), False, (0.8, 0.2, 0.0), (16, 4, 0)),
        ((0, 2), True, (0.8, 0.2, 0.0), (16, 4, 2)),
        ((3, 2), True, (1.0, 0.0, 0.0), (20, 3, 2)),
        ((3, 0), True, (1.0, 0.0, 0.0), (20, 3, 0)),
    ],
)
def test_given_parts_stay_whole(
    parts: tuple[int, int], always: bool, fractions: tuple[float, ...], sizes: tuple[int, ...]
) -> None:
    """Other fractions divide the 20 samples that are left; what a setting names is always used."""
    validation, test = (_numbered(0, count) if count else None for count in parts)
    found = splits(GivenParts(_numbered(0, 20), validation, test, always=always), fractions)
    assert tuple(map(len, (found.train, found.validation, found.test))) == sizes
    together = np.concatenate([found.train, found.validation, found.test])
    assert len(np.unique(together)) == len(together)
    if parts[0]:
        assert found.validation.tolist() == [20, 21, 22]


def test_a_test_part_is_replaced(tmp_path: Path) -> None:
    """MNIST's own test part gives way to another, and stays without one."""
    write_mnist(tmp_path, counts=(30, 12))
    own = LOADERS["idx"](str(tmp_path))
    kept = GivenParts(own, own)
    assert (len(kept), kept.about.validation, kept.about.held_out) == (30 + 42 + 12, 42, 12)
    np.testing.assert_array_equal(
        kept.take([len(kept) - 1]).inputs["input"], own.take([41]).inputs["input"]
    )
    assert len(GivenParts(own, None, own)) == 30 + 42


def test_parts_that_differ() -> None:
    """A part has the shape of the others, and no other classes."""
    other = arrays(np.zeros((2, 3), np.float32), np.arange(2), name="`v.npz`")
    text = refusal(GivenParts, _numbered(0, 5), other)
    assert "error[E522]: samples of `v.npz` are not like those of the data" in text
    assert "they have `input (N, 3)`, `target (N)`, and the others have `input (N, 1)`" in text
    same = arrays(np.zeros((2, 3), np.float32), np.arange(2))
    assert "samples of the test part are not like those of the data" in refusal(
        GivenParts, _numbered(0, 5), None, same
    )


def test_arrays_by_the_names_of_keras(tmp_path: Path) -> None:
    """`mnist.npz` has a test part of its own; bytes are pixels."""
    x = np.arange(5 * 4, dtype=np.uint8).reshape(5, 2, 2)
    t = np.arange(5)
    np.savez(tmp_path / "m.npz", x_train=x[:3], y_train=t[:3], x_test=x[3:], y_test=t[3:])
    data = LOADERS["npz"]("m.npz", folder=str(tmp_path))
    assert (len(data), data.about.held_out) == (5, 2)
    np.testing.assert_allclose(data.take(range(5)).inputs["input"], x / 255, rtol=1e-6)
    assert data.take(range(5)).targets["target"].tolist() == t.tolist()


def test_folders_of_parts(tmp_path: Path) -> None:
    """`train`, `val` and `test` are parts; a class that one lacks keeps the others' numbers."""
    names = ["train/a/1.png", "train/b/1.png", "train/b/2.png", "val/b/1.png", "test/a/1.png"]
    write_pictures(tmp_path, dict.fromkeys(names, (4, 4)))
    data = LOADERS["images"](str(tmp_path))
    assert data.about.class_names == {"target": ("a", "b")}
    assert data.take(range(5)).targets["target"].tolist() == [0, 1, 1, 1, 0]
    assert (data.about.validation, data.about.held_out) == (1, 1)
    alone = LOADERS["images"](str(tmp_path / "train"))
    assert (len(alone), alone.about.held_out) == (3, 0)


def _write(folder: Path, text: str) -> Dataset:
    (folder / "t.csv").write_text(text)
    options = {"target": "y", "order": "day"} if "day" in text else {"target": "y", "group": "who"}
    return LOADERS["csv"]("t.csv", folder=str(folder), **options)


def test_groups_stay_together(tmp_path: Path) -> None:
    """No group is in two parts, and the column is no input."""
    rows = [f"{n},p{n % 7},{n % 3}" for n in range(40)]
    data = _write(tmp_path, "\n".join(["x,who,y", *rows]))
    assert data.about.columns == {"input": ("x",)}
    for seed in range(5):
        found = splits(data, (0.6, 0.2, 0.2), seed=seed)
        parts = [set((part % 7).tolist()) for part in (found.train, found.validation, found.test)]
        assert sum(map(len, parts)) == 7
        assert all(parts)


@pytest.mark.parametrize("dates", ["2026-01-{:02}", "2026/01/{:02} 10:00", "{}.5"])
def test_the_latest_are_tested(tmp_path: Path, dates: str) -> None:
    """By dates or numbers, wherever they stand in the table."""
    days = np.random.default_rng(0).permutation(20) + 1
    rows = [f"{n},{dates.format(day)},0.5" for n, day in enumerate(days)]
    data = _write(tmp_path, "\n".join(["x,day,y", *rows]))
    found = splits(data, (0.7, 0.2, 0.1))
    assert sorted(days[found.test]) == [19, 20]
    assert sorted(days[found.validation]) == [15, 16, 17, 18]


def test_days_that_are_no_dates(tmp_path: Path) -> None:
    """What has no order is refused with a way to write it."""
    text = refusal(_write, tmp_path, "x,day,y\n1,Monday,2\n")
    assert "line 2 holds `Monday`, which is not a date" in text


@pytest.mark.parametrize("count", [2, 5, 10])
def test_folds_divide_all_samples(count: int) -> None:
    """Each sample is in the test part of one fold; classes are shared out evenly."""
    data = _numbered(0, 20)
    found = [splits(data, (0.8, 0.1, 0.1), fold=(k, count)) for k in range(count)]
    tested = np.concatenate([each.test for each in found])
    assert sorted(tested) == list(range(20))
    for each in found:
        assert not set(each.test) & (set(each.train) | set(each.validation))
        assert len(each.train) + len(each.validation) + len(each.test) == 20
        assert len(each.validation) > 0
        assert abs(int((each.test % 2).sum()) * 2 - len(each.test)) <= 2


def test_folds_of_groups_and_in_time() -> None:
    """Groups are in one fold; in time, a fold is tested on what follows its training part."""
    groups = np.arange(30) % 6
    for k in range(3):
        found = splits(_about(30, groups=groups), (1, 0, 0), fold=(k, 3))
        assert not set(groups[found.test]) & set(groups[found.train])
    ranks = np.arange(12.0)
    ends = [splits(_about(12, ranks=ranks), (0.9, 0.1), fold=(k, 3)) for k in range(3)]
    assert [each.test.tolist() for each in ends] == [[3, 4, 5], [6, 7, 8], [9, 10, 11]]
    assert [each.validation.tolist() for each in ends] == [[2], [5], [8]]
    assert ends[0].train.tolist() == [0, 1]


def test_more_folds_than_groups() -> None:
    """A fold without samples is refused."""
    data = _about(6, groups=np.zeros(6))
    assert "it does not divide into 3 folds" in refusal(splits, data, (1, 0, 0), fold=(1, 3))


def test_parts_from_settings_and_from_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table for validation is read with the words, and measured with the fill, of the first."""
    monkeypatch.chdir(tmp_path)
    lines = [f"{'ab'[n % 2]},{n},{'xy'[n % 2]}" for n in range(10)]
    Path("t.csv").write_text("\n".join(["w,v,y", *lines]))
    Path("v.csv").write_text("y,v,w\nx,,b\nx,3,c\n")
    net = netc.compile("INPUT(3) -> FC(2)\ntrain { epochs = 1 }")
    data = 'csv("t.csv", target="y", missing=mean)'
    settings: Any = {"data": data, "validation": 'csv("v.csv")', "split": (1, 0, 0)}
    run = net.with_settings(**settings).train(output="run")
    assert run.job.split.validation.tolist() == [10, 11]
    feeds = next(run.job.part("validation").still(2))
    assert feeds["input"].tolist() == [[0, 1, 4.5], [0, 0, 3]]
    assert net.evaluate(run="run", part="validation").samples == 2
    x, t = np.eye(3, dtype=np.float32), np.array([0, 1, 1])
    for name in ("validation", "validation_data"):
        options: Any = {name: (x, t), "split": (1, 0, 0)}
        assert len(net.train((x, t), **options).job.split.validation) == 3
