"""Differentiation and training from Python: what `Network` offers."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from support.refusals import refusal

import netc
from netc.compiler.training.descent import Descent
from netc.compiler.training.terms import Term
from netc.compiler.training.train_step import train_step
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import Plan, plan
from netc.runtime.kerneldef import Array
from netc.runtime.run_folder.folder import Facts
from netc.runtime.training.stepper import Stepper, initial_state

NET = """\
net Small

INPUT(6) -> FC(5, bias=no) -> BN -> TANH -> DROPOUT(0.2) -> FC(3)

train {
  loss      = cross_entropy
  optimizer = sgd(lr=0.05, momentum=0.9)
  epochs    = 3
  batch     = 8
}
"""
TOLERANCE = 1e-4  # norm-wise, of networks in float32


@cache
def small() -> netc.Network:
    """The network, compiled once."""
    return netc.compile(NET)


def batch(count: int = 12) -> tuple[Array, Array]:
    """Inputs (N, 6) and labels (N,) that a network can tell apart."""
    random = np.random.default_rng(0)
    t = np.arange(count) % 3
    x = random.standard_normal((count, 6)).astype(np.float32)
    x[np.arange(count), t] += 3
    return x, t


def test_backward_is_a_graph() -> None:
    """Loss and gradients by the parameter's name are outputs of a graph that runs."""
    x, t = batch()
    graph = small().backward(training=False)
    names = [f"{n}.grad" for n, node in graph.parameters.items() if node.type.dtype.is_float]
    assert set(graph.outputs) == {"output", "loss", *(n for n in names if "running" not in n)}
    found = run(plan(graph), {"input": x, "target": t}, small().initialize(0))
    value, gradients = small().value_and_grad(x, t, small().initialize(0), training=False)
    assert float(found["loss"]) == value
    assert all(np.array_equal(found[f"{name}.grad"], g) for name, g in gradients.items())


def test_a_loss_is_planned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches and weights change; loss, mode, precision and kinds of targets need a new plan."""
    plans: list[Plan] = []

    def counted(graph: netc.Graph, **options: Any) -> Plan:
        plans.append(plan(graph, **options))
        return plans[-1]

    monkeypatch.setattr("netc.gradients.plan", counted)
    net = netc.compile(NET)
    x, t = batch()
    values = [net.value_and_grad(x, t, net.initialize(seed))[0] for seed in range(3)]
    assert len(set(values)) == 3
    net.value_and_grad(x[:5], t[:5], net.initialize(0))
    assert len(plans) == 1
    one_hot = np.eye(3, dtype=np.float32)[t]
    changes: list[dict[str, Any]] = [
        *({"training": False}, {"dtype": "float64"}, {"wrt": ["fc1.weight"]}),
        *({"loss": "mse", "t": one_hot}, {"loss": "cross_entropy(label_smoothing=0.1)"}),
        *({"t": one_hot}, {"of": "fc2", "t": None}),
    ]
    for count, change in enumerate(changes, start=2):
        net.value_and_grad(x, state=net.initialize(0), **{"t": t, **change})
        assert len(plans) == count


def test_the_mode_matters() -> None:
    """In training mode DROPOUT drops and BN takes the batch's statistics; otherwise not."""
    x, t = batch()
    state = small().initialize(0)
    assert (
        small().value_and_grad(x, t, state)[0]
        != (small().value_and_grad(x, t, state, training=False)[0])
    )


def test_value_and_grad_by_hand() -> None:
    """The loss and gradients of a linear layer with squared errors are those of the formula."""
    net = netc.compile("INPUT(6) -> FC(2)")
    state = dict(net.initialize(0))
    x, _ = batch()
    t = x[:, :2] * 2
    value, gradients = net.value_and_grad(x, t, state, loss="mse", dtype="float64")
    error = (x @ state["fc1.weight"].T + state["fc1.bias"] - t).astype(np.float64)
    assert value == pytest.approx(np.mean(error**2), rel=1e-6)
    assert np.allclose(gradients["fc1.weight"], 2 * error.T @ x / error.size, rtol=1e-5, atol=1e-7)
    assert np.allclose(gradients["fc1.bias"], 2 * error.sum(axis=0) / error.size, rtol=1e-5)
    assert gradients["fc1.weight"].dtype == np.float64


