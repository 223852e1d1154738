"""Tables of text in the forms in which they are found: with names or without, and what divides."""

import gzip
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.refusals import refusal

import netc
from netc.runtime.data import LOADERS, load
from netc.runtime.data.text_table import read_table

IRIS = """5.1,3.5,1.4,0.2,Iris-setosa
7.0,3.2,4.7,1.4,Iris-versicolor
4.9,3.0,1.4,0.2,Iris-setosa
6.4,3.2,4.5,1.5,Iris-versicolor

"""
WINE = """"fixed acidity";"volatile acidity";"quality"
7.4;0.7;5
7.8;0.88;6
"""
AUTO = """18.0   8   307.0      130.0      3504.      12.0   70  1\t"chevrolet chevelle malibu"
15.0   8   350.0      165.0      3693.      11.5   70  1\t"buick skylark 320"
14.0   8   454.0      220.0      4354.       9.0   70  1\t"chevrolet chevelle malibu"
"""
HOUSING = """ 0.00632  18.00   2.310  0  0.5380  65.20   1  24.00
 0.02731   0.00   7.070  0  0.4690  78.90   2  21.60
"""
GERMAN = """länge;breite;art
1,5;2;ja
3,25;10;nein
"""

FORMS: dict[str, tuple[str, dict[str, Any], list[Any], list[Any]]] = {
    "no header (iris)": (
        IRIS,
        {"inputs": ["1", "4"], "target": "5"},
        [[5.1, 0.2], [7, 1.4], [4.9, 0.2], [6.4, 1.5]],
        [0, 1, 0, 1],
    ),
    "semicolons and quoted names (wine quality)": (WINE, {}, [[7.4, 0.7], [7.8, 0.88]], [5, 6]),
    "blanks, and a tab before the last (auto-mpg)": (
        AUTO,
        {"inputs": ["2", "3"], "target": "1"},
        [[8, 307], [8, 350], [8, 454]],
        [[18], [15], [14]],
    ),
    "blanks, aligned (housing)": (
        HOUSING,
        {"inputs": ["1", "7"], "target": "8"},
        [[0.00632, 1], [0.02731, 2]],
        [[24], [21.6]],
    ),
    "decimal commas": (GERMAN, {}, [[1.5, 2], [3.25, 10]], [0, 1]),
    "decimal commas without a header": (
        "1,5;0,5;a\n2,5;1;b\n3;2;a\n4;3;b\n",
        {},
        [[1.5, 0.5], [2.5, 1], [3, 2], [4, 3]],
        [0, 1, 0, 1],
    ),
    "decimal commas in quotes": ('a,b\n"1,5",1\n"2,25",0\n', {}, [[1.5], [2.25]], [1, 0]),
    "decimal commas that could divide thousands": (
        "a;b\n1,500;1\n",
        {"decimal": ","},
        [[1.5]],
        [1],
    ),
    "tabs": ("a\tb\n1\t2\n", {}, [[1]], [2]),
    "bars": ("a|b\n1|2\n", {}, [[1]], [2]),
    "colons": ("a:b\n1:2\n", {"delimiter": ":"}, [[1]], [2]),
    "commas that stand for nothing": ("a;b\nx, y;1\nz, y;0\n", {"inputs": "b"}, [[1], [0]], [0, 1]),
    "blanks behind commas": ('a, b, k\n1, 2, "x"\n3, 4, "y"\n', {}, [[1, 2], [3, 4]], [0, 1]),
    "a row that is repeated (xor)": ("0,0,0\n0,1,1\n", {}, [[0, 0], [0, 1]], [0, 1]),
    "names that are numbers": ("1,2\n5,0\n", {"header": True}, [[5]], [0]),
    "whole numbers without names": ("1,2\n5,0\n", {"header": False}, [[1], [5]], [2, 0]),
    "a word above numbers": ("label,0,1\n3,0,9\n", {"target": "label"}, [[0, 9]], [3]),
    "an unknown number in the first line": ("?,0.5,1\n2,2,0\n", {"inputs": "2"}, [[0.5], [2]], []),
    "row numbers of pandas": (",a,y\n0,5,1\n1,6,0\n", {}, [[5], [6]], [1, 0]),
    "row numbers out of order": (",a,y\n7,5,1\n3,6,0\n", {}, [[5], [6]], [1, 0]),
    "row numbers written again": ("Unnamed: 0,a,y\n0,5,1\n1,6,0\n", {}, [[5], [6]], [1, 0]),
    "row numbers and numbered columns": (",0,1\n0,5.5,1\n1,6,0\n", {}, [[5.5], [6]], [1, 0]),
    "row names of R": ('"","mpg","cyl"\n"Fiat",21,6\n"Honda",22,4\n', {}, [[21], [22]], [6, 4]),
    "delimiters at the end": ("a,b,\n1,2,\n3,4,\n", {}, [[1], [3]], [2, 4]),
    "delimiters at the end of samples": ("a,b\n1,2,\n3,4,\n", {}, [[1], [3]], [2, 4]),
    "delimiters at the end, no names": ("1.5,0,\n2,0,\n", {}, [[1.5], [2]], [0, 0]),
    "comments": ("# of 2026\na,b\n1,2\n#3,4\n5,6\n", {}, [[1], [5]], [2, 6]),
    "comments between blanks": ("# a b c\n0.5 1 2\n1.5 2 0\n", {}, [[0.5, 1], [1.5, 2]], [2, 0]),
    "a column called #": ("#,a,b\n1,2,0\n", {}, [[1, 2]], [0]),
    "row names of R, which have no name": (
        '"mpg" "cyl"\n"Mazda RX4" 21 6\n"Datsun 710" 22.8 4\n',
        {},
        [[21], [22.8]],
        [6, 4],
    ),
    "row names of R between tabs": ("a\tb\nFiat 1\t5\t2\nFord 2\t6\t1\n", {}, [[5], [6]], [2, 1]),
    "row numbers of R": ("a b\n1 5.5 2\n2 6 1\n", {}, [[5.5], [6]], [2, 1]),
    "row names of R and commas": ('"a","b"\n"x",5,2\n"y",6,1\n', {}, [[5], [6]], [2, 1]),
    "row numbers of R and decimal commas": ("a;b\n1;5,5;2\n2;6,5;1\n", {}, [[5.5], [6.5]], [2, 1]),
    "an empty first column": (",1.5,0\n,2.5,1\n", {}, [[1.5], [2.5]], [0, 1]),
    "true and false": ("a,b,y\nTrue,no,1\nFALSE,yes,0\n", {}, [[1, 0], [0, 1]], [1, 0]),
    "true and false without names": (
        "True,2.5,1\nFalse,3,0\nTrue,3,0\n",
        {},
        [[1, 2.5], [0, 3], [1, 3]],
        [],
    ),
    "true and false as classes": ("a,y\n5,True\n6,False\n", {}, [[5], [6]], [1, 0]),
    "true and false alone": (
        "yes,no\nno,yes\nno,no\nyes,yes\n",
        {},
        [[1], [0], [0], [1]],
        [0, 1, 0, 1],
    ),
    "columns called yes and no": ("yes,no\n5,0\n6,1\n", {}, [[5], [6]], [0, 1]),
    "words without names (mushroom)": (
        "p,x,1\ne,x,2\ne,b,2\np,b,1\n",
        {"inputs": "3", "target": "1", "header": False},
        [[1], [2], [2], [1]],
        [1, 0, 0, 1],
    ),
    "several labels": (
        "a,y,z\n1,True,False\n2,False,False\n",
        {"target": ["y", "z"]},
        [[1], [2]],
        [[1, 0], [0, 0]],
    ),
    "lines of old Macs": ("a,b\r1,2\r3,4\r", {}, [[1], [3]], [2, 4]),
    "lines of Windows": ("a,b\r\n1,2\r\n3,4\r\n", {}, [[1], [3]], [2, 4]),
    "the delimiter as Excel tells it": ("sep=;\na;b\n1;2\n3;4\n", {}, [[1], [3]], [2, 4]),
    "quoted numbers": ('"a";"b"\n"1.5";"2"\n"3";"4"\n', {}, [[1.5], [3]], [2, 4]),
    "blanks and tabs": ("1.5 \t2.5 \t0\n3 \t4 \t1\n", {}, [[1.5, 2.5], [3, 4]], [0, 1]),
    "blanks below names": (
        "  a    b  kind\n1.0  2.5   yes\n3.0  4.5   no\n",
        {},
        [[1, 2.5], [3, 4.5]],
        [1, 0],
    ),
    "blanks around cells (adult)": (
        "39, State-gov, 13, <=50K\n50, Private, 13, >50K\n\n",
        {"header": False, "inputs": ["1", "3"], "target": "4"},
        [[39, 13], [50, 13]],
        [0, 1],
    ),
    "what is missing in other columns (breast cancer)": (
        "1000025,5,?,2\n1002945,4,10,4\n",
        {"header": False, "inputs": "2", "target": "4", "classes": ("2", "4")},
        [[5], [4]],
        [0, 1],
    ),
    "pictures": ("0 1 2 3,1\n4 5 6 7,1\n", {}, [[[0, 1], [2, 3]]], [1, 1]),
}


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "gzip"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_forms(tmp_path: Path, form: str, encoding: str) -> None:
    """Each sample is there once, with its numbers, whatever the file's encoding."""
    text, options, inputs, targets = FORMS[form]
    zipped = gzip.compress(text.encode()) if encoding == "gzip" else text.encode(encoding)
    (tmp_path / "t.data").write_bytes(zipped)
    data = LOADERS["csv"]("t.data", folder=str(tmp_path), **options)
    batch = data.take(range(len(data)))
    found = batch.inputs["input"]
    if form == "pictures":
        assert found.shape == (2, 1, 2, 2)
        found = found[0]
    np.testing.assert_array_equal(found, np.array(inputs, np.float32))
    if targets:
        np.testing.assert_array_equal(batch.targets["target"], np.array(targets).astype("f"))


