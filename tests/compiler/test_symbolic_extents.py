"""Spatial extents that only an input settles: fully convolutional nets."""

import numpy as np
import pytest
from support.refusals import failure_of

import netc
from netc.choices import EngineName
from netc.runtime.engines.engine import engine_named

ENCODER = (
    "INPUT((H, W, 3)) -> CONV(3x3, 8, stride=2) -> POOL -> ( ID | CONV(8) ) -> CONCAT"
    " -> GAP -> FC(3)"
)
SKIP = (
    "INPUT((H, W, 1)) -> ( CONV(4) -> POOL -> UPCONV(2x2, 4) | CONV(4) ) -> CONCAT -> CONV(1x1, 2)"
)


def test_shapes_and_counts_are_formulas() -> None:
    """Extents, MACs and memory are spelled in H and W; parameters are numbers."""
    network = netc.compile(SKIP)
    assert network.inputs[0].shape == ("N", 1, "H", "W")
    assert network.outputs[0].shape == ("N", 2, "2*(H//2)", "2*(W//2)")
    assert network.params == 40 + 68 + 40 + 18
    assert str(network.macs) == "128*(H//2)*(W//2) + 72*H*W"


@pytest.mark.parametrize("extents", [(32, 40), (17, 23)])
def test_engines_agree_on_any_size(extents: tuple[int, int]) -> None:
    """One network runs on inputs of different sizes, equally on both engines."""
    network = netc.compile(ENCODER)
    state = network.initialize(0)
    x = np.random.default_rng(0).standard_normal((2, 3, *extents)).astype(np.float32)
    found = network.run(x, state)
    expected = network.run(x, state, engine="onnxruntime")
    assert isinstance(found, np.ndarray)
    assert isinstance(expected, np.ndarray)
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


def refusal(network: netc.Network, shape: tuple[int, ...], engine: EngineName) -> str:
    """The message and note of an engine that is given zeros of a shape."""
    failure = failure_of(
        network.run, np.zeros(shape, np.float32), network.initialize(0), engine=engine
    )
    (finding,) = failure.diagnostics
    return "; ".join((finding.message, *finding.notes))


SEQUENCE = "INPUT((L, 4), sequence)"
IMAGE = "INPUT((H, W, 3))"

# Program, extents that it does not take, what both engines say.
REFUSED = (
    (SKIP, (1, 1, 9, 8), "CONCAT `concat1` cannot take an input of H = 9 and W = 8"),
    (f"{SEQUENCE} -> IN", (2, 0, 4), "the input `input` is empty: 2 x 0 x 4"),
    (f"{IMAGE} -> GMP", (2, 3, 0, 2), "the input `input` is empty: 2 x 3 x 0 x 2"),
    (f"{IMAGE} -> UPCONV(2, stride=1)", (2, 3, 2, 0), "the input `input` is empty"),
    (f"{IMAGE} -> POOL", (1, 3, 1, 1), "too small for POOL `pool1`; it leaves N x 3 x 0 x 0"),
    (
        f"{IMAGE} -> POOL(avg, 5x5, stride=5)",
        (1, 3, 2, 2),
        "an input of H = 2 and W = 2 is too small for POOL `pool1`; it leaves N x 3 x 0 x 0",
    ),
    (
        f"{IMAGE} -> ( POOL(avg) | ID ) -> ADD",
        (1, 3, 2, 2),
        "ADD `add1` cannot take an input of H = 2 and W = 2; "
        "it leaves N x 3 x 2 x 2 where the network expects N x 3 x 1 x 1",
    ),
    (
        f"{SEQUENCE} -> SLICE(0, 5, axis=length)",
        (1, 3, 4),
        "SLICE `slice1` cannot take an input of L = 3; "
        "it leaves N x 3 x 4 where the network expects N x 5 x 4",
    ),
    ('INPUT(4) -> op("ArgMax")', (0, 4), "ArgMax is undefined on an empty tensor"),
    ('INPUT(4) -> op("Reshape", shape=[8])', (3, 4), "Reshape cannot make (8,) of float32[3, 4]"),
)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(("program", "shape", "message"), REFUSED)
def test_what_was_left_open_is_checked_with_the_input(
    program: str, shape: tuple[int, ...], message: str, engine: EngineName
) -> None:
    """Extents that a network cannot take are refused before either engine, in the same words."""
    assert message in refusal(netc.compile(program), shape, engine)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize(("program", "shape", "message"), REFUSED)
