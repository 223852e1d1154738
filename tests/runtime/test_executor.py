"""Plans and their execution: results, fetches, inputs that do not fit, memory."""

import gc
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from support.memory import less_memory_than
from support.refusals import refusal

import netc
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, symbol
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.runtime.engines.executor import run
from netc.runtime.engines.plan import plan
from netc.runtime.kerneldef import KERNELS, Array, Kernel

NET = "INPUT(6x5x2) -> CONV(3x3, 4) as c -> RELU as r -> POOL as p -> FC(3) as f"


def small() -> tuple[netc.Network, dict[str, Array], Array]:
    """A network with weights and an input of three samples."""
    network = netc.compile(NET)
    x = np.random.default_rng(0).standard_normal((3, 2, 6, 5)).astype(np.float32)
    return network, dict(network.initialize(0)), x


def test_fetches_are_what_the_layers_yield() -> None:
    """Fetched tensors are consistent with each other and with the output."""
    network, state, x = small()
    found = run(plan(network.graph, ["c", "r", "p", "f"]), {"input": x}, state)
    np.testing.assert_array_equal(found["r"], np.maximum(found["c"], 0))
    pooled = found["r"][:, :, :6, :4].reshape(3, 4, 3, 2, 2, 2).max((3, 5))
    np.testing.assert_array_equal(found["p"], pooled)
    dense = found["p"].reshape(3, -1) @ state["f.weight"].T + state["f.bias"]
    np.testing.assert_allclose(found["f"], dense, rtol=1e-5)
    (output,) = run(plan(network.graph), {"input": x}, state).values()
    np.testing.assert_array_equal(output, found["f"])


def test_samples_do_not_depend_on_their_batch() -> None:
    """A batch gives what its samples give alone, and an empty batch gives an empty result."""
    network, state, x = small()
    steps = plan(network.graph)
    (whole,) = run(steps, {"input": x}, state).values()
    for i in range(3):
        (alone,) = run(steps, {"input": x[i : i + 1]}, state).values()
        np.testing.assert_allclose(alone[0], whole[i], rtol=1e-5, atol=1e-6)
    (empty,) = run(steps, {"input": x[:0]}, state).values()
    assert (empty.shape, empty.dtype) == ((0, 3), np.float32)


def test_only_what_is_needed_is_run_and_read() -> None:
    """A fetch of an early layer runs no later one and reads no later weight."""
    network, state, x = small()
    steps = plan(network.graph, ["c"])
    assert [network.graph[step.node].op_type for step in steps.steps] == ["Conv"]
    early = {name: state[name] for name in ("c.weight", "c.bias")}
    assert run(steps, {"input": x}, early)["c"].shape == (3, 4, 6, 5)


def test_float64_throughout() -> None:
    """A plan in float64 casts inputs and weights and loses nothing in between."""
    network, state, x = small()
    (wide,) = run(plan(network.graph, dtype="float64"), {"input": x}, state).values()
    (narrow,) = run(plan(network.graph), {"input": x}, state).values()
    assert wide.dtype == np.float64
    assert np.any(wide != narrow)
    np.testing.assert_allclose(wide, narrow, rtol=1e-4, atol=1e-6)


def test_results_are_the_callers_own() -> None:
    """Results share memory with no input, no weight and no other result, and can be written to."""
    network = netc.compile(
        "x = INPUT(4) as i -> ID as same -> FLATTEN as flat -> FC(4) as f -> DROPOUT as d"
    )
    state = dict(network.initialize(0))
    x = np.ones((2, 4), np.float32)
    found = run(plan(network.graph, ["i", "same", "flat", "f", "d"]), {"i": x}, state)
    arrays = [x, *state.values(), *found.values()]
    for result in found.values():
        assert result.flags.writeable
        assert result.flags.c_contiguous
        assert sum(np.shares_memory(result, other) for other in arrays) == 1


def test_arguments_are_left_alone() -> None:
    """In-place kernels never write to inputs, weights or values that are read later."""
    network = netc.compile("INPUT(4) as i -> ( RELU as r | SIGMOID as s | ID ) -> ADD -> TANH as t")
    x = np.random.default_rng(0).standard_normal((2, 4)).astype(np.float32)
    before = x.copy()
    found = run(plan(network.graph, ["t", "r"]), {"i": x}, {})
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(found["r"], np.maximum(x, 0))
    expected = np.tanh(np.maximum(x, 0) + 1 / (1 + np.exp(-x)) + x)
    np.testing.assert_allclose(found["t"], expected, rtol=1e-5)


def test_memory_is_taken_over_where_nobody_else_reads_it() -> None:
    """A ReLU writes over its argument, unless that is fetched or read again."""
    graph = netc.compile("INPUT(4) -> FC(4) as f -> RELU -> TANH -> FC(2)").graph

    def reused(fetch: list[str] | None) -> dict[str, bool]:
        steps = plan(graph, fetch).steps
        return {graph[step.node].op_type: step.reuse is not None for step in steps}

    assert reused(None) == {"Gemm": False, "Relu": True, "Tanh": True}
    assert reused(["f", "fc1"])["Relu"] is False


