"""Networks that take whole numbers are fed bytes and truth values as they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.refusals import refusal

import netc
from netc.runtime.data.dataset import Dataset
from netc.runtime.data.from_arrays import npz
from netc.runtime.data.image_folder import images
from netc.runtime.kerneldef import Array
from netc.training import job_of

NET = """\
INPUT(8x8x3{dtype}) -> NORMALIZE(mean={mean}, std={mean}) -> CONV(4) -> RELU -> GAP -> FC(3)
train {{ loss = cross_entropy, epochs = 2, split = (0.8, 0.2) }}
"""
BYTES = NET.format(dtype=", dtype=uint8", mean=127.5)
REAL = NET.format(dtype="", mean=0.5)


def pictures() -> tuple[Array, Array]:
    """All bytes, in pictures (N, C, H, W), and classes (N,)."""
    rng = np.random.default_rng(0)
    return rng.permutation(30 * 192).astype(np.uint8).reshape(30, 3, 8, 8), np.arange(30) % 3


def of_arrays(folder: Path) -> Any:
    """Arrays from Python."""
    return pictures()


def of_npz(folder: Path) -> Dataset:
    """The arrays of a file."""
    x, t = pictures()
    np.savez(folder / "data.npz", x=x, y=t)
    return npz("data.npz", x="x", y="y", folder=str(folder))


def of_images(folder: Path) -> Dataset:
    """Pictures in folders, in the same order."""
    for number, (picture, label) in enumerate(zip(*pictures(), strict=True)):
        (folder / str(label)).mkdir(exist_ok=True)
        image = Image.fromarray(picture.transpose(1, 2, 0))
        image.save(folder / str(label) / f"{number:02}.png")
    return images(".", size=None, channels=3, folder=str(folder))


SOURCES: list[Callable[[Path], Any]] = [of_arrays, of_npz, of_images]


@pytest.mark.parametrize("source", SOURCES)
def test_bytes_are_fed_as_they_are(source: Callable[[Path], Any], tmp_path: Path) -> None:
    """All 256 of them, from arrays and files; real numbers are trained on to the same end."""
    data = source(tmp_path)
    job = job_of(netc.compile(BYTES).model, data=data)
    (feeds,) = job.part("all").still(30)
    x, t = pictures()
    order = np.argsort(t, kind="stable") if source is of_images else np.arange(30)
    assert feeds["input"].dtype == np.uint8
    assert np.array_equal(feeds["input"], x[order])
    whole, real = (netc.compile(program).train(data) for program in (BYTES, REAL))
    for ours, theirs in zip(whole.history.rows, real.history.rows, strict=True):
        assert ours.loss == pytest.approx(theirs.loss, rel=1e-4)
    found, expected = (np.asarray(run.predict(x[:3])) for run in (whole, real))
    assert np.abs(found - expected).max() < 1e-4


def test_truth_values_and_tokens() -> None:
    """Truth values, and bytes that are tokens, are no fractions of anything."""
    rng = np.random.default_rng(1)
    to_real = 'op("Cast", to=float32) -> FC(2)'
    for dtype, size, rest, values in (
        ("int64", "(4,)", "EMBED(2, 3) -> GAP -> FC(2)", np.uint8),
        ("bool", "(4,)", to_real, np.bool_),
        ("uint8", "4", "NORMALIZE -> FC(2)", np.uint8),
    ):
        x = rng.integers(0, 2, (6, 4)).astype(values)
        program = f"INPUT({size}, dtype={dtype}) -> {rest}"
        job = job_of(netc.compile(program).model, data=(x, np.arange(6) % 2))
        (feeds,) = job.part("all").still(6)
        assert np.array_equal(feeds["input"], x)
        assert feeds["input"].dtype == np.dtype(dtype)


def test_augmented_pictures_are_rounded() -> None:
    """What noise makes of pictures stays within bytes."""
    changes = {"augment": "[noise(0.5), rotate(20)]"}
    job = job_of(netc.compile(BYTES).model, data=pictures(), changes=changes)
    feeds = next(iter(job.training.batches(0)))
    assert feeds["input"].dtype == np.uint8
    assert {0, 255} <= set(feeds["input"].flat)


@pytest.mark.parametrize(
    ("x", "changes", "message"),
    [
        (pictures()[0] / 255, {}, "is float32 (N, 3, 8, 8), and the network takes uint8"),
        (
            pictures()[0].astype(int) + 1,
            {},
            "holds 256, and the network takes uint8, from 0 to",
        ),
        (pictures()[0], {"preprocess": "standardize"}, "`standardize` makes real numbers"),
    ],
)
def test_what_is_no_byte(x: Array, changes: dict[str, Any], message: str) -> None:
    """Fractions, larger numbers and what preprocessing makes are refused."""
    assert message in refusal(netc.compile(BYTES).train, (x, pictures()[1]), **changes)
