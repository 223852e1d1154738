"""Operands that only a run tells to be wrong: both engines refuse them in the same words."""

from typing import Any

import numpy as np
import pytest
from support.refusals import failure_of

import netc
from netc.choices import EngineName

Feeds = dict[str, Any]

X = np.arange(1.0, 13.0).reshape(1, 3, 4)
SEQUENCE = "INPUT((L, 4), sequence) as x -> "
INDEXED = "INPUT(3x4, sequence) as x\nINPUT(3x4, sequence, dtype=int64) as i\n( x | i ) -> "
WHOLE = "INPUT(3, dtype=int64) as a\nINPUT(3, dtype=int64) as b\n( a | b ) -> "
LENGTHS = 'INPUT(1, dtype=int64) as n -> op("Squeeze", axes=[1]) as lengths\n'
REVERSE = 'op("ReverseSequence", {}batch_axis=0, time_axis=1)'

INDICES = np.zeros((1, 3, 4), np.int64)
INDICES[0, 1, 2] = 7
TWO = np.concatenate([X, X])

# A program, its inputs, and what is said of them.
CASES: dict[str, tuple[str, Feeds, str]] = {
    "quotient": (
        f'{WHOLE}op("Div")',
        {"a": [[1, 2, 3]], "b": [[1, 0, 2]]},
        "Div `div1` cannot divide whole numbers by 0",
    ),
    "remainder": (
        f'{WHOLE}op("Mod")',
        {"a": [[1, 2, 3]], "b": [[1, 0, 2]]},
        "Mod `mod1` cannot divide whole numbers by 0",
    ),
    "remainder of C": (
        f'{WHOLE}op("Mod", fmod=1)',
        {"a": [[1, 2, 3]], "b": [[1, 2, 0]]},
        "Mod `mod1` cannot divide whole numbers by 0",
    ),
    "computed divisor": (
        'INPUT(3) as x -> op("Cast", to=int64) -> ( ID | ID ) -> op("Div")',
        {"x": [[0.5, 1, 2]]},
        "Div `div1` cannot divide whole numbers by 0",
    ),
    "constant index": (
        f'{SEQUENCE}op("Gather", indices=[0, 5], axis=1)',
        {"x": X},
        "Gather `gather1` cannot take an input of L = 3",
    ),
    "constant index from the end": (
        f'{SEQUENCE}op("Gather", indices=[-4], axis=1)',
        {"x": X},
        "Gather `gather1` cannot take an input of L = 3",
    ),
    "index": (
        'INPUT(4) as x\nINPUT(2, dtype=int64) as i\n( x | i ) -> op("Gather", axis=1)',
        {"x": np.ones((1, 4)), "i": [[0, -9]]},
        "Gather `gather1` needs indices below 4, not -9",
    ),
    "computed index": (
        'INPUT(3, dtype=int64) as t -> op("Add", B=5) -> EMBED(4, 2)',
        {"t": [[-2, -4, 0]]},
        "EMBED `embed1` needs indices below 4, not 5",
    ),
    "index per element": (
        f'{INDEXED}op("GatherElements", axis=1)',
        {"x": X, "i": INDICES},
        "GatherElements `gatherelements1` needs indices below 3, not 7",
    ),
    "constant index per element": (
        f'{SEQUENCE}op("GatherElements", indices=[[[0, 1, 0, 5]]], axis=1)',
        {"x": X},
        "GatherElements `gatherelements1` cannot take an input of L = 3",
    ),
    "indices of several axes": (
        'INPUT(4) as x\nINPUT(1, dtype=int64) as i\n( x | i ) -> op("GatherND", batch_dims=1)',
        {"x": np.ones((1, 4)), "i": [[9]]},
        "GatherND `gathernd1` needs indices within 4",
    ),
    "updates": (
        f'{INDEXED.replace("( x | i )", "( x | i | x )")}op("ScatterElements", axis=1)',
        {"x": X, "i": INDICES},
        "ScatterElements `scatterelements1` needs indices below 3, not 7",
    ),
    "constant updates": (
        f'{SEQUENCE}op("ScatterElements", indices=[[[5]]], updates=[[[1]]], axis=1)',
        {"x": X},
        "ScatterElements `scatterelements1` cannot take an input of L = 3",
    ),
    "too few lengths": (
        f"{SEQUENCE}{REVERSE.format('sequence_lens=[2], ')}",
        {"x": TWO},
        "ReverseSequence `reversesequence1` cannot take an input of",
    ),
    "constant length": (
        f"{SEQUENCE}{REVERSE.format('sequence_lens=[2, 5], ')}",
        {"x": TWO},
        "ReverseSequence `reversesequence1` cannot take an input of",
    ),
    "length": (
        f"INPUT(3x4, sequence) as x\n{LENGTHS}( x | lengths ) -> {REVERSE.format('')}",
        {"x": TWO, "n": [[2], [4]]},
        "ReverseSequence `reversesequence1` needs lengths from 0 to 3, not 4",
    ),
    "length below zero": (
        f"INPUT(3x4, sequence) as x\n{LENGTHS}( x | lengths ) -> {REVERSE.format('')}",
        {"x": TWO, "n": [[-1], [3]]},
        "ReverseSequence `reversesequence1` needs lengths from 0 to 3, not -1",
    ),
    "scale": (
        f'{SEQUENCE}op("InstanceNormalization", scale=[1, 1], B=[0, 0])',
        {"x": X},
        "InstanceNormalization `instancenormalization1` cannot take an input of L = 3",
    ),
    "statistics": (
        f'{SEQUENCE}op("BatchNormalization", scale=[1, 1], B=[0, 0], input_mean=[0, 0],'
        " input_var=[1, 1])",
        {"x": X},
        "BatchNormalization `batchnormalization1` cannot take an input of L = 3",
    ),
    "class": (
        'INPUT(4) as x -> LOGSOFTMAX as q\nINPUT(1, dtype=int64) as t -> op("Squeeze", axes=[1])'
        ' as m\n( q | m ) -> op("NegativeLogLikelihoodLoss", reduction=none)',
        {"x": np.ones((2, 4)), "t": [[2], [7]]},
        "NegativeLogLikelihoodLoss `negativeloglikelihoodloss1` needs indices below 4, not 7",
    ),
    "sum over labels": (
        "INPUT((L, 4), sequence) as x\nINPUT((M, 4), sequence) as y\n( x | y ) ->"
        ' op("Einsum", equation="blc,blc->bl")',
        {"x": X, "y": X[:, :2]},
        "Einsum `einsum1` cannot take an input of L = 3 and M = 2",
    ),
}


