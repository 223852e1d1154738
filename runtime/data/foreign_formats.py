"""Files that are no tables of text, by what they begin with, and how tables are made of them."""

import re
from collections.abc import Sequence

from ...grammar.diagnostics import NetError
from .faults import damaged

_UNPACK = "unpack it; only gzip is read directly"
_WITH_PANDAS = "`pandas.read_{}(path).to_csv(...)` converts it to a text table"
# What a file begins with, what it is, and what to do.
_BYTES: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\3\4", "a zip archive or a workbook", "unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook", "save the sheet as CSV"),
    (b"PAR1", "a Parquet file", "`parquet(...)` reads it"),
    (b"ARROW1", "a Feather file", _WITH_PANDAS.format("feather")),
    (b"\x89HDF", "an HDF5 file", _WITH_PANDAS.format("hdf")),
    (b"SQLite format 3", "an SQLite database", _WITH_PANDAS.format("sql")),
    (
        b"\x93NUMPY",
        "a NumPy array",
        '`numpy.savez("data.npz", x=..., y=...)` and `npz("data.npz")`',
    ),
    (
        b"\x80\4\x95",
        "a Python pickle",
        'save its arrays by `numpy.savez("data.npz", x=..., y=...)`',
    ),
    (b"BZh", "compressed with bzip2", _UNPACK),
    (b"\xfd7zXZ", "compressed with xz", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", _UNPACK),
    (b"%PDF", "a PDF file", "save its table as CSV"),
)
_PAIRS = re.compile(r"[+-]?[\d.,]+(e[+-]?\d+)?(\s+(qid|\d+):[+-]?[\d.e+-]+)+\s*(#.*)?", re.I)
# What the first line that is not empty looks like; comments of ARFF begin with `%`.
_TEXTS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (
        re.compile(r"(%.*\s+)*@relation\b", re.I),
        "an ARFF file",
        "delete its lines up to `@data`, and read the rest by `csv(..., header=no)`; in Python,"
        " `scipy.io.arff.loadarff(path)` reads it",
    ),
    (
        re.compile(r"%%MatrixMarket", re.I),
        "a Matrix Market file",
        "`scipy.io.mmread(path)` reads it",
    ),
    (
        re.compile(r'\{\s*"|\[\s*[\[{]'),
        "JSON",
        "`json(...)` reads its records",
    ),
    (
        re.compile(r"<(!doctype|html|\?xml)", re.I),
        "HTML or XML",
        "download the file behind the page",
    ),
    (
        re.compile(r"version https://git-lfs"),
        "a Git LFS pointer",
        "`git lfs pull` fetches the actual file",
    ),
)


def check_bytes(path: str, data: bytes) -> None:
    """Refuse files of other formats by their first bytes.

    Raises:
        NetError: E521.
    """
    for start, what, help in _BYTES:
        if data.startswith(start):
            raise _foreign(path, what, help)


def check_text(path: str, lines: Sequence[str]) -> None:
    """Refuse files of other formats by their first lines.

    Raises:
        NetError: E521.
    """
    filled = [line.strip() for line in lines if line.strip()]
    start = "\n".join(filled)
    for pattern, what, help in _TEXTS:
        if pattern.match(start):
            raise _foreign(path, what, help)
    if filled and all(map(_PAIRS.fullmatch, filled)):
        how = "`x, t = sklearn.datasets.load_svmlight_file(path)` reads it: train on"
        raise _foreign(path, "a LIBSVM file", f"in Python, {how} `(x.toarray(), t)`")


def _foreign(path: str, what: str, help: str) -> NetError:
    return damaged(path, f"it is {what}, not a table of text", help)
