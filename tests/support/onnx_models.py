"""ONNX models as text and as files, and what onnxruntime computes of them."""

from typing import Any

import numpy as np
import onnxruntime
from onnx import ModelProto, numpy_helper, parser

import netc


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


HEADER = '<ir_version: 8, opset_import: ["" : 20]>\n'


def model_of(weights: dict[str, tuple[int, ...]], text: str) -> ModelProto:
    """A model with random weights of shapes."""
    model = parser.parse_model(HEADER + text)
    random = np.random.default_rng(0)
    for name, shape in weights.items():
        array = random.standard_normal(shape).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    return model


def kinds_of(net: netc.Network) -> list[str]:
    """The layers but the inputs."""
    return [layer.kind for layer in net.graph.layers.values() if layer.kind != "INPUT"]


def check_numbers(net: netc.Network, model: ModelProto) -> None:
    """What a network yields is what onnxruntime computes."""
    random = np.random.default_rng(1)
    feeds = {
        spec.name: random.standard_normal(
            [d if isinstance(d, int) else 2 for d in spec.shape]
        ).astype(np.float32)
        for spec in net.inputs
    }
    (wanted,) = computed(model, feeds)
    found = net.run(feeds)
    assert isinstance(found, np.ndarray)
    assert np.linalg.norm(found - wanted) <= 1e-4 * np.linalg.norm(wanted)