def test_arguments_of_a_program(tmp_path: Path) -> None:
    """`header=no`, `delimiter=` and `decimal=` mean the same in a `train` block."""
    (tmp_path / "t.txt").write_text("1,5 2\n2,5 0\n")
    source = (
        'INPUT(1) -> FC(3)\ntrain { data = csv("t.txt", header=no, delimiter=" ", decimal=",") }'
    )
    recipe = netc.compile(source).recipe
    assert recipe is not None
    assert recipe.data is not None
    batch = load(recipe.data, folder=str(tmp_path)).take([0, 1])
    np.testing.assert_array_equal(batch.inputs["input"], [[1.5], [2.5]])
    assert batch.targets["target"].tolist() == [2, 0]


def test_many_columns_are_read_quickly(tmp_path: Path) -> None:
    """Of 60,000 columns, the time grows with their number, not with its square."""
    names = [
        f"{side}{number}_{axis}"
        for number in range(15_000)
        for side in ("left", "right")
        for axis in "xy"
    ]
    path = tmp_path / "t.csv"
    path.write_text(",".join([*names, "Image"]) + "\n" + ",".join(["1.5"] * 60_001) + "\n")
    start = time.perf_counter()
    data = LOADERS["csv"](str(path), inputs="Image")
    assert len(data.about.pairs["target"]) == 15_000
    assert (
        LOADERS["csv"](str(path), inputs=names[:50_000]).take([0]).targets["target"].size == 10_001
    )
    assert "has no column `lefty`" in refusal(LOADERS["csv"], str(path), target="lefty")
    assert time.perf_counter() - start < 10


