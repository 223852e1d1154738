"""`netc.sklearn`: estimators among scikit-learn's own tools."""

import pickle
import sys
from importlib import reload
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

import netc

sklearn = pytest.importorskip("sklearn", reason="pip install '.[sklearn]'")

from sklearn.base import clone  # noqa: E402  # where it is installed
from sklearn.compose import TransformedTargetRegressor  # noqa: E402  # where it is installed
from sklearn.datasets import load_diabetes, load_iris  # noqa: E402  # where it is installed
from sklearn.exceptions import NotFittedError  # noqa: E402  # where it is installed
from sklearn.linear_model import LogisticRegression  # noqa: E402  # where it is installed
from sklearn.model_selection import GridSearchCV, cross_val_score  # noqa: E402  # as above
from sklearn.pipeline import make_pipeline  # noqa: E402  # where it is installed
from sklearn.preprocessing import MinMaxScaler, StandardScaler  # noqa: E402  # as above
from sklearn.utils.estimator_checks import parametrize_with_checks  # noqa: E402  # as above

from netc.sklearn import NetClassifier, NetRegressor  # noqa: E402  # needs scikit-learn

pytestmark = pytest.mark.extra

ADAPTING = """
let inputs = 1
let classes = 5
INPUT(inputs) -> FC(16) -> TANH -> FC(classes)
train { optimizer = adam(lr=0.02), preprocess = standardize, epochs = 20 }
"""
Array = np.ndarray[Any, Any]


def iris() -> tuple[Array, Array]:
    """150 flowers of three species, by their names, in an order by chance."""
    found = load_iris()
    order = np.random.default_rng(0).permutation(150)
    return found.data[order], found.target_names[found.target][order]


@pytest.mark.slow
@parametrize_with_checks([NetClassifier(), NetRegressor()])  # type: ignore[untyped-decorator]  # no types
def test_scikit_learns_own_checks(estimator: Any, check: Any) -> None:
    """Every check that scikit-learn has for estimators passes."""
    check(estimator)


@pytest.mark.parametrize("net", [None, ADAPTING], ids=["default", "program"])
def test_classes_in_words(net: str | None) -> None:
    """A program's sizes become those of the data; answers are the words that it was fitted with."""
    x, y = iris()
    found = NetClassifier(net, epochs=20, random_state=0).fit(x[:100], y[:100])
    assert found.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert (found.network_.inputs[0].shape, found.n_features_in_) == (("N", 4), 4)
    chances = found.predict_proba(x[100:])
    assert np.allclose(chances.sum(axis=1), 1)
    assert (found.predict(x[100:]) == found.classes_[chances.argmax(axis=1)]).all()
    assert found.score(x[100:], y[100:]) >= 0.94
    assert len(found.history_) == 20


def test_the_same_as_by_hand() -> None:
    """Weights and answers are those of `net.train` and `net.predict` on the same samples."""
    x, y = iris()
    estimator = NetClassifier(ADAPTING, random_state=3, epochs=2).fit(x, y)
    net = netc.compile(ADAPTING, lets={"inputs": 4, "classes": 3})
    seed = int(np.random.RandomState(3).randint(2**31 - 1))
    run = net.train((x, y), epochs=2, split=(1, 0, 0), seed=seed)
    for name, weight in estimator.trained_.weights.items():
        assert np.array_equal(weight, run.state[name])
    answers = net.predict(x, run=run, top=3).answers["output"]
    ranked = [dict(each.ranked) for each in answers]
    mine = [[each[name] for name in estimator.classes_] for each in ranked]
    assert np.allclose(estimator.predict_proba(x), mine, atol=1e-6)
    again = net.predict(x, run=estimator.trained_).outputs["output"]
    assert again.argmax(axis=1).tolist() == estimator.predict_proba(x).argmax(axis=1).tolist()


def test_as_good_as_logistic_regression() -> None:
    """Without hidden layers, trained to the end, it finds what scikit-learn's regression finds."""
    x, y = iris()
    x = StandardScaler().fit_transform(x)
    net = "let inputs = 1\nlet classes = 1\nINPUT(inputs) -> FC(classes)"
    settings = {"regularize": "l2(0.02)", "batch": "all", "optimizer": "sgd(lr=0.5, momentum=0.9)"}
    found = NetClassifier(net, epochs=600, settings=settings, random_state=0).fit(x, y)
    peer = LogisticRegression(C=1 / (0.02 * len(x)), tol=1e-8, max_iter=1000).fit(x, y)
    assert np.allclose(found.predict_proba(x), peer.predict_proba(x), atol=2e-4)


def test_searches_pipelines_and_folds() -> None:
    """Grids over settings, pipelines and cross-validation take it as any other estimator."""
    x, y = iris()
    estimator = NetClassifier(epochs=5, random_state=0)
    grid = {"netclassifier__lr": [1e-6, 0.02], "netclassifier__settings": [None, {"batch": 16}]}
    search = GridSearchCV(make_pipeline(MinMaxScaler(), estimator), grid, cv=2).fit(x, y)
    assert search.best_params_["netclassifier__lr"] == 0.02
    assert search.score(x, y) > 0.9
    scores = cross_val_score(NetClassifier(netc.compile(ADAPTING), random_state=0), x, y, cv=3)
    assert scores.min() > 0.9


