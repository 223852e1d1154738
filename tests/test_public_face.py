"""What `netc` offers: it is listed, explained, copied, pickled, and shown in a line."""

import copy
import inspect
import multiprocessing
import pickle
import pydoc
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from support.refusals import failure_of, refusal

import netc

DIGITS = """
INPUT(64) -> FC(10) as scores
train { data = digits
  optimizer = sgd(lr=0.1)
  epochs = 1 }
"""
MODULES = (netc, netc.callbacks, netc.data, netc.records, netc.show)


class World:
    """A network, a run of it, and what they lead to, each made when a row first asks for it.

    Args:
        folder: Where files go.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.net = netc.compile(DIGITS)

    @cached_property
    def run(self) -> netc.records.Run:
        """A run of an epoch."""
        return self.net.train()

    @cached_property
    def watched(self) -> netc.records.Watched:
        """A run with a monitor."""
        return self.net.watch()

    @cached_property
    def prediction(self) -> netc.records.Prediction:
        """Answers for three samples."""
        return self.net.predict(np.zeros((3, 64), np.float32), run=self.run)

    @cached_property
    def evaluation(self) -> netc.records.Evaluation:
        """What the run is worth."""
        return self.net.evaluate(run=self.run, curves=True)

    @cached_property
    def diff(self) -> netc.records.Diff:
        """What a wider layer changes."""
        return netc.diff(self.net, netc.compile("INPUT(64) -> FC(11) as scores"))

    @cached_property
    def error(self) -> netc.NetError:
        """An error of a program."""
        return failure_of(netc.compile, "INPUT -> FCC(3)")

    @cached_property
    def rounding(self) -> netc.records.Rounding:
        """How far the network is from itself in half precision."""
        path = self.folder / "half.onnx"
        found = self.net.export(path, self.run.state, dtype="float16")
        assert found is not None
        return found

    @cached_property
    def profile(self) -> netc.records.Profile:
        """How long the layers take."""
        return self.net.profile("forward", seconds=0.001)

    def benchmark(self) -> netc.records.Benchmark:
        """What the command prints, without the processes that it starts."""
        return netc.records.Benchmark("chain", "forward", 32, 640, self.profile.machine, ())

    def bulk(self) -> netc.records.BulkPrediction:
        """Predictions of a file."""
        pytest.importorskip("pyarrow")
        source = self.folder / "x.npz"
        np.savez(source, x=np.zeros((3, 64), np.float32))
        return self.net.predict_files(source, self.folder / "y.parquet", run=self.run)

    def tensorboard(self) -> netc.callbacks.TensorBoard:
        """A callback that writes event files."""
        pytest.importorskip("tensorboard")
        return netc.callbacks.TensorBoard(self.folder / "events")

    def table(self) -> netc.data.Dataset:
        """A data set of a data frame."""
        pandas = pytest.importorskip("pandas")
        frame = pandas.DataFrame({"length": [1.0, 2.0], "kind": ["lily", "iris"]})
        return netc.data.table(frame, target="kind")

    def estimator(self) -> Any:
        """A trained estimator of scikit-learn."""
        pytest.importorskip("sklearn")
        from netc.sklearn import NetClassifier

        x = np.random.default_rng(0).normal(size=(20, 4))
        return NetClassifier("INPUT(4) -> FC(2)", epochs=1).fit(x, np.arange(20) % 2)


Row = Callable[[World], Any]

# What users get hold of, and a part of the line that it shows.
OBJECTS: dict[str, tuple[Row, str]] = {
    "Network": (lambda w: w.net, "650 parameters"),
    "Graph": (lambda w: w.net.graph, "2 parameters"),
    "backward": (lambda w: w.net.backward(), "outputs"),
    "TensorSpec": (lambda w: w.net.inputs[0], "float32"),
    "NetError": (lambda w: w.error, "unknown layer `FCC`"),
    "Diagnostic": (lambda w: w.error.diagnostics[0], "E101 at <chain>:1:10"),
    "SGD": (lambda w: netc.SGD(lr=0.5), "sgd(lr=0.5"),
    "Adam": (lambda w: netc.Adam(lr=0.5), "adam(lr=0.5"),
    "AdamW": (lambda w: netc.AdamW(lr=0.5), "adamw(lr=0.5"),
    "RMSprop": (lambda w: netc.RMSprop(lr=0.5), "rmsprop(lr=0.5"),
    "Adagrad": (lambda w: netc.Adagrad(lr=0.5), "adagrad(lr=0.5"),
    "optimizer": (lambda w: netc.SGD, "netc.SGD"),
    "state": (lambda w: w.net.initialize(seed=0), "2 weights"),
    "Recipe": (lambda w: w.net.recipe, "optimizer = sgd(lr=0.1)"),
    "Term": (lambda w: w.net.recipe and w.net.recipe.optimizer, "sgd(lr=0.1"),
    "Counts": (lambda w: w.net.counts, "650 parameters"),
    "LayerRow": (lambda w: w.net.layers[1], "FC(10)"),
    "Summary": (lambda w: w.net.summary(), "parameters"),
    "Diff": (lambda w: w.diff, "10 -> 11"),
    "LayerChange": (lambda w: w.diff.changes[0], "10"),
    "Difference": (lambda w: w.diff.changes[0].differences[0], "10"),
    "Run": (lambda w: w.run, "Run of chain on `digits`: 1 epoch"),
    "Job": (lambda w: w.run.job, "digits"),
    "Trained": (lambda w: w.net.trained(w.run), "2 weights"),
    "History": (lambda w: w.run.history, "val_loss"),
    "Epoch": (lambda w: w.run.history.rows[0], "epoch=1"),
    "Progress": (lambda w: netc.callbacks.Progress(epoch=2), "epoch=2"),
    "Callback": (lambda w: netc.callbacks.Callback(), "Callback"),
    "HistoryFile": (lambda w: netc.callbacks.HistoryFile("h.csv"), "'h.csv'"),
    "TensorBoard": (World.tensorboard, "events"),
    "Watched": (lambda w: w.watched, "symptoms"),
    "Records": (lambda w: w.watched.records, "1 signal"),
    "Signal": (lambda w: w.watched.records.signals[0], "scores"),
    "Symptom": (lambda w: netc.records.Symptom("fast", 1, "fc", "so", "do", 0.1), "fast"),
    "Evaluation": (lambda w: w.evaluation, "accuracy"),
    "Prediction": (lambda w: w.prediction, "3 samples: output"),
    "Answer": (lambda w: w.prediction.answers["output"][0], "0.1"),
    "BulkPrediction": (World.bulk, "rows=3"),
    "CrossValidation": (lambda w: w.net.cross_validate(folds=2), "2 folds: loss"),
    "RateRange": (lambda w: w.net.find_lr(steps=3), "1e-06"),
    "Check": (lambda w: w.net.sanity(samples=2, steps=2)[0], "labels: ok"),
    "Extracted": (lambda w: w.net.features("scores", w.folder / "f.npz", run=w.run), "1797"),
    "Matching": (lambda w: w.net.match_weights(w.run.state), "2 matched, 0 missing"),
    "Rounding": (lambda w: w.rounding, "float16"),
    "Deviation": (lambda w: w.rounding.outputs["output"], "relative"),
    "Benchmark": (World.benchmark, "chain, forward, batch 32"),
    "Profile": (lambda w: w.profile, "forward on NumPy, batch 32: 1 layer,"),
    "arrays": (lambda w: netc.data.arrays(np.zeros((10, 4)), np.zeros(10)), "10 samples"),
    "table": (World.table, "2 samples"),
    "About": (lambda w: w.run.job.data.about, "`digits`"),
    "Batch": (lambda w: w.run.job.data.take([0, 1]), "2: input float32 (2, 1, 8, 8)"),
    "sklearn": (World.estimator, "NetClassifier"),
}
TABLES = {"Run", "Summary", "Diff"}  # which show as a report or a table
LONGEST = 400


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """What the rows share."""
    return World(tmp_path_factory.mktemp("public"))


WAYS: dict[str, Callable[[Any], Any]] = {
    "pickle": lambda each: pickle.loads(pickle.dumps(each)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.slow] * (n in ("Benchmark", "Profile"))) for n in OBJECTS],
)
def test_objects_are_copied_and_shown(name: str, world: World) -> None:
    """A public object is shown in a line, and so is each copy of it."""
    make, part = OBJECTS[name]
    found = make(world)
    shown = repr(found)
    assert part in shown
    assert name == "Callback" or " at 0x" not in shown
    if name not in TABLES:
        assert "\n" not in shown
        assert len(shown) <= LONGEST, shown
    for way, copied in WAYS.items():
        other = copied(found)
        assert type(other) is type(found), way
        if name != "Callback":
            assert repr(other) == shown, way


def _classes() -> Iterator[tuple[str, type]]:
    for module in MODULES:
        for name in module.__all__:
            if isinstance(value := getattr(module, name), type):
                yield name, value


def test_every_class_has_a_row(world: World) -> None:
    """No public class is left out above."""
    abstract = {"Dataset"}
    assert {name for name, _ in _classes()} - OBJECTS.keys() - abstract == set()


def test_copies_work(world: World) -> None:
    """Copies of a network and of a run compute what these compute."""
    x = np.random.default_rng(0).normal(size=(3, 64)).astype(np.float32)
    expected = world.net.predict(x, run=world.run).outputs["output"]
    for copied in WAYS.values():
        net, run = copied(world.net), copied(world.run)
        assert np.array_equal(net.predict(x, run=run).outputs["output"], expected)
        assert net.evaluate(run=run, curves=True).metrics == world.evaluation.metrics
    assert pickle.loads(pickle.dumps(netc.Adam)) is netc.Adam


@pytest.mark.parametrize(
    "text",
    ["INPUT ->", "INPUT -> FCC(3)", "block A { FC }", "INPUT(8) -> FC(2)\nassert params == 3"],
)
def test_errors_of_all_kinds_are_copied(text: str) -> None:
    """An error says the same after any way of copying it."""
    caught = failure_of(netc.compile, text)
    for copied in WAYS.values():
        other = copied(caught)
        assert isinstance(other, netc.NetError)
        assert str(other) == str(caught)


def test_errors_and_networks_come_from_other_processes() -> None:
    """An error survives the way between processes, with its place and help; so does a network."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        assert pool.submit(netc.compile, "INPUT(2) -> FC(3)").result(60).params == 9
        failed = pool.submit(netc.compile, "INPUT(2) -> FCC(3)").exception(60)
    assert isinstance(failed, netc.NetError)
    assert str(failed) == refusal(netc.compile, "INPUT(2) -> FCC(3)")
    assert failed.diagnostics[0].span is not None
    assert failed.diagnostics[0].span.text == "FCC"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_names_are_listed_and_explained(module: Any) -> None:
    """`dir` lists the names that are loaded on first use, and `help` says what each is."""
    assert set(module.__all__) <= set(dir(module))
    assert {"__doc__", "__name__"} <= set(dir(module))
    for name in module.__all__:
        value = getattr(module, name)
        if name == "__version__" or get_args(value):
            continue  # text, and types that are choices, say what they are
        assert inspect.getdoc(value), name
        assert name in pydoc.plain(pydoc.render_doc(value))