def test_several_losses() -> None:
    """Losses and targets of several outputs are given by the output's name."""
    net = netc.compile("x = INPUT(6)\noutput a = x -> FC(3)\noutput b = x -> FC(1)")
    x, t = batch()
    both = {"a": "cross_entropy", "b": "mse"}
    targets = {"a": t, "b": x[:, :1]}
    state = net.initialize(0)
    value, gradients = net.value_and_grad(x, targets, state, loss=both)
    single = net.value_and_grad(x, t, state, loss={"a": "cross_entropy"})
    other = net.value_and_grad(x, x[:, :1], state, loss={"b": "mse"})
    assert value == pytest.approx(single[0] + other[0], rel=1e-6)
    assert set(gradients) == {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"}
    assert set(single[1]) == {"fc1.weight", "fc1.bias"}
    assert refusal(net.value_and_grad, x, {"a": t}, state, loss=both) == (
        "error[E543]: there is no target for the output `b`\n"
        "  = help: give targets by the output's name: `a`, `b`"
    )


@pytest.mark.parametrize("training", [True, False])
def test_gradcheck(training: bool) -> None:
    """Every parameter's gradient agrees with central differences, with noise and without."""
    x, t = batch()
    errors = small().gradcheck(x, t, small().initialize(1), training=training)
    names = {"fc1.weight", "bn1.weight", "bn1.bias", "fc2.weight", "fc2.bias"}
    assert set(errors) == names
    assert max(errors.values()) <= 1e-6


def test_arrays_that_do_not_fit() -> None:
    """Targets out of range, of another length, rank or type are errors that name them."""
    x, t = batch()
    state = small().initialize(0)
    for wrong in (t + 1, t[:-1], np.zeros((12, 2)), "abc"):
        with pytest.raises(netc.NetError):
            small().value_and_grad(x, wrong, state)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(netc.NetError, match="E501"):
        small().value_and_grad(x, t, {})
    with pytest.raises(netc.NetError, match="E501"):
        small().gradcheck(x, t, {})


@pytest.mark.parametrize(
    "optimizer",
    [netc.SGD(lr=0.1, momentum=0.9), netc.Adam(lr=0.01), netc.RMSprop(lr=0.01, momentum=0.5)],
    ids=lambda term: term.name,
)
def test_export_training(optimizer: Term, tmp_path: Path) -> None:
    """One ONNX model, run again and again by onnxruntime alone, takes the steps of NumPy."""
    path = tmp_path / "step.onnx"
    net = small()
    net.export_training(path, loss="cross_entropy", optimizer=optimizer)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    recipe = net.recipe
    assert recipe is not None
    step = train_step(net.graph, recipe.objective, Descent(optimizer))
    ours = Stepper(step, net.initialize(0))
    theirs = initial_state(step, net.initialize(0))
    outputs = [output.name for output in session.get_outputs()]
    taken = {given.name for given in session.get_inputs()}
    x, t = batch()
    losses: list[float] = []
    for number in range(10):
        feeds = {
            "input": x,
            "target": t,
            "step": np.asarray(number, np.int64),
            "lr": np.asarray(0.05, np.float32),
            "momentum": np.asarray(0.9, np.float32),
        }
        mine = ours.advance(feeds)
        given = {n: a for n, a in {**feeds, **theirs}.items() if n in taken}
        found = dict(zip(outputs, session.run(None, given), strict=True))
        assert found["loss"] == pytest.approx(float(mine["loss"]), rel=TOLERANCE)
        losses.append(float(found["loss"]))
        theirs = {name: found.get(f"{name}.next", array) for name, array in theirs.items()}
    for name, array in ours.state.items():
        difference = np.linalg.norm(array - theirs[name])
        assert difference <= TOLERANCE * float(np.linalg.norm(array)), name
    assert losses[-1] < losses[0]


def test_train_with_arrays(tmp_path: Path) -> None:
    """A run from Python has its history, weights and test results, and a folder where asked."""
    x, t = batch(90)
    found = small().train(data=(x, t), epochs=6, lr=0.1, output=tmp_path / "run")
    assert len(found.history) == 6
    assert found.test["accuracy"] == 1.0
    small().check_weights(found.state)
    answer = small().run(x, found.state)
    assert isinstance(answer, np.ndarray)
    assert (answer.argmax(axis=1) == t).mean() > 0.95
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        "checkpoint.safetensors",
        "curves.svg",
        "history.csv",
        "history.json",
        "model.net",
        "run.json",
        "weights.safetensors",
    ]
    saved = netc.load_weights(tmp_path / "run" / "weights.safetensors")
    assert all(np.array_equal(saved[name], array) for name, array in found.state.items())
    facts = Facts.read(str(tmp_path / "run"))
    assert facts.changes == {"epochs": "6", "lr": "0.1"}
    assert facts.results["test"]["accuracy"] == 1.0
    assert "data" not in facts.settings


