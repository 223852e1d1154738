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
from .grammar.files import write_text
from .runtime.data.preprocessing import Fitted
from .runtime.engines.rounding import HalfModel, export_model
from .runtime.inference.deployment import metadata_of, with_preprocessing
from .runtime.run_folder.trained import Trained
from .runtime.weights.files import check_weights
from .runtime.weights.initialize import initialize

Array = ndarray[Any, Any]


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
        NetError: The weights do not fit the network or the type, the opset is not known, or the
            file cannot be written.
    """
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


def export_source(model: Model, path: str) -> None:
    """Write a network as a file of Python; see `Network.export_torch`."""
    write_text(path, torch_source(model))
