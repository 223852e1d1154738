"""Data that are damaged, do not fit together, or are not there: each is an error that names it."""

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.data_files import cifar_bytes, idx_bytes, write_mnist, write_pictures
from support.refusals import refusal

from netc.runtime.data import LOADERS, arrays


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda data: data[:-1], "E521", "it holds 23_519 of 23_520 bytes"),
        (lambda data: data + b"x", "E521", "it holds more than the 23_520 bytes"),
        (lambda data: data[:9], "E521", "it ends within its header"),
        (lambda data: b"", "E521", "it starts with nothing, so it is not an idx file"),
        (lambda data: b"\x1f\x8b" + data[2:], "E521", "it starts with 1f 8b 08 03"),
        (lambda data: b"\0\0\7\3" + data[4:], "E521", "it starts with 00 00 07 03"),
        (lambda data: data[:4] + b"\0\0\0\x1d" + data[8 : 16 + 29 * 784], "E522", "` 29, `"),
    ],
)
@pytest.mark.parametrize("zipped", [False, True])
def test_idx(tmp_path: Path, zipped: bool, change: Any, code: str, message: str) -> None:
    """A truncated, lengthened or foreign file, and one with fewer images than labels."""
    write_mnist(tmp_path, zipped=zipped)
    file = tmp_path / ("train-images-idx3-ubyte" + ".gz" * zipped)
    data = gzip.decompress(file.read_bytes()) if zipped else file.read_bytes()
    file.write_bytes(gzip.compress(change(data)) if zipped else change(data))
    text = refusal(LOADERS["idx"], str(tmp_path))
    assert text.startswith(f"error[{code}]")
    assert message in text
    assert str(file) in text


def test_idx_files_that_are_not_there(tmp_path: Path) -> None:
    """A folder without the files, with half of them, a file, or nothing."""
    assert "has no `train-images-idx3-ubyte`" in refusal(LOADERS["idx"], str(tmp_path))
    write_mnist(tmp_path)
    (tmp_path / "t10k-labels-idx1-ubyte").unlink()
    assert "has no `t10k-labels-idx1-ubyte`" in refusal(LOADERS["idx"], str(tmp_path))
    file = str(tmp_path / "train-images-idx3-ubyte")
    assert "it is a file, not a folder" in refusal(LOADERS["idx"], file)
    text = refusal(LOADERS["idx"], str(tmp_path / "nowhere"))
    assert text.startswith("error[E001]: cannot read")
    assert "no such file or folder" in text


def test_idx_files_in_the_wrong_place(tmp_path: Path) -> None:
    """Images where labels should be and the other way round, and parts of different sizes."""
    write_mnist(tmp_path)
    images, labels = (str(tmp_path / f"train-{k}-ubyte") for k in ("images-idx3", "labels-idx1"))
    assert "looks like the file of labels" in refusal(LOADERS["idx"], labels, labels=images)
    assert "looks like the file of images" in refusal(LOADERS["idx"], images, labels=images)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(np.zeros((12, 8, 8), np.uint8)))
    assert "unequal sizes: 28x28 and 8x8" in refusal(LOADERS["idx"], str(tmp_path))
    real = idx_bytes(np.zeros((12, 28, 28), np.float32))
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(real)
    assert "unequal types: uint8 and float32" in refusal(LOADERS["idx"], str(tmp_path))


def test_idx_of_absurd_extents(tmp_path: Path) -> None:
    """A header that promises more than any memory holds is only a header."""
    header = b"\0\0\x08\x03" + b"\xff" * 12
    labels = tmp_path / "labels"
    labels.write_bytes(idx_bytes(np.zeros(3, np.uint8)))
    for name in ("big", "big.gz"):
        data = gzip.compress(header) if name.endswith("gz") else header
        (tmp_path / name).write_bytes(data)
        assert "error[E521]" in refusal(LOADERS["idx"], str(tmp_path / name), labels=str(labels))


