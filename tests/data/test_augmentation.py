"""Augmentation: pictures move, and boxes, masks and points move with them, sample by sample."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

from netc.runtime.data import LOADERS, About, ArrayData, Batch, Dataset, Rows, arrays, augmenter
from netc.runtime.data.pictures import mirror_order
from netc.runtime.kerneldef import Array

Make = Callable[..., Any]

# Every augmentation, with arguments that change something.
CHOICES: dict[str, dict[str, Any]] = {
    "flip": {"axis": "horizontal", "rate": 0.5, "pairs": None},
    "rotate": {"degrees": 20.0},
    "translate": {"pixels": 5},
    "crop": {"size": (50, 40)},
    "noise": {"std": 0.1},
    "color": {"amount": 0.4},
    "cutout": {"size": 9},
    "erase": {"rate": 0.9},
}


def marked(places: Array, height: int = 21, width: int = 31) -> Dataset:
    """Pictures of a smooth spot each, at points in pixels, (n, 1, 2)."""
    count = len(places)
    across, down = np.arange(width), np.arange(height)
    x, y = places[:, :, 0, None], places[:, :, 1, None]
    pictures = np.exp(-((across - x) ** 2 + (down[:, None] - y) ** 2) / 2)[:, None]
    mask = (pictures[:, 0] > 0.3).astype(np.int64)
    flat = places.reshape(count, -1)
    unit = (2 * places / np.array([width - 1, height - 1]) - 1).reshape(count, -1)
    # A box of one pixel around the first point, as fractions.
    centre = places[:, 0] + 0.5
    box = np.concatenate([centre - 0.5, centre + 0.5], axis=1) / ([width, height] * 2)
    return arrays(
        pictures,
        {"mask": mask, "points": flat, "unit": unit, "box": box, "same": pictures},
        kinds={"points": "points", "unit": "unit_points", "box": "box", "mask": "mask"},
    )


def centre_of(picture: Array) -> Array:
    """Where a picture's weight lies: (x, y)."""
    rows, columns = np.indices(picture.shape)
    centre: Array = np.array([(picture * columns).sum(), (picture * rows).sum()]) / picture.sum()
    return centre


def augmented(data: Dataset, *choices: Any, epoch: int = 0, seed: int = 0) -> Batch:
    """All samples, augmented."""
    indices = np.arange(len(data))
    return augmenter(choices, data, seed=seed).augment(data.take(indices), indices, epoch=epoch)


MOVES = [
    ("flip", {"axis": "horizontal", "rate": 0.5, "pairs": None}),
    ("flip", {"axis": "vertical", "rate": 0.5, "pairs": None}),
    ("rotate", {"degrees": 45.0}),
    ("translate", {"pixels": 4}),
    ("crop", {"size": (17, 23)}),
]


@pytest.mark.parametrize(("name", "options"), MOVES)
def test_targets_move_with_the_picture(term: Make, name: str, options: dict[str, Any]) -> None:
    """A spot's place in the picture, in the mask, its box and its coordinates stay one place."""
    random = np.random.default_rng(1)
    places = 10 + random.integers(-3, 4, (40, 1, 2)) + np.array([5, 0])
    data = marked(places.astype(float))
    before, after = data.take(np.arange(40)), augmented(data, term(name, **options))
    height, width = after.inputs["input"].shape[2:]
    moved = 0
    for place in range(40):
        picture = after.inputs["input"][place, 0]
        x, y = after.targets["points"][place]
        np.testing.assert_allclose(centre_of(picture), (x, y), atol=0.02)
        # A mask is of whole pixels, so that its spot may lie off by a part of one.
        np.testing.assert_allclose(centre_of(after.targets["mask"][place]), (x, y), atol=0.3)
        unit = (after.targets["unit"][place] + 1) / 2 * np.array([width - 1, height - 1])
        np.testing.assert_allclose(unit, (x, y), atol=1e-4)
        box = after.targets["box"][place].reshape(2, 2) * np.array([width, height]) - 0.5
        np.testing.assert_allclose(box.mean(axis=0), (x, y), atol=1e-4)
        assert (box[1] - box[0] >= 1 - 1e-4).all()
        moved += not np.allclose(before.targets["points"][place], (x, y), atol=0.1)
    np.testing.assert_array_equal(after.inputs["input"], after.targets["same"])
    assert 10 <= moved <= 40