@pytest.mark.parametrize(("program", "feeds", "words"), CASES.values(), ids=CASES)
def test_same_words(program: str, feeds: Feeds, words: str) -> None:
    """The code, the message, the notes and the help are the same, and name the layer."""
    network = netc.compile(program)
    state = network.initialize(0)
    given = {name: np.asarray(value) for name, value in feeds.items()}
    engines: tuple[EngineName, ...] = ("numpy", "onnxruntime")
    found = []
    for engine in engines:
        found.append(failure_of(network.run, given, state, engine=engine).diagnostics)
    assert found[0] == found[1]
    assert found[0][0].code == "E206"
    assert found[0][0].message.startswith(words)


def test_reversed_sequences() -> None:
    """Lengths that fit are the same on both engines, none and all of a sample included."""
    network = netc.compile(
        f"INPUT(3x4, sequence) as x\n{LENGTHS}( x | lengths ) -> {REVERSE.format('')}"
    )
    x = np.random.default_rng(0).standard_normal((4, 3, 4)).astype(np.float32)
    n = np.array([[0], [1], [2], [3]])
    right = np.stack([x[0], x[1], x[2][[1, 0, 2]], x[3][::-1]])
    for engine in ("numpy", "onnxruntime"):
        found = network.run({"x": x, "n": n}, {}, engine=engine)
        assert isinstance(found, np.ndarray)
        np.testing.assert_array_equal(found, right)