def test_cifar10(tmp_path: Path) -> None:
    """Truncated records, labels beyond the tenth class, an empty folder."""
    assert "has no `data_batch_1.bin`" in refusal(LOADERS["cifar10"], str(tmp_path))
    file = tmp_path / "data_batch_1.bin"
    data = cifar_bytes(np.array([1, 10], np.uint8), np.zeros((2, 3, 32, 32), np.uint8))
    file.write_bytes(data[:-5])
    assert "6_141 bytes are not a multiple of 3_073" in refusal(LOADERS["cifar10"], str(tmp_path))
    file.write_bytes(data)
    text = refusal(LOADERS["cifar10"], str(tmp_path))
    assert text.startswith("error[E523]")
    assert "the label 10 of sample 1 is outside the 10 classes" in text


def test_npz(tmp_path: Path) -> None:
    """An array that is not there, a truncated file, arrays of different lengths."""
    file = tmp_path / "a.npz"
    np.savez(file, images=np.zeros((3, 4)), labels=np.zeros(2, np.int64))
    text = refusal(LOADERS["npz"], str(file), x="image", y="labels")
    assert text.startswith("error[E526]")
    assert "did you mean `images`?" in text
    text = refusal(LOADERS["npz"], str(file), x="images", y="labels")
    assert text.startswith("error[E522]")
    assert "`input` 3, `target` 2" in text
    file.write_bytes(file.read_bytes()[:-30])
    assert "error[E505]" in refusal(LOADERS["npz"], str(file))


@pytest.mark.parametrize(
    ("text", "options", "code", "message"),
    [
        ("", {}, "E525", "holds no samples"),
        ("a,b\n", {}, "E525", "holds no samples"),
        ("a,b\n1,2\n3\n", {}, "E521", "line 3 has 1 cells, and the header names 2 columns"),
        ("a,a\n1,2\n", {}, "E521", "it has two columns `a`"),
        ("a,b\n1,2\n", {"target": "c"}, "E526", "has no column `c`"),
        ("age,b\n1,2\n", {"inputs": ["agw"]}, "E526", "did you mean `age`?"),
        ("a,b\n1,2\nx,3\n", {}, "E524", "the column `a` of line 3 holds `x`, not a number"),
        ("a,b\n1,2\n\n,3\n", {}, "E524", "the column `a` of line 4 holds nothing"),
        ("a,b\n1,red\n2,\n", {}, "E524", "the column `b` of line 3 holds nothing"),
        ("a,b\n1,2\n2,red\n", {}, "E524", "the column `b` of line 3 holds `red`"),
        ("a,b\ninf,2\n", {}, "E524", "the input `input` of sample 0 holds inf"),
        ("a,b\n1 2,2\n1,2\n", {}, "E527", "line 3 holds 1 numbers, and 2 in the lines before"),
        ("a\n1\n", {}, "E532", "no column left for the inputs"),
        ("2019,2020\n1,2\n", {}, "E521", "its first line may be a sample"),
        ("5.1,3.5,setosa\n", {}, "E521", "`header=no` says that samples begin"),
        ("1 2,rose\n3 4,lily\n", {}, "E521", "its first line may be a sample"),
        ("a,,b\n1,2,3\n", {}, "E521", "its column 2 has no name"),
        (",a,b\n1,2,3\n1,2,3\n", {}, "E521", "its column 1 has no name"),
        ("a;b\n1,5;2.5\n", {}, "E524", "write all with a point, or all with a comma"),
        ("a;b\n1,500;2\n", {}, "E524", "holds `1,500`, not a number"),
        ("a;b\n1.5;2\n", {"decimal": ","}, "E524", "holds `1.5`, not a number"),
        ("a,b\n1,2\n", {"delimiter": "::"}, "E532", "`delimiter` is one character"),
        ("a,b\n1,2\n", {"decimal": ";"}, "E532", "`decimal` is a point or a comma"),
        ('a,b\n1,"x\n2,x\n', {}, "E521", "a quote from line 2 on is not closed"),
        ('a,b\n1,x\n2,"x\n3,x\n4,"x"\n', {}, "E521", "a quote from line 3 on is not closed"),
        ('a,b\n1,"x\n2,x\n3,x"\n', {}, "E521", "a cell spans whole lines"),
        ("a b c\n1 2 3\n1 2\n", {}, "E521", "line 3 has 2 cells, and the header names 3 columns"),
        ("1.5 2 3\n1 2\n", {}, "E521", "line 2 has 2 cells, and the first line has 3"),
        ("a,b\n1,2\n", {"target": "a", "inputs": "a"}, "E532", "both input and target"),
        ("a,b\n1,2\n", {"points": "unit"}, "E530", "are not points of an image"),
    ],
)
def test_csv(tmp_path: Path, text: str, options: dict[str, Any], code: str, message: str) -> None:
    """Lines, columns and cells that cannot be used, by their place in the file."""
    (tmp_path / "t.csv").write_text(text)
    found = refusal(LOADERS["csv"], "t.csv", folder=str(tmp_path), **options)
    assert found.startswith(f"error[{code}]")
    assert message in found