@pytest.mark.parametrize(
    ("axis", "flipped"), [("horizontal", np.s_[:, :, :, ::-1]), ("vertical", np.s_[:, :, ::-1])]
)
def test_flips(term: Make, axis: str, flipped: Any) -> None:
    """A flip is exact; the rate is the share of the samples."""
    data = LOADERS["shapes"](samples=400, target=["mask", "box"])
    plain = data.take(np.arange(400))
    images, boxes = plain.inputs["input"], plain.targets["box"]
    done = augmented(data, term("flip", axis=axis, rate=1.0))
    np.testing.assert_array_equal(done.inputs["input"], images[flipped])
    np.testing.assert_array_equal(
        done.targets["mask"], plain.targets["mask"][:, None][flipped][:, 0]
    )
    along = 0 if axis == "horizontal" else 1
    np.testing.assert_allclose(done.targets["box"][:, along], 1 - boxes[:, along + 2], atol=1e-6)
    np.testing.assert_allclose(done.targets["box"][:, along + 2], 1 - boxes[:, along], atol=1e-6)
    np.testing.assert_allclose(done.targets["box"][:, 1 - along], boxes[:, 1 - along], atol=1e-6)
    some = augmented(data, term("flip", axis=axis, rate=0.25)).inputs["input"]
    share = (some == images[flipped]).all(axis=(1, 2, 3)).mean()
    assert 0.18 < share < 0.32
    none = augmented(data, term("flip", axis=axis, rate=0.0))
    np.testing.assert_array_equal(none.inputs["input"], images)


def test_eyes_change_places_in_a_mirror(term: Make) -> None:
    """Left and right points are exchanged, by the given pairs or those of the data's names."""
    points = np.array([[3.0, 1, 20, 2, 10, 5], [np.nan, np.nan, 20, 2, 10, 5]])
    pictures = np.zeros((2, 1, 21, 31))
    kinds: dict[str, Any] = {"target": "points"}
    mirrored = [[10, 2, 27, 1, 20, 5], [10, 2, np.nan, np.nan, 20, 5]]
    alone = [[27, 1, 10, 2, 20, 5], [np.nan, np.nan, 10, 2, 20, 5]]
    data = arrays(pictures, points, kinds=kinds)
    given = augmented(data, term("flip", rate=1.0, pairs=[(0, 1)]))
    np.testing.assert_array_equal(given.targets["target"], mirrored)
    np.testing.assert_array_equal(augmented(data, term("flip", rate=1.0)).targets["target"], alone)
    about = About("it", kinds, pairs={"target": ((0, 1),)})
    inputs, targets = Rows((pictures,), "float32"), Rows((points,), "float32")
    named = ArrayData({"input": inputs}, {"target": targets}, about)
    found = augmented(named, term("flip", rate=1.0)).targets["target"]
    np.testing.assert_array_equal(found, mirrored)
    none = augmented(named, term("flip", rate=1.0, pairs=())).targets["target"]
    np.testing.assert_array_equal(none, alone)


