"""Where a training run stands, in one safetensors file: everything that resuming needs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np

from ...grammar.diagnostics import NetError, error
from ...grammar.files import atomic_writer
from ..kerneldef import Array
from ..weights.safetensors_file import SafetensorsState, open_safetensors, write_safetensors

FORMAT = "netc training 2"
CHECKSUM = "checksum"
BEST = "best/"
MEASURED = "measured/"
PREPROCESS_PREFIX = "preprocess/"
STATE = "state/"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a run stands.

    Attributes:
        state: Parameters, buffers, and the optimizer's tensors.
        preprocess: What preprocessing was fitted to the training part.
        best: The weights of the best epoch so far, if there is one.
        measured: What the metrics of an epoch that has begun have gathered.
        progress: What else the loop needs, as JSON: epoch, step, sums, stopping.
        recipe: What must be the same on resuming, by name: the network and each setting.
        environment: Engine, versions and threads, on which the last bits depend.
    """

    state: Mapping[str, Array]
    preprocess: Mapping[str, Array]
    best: Mapping[str, Array]
    progress: Mapping[str, Any]
    recipe: Mapping[str, str]
    environment: Mapping[str, str] = field(default_factory=dict)
    measured: Mapping[str, Array] = field(default_factory=dict)


def save_checkpoint(path: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint; the file is replaced at once, when the new one is safe on the disk.

    Raises:
        NetError: E004, the file cannot be written; the one before it stays.
    """
    arrays = {
        **{STATE + name: array for name, array in checkpoint.state.items()},
        **{PREPROCESS_PREFIX + name: array for name, array in checkpoint.preprocess.items()},
        **{BEST + name: array for name, array in checkpoint.best.items()},
        **{MEASURED + name: array for name, array in checkpoint.measured.items()},
    }
    metadata = {
        "format": FORMAT,
        "progress": json.dumps(checkpoint.progress),
        "recipe": json.dumps(dict(checkpoint.recipe)),
        "environment": json.dumps(dict(checkpoint.environment)),
    }
    metadata[CHECKSUM] = _checksum(arrays, metadata)
    with atomic_writer(path) as file:
        write_safetensors(file, arrays, metadata)


def load_checkpoint(path: str) -> Checkpoint:
    """Read a checkpoint into memory.

    Raises:
        NetError: The file cannot be read (E001) or is damaged (E505), or it is not a checkpoint
            (E541).
    """
    found = _opened(path)
    try:
        texts = {name: json.loads(found.metadata[name]) for name in _TEXTS}
    except (KeyError, ValueError):
        raise _no_checkpoint(path) from None
    return Checkpoint(
        state=_under(found, STATE),
        preprocess=_under(found, PREPROCESS_PREFIX),
        best=_under(found, BEST),
        measured=_under(found, MEASURED),
        **texts,
    )


def load_preprocessing(path: str) -> dict[str, Array]:
    """Read what preprocessing was fitted to, and nothing else, from a checkpoint.

    Raises:
        NetError: As `load_checkpoint`.
    """
    return _under(_opened(path), PREPROCESS_PREFIX)


def _opened(path: str) -> SafetensorsState:
    """A checkpoint's file, every byte of which is as it was written.

    Raises:
        NetError: As `load_checkpoint`.
    """
    found = open_safetensors(path)
    if found.metadata.get("format") != FORMAT:
        raise _no_checkpoint(path)
    if found.metadata.get(CHECKSUM) != _checksum(found, found.metadata):
        raise error(
            "E505",
            f"`{path}` is damaged: its checksum does not match",
            help="copy it again, or start a new run in another folder with `--output`",
        )
    return found


def _checksum(arrays: Mapping[str, Array], metadata: Mapping[str, str]) -> str:
    """SHA-256 of the arrays, with their names, types and shapes, and of the texts."""
    texts = {name: text for name, text in metadata.items() if name != CHECKSUM}
    digest = sha256(json.dumps(texts, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        digest.update(plain.reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


# What the header holds as JSON.
_TEXTS = ("progress", "recipe", "environment")


def _no_checkpoint(path: str) -> NetError:
    return error(
        "E541",
        f"`{path}` is not a checkpoint of a training run",
        help="weights alone start a run with `--weights`",
    )


def _under(arrays: SafetensorsState, prefix: str) -> dict[str, Array]:
    return {
        name.removeprefix(prefix): np.array(arrays[name])
        for name in arrays
        if name.startswith(prefix)
    }
