"""Augmentations that blacken parts of pictures, or mix each with the one before it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

from netc.runtime.data import LOADERS, arrays, augmenter
from netc.runtime.data.mixing import beta
from netc.runtime.kerneldef import Array

Make = Callable[..., Any]


def bright(count: int = 400, size: tuple[int, int] = (20, 24)) -> Array:
    """Pictures that are 1 everywhere."""
    return np.ones((count, 1, *size), np.float32)


def augmented(data: Any, *choices: Any, epoch: int = 0) -> Any:
    """All samples, augmented."""
    indices = np.arange(len(data))
    return augmenter(choices, data).augment(data.take(indices), indices, epoch=epoch)


def test_cutout(term: Make) -> None:
    """A square of black pixels, less of it at the edge, in the colours of no other pixel."""
    found = augmented(arrays(bright()), term("cutout", size=6)).inputs["input"]
    black = (found == 0).sum((1, 2, 3))
    assert black.max() == 36
    assert black.min() >= 9
    assert set(np.unique(found)) == {0.0, 1.0}
    inside = [(size - 5) / size for size in (20, 24)]
    assert (black == 36).mean() == pytest.approx(inside[0] * inside[1], abs=0.06)


def test_erase(term: Make) -> None:
    """Areas are between the shares, ratios between 0.3 and 3.3, and places lie anywhere."""
    found = augmented(arrays(bright(2000)), term("erase", rate=0.75, least=0.1, most=0.3))
    black = found.inputs["input"][:, 0] == 0
    erased = black.any((1, 2))
    assert erased.mean() == pytest.approx(0.75, abs=0.03)
    heights, widths = black.any(2).sum(1)[erased], black.any(1).sum(1)[erased]
    assert (black.sum((1, 2))[erased] == heights * widths).all()
    shares = heights * widths / (20 * 24)
    assert 0.08 < shares.min() < 0.12
    assert 0.28 < shares.max() < 0.33
    assert shares.mean() == pytest.approx(0.2, abs=0.01)
    assert 0.2 < (heights / widths).min() < 0.45
    assert black.any(0).all()


@pytest.mark.parametrize("alpha", [0.1, 0.2, 0.4, 1.0, 2.0, 8.0])
def test_beta(alpha: float) -> None:
    """Quantiles are SciPy's."""
    stats = pytest.importorskip("scipy.stats")
    q = np.concatenate([np.linspace(0, 1, 101), [1e-6, 1 - 1e-6]])
    atol = 2e-6 if alpha <= 1 else 1e-4
    np.testing.assert_allclose(beta(q, alpha), stats.beta(alpha, alpha).ppf(q), atol=atol)


def test_mixup(term: Make) -> None:
    """Each sample and the one before it, by a share of its own; the same for the same seed."""
    x = np.random.default_rng(0).normal(size=(300, 5)).astype(np.float32)
    data = arrays(x, np.arange(300) % 3)
    batch = augmented(data, term("mixup", alpha=0.5))
    (mixture,) = batch.mixtures
    share = mixture.share[:, None]
    expected = share * x + (1 - share) * np.roll(x, 1, axis=0)
    np.testing.assert_allclose(batch.inputs["input"], expected, atol=1e-6)
    assert mixture.share.std() == pytest.approx(np.sqrt(1 / 8), abs=0.02)
    again = augmented(data, term("mixup", alpha=0.5))
    np.testing.assert_array_equal(again.inputs["input"], batch.inputs["input"])
    other = augmented(data, term("mixup", alpha=0.5), epoch=1)
    assert (other.inputs["input"] != batch.inputs["input"]).any()
    few = augmented(data, term("mixup", alpha=0.5, rate=0.25)).mixtures[0].share
    assert (few != 1).mean() == pytest.approx(0.25, abs=0.06)


def test_cutmix(term: Make) -> None:
    """A rectangle of the picture before, in masks, too, and the share of what stays."""
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 2, 12, 16)).astype(np.float32)
    mask = random.integers(0, 5, (200, 12, 16))
    data = arrays(x, {"mask": mask, "label": mask[:, 0, 0]}, kinds={"mask": "mask"})
    batch = augmented(data, term("cutmix"))
    found = batch.inputs["input"]
    pasted = (found == np.roll(x, 1, axis=0)).all(1)
    assert ((found == x).all(1) | pasted).all()
    np.testing.assert_allclose(batch.mixtures[0].share, 1 - pasted.mean((1, 2)), atol=1e-12)
    expected = np.where(pasted, np.roll(mask, 1, axis=0), mask)
    np.testing.assert_array_equal(batch.targets["mask"], expected)
    np.testing.assert_array_equal(batch.targets["label"], mask[:, 0, 0])
    rows, columns = pasted.any(2).sum(1), pasted.any(1).sum(1)
    assert (pasted.sum((1, 2)) == rows * columns).all()


@pytest.mark.parametrize("name", ["mixup", "cutmix"])
def test_what_cannot_be_mixed(term: Make, name: str) -> None:
    """Boxes are refused, and so are whole numbers and, of `cutmix`, what is no picture."""
    data = LOADERS["shapes"](samples=4, target=["box"])
    said = "cannot mix the places that `box` holds"
    assert said in refusal(augmenter, [term(name)], data)
    assert "inputs are integers" in refusal(augmenter, [term(name)], arrays(np.zeros((2, 3), int)))
    if name == "cutmix":
        assert "applies to images" in refusal(augmenter, [term(name)], arrays(np.zeros((2, 3))))