def test_train_on(tmp_path: Path) -> None:
    """A run goes on from its folder, with more epochs, to what it would have come to."""
    data = batch(90)
    small().train(data=data, epochs=2, output=tmp_path)
    with pytest.raises(netc.NetError, match="E545"):
        small().train(data=data, epochs=3, output=tmp_path)
    found = small().train(data=data, epochs=3, output=tmp_path, resume=True)
    whole = small().train(data=data, epochs=3)
    assert len(found.history) == 3
    assert all(np.array_equal(found.last[name], array) for name, array in whole.last.items())
    again = small().train(data=data, epochs=1, output=tmp_path, force=True)
    assert len(again.history) == 1
    assert len(small().train(data=data, epochs=2, output=tmp_path, resume=True).history) == 2


def test_inputs_by_name() -> None:
    """Data of several inputs are dictionaries, as those of `run` are."""
    program = "x = INPUT(6) as left\ny = INPUT(6) as right\noutput z = ( x | y ) -> ADD -> FC(3)"
    x, t = batch(30)
    net = netc.compile(program)
    found = net.train(data=({"left": x, "right": x}, t), epochs=2, engine="onnxruntime")
    assert len(found.history) == 2


def test_settings_that_do_not_fit() -> None:
    """Settings from Python are checked as those of a program are."""
    with pytest.raises(netc.NetError, match="E122"):
        small().train(data=batch(), epoch=3)
    with pytest.raises(netc.NetError, match="E125"):
        small().train(data=batch(), epochs=0)


@pytest.mark.parametrize("data", [np.ones((4, 6)), (np.ones((4, 6)), [0, 1, 2, 0], None), 3])
def test_data_that_are_no_pair(data: object) -> None:
    """What is not inputs and targets is refused, however many values it unpacks to."""
    with pytest.raises(netc.NetError, match=r"E529.*not a pair `\(x, t\)`"):
        small().train(data)


def test_a_part_that_is_not_there() -> None:
    """Parts are named: a misspelt one is answered with what was meant."""
    run = small().train(batch(40), epochs=1)
    with pytest.raises(netc.NetError, match=r"E531.*no part `valid`(.|\n)*`validation`"):
        run.evaluate("valid")