def test_members_are_explained() -> None:
    """Each public method and property of each public class has a docstring."""
    bare = [
        f"{name}.{member}"
        for name, each in _classes()
        for member, value in vars(each).items()
        if not member.startswith("_")
        and (callable(value) or isinstance(value, property | cached_property))
        and not inspect.getdoc(value)
    ]
    assert bare == []


def test_what_methods_return_has_a_public_name() -> None:
    """The class that a method of a network returns is in `netc.records`, for annotations."""
    public = {name for module in MODULES for name in module.__all__}
    hidden = set()
    for member in vars(netc.Network).keys() | vars(netc.Network.__mro__[1]).keys():
        value = getattr(netc.Network, member)
        function = getattr(value, "fget", None) or getattr(value, "func", None) or value
        returned = getattr(function, "__annotations__", {}).get("return", "")
        text = returned if isinstance(returned, str) else getattr(returned, "__name__", "")
        words = text.replace("|", " ").replace("[", " ").split()
        if not member.startswith("_"):
            hidden |= {word.strip("],.") for word in words if word[:1].isupper()}
    assert hidden - public - {"Array", "Mapping", "Sequence", "None", "Self"} == set()


def test_names_come_alone() -> None:
    """`import netc` is enough for its modules, and none of them is loaded by it."""
    code = "import sys, netc; assert 'numpy' not in sys.modules; netc.data.arrays; netc.records.Run"
    subprocess.run([sys.executable, "-c", code], check=True)
