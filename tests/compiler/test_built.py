"""Layers that are called alike are built once, and every copy is what its own call would build."""

from collections.abc import Callable
from random import Random

import pytest
from support.networks import random_network

import netc
from netc.compiler.ir.text import to_text
from netc.compiler.lower import calls

SPECS = ("densenet121", "gpt2_small", "mobilenet_v3_large", "swin_t", "unet", "xor_mlp")
PROGRAMS = {
    "an argument that is given": "INPUT(8x8x3) -> POOL(3x3, stride=1, pad=same) -> POOL(3x3,"
    " stride=1, pad=same, p=2)",
    "a weight whose name is taken": 'INPUT(8) -> FC(8) as a -> FC(8) as b\nINPUT(3) as "c.weight"'
    " -> ID\nb -> FC(8) as c",
    "numbers that types tell": 'op("Constant", value=[2]) as a\nop("Constant", value=[3]) as b\n'
    'x = INPUT(1)\n( x | a ) -> op("Expand")\n( x | b ) -> op("Expand")',
    "one tensor twice": "x = INPUT(4)\n( x | x ) -> ADD as a\n( x | a ) -> ADD\n( x | x ) -> MUL",
    "numbers that are equal": "INPUT(4) -> LRELU(1) -> LRELU(1.0) -> LRELU(0.0) -> LRELU(-0.0)",
}


def _told(compile: Callable[[], netc.Network]) -> object:
    """All that there is to say of a network, with its places in the text, or what is wrong."""
    try:
        network = compile()
    except netc.NetError as failure:
        return str(failure)
    graph = network.graph
    places = [node.span and (node.span.start, node.span.end) for node in graph.records]
    attributes = [sorted(map(str, node.attributes.items())) for node in graph.records]
    layers = [(path, str(layer.arguments), layer.frozen) for path, layer in graph.layers.items()]
    return [to_text(graph), places, attributes, layers, list(map(str, network.warnings))]


def _check(monkeypatch: pytest.MonkeyPatch, compile: Callable[[], netc.Network]) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(calls, "likeness", lambda *_: None)
        alone = _told(compile)
    assert _told(compile) == alone


@pytest.mark.parametrize("name", SPECS)
def test_specs_are_the_same_without_copies(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes, names, places, arguments and warnings do not depend on copies."""
    _check(monkeypatch, lambda: netc.load(f"zoo:{name}"))


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS.keys())
def test_what_else_counts_is_not_copied(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where more than arguments and types tells what a layer builds, each call is its own."""
    _check(monkeypatch, lambda: netc.compile(program))


def test_random_programs_are_the_same_without_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors do not depend on copies, either."""
    random = Random(0)
    for program in [random_network(random) for _ in range(200)]:
        _check(monkeypatch, lambda program=program: netc.compile(program))  # type: ignore[misc]


def test_layers_that_are_alike_share_their_attributes() -> None:
    """Repeated layers are copies: what does not differ is held once."""
    graph = netc.compile("INPUT(8x8x4) -> [CONV(3x3, 4) -> RELU]*3").graph
    convolutions = [node for node in graph.records if node.op_type == "Conv"]
    assert len(convolutions) == 3
    assert len({id(node.attributes) for node in convolutions}) == 1
