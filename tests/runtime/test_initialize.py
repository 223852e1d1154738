"""Initial values: their distributions, their streams, and that they are drawn when read."""

import subprocess
import sys
import tracemalloc
from hashlib import sha256
from math import sqrt

import numpy as np
import pytest
from support.refusals import refusal

import netc
from netc.runtime.weights.initialize import InitialState, fans, initialize

WIDE = 400
# initializer -> (mean, standard deviation, bound or None) of FC(300) on 400 features
DISTRIBUTIONS = {
    "he": (0.0, sqrt(2 / WIDE), None),
    "lecun": (0.0, sqrt(1 / WIDE), None),
    "glorot": (0.0, sqrt(2 / (WIDE + 300)), sqrt(6 / (WIDE + 300))),
    "normal(0.3)": (0.0, 0.3, None),
    "uniform(0.2)": (0.0, 0.2 / sqrt(3), 0.2),
    "torch": (0.0, sqrt(1 / (3 * WIDE)), 1 / sqrt(WIDE)),
}


@pytest.mark.parametrize("init", DISTRIBUTIONS)
def test_distributions(init: str) -> None:
    """Mean, spread and bound are the textbooks', and values are spread like their distribution."""
    mean, std, bound = DISTRIBUTIONS[init]
    w = netc.compile(f"INPUT({WIDE}) -> FC(300, init={init}) as l").initialize(3)["l.weight"]
    assert w.dtype == np.float32
    assert w.shape == (300, WIDE)
    error = std / sqrt(w.size)
    assert abs(w.mean() - mean) < 4 * error
    assert abs(w.std() - std) < 4 * error
    assert abs(np.corrcoef(w[:, :-1].ravel(), w[:, 1:].ravel())[0, 1]) < 4 / sqrt(w.size)
    inside = float(np.mean(np.abs(w) < std))
    if bound is None:
        assert abs(inside - 0.6827) < 0.005
        assert np.abs(w).max() > 3.5 * std
    else:
        assert abs(inside - 1 / sqrt(3)) < 0.006
        assert 0.999 * bound < np.abs(w).max() <= np.float32(bound)


def test_fans() -> None:
    """Fans are those of PyTorch: channels within a group times the kernel's taps."""
    assert fans((10, 20)) == (20, 10)
    assert fans((8, 4, 3, 3)) == (36, 72)
    assert fans((5,)) == (5, 5)


def test_convolutions_count_their_taps() -> None:
    """He's spread of a grouped convolution is that of its own products."""
    network = netc.compile("INPUT(8x8x64) -> CONV(5x5, 128, groups=2, init=he) as l")
    w = network.initialize(0)["l.weight"]
    assert abs(w.std() - sqrt(2 / (32 * 25))) < 4 * w.std() / sqrt(w.size)


def test_auto_follows_the_activation() -> None:
    """Left alone, a layer before a ReLU is drawn as by `he`, and the last one as by `glorot`."""
    text = "INPUT(8x8) -> FC(32{0}) as a -> RELU -> FC(10{1}) as b"
    auto = netc.compile(text.format("", "")).initialize(0)
    said = netc.compile(text.format(", init=he", ", init=glorot")).initialize(0)
    for name in ("a.weight", "b.weight"):
        np.testing.assert_array_equal(auto[name], said[name])


@pytest.mark.parametrize(("units", "features"), [(30, 50), (50, 30), (40, 40)])
def test_orthogonal(units: int, features: int) -> None:
    """Rows or columns, whichever are fewer, are orthonormal."""
    network = netc.compile(f"INPUT({features}) -> FC({units}, init=orthogonal) as l")
    w = network.initialize(0)["l.weight"].astype(np.float64)
    gram = w @ w.T if units <= features else w.T @ w
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=1e-6)


def test_constants_and_literals() -> None:
    """Zeros, constants and the author's own numbers are just that, and statistics start neutral."""
    network = netc.compile(
        "INPUT(2) -> FC(3, init=constant(0.25)) as c -> BN as n -> FC(2, init=zeros) as z"
        " -> FC(2, weight=[[-2, 2], [2, -2]], bias_value=[-1, 1]) as l"
    )
    state = network.initialize(0)
    assert np.all(state["c.weight"] == 0.25)
    assert np.all(state["c.bias"] == 0)
    assert not state["z.weight"].any()
    assert state["l.weight"].tolist() == [[-2, 2], [2, -2]]
    assert state["l.bias"].tolist() == [-1, 1]
    statistics = {name: state[f"n.{name}"].tolist() for name in ("running_mean", "running_var")}
    assert statistics == {"running_mean": [0, 0, 0], "running_var": [1, 1, 1]}
    assert state["n.weight"].tolist() == [1, 1, 1]
    assert {array.dtype.name for array in state.values()} == {"float32"}


