"""ONNX models as text and as files, and what onnxruntime computes of them."""

from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto, parser


def parsed(text: str) -> ModelProto:
    """A model in onnx's own text form."""
    model: ModelProto = parser.parse_model(text)
    return model


def computed(model: ModelProto, feeds: dict[str, Any]) -> list[Any]:
    """What onnxruntime computes, without its optimizations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    given = {info.name for info in session.get_inputs()}
    return list(session.run(None, {name: np.asarray(feeds[name]) for name in given}))
