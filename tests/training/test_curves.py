"""Pictures of a run: what stands in them, the same bytes each time, and no trace elsewhere."""

import builtins
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.dom.minidom import parse

import matplotlib
import numpy as np
import pytest
from support.refusals import refusal

from netc.grammar.diagnostics import NetError
from netc.runtime.metrics.threshold_curves import precision_recall_curve, roc_curve
from netc.runtime.plots.canvas import STYLE, PictureFile, canvas, spread
from netc.runtime.plots.confusion_matrix import draw_confusion
from netc.runtime.plots.threshold_curves import draw_precision_recall, draw_roc
from netc.runtime.plots.training_curves import draw_history, title
from netc.runtime.run_folder.history import Epoch, History

NAN = float("nan")


def history(epochs: int, *, validated: bool = True) -> History:
    """A run that is best in epoch 3, without randomness."""
    return History(
        Epoch(
            epoch=e,
            step=e,
            loss=1 / e,
            val_loss=0.4 + 0.1 * abs(e - 3) if validated else None,
            metrics={"accuracy": 1 - 1 / (e + 1), "val_accuracy": 0.5} if validated else {},
            lr=0.1 / e,
        )
        for e in range(1, epochs + 1)
    )


def ranked() -> tuple[Any, Any]:
    """Answers and scores with some overlap."""
    rng = np.random.default_rng(0)
    positive = rng.random(60) < 0.4
    return positive, rng.normal(size=60) + positive


DRAWINGS: dict[str, Callable[[str], None]] = {
    "history": lambda path: draw_history(history(6), PictureFile(path, "LeNet5")),
    "confusion": lambda path: draw_confusion(
        np.array([[5, 1], [0, 7]]), PictureFile(path), names=("no", "yes")
    ),
    "roc": lambda path: draw_roc([("", roc_curve(*ranked()))], PictureFile(path), threshold=0.5),
    "precision_recall": lambda path: draw_precision_recall(
        [("a", precision_recall_curve(*ranked())), ("b", precision_recall_curve(*ranked()))],
        PictureFile(path),
    ),
}


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """SVG with its words as text, which tests can read."""
    monkeypatch.setitem(STYLE, "svg.fonttype", "none")


def words(path: Path) -> list[str]:
    """The texts of an SVG, in order."""
    return re.findall(r"<text[^>]*>(.*?)</text>", path.read_text(), re.S)


@pytest.mark.parametrize(
    ("name", "format"),
    [*((name, "svg") for name in DRAWINGS), ("history", "png"), ("history", "pdf")],
)
def test_same_curves_same_bytes(name: str, format: str, tmp_path: Path) -> None:
    """A picture drawn twice is the same file, and says nothing about when it was drawn."""
    first, second = tmp_path / f"1.{format}", tmp_path / f"2.{format}"
    DRAWINGS[name](str(first))
    DRAWINGS[name](str(second))
    data = first.read_bytes()
    assert data == second.read_bytes()
    start = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}[format]
    assert data.startswith(start)
    assert b"date>" not in data
    assert b"CreationDate" not in data


@pytest.mark.usefixtures("texts")
def test_history_says_what_it_shows(tmp_path: Path) -> None:
    """Axes, lines and the best epoch are named in the picture itself."""
    path = tmp_path / "curves.svg"
    draw_history(history(6), PictureFile(str(path), "LeNet5"))
    found = words(path)
    for text in ("LeNet5", "loss", "accuracy", "learning rate", "epoch", "best: epoch 3"):
        assert found.count(text) == 1
    assert found.count("training") == found.count("validation") == 2


@pytest.mark.usefixtures("texts")
@pytest.mark.parametrize(
    ("factor", "ticks"), [(0.5, {"0.1", "0.01", "0.001"}), (None, {"0.00", "0.05", "0.10"})]
)
def test_scale_of_the_learning_rate(factor: float | None, ticks: set[str], tmp_path: Path) -> None:
    """A rate that is halved again and again is shown by decades, a straight ramp is not."""
    rates = [0.1 * factor**e if factor else 0.1 - 0.01 * e + 1e-4 for e in range(11)]
    rows = [Epoch(e, e, 1.0, lr=rate) for e, rate in enumerate(rates)]
    draw_history(History(rows), PictureFile(str(tmp_path / "curves.svg")))
    assert ticks <= set(words(tmp_path / "curves.svg"))


@pytest.mark.usefixtures("texts")
def test_metrics_can_be_chosen(tmp_path: Path) -> None:
    """Without a metric there are losses and the learning rate; an unknown one is an error."""
    path = tmp_path / "curves.svg"
    draw_history(history(6), PictureFile(str(path)), metrics=())
    assert "accuracy" not in words(path)
    with pytest.raises(NetError, match="the history has no column `f1`"):
        draw_history(history(6), PictureFile(str(path)), metrics=["f1"])