def test_pytorchs_defaults_hold_for_biases() -> None:
    """With `init=torch` the bias is uniform, too, within the bound of its weight."""
    state = netc.compile(f"INPUT({WIDE}) -> FC(300, init=torch) as l").initialize(0)
    bound = 1 / sqrt(WIDE)
    assert 0.95 * bound < np.abs(state["l.bias"]).max() <= np.float32(bound)


CHAIN = "INPUT(12x12x3) -> CONV(8) as a -> RELU -> POOL -> {}FC(20, init=orthogonal) as b"


def digest(network: netc.Network, seed: int) -> str:
    """A fingerprint of all initial values."""
    state = network.initialize(seed)
    return sha256(b"".join(state[name].tobytes() for name in sorted(state))).hexdigest()


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Values depend on the seed and on nothing else, in this process and in another one."""
    network = netc.compile(CHAIN.format(""))
    assert digest(network, 7) == digest(netc.compile(CHAIN.format("")), 7)
    assert digest(network, 7) != digest(network, 8)
    program = (
        "import sys, netc; from hashlib import sha256;"
        f"state = netc.compile({CHAIN.format('')!r}).initialize(7);"
        "print(sha256(b''.join(state[n].tobytes() for n in sorted(state))).hexdigest())"
    )
    run = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(path for path in sys.path if path), "PYTHONHASHSEED": "99"},
        timeout=60,
    )
    assert run.stdout.strip() == digest(network, 7), run.stderr


def test_known_values() -> None:
    """These very numbers are drawn on every machine, now and in later versions."""
    state = netc.compile("INPUT(3) -> FC(2, init=uniform(1)) as u -> FC(2, init=normal(1)) as n")
    values = state.initialize(0)
    uniform = [[-0.34798196, 0.064688236, 0.96676755], [0.7030207, -0.38410324, 0.94834733]]
    normal = [[-0.039772503, -1.0960358], [0.97200716, -0.26192957]]
    np.testing.assert_array_equal(values["u.weight"], np.array(uniform, np.float32))
    np.testing.assert_array_equal(values["n.weight"], np.array(normal, np.float32))


def test_a_new_layer_changes_no_other() -> None:
    """Each parameter has its own stream: inserting a layer leaves the others' values alone."""
    before = netc.compile(CHAIN.format("")).initialize(0)
    after = netc.compile(CHAIN.format("CONV(1x1, 8) as new -> ")).initialize(0)
    assert set(after) - set(before) == {"new.weight", "new.bias"}
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


def test_parameters_differ_from_each_other() -> None:
    """Two layers of one kind do not start with the same weights."""
    state = netc.compile("INPUT(16) -> FC(16) as a -> FC(16) as b").initialize(0)
    assert np.all(state["a.weight"] != state["b.weight"])


def test_lazy() -> None:
    """Nothing is drawn before it is read, and nothing is kept."""
    network = netc.compile("INPUT(1024) -> FC(1024) as a -> FC(1024) as b")
    tracemalloc.start()
    state = initialize(network.graph, 0)
    assert list(state) == ["a.weight", "a.bias", "b.weight", "b.bias"]
    assert len(state) == 4
    assert "a.weight" in state
    assert "c.weight" not in state
    assert str(state.type_of("a.weight")) == "float32[1024, 1024]"
    assert tracemalloc.get_traced_memory()[1] < 2**20
    weight = state["a.weight"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1.5 * weight.nbytes
    weight[:] = 0
    assert state["a.weight"].any()
    assert {name: array.shape for name, array in state.items()} == {
        name: state.type_of(name).shape for name in state
    }


def test_float64() -> None:
    """Float32 values are float64's, rounded."""
    wide = netc.compile("INPUT(64, dtype=float64) -> FC(8) as l").initialize(0)["l.weight"]
    narrow = netc.compile("INPUT(64) -> FC(8) as l").initialize(0)["l.weight"]
    assert wide.dtype == np.float64
    np.testing.assert_array_equal(wide.astype(np.float32), narrow)


def test_weights_that_no_memory_holds() -> None:
    """A weight larger than memory is refused before it is asked for."""
    network = netc.compile("INPUT(1048576) -> FC(1048576) as big")
    found = refusal(network.initialize(0).__getitem__, "big.weight")
    assert found == (
        "error[E507]: there is not enough memory for the weight `big.weight` of"
        " 4_398_046_511_104 bytes"
    )


def test_runs_draw_weights_twice_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs read again and again is kept; what a caller reads is a new array each time."""
    network = netc.compile("INPUT(3) -> FC(2) as l")
    drawn: list[str] = []
    once = InitialState.__getitem__

    def counted(
        state: InitialState, name: str
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        drawn.append(name)
        return once(state, name)

    monkeypatch.setattr(InitialState, "__getitem__", counted)
    state, x = network.initialize(0), np.ones((1, 3), np.float32)
    answers = [np.asarray(network.run(x, state)) for _ in range(4)]
    assert drawn.count("l.weight") == 2
    state["l.weight"][...] = 0
    assert np.array_equal(np.asarray(network.run(x, state)), answers[0])
    assert all(np.array_equal(answer, answers[0]) for answer in answers)