def test_a_quote_that_is_not_closed_hides_no_lines(tmp_path: Path) -> None:
    """Of 1,000 lines, one lacks a closing quote, and others may close it by chance."""
    lines = ["a,b,kind", *(f"{number},{number % 3},cat" for number in range(1000))]
    lines[100] = '99,0,"cat'
    for last in ("899,2,cat", '899,2,cat"', '899,2,"cat"', '"899",2,cat'):
        lines[900] = last
        (tmp_path / "t.csv").write_text("\n".join(lines))
        text = refusal(LOADERS["csv"], str(tmp_path / "t.csv"))
        assert "a quote from line 101 on is not closed" in text


def test_csv_of_bytes(tmp_path: Path) -> None:
    """A file that is no text."""
    (tmp_path / "t.csv").write_bytes(b"a,b\n\xff\xfe,1\n")
    assert "error[E521]" in refusal(LOADERS["csv"], str(tmp_path / "t.csv"))


def test_images(tmp_path: Path) -> None:
    """No sub-folders, pictures of different sizes, a truncated picture, one that is none."""
    assert "error[E525]" in refusal(LOADERS["images"], str(tmp_path))
    write_pictures(tmp_path, {"a/1.png": (5, 3), "a/2.png": (4, 4)})
    data = LOADERS["images"](str(tmp_path))
    text = refusal(data.take, [0, 1])
    assert text.startswith("error[E527]")
    assert "2.png` is 4x4, and the first image 3x5" in text
    assert "`size=3x5`" in text
    whole = (tmp_path / "a" / "1.png").read_bytes()
    (tmp_path / "a" / "2.png").write_bytes(whole[: len(whole) // 2])
    assert "error[E521]" in refusal(data.take, [1])
    (tmp_path / "a" / "2.png").write_bytes(b"no picture")
    assert "error[E521]" in refusal(data.take, [1])
    (tmp_path / "a" / "2.png").unlink()
    assert "error[E001]" in refusal(data.take, [1])


def test_images_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the extra that brings Pillow."""
    monkeypatch.setitem(sys.modules, "PIL", None)
    text = refusal(LOADERS["images"], str(tmp_path))
    assert text.startswith("error[E528]")
    assert "netc[train]" in text


class Guarded:
    """What refuses to become an array, as PyTorch's tensors with a gradient do."""

    def __array__(self, *_: object, **__: object) -> np.ndarray[Any, Any]:
        """The refusal."""
        raise RuntimeError("detach it first")


@pytest.mark.parametrize(
    ("x", "t", "code", "message"),
    [
        (np.zeros((3, 2)), np.zeros(4), "E522", "`input` 3, `target` 4"),
        (np.zeros((0, 2)), None, "E525", "the data holds no samples"),
        ({}, None, "E525", "the data holds no samples"),
        ([[1.0], [np.nan]], None, "E524", "the input `input` of sample 1 holds nan"),
        (np.ones(2), [0.5, -np.inf], "E524", "`target` of sample 1 holds -inf"),
        ([[1, 2], [3]], None, "E529", "`input` is not an array of numbers\n  = note: setting an"),
        (Guarded(), None, "E529", "`input` is not an array of numbers\n  = note: detach it first"),
        (np.ones(2), Guarded(), "E529", "`target` is not an array of numbers\n  = note: detach"),
        (np.float32(3), None, "E529", "`input` is a single number\n  = help: give numbers in an"),
        (np.array(["a", "b"]), None, "E529", "`input` holds words\n  = help: number them: "),
        (np.ones(2), np.array([1j, 2j]), "E529", "`target` holds complex numbers\n"),
    ],
)
def test_arrays_that_do_not_fit(x: Any, t: Any, code: str, message: str) -> None:
    """Arrays that are no samples, of different numbers, or not finite."""
    text = refusal(arrays, x, t)
    assert text.startswith(f"error[{code}]")
    assert message in text


def test_numbers_held_as_objects_and_words_as_bytes() -> None:
    """Mixed columns of pandas and names from HDF5 are what they mean."""
    x = np.array([[1, 2.5], [True, np.float32(0.5)]], object)
    data = arrays(x, np.array([b"no", b"yes"]))
    assert data.take([0, 1]).inputs["input"].tolist() == [[1.0, 2.5], [1.0, 0.5]]
    assert data.about.class_names == {"target": ("no", "yes")}


def test_mapped_arrays_are_checked_as_they_are_read(tmp_path: Path) -> None:
    """NaN in a file that is not in memory is found in the batch that holds it."""
    x = np.zeros((10, 3), np.float32)
    x[7, 1] = np.nan
    np.savez(tmp_path / "a.npz", x=x, y=np.zeros(10, np.int64))
    data = LOADERS["npz"](str(tmp_path / "a.npz"))
    data.take([0, 1, 2])
    assert "`input` of sample 7 holds nan" in refusal(data.take, [5, 6, 7])


def test_numbers_beyond_float32() -> None:
    """What overflows in float32 is not finite for the network."""
    data = arrays(np.array([[1.0], [1e300]]))
    assert "of sample 1 holds inf" in refusal(data.take, [1])


MNIST = (
    "put `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and"
    " `t10k-labels-idx1-ubyte` from "
)


@pytest.mark.parametrize(
    ("name", "path", "help"),
    [
        ("idx", "mnist/", f"{MNIST}https://ossci-datasets.s3.amazonaws.com/mnist/ into `mnist/`"),
        (
            "idx",
            "data/Fashion",
            f"{MNIST}https://github.com/zalandoresearch/fashion-mnist into `data/Fashion`",
        ),
        (
            "cifar10",
            "c",
            "put `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` of the binary"
            " version from https://www.cs.toronto.edu/~kriz/cifar.html into `c`",
        ),
        (
            "csv",
            "irs.csv",
            "did you mean `iris.csv`? Otherwise, put the table there, or name another file",
        ),
        ("csv", "iris.csv/a.csv", "put the table there, or name another file"),
        (
            "npz",
            "iri.npz",
            "write it with `numpy.savez('iri.npz', x=..., y=...)`, or name another file",
        ),
        ("images", "p", "put the images of each class into a sub-folder: `p/CLASS`"),
    ],
)
def test_data_that_are_not_there(name: str, path: str, help: str, tmp_path: Path) -> None:
    """Which files are missing, where from, and where they go."""
    (tmp_path / "iris.csv").touch()
    assert refusal(LOADERS[name], path, folder=str(tmp_path)) == (
        f"error[E001]: cannot read `{tmp_path}/{path}`: no such file or folder\n"
        f"  = note: looked for at `{tmp_path / path}`\n"
        f"  = help: {help}"
    )


@pytest.mark.parametrize("name", ["idx", "cifar10"])
def test_folders_without_the_files(name: str, tmp_path: Path) -> None:
    """A folder that is there but lacks the files is answered with the same help."""
    text = refusal(LOADERS[name], "", folder=str(tmp_path))
    assert f"looked for at `{tmp_path}`" in text
    assert "= help: put `" in text
    assert " from https://" in text