def test_a_run_is_measured_and_asked(tmp_path: Path) -> None:
    """A run, its folder and its weights alone say the same; other data and parts can be named."""
    x, t = batch(60)
    run = small().train((x, t), output=tmp_path / "run", split=(0.5, 0.25, 0.25))
    found = small().evaluate(run=run, data=(x, t), part="all", metrics=["accuracy"])
    assert found.samples == 60
    assert set(found.metrics) == {"loss", "accuracy"}
    assert small().evaluate(run=run, part="all", metrics=["accuracy"]).metrics == found.metrics
    again = small().evaluate(run.state, data=(x, t), part="all", metrics=["accuracy"])
    assert again.metrics == found.metrics
    assert small().evaluate(run=run, data=(x, t), split=(0.5, 0.25, 0.25)).metrics == (
        small().evaluate(run=tmp_path / "run", data=(x, t)).metrics
    )
    prediction = small().predict(x, run=tmp_path / "run", top=2)
    assert np.array_equal(prediction.outputs["output"], np.asarray(run.predict(x)))
    answers = prediction.answers["output"]
    assert len(answers) == 60
    assert {len(answer.ranked) for answer in answers} == {2}
    right = np.mean([int(a.ranked[0][0]) == label for a, label in zip(answers, t, strict=True)])
    assert right == pytest.approx(found.metrics["accuracy"])
    assert str(prediction).startswith("0:")
    assert "40 more" in str(prediction)


def test_samples_are_given_once() -> None:
    """Samples and a data set exclude each other, and one of them is needed; so are weights."""
    x, _ = batch()
    for given in ({}, {"x": x, "data": "digits"}):
        with pytest.raises(netc.NetError, match="samples"):
            small().predict(weights=small().initialize(), **given)  # type: ignore[arg-type]
    with pytest.raises(netc.NetError, match="`top` must be a positive integer"):
        small().predict(x, weights=small().initialize(), top=0)
    with pytest.raises(netc.NetError, match="there are no weights"):
        small().predict(x)
    with pytest.raises(netc.NetError, match="there are no weights"):
        small().evaluate(data=batch())


def test_samples_in_other_forms(tmp_path: Path) -> None:
    """Lists are arrays, a single sample may come alone, and weights may be in a file."""
    x, _ = batch()
    state = small().initialize()
    netc.save_weights(tmp_path / "w.npz", state)
    whole = small().predict(x, state).outputs["output"]
    for form in (x.tolist(), {"input": x.tolist()}):
        found = small().predict(form, tmp_path / "w.npz").outputs["output"]
        assert np.allclose(found, whole, atol=1e-6)
    assert small().predict(x[0], state).outputs["output"].shape == (1, 3)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (3, "single number"),
        ({}, "no samples"),
        ([], "no samples"),
        ({"y": np.zeros((1, 6))}, "no input `y`"),
        ([[1, 2], [3]], "not an array"),
        ("x.npy", "not an image"),
        (["x.npy", "y.npy"], "not an image"),
        (object(), "`input` holds"),
    ],
)
def test_what_no_samples_are(x: object, message: str) -> None:
    """Whatever Python gives as samples is answered with a diagnostic."""
    with pytest.raises(netc.NetError, match=message):
        small().predict(x, small().initialize())


def test_what_no_run_and_no_weights_are() -> None:
    """A run is a run or its folder; weights are arrays by name or a file; counts are counts."""
    x, t = batch()
    with pytest.raises(netc.NetError, match="a run cannot be of type `int`"):
        small().predict(x, run=3)  # type: ignore[arg-type]
    with pytest.raises(netc.NetError, match="weights cannot be of type"):
        small().train((x, t), weights=3)  # type: ignore[arg-type]
    with pytest.raises(netc.NetError, match=r"samples are `data=\(x, t\)`"):
        small().evaluate((x, t), run=small().train((x, t), epochs=1))  # type: ignore[arg-type]
    with pytest.raises(netc.NetError, match="cannot read"):
        small().evaluate("nothing.npz", data=(x, t))
    for threshold in ("half", float("nan")):
        with pytest.raises(netc.NetError, match="must be a number"):
            small().evaluate(small().initialize(), data=(x, t), threshold=threshold)  # type: ignore[arg-type]
    for wrong in ({"samples": 0}, {"steps": -1}, {"steps": 1.5}):
        with pytest.raises(netc.NetError, match="must be a positive integer"):
            small().sanity((x, t), **wrong)