def test_right_angles_are_exact(term: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter turn is NumPy's, and no turn changes nothing."""
    random = np.random.default_rng(0)
    pictures = random.random((1, 2, 9, 9)).astype(np.float32)
    mask = random.integers(0, 4, (1, 9, 9))
    data = arrays(pictures, mask)
    drawn = "netc.runtime.data.augmentation.uniforms"
    for share, turns in ((0.0, 1), (0.5, 0), (1.0, -1)):
        monkeypatch.setattr(drawn, lambda key, samples, n, share=share: np.full((1, n), share))
        done = augmented(data, term("rotate", degrees=90.0))
        expected = np.rot90(pictures, turns, axes=(2, 3))
        np.testing.assert_allclose(done.inputs["input"], expected, atol=1e-5)
        np.testing.assert_array_equal(done.targets["target"], np.rot90(mask, turns, axes=(1, 2)))


def test_rotation_is_linear_interpolation(term: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plane stays a plane inside, turned by the angle; outside of the picture it is 0."""
    width = 41
    across, down = np.meshgrid(np.arange(width) - 20.0, np.arange(width) - 20.0)
    plane = (3 + 0.02 * across - 0.05 * down).astype(np.float32)
    monkeypatch.setattr(
        "netc.runtime.data.augmentation.uniforms", lambda key, samples, n: np.full((1, n), 1.0)
    )
    done = augmented(arrays(plane[None, None]), term("rotate", degrees=30.0)).inputs["input"][0, 0]
    cos, sin = np.cos(np.pi / 6), np.sin(np.pi / 6)
    x, y = cos * across + sin * down, -sin * across + cos * down
    inside = np.maximum(abs(x), abs(y)) <= 20
    np.testing.assert_allclose(done[inside], (3 + 0.02 * x - 0.05 * y)[inside], atol=1e-4)
    np.testing.assert_array_equal(done[np.maximum(abs(x), abs(y)) >= 21], 0)


def test_translation(term: Make) -> None:
    """Every step from -2 to 2 along both axes occurs equally often; what comes in is 0."""
    random = np.random.default_rng(0)
    one = random.random((1, 9, 8)).astype(np.float32) + 1
    data = arrays(np.broadcast_to(one, (2500, 1, 9, 8)))
    done = augmented(data, term("translate", pixels=2)).inputs["input"]
    padded = np.pad(one, ((0, 0), (4, 4), (4, 4)))
    count = 0
    for dy in range(-2, 3):
        for dx in range(-2, 3):
            expected = padded[:, 4 - dy : 13 - dy, 4 - dx : 12 - dx]
            found = (done == expected).all(axis=(1, 2, 3)).sum()
            assert 60 < found < 140
            count += found
    assert count == 2500


def test_crops(term: Make) -> None:
    """Every window occurs equally often in training; otherwise it is the one in the centre."""
    one = np.arange(6 * 5, dtype=np.float32).reshape(1, 6, 5)
    data = arrays(np.broadcast_to(one, (1200, 1, 6, 5)))
    choice = term("crop", size=(4, 3))
    done = augmented(data, choice).inputs["input"]
    for top in range(3):
        for left in range(3):
            expected = one[:, top : top + 4, left : left + 3]
            assert 90 < (done == expected).all(axis=(1, 2, 3)).sum() < 180
    still = augmenter([choice], data).still(data.take([0])).inputs["input"]
    np.testing.assert_array_equal(still[0], one[:, 1:5, 1:4])


def test_crops_with_a_border(term: Make) -> None:
    """With `pad` windows reach beyond the picture, in training and otherwise; points go along."""
    one = np.arange(1, 13, dtype=np.float32).reshape(1, 3, 4)
    points = np.tile(np.array([2, 1], np.float32), (400, 1))
    data = arrays(np.broadcast_to(one, (400, 1, 3, 4)), points, kinds={"target": "points"})
    choice = term("crop", size=(3, 4), pad=1)
    framed = np.pad(one, ((0, 0), (1, 1), (1, 1)))
    done = augmented(data, choice)
    for top in range(3):
        for left in range(3):
            expected = framed[:, top : top + 3, left : left + 4]
            chosen = (done.inputs["input"] == expected).all(axis=(1, 2, 3))
            assert 20 < chosen.sum() < 70
            np.testing.assert_array_equal(
                done.targets["target"][chosen], [[3 - left, 2 - top]] * int(chosen.sum())
            )
    still = augmenter([choice], data).still(data.take([0])).inputs["input"]
    np.testing.assert_array_equal(still[0], one)
    whole = augmenter([term("crop", size=(5, 6), pad=1)], data).still(data.take([0]))
    np.testing.assert_array_equal(whole.inputs["input"][0], framed)


def test_boxes_are_cut_off(term: Make) -> None:
    """What a crop leaves of a box ends at the picture's edge."""
    data = arrays(
        np.zeros((1, 1, 10, 10)), np.array([[0.0, 0.4, 0.3, 1.0]]), kinds={"target": "box"}
    )
    still = augmenter([term("crop", size=(8, 8))], data).still(data.take([0]))
    np.testing.assert_allclose(still.targets["target"], [[0, 0.375, 0.25, 1]], atol=1e-6)


def test_noise(term: Make) -> None:
    """Noise has the given deviation, for every input of real numbers, each its own."""
    zeros = np.zeros((200, 1, 10, 10), np.float32)
    tokens = np.arange(200)
    data = arrays({"a": zeros, "b": zeros, "tokens": tokens})
    done = augmented(data, term("noise", std=0.3)).inputs
    assert abs(float(done["a"].std()) - 0.3) < 0.01
    assert abs(np.corrcoef(done["a"].ravel(), done["b"].ravel())[0, 1]) < 0.03
    assert done["a"].dtype == np.float32
    np.testing.assert_array_equal(done["tokens"], tokens)
    vectors = augmented(arrays(np.zeros((5, 3))), term("noise", std=0.3)).inputs["input"]
    assert (vectors != 0).all()


def test_color(term: Make) -> None:
    """Brightness is a factor of the mean gray, within the amount; gray stays gray."""
    random = np.random.default_rng(0)
    images = random.random((300, 3, 5, 5)).astype(np.float32)
    weights = np.array([0.299, 0.587, 0.114])
    done = augmented(arrays(images), term("color", amount=0.3)).inputs["input"]
    before, after = (np.einsum("nchw,c->n", each, weights) for each in (images, done))
    ratio = after / before
    assert 0.7 <= ratio.min() < 0.75
    assert 1.25 < ratio.max() <= 1.3
    gray = np.broadcast_to(images[:, :1], (300, 3, 5, 5))
    same = augmented(arrays(gray), term("color", amount=0.3)).inputs["input"]
    np.testing.assert_allclose(same, np.broadcast_to(same[:, :1], same.shape), atol=1e-6)
    single = augmented(arrays(images[:, :1]), term("color", amount=0.3)).inputs["input"]
    assert single.shape == (300, 1, 5, 5)
    assert (single != images[:, :1]).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("name", CHOICES)
def test_a_sample_is_keyed_by_itself(term: Make, name: str) -> None:
    """What happens to a sample depends on seed, epoch and sample: not on batch or order."""
    data = LOADERS["shapes"](samples=40, target=["mask", "box"])
    made = augmenter([term(name, **CHOICES[name])] * 2, data, seed=5)
    indices = np.arange(40)
    whole = made.augment(data.take(indices), indices, epoch=3)
    some = np.array([31, 4, 17])
    part = made.augment(data.take(some), some, epoch=3)
    for left, right in ((whole.inputs, part.inputs), (whole.targets, part.targets)):
        for key, array in right.items():
            np.testing.assert_array_equal(array, left[key][some])
    for epoch, seed in ((4, 5), (3, 6)):
        other = augmenter(made.choices, data, seed=seed).augment(
            data.take(indices), indices, epoch=epoch
        )
        assert (other.inputs["input"] != whole.inputs["input"]).any()


@pytest.mark.parametrize("name", CHOICES)
def test_augmentation_writes_to_no_data(term: Make, name: str) -> None:
    """The batch that is augmented stays as it was; outside of training only crops do anything."""
    data = LOADERS["shapes"](samples=8, target=["mask", "box"])
    batch, indices = data.take(np.arange(8)), np.arange(8)
    made = augmenter([term(name, **CHOICES[name])], data)
    made.augment(batch, indices, epoch=0)
    again = data.take(np.arange(8))
    np.testing.assert_array_equal(batch.inputs["input"], again.inputs["input"])
    np.testing.assert_array_equal(batch.targets["mask"], again.targets["mask"])
    if name != "crop":
        still = made.still(batch)
        np.testing.assert_array_equal(still.inputs["input"], again.inputs["input"])


def test_augmentations_in_a_row(term: Make) -> None:
    """All of them together, and none at all."""
    data = LOADERS["shapes"](samples=8, target=["mask", "box"])
    choices = [term(name, **options) for name, options in CHOICES.items()]
    batch = augmented(data, *choices)
    assert batch.inputs["input"].shape == (8, 1, 50, 40)
    assert batch.targets["mask"].shape == (8, 50, 40)
    assert set(np.unique(batch.targets["mask"])) <= {0, 1, 2, 3}
    nothing = augmented(data)
    np.testing.assert_array_equal(nothing.inputs["input"], data.take(np.arange(8)).inputs["input"])


@pytest.mark.parametrize(
    ("x", "name", "options", "message"),
    [
        (np.zeros((2, 5)), "flip", {}, "`flip` applies to images, but no input is an image"),
        (np.zeros((2, 5)), "crop", {"size": (2, 2)}, "`crop` applies to images"),
        (
            np.zeros((2, 1, 5, 5)),
            "crop",
            {"size": (6, 5)},
            "`crop(6x5)` does not fit into images",
        ),
        (np.zeros((2, 1, 5, 5)), "crop", {"size": (2, 2, 2)}, "`crop(2x2x2)` does not fit"),
        (np.zeros((2, 5), int), "noise", {"std": 1.0}, "the inputs are integers"),
        (
            {"a": np.zeros((2, 1, 5, 5)), "b": np.zeros((2, 1, 5, 6))},
            "rotate",
            {"degrees": 3.0},
            "the inputs differ in size",
        ),
    ],
)
def test_augmentation_that_makes_no_sense(
    term: Make, x: Any, name: str, options: dict[str, Any], message: str
) -> None:
    """What does not suit the data is found before the first epoch."""
    text = refusal(augmenter, [term(name, **options)], arrays(x))
    assert text.startswith("error[E530]")
    assert message in text


def test_pairs_that_make_no_sense(term: Make) -> None:
    """Pairs of points that are not there, points in two pairs, coordinates without partner."""
    assert mirror_order("p", 4, ((0, 3),)).tolist() == [3, 1, 2, 0]
    assert "a pair names point 4" in refusal(mirror_order, "p", 4, ((0, 4),))
    assert "a pair names point -1" in refusal(mirror_order, "p", 4, ((-1, 1),))
    assert "is in two pairs" in refusal(mirror_order, "p", 4, ((0, 1), (1, 2)))
    data = arrays(np.zeros((1, 1, 3, 3)), np.zeros((1, 5)), kinds={"target": "points"})
    assert "an odd count cannot" in refusal(augmenter, [term("flip", rate=1.0)], data)
