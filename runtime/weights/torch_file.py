"""Checkpoints of PyTorch's (`torch.save`), read by PyTorch without running what they hold.

It unpickles only what weights need (`weights_only=True`) and maps zip archives into memory.
"""

import re
import warnings
import zipfile
from collections.abc import Mapping
from os.path import splitext
from typing import Any

import numpy as np

from ...compiler.ir.types import DType, TensorType
from ...grammar.diagnostics import NetError, error, listing
from ...grammar.files import check_readable
from ..arrays.memory import check_memory, not_enough_memory
from ..extras import importing
from ..kerneldef import Array
from .state import LazyState

PICKLES = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
# Under which names checkpoints hold the weights, beside epochs and the state of an optimizer.
HOLDERS = ("state_dict", "model_state_dict", "model", "module", "net", "weights", "params")
CONVERSION = """\
import torch
from safetensors.torch import save_file
state = torch.load({old!r}, map_location="cpu", weights_only=True)
state = state.get("state_dict", state.get("model", state))
save_file({{name: w.contiguous().clone() for name, w in state.items()}}, {new!r})"""


class TorchState(LazyState):
    """The tensors of a checkpoint; bfloat16 and smaller floats, which NumPy lacks, as float32."""

    def __init__(self, path: str, tensors: Mapping[str, Any]) -> None:
        super().__init__(tensors)
        self.path = path
        self._tensors = tensors

    def __getitem__(self, name: str) -> Array:
        type, tensor = self.type_of(name), self._tensors[name]
        check_memory(f"`{name}` of `{self.path}`", type.nbytes)
        try:
            plain = tensor.detach().resolve_conj().resolve_neg()
            own = plain.float() if type.dtype is DType.FLOAT32 else plain
            return np.array(own.numpy(), order="C")
        except (RuntimeError, TypeError, NotImplementedError) as failure:
            raise _unusable(self.path, name, str(failure).splitlines()[0]) from None

    def type_of(self, name: str) -> TensorType:
        """A tensor's type, as it is read."""
        tensor = self._tensors[name]
        kind = str(tensor.dtype).removeprefix("torch.")
        try:
            dtype = DType(kind)
        except ValueError:
            raise _unusable(self.path, name, f"its elements are `{kind}`") from None
        if str(tensor.layout) != "torch.strided" or tensor.device.type != "cpu":
            raise _unusable(self.path, name, "it is sparse, or has no numbers")
        shape = tuple(tensor.shape)
        return TensorType(dtype if dtype.in_numpy else DType.FLOAT32, shape)


def open_torch(path: str) -> TorchState:
    """Open a checkpoint and find its weights.

    They may stand under a name such as `state_dict` or `model`; what are no tensors, such as the
    number of an epoch, is left out.

    Raises:
        NetError: The file cannot be read (E001); PyTorch is not installed, or the file is no
            checkpoint, holds more than weights, or no weights by name (E505); memory does not
            suffice (E507).
    """
    check_readable(path)
    held = _loaded(_torch(path), path)
    tensors = _weights(held)
    if tensors is None:
        keys = list(map(str, held)) if isinstance(held, Mapping) else []
        note = f"it holds {listing(keys, 5)}" if keys else f"it holds a {type(held).__name__}"
        raise error(
            "E505",
            f"`{path}` holds no weights by name",
            notes=[note],
            help="save a state dict: torch.save(model.state_dict(), path)",
        )
    return TorchState(path, tensors)


def _torch(path: str) -> Any:
    with importing(
        "E505",
        f"`{path}` is a pickle of PyTorch's, and PyTorch is not installed",
        "pip install 'netc[torch]', or write the weights as safetensors where it is, in Python:\n"
        + CONVERSION.format(old=path, new=f"{splitext(path)[0]}.safetensors"),
    ):
        import torch
    return torch


def _loaded(torch: Any, path: str) -> Any:
    """What a file holds, on the CPU; a zip archive stays in its file until it is read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(
                path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
            )
    except MemoryError:
        raise not_enough_memory(f"`{path}`", 0) from None
    except Exception as failure:  # anything, as bytes that are no checkpoint make it raise
        raise _refused(path, str(failure)) from None


def _refused(path: str, why: str) -> NetError:
    """The error for a file that PyTorch does not read, by what it is."""
    save = "save its weights alone, where it comes from: torch.save(model.state_dict(), path)"
    if _is_script(path):
        help = "save its weights: `torch.save(torch.jit.load(path).state_dict(), new_path)`"
        return error("E505", f"`{path}` is a TorchScript archive, which is a program", help=help)
    refused = re.search(r"GLOBAL (\S+)", why) or re.search(r"class (\S+)", why)
    if "eights only" in why and refused:
        note = f"reading it would run `{refused[1].strip('`')}`"
        return error("E505", f"`{path}` holds more than weights", notes=[note], help=save)
    return error(
        "E505",
        f"`{path}` is not a complete checkpoint of PyTorch's",
        notes=why.strip().splitlines()[:1],
        help="it may be truncated, or of another format: copy it again, or check its suffix",
    )


def _is_script(path: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def _weights(held: Any) -> Mapping[str, Any] | None:
    """The tensors by name in what a file holds, or in what that holds under a usual name."""
    if not isinstance(held, Mapping):
        return None
    for name in HOLDERS:
        if (found := _weights(held.get(name))) is not None:
            return found
    found = {str(name): each for name, each in held.items() if hasattr(each, "layout")}
    return found or None


def _unusable(path: str, name: str, why: str) -> NetError:
    return error("E505", f"`{name}` in `{path}` cannot be read: {why}")
