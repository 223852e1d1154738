"""Data sets from files and arrays: what is read, in which form, and how much of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.data_files import cifar_bytes, idx_bytes, write_mnist, write_pictures
from support.memory import less_memory_than
from support.refusals import refusal

from netc.runtime.data import LOADERS, About, Dataset, Rows, arrays, load
from netc.runtime.data.dataset import ArrayData


def test_digits() -> None:
    """The shipped digits: 1,797 images of ten classes, pixels from 0 to 1 in steps of 1/16."""
    data = LOADERS["digits"]()
    assert len(data) == 1797
    batch = data.take(np.arange(len(data)))
    images, labels = batch.inputs["input"], batch.targets["target"]
    assert (images.shape, images.dtype) == ((1797, 1, 8, 8), np.float32)
    assert (images.min(), images.max()) == (0, 1)
    np.testing.assert_array_equal(images * 16, np.round(images * 16))
    counts = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # of the published set
    assert np.bincount(labels).tolist() == counts
    assert labels.dtype == np.int64
    assert data.classes == tuple("0123456789")
    found = data.labels()
    assert found is not None
    np.testing.assert_array_equal(found, labels)


def test_the_shipped_file_states_source_and_licence() -> None:
    """Beside the file there is a text that says where it comes from."""
    folder = Path(__file__).resolve().parents[2] / "runtime" / "data"
    text = (folder / "digits.txt").read_text(encoding="utf-8")
    for part in ("UCI Machine Learning Repository", "Alpaydin", "Kaynak", "1998", "CC BY 4.0"):
        assert part in text
    assert (folder / "digits.npz").stat().st_size < 50_000


@pytest.mark.parametrize("zipped", [False, True])
def test_idx(tmp_path: Path, zipped: bool) -> None:
    """MNIST's files, gzipped or not, with the test part at the end."""
    pixels = write_mnist(tmp_path, zipped=zipped)
    data = LOADERS["idx"](tmp_path.name, folder=str(tmp_path.parent))
    assert len(data) == 42
    assert data.about.held_out == 12
    batch = data.take([41, 0, 29, 30])
    expected = pixels[[41, 0, 29, 30], None] / np.float32(255)
    np.testing.assert_array_equal(batch.inputs["input"], expected.astype(np.float32))
    assert batch.targets["target"].tolist() == [1, 0, 9, 0]


def test_idx_by_two_files(tmp_path: Path) -> None:
    """Two files under any name; real numbers are taken as they are."""
    images = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    (tmp_path / "pictures").write_bytes(idx_bytes(images))
    (tmp_path / "answers").write_bytes(idx_bytes(np.array([7, -1], np.int16)))
    data = LOADERS["idx"]("pictures", labels="answers", folder=str(tmp_path))
    batch = data.take([1, 0])
    np.testing.assert_array_equal(batch.inputs["input"], images[::-1, None])
    assert batch.targets["target"].tolist() == [-1, 7]


@pytest.mark.parametrize("named", ["", "MNIST", "MNIST/raw"])
def test_idx_where_torchvision_puts_them(tmp_path: Path, named: str) -> None:
    """The folder that torchvision is given, the data set's in it, or the one of the files."""
    (raw := tmp_path / "MNIST" / "raw").mkdir(parents=True)
    write_mnist(raw, zipped=True)
    assert len(LOADERS["idx"](str(tmp_path / named))) == 42


def test_idx_in_several_folders(tmp_path: Path) -> None:
    """Where two data sets are below a folder, it is neither of them."""
    for name in ("MNIST", "KMNIST"):
        (raw := tmp_path / name / "raw").mkdir(parents=True)
        write_mnist(raw)
    assert "has no `train-images-idx3-ubyte`" in refusal(LOADERS["idx"], str(tmp_path))


def test_idx_is_streamed(tmp_path: Path) -> None:
    """Of a file of 16 MiB, a batch of eight images is all that comes into memory."""
    (tmp_path / "train-images.idx3-ubyte").write_bytes(
        idx_bytes(np.zeros((4096, 64, 64), np.uint8))
    )
    (tmp_path / "train-labels.idx1-ubyte").write_bytes(idx_bytes(np.zeros(4096, np.uint8)))
    with less_memory_than(2**20):
        data = LOADERS["idx"](str(tmp_path))
        data.take(np.arange(0, 4096, 512))