@pytest.mark.parametrize(
    "rows",
    [
        history(1).rows,
        history(5, validated=False).rows,
        [Epoch(1, 1, NAN), Epoch(2, 2, NAN)],
        [Epoch(1, 1, float("inf"), 1.0), Epoch(2, 2, 1.0, None), Epoch(3, 3, 0.5, 1.0)],
        [Epoch(1, 1, 0.0, 0.0, {"mae": 0.0}, 0.0), Epoch(2, 2, 0.0, 0.0, {"mae": None}, 0.0)],
        [Epoch(1, 1, 1e9, 1e-9), Epoch(2, 2, 1e-9, 1e9)],
        [Epoch(1, 1, -5.0, -4.0), Epoch(2, 2, -6.0, -5.0)],
        [Epoch(7, 7, 1.0, 1.0, {}, 0.1), Epoch(9, 9, 1.0, 1.0, {}, 0.1)],
    ],
    ids=["one", "unvalidated", "nan", "gaps", "zeros", "wide", "negative", "resumed"],
)
def test_odd_histories_are_drawn(rows: list[Epoch], tmp_path: Path) -> None:
    """Single epochs, gaps, zeros and NaN are drawn without a warning."""
    draw_history(History(rows), PictureFile(str(tmp_path / "curves.svg")))
    assert (tmp_path / "curves.svg").stat().st_size > 1000


