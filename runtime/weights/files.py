"""Weights in files, read one tensor at a time and written whole or not."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike, fspath
from os.path import splitext
from typing import Any, BinaryIO

from ...compiler.ir.graph import Graph
from ...compiler.ir.types import TensorType
from ...grammar.diagnostics import Diagnostic, NetError, did_you_mean, error
from ...grammar.files import atomic_writer
from .foreign_names import is_counter
from .npz import open_npz, write_npz
from .safetensors_file import open_safetensors, write_safetensors
from .state import LazyState, type_of
from .torch_file import PICKLES, open_torch

# How many findings of a kind are shown.
SHOWN_FINDINGS = 10

READERS: Mapping[str, Callable[[str], LazyState]] = {
    ".safetensors": open_safetensors,
    ".npz": open_npz,
    **dict.fromkeys(PICKLES, open_torch),
}
WRITERS: Mapping[str, Callable[[BinaryIO, Mapping[str, Any]], None]] = {
    ".safetensors": write_safetensors,
    ".npz": write_npz,
}


def load_weights(path: "str | PathLike[str]") -> LazyState:
    """Open a file of weights; each tensor is read when it is asked for.

    Args:
        path: A `.safetensors` or `.npz` file, or a checkpoint of PyTorch's (`.pt`, `.pth`, `.bin`,
            `.ckpt`, `.pkl`), for which PyTorch must be installed.

    Raises:
        NetError: The suffix is none of these (E505), the file cannot be read (E001), it is not
            what its suffix says, or holds more than weights (E505).
    """
    path = fspath(path)
    return READERS[_suffix(path, READERS)](path)


def save_weights(path: "str | PathLike[str]", state: Mapping[str, Any]) -> None:
    """Write weights to a `.safetensors` or `.npz` file, tensor by tensor.

    Raises:
        NetError: The suffix is neither, or a tensor's type cannot be stored (E505); the file
            cannot be written (E004).
    """
    path = fspath(path)
    write = WRITERS[_suffix(path, WRITERS)]
    with atomic_writer(path) as file:
        write(file, state)


def check_weights(graph: Graph, state: Mapping[str, Any]) -> None:
    """Compare weights with what a network's parameters and buffers are.

    Raises:
        NetError: E501, a diagnostic for each kind of mismatch, which lists the weights.
    """
    findings = mismatches(graph, state)
    if findings:
        raise NetError(findings)


def mismatches(graph: Graph, state: Mapping[str, Any]) -> list[Diagnostic]:
    """What check_weights finds: at most one diagnostic each for missing, unexpected and unfit."""
    wanted = {name: value.type for name, value in graph.parameters.items()}
    found = {name: type_of(state, name) for name in wanted if name in state}
    missing = [name for name in wanted if name not in found]
    strange = [name for name in state if name not in wanted and not is_counter(graph, name)]
    unfit = [name for name in found if found[name] != wanted[name]]
    findings = [
        _finding("is missing", "are missing", [f"`{name}` of {wanted[name]}" for name in missing]),
        _finding(
            "has no place in the network",
            "have no place in the network",
            [_with_guess(name, missing or wanted) for name in strange[:SHOWN_FINDINGS]]
            + strange[SHOWN_FINDINGS:],
        ),
        _finding(
            "does not fit",
            "do not fit",
            [f"`{name}` is {found[name]}, not {wanted[name]}" for name in unfit],
            help=_conversion(found[unfit[0]], wanted[unfit[0]]) if unfit else None,
        ),
    ]
    return [finding for finding in findings if finding is not None]


def _finding(
    one: str, several: str, rows: Sequence[str], *, help: str | None = None
) -> Diagnostic | None:
    """A diagnostic that lists the first few of its rows and counts the others."""
    if not rows:
        return None
    title = f"1 weight {one}" if len(rows) == 1 else f"{len(rows)} weights {several}"
    more = [f"and {len(rows) - SHOWN_FINDINGS} more"] if len(rows) > SHOWN_FINDINGS else []
    return Diagnostic("E501", title, notes=(*rows[:SHOWN_FINDINGS], *more), help=help)


def _with_guess(name: str, candidates: Iterable[str]) -> str:
    guess = did_you_mean(str(name), candidates)
    return f"`{name}`" if guess is None else f"`{name}`: {guess}"


def _conversion(found: TensorType, wanted: TensorType) -> str | None:
    """What turns a weight into what is wanted, where that is plain."""
    if found.shape == wanted.shape:
        return f"cast the weights: `array.astype({wanted.dtype.value!r})`"
    if len(found.shape) == 2 and found.shape == wanted.shape[::-1]:
        return "dense weights are (out, in): transpose them with `array.T`"
    return None


def _suffix(path: str, known: Iterable[str]) -> str:
    suffix = splitext(path)[1].lower()
    if suffix in known:
        return suffix
    written = f"weights are not written as `{suffix}`"
    raise error(
        "E505",
        written if suffix in PICKLES else f"`{path}` is not known as a file of weights",
        help="name it `.safetensors` or `.npz`",
    )
