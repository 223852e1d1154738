"""The nine networks of 2012 to 2017 that onnx ships: old opset in, ours out, the same numbers."""

from pathlib import Path

import onnx
import pytest
from onnx.backend.test import data

from netc.compiler.onnx_import.read import read_model
from netc.compiler.onnx_import.upgrade import upgrade

LIGHT = sorted((Path(data.__path__[0]) / "light").glob("*.onnx"))


@pytest.mark.parametrize("path", LIGHT, ids=lambda path: path.stem)
def test_onnx_takes_what_comes_out(path: Path) -> None:
    """The model is of our opset, and onnx's checker finds nothing wrong with it."""
    model = upgrade(read_model(path).proto)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 22)]
    onnx.checker.check_model(model, full_check=True)
