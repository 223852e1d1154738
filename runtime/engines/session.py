"""ONNX model and inputs -> results, on onnxruntime; a device that is not available is an error."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import Any

import numpy as np

from ...compiler.ir.dim import Dim, symbol
from ...compiler.ir.types import DType, HolderType, SequenceType, TensorType
from ...grammar.diagnostics import NetError, did_you_mean, error
from ...grammar.files import check_readable, path_or_bytes
from ..arrays.feeds import check_feeds
from ..extras import importing
from ..kerneldef import Array
from ..kernels.crew import allowed_cores
from ..kernels.underflow import as_wanted, zeros_for_denormals
from ..kernels.workers import chosen_workers, shared_cores
from .io_bindings import Bindings

# What a device is to onnxruntime, and how to get it.
PROVIDERS = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
REMEDIES = {
    "cpu": "pip install 'netc[cpu]'",
    "cuda": "pip uninstall onnxruntime, then pip install 'netc[gpu]', and check the driver and its"
    " libraries",
}

# The types of arrays, as onnxruntime spells them, and of their elements.
_OTHERWISE = {DType.FLOAT32: "float", DType.FLOAT64: "double"}
_DTYPES = {
    f"tensor({_OTHERWISE.get(dtype, dtype.value)})": dtype for dtype in DType if dtype.letter
}
_SEQUENCES = {f"seq({kind})": dtype for kind, dtype in _DTYPES.items()}
_FATAL = 4  # onnxruntime's log levels; every error reaches us as an exception as well


class Session:
    """A model that is ready to run.

    Args:
        model: The path of a model, or its bytes.
        device: `cpu` or `cuda`.
        flushes: Whether `run_into` takes numbers below the least normal one as zeros, where the
            processor lets us.

    Raises:
        NetError: E502, onnxruntime or the device is missing; E506, the model is refused; E575,
            an input is not an array of numbers; E001, there is no such file.
    """

    def __init__(self, model: str | bytes, *, device: str = "cpu", flushes: bool = False) -> None:
        if device not in PROVIDERS:
            help = f"the devices are {' and '.join(f'`{known}`' for known in PROVIDERS)}"
            raise error("E502", f"unknown device `{device}`", help=help)
        runtime = _onnxruntime()
        available = runtime.get_available_providers()
        if PROVIDERS[device] not in available:
            raise _no_device(device, available, "this onnxruntime was built without it")
        self.device = device
        self._flushes = flushes and _can_flush()
        # What onnxruntime tells the thread of the first session in a process ends with it.
        with _flushing() if self._flushes else nullcontext():
            self._session = _open(runtime, model, device, flushes=self._flushes)
        value = runtime.OrtValue.ortvalue_from_numpy
        self._bindings = Bindings(self._session, value, copies=device != "cpu")
        active = self._session.get_providers()
        if PROVIDERS[device] not in active:
            raise _no_device(device, active, "it is built in, but could not be started")
        self.inputs: dict[str, TensorType] = {i.name: _type(i) for i in self._session.get_inputs()}
        self._types = {output.name: output.type for output in self._session.get_outputs()}
        self.outputs: tuple[str, ...] = tuple(self._types)
        try:
            found = self._session.get_modelmeta().custom_metadata_map
        except UnicodeDecodeError:  # its bytes are not text, and nobody needs them to run
            found = {}
        self.metadata: dict[str, str] = dict(found)

    def run(
        self, feeds: Mapping[str, Any], fetches: Sequence[str] | None = None
    ) -> dict[str, Array]:
        """Run the model.

        Args:
            feeds: Inputs by name.
            fetches: Outputs to return; all where it is None.

        Raises:
            NetError: Inputs (E206) or names (E101) do not fit, an output is not an array of numbers
                (E575), onnxruntime fails (E506), or its memory does not suffice (E507).
        """
        names = list(self.outputs if fetches is None else fetches)
        for name in names:
            if name not in self.outputs:
                help = did_you_mean(name, self.outputs)
                raise error("E101", f"the model has no output `{name}`", help=help)
            if not _is_known(self._types[name]):
                others = [other for other, kind in self._types.items() if _is_known(kind)]
                help = f"fetch {', '.join(f'`{o}`' for o in others)}" if others else None
                raise _no_array("output", name, self._types[name], help=help)
        checked = check_feeds(self._ranked(feeds), feeds)
        try:
            results = self._session.run(names, checked.arrays)
        except Exception as failure:  # onnxruntime's exceptions share no other base
            raise _refused("onnxruntime cannot run the model", failure) from None
        return dict(zip(names, results, strict=True))

    def run_into(self, feeds: Mapping[str, Array], into: Mapping[str, Array]) -> dict[str, Array]:
        """Run the model on arrays that fit it, without copies on the CPU; return all outputs.

        Args:
            feeds: Inputs by name; what the model does not take is left out.
            into: Arrays by an output's name, of its type, that it is written to; they are none of
                the inputs. Other outputs get arrays of their own.

        Raises:
            NetError: onnxruntime fails (E506), or its memory does not suffice (E507).
        """
        try:
            with _flushing() if self._flushes else nullcontext():
                return self._bindings.run(feeds, into, tuple(self.inputs), self.outputs)
        except Exception as failure:  # onnxruntime's exceptions share no other base
            raise _refused("onnxruntime cannot run the model", failure) from None

    def _ranked(self, feeds: Mapping[str, Any]) -> dict[str, TensorType]:
        """The inputs' types; onnxruntime tells none without a rank from one without axes."""
        return {
            name: type.with_shape(_shape(feeds.get(name))) if _is_open(type) else type
            for name, type in self.inputs.items()
        }


