"""A model and its weights to an ONNX file; a model to a file of Python for PyTorch."""

from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from numpy import ndarray

from . import __version__
from .compiler.emit.onnx import export
from .compiler.emit.torch.source import torch_source
from .compiler.ir.graph import Graph
from .compiler.model import Model
from .grammar.files import write_text
from .runtime.data.preprocessing import Fitted
from .runtime.inference.deployment import class_names, with_preprocessing
from .runtime.run_folder.trained import Trained
from .runtime.weights.files import check_weights
from .runtime.weights.initialize import initialize

Array = ndarray[Any, Any]


def export_network(
    model: Model,
    path: str,
    state: Mapping[str, Array] | None,
    *,
    opset: int | None = None,
    seed: int = 0,
    trained: Trained | None = None,
) -> tuple[Graph, Mapping[str, Array]]:
    """Write a program's network as an ONNX model; weights that are not given are drawn.

    Args:
        model: The network.
        path: The model's file.
        state: Parameters and buffers.
        opset: Of the model.
        seed: For weights that are drawn.
        trained: A run, whose preprocessing and names of classes go into the model.

    Returns:
        The network as it was exported, preprocessing included, and all its weights.

    Raises:
        NetError: The weights do not fit, the opset is not known, or the file cannot be written.
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
        metadata |= class_names(trained.facts)
    export(graph, state, path, opset=opset, metadata=metadata, version=__version__)
    return graph, state


def export_source(model: Model, path: str) -> None:
    """Write a network as a file of Python; see `Network.export_torch`."""
    write_text(path, torch_source(model))
