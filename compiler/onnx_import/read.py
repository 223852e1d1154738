"""`read_model`: a file or its bytes to a `ModelProto` that keeps the rules of the standard."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import DecodeError, Message
from onnx import IR_VERSION, ModelProto, TensorProto

from ...grammar.diagnostics import Diagnostic, NetError, error
from ...grammar.files import open_file
from .faults import fault, shown
from .functions import check_functions
from .graphs import ONNX, Checker

MAX_BYTES = 2**31 - 1  # what protobuf holds in one message
MAX_PARTS = 3_000_000  # nodes, attributes, types; networks with billions of weights have 500,000
OLDEST_IR = 3


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model as its file has it, with names and order that can be relied on.

    Attributes:
        proto: The model; weights that lie in other files are still there.
        name: What messages call it: the path.
        folder: Where those other files lie; None where the model came as bytes.
        warnings: What is doubtful.
    """

    proto: ModelProto
    name: str
    folder: Path | None
    warnings: tuple[Diagnostic, ...] = ()


def read_model(source: str | Path | bytes) -> ModelFile:
    """Read a model, without the data that lie in other files, and check it.

    Nodes come out in an order in which each finds its arguments, extents of types that are
    negative as unknown, sparse tensors as dense ones.

    Raises:
        NetError: E001, the file cannot be read; E401, functions come to too many nodes; E402,
            graphs or functions nest too deep; E404, it has more than 2 GiB, or a tensor is too
            large; E505, it is no ONNX model; E576, it breaks a rule of the standard; E577, data
            in other files are not to be had; E578, it is of a version that cannot be read.
    """
    name, folder, data = _opened(source)
    model = _parsed(name, data)
    del data
    _check_text(model)
    warnings = _check_versions(model)
    _shorten_domains(model)
    checker = Checker(folder)
    check_functions(model, checker)
    checker.check_graph(model.graph)
    return ModelFile(model, name, folder, warnings)


def _opened(source: str | Path | bytes) -> tuple[str, Path | None, bytes]:
    if isinstance(source, bytes):
        return "the model", None, source
    path = str(source)
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            raise error(
                "E404",
                f"`{path}` has more than 2 GiB, which no ONNX file holds",
                help="save the model with its weights as external data",
            )
        data = file.read(size)
    return path, Path(path).absolute().parent, data


def _parsed(name: str, data: bytes) -> ModelProto:
    if not data:
        raise error("E505", f"`{name}` is empty", help="download or write it again")
    try:
        model: ModelProto = ModelProto.FromString(data)
    except DecodeError:
        raise _no_model(name, data) from None
    if not model.HasField("graph"):
        raise _no_model(name, data)
    return model


# What files of other formats hold, by suffix, and how to go on from there.
_KERAS = "a model of Keras or TensorFlow", "tf2onnx writes it as an ONNX model"
_PYTORCH = (
    "a file of PyTorch",
    'PyTorch writes its model as ONNX: `torch.onnx.export(model, (x,), "model.onnx")`',
)
_WEIGHTS = "a file of weights", "commands take it beside its network: `--weights {name}`"
OTHER_FORMATS: Mapping[str, tuple[str, str]] = {
    ".net": (
        "a program",
        "commands take it as it is: `netc summary {name}`; as an ONNX model"
        " `netc export {name} -o model.onnx` writes it",
    ),
    **dict.fromkeys((".h5", ".keras", ".pb", ".tflite"), _KERAS),
    **dict.fromkeys((".bin", ".ckpt", ".pt", ".pt2", ".pth"), _PYTORCH),
    **dict.fromkeys((".npz", ".safetensors"), _WEIGHTS),
}
_POINTER = b"version https://git-lfs"


def _no_model(name: str, data: bytes) -> NetError:
    """What a file is that is no model, as far as its first bytes and its suffix show."""
    if data.startswith(_POINTER):
        kind, help = "what Git LFS keeps in place of a file", "`git lfs pull` fetches the file"
    elif other := OTHER_FORMATS.get(PurePath(name).suffix.lower()):
        kind, help = other
    else:
        message = f"`{name}` is not an ONNX model, or a part of one is missing"
        return error("E505", message, help="download or write it again")
    return error("E505", f"`{name}` is {kind}, no ONNX model", help=help.format(name=name))


def _check_text(model: ModelProto) -> None:
    """All texts are UTF-8; protobuf hands others on as bytes.

    Raises:
        NetError: E576, one is not; E401, the model has too many parts.
    """
    pending: list[Message] = [model]
    parts = 0
    while pending:
        message = pending.pop()
        for kind, held in _fields(message):
            if kind == FieldDescriptor.TYPE_MESSAGE:
                found = [held] if isinstance(held, Message) else held
                parts += len(found)
                if parts > MAX_PARTS:
                    raise error("E401", f"the model has more than {MAX_PARTS} parts")
                pending.extend(found)
            elif kind == FieldDescriptor.TYPE_STRING:
                for text in [held] if isinstance(held, str | bytes) else held:
                    if isinstance(text, bytes):
                        raise fault(f"{shown(repr(text))} is not UTF-8 text")


def _fields(message: Message) -> Iterator[tuple[int, Any]]:
    """The fields that a message holds, each with its kind; of a tensor no numbers."""
    if not isinstance(message, TensorProto):
        yield from ((field.type, held) for field, held in message.ListFields())
        return
    yield FieldDescriptor.TYPE_STRING, (message.name, message.doc_string)
    yield FieldDescriptor.TYPE_MESSAGE, message.external_data
    yield FieldDescriptor.TYPE_MESSAGE, message.metadata_props


def _check_versions(model: ModelProto) -> tuple[Diagnostic, ...]:
    """The version of the format is one that is read; a newer one is tried."""
    version = model.ir_version
    if version < OLDEST_IR:
        raise error(
            "E578",
            f"the model has IR version {version}; those before {OLDEST_IR} do not say what "
            "their operators mean",
            help="export it again with a newer exporter",
        )
    if version <= IR_VERSION:
        return ()
    what = f"the model has IR version {version}; the onnx that is installed knows {IR_VERSION}"
    return (Diagnostic("W576", what, help="install a newer onnx if the model is refused"),)


def _shorten_domains(model: ModelProto) -> None:
    """Call ONNX's own domain by its short name, and check that each has one version."""
    versions: dict[str, int] = {}
    for opset in model.opset_import:
        if opset.domain == ONNX:
            opset.domain = ""
        if versions.setdefault(opset.domain, opset.version) != opset.version:
            raise fault(f"the model names two versions of the domain {shown(opset.domain)}")
