"""What onnxruntime makes of a small graph: how we find out which operators of its own it has."""

import io
from collections.abc import Mapping

from ...compiler.emit.onnx import write
from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import Graph, Value
from ...compiler.ir.types import DType, TensorType
from ..kerneldef import Array
from .session import Session


def fed(build: Builder, name: str, array: Array) -> Value:
    """An input that takes an array of float32."""
    return build.input(name, TensorType(DType.FLOAT32, array.shape))


def computed(graph: Graph, feeds: Mapping[str, Array]) -> Array:
    """The only output of a graph.

    Raises:
        NetError: E506, onnxruntime refuses it.
    """
    buffer = io.BytesIO()
    write(graph, {}, buffer)
    (found,) = Session(buffer.getvalue()).run(feeds).values()
    return found