def test_text_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table that memory cannot hold is refused by its size, or as soon as it unpacks to more."""
    monkeypatch.setattr("netc.runtime.data.text_file._LARGEST", 1000)
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 999)
    assert refusal(read_table, str(path), "t").startswith("error[E507]")
    path.write_bytes(gzip.compress(path.read_bytes()))
    text = refusal(read_table, str(path), "t")
    assert text.startswith("error[E507]")
    assert "text tables are limited to 1_000 bytes" in text


def test_a_first_cell_that_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many numbers in each cell as in the first one are asked for before they are made."""
    monkeypatch.setattr("netc.runtime.arrays.memory.physical_memory", lambda: 2**20)
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1 " * 1000 + ",1\n" + "1,1\n" * 999)
    text = refusal(LOADERS["csv"], str(path))
    assert text.startswith("error[E507]: there is not enough memory for 1_000 cells of 1_000 ")


def test_new_samples_have_no_target(tmp_path: Path) -> None:
    """Where `inputs` names all columns, none is left for a target."""
    path = tmp_path / "new.csv"
    path.write_text("a,b\n0.5,2\n1.5,3\n")
    data = LOADERS["csv"](str(path), inputs=["b", "a"])
    assert data.take([0, 1]).inputs["input"].tolist() == [[2.0, 0.5], [3.0, 1.5]]
    assert data.take([0, 1]).targets == {}
    assert data.labels() is None


