"""What users choose from: engines, devices, threads, parts of data, forms of pictures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import Any, Literal, get_args

from .grammar.diagnostics import error

EngineName = Literal["numpy", "onnxruntime"]
BulkEngineName = Literal["onnxruntime", "ray"]
Device = Literal["cpu", "cuda"]
Precision = Literal["float32", "float64"]
HalfPrecision = Literal["float16", "bfloat16"]
HALF_PRECISIONS: tuple[str, ...] = get_args(HalfPrecision)
PartName = Literal["train", "validation", "test", "all"]
PARTS: tuple[PartName, ...] = ("train", "validation", "test", "all")
MOST_THREADS = 1_024
Mode = Literal["forward", "step"]
Style = Literal["graph", "ops", "backward", "volumes", "neurons"]
STYLES: tuple[Style, ...] = get_args(Style)
Direction = Literal["TB", "LR", "BT", "RL"]
Format = Literal["svg", "png", "pdf", "tex", "dot", "mmd"]
FORMATS: tuple[str, ...] = get_args(Format)
ThemeName = Literal["light", "dark"]
PictureFormat = Literal["svg", "png", "pdf"]


def check_count(name: str, value: Any, *, help: str | None = None) -> None:
    """Refuse a count from Python that is none.

    Raises:
        NetError: E125.
    """
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not (whole and int(value) > 0):
        raise error("E125", f"`{name}` must be a positive integer, not `{value}`", help=help)


def format_of(path: str, format: str | None) -> str:
    """The format that is asked for, or else that of a file's suffix.

    Raises:
        NetError: E505, it is not one of `FORMATS`.
    """
    found = format or os.path.splitext(path)[1].removeprefix(".")
    if found.lower() in FORMATS:
        return found.lower()
    known = ", ".join(f"`{name}`" for name in FORMATS)
    what = f"`{path}` has no suffix" if not found else f"there is no picture format `{found}`"
    raise error("E505", what, help=f"the formats are {known}")


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Let either engine compute on `count` threads within; by default, one for each core.

    `with netc.threads(1): net.train()` leaves the other cores to other programs. Outside of
    Python, the environment variable `NETC_NUM_THREADS` and the option `--threads` say the same.

    Raises:
        NetError: E125, `count` is not a positive integer, or beyond `MOST_THREADS`.
    """
    from .runtime.kernels.workers import limited  # with NumPy, which checks start without

    check_count("threads", count)
    if count > MOST_THREADS:
        raise error("E125", f"`threads` must be at most {MOST_THREADS:_}, not `{count}`")
    with limited(int(count)):
        yield
