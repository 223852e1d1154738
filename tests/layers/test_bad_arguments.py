"""Wrong arguments to every layer, generated from the table of layers: a new layer is covered."""

from typing import Any

import pytest
from support.refusals import failure_of

import netc
from netc.compiler import layers  # noqa: F401  (fills the table)
from netc.compiler.expressions.arguments import Kind, Word, WordCall
from netc.compiler.expressions.binding import accepts
from netc.compiler.layers.layerdef import COMMON, LAYERS, LayerDef

# As a program spells a value, and the value that it means.
VALUES: dict[str, Any] = {
    '"text"': "text",
    "nonsense": Word("nonsense"),
    "nonsense(1)": WordCall("nonsense", (1,)),
    "yes": True,
    "-1": -1,
    "1e39": 1e39,
    "[1, -1e39]": [1, -1e39],
    "0": 0,
    "7": 7,
    "1.5": 1.5,
    "9223372036854775807": 2**63 - 1,
    "3x3": (3, 3),
    "(0, 0)": (0, 0),
    "(nonsense, 3)": (Word("nonsense"), 3),
    "1x1x1x1x1x1": (1,) * 6,
    "[1, 2]": [1, 2],
    "[[1], [2, 3]]": [[1], [2, 3]],
    "[yes]": [True],
    "[]": [],
}

UNKNOWN = ("unknown function `nonsense`", "unknown name `nonsense`")

ARGUMENTS = [
    pytest.param(spelling, definition, name, kind, id=f"{spelling}.{name}")
    for spelling, definition in LAYERS.items()
    for name, kind in {**definition.kinds, **COMMON}.items()
    if name not in definition.preset
]


def program(spelling: str, definition: LayerDef, argument: str) -> str:
    """A program with one call of the layer, on as many tensors as it takes."""
    before = {
        "nothing": "",
        "one": "INPUT -> ",
        "any": "INPUT -> ",
        "many": "INPUT -> ( ID | ID ) -> ",
    }
    return f"{before[definition.takes]}{spelling}({argument})"


@pytest.mark.parametrize(("spelling", "definition", "name", "kind"), ARGUMENTS)
def test_what_was_expected_and_what_was_given(
    spelling: str, definition: LayerDef, name: str, kind: Kind
) -> None:
    """A value of the wrong kind is answered with both, at the argument; no other one crashes."""
    refused = 0
    for text, value in VALUES.items():
        argument = f"{name}={text}"
        try:
            netc.compile(program(spelling, definition, argument))
        except netc.NetError as failure:
            diagnostic = failure.diagnostics[0]
            assert diagnostic.span is not None
        else:
            assert accepts(kind, value), argument
            continue
        if not accepts(kind, value):
            refused += 1
            if diagnostic.code == "E101":
                assert diagnostic.message in UNKNOWN
                continue
            assert diagnostic.code == "E103"
            assert diagnostic.span.text == argument
            assert diagnostic.message.startswith(
                f"the `{name}` of {spelling} must be {kind.expected}, not"
            )
    assert refused


@pytest.mark.parametrize("spelling", LAYERS)
def test_unknown_arguments(spelling: str) -> None:
    """An argument that a layer does not have is named, with those that it has."""
    text = program(spelling, LAYERS[spelling], "no_such_argument=1")
    (diagnostic,) = failure_of(netc.compile, text).diagnostics
    assert diagnostic.message == f"{spelling} has no argument `no_such_argument`"
    assert diagnostic.help is not None


@pytest.mark.parametrize(
    "layer",
    [
        "FC(1, weight=1e39)",
        "FC(1, weight=[[-1e39, 2]])",
        "FC(1, init=constant(1e300))",
        "LRELU(1e39)",
        'op("Add", B=[1.0, -1e39])',
    ],
)
def test_numbers_beyond_float32(layer: str) -> None:
    """A number that a float32 cannot hold is refused, and not taken for infinite."""
    (diagnostic,) = failure_of(netc.compile, f"INPUT(2) -> {layer}").diagnostics
    assert diagnostic.code == "E103"
    assert diagnostic.help == "a float32 holds numbers up to 3.4e38"


@pytest.mark.parametrize("number", ["3.4028234e38", "3.4028235e38"])
def test_the_largest_number(number: str) -> None:
    """The largest number of float32 is taken, rounded either way, and stays finite."""
    network = netc.compile(f"INPUT(1) -> FC(1, weight={number}, bias=no) -> RELU")
    assert 3.5e38 > float(network.initialize(0)["fc1.weight"][0, 0]) > 3.4e38