@contextmanager
def _flushing() -> Iterator[None]:
    with zeros_for_denormals(), as_wanted():
        yield


@cache
def _can_flush() -> bool:
    """Whether the thread that calls can, too: it computes a part of each step."""
    small = np.full(64, 1e-20, np.float32)
    with _flushing():
        return not (small * small).any()


def version() -> str:
    """The version of onnxruntime.

    Raises:
        NetError: E502, it is not installed.
    """
    return str(_onnxruntime().__version__)


def _onnxruntime() -> Any:
    help = "pip install 'netc[cpu]', or pip install 'netc[gpu]' for CUDA; not both"
    with importing("E502", "onnxruntime is not installed", help):
        import onnxruntime
    return onnxruntime


def _open(runtime: Any, model: str | bytes, device: str, *, flushes: bool) -> Any:
    runtime.set_default_logger_severity(_FATAL)
    options = runtime.SessionOptions()
    options.log_severity_level = _FATAL
    wanted = chosen_workers() or shared_cores() or 0  # 0: as it chooses
    options.intra_op_num_threads = min(wanted, len(allowed_cores()))  # others would only wait
    if flushes:
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    # The CPU runs what a device has no kernel for, such as the computation of shapes.
    providers = list(dict.fromkeys([PROVIDERS[device], PROVIDERS["cpu"]]))
    if isinstance(model, str):
        check_readable(model)
        model = path_or_bytes(model)
    try:
        return runtime.InferenceSession(model, options, providers=providers)
    except Exception as failure:  # onnxruntime's exceptions share no other base
        raise _refused("onnxruntime refuses the model", failure) from None


def _refused(message: str, failure: Exception) -> NetError:
    text = str(failure)
    if isinstance(failure, MemoryError) or "allocate memory" in text or "bad alloc" in text:
        return error(
            "E507",
            "onnxruntime does not have enough memory",
            notes=[text],
            help="run smaller batches",
        )
    if lacking := re.search(r"NOT_IMPLEMENTED.*implementation for (\w+)\(", text):
        return error(
            "E506",
            f"onnxruntime has no `{lacking[1]}` for these operands",
            help="run it on the engine numpy, or in float32 where the network is of float64",
        )
    return error("E506", message, notes=text.splitlines()[:5])


def _no_device(device: str, providers: Iterable[str], reason: str) -> NetError:
    return error(
        "E502",
        f"onnxruntime cannot use the device `{device}`: {reason}",
        notes=[f"it can use {', '.join(providers)}"],
        help=REMEDIES[device],
    )


def _is_known(kind: str) -> bool:
    return kind in _DTYPES or kind in _SEQUENCES


def _is_open(type: TensorType) -> bool:
    """Whether nothing is known of axes, of which a sequence has none itself."""
    return not type.shape and not isinstance(type, HolderType)


def _type(argument: Any) -> TensorType:
    """An input as onnxruntime describes it; extents without a name get one."""
    if argument.type in _SEQUENCES:
        return SequenceType(_SEQUENCES[argument.type], ())
    if argument.type not in _DTYPES:
        raise _no_array("input", argument.name, argument.type)
    shape: list[Dim] = [
        extent if isinstance(extent, int) else symbol(extent or f"{argument.name}:{axis}")
        for axis, extent in enumerate(argument.shape)
    ]
    return TensorType(_DTYPES[argument.type], tuple(shape))


def _shape(given: Any) -> tuple[int, ...]:
    """The extents of an array; none of what is not an array."""
    try:
        return np.shape(given)
    except ValueError:
        return ()


def _no_array(what: str, name: str, kind: str, *, help: str | None = None) -> NetError:
    message = f"the {what} `{name}` is `{kind}`, which NumPy cannot represent"
    return error("E575", message, help=help)
