"""Labels that are no classes of the network, how they become some, and classes named in a table."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

import netc
from netc.runtime.data import LOADERS, arrays, check_labels
from netc.runtime.data.class_names import by_names
from netc.runtime.data.labels import check_range


def test_labels_out_of_range() -> None:
    """Labels from 1 to K, negative ones, and pixels of masks; an ignored class passes."""
    data = arrays(np.zeros((4, 1)), np.array([1, 2, 3, 1]))
    check_labels(data, 4)
    text = refusal(check_labels, data, 3)
    assert text.startswith("error[E523]: the data: the label 3 of sample 2 is outside the 3")
    assert "labels go from 0 to 2" in text
    data = arrays(np.zeros((2, 1)), np.array([-100, 0]))
    check_labels(data, 2, ignored=-100)
    assert "the label -100 of sample 0" in refusal(check_labels, data, 2)
    mask = np.zeros((2, 3, 3), np.int64)
    mask[1, 2, 0] = 5
    assert "the label 5 of sample 17" in refusal(check_range, "x", mask, np.array([4, 17]), 5)


def mask_of(*values: int) -> np.ndarray[Any, Any]:
    """A mask of 2x2 pixels that holds some classes."""
    return np.resize(np.array(values), (1, 2, 2))


@pytest.mark.parametrize(
    ("labels", "classes", "help"),
    [
        ([1, 2, 3], 3, "number them from 0: `csv(..., classes=[1, 2, 3])` of a table, `t - 1` of"),
        ([2, 4, 4], 2, "`csv(..., classes=[2, 4])` of a table, `names, t = np.unique(t, return_"),
        ([-1, 1], 2, "`csv(..., classes=[-1, 1])` of a table, `names, t = np.unique(t, return_"),
        ([-1, 0, 1], 3, "an array; `cross_entropy(ignore_index=-1)` leaves the class -1 out"),
        (
            [-1, 0, 1],
            2,
            "3 outputs, one for each class; `cross_entropy(ignore_index=-1)`",
        ),
        (
            [-2, -1, 0, 1],
            4,
            "classes=[-2, -1, 0, 1])` of a table, `names, t = np.unique(t",
        ),
        ([4, 6, 8], 2, "return_inverse=True)` of an array, and give the network 3 outputs"),
        ([0, 1, 2], 2, "renumber the labels, or give the network 3 outputs, one for each class"),
        ([0, 1, 99999], 2, "renumber the labels, or give the network more outputs, one for each"),
        ([0, 1, 255], 2, "`cross_entropy(ignore_index=255)` leaves the class 255 out"),
        (mask_of(0, 1, 255), 2, "`cross_entropy(ignore_index=255)` leaves the class 255 out"),
        (mask_of(1, 255), 2, "`cross_entropy(ignore_index=255)` leaves the class 255 out"),
        (mask_of(-1, 0), 2, "`cross_entropy(ignore_index=-1)` leaves the class -1 out"),
        (mask_of(0, 255), 2, "if 255 is the second class, `t // 255` numbers it 1"),
        (mask_of(0, 255).astype(np.uint8), 2, "if 255 is the second class, `t // 255` numbers it"),
        (mask_of(0, 255, 7).astype(np.uint8), 2, "or give the network 256 outputs"),
        (mask_of(1, 2), 2, "number the classes from 0: `t - 1`"),
        (mask_of(0, 128, 255), 2, "renumber the labels, or give the network 256 outputs"),
    ],
)
def test_the_way_out(labels: Any, classes: int, help: str) -> None:
    """The help tells masks with a void class, labels from 1 on, and other numberings apart."""
    given = np.asarray(labels)
    numbers = np.arange(len(given))
    text = refusal(check_range, "x", given, numbers, classes, ignoring="cross_entropy")
    assert help in text.splitlines()[-1]


def test_a_void_class_is_left_out() -> None:
    """What the help says of masks trains, and is said on all ways in."""
    network = netc.compile("INPUT(4x4x1) -> CONV(1x1, 2)")
    x, t = np.ones((6, 1, 4, 4), np.float32), np.zeros((6, 4, 4), np.uint8)
    t[:, 0] = 255
    for way in (
        lambda: network.train((x, t), epochs=1),
        lambda: network.value_and_grad(x, t, network.initialize()),
    ):
        with pytest.raises(netc.NetError, match=r"`cross_entropy\(ignore_index=255\)`"):
            way()
    loss = "cross_entropy(ignore_index=255)"
    assert network.train((x, t), epochs=1, loss=loss).history.rows
    all_known = network.value_and_grad(x, np.zeros((6, 4, 4), int), network.initialize())
    some_known = network.value_and_grad(x, t, network.initialize(), loss=loss)
    assert some_known[0] == pytest.approx(all_known[0])


WINE = "1,14.23,1.71\n2,12.37,.94\n3,12.86,1.35\n2,12.33,1.1\n"


@pytest.mark.parametrize(
    ("text", "classes", "labels"),
    [
        (WINE, "[1, 2, 3]", [0, 1, 2, 1]),
        (WINE, "[3, 2, 1]", [2, 1, 0, 1]),
        (WINE.replace("2,12", "2.0,12"), "[1, 2, 3]", [0, 1, 2, 1]),
        (WINE.replace("2,12", "b,12").replace("3,12", "a,12"), '["1", "b", a]', [0, 1, 2, 1]),
        (WINE.replace("1,14", "0,14"), "[0, 1, 2, 3]", [0, 2, 3, 2]),
    ],
)
def test_classes_of_a_table(tmp_path: Path, text: str, classes: str, labels: list[int]) -> None:
    """`classes=` numbers a target's cells from 0, in the order in which it names them."""
    (tmp_path / "wine.data").write_text(text)
    program = f"""
INPUT(2) -> FC(4)
train {{
  data = csv("wine.data", target="1", header=no, classes={classes})
  epochs = 1
  split = (1, 0, 0)
}}
"""
    (tmp_path / "wine.net").write_text(program)
    run = netc.load(str(tmp_path / "wine.net")).train()
    data = run.job.data
    assert data.take(range(4)).targets["target"].tolist() == labels
    assert data.labels() is not None
    assert len(data.classes) == classes.count(",") + 1