def test_what_is_not_text(tmp_path: Path) -> None:
    """Bytes of another encoding, or of an archive, are named, with both ways out."""
    path = tmp_path / "a.csv"
    path.write_bytes("größe,y\n1.5,2\n".encode("latin-1"))
    text = refusal(LOADERS["csv"], str(path))
    assert "the byte 0xf6 in it is not UTF-8\n  = help: save the file as UTF-8 text; unpack" in text


REFUSED: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "blanks of UCI and unknown cells (auto-mpg)": (
        AUTO.replace("165.0", "?"),
        {"header": False},
        "the column `4` of line 2 holds `?`, not a number",
        "`missing=median` or `mean` replaces missing numbers; `missing=drop` leaves such lines out",
    ),
    "numbers and words in a column": (
        "ticket,length,rings\n1601,0.4,15\nPC 17,0.3,7\n",
        {},
        "the column `ticket` of line 3 holds `PC 17`, not a number",
        '`onehot="ticket"` makes an input of each, `drop="ticket"` leaves the column out',
    ),
    "names as inputs": (
        "name,y\n" + "".join(f"{letter},1.5\n" for letter in "abcdefghijkl"),
        {},
        "the column `name` holds 12 different words in 12 lines",
        '`drop="name"` leaves the column out, `index="name"` takes it for the names of samples',
    ),
    "words beside pictures": (
        "place,image,y\nx,1 2 3 4,0.5\nz,1 2 3 4,1.5\n",
        {},
        "the column `place` of `t.data` holds words, and others several numbers a cell",
        '`drop="place"` leaves the column out',
    ),
    "an indicator of nothing": (
        "a,y\n1,2\n",
        {"indicator": True},
        "`indicator=yes` goes with what replaces missing values",
        "such as `missing=median`",
    ),
    "no line without gaps": ("a,y\n,2\n", {"missing": "drop"}, "holds no samples", "median"),
    "a title": (
        "|1x3 Cross validator\n1, 2.5, a, x\n3, 4, b, x\n",
        {},
        "line 1 has 1 cell, and all others have 4",
        "begin a title with `#` to leave it out",
    ),
    "numbers before a comma, or of rows": (
        "a,b\n1,5,2\n2,5,3\n",
        {},
        "line 1 has 2 cells, and all others have 3",
        "name the first column there too, for example `row`",
    ),
    "true or a name": ("True,1\nFalse,0\n", {}, "its first line may be a sample or", "`header=no`"),
    "thousands": ("a;y\n1,234.5;1\n", {}, "holds `1,234.5`", "without thousands sep"),
    "thousands in German": (
        "a;y\n1.234,5;1\n",
        {"decimal": ","},
        "`1.234,5`",
        "without thousands sep",
    ),
    "thousands twice": (
        'a,y\n"1,234,567",1\n',
        {},
        "holds `1,234,567`",
        "without thousands sep",
    ),
    "a point beside decimal commas": ("a;y\n1.234;1\n", {"decimal": ","}, "`1.234`", "thousands"),
    "a comma beside decimal points": (
        "a;b;y\n1.5;0,5;1\n",
        {},
        "`0,5`",
        "write all with a point, or all with a comma",
    ),
    "percent": ("a,y\n50%,1\n", {}, "holds `50%`", "write the number without a unit"),
    "money": ("a,y\n$50,1\n", {}, "holds `$50`", "write the number without a unit"),
    "dates": ("a,y\n2026-01-31,1\n", {}, "holds `2026-01-31`", '`dates="a"` makes inputs of year'),
    "single quotes": ("a,y\n'5',1\n", {}, "holds `'5'`", "put cells in double quotes"),
    "exponents of Fortran": ("a,y\n1.5D-3,1\n", {}, "holds `1.5D-3`", "write exponents with `e`"),
    "digits grouped as in Python": (
        "a,y\n1_000,1\n",
        {},
        "holds `1_000`, not a number",
        "thousands",
    ),
    "a target of both": ("a,y\n1,2\n2,x\n", {}, "holds `x`", "a target holds words, which are"),
    "a class that is missing": (
        "a,y\n1,b\n2,\n",
        {},
        "line 3 holds nothing",
        "`missing=drop` leaves such lines out",
    ),
    "bytes of zero": ("a,y\n1,2\0\n", {}, "it contains zero bytes", "save the file as UTF-8 text"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_read(tmp_path: Path, case: str) -> None:
    """What is no number, or may mean two things, is refused with the setting that helps."""
    text, options, what, help = REFUSED[case]
    (tmp_path / "t.data").write_text(text)
    found = refusal(LOADERS["csv"], "t.data", folder=str(tmp_path), **options)
    assert what in found
    assert help in found.splitlines()[-1]


FOREIGN: dict[str, tuple[bytes, str, str]] = {
    "libsvm": (b"+1 1:0.5 3:1\n-1 2:0.3\n", "a LIBSVM file", "load_svmlight_file(path)"),
    "ranking": (b"2 qid:1 1:0.5 # x\n1 qid:1 2:1e-3\n", "a LIBSVM file", "x.toarray()"),
    "arff": (b"% Iris\n\n@RELATION iris\n@DATA\n1,2\n", "an ARFF file", "header=no"),
    "json": (b'[{"a": 1}]', "JSON", "`json(...)`"),
    "lines of json": (b'{"a": 1}\n{"a": 2}\n', "JSON", "`json(...)`"),
    "html": (b"<!DOCTYPE html>\n<html></html>", "HTML or XML", "download the file"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\n",
        "a Git LFS pointer",
        "git lfs pull",
    ),
    "workbook": (b"PK\3\4\x14\0", "a zip archive or a workbook", "save the sheet as CSV"),
    "parquet": (b"PAR1\x15\0", "a Parquet file", "`parquet(...)` reads it"),
    "npy": (b"\x93NUMPY\1\0", "a NumPy array", 'npz("data.npz")'),
    "pickle": (b"\x80\4\x95\0", "a Python pickle", "numpy.savez"),
    "bzip2": (b"BZh91AY", "compressed with bzip2", "unpack it"),
}


@pytest.mark.parametrize("case", FOREIGN)
def test_files_of_other_formats(tmp_path: Path, case: str) -> None:
    """A file that is no table is called what it is, with what makes a table of it."""
    data, what, help = FOREIGN[case]
    (tmp_path / "t.data").write_bytes(data)
    found = refusal(LOADERS["csv"], str(tmp_path / "t.data"))
    assert found.startswith("error[E521]")
    assert f"it is {what}, not a table of text" in found
    assert help in found.splitlines()[-1]
