"""Sequences, windows and reshaping beyond the layer table: no samples, masks, shared weights."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from support.layers import LayerRow, feeds_for, random_state
from support.refusals import failure_of

import netc
from netc.runtime.kerneldef import Array

FAMILIES = ("sequences", "attention", "shaping", "padding", "slicing", "window_partition")
ROWS: list[LayerRow] = [
    row for family in FAMILIES for row in import_module(f"support.rows.{family}").ROWS
]


def output(network: netc.Network, feeds: Any, state: Mapping[str, Array], **options: Any) -> Array:
    """What the layer `l` yields."""
    found = network.run(feeds, state, fetch=["l"], **options)
    assert isinstance(found, dict)
    return found["l"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.program.replace("\n", "; "))
def test_an_empty_batch(row: LayerRow) -> None:
    """No samples give no results, of the inferred shape."""
    network = netc.compile(row.program)
    feeds = feeds_for(network, 0, low=row.low, high=row.high)
    found = network.run(feeds, random_state(network), fetch=["l"])["l"]
    assert found.shape == network.graph.labels["l"].type.bind({"N": 0}).shape


def test_positions_without_keys_attend_evenly() -> None:
    """Where a mask leaves no key, the weights are equal, and nothing is lost to infinities."""
    network = netc.compile(
        "INPUT(4x2, sequence) as x\nINPUT(4, dtype=int64) as m\nx -> ATTENTION(1, mask=m) as l"
    )
    state = dict(network.initialize(0))
    state["l.in_proj_weight"] = np.concatenate([np.eye(2, dtype=np.float32)] * 3)
    state["l.out_proj.weight"] = np.eye(2, dtype=np.float32)
    x = np.random.default_rng(0).random((1, 4, 2), np.float32)
    for engine in ("numpy", "onnxruntime"):
        feeds = {"x": x, "m": np.zeros((1, 4), np.int64)}
        y = output(network, feeds, state, engine=engine)
        np.testing.assert_allclose(y, np.broadcast_to(x.mean(1, keepdims=True), x.shape), rtol=1e-5)


def test_masks_of_both_kinds_keep_the_future_hidden() -> None:
    """With a causal mask beside a mask of keys, no position depends on a later one."""
    network = netc.compile(
        "INPUT(5x4, sequence) as x\nINPUT(5, dtype=int64) as m\n"
        "x -> ATTENTION(2, causal=yes, mask=m) as l"
    )
    state = random_state(network)
    random = np.random.default_rng(0)
    x, mask = random.random((2, 5, 4), np.float32), np.array([[1, 0, 1, 1, 0], [1, 1, 0, 0, 1]])
    changed = x.copy()
    changed[:, 3:] = random.random((2, 2, 4))
    before, after = (output(network, {"x": part, "m": mask}, state) for part in (x, changed))
    np.testing.assert_array_equal(before[:, :3], after[:, :3])
    assert np.abs(before[:, 3] - after[:, 3]).min() > 0


def test_dropout_on_attention_weights_is_none_at_inference() -> None:
    """`dropout=` changes nothing but training."""
    plain, dropping = (
        netc.compile(f"INPUT(5x4, sequence) -> ATTENTION(2{rate}) as l")
        for rate in ("", ", dropout=0.5")
    )
    state = random_state(plain)
    x = np.random.default_rng(0).random((2, 5, 4), np.float32)
    np.testing.assert_array_equal(output(plain, x, state), output(dropping, x, state))
    assert "Dropout" in {node.op_type for _, node in dropping.graph.nodes()}


def test_tied_embeddings() -> None:
    """A language model's last layer uses the weights of its embedding."""
    network = netc.compile(
        "INPUT(5, dtype=int64) -> EMBED(11, 4) as tokens -> LINEAR(11, bias=no, share=tokens) as l"
    )
    assert network.params == 44
    state = random_state(network)
    tokens = np.array([[1, 10, 0, 3, 3]])
    rows = state["tokens.weight"]
    np.testing.assert_allclose(output(network, tokens, state), rows[tokens] @ rows.T, rtol=1e-5)


def test_token_ids_beyond_the_vocabulary() -> None:
    """An id without a row is an error that says which ids there are."""
    network = netc.compile("INPUT(3, dtype=int64) -> EMBED(4, 2)")
    with pytest.raises(netc.NetError, match="holds 9, which is out of range for `embed1`"):
        network.run(np.array([[0, 9, 1]]), network.initialize(0))


def test_a_volume_in_windows_comes_back() -> None:
    """WINDOW and UNWINDOW undo each other for every shift, whatever does not divide."""
    x = np.random.default_rng(0).random((2, 2, 3, 5, 7), np.float32)
    for shift in ("0", "1", "0x1x2"):
        program = f"INPUT(3x5x7x2) -> WINDOW(2x3x4, shift={shift}) -> UNWINDOW as l"
        network = netc.compile(program)
        np.testing.assert_array_equal(output(network, x, network.initialize(0)), x)