def test_a_single_name_may_come_alone() -> None:
    """A metric or a pattern is also taken as such, not letter by letter."""
    found = small().evaluate(small().initialize(), data=batch(), part="all", metrics="accuracy")
    assert set(found.metrics) == {"loss", "accuracy"}
    assert small().freeze("fc*").graph.layers["fc2"].frozen
    other = netc.compile("INPUT(6) -> FC(5, bias=no) -> BN -> TANH -> FC(4)")
    assert other.match_weights(small().initialize(), allow="fc2.*").unfit


def test_features_are_written(tmp_path: Path) -> None:
    """A layer's output for each sample goes to a file, computed with the weights that are given."""
    x, t = batch()
    state = small().initialize()
    found = small().features("tanh1", tmp_path / "f.npz", state, data=(x, t))
    assert (found.samples, found.shape) == (12, (5,))
    written = np.load(tmp_path / "f.npz")
    assert np.array_equal(written["x"], small().run(x, state, fetch=["tanh1"])["tanh1"])
    assert np.array_equal(written["y"], t)


def test_checks_before_training() -> None:
    """Checks say what they looked at; targets that are all the same fail one."""
    x, t = batch(40)
    names = [check.name for check in small().sanity((x, t), steps=5)]
    assert names[0] == "labels"
    same = small().sanity((x, np.zeros_like(t)), steps=5)
    assert not same[0].ok


def test_a_watched_run_is_the_same_run(tmp_path: Path) -> None:
    """A monitor records each epoch and changes no weight; the folder gets its files."""
    data = batch(40)
    watched = small().watch(data, output=tmp_path / "run")
    plain = small().train(data)
    assert all(np.array_equal(plain.state[name], a) for name, a in watched.run.state.items())
    assert watched.records.epochs == [1, 2, 3]
    assert (tmp_path / "run" / "monitor.json").exists()
    watched.draw(tmp_path / "layers.svg")
    assert (tmp_path / "layers.svg").read_text().lstrip().startswith("<?xml")


def test_a_network_with_other_settings() -> None:
    """Settings replace those of the block, frozen layers stay, the network is as it was."""
    other = small().with_settings(lr=0.01, batch="4").freeze(["fc1"])
    assert other.recipe is not None
    assert other.recipe.batch == 4
    assert other.recipe.optimizer == netc.SGD(lr=0.01, momentum=0.9)
    first = other.initialize(7)["fc1.weight"]
    state = other.train(batch(40), seed=7).state
    assert np.array_equal(state["fc1.weight"], first)
    assert not np.array_equal(state["fc2.weight"], other.initialize(7)["fc2.weight"])
    assert small().recipe != other.recipe


def test_weights_of_another_network() -> None:
    """Weights match by name; what may differ is drawn."""
    other = netc.compile("INPUT(6) -> FC(5, bias=no) -> BN -> TANH -> FC(4)")
    state = small().initialize(1)
    matching = other.match_weights(state, allow=["fc2.*"])
    assert set(matching.unfit) == {"fc2.weight", "fc2.bias"}
    merged = matching.merged(other.graph)
    assert np.array_equal(merged["fc1.weight"], state["fc1.weight"])
    with pytest.raises(netc.NetError, match="weights do not match"):
        other.train(batch(), weights=state)


@pytest.mark.parametrize("patience", [0, -1, 1.5, True, "x"])
def test_a_patience_that_is_none(patience: Any) -> None:
    """Only whole numbers of epochs above 0 are a patience, as on the command line."""
    data = np.zeros((40, 6), np.float32), np.arange(40) % 3
    with pytest.raises(netc.NetError, match=r"E125.*`patience` must be a positive integer"):
        small().train(data, epochs=1, patience=patience)
    assert len(small().train(data, epochs=1, patience=1).history.rows) == 1


def test_resuming_needs_a_folder() -> None:
    """Without a folder there is nothing to resume, and no new run begins in silence."""
    data = np.zeros((40, 6), np.float32), np.arange(40) % 3
    with pytest.raises(netc.NetError, match=r"E546.*there is no run to continue"):
        small().train(data, epochs=1, resume=True)
