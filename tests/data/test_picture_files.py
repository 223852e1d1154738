"""Pictures in files: what each mode becomes, compared with numbers that are known."""

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.refusals import refusal

from netc.runtime.data import LOADERS
from netc.runtime.data.picture_files import open_picture, read_pictures
from netc.runtime.kerneldef import Array

DEEP = np.array([[0, 32768, 65535], [1, 257, 512]], np.uint16)


def read(path: Path, channels: int) -> Array:
    """A picture in its own size, (C, H, W)."""
    picture = open_picture(str(path), channels=channels)
    return picture.to_array(channels=channels, size=picture.size)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("suffix", ["png", "tif", "pgm", "big-endian.tif"])
def test_gray_of_16_bits(tmp_path: Path, suffix: str, channels: int) -> None:
    """65,535 is white, in every format and byte order, and the lower byte counts."""
    numbers: Array = DEEP.astype(np.int32) if suffix == "pgm" else DEEP
    numbers = DEEP.astype(">u2") if suffix.startswith("big") else numbers
    Image.fromarray(numbers).save(tmp_path / f"x.{suffix}")
    found = read(tmp_path / f"x.{suffix}", channels)
    assert found.shape == (channels, 2, 3)
    np.testing.assert_allclose(found, np.stack([DEEP / 65535] * channels), rtol=1e-6)


def test_gray_of_10_bits(tmp_path: Path) -> None:
    """A PGM file names its largest value, which is white."""
    values = np.array([[0, 512, 1023]], ">u2")
    (tmp_path / "x.pgm").write_bytes(b"P5 3 1 1023\n" + values.tobytes())
    np.testing.assert_allclose(read(tmp_path / "x.pgm", 1)[0], values / 1023, atol=1e-5)


def test_gray_whose_zero_is_white(tmp_path: Path) -> None:
    """A TIFF file may count from white, which its tag 262 says."""
    path = tmp_path / "x.tif"
    Image.fromarray(DEEP).save(path)
    data = bytearray(path.read_bytes())
    tag = struct.pack("<HHI", 262, 3, 1)
    data[data.index(tag) + len(tag)] = 0
    path.write_bytes(data)
    np.testing.assert_allclose(read(path, 1)[0], 1 - DEEP / 65535, atol=1e-6)


def test_deep_gray_is_turned_and_resized(tmp_path: Path) -> None:
    """Gray of 16 bits follows the camera's note, and a constant stays what it is when resized."""
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(DEEP).save(tmp_path / "x.png", exif=exif.tobytes())
    np.testing.assert_allclose(read(tmp_path / "x.png", 1)[0], np.rot90(DEEP, -1) / 65535)
    Image.fromarray(np.full((9, 7), 13107, np.uint16)).save(tmp_path / "y.png")
    found, _ = read_pictures([str(tmp_path / "y.png")], channels=3, size=(4, 5))
    np.testing.assert_allclose(found, np.full((1, 3, 4, 5), 0.2), rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "what"), [("int32", "whole numbers of 32 bits"), ("float32", "real numbers")]
)
def test_numbers_without_a_range_are_refused(tmp_path: Path, dtype: str, what: str) -> None:
    """Nothing says which number of a 32-bit TIFF is white."""
    Image.fromarray(DEEP.astype(dtype)).save(tmp_path / "x.tif")
    text = refusal(open_picture, str(tmp_path / "x.tif"), channels=1)
    assert text.startswith("error[E521]")
    assert f"its pixels are {what}" in text
    assert "save it with 8 or 16 bits" in text


def palette(transparent: int | None = None) -> tuple[Image.Image, dict[str, Any]]:
    """A picture of one colour, number 1 of a palette, which is red."""
    picture = Image.new("P", (3, 2), 1)
    picture.putpalette([0, 0, 0, 255, 0, 0])
    return picture, {} if transparent is None else {"transparency": transparent}


RED, WHITE = (1.0, 0.0, 0.0), (1.0, 1.0, 1.0)
MODES: dict[str, tuple[Any, dict[str, Any], str, tuple[float, ...]]] = {
    "1 bit": (Image.new("1", (3, 2), 1), {}, "png", WHITE),
    "gray": (Image.new("L", (3, 2), 51), {}, "png", (0.2, 0.2, 0.2)),
    "gray, transparent": (Image.new("LA", (3, 2), (0, 0)), {}, "png", WHITE),
    "gray, half transparent": (Image.new("LA", (3, 2), (0, 102)), {}, "png", (0.6, 0.6, 0.6)),
    "a gray that is transparent": (Image.new("L", (3, 2), 9), {"transparency": 9}, "png", WHITE),
    "palette": (*palette(), "png", RED),
    "palette, transparent": (*palette(1), "png", WHITE),
    "palette, other transparent": (*palette(0), "gif", RED),
    "colour, opaque": (Image.new("RGBA", (3, 2), (255, 0, 0, 255)), {}, "png", RED),
    "colour, transparent": (Image.new("RGBA", (3, 2), (255, 0, 0, 0)), {}, "png", WHITE),
    "CMYK": (Image.new("CMYK", (3, 2), (0, 255, 255, 0)), {}, "tif", RED),
}


@pytest.mark.parametrize("name", MODES)
def test_modes(tmp_path: Path, name: str) -> None:
    """Palettes are looked up, inks mixed, and transparent parts lie on white; gray follows."""
    picture, options, suffix, colour = MODES[name]
    picture.save(tmp_path / f"x.{suffix}", **options)
    found = read(tmp_path / f"x.{suffix}", 3)
    np.testing.assert_allclose(found, np.broadcast_to(np.reshape(colour, (3, 1, 1)), found.shape))
    gray = float(np.dot(colour, [0.299, 0.587, 0.114]))
    np.testing.assert_allclose(read(tmp_path / f"x.{suffix}", 1), gray, atol=1 / 255)


def test_what_reading_changes(tmp_path: Path) -> None:
    """Size, colour and transparency are named where they are lost, and only there."""
    made = {
        "same.png": Image.new("L", (4, 4), 7),
        "gray.png": Image.new("RGB", (4, 4), (7, 7, 7)),
        "opaque.png": Image.new("RGBA", (4, 4), (7, 7, 7, 255)),
        "colour.png": Image.new("RGB", (4, 4), (7, 8, 7)),
        "large.png": Image.new("RGBA", (9, 6), (1, 2, 3, 99)),
    }
    for name, picture in made.items():
        picture.save(tmp_path / name)
    paths = [str(tmp_path / name) for name in made]
    _, changes = read_pictures(paths, channels=1, size=(4, 4))
    assert changes == {
        paths[3]: ["made gray"],
        paths[4]: [
            "resized from 6x9 to 4x4",
            "made gray",
            "laid on white where it is transparent",
        ],
    }
    _, changes = read_pictures(paths[:4], channels=3, size=(4, 4))
    assert not changes


def test_memory_is_asked_before_it_is_taken(tmp_path: Path) -> None:
    """A size that no memory holds is refused at once, with what it takes."""
    (tmp_path / "a").mkdir()
    Image.new("L", (4, 4), 7).save(tmp_path / "a" / "x.png")
    text = refusal(LOADERS["images"], str(tmp_path), size=(10**6, 10**6))
    assert text.startswith(
        "error[E507]: there is not enough memory for 1 image of 1000000x1000000:"
        " 12_000_000_000_000 bytes"
    )
    data = LOADERS["images"](str(tmp_path), size=(2000, 2000))
    assert "for 1_000_000 images of 2000x2000" in refusal(data.take, np.zeros(10**6, np.int64))
