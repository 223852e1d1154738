"""Preprocessing is fitted to the training part, applied alike to all, and stored."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

from netc.runtime.data import LOADERS, Batch, Dataset, Fitted, arrays, fit
from netc.runtime.data import preprocessing as module
from netc.runtime.kerneldef import Array

Make = Callable[..., Any]


def images(count: int = 60, shape: tuple[int, ...] = (3, 4, 5)) -> Array:
    """Random images whose channels and elements differ in mean and deviation."""
    random = np.random.default_rng(0)
    scales = random.random(shape) * np.arange(1, shape[0] + 1).reshape(-1, *(1,) * (len(shape) - 1))
    return (random.standard_normal((count, *shape)) * scales + 3 * scales).astype(np.float32)


def prepared(data: Dataset, train: Array, *choices: Any) -> Array:
    """All samples after preprocessing that was fitted to the training part."""
    fitted = fit(choices, data, train)
    return fitted.apply(data.take(np.arange(len(data))).inputs)["input"]


TRAIN = np.arange(5, 55, 2)


def test_mean_subtract(term: Make) -> None:
    """The training part's mean, per element or per channel, becomes 0; others are shifted alike."""
    x = images()
    data = arrays(x)
    for per, axes in (("element", 0), ("channel", (0, 2, 3))):
        found = prepared(data, TRAIN, term("mean_subtract", per=per))
        expected = x - x[TRAIN].mean(axis=axes, keepdims=True)
        np.testing.assert_allclose(found, expected, atol=1e-5)
        assert found.dtype == np.float32


def test_standardize(term: Make) -> None:
    """The training part's mean becomes 0 and its deviation 1, of vectors per feature either way."""
    x = images()
    for per, axes in (("element", (0,)), ("channel", (0, 2, 3))):
        found = prepared(arrays(x), TRAIN, term("standardize", per=per))[TRAIN]
        np.testing.assert_allclose(found.mean(axis=axes), 0, atol=1e-5)
        np.testing.assert_allclose(found.std(axis=axes), 1, atol=1e-5)
    flat = x[:, 0, 0]
    element, channel = (
        prepared(arrays(flat), TRAIN, term("standardize", per=per))
        for per in ("element", "channel")
    )
    np.testing.assert_array_equal(element, channel)


def test_features_that_do_not_vary(term: Make) -> None:
    """What is constant in the training part becomes 0 there, and is never divided by 0."""
    x = np.zeros((10, 3))
    x[:, 0] = 0.1
    x[:, 1] = np.arange(10)
    x[9] = 7.0
    found = prepared(arrays(x), np.arange(9), term("standardize", per="element"))
    np.testing.assert_allclose(found[:9, [0, 2]], 0, atol=1e-8)
    np.testing.assert_allclose(found[9, [0, 2]], [6.9, 7], rtol=1e-6)
    constant = arrays(np.full((4, 2), 3.0))
    np.testing.assert_array_equal(prepared(constant, TRAIN[:0:-1] * 0, term("scale")), 0)


def test_scale(term: Make) -> None:
    """The training part's smallest and largest value become those that are asked for."""
    x = images()
    found = prepared(arrays(x), TRAIN, term("scale", low=-1.0, high=3.0))
    assert abs(float(found[TRAIN].min()) + 1) < 1e-5
    assert abs(float(found[TRAIN].max()) - 3) < 1e-5
    low, high = x[TRAIN].min(), x[TRAIN].max()
    np.testing.assert_allclose(found, (x - low) / (high - low) * 4 - 1, atol=1e-5)
    bytes_ = arrays(np.arange(256, dtype=np.uint8).reshape(-1, 1))
    unit = prepared(bytes_, np.arange(256), term("scale", low=0.0, high=1.0))
    np.testing.assert_allclose(unit[:, 0], np.arange(256) / 255, atol=1e-6)


@pytest.mark.parametrize("method", ["pca", "zca"])
def test_whitening(term: Make, method: str) -> None:
    """The training part's features become uncorrelated with variance s / (s + eps)."""
    data = LOADERS["digits"]()
    train = np.arange(0, 1797, 2)
    choice = term("whiten", method=method, eps=1e-2, components=None)
    found = prepared(data, train, choice)
    assert found.shape == (1797, 1, 8, 8)
    flat = found[train].reshape(len(train), -1).astype(np.float64)
    raw = data.take(train).inputs["input"].reshape(len(train), -1).astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(raw.T, bias=True))
    shrunk = values / (values + 1e-2)
    covariance = flat.T @ flat / len(flat)
    expected = np.diag(shrunk[::-1]) if method == "pca" else vectors * shrunk @ vectors.T
    np.testing.assert_allclose(covariance, expected, atol=1e-4)
    np.testing.assert_allclose(flat.mean(axis=0), 0, atol=1e-5)


def test_zca_stays_near_the_images(term: Make) -> None:
    """Of all ways to whiten, ZCA changes images least: its matrix is symmetric."""
    data = arrays(images())
    fitted = fit([term("whiten", method="zca", eps=1e-2)], data, TRAIN)
    matrix = fitted.state()["0.whiten.input.matrix"]
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-5)


def test_some_components(term: Make) -> None:
    """With `components`, PCA keeps those of the largest variance, as vectors."""
    data = LOADERS["digits"]()
    train = np.arange(1000)
    some = prepared(data, train, term("whiten", method="pca", eps=1e-5, components=10))
    all_ = prepared(data, train, term("whiten", method="pca", eps=1e-5))
    assert some.shape == (1797, 10)
    np.testing.assert_allclose(some, all_.reshape(1797, 64)[:, :10], atol=1e-4)


