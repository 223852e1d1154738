"""Data sets that are made in code: `xor`, `spirals`, `shapes`."""

import time
from typing import Any

import numpy as np
import pytest
from support.memory import less_memory_than
from support.refusals import refusal

from netc.runtime.data import LOADERS
from netc.runtime.data.shapes import Shapes


def test_xor() -> None:
    """Four samples are the truth table; more go round it, with noise of the given deviation."""
    batch = LOADERS["xor"]().take([0, 1, 2, 3])
    assert batch.inputs["input"].tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert batch.inputs["input"].dtype == np.float32
    assert batch.targets["target"].tolist() == [0, 1, 1, 0]
    noisy = LOADERS["xor"](samples=4000, noise=0.1, seed=3)
    x, t = noisy.take(np.arange(4000)).inputs["input"], noisy.labels()
    assert t is not None
    np.testing.assert_array_equal(t, (x[:, 0] > 0.5) ^ (x[:, 1] > 0.5))
    assert abs(float((x - np.round(x)).std()) - 0.1) < 0.003


def test_spirals() -> None:
    """Without noise the arms are those of CS231n; classes alternate."""
    data = LOADERS["spirals"](noise=0.0)
    batch = data.take(np.arange(300))
    x, t = batch.inputs["input"], batch.targets["target"]
    radius = np.linspace(0, 1, 100)
    for arm in range(3):
        angle = np.linspace(4 * arm, 4 * (arm + 1), 100)
        expected = np.stack([radius * np.sin(angle), radius * np.cos(angle)], axis=1)
        np.testing.assert_allclose(x[t == arm], expected, atol=1e-6)
    assert data.classes == ("0", "1", "2")
    noisy = LOADERS["spirals"](samples=1001, classes=5).take(np.arange(1001)).inputs["input"]
    assert np.isfinite(noisy).all()
    assert np.linalg.norm(noisy, axis=1).max() <= 1 + 1e-6


def test_more_samples_change_none() -> None:
    """The noise of a sample depends on the seed and on its number."""
    few = LOADERS["xor"](samples=8, noise=0.1).take([5]).inputs["input"]
    many = LOADERS["xor"](samples=80, noise=0.1).take([5]).inputs["input"]
    other = LOADERS["xor"](samples=8, noise=0.1, seed=1).take([5]).inputs["input"]
    np.testing.assert_array_equal(few, many)
    assert (few != other).all()


def test_shapes_in_any_order() -> None:
    """A picture depends on the seed and its number: not on the batch, the targets or the size."""
    names = ["label", "box", "mask"]
    whole = LOADERS["shapes"](samples=100, target=names).take(np.arange(100))
    again = LOADERS["shapes"](samples=2000, target=names).take([77, 3])
    for found, expected in ((whole.inputs, again.inputs), (whole.targets, again.targets)):
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name][[77, 3]], array)
    single = LOADERS["shapes"](target="box").take([77])
    np.testing.assert_array_equal(single.targets["target"][0], whole.targets["box"][77])
    np.testing.assert_array_equal(single.inputs["input"][0], whole.inputs["input"][77])
    other = LOADERS["shapes"](samples=100, seed=1).take([3]).inputs["input"]
    assert (other != whole.inputs["input"][3]).mean() > 0.9


def test_shapes_agree_with_their_targets() -> None:
    """The object in front is whole: its class, its box and its pixels in the mask agree."""
    data = LOADERS["shapes"](samples=300, target=["label", "box", "mask"], noise=0.0)
    batch = data.take(np.arange(300))
    images, masks = batch.inputs["input"], batch.targets["mask"]
    assert (images.shape, images.dtype) == ((300, 1, 64, 64), np.float32)
    assert 0 <= images.min() < images.max() <= 1
    assert (masks.shape, masks.dtype) == ((300, 64, 64), np.int64)
    assert set(np.unique(masks)) == {0, 1, 2, 3}
    assert isinstance(data, Shapes)
    objects = data.describe(np.arange(300))
    inside = objects.radius.shape
    assert inside == (300, 2)
    for place in range(300):
        x0, y0, x1, y1 = batch.targets["box"][place] * 64
        rows, columns = np.nonzero(masks[place] == batch.targets["label"][place] + 1)
        centre = masks[place, int(objects.y[place, -1]), int(objects.x[place, -1])]
        assert centre == batch.targets["label"][place] + 1
        within = (rows + 0.5 >= y0 - 1) & (rows + 0.5 <= y1 + 1)
        within &= (columns + 0.5 >= x0 - 1) & (columns + 0.5 <= x1 + 1)
        touched = (
            rows[within].min(),
            rows[within].max(),
            columns[within].min(),
            columns[within].max(),
        )
        # A sharp corner reaches past the last pixel whose centre it covers.
        np.testing.assert_allclose(touched, (y0, y1 - 1, x0, x1 - 1), atol=1.5)
        assert 0 <= x0 < x1 <= 64
        assert 0 <= y0 < y1 <= 64