def test_cifar10(tmp_path: Path) -> None:
    """All training files and the test file, planes in the order red, green, blue."""
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (9, 3, 32, 32), dtype=np.uint8)
    labels = np.array([3, 1, 4, 1, 5, 9, 2, 6, 5], np.uint8)
    for name, part in (
        ("data_batch_1", [0, 1, 2, 3]),
        ("data_batch_2", [4, 5]),
        ("test_batch", [6, 7, 8]),
    ):
        (tmp_path / f"{name}.bin").write_bytes(cifar_bytes(labels[part], images[part]))
    data = LOADERS["cifar10"](str(tmp_path))
    assert (len(data), data.about.held_out) == (9, 3)
    assert data.classes[:2] == ("airplane", "automobile")
    batch = data.take([8, 4, 0])
    np.testing.assert_allclose(batch.inputs["input"] * 255, images[[8, 4, 0]], rtol=1e-6)
    assert batch.targets["target"].tolist() == [5, 5, 3]


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz(tmp_path: Path, save: Callable[..., None]) -> None:
    """Arrays by name, in either order of axes, compressed or not; other arrays do not matter."""
    x = np.arange(24.0).reshape(4, 6)
    columns = np.asfortranarray(x)
    save(tmp_path / "a.npz", values=x, columns=columns, labels=np.array([0, 1, 2, 1]))
    for name in ("values", "columns"):
        data = LOADERS["npz"]("a.npz", x=name, y="labels", folder=str(tmp_path))
        batch = data.take([3, 1])
        assert batch.inputs["input"].dtype == np.float32
        np.testing.assert_array_equal(batch.inputs["input"], x[[3, 1]])
        assert batch.targets["target"].tolist() == [1, 1]
        assert data.about.kinds == {"target": "label"}


def test_npz_is_streamed(tmp_path: Path) -> None:
    """Of an array of 16 MiB that is not compressed, a batch is all that comes into memory."""
    np.savez(tmp_path / "a.npz", x=np.zeros((1024, 4096), np.float32), y=np.zeros(1024, np.int64))
    with less_memory_than(2**20):
        data = LOADERS["npz"](str(tmp_path / "a.npz"))
        data.take(np.arange(0, 1024, 128))


def test_csv_with_words_for_classes(tmp_path: Path) -> None:
    """Words become indices of their sorted names; the separator is the header's."""
    (tmp_path / "iris.csv").write_text(
        "length;width;kind\n1.5;2;setosa\n\n3;4;lily\n-5e1; 6 ;setosa\n"
    )
    data = LOADERS["csv"]("iris.csv", target="kind", folder=str(tmp_path))
    batch = data.take([0, 1, 2])
    np.testing.assert_array_equal(
        batch.inputs["input"], np.array([[1.5, 2], [3, 4], [-50, 6]], np.float32)
    )
    assert batch.targets["target"].tolist() == [1, 0, 1]
    assert data.classes == ("lily", "setosa")


def test_csv_with_numbers(tmp_path: Path) -> None:
    """Whole numbers are classes, others values; several targets stand side by side."""
    (tmp_path / "t.csv").write_text('a,"b, c",d,e\n1,2,3,0.5\n4,5,6,0.25\n')
    folder = str(tmp_path)
    whole = LOADERS["csv"]("t.csv", target="d", folder=folder)
    assert whole.about.kinds["target"] == "label"
    assert whole.take([1]).targets["target"].tolist() == [6]
    last = LOADERS["csv"]("t.csv", folder=folder).take([0, 1])
    np.testing.assert_array_equal(last.targets["target"], np.array([[0.5], [0.25]], np.float32))
    assert last.inputs["input"].shape == (2, 3)
    several = LOADERS["csv"]("t.csv", target=["e", "b, c"], folder=folder).take([1])
    np.testing.assert_array_equal(several.targets["target"], np.array([[0.25, 5]], np.float32))
    rest = LOADERS["csv"]("t.csv", inputs="a", folder=folder).take([1])
    np.testing.assert_array_equal(rest.targets["target"], np.array([[5, 6, 0.25]], np.float32))


FACES = (
    "left_eye_x,left_eye_y,right_eye_x,right_eye_y,nose_x,nose_y,Image\n"
    "0,1,2,1,1,2,0 1 2 3 4 5 6 7 8\n"
    ",,2,0,1,2,9 9 9 9 9 9 9 9 9\n"
)


