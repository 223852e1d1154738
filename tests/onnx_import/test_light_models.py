"""The nine networks of 2012 to 2017 that onnx ships: old opset in, ours out, the same numbers."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, numpy_helper
from onnx.backend.test import data
from support.onnx_models import computed

from netc.compiler.onnx_import.read import read_model
from netc.compiler.onnx_import.upgrade import upgrade

LIGHT = sorted((Path(data.__path__[0]) / "light").glob("*.onnx"))


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_onnx_takes_what_comes_out(path: Path) -> None:
    """The model is of our opset, and onnx's checker finds nothing wrong with it."""
    model = upgrade(read_model(path).proto)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 22)]
    onnx.checker.check_model(model, full_check=True)


def seeded(model: ModelProto) -> ModelProto:
    """The model with random weights for the constants that onnx leaves in their place."""
    random = np.random.default_rng(0)
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for position in reversed(range(len(model.graph.node))):
        node = model.graph.node[position]
        if node.op_type != "ConstantOfShape":
            continue
        shape = tuple(tensors[node.input[0]])
        if len(shape) == 1:  # variances among them
            weight = random.uniform(0.5, 1.5, shape)
        else:
            weight = random.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
        array = weight.astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, node.output[0]))
        del model.graph.node[position]
    model.ir_version = 7
    return model


# Those with dense layers of a hundred million weights take half a minute each.
SLOWNESS = dict.fromkeys(("light_bvlc_alexnet", "light_vgg19", "light_zfnet512"), pytest.mark.long)


@pytest.mark.parametrize(
    "path",
    [pytest.param(p, marks=SLOWNESS.get(p.stem, pytest.mark.slow), id=p.stem) for p in LIGHT],
)
def test_outputs_stay(path: Path) -> None:
    """With the same random weights, the network computes what it did."""
    model = seeded(onnx.load(path))
    weights = {tensor.name for tensor in model.graph.initializer}
    (info,) = (info for info in model.graph.input if info.name not in weights)
    shape = [dim.dim_value for dim in info.type.tensor_type.shape.dim]
    feeds = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    feeds[info.name] = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    (wanted,) = computed(model, feeds)
    (found,) = computed(upgrade(read_model(model.SerializeToString()).proto), feeds)
    assert wanted.std() > 0
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6 * np.abs(wanted).max())