def test_values_die_when_they_were_read_last() -> None:
    """A long chain holds a few activations at a time, not all of them."""
    network = netc.compile("INPUT(64x64x8) -> [CONV(1x1, 8)]*40 -> GAP -> FC(2)")
    state = dict(network.initialize(0))
    steps = plan(network.graph)
    x = np.zeros((4, 8, 64, 64), np.float32)
    run(steps, {"input": x}, state)
    gc.collect()
    with less_memory_than(4 * x.nbytes):
        run(steps, {"input": x}, state)


class Counting(Mapping[str, Array]):
    """A state that counts how often each weight is read."""

    def __init__(self, state: Mapping[str, Array]) -> None:
        self.state = state
        self.reads: dict[str, int] = {}

    def __getitem__(self, name: str) -> Array:
        self.reads[name] = self.reads.get(name, 0) + 1
        return self.state[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.state)

    def __len__(self) -> int:
        return len(self.state)

    def __contains__(self, name: object) -> bool:
        return name in self.state


def test_each_weight_is_read_once() -> None:
    """Weights of a lazy state are read once per run."""
    network, state, x = small()
    counting = Counting(state)
    run(plan(network.graph), {"input": x}, counting)
    assert counting.reads == dict.fromkeys(state, 1)


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((1, 4), np.float64),
        np.zeros((1, 4), np.int8),
        np.zeros((1, 4), bool),
        [[0, 1, 2, 3]],
    ],
    ids=["float64", "int8", "bool", "list"],
)
def test_numbers_are_cast_to_real_inputs(given: Any) -> None:
    """Other floats, integers and booleans fit an input of real numbers."""
    network = netc.compile("INPUT(4) as i -> RELU as r")
    assert run(plan(network.graph, ["r"]), {"i": given}, {})["r"].dtype == np.float32


def tokens() -> Graph:
    """A network that takes token ids."""
    graph = Graph("tokens")
    x = Builder(graph).input("ids", TensorType(DType.INT64, (BATCH, 4)))
    graph.outputs["same"] = Builder(graph).Identity(x)
    return graph


def test_integers_are_cast_to_token_ids() -> None:
    """Token ids may come in any integer type, and never as real numbers."""
    steps = plan(tokens())
    found = run(steps, {"ids": np.arange(4, dtype=np.uint8)[None]}, {})["same"]
    assert found.dtype == np.int64
    assert refusal(run, steps, {"ids": np.zeros((1, 4))}, {}) == (
        "error[E206]: the input `ids` takes numbers of int64, but got float64\n"
        "  = help: round the numbers, and cast them with `.astype`"
    )


REFUSED = {
    "rank": (
        np.zeros((2, 6, 5)),
        "the input `input` takes N x 2 x 6 x 5, but got 2 x 6 x 5\n"
        "  = help: the batch axis comes first: `x[None]` is a batch of one",
    ),
    "channels last": (
        np.zeros((3, 6, 5, 2)),
        "the input `input` takes N x 2 x 6 x 5, but got 3 x 6 x 5 x 2\n"
        "  = help: the channels come before rows and columns: `x.transpose(0, 3, 1, 2)`",
    ),
    "vector": (
        np.zeros(60),
        "the input `input` takes N x 2 x 6 x 5, but got 60\n"
        "  = help: give an array of 4 axes, the batch first",
    ),
    "extent": (
        np.zeros((3, 2, 7, 5)),
        "the input `input` takes N x 2 x 6 x 5, but got 3 x 2 x 7 x 5",
    ),
    "number": (
        3.0,
        "the input `input` takes N x 2 x 6 x 5, but got no axes\n"
        "  = help: give an array of 4 axes, the batch first",
    ),
    "text": (
        "a cat",
        "the input `input` holds words\n"
        "  = help: number them: `names, numbers = np.unique(words, return_inverse=True)`",
    ),
    "complex": (
        1j,
        "the input `input` holds complex numbers\n"
        "  = help: give `.real` and `.imag` as numbers side by side",
    ),
    "masked": (
        np.ma.masked_equal(np.zeros((3, 2, 6, 5)), 0),
        "the input `input` holds masked values\n"
        "  = help: `.filled(0)` replaces masked values with a number; of targets,"
        " `.filled(np.nan)` leaves it out of the losses",
    ),
    "ragged": ([[1], [2, 3]], "the input `input` takes an array of numbers"),
    "nothing": (
        None,
        "the input `input` holds one object of the type `NoneType`\n"
        "  = help: give an array, or a list of numbers",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_inputs_that_do_not_fit(case: str) -> None:
    """An input of the wrong shape or kind is refused in words that tell what was expected."""
    network, state, _ = small()
    given, message = REFUSED[case]
    found = refusal(run, plan(network.graph), {"input": given}, state)
    assert found == f"error[E206]: {message}"


def test_names_of_inputs() -> None:
    """Missing and unknown inputs are all named at once."""
    network, state, x = small()
    assert refusal(run, plan(network.graph), {"inptu": x}, state) == (
        "error[E206]: the input `input` is missing\n"
        "  = help: it takes float32 of N x 2 x 6 x 5\n"
        "\n"
        "error[E206]: the network has no input `inptu`\n"
        "  = help: did you mean `input`?"
    )


def two_inputs() -> Graph:
    """The sum of two inputs of symbolic height."""
    graph = Graph("sum")
    build = Builder(graph)
    type = TensorType(DType.FLOAT32, (BATCH, 2, symbol("H")))
    graph.outputs["sum"] = build.Add(build.input("a", type), build.input("b", type))
    return graph


def test_symbols_agree_over_inputs() -> None:
    """The batch and other symbolic extents are the same in all inputs."""
    steps = plan(two_inputs())
    a, b = np.ones((3, 2, 4)), np.ones((5, 2, 4))
    assert run(steps, {"a": a, "b": a}, {})["sum"].sum() == 48
    assert refusal(run, steps, {"a": a, "b": b}, {}) == (
        "error[E206]: the inputs `a` and `b` differ in the batch N: 3 and 5"
    )
    assert refusal(run, steps, {"a": a, "b": a[..., :3]}, {}) == (
        "error[E206]: the inputs `a` and `b` differ in H: 4 and 3"
    )


def symbolic_pools() -> Graph:
    """Two branches over a symbolic extent that agree for even extents only."""
    graph = Graph("pools")
    build = Builder(graph)
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 1, symbol("L"))))
    a = build.MaxPool(x, kernel_shape=(2,), strides=(2,))
    b = build.AveragePool(x, kernel_shape=(2,), strides=(2,), ceil_mode=1)
    graph.outputs["sum"] = build.Add(a, b)
    return graph