def test_engines_that_stay_open_check_each_input(
    program: str, shape: tuple[int, ...], message: str, engine: EngineName
) -> None:
    """So they are by what trains, evaluates and predicts, batch after batch."""
    network = netc.compile(program)
    compute = engine_named(engine).open(network.graph)
    failure = failure_of(compute, {"input": np.zeros(shape, np.float32)}, network.initialize())
    (finding,) = failure.diagnostics
    assert message in "; ".join((finding.message, *finding.notes))


def test_extents_that_fit_run_on_both_engines() -> None:
    """What is refused for some extents is computed for those that fit."""
    network = netc.compile(f"{SEQUENCE} -> SLICE(0, 5, axis=length)")
    x = np.random.default_rng(0).standard_normal((2, 7, 4)).astype(np.float32)
    for engine in ("numpy", "onnxruntime"):
        np.testing.assert_array_equal(network.run(x, {}, engine=engine), x[:, :5])
        none = network.run(x[:0], {}, engine=engine)
        assert isinstance(none, np.ndarray)
        assert none.shape == (0, 5, 4)


@pytest.mark.parametrize("engine", ["numpy", "onnxruntime"])
@pytest.mark.parametrize("input", ["2x3x4x6", "4x5x6", "5x6, sequence", "6"])
def test_no_samples_are_normalized(input: str, engine: EngineName) -> None:
    """LRN, which engines have for images only, takes an empty batch of any rank."""
    network = netc.compile(f"INPUT({input}) -> LRN(3)")
    shape = [0 if extent == "N" else int(extent) for extent in network.inputs[0].shape]
    x = {"input": np.zeros(shape, np.float32)}
    assert network.run(x, {}, engine=engine, fetch=["lrn1"])["lrn1"].shape == tuple(shape)


CORNER = "SLICE(0, 3, axis=height) -> SLICE(0, 3, axis=width)"
# Merges that take open extents for equal, whichever branch settles the result, and an input.
MERGES = (
    ("( POOL(1x1) | ID ) -> ADD", (5, 6)),
    (f"( POOL(3x3, stride=2, pad=0) | {CORNER} ) -> MUL", (8, 7)),
    (f"( {CORNER} | POOL(3x3, stride=2, pad=0) ) -> MAX", (8, 7)),
    ("( CONV(3x3, 4, stride=2, pad=0) | POOL(2x2) ) -> CONCAT", (7, 7)),
)


@pytest.mark.parametrize(("merge", "extents"), MERGES)
def test_a_merge_of_open_extents_is_differentiated(merge: str, extents: tuple[int, int]) -> None:
    """The gradients through a merge of open extents are those of the network with numbers."""
    program = "INPUT({}) -> CONV(3x3, 4) -> {} -> GAP -> FC(2)"
    network = netc.compile(program.format("(H, W, 3)", merge))
    fixed = netc.compile(program.format("x".join(map(str, (*extents, 3))), merge))
    x = np.random.default_rng(0).standard_normal((2, 3, *extents)).astype(np.float32)
    t, state = np.array([0, 1]), network.initialize(0)
    _, found = network.value_and_grad(x, t, state, loss="cross_entropy")
    _, expected = fixed.value_and_grad(x, t, state, loss="cross_entropy")
    for name, gradient in expected.items():
        np.testing.assert_allclose(found[name], gradient, rtol=1e-5, atol=1e-6)


def test_a_squeeze_names_its_axes_where_extents_are_open() -> None:
    """A batch of one would lose its axis, so the axes to drop must be given."""
    with pytest.raises(netc.NetError, match="Squeeze needs its `axes`"):
        netc.compile('INPUT(4) -> op("Squeeze")')


def test_a_weight_needs_known_extents() -> None:
    """A dense layer on a symbolic image is an error at the layer."""
    with pytest.raises(netc.NetError, match="FC needs an input with known extents"):
        netc.compile("INPUT((H, W, 3)) -> FC")