def test_shapes_have_their_areas() -> None:
    """A circle covers pi r^2, a square in a circle 2 r^2, a triangle 3/4 sqrt(3) r^2."""
    data = LOADERS["shapes"](samples=200, target="mask", objects=1)
    assert isinstance(data, Shapes)
    objects = data.describe(np.arange(200))
    areas = (data.take(np.arange(200)).targets["target"] > 0).sum(axis=(1, 2))
    per_square = np.array([np.pi, 2, 0.75 * np.sqrt(3)])[objects.kind[:, 0]]
    # Areas are counted in whole pixels.
    np.testing.assert_allclose(areas, per_square * objects.radius[:, 0] ** 2, rtol=0.04)


def test_shapes_overlap_and_are_balanced() -> None:
    """Classes come equally often, labels are known undrawn, and some objects are covered."""
    data = LOADERS["shapes"](samples=3000)
    labels = data.labels()
    assert labels is not None
    three_errors = 3 * (3000 * 1 / 3 * 2 / 3) ** 0.5
    np.testing.assert_allclose(np.bincount(labels), 1000, atol=three_errors)
    np.testing.assert_array_equal(labels[[5, 99]], data.take([5, 99]).targets["target"])
    assert data.classes == ("circle", "square", "triangle")
    assert LOADERS["shapes"](target="mask").classes == (
        "background",
        "circle",
        "square",
        "triangle",
    )
    assert isinstance(data, Shapes)
    objects = data.describe(np.arange(3000))
    distance = np.hypot(np.diff(objects.x), np.diff(objects.y))[:, 0]
    overlapping = (distance < objects.radius.sum(axis=1)).mean()
    assert 0.2 < overlapping < 0.8


def test_noise_of_shapes() -> None:
    """Noise has the deviation that is asked for, and leaves the rest as it is."""
    plain = LOADERS["shapes"](noise=0.0).take(np.arange(20)).inputs["input"]
    noisy = LOADERS["shapes"](noise=0.2).take(np.arange(20)).inputs["input"]
    assert abs(float((noisy - plain).std()) - 0.2) < 0.005


def test_shapes_are_streamed_and_fast() -> None:
    """2,000 pictures with all targets take under 2 s, and a large set no memory."""
    with less_memory_than(2**20):
        LOADERS["shapes"](samples=10**7).take([10**7 - 1])
    data = LOADERS["shapes"](target=["label", "box", "mask"])
    start = time.process_time()  # other programs on the machine do not count
    data.take(np.arange(2000))
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("xor", {"samples": 0}, "`samples` is 0, but must be at least 1"),
        ("xor", {"noise": -0.1}, "`noise` is -0.1, but must be at least 0"),
        ("spirals", {"classes": 0}, "`classes` is 0, but must be at least 1"),
        ("spirals", {"noise": float("nan")}, "`noise` is nan, but must be at least 0"),
        ("spirals", {"samples": 3, "classes": 10**9}, "which is more than the 3 samples"),
        ("shapes", {"objects": 10**9}, "which is more than an image has pixels"),
        ("shapes", {"objects": 0}, "`objects` is 0, but must be at least 1"),
        ("shapes", {"target": "class"}, "`shapes` has no target `class`"),
        ("shapes", {"target": []}, "`shapes` needs a target"),
        ("images", {"path": "x", "channels": 4}, "images have 1 or 3 channels, not 4"),
        ("images", {"path": "x", "size": (3,)}, "`size` is height and width"),
    ],
)
def test_arguments_that_make_no_sense(name: str, options: dict[str, Any], message: str) -> None:
    """No samples, negative noise, unknown targets."""
    text = refusal(LOADERS[name], **options)
    assert text.startswith("error[E532]")
    assert message in text


@pytest.mark.parametrize(
    ("name", "options"),
    [("xor", {}), ("spirals", {}), ("spirals", {"classes": 10**9}), ("shapes", {})],
)
def test_more_samples_than_memory_orders(name: str, options: dict[str, int]) -> None:
    """A number of samples whose order alone fills all memory is refused at once."""
    text = refusal(LOADERS[name], samples=10**12, **options)
    assert text.startswith(
        "error[E507]: there is not enough memory for the order of 1_000_000_000_000 samples: "
    )


def test_points_are_made_when_they_are_read() -> None:
    """Of a million noisy points, one takes the time and memory of one."""
    with less_memory_than(2**20):
        for name in ("xor", "spirals"):
            assert LOADERS[name](samples=10**6, noise=0.1).take([10**6 - 1]).inputs[
                "input"
            ].shape == (
                1,
                2,
            )


def test_a_batch_of_shapes_beyond_memory() -> None:
    """What all pictures of a large set together take is asked first."""
    data = LOADERS["shapes"](samples=10**7)
    indices = np.broadcast_to(np.int64(0), 10**8)
    assert refusal(data.read, indices).startswith(
        "error[E507]: there is not enough memory for 100_000"
    )