BODY = (
    "EMBED(7, 4) as embed -> POSEMBED(6) as positions -> ATTENTION(2, causal=yes) as attention"
    " -> LINEAR(3) as dense -> SLICE(-1, axis=length) as l"
)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_sequences_of_any_length(engine: str) -> None:
    """With a length left open, a network takes each length as one that is made for it does."""
    network = netc.compile(f"INPUT((L,), dtype=int64) -> {BODY}")
    state = random_state(network)
    for length in (1, 4, 6):
        made = netc.compile(f"INPUT({length}, dtype=int64) -> {BODY}")
        tokens = np.random.default_rng(0).integers(0, 7, (2, length))
        found, expected = (output(n, tokens, state, engine=engine) for n in (network, made))
        np.testing.assert_allclose(found, expected, rtol=1e-6)


HEADS = "LINEAR(8) as a -> RESHAPE((-1, 4)) -> RMSNORM as norm -> RESHAPE((-1, 8)) as l"


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_heads_of_sequences_of_any_length(engine: str) -> None:
    """What is left over of an open length is known by name, and comes back."""
    network = netc.compile(f"INPUT((L, 6), sequence) -> {HEADS}")
    assert [str(d) for d in network.graph.labels["l"].shape] == ["N", "L", "8"]
    state = random_state(network)
    for length in (1, 5):
        x = np.random.default_rng(0).uniform(-1, 1, (2, length, 6)).astype(np.float32)
        heads = (x @ state["a.weight"].T + state["a.bias"]).reshape(2, length, 2, 4)
        scaled = heads / np.sqrt((heads**2).mean(-1, keepdims=True) + 1e-5)
        expected = (scaled * state["norm.weight"]).reshape(2, length, 8)
        found = output(network, x, state, engine=engine)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_more_positions_than_a_table_holds() -> None:
    """A length left open is checked against the table when an input arrives."""
    network = netc.compile(f"INPUT((L,), dtype=int64) -> {BODY}")
    with pytest.raises(netc.NetError, match="POSEMBED `positions` cannot take an input of L = 7"):
        network.run(np.zeros((1, 7), np.int64), network.initialize(0))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        ("LINEAR(4)", (4, 9, 8)),
        ("PAD((1x0, 2x3), reflect)", (3, 12, 11)),
        ("CROP(margin=2)", (3, 5, 4)),
        ("SLICE(1, -1, axis=height)", (3, 7, 8)),
        ("SLICE(-5, end, axis=width)", (3, 9, 5)),
        ("SLICE(2, axis=height)", (8, 3)),
        ("PERMUTE((width, height, channels))", (3, 8, 9)),
    ],
)
def test_images_of_any_extents(layer: str, shape: tuple[int, ...]) -> None:
    """Layers that need no numbers for extents take an image whose extents are left open."""
    network = netc.compile(f"INPUT((H, W, 3)) -> {layer} as l")
    state = random_state(network)
    x = np.random.default_rng(0).random((2, 3, 9, 8), np.float32)
    found = output(network, x, state)
    assert found.shape == (2, *shape)
    np.testing.assert_allclose(found, output(network, x, state, engine="onnxruntime"), rtol=1e-5)


def test_crop_to_the_size_of_a_layer_of_any_extents() -> None:
    """U-Net's skip connections are cropped to convolutions without padding, whatever the image."""
    network = netc.compile(
        "INPUT((H, W, 3)) as x -> CONV(3x3, 3, pad=valid) as small\n"
        "( x -> CROP(small) as l | small ) -> CONCAT"
    )
    x = np.random.default_rng(0).random((2, 3, 9, 8), np.float32)
    found = output(network, x, network.initialize(0))
    np.testing.assert_array_equal(found, x[:, :, 1:-1, 1:-1])


@pytest.mark.parametrize(
    ("program", "size"),
    [
        ("INPUT(6x4, sequence) -> CONV(kernel=9, pad=0)", "6x4"),
        ("INPUT(6x4, sequence) -> DWCONV(kernel=9, pad=0)", "6x4"),
        ("INPUT(6x4, sequence) -> POOL(kernel=9)", "6x4"),
        ("INPUT(6x4, sequence) -> POOL -> POOL(kernel=5, avg)", "3x4"),
        ("INPUT(6x4, sequence) -> LOCAL(kernel=9, pad=0)", "6x4"),
        ("INPUT(6x4, sequence) -> UPCONV(kernel=2, pad=9)", "6x4"),
        ("INPUT((L, 4), sequence) -> LOCAL", "L x 4"),
        ("INPUT((L, 4), sequence) -> ADAPTIVEPOOL(2)", "L x 4"),
        ("INPUT((L, 4), sequence) -> WINDOW(2)", "L x 4"),
        ("INPUT((L, 4), sequence) -> PIXELSHUFFLE", "L x 4"),
    ],
)
def test_messages_show_sequences_as_length_by_channels(program: str, size: str) -> None:
    """Layers that put channels first inside speak of their input as the author wrote it."""
    message = failure_of(netc.compile, program).diagnostics[0].message
    assert f"input is {size}" in message or f"for an input of {size}," in message