def test_csv_with_points_of_pictures(tmp_path: Path) -> None:
    """Facial keypoints (Nouri 2014): points may be missing, all pixels are in a cell."""
    (tmp_path / "faces.csv").write_text(FACES)
    data = LOADERS["csv"]("faces.csv", inputs="Image", folder=str(tmp_path))
    batch = data.take([0, 1])
    assert batch.inputs["input"].shape == (2, 1, 3, 3)
    np.testing.assert_array_equal(batch.inputs["input"][0, 0], np.arange(9).reshape(3, 3))
    nan = np.nan
    expected = np.array([[0, 1, 2, 1, 1, 2], [nan, nan, 2, 0, 1, 2]], np.float32)
    np.testing.assert_array_equal(batch.targets["target"], expected)
    assert data.about.kinds == {"target": "points"}
    assert data.about.pairs == {"target": ((0, 1),)}
    unit = LOADERS["csv"]("faces.csv", inputs="Image", points="unit", folder=str(tmp_path))
    np.testing.assert_array_equal(unit.take([0, 1]).targets["target"], expected - 1)
    assert unit.about.kinds == {"target": "unit_points"}


def test_images(tmp_path: Path) -> None:
    """A class per sub-folder, files and classes in order of name; what is no picture is left."""
    sizes = dict.fromkeys(["dog/b.png", "dog/a.bmp", "cat/c.png"], (5, 3))
    pixels = write_pictures(tmp_path, sizes)
    (tmp_path / "cat" / "notes.txt").write_text("no picture")
    (tmp_path / ".hidden").mkdir()
    data = LOADERS["images"](tmp_path.name, folder=str(tmp_path.parent))
    assert data.classes == ("cat", "dog")
    batch = data.take([2, 0])
    assert batch.targets["target"].tolist() == [1, 0]
    assert batch.inputs["input"].shape == (2, 3, 3, 5)
    expected = pixels["dog/b.png"].transpose(2, 0, 1) / np.float32(255)
    np.testing.assert_array_equal(batch.inputs["input"][0], expected)


def test_images_of_one_size_and_in_gray(tmp_path: Path) -> None:
    """With a size pictures are resized to height x width, and with one channel they are gray."""
    write_pictures(tmp_path, {"a/1.png": (5, 3), "b/2.jpg": (16, 20)})
    data = LOADERS["images"](str(tmp_path), size=(6, 4), channels=1)
    images = data.take([0, 1]).inputs["input"]
    assert images.shape == (2, 1, 6, 4)
    assert 0 <= images.min() < images.max() <= 1
    uniform = Image.new("RGB", (9, 9), (255, 0, 0))
    uniform.save(tmp_path / "a" / "3.png")
    red = LOADERS["images"](str(tmp_path), size=(2, 2), channels=1).take([1]).inputs["input"]
    np.testing.assert_allclose(red, 76 / 255, atol=1 / 255)  # 0.299 of red, ITU-R BT.601


def test_images_are_turned_upright(tmp_path: Path) -> None:
    """A camera's note on how it was held is heeded: the right side of the file is the bottom."""
    pixels = np.zeros((2, 3, 3), np.uint8)
    pixels[:, 2] = 255
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a").mkdir()
    Image.fromarray(pixels).save(tmp_path / "a" / "x.png", exif=exif.tobytes())
    image = LOADERS["images"](str(tmp_path), channels=1).take([0]).inputs["input"]
    assert image.shape == (1, 1, 3, 2)
    np.testing.assert_array_equal(image[0, 0], [[0, 0], [0, 0], [1, 1]])


def test_arrays_keep_their_values() -> None:
    """Tables are not scaled; bytes are real numbers as inputs, and classes as targets."""
    x = np.array([[0, 255], [3, 4], [5, 6]], np.uint8)
    batch = arrays(x, np.array([2, 0, 1], np.uint8)).take([0, 2])
    np.testing.assert_array_equal(batch.inputs["input"], np.array([[0, 255], [5, 6]], np.float32))
    assert batch.targets["target"].dtype == np.int64
    tokens = arrays([[1, 2], [3, 4]], [[0.5], [1.5]]).take([1])
    assert tokens.inputs["input"].dtype == np.int64
    assert tokens.targets["target"].dtype == np.float32


