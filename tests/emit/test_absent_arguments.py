"""Optional arguments that are left out at the end of a node's list are not written."""

from importlib import import_module
from pathlib import Path

import onnx
import onnxruntime
import pytest
from support.network_rows import marked_specs

import netc
from netc.compiler.emit.onnx.nodes import emit
from netc.compiler.ir.graph import Graph
from netc.compiler.onnx_standard.schemas import OPSET
from netc.compiler.passes.decompose import decompose
from netc.compiler.passes.pipeline import settle

FAMILIES = sorted(
    path.stem for path in (Path(__file__).parents[1] / "support" / "rows").glob("[a-z]*.py")
)
FOLDED = ("resnet/resnet18", "mobile/mobilenet_v2", "densenet/densenet121")
TRAINED = "INPUT(8x8x4) -> [CONV(3x3, 8, bias=no) -> BN -> RELU -> POOL]*2 -> DROPOUT -> FC(3)"


def _nodes(graph: Graph) -> list[onnx.NodeProto]:
    return list(emit(decompose(settle(graph)), OPSET).proto.node)


def _empty_endings(nodes: list[onnx.NodeProto]) -> list[str]:
    return [node.name for node in nodes if node.input and not node.input[-1]]


@pytest.mark.parametrize("family", FAMILIES)
def test_layers(family: str) -> None:
    """No row of the layer table ends a node's list with an empty name."""
    for row in import_module(f"support.rows.{family}").ROWS:
        assert not _empty_endings(_nodes(netc.compile(row.program).graph)), row.program


@pytest.mark.parametrize("name", marked_specs())
def test_shipped_networks(name: str) -> None:
    """No network that ships does."""
    assert not _empty_endings(_nodes(netc.load(f"zoo:{name}").graph))


def test_arguments_in_the_middle_keep_their_place() -> None:
    """An argument that is left out before one that is given is an empty name."""
    network = netc.compile("INPUT(4x4x2) -> UPSAMPLE(2)")
    (resize,) = [node for node in _nodes(network.graph) if node.op_type == "Resize"]
    assert [bool(name) for name in resize.input] == [True, False, True]


def test_training(tmp_path: Path) -> None:
    """Neither gradients nor steps of training do."""
    network = netc.compile(TRAINED)
    assert not _empty_endings(_nodes(network.backward()))
    network.export_training(tmp_path / "step.onnx", loss="cross_entropy")
    assert not _empty_endings(list(onnx.load(tmp_path / "step.onnx").graph.node))


def _optimized(network: netc.Network, folder: Path) -> onnx.GraphProto:
    """What onnxruntime makes of an exported network."""
    network.export(folder / "m.onnx", network.initialize(0))
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    options.log_severity_level = 4
    onnxruntime.InferenceSession(folder / "m.onnx", options)
    return onnx.load(folder / "optimized.onnx").graph


def test_batch_normalization_is_folded(tmp_path: Path) -> None:
    """Onnxruntime folds BN into the convolution without bias before it."""
    network = netc.compile("INPUT(16x16x3) -> [CONV(3x3, 8, bias=no) -> BN -> RELU]*3 -> GAP")
    kinds = [node.op_type for node in _optimized(network, tmp_path).node]
    assert "BatchNormalization" not in kinds
    assert sum("Conv" in kind for kind in kinds) == 3


@pytest.mark.parametrize("name", FOLDED)
def test_shipped_networks_are_folded(name: str, tmp_path: Path) -> None:
    """So it does in whole networks: no BN is left behind a convolution."""
    graph = _optimized(netc.load(f"zoo:{name}"), tmp_path)
    made_by = {output: node.op_type for node in graph.node for output in node.output}
    left = [node for node in graph.node if node.op_type == "BatchNormalization"]
    assert not [node.name for node in left if "Conv" in made_by.get(node.input[0], "")]
