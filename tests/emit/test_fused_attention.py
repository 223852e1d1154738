"""Attention layers as ONNX's `Attention`: one operator each, and the same numbers."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from support.layers import feeds_for, norm_error, random_state

import netc

CROSS = "q = INPUT(6x8, sequence)\nk = INPUT(5x4, sequence)\n( q | k | k ) -> ATTENTION"
MASKED = "m = INPUT({}) as mask\nINPUT(6x8, sequence) -> ATTENTION(2, mask=mask{})"
SELF = "INPUT(6x8, sequence) -> ATTENTION"

FUSED = {
    "plain": f"{SELF}(2)",
    "causal": f"{SELF}(2, causal=yes, dropout=0.1)",
    "scaled": f"{SELF}(2, scale=0.3, bias=no)",
    "grouped": f"{SELF}(4, kv_heads=2)",
    "one head of keys": f"{SELF}(4, kv_heads=1, causal=yes)",
    "keys masked": MASKED.format("6, dtype=int64", ""),
    "scores masked": MASKED.format("6x6, sequence", ", causal=yes"),
    "relative": f"{SELF}(2, relative=yes, causal=yes)",
    "constant mask": f"CONST(causal(6)) as mask\n{SELF}(2, mask=mask, relative=yes)",
    "crossed": f"{CROSS}(2, width=12, causal=yes)",
    "without dense layers": (
        "q = INPUT(6x8, sequence)\nk = INPUT(5x8, sequence)\nv = INPUT(5x6, sequence)\n"
        "( q | k | v ) -> ATTENTION(2, project=no)"
    ),
    "open length": "INPUT((T, 8), sequence) -> ATTENTION(2, causal=yes)",
}


def fused(network: netc.Network, path: Path) -> list[str]:
    """The operators of a model with fused attention, whose outputs are the network's."""
    state = random_state(network)
    extents = {extent for given in network.inputs for extent in given.shape}
    feeds = _open() if "T" in extents else feeds_for(network, 3, low=-1, high=1)
    network.export(path, state, fused_attention=True)
    session = onnxruntime.InferenceSession(str(path))
    expected = network.run(feeds, state)
    assert isinstance(expected, np.ndarray)
    assert norm_error(session.run(None, feeds)[0], expected) <= 1e-5
    return [node.op_type for node in onnx.load(path).graph.node]


def _open() -> dict[str, np.ndarray]:
    return {"input": np.random.default_rng(0).uniform(-1, 1, (3, 7, 8)).astype(np.float32)}


@pytest.mark.parametrize("program", FUSED.values(), ids=FUSED)
def test_one_operator_for_each_layer(program: str, tmp_path: Path) -> None:
    """Scores, masks and softmax are in it."""
    kinds = fused(netc.compile(program), tmp_path / "m.onnx")
    assert kinds.count("Attention") == 1
    assert "Softmax" not in kinds


@pytest.mark.parametrize("name", ["plain", "causal", "scaled", "grouped", "relative", "crossed"])
def test_the_operator_is_a_layer_again(name: str, tmp_path: Path) -> None:
    """With the arguments that it had; without dropout, which inference does not know."""
    network = netc.compile(FUSED[name])
    path = tmp_path / "m.onnx"
    network.export(path, fused_attention=True)
    found = netc.load_onnx(path)
    (before, after) = (
        [layer for layer in net.graph.layers.values() if layer.kind == "ATTENTION"]
        for net in (network, found)
    )
    given = {n: v for n, v in before[0].arguments.items() if n not in ("dropout", "init")}
    assert {n: v for n, v in after[0].arguments.items() if n in given} == given
    assert found.counts.params == network.counts.params


def test_shifted_windows_stay_as_they_are(tmp_path: Path) -> None:
    """What comes between the scores of shifted windows is no mask for all samples alike."""
    program = "INPUT(8x8x4) -> WINDOW(4, shift=2) -> ATTENTION(2, mask=shifted) -> FC(3)"
    assert "Attention" not in fused(netc.compile(program), tmp_path / "m.onnx")


def test_a_transformer(tmp_path: Path) -> None:
    """Each layer of ViT's encoder, in the opset that has the operator."""
    program = 'import "lib:vit.net"\nINPUT(5x8, sequence) -> Encoder(3, 2, 12) -> FC(2)'
    path = tmp_path / "m.onnx"
    assert fused(netc.compile(program), path).count("Attention") == 3
    assert [(o.domain, o.version) for o in onnx.load(path).opset_import] == [("", 23)]


def test_an_older_opset_is_refused(tmp_path: Path) -> None:
    """Opset 22 has no such operator, and nothing is written."""
    path = tmp_path / "m.onnx"
    with pytest.raises(netc.NetError, match="opset 22 has no operator `Attention`"):
        netc.compile(FUSED["plain"]).export(path, opset=22, fused_attention=True)
    assert not path.exists()
