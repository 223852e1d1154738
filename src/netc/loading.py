"""Ways to a network: a program as text, a file, a shipped spec, an ONNX model."""

from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any

from .compiler.pipeline import compile as compile_source
from .grammar.diagnostics import error
from .grammar.source import Source
from .lets import with_lets
from .network import Network
from .sources import ONNX, is_chain, read_program


def compile(
    text: str,
    *,
    name: str = "<chain>",
    lets: Mapping[str, Any] | None = None,
    max_layers: int | None = None,
) -> Network:
    """Compile a program given as text.

    Args:
        text: The program.
        name: What messages call it.
        lets: Values in the place of those of its `let`s, by name: `lets={"classes": 3}`.
        max_layers: How many layers it may have.

    Raises:
        NetError: The program has errors, or no such `let` (E101).
    """
    return compile_program(with_lets(Source(name, text), lets or {}), max_layers=max_layers)


def load(
    path: "str | PathLike[str]",
    *,
    lets: Mapping[str, Any] | None = None,
    max_layers: int | None = None,
) -> Network:
    """Compile a `.net` file, or a shipped spec as `zoo:NAME`, or read an `.onnx` model.

    Args:
        path: The file.
        lets: See `compile`.
        max_layers: See `compile`.

    Raises:
        NetError: The file cannot be read, or the program has errors, or no such `let` (E101).
    """
    text = fspath(path)
    if text.endswith(ONNX) and not is_chain(text):
        if lets:
            raise error("E101", f"`{text}` is a model, which has no `let`s")
        return load_onnx(text)
    return compile_program(with_lets(read_program(text), lets or {}), max_layers=max_layers)


def load_onnx(path: "str | PathLike[str] | bytes") -> Network:
    """Read an ONNX model of any exporter as a network of layers, with its weights.

    The weights are those that `run`, `export` and `train` start from; they are read from the file
    when they are needed. A batch of 1 becomes `N` if every operator allows it.

    Args:
        path: The file, or a model's bytes.

    Raises:
        NetError: The file cannot be read (E001), or is no sound ONNX model (E505, E506, E576,
            E577, E578).
    """
    from .compiler.onnx_import.model import import_model

    return Network(import_model(path if isinstance(path, bytes) else fspath(path)))


def compile_program(source: Source, *, max_layers: int | None = None) -> Network:
    """Compile a source; `max_layers` raises the limit on its layers."""
    limits = {} if max_layers is None else {"max_layers": max_layers}
    return Network(compile_source(source, **limits))