def test_nothing_to_draw(tmp_path: Path) -> None:
    """A run without an epoch is an error, and no file."""
    with pytest.raises(NetError, match="no epochs recorded"):
        draw_history(History(), PictureFile(str(tmp_path / "curves.svg")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("texts")
def test_confusion_says_counts_and_names(tmp_path: Path) -> None:
    """Cells hold counts, rows and columns are named, the share of right answers stands above."""
    path = tmp_path / "confusion.svg"
    draw_confusion(
        np.array([[5, 1], [0, 7]]), PictureFile(str(path), "spirals"), names=("no", "yes")
    )
    found = words(path)
    assert {"5", "1", "7", "·", "no", "yes", "right class", "answer"} <= set(found)
    assert "spirals" in found
    assert "92.3% of 13 right" in found


@pytest.mark.parametrize("classes", [1, 24, 60])
def test_confusion_of_any_size(classes: int, tmp_path: Path) -> None:
    """One class and sixty are drawn, with classes that never occur."""
    counts = np.zeros((classes, classes), int)
    counts[0, 0] = 3
    draw_confusion(
        counts, PictureFile(str(tmp_path / "c.png")), names=["a name of many letters"] * classes
    )
    assert (tmp_path / "c.png").stat().st_size > 1000


def test_what_is_no_confusion(tmp_path: Path) -> None:
    """Counts that are no square are an error."""
    with pytest.raises(NetError, match="not a confusion matrix"):
        draw_confusion(np.zeros((2, 3)), PictureFile(str(tmp_path / "c.svg")))


@pytest.mark.usefixtures("texts")
def test_curves_say_their_areas(tmp_path: Path) -> None:
    """ROC and precision-recall name their areas, the threshold, and what guessing gives."""
    curve, recalls = roc_curve(*ranked()), precision_recall_curve(*ranked())
    draw_roc([("", curve)], PictureFile(str(tmp_path / "roc.svg")), threshold=0.5)
    draw_precision_recall([("", recalls)], PictureFile(str(tmp_path / "pr.svg")), threshold=0.5)
    roc, pr = words(tmp_path / "roc.svg"), words(tmp_path / "pr.svg")
    assert f"AUC {curve.area:.3f}" in roc
    assert f"AP {recalls.average_precision:.3f}" in pr
    for found in (roc, pr):
        assert {"threshold 0.5", "guessing"} <= set(found)


@pytest.mark.usefixtures("texts")
def test_of_many_classes_the_hardest_are_drawn(tmp_path: Path) -> None:
    """Of twenty curves the twelve with the smallest areas are shown; undefined ones never."""
    positive, scores = ranked()
    curves = [(f"class {k}", roc_curve(positive, scores + k * positive)) for k in range(20)]
    curves.append(("none", roc_curve(np.zeros(3, bool), np.arange(3.0))))
    draw_roc(curves, PictureFile(str(tmp_path / "roc.svg")))
    names = [word.partition(":")[0] for word in words(tmp_path / "roc.svg") if "AUC" in word]
    assert names == [f"class {k}" for k in range(12)]
    with pytest.raises(NetError, match="there is no ROC curve"):
        draw_roc(curves[-1:], PictureFile(str(tmp_path / "other.svg")))


def test_settings_stay_as_they_were(tmp_path: Path) -> None:
    """Drawing changes no setting of matplotlib, and obeys none of the caller's."""
    first = tmp_path / "1.svg"
    draw_history(history(4), PictureFile(str(first)))
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": "x"}):
        before = dict(matplotlib.rcParams)
        draw_history(history(4), PictureFile(str(tmp_path / "2.svg")))
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "2.svg").read_bytes() == first.read_bytes()


def test_drawing_opens_no_window(tmp_path: Path) -> None:
    """Neither pyplot nor a backend with windows is loaded, and nothing of matplotlib before."""
    code = (
        "import sys\n"
        "from netc.runtime.plots import confusion_matrix, threshold_curves, training_curves\n"
        "assert not any(name.startswith('matplotlib') for name in sys.modules)\n"
        "from netc.runtime.run_folder.history import History, Epoch\n"
        "from netc.runtime.plots.canvas import PictureFile\n"
        f"file = PictureFile({str(tmp_path / 'c.svg')!r})\n"
        "training_curves.draw_history(History([Epoch(1, 1, 0.5)]), file)\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "assert 'tkinter' not in sys.modules\n"
    )
    path = str(Path(__file__).resolve().parents[2] / "src")
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": path, "MPLCONFIGDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr


def test_missing_matplotlib_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without matplotlib, the error says how to install it."""
    usual = builtins.__import__

    def refuse(name: str, *rest: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ModuleNotFoundError(f"No module named {name!r}")
        return usual(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert refusal(draw_history, history(3), PictureFile(str(tmp_path / "curves.svg"))) == (
        "error[E503]: matplotlib is not installed\n  = help: pip install 'netc[train]'"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [("curves.gif", "there is no picture format `gif`"), ("curves", "`.*curves` has no suffix")],
)
def test_formats(name: str, message: str, tmp_path: Path) -> None:
    """Another suffix, or none, is an error that lists the formats."""
    with pytest.raises(NetError, match=message) as raised:
        draw_history(history(3), PictureFile(str(tmp_path / name)))
    assert "the formats are `svg`, `png`, `pdf`" in str(raised.value)


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    """A picture whose drawing fails is not written."""
    with pytest.raises(ZeroDivisionError), canvas(PictureFile(str(tmp_path / "c.svg"))):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NetError, match="E004"):
        draw_history(history(3), PictureFile(str(tmp_path / "none" / "curves.svg")))


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], []),
        ([0.5], [0.5]),
        ([0.2, 0.8], [0.2, 0.8]),
        ([0.5, 0.5], [0.45, 0.55]),
        ([0.9, 0.9, 0.1], [0.85, 0.95, 0.1]),
        ([1.0, 1.0], [0.9, 1.0]),
        ([-3.0, 0.02], [0.0, 0.1]),
    ],
)
def test_labels_move_apart(places: list[float], expected: list[float]) -> None:
    """Labels that would touch move as little as it takes, and stay inside."""
    assert spread(places, 0.1) == pytest.approx(expected)


def test_labels_keep_their_order() -> None:
    """However many, labels are apart, in order, and inside as far as there is room."""
    rng = np.random.default_rng(0)
    for _ in range(50):
        places = list(rng.normal(0.5, 0.2, size=int(rng.integers(1, 9))))
        found = spread(places, 0.12)
        order = np.argsort(places, kind="stable")
        assert (np.diff(np.array(found)[order]) > 0.12 - 1e-9).all()
        assert min(found) >= -1e-9
        assert max(found) <= 1 + 1e-9


@pytest.mark.parametrize(
    ("name", "shown"),
    [("iou", "mean IoU"), ("top_5", "top 5"), ("box.mae", "box: mean absolute error")],
)
def test_names_for_readers(name: str, shown: str) -> None:
    """Metrics are spelled out, with their output before them."""
    assert title(name) == shown


NAMES = ("$\\frac{1}{$", "$x$", "a\0b", "\x1b[31m", "\ufffe", "\udcff", "a\nb", "--", "中", "_^{\\")


def _named(names: Sequence[str], path: str) -> Iterator[Callable[[], None]]:
    """What draws pictures of each kind, with names wherever they can stand."""
    answers, scores = ranked()
    title, metrics = " ".join(names), {f"{name}.accuracy": 0.5 for name in names}
    roc, precision_recall = roc_curve(answers, scores), precision_recall_curve(answers, scores)
    counts, own = np.eye(len(names) + 1, dtype=int), History([Epoch(1, 1, 1.0, metrics=metrics)])
    yield lambda: draw_confusion(counts, PictureFile(path, title), names=[*names, "b"])
    yield lambda: draw_roc([(name, roc) for name in names], PictureFile(path, title))
    yield lambda: draw_precision_recall(
        [(name, precision_recall) for name in names], PictureFile(path)
    )
    yield lambda: draw_history(history(3), PictureFile(path, title))
    yield lambda: draw_history(own, PictureFile(path))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_characters(name: str, tmp_path: Path) -> None:
    """A name is drawn as it stands, never as a formula; SVG stays XML, and nothing warns."""
    path = tmp_path / "picture.svg"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for draw in _named([name], str(path)):
            draw()
            parse(str(path))
            seen = re.sub("[^ -~中]", " ", name)
            assert seen in path.read_text().replace("- -", "--")


@pytest.mark.parametrize("format", ["png", "pdf"])
def test_names_of_any_characters_in_other_formats(format: str, tmp_path: Path) -> None:
    """Where glyphs are drawn here nothing else warns, with all names in one picture."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings(
            "ignore", "no font of this machine has 中"
        )  # nor has it to have one
        for draw in _named(NAMES, str(tmp_path / f"picture.{format}")):
            draw()