def test_principal_axes(term: Make) -> None:
    """`pca` keeps the variances of the largest axes, those of NumPy's SVD."""
    data = LOADERS["digits"]()
    train = np.arange(1000)
    found = prepared(data, train, term("pca", components=10))
    raw = data.take(np.arange(1797)).inputs["input"].reshape(1797, 64).astype(np.float64)
    centred = raw - raw[train].mean(axis=0)
    _, scales, axes = np.linalg.svd(centred[train], full_matrices=False)
    assert found.shape == (1797, 10)
    np.testing.assert_allclose(np.abs(found), np.abs(centred @ axes[:10].T), atol=2e-4)
    np.testing.assert_allclose(found[train].var(axis=0), scales[:10] ** 2 / 1000, rtol=1e-3)


def test_steps_in_a_row(term: Make) -> None:
    """Each step is fitted to what the steps before leave; the order is the program's."""
    x = images()
    steps = (term("mean_subtract", per="element"), term("scale", low=0.0, high=1.0))
    found = prepared(arrays(x), TRAIN, *steps)[TRAIN]
    centred = x[TRAIN] - x[TRAIN].mean(axis=0)
    expected = (centred - centred.min()) / (centred.max() - centred.min())
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_only_the_training_part_counts(term: Make) -> None:
    """Other samples change nothing about what is fitted."""
    x = images()
    other = x.copy()
    other[np.setdiff1d(np.arange(60), TRAIN)] *= 1000
    steps = [term("standardize", per="channel"), term("whiten", method="zca", eps=1e-5)]
    states = [fit(steps, arrays(each), TRAIN).state() for each in (x, other)]
    assert set(states[0]) == {
        *("0.standardize.input.shift", "0.standardize.input.factor"),
        *("1.whiten.input.shift", "1.whiten.input.matrix"),
    }
    for name, array in states[0].items():
        np.testing.assert_array_equal(array, states[1][name])


def test_pieces_do_not_matter(term: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in pieces, the training part gives the same as at once."""
    data = arrays(images())
    steps = [term(name) for name in ("mean_subtract", "standardize", "scale")]
    steps.append(term("whiten", method="zca", eps=1e-2))
    whole = fit(steps, data, TRAIN).state()
    monkeypatch.setattr(module, "_BYTES_AT_ONCE", 7 * 240)
    pieces = fit(steps, data, TRAIN).state()
    for name, array in whole.items():
        np.testing.assert_allclose(array, pieces[name], rtol=1e-3, atol=1e-5)


def test_state_and_back(term: Make) -> None:
    """What a checkpoint stores gives the same bits again, of several inputs with dots in names."""
    data = arrays({"left.eye": images(), "right": images()[:, :1]})
    steps = [term("mean_subtract"), *[term("standardize", per="channel")] * 10]
    fitted = fit(steps, data, TRAIN)
    again = Fitted.from_state(dict(reversed(fitted.state().items())))
    assert [step.name for step in again.steps] == [step.name for step in fitted.steps]
    batch = data.take([3, 4]).inputs
    first, second = fitted.apply(batch), again.apply(batch)
    for name in batch:
        np.testing.assert_array_equal(first[name], second[name])
    assert Fitted.from_state({}).apply(batch) == batch


def test_more_axes_than_features(term: Make) -> None:
    """There are as many principal axes as features."""
    data = arrays(images(6, (1, 2, 2)))
    text = refusal(fit, [term("pca", components=5)], data, np.arange(6))
    assert text.startswith("error[E530]: `components=5` is more than 4 features")


def test_foreign_state() -> None:
    """Arrays of something else are refused."""
    for name in ("weight", "0.polish.input.shift", "x.scale.input.shift", "0.scale.shift"):
        assert "error[E501]" in refusal(Fitted.from_state, {name: np.zeros(1)})


def test_a_view_comes_first(term: Make) -> None:
    """What happens before, such as a crop, is what preprocessing is fitted to."""
    data = arrays(images())

    def view(batch: Batch) -> Batch:
        return Batch({name: array[:, :, :2, :2] for name, array in batch.inputs.items()}, {})

    fitted = fit([term("mean_subtract", per="element")], data, TRAIN, view=view)
    assert fitted.state()["0.mean_subtract.input.shift"].shape == (3, 2, 2)


def test_integers_are_left_alone(term: Make) -> None:
    """Tokens beside real numbers stay as they are; alone, there is nothing to preprocess."""
    tokens = np.arange(60).reshape(30, 2)
    data = arrays({"tokens": tokens, "x": images(30)})
    fitted = fit([term("standardize")], data, np.arange(20))
    done = fitted.apply(data.take([7]).inputs)
    np.testing.assert_array_equal(done["tokens"], tokens[[7]])
    text = refusal(fit, [term("standardize")], arrays(tokens), np.arange(20))
    assert text.startswith("error[E530]: `standardize` needs real numbers")


@pytest.mark.parametrize(
    ("shape", "options", "message"),
    [
        ((4,), {"components": 5}, "`components=5` is more than 4 features"),
        ((4,), {"components": 2, "method": "zca"}, "`components=2` goes with `pca` only"),
        ((1, 100, 100), {}, "needs the covariance of 10_000 numbers per sample"),
    ],
)
def test_whitening_that_makes_no_sense(
    term: Make, shape: tuple[int, ...], options: dict[str, Any], message: str
) -> None:
    """More components than features, components of ZCA, too many features."""
    data = arrays(images(6, shape))
    text = refusal(fit, [term("whiten", **options)], data, np.arange(6))
    assert text.startswith("error[E530]")
    assert message in text