@pytest.mark.parametrize("shape", [(3, 4), (1, 3, 4), (3, 4, 3)])
def test_bytes_of_pictures_are_scaled(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """Pictures of bytes are numbers from 0 to 1 in an npz file and from Python, as elsewhere."""
    x = np.random.default_rng(0).integers(0, 256, (5, *shape), dtype=np.uint8)
    y = np.arange(5, dtype=np.uint8)
    np.savez(tmp_path / "plain.npz", x=x, y=y)
    np.savez_compressed(tmp_path / "packed.npz", x=x, y=y)
    for data in (
        LOADERS["npz"](str(tmp_path / "plain.npz")),
        LOADERS["npz"](str(tmp_path / "packed.npz")),
        arrays(x, y),
    ):
        batch = data.take([4, 0])
        np.testing.assert_array_equal(batch.inputs["input"], x[[4, 0]] / np.float32(255))
        assert batch.targets["target"].tolist() == [4, 0]
    flags = arrays(x > 99, y).take([0]).inputs["input"]
    np.testing.assert_array_equal(flags, (x[:1] > 99).astype(np.float32))


@pytest.mark.parametrize(
    "words",
    [["dog", "cat", "dog"], np.array(["dog", "cat", "dog"], object), [["dog"], ["cat"], ["dog"]]],
)
def test_words_are_classes(words: Any) -> None:
    """Words as targets are indices of their sorted names, or of the classes that are named."""
    data = arrays(np.zeros((3, 2)), words)
    assert data.take([0, 1, 2]).targets["target"].tolist() == [1, 0, 1]
    assert data.classes == ("cat", "dog")
    assert data.about.kinds == {"target": "label"}
    data = arrays(np.zeros((3, 2)), words, classes=("dog", "cow", "cat"))
    assert data.take([0, 1, 2]).targets["target"].tolist() == [0, 2, 0]
    text = refusal(arrays, np.zeros((3, 2)), words, classes=("cow", "dogs"))
    assert text.startswith("error[E526]: `target` has no class `dog`")


def test_numbers_as_words_are_classes_in_their_order() -> None:
    """Whole numbers written as words are numbered by their values; others are no classes."""
    words = np.arange(12).astype(str)
    data = arrays(np.zeros((12, 2)), words[::-1])
    assert data.classes == tuple(words)
    assert data.take(range(12)).targets["target"].tolist() == list(range(11, -1, -1))
    mixed = arrays(np.zeros((3, 2)), ["10", "9", "nan"])
    assert mixed.classes == ("10", "9", "nan")
    text = refusal(arrays, np.zeros((3, 2)), np.array([0.5, 1, 2.25]).astype(str))
    assert text.startswith("error[E529]: `target` holds numbers written as words")
    assert "`.astype(float)`" in text


def test_arrays_by_name() -> None:
    """Several inputs and targets keep their names, and what targets mean follows from types."""
    images = np.zeros((4, 3, 6, 5), np.float32)
    data = arrays(
        {"left": images, "right": images},
        {
            "kind": np.array([0, 1, 0, 1]),
            "mask": np.zeros((4, 6, 5), np.int64),
            "picture": images,
            "box": np.zeros((4, 4)),
            "dots": np.zeros((4, 6)),
        },
        classes=("no", "yes"),
        kinds={"box": "box", "dots": "points"},
    )
    batch = data.take([1])
    assert set(batch.inputs) == {"left", "right"}
    assert data.about.kinds == {
        "kind": "label",
        "mask": "mask",
        "picture": "image",
        "box": "box",
        "dots": "points",
    }
    assert data.classes == ("no", "yes")
    labels = data.labels()
    assert labels is not None
    assert labels.tolist() == [0, 1, 0, 1]


def test_samples_are_copies() -> None:
    """Writing to a batch changes no data set."""
    x = np.zeros((3, 2), np.float32)
    data = arrays(x)
    data.take([0]).inputs["input"][...] = 1
    assert not x.any()
    assert data.take([0]).targets == {}


def test_rows_of_several_parts() -> None:
    """Samples of several arrays in a row are numbered through."""
    parts = (np.arange(3.0), np.arange(3.0, 5.0), np.arange(5.0, 9.0))
    rows = Rows(parts, "float32", 2.0)
    assert len(rows) == 9
    assert rows.take(np.array([8, 0, 4, 3, 3])).tolist() == [4.0, 0.0, 2.0, 1.5, 1.5]
    data: Dataset = ArrayData({"input": rows}, {}, About("them"))
    assert data.labels() is None


def test_load_by_a_choice(tmp_path: Path, term: Callable[..., Any]) -> None:
    """A choice of a `train` block is opened relative to the program's folder."""
    (tmp_path / "f.csv").write_text("a,y\n1,0\n")
    choice = term("csv", path="f.csv", target="y", inputs=None, points="pixels")
    assert len(load(choice, folder=str(tmp_path))) == 1
    assert len(load(term("xor", samples=4, noise=0.0, seed=0), folder=str(tmp_path))) == 4


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    """Spreadsheets write a mark before the first name, which does not belong to it."""
    (tmp_path / "f.csv").write_bytes(b"\xef\xbb\xbfa,y\r\n1,0\r\n")
    assert len(LOADERS["csv"](str(tmp_path / "f.csv"), inputs="a")) == 1
