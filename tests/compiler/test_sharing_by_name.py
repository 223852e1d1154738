"""`share=` by what a layer or a block yields: a binding, an output, a turn's scope."""

import numpy as np
import pytest
from support.refusals import failure_of

import netc
from netc.choices import EngineName

BLOCKS = "block B { FC(8) -> RELU }\nblock A { B }\n"


@pytest.mark.parametrize(
    ("program", "params"),
    [
        ("x = INPUT(8) -> B\nx -> B(share=x)", 72),
        ("output x = INPUT(8) -> B\noutput y = x -> B(share=x)", 72),
        ("INPUT(8) -> B as x -> B(share=x)", 72),
        ("x = INPUT(8) -> B as b\nx -> B(share=x) -> B(share=b)", 72),
        # The same tensor is what two blocks yield, one in the other: each finds its own.
        ("x = INPUT(8) -> A\nx -> A(share=x) -> B(share=x)", 72),
        ("x = INPUT(8) -> [B]*2 as l\nx -> B(share=l.0)", 144),
        ("x = INPUT(8) -> FC(8)\nx -> RELU -> FC(8, share=x)", 72),
        ("INPUT(8) -> [FC(8, share=yes) -> RELU]*3", 72),
        ("INPUT(8) -> [FC(8, share=yes) -> RELU]*3 as l", 72),
        ("INPUT(8) -> [B(share=yes)]*3", 72),
        ("INPUT(8) -> for i in range(3) { FC(8, share=yes) as f{i} -> if i > 0 { RELU } }", 72),
        ("INPUT(8) -> [[FC(8, share=yes) -> RELU]*2]*2", 144),
        # Of two calls of a block in each turn, each has its own.
        ("block S { FC(8, share=yes) -> RELU }\nINPUT(8) -> [S -> S]*3", 144),
        ("block R { [FC(8, share=yes) -> RELU]*2 }\nINPUT(8) -> R -> R", 144),
        ("block R { [FC(8, share=yes) -> RELU]*2 }\nINPUT(8) -> R as r -> R(share=r)", 72),
        ("INPUT(8) -> [FC(8, share=no) -> RELU]*3", 216),
        ("PARAM(8x6) as w\nINPUT(6) -> FC(8, bias=no, share=w) as a -> RELU", 48),
    ],
)
def test_a_name_stands_for_what_yields_it(program: str, params: int) -> None:
    """The weights are counted once, and no layer is asked for weights that it does not have."""
    netc.compile(f"{BLOCKS}{program}\nassert params == {params}")


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_a_block_that_is_shared_by_a_binding_computes_the_same(engine: EngineName) -> None:
    """Both calls yield the same of the same input."""
    network = netc.compile(
        f"{BLOCKS}x = INPUT(8) as i\na = x -> B\noutput b = x -> B(share=a)\noutput c = a"
    )
    feed = np.random.default_rng(0).standard_normal((3, 8)).astype(np.float32)
    found = network.run(feed, network.initialize(0), fetch=["b", "c"], engine=engine)
    assert np.any(found["b"] != 0)
    np.testing.assert_array_equal(found["b"], found["c"])


def test_another_blocks_tensor_is_not_shared() -> None:
    """A block has no weights in common with what is no call of it."""
    caught = failure_of(netc.compile, f"{BLOCKS}x = INPUT(8) -> FC(8) -> RELU\nx -> B(share=x)")
    assert caught.diagnostics[0].code == "E117"


def test_an_automatic_name_that_is_shared_is_warned_of() -> None:
    """It shifts when a layer is inserted; a binding or a label does not."""
    shared = "INPUT(8) -> FC(8) as a -> RELU -> FC(8) -> RELU -> FC(8, share={})"
    assert "W102" in [w.code for w in netc.compile(shared.format("fc1")).warnings]
    assert "W102" not in [w.code for w in netc.compile(shared.format("a")).warnings]


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_a_learned_tensor_is_the_weight_of_layers(engine: EngineName) -> None:
    """An embedding and the layer that undoes it share one `PARAM`, which both learn."""
    net = netc.compile(
        "PARAM(5x4) as table\nINPUT(3, dtype=int64) -> EMBED(5, 4, share=table)"
        " -> LINEAR(5, bias=no, share=table) as scores"
    )
    state = net.initialize(0)
    assert {name: array.shape for name, array in state.items()} == {"table": (1, 5, 4)}
    tokens, table = np.array([[0, 4, 2]]), state["table"][0]
    found = net.run(tokens, state, engine=engine, fetch=["scores"])["scores"]
    np.testing.assert_allclose(found, table[tokens] @ table.T, rtol=1e-5)


@pytest.mark.parametrize(
    ("program", "message", "help"),
    [
        ("FC(8, share=w)", "there is no `w.bias`", "write `bias=no`"),
        ("FC(9, bias=no, share=w)", "cannot share `w` of 8x6 numbers where it needs 9x6", None),
    ],
)
def test_a_learned_tensor_is_a_weight_alone(program: str, message: str, help: str | None) -> None:
    """A `PARAM` has no bias, and one size."""
    caught = failure_of(netc.compile, f"PARAM(8x6) as w\nINPUT(6) -> {program} -> RELU")
    (found,) = caught.diagnostics
    assert message in found.message
    assert help is None or found.help == help


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
def test_turns_that_share_are_one_layer_applied_again(engine: EngineName) -> None:
    """Three turns compute what three of the same layer compute."""
    net = netc.compile("INPUT(4) -> [FC(4, share=yes) as f -> TANH]*3 as turn")
    state = net.initialize(0)
    assert {*state} == {"turn.0.f.weight", "turn.0.f.bias"}
    x = y = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    for _ in range(3):
        y = np.tanh(y @ state["turn.0.f.weight"].T + state["turn.0.f.bias"])
    found = net.run(x, state, engine=engine, fetch=["output"])["output"]
    np.testing.assert_allclose(found, y, rtol=1e-5)