def test_classes_that_do_not_fit(tmp_path: Path) -> None:
    """A cell that is none of the classes, names that repeat, and several targets."""
    path = tmp_path / "wine.data"
    path.write_text(WINE)
    text = refusal(LOADERS["csv"], str(path), target="1", classes=("1", "2"))
    assert text.startswith(f"error[E523]: line 3 of `{path}` has a class `3`, which `classes=`")
    for options in ({"classes": ("1", "1")}, {"classes": ("1",), "target": ["1", "2"]}):
        text = refusal(LOADERS["csv"], str(path), **{"target": "1", **options})
        assert text.startswith("error[E532]: `classes=` names each class of a single target once")


@pytest.mark.parametrize(
    ("given", "names", "labels"),
    [
        (["1.0", "0.0"], ("0", "1"), [1, 0]),
        (["1", "0"], ("0.0", "1.0"), [1, 0]),
        ([3, 1, 2], ("1", "2", "3"), [2, 0, 1]),
        ([-1, 1], ("-1", "1"), [0, 1]),
        ([10, 2], ("1", "10", "2"), [1, 2]),
        ([1, 0], ("cat", "dog"), [1, 0]),
        ([1, 0], ("0", "1"), [1, 0]),
        ([1.5, 0.5], ("1", "2"), [1.5, 0.5]),
    ],
)
def test_numbers_are_names(given: Any, names: tuple[str, ...], labels: list[float]) -> None:
    """Classes that a run called by numbers are the same as words, integers and with a point."""
    data = by_names(arrays(np.zeros((len(given), 1)), given), {"target": names})
    assert data.take(range(len(given))).targets["target"].tolist() == labels


@pytest.mark.parametrize(
    ("given", "names", "named"),
    [
        ([0, 1], ("1", "2"), "`0`"),
        (["cat"], ("Cat", "dog"), "`cat`"),
        (["2"], ("0", "1"), "`2`"),
    ],
)
def test_unknown_names(given: Any, names: tuple[str, ...], named: str) -> None:
    """A number that is no name, and another case, are refused with the names that there are."""
    data = arrays(np.zeros((len(given), 1)), given)
    text = refusal(by_names, data, {"target": names})
    assert text.startswith(f"error[E523]: the data has a class {named}, which the run does not")
    assert f"the classes are `{names[0]}`, `{names[1]}`" in text


def test_names_of_classes_are_told() -> None:
    """Words are not labels that could be numbered otherwise."""
    data = arrays(np.zeros((3, 1), np.float32), np.array(["ash", "elm", "oak"]))
    text = refusal(check_labels, data, 2)
    assert "the data has 3 classes, and the network distinguishes 2" in text
    assert "the classes are `ash`, `elm`, `oak`" in text
    assert text.strip().endswith("give the network 3 outputs, one for each class")
    check_labels(data, 3)
