"""Attention within windows, where the dense layers are its own and where they are steps."""

import numpy as np
from support.layers import norm_error, random_state

import netc

WHOLE = (
    "INPUT(8x8x4) -> WINDOW(4, shift=2) -> ATTENTION(2, relative=yes, mask=shifted) as a"
    " -> UNWINDOW"
)
OPEN = (
    "INPUT(8x8x4) -> WINDOW(4, shift=2) -> LINEAR(12) as a.qkv -> SPLIT(3)"
    " -> ATTENTION(2, project=no, relative=yes, mask=shifted) as a -> LINEAR(4) as a.proj"
    " -> UNWINDOW"
)
NAMES = {
    "a.relative_position_bias_table": "a.relative_position_bias_table",
    "a.qkv.weight": "a.in_proj_weight",
    "a.qkv.bias": "a.in_proj_bias",
    "a.proj.weight": "a.out_proj.weight",
    "a.proj.bias": "a.out_proj.bias",
}


def test_open_attention_knows_its_windows() -> None:
    """Queries and keys that come from one WINDOW have its relative positions and its mask."""
    whole, parts = netc.compile(WHOLE), netc.compile(OPEN)
    state = random_state(whole)
    x = np.random.default_rng(0).uniform(-1, 1, (2, 4, 8, 8)).astype(np.float32)
    expected = whole.run(x, state)
    found = parts.run(x, {name: state[given] for name, given in NAMES.items()})
    assert isinstance(found, np.ndarray)
    assert isinstance(expected, np.ndarray)
    assert norm_error(found, expected) <= 1e-6


def test_keys_of_other_places_are_a_sequence() -> None:
    """Where keys are not those of the queries' windows, positions count along the sequence."""
    program = (
        "INPUT(8x8x4) -> ( WINDOW(4) as q | WINDOW(4) -> SLICE(0, 8, axis=length) as k"
        " | WINDOW(4) -> SLICE(0, 8, axis=length) )"
        " -> ATTENTION(2, project=no, relative=yes) as a"
    )
    assert netc.compile(program).params == (16 + 8 - 1) * 2
