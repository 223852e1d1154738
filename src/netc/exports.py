"""A compiled program and its weights to an ONNX model with the program in its metadata."""

from collections.abc import Mapping
from typing import Any

from numpy import ndarray

from . import __version__
from .compiler.emit.onnx import export
from .compiler.pipeline import Compiled
from .grammar import ast
from .runtime.checkpoint import check_weights
from .runtime.initialize import initialize

Array = ndarray[Any, Any]

DEFAULT_LANGUAGE = 1


def export_network(
    compiled: Compiled,
    path: str,
    state: Mapping[str, Array] | None,
    *,
    opset: int | None = None,
    seed: int = 0,
) -> None:
    """Write a program's network as an ONNX model; weights that are not given are drawn.

    Raises:
        NetError: The weights do not fit, the opset is not known, or the file cannot be written.
    """
    metadata = {"source": compiled.source.text, "language": str(_language(compiled))}
    if state is None:
        state = initialize(compiled.graph, seed)
        metadata["seed"] = str(seed)
    else:
        check_weights(compiled.graph, state)
    export(compiled.graph, state, path, opset=opset, metadata=metadata, version=__version__)


def _language(compiled: Compiled) -> int:
    """The version of the language's defaults that the program was written for."""
    statements = compiled.module.statements if compiled.module else ()
    versions = [s.version for s in statements if isinstance(s, ast.LanguageStatement)]
    return versions[0] if versions else DEFAULT_LANGUAGE
