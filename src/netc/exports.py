"""A model and its weights to an ONNX file; a model to a file of Python for PyTorch."""

from collections import ChainMap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy import ndarray

from . import __version__
from .compiler.emit.onnx import Half
from .compiler.emit.torch.source import torch_source
from .compiler.ir.graph import Graph
from .compiler.model import Model
from .grammar.diagnostics import error
from .grammar.files import write_text
from .runtime.data.preprocessing import Fitted
from .runtime.engines.rounding import HalfModel, export_model
from .runtime.inference.deployment import metadata_of, with_preprocessing
from .runtime.run_folder.trained import Trained
from .runtime.weights.files import check_weights
from .runtime.weights.initialize import initialize
from .sources import ONNX

Array = ndarray[Any, Any]

PYTHON = ".py"


@dataclass(frozen=True, slots=True)
class Exported:
    """A network as it was exported.

    Attributes:
        graph: The network, preprocessing included.
        state: All its weights.
        half: The model, where it is in half precision.
    """

    graph: Graph
    state: Mapping[str, Array]
    half: HalfModel | None


def export_network(
    model: Model,
    path: str,
    state: Mapping[str, Array] | None,
    *,
    opset: int | None = None,
    seed: int = 0,
    trained: Trained | None = None,
    half: Half | None = None,
    fused_attention: bool = False,
) -> Exported:
    """Write a program's network as an ONNX model; weights that are not given are drawn.

    Args:
        model: The network.
        path: The model's file.
        state: Parameters and buffers.
        opset: Of the model.
        seed: For weights that are drawn.
        trained: A run, whose preprocessing and names of classes go into the model.
        half: The type of its weights and products, if not float32.
        fused_attention: Whether attention layers are ONNX's `Attention`.

    Raises:
        NetError: The weights do not fit the network or the type, the opset is not known, the file
            cannot be written, or its name is one of Python (E505).
    """
    check_model_name(path)
    metadata = dict(model.properties())
    if state is None:
        state = initialize(model.graph, seed)
        metadata["seed"] = str(seed)
    else:
        check_weights(model.graph, state)
    graph = model.graph
    if trained is not None:
        graph, arrays = with_preprocessing(graph, trained.fitted or Fitted(), trained.facts)
        state = ChainMap(arrays, state)  # type: ignore[arg-type]  # nothing is written to it
        metadata |= metadata_of(trained.facts)
    options = {"opset": opset, "metadata": metadata, "version": __version__}
    options["fused_attention"] = fused_attention
    return Exported(graph, state, export_model(graph, state, path, half, **options))


def check_model_name(path: str) -> None:
    """Refuse to write an ONNX model to a file of Python.

    Raises:
        NetError: E505.
    """
    if path.endswith(PYTHON):
        help = "`netc export --to torch` and `net.export_torch` write Python"
        raise error("E505", f"`{path}` is the name of a file of Python, not of a model", help=help)


def export_source(model: Model, path: str) -> None:
    """Write a network as a file of Python; see `Network.export_torch`."""
    if path.endswith(ONNX):
        help = f"write `{path.removesuffix(ONNX)}{PYTHON}`"
        raise error("E505", f"`{path}` is the name of an ONNX model, not of Python", help=help)
    write_text(path, torch_source(model))