def test_copies() -> None:
    """Pickled and cloned estimators answer alike; a random state decides the weights."""
    x, y = iris()
    first = NetClassifier(netc.compile(ADAPTING), epochs=2, random_state=1).fit(x, y)
    chances = first.predict_proba(x)
    assert np.array_equal(pickle.loads(pickle.dumps(first)).predict_proba(x), chances)
    again = clone(first)
    with pytest.raises(NotFittedError):
        again.predict(x)
    assert np.array_equal(again.fit(x, y).predict_proba(x), chances)
    other = clone(first).set_params(random_state=2).fit(x, y)
    assert not np.array_equal(other.predict_proba(x), chances)


def test_names_of_features() -> None:
    """The columns of a table are remembered, and asked for again."""
    pandas = pytest.importorskip("pandas")
    x, y = iris()
    table = pandas.DataFrame(x, columns=list("abcd"))
    found = NetClassifier(epochs=1, random_state=0).fit(table, y)
    assert found.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        found.predict(table[list("abdc")])


def test_one_output_for_two_classes() -> None:
    """A network with a single output for yes or no has probabilities of both."""
    x, y = iris()
    net = netc.compile("INPUT(4) -> FC(1)\ntrain { loss = binary_cross_entropy }")
    found = NetClassifier(net, epochs=30, lr=0.1, random_state=0).fit(x, y == "setosa")
    assert found.classes_.tolist() == [False, True]
    assert found.predict_proba(x).shape == (150, 2)
    assert found.score(x, y == "setosa") > 0.98


def test_margins() -> None:
    """With `hinge`, what `predict` compares are margins."""
    x, y = iris()
    found = NetClassifier(settings={"loss": "hinge"}, epochs=20, random_state=0).fit(x, y)
    assert found.score(x, y) > 0.9


def test_pictures() -> None:
    """By default pictures, (N, C, H, W), are learned by convolutions; bytes count from 0 to 1."""
    random = np.random.default_rng(0)
    x = random.integers(0, 50, (60, 3, 9, 8), np.uint8)
    y = np.arange(60) % 2
    x[y == 1, 0] += 100
    found = NetClassifier(epochs=10, random_state=0).fit(x, y)
    assert "conv1" in found.network_.graph.layers
    assert found.score(x, y) == 1
    text = (
        "let channels = 1\nlet height = 1\nlet width = 1\nINPUT((height, width, channels)) -> FC(2)"
    )
    found = NetClassifier(text, epochs=1).fit(x, y)
    assert found.network_.inputs[0].shape == ("N", 3, 9, 8)


def test_regression() -> None:
    """Targets of large numbers are scaled around it, as around other networks of scikit-learn."""
    x, y = load_diabetes(return_X_y=True)
    network = NetRegressor("INPUT(10) -> FC(outputs)", lets=None, epochs=60, random_state=0)
    with pytest.raises(netc.NetError):
        network.fit(x, y)
    text = (
        "let outputs = 3\nINPUT(10) -> FC(outputs)\ntrain { loss = mse, preprocess = standardize }"
    )
    network = NetRegressor(text, epochs=60, lr=0.02, random_state=0)
    found = TransformedTargetRegressor(network, transformer=StandardScaler()).fit(x, y)
    assert found.predict(x).shape == y.shape
    assert 0.48 < found.score(x, y) < 0.52  # that of least squares is 0.518


def test_several_targets() -> None:
    """Targets (N, 2) are answered alike."""
    x = np.random.default_rng(0).normal(size=(200, 3))
    y = np.stack([x[:, 0] - x[:, 1], x[:, 2]], axis=1)
    found = NetRegressor(random_state=0).fit(x, y)
    assert found.predict(x).shape == (200, 2)
    assert found.score(x, y) > 0.98


def test_ending_early() -> None:
    """A part that is held out tells the best epoch, and when to stop; callbacks may, too."""
    x, y = iris()
    options: dict[str, Any] = {"epochs": 40, "random_state": 0}
    found = NetClassifier(**options, lr=0.3, validation_fraction=0.2, patience=2).fit(x, y)
    assert len(found.history_) < 40
    assert found.history_.rows[0].val_loss is not None
    found = NetClassifier(**options, callbacks=[lambda row: row.epoch == 3]).fit(x, y)
    assert len(found.history_) == 3


@pytest.mark.parametrize(
    ("net", "message"),
    [
        ("INPUT(4) -> FC(7)", "error[E529]: `chain` has 7 outputs for 3 classes"),
        ("INPUT(4) -> FC(1)", "error[E529]: `chain` has 1 outputs for 3 classes"),
        ("INPUT(5) -> FC(3)", "error[E529]:"),
        ("INPUT(4 -> FC(3)", "error[E0"),
        ("no.net", "error[E001]: cannot read `no.net`"),
    ],
)
def test_networks_that_do_not_fit(net: str, message: str) -> None:
    """Another number of outputs or features, and programs with errors, are netc's errors."""
    assert refusal(NetClassifier(net).fit, *iris()).startswith(message)


def test_without_scikit_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing package is an error that names the extra."""
    monkeypatch.setitem(sys.modules, "sklearn.base", None)
    with pytest.raises(netc.NetError, match=r"netc\[sklearn\]"):
        reload(sys.modules["netc.sklearn"])


@pytest.mark.parametrize("share", [1.5, -0.1, float("nan")])
def test_a_share_that_is_none(share: Any) -> None:
    """It is named as it was given, not by the setting that it becomes."""
    x, y = iris()
    with pytest.raises(netc.NetError, match="`validation_fraction` must be at least 0 and below 1"):
        NetClassifier(validation_fraction=share).fit(x, y)
