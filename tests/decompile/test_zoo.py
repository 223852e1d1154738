"""Every spec of the zoo to ONNX, back, to a program, and compiled: counts, layers and numbers."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from support.layers import feeds_for, norm_error
from support.network_rows import stated

import netc
from netc.compiler.decompile.decompile import decompile
from netc.grammar.formatting.formatter import format_source
from netc.grammar.source import Source
from netc.programs import ReshapedState
from netc.runtime.kerneldef import Array
from netc.sources import zoo

LARGE = "language/mixtral_8x7b"  # 187 GB
QUICK, SLOW = 500_000, 5_000_000  # parameters
MOST_MACS = 3_000_000_000  # of networks that are computed
# Layers that are gone once a network is not trained, those that only move elements, and tables:
# an export joins, splits and folds them.
LEFT_OUT = frozenset(
    {"CONST", "DROPOUT", "DROPPATH", "FLATTEN", "ID", "PARAM", "PERMUTE", "RESHAPE", "SCALE"}
)
# What means the same; a single number is an argument of its operator.
ALIKE = {"Add": "ADD", "Mul": "MUL", "RESIZE": "UPSAMPLE"}
SMALL_V2 = dict.fromkeys(("atto", "femto", "pico"), 12)
CONVNEXT_V2 = {**SMALL_V2, "nano": 14, "tiny": 18, "base": 36, "large": 36}
REGIONS = (
    *("detection/fasterrcnn_mobilenet_v3_large_fpn", "detection/fasterrcnn_resnet50_fpn"),
    *("detection/fasterrcnn_resnet50_fpn_v2", "detection/keypointrcnn_resnet50_fpn"),
    *("detection/maskrcnn_resnet50_fpn", "detection/maskrcnn_resnet50_fpn_v2"),
)
# How many layers of a kind the program has more than the spec, where that is another number.
OTHERS: dict[str, dict[str, int]] = {
    # A table that is computed of constants alone is a table.
    "audio/whisper_tiny": {"CONCAT": -1, "Cos": -1, "MUL": -1, "Sin": -1},
    # A learned vector beside several tensors is added by itself.
    **{f"convnext/convnext_v2_{size}": {"ADD": blocks} for size, blocks in CONVNEXT_V2.items()},
    # Noise is of training alone, and a number is added by itself.
    "generative/dit_s_2": {
        **{"CHANNELSHUFFLE": -1, "CONCAT": -3, "Cos": -2, "LINEAR": -24, "MUL": -2},
        **{"SPLIT": -12, "Sin": -2},
    },
    # Attention has its dense layers, and tables of whole numbers are real ones that are converted.
    "language/t5_small": {"Cast": 2, "LINEAR": -72},
    "generative/vae": {"ADD": 1, "EXP": -1, "MUL": -1, "NOISE": -1},
    # Windows are cut of images that are too large to follow each element.
    **{spec: {"Reshape": 1, "WINDOW": -1} for spec in REGIONS},
    # Factors of heads, which a model has without samples.
    "transformers/swin_v2_t": {"Squeeze": 12},
    "transformers/swin_v2_s": {"Squeeze": 24},
    "transformers/swin_v2_b": {"Squeeze": 24},
    # Dense layers before and behind attention are its own.
    "transformers/mobilevit_s": {"LINEAR": -18, "SPLIT": -9},
    "transformers/mobilevit_xs": {"LINEAR": -18, "SPLIT": -9},
    "transformers/mobilevit_xxs": {"LINEAR": -18, "SPLIT": -9},
    "transformers/dinov2_vits14_reg": {"LINEAR": -24, "SPLIT": -12},
    "transformers/maxvit_t": {"LINEAR": -44, "SPLIT": -22},
}

# Parameters of `norm=weight`, which a model has as the weights that they come to.
NORMS = {"sequences/tcn_mnist": 400}


def _marked(name: str) -> object:
    params = stated(name).get("params", 0)
    marks = [pytest.mark.long] if params > SLOW else [pytest.mark.slow] if params > QUICK else []
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [_marked(name) for name in zoo() if name != LARGE])
def test_specs_come_back(name: str, tmp_path: Path) -> None:
    """A spec's model is written as a program of the same network, which computes the same."""
    net, path = netc.load(f"zoo:{name}"), tmp_path / "model.onnx"
    net.export(path, seed=1)
    imported = netc.load_onnx(path)
    program = decompile(imported.graph)
    again = netc.compile(program.text)
    assert imported.to_text() == program.text
    assert format_source(Source("model.net", program.text)) == program.text
    assert "W102" not in {warning.code for warning in again.warnings}  # automatic names
    for each in (imported, again):
        assert (each.params, each.macs) == (net.params - NORMS.get(name, 0), net.macs)
    more = _kinds(again)
    more.subtract(_kinds(net))
    assert {kind: count for kind, count in more.items() if count} == OTHERS.get(name, {})
    held = ReshapedState(imported.initialize(), program.shapes, program.copies, program.tables)
    again.check_weights(held)
    macs = net.macs
    if isinstance(macs, int) and macs <= MOST_MACS:
        feeds = feeds_for(net, 1, low=-1.0, high=1.0)
        feeds = {n: x if x.dtype.kind == "f" else np.minimum(x, 1) for n, x in feeds.items()}
        wanted = _outputs(net, feeds, net.initialize(seed=1))
        computed = onnxruntime.InferenceSession(path).run(list(net.graph.outputs), feeds)
        for y, ours, theirs in zip(_outputs(again, feeds, held), wanted, computed, strict=True):
            assert norm_error(y, ours) <= 1e-5
            assert norm_error(y, theirs) <= 1e-4


def _kinds(net: netc.Network) -> Counter[str]:
    kinds = (ALIKE.get(layer.kind, layer.kind) for layer in net.graph.layers.values())
    return Counter(kind for kind in kinds if kind not in LEFT_OUT)


def _outputs(net: netc.Network, feeds: dict[str, Array], state: Any) -> list[Array]:
    y = net.run(feeds, state)
    return list(y.values()) if isinstance(y, dict) else [y]