def test_what_types_leave_open_is_checked_on_inputs() -> None:
    """Extents that only an input settles are checked then: they may not fit, or leave nothing."""
    steps = plan(symbolic_pools())
    assert run(steps, {"x": np.ones((2, 1, 6))}, {})["sum"].shape == (2, 1, 3)
    assert refusal(run, steps, {"x": np.ones((2, 1, 7))}, {}) == (
        "error[E206]: Add cannot take an input of L = 7\n"
        "  = note: Add cannot broadcast float32[N, 1, 3] and float32[N, 1, 4]"
    )
    assert refusal(run, steps, {"x": np.ones((2, 1, 1))}, {}) == (
        "error[E206]: an input of L = 1 is too small for MaxPool\n  = note: it leaves N x 1 x 0"
    )


def test_missing_weights_are_named() -> None:
    """A state without some weights is refused before anything runs."""
    network, state, x = small()
    del state["c.weight"], state["f.bias"]
    assert refusal(run, plan(network.graph), {"input": x}, state) == (
        "error[E501]: the weights are missing: `c.weight`, `f.bias`"
    )


def test_unknown_fetches() -> None:
    """An unknown name is refused, with the likely one."""
    graph = netc.compile("INPUT -> CONV as first -> FC").graph
    assert refusal(plan, graph, ["fist"]) == (
        "error[E101]: unknown layer or value `fist`\n  = help: did you mean `first`?"
    )
    assert refusal(plan, graph, ["xyzzy"]) == (
        "error[E101]: unknown layer or value `xyzzy`\n"
        "  = help: any layer's name or label can be fetched"
    )


@pytest.mark.parametrize("filters", [64, 2**22], ids=["memory", "address space"])
def test_more_memory_than_there_is(filters: int) -> None:
    """A tensor that no machine holds is refused before it is asked for."""
    network = netc.compile(f"INPUT({2**20}x{2**20}x1) as i -> CONV(1x1, {filters}) as c -> GAP")
    x = np.broadcast_to(np.float32(0), (1, 1, 2**20, 2**20))
    assert refusal(run, plan(network.graph), {"i": x}, network.initialize(0)).startswith(
        "error[E507]: there is not enough memory for the result of CONV `c`: "
        f"1 x {filters} x {2**20} x {2**20}\n"
    )


def test_memory_that_runs_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel that gets no memory is a finding about its layer, and no crash."""
    network, state, x = small()
    steps = plan(network.graph)

    def exhausted(*arguments: object, **options: object) -> None:
        raise MemoryError

    object.__setattr__(steps.steps[0], "kernel", Kernel("Conv", exhausted))
    assert "not enough memory for the result of CONV `c`: 3 x 4 x 6 x 5" in refusal(
        run, steps, {"input": x}, state
    )


def test_what_a_kernel_trips_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator that the program names is an error of the program; a layer's is a bug of ours."""

    def trip(*arguments: Any, **attributes: Any) -> Array:
        raise ValueError("no such numbers")

    monkeypatch.setitem(KERNELS, "Erf", Kernel("Erf", trip))
    x = np.zeros((1, 2), np.float32)
    named = netc.compile('INPUT(2) -> op("Erf") as e')
    message = "error[E206]: Erf `e` cannot be computed: no such numbers"
    assert refusal(named.run, x, {}).startswith(message)
    monkeypatch.setitem(KERNELS, "Relu", Kernel("Relu", trip))
    with pytest.raises(ValueError, match="no such numbers"):
        netc.compile("INPUT(2) -> RELU").run(x, {})
