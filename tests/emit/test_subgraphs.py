"""If, Loop and Scan: operators that run subgraphs, built, verified, rewritten, written and run."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import onnx
import pytest

from netc.compiler.analysis.counts import count
from netc.compiler.emit.onnx import write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH, unknown
from netc.compiler.ir.graph import Graph, Value
from netc.compiler.ir.initializers import ONES
from netc.compiler.ir.signature import InferenceError, MissingAttributeError
from netc.compiler.ir.text import to_text
from netc.compiler.ir.types import DType, TensorType
from netc.compiler.ir.verify import InvariantError, verify
from netc.compiler.passes.append_backward import append_backward
from netc.compiler.passes.bind_extents import bind_extents
from netc.compiler.passes.pipeline import optimize, settle
from netc.compiler.passes.rewrite import rewrite
from netc.compiler.passes.set_mode import set_mode
from netc.grammar.diagnostics import NetError
from netc.runtime.engines.engine import ENGINES, run
from netc.runtime.kerneldef import Array

X = np.array([[0.1, -2.0, 3.0], [1.0, 0.5, -0.25]], np.float32)
REAL = TensorType(DType.FLOAT32, (BATCH, 3))
NUMBER, TRUTH = TensorType(DType.INT64, ()), TensorType(DType.BOOL, ())
STATE = {"w": np.array([1.0, 2.0, -1.0], np.float32)}


def start() -> tuple[Builder, Value, Value]:
    """A graph with an input and a weight."""
    build = Builder(Graph("outer"))
    return build, build.input("x", REAL), build.parameter("w", (3,), init=ONES)


def yields(build: Builder, *values: Value) -> Graph:
    """The builder's graph with these outputs."""
    build.graph.outputs = {f"y{i}": value for i, value in enumerate(values)}
    return build.graph


def branching() -> Graph:
    """x w where the sum of x is positive, otherwise x - 1; both capture x, and one captures w."""
    build, x, w = start()
    zero = build.constant(0.0, DType.FLOAT32)
    positive = build.Greater(build.ReduceSum(x, keepdims=0), zero)
    then, other = build.inner("then"), build.inner("else")
    product = then.Mul(then.capture(x, 1), then.capture(w, 2))
    less = other.Sub(other.capture(x, 1), other.constant(1.0, DType.FLOAT32))
    branches = {"then_branch": yields(then, product), "else_branch": yields(other, less)}
    (y,) = build.op("If", (positive, x, w), subgraphs=branches)
    return yields(build, build.Relu(y))


def loop(build: Builder, x: Value, w: Value) -> tuple[Value, ...]:
    """Three turns of s <- s w + turn, which also yield what each turn adds up to."""
    body = build.inner("body")
    turn, going, state = body.input("i", NUMBER), body.input("go", TRUTH), body.input("s", REAL)
    shift = body.Cast(turn, to=DType.FLOAT32)
    moved = body.Add(body.Mul(state, body.capture(w, 3)), shift)
    inside = yields(body, body.Identity(going), moved, body.ReduceSum(moved, keepdims=0))
    inputs = (build.index_constant(3), None, x, w)
    return build.op("Loop", inputs, subgraphs={"body": inside})


def looping() -> Graph:
    """The loop alone."""
    build, x, w = start()
    return yields(build, *loop(build, x, w))


def scanning() -> Graph:
    """Running sums of w over the rows of x, and each row's product with the sum before."""
    build, _, w = start()
    rows = build.input("rows", TensorType(DType.FLOAT32, (4, 3)))
    body = build.inner("body")
    state, each = (body.input(name, w.type) for name in ("s", "r"))
    inside = yields(body, body.Add(state, each), body.Mul(state, each))
    found = build.op(
        "Scan",
        (w, rows),
        {"num_scan_inputs": 1, "scan_output_axes": (1,)},
        subgraphs={"body": inside},
    )
    return yields(build, *found)


def nested() -> Graph:
    """A loop in a branch, with names inside that are those outside; w goes through both."""
    build, x, w = start()
    positive = build.Greater(build.ReduceSum(x, keepdims=0), build.constant(0.0, DType.FLOAT32))
    then, other = build.inner("then"), build.inner("else")
    state, _ = loop(then, then.capture(x, 1), then.capture(w, 2))
    branches = {
        "then_branch": yields(then, state),
        "else_branch": yields(other, other.capture(x, 1)),
    }
    (y,) = build.op("If", (positive, x, w), subgraphs=branches)
    return yields(build, y)


def turns(x: Array) -> tuple[Array, Array]:
    """What the loop computes."""
    sums = []
    for i in range(3):
        x = x * STATE["w"] + np.float32(i)
        sums.append(x.sum())
    return x, np.array(sums, np.float32)


def branch(x: Array) -> Array:
    """What the branches compute."""
    y: Array = x * STATE["w"] if x.sum() > 0 else x - 1
    return np.maximum(y, 0)


@pytest.mark.parametrize("graph_of", [branching, looping, scanning, nested])
def test_graphs_are_sound(graph_of: Any) -> None:
    """Subgraphs are verified, and stay through rewriting and passes, to the byte of their text."""
    graph = graph_of()
    verify(graph)
    assert to_text(rewrite(graph, {})) == to_text(graph)
    assert to_text(settle(graph)) == to_text(graph)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("x", [X, -X, X[:1]])
def test_if(x: Array, engine: str) -> None:
    """Engines take one branch or the other, with batches of any size."""
    found = run(branching(), {"x": x}, STATE, engine=engine)["y0"]
    np.testing.assert_allclose(found, branch(x), rtol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_branches_are_optimized(engine: str) -> None:
    """What a branch yields twice is computed once, and what changes nothing not at all."""
    build, x, w = start()
    zero = build.constant(0.0, DType.FLOAT32)
    positive = build.Greater(build.ReduceSum(x, keepdims=0), zero)
    then, other = build.inner("then"), build.inner("else")
    outer, weight, same = then.capture(x, 1), then.capture(w, 2), other.capture(x, 1)
    once = other.constant(1.0, DType.FLOAT32)
    branches = {
        "then_branch": yields(then, then.Mul(outer, weight), then.Mul(outer, weight)),
        "else_branch": yields(other, other.Mul(same, once), other.Mul(same, once)),
    }
    found = build.op("If", (positive, x, w), outputs=2, subgraphs=branches)
    graph = yields(build, *found)
    (chosen,) = (node for _, node in settle(graph).nodes() if node.subgraphs)
    assert [len(inner) for inner in chosen.subgraphs.values()] == [3, 1]
    for given, expected in ((X, X * STATE["w"]), (-X, -X)):
        for y in run(graph, {"x": given}, STATE, engine=engine).values():
            np.testing.assert_allclose(y, expected, rtol=1e-6)


@pytest.mark.parametrize("engine", ENGINES)
def test_loop(engine: str) -> None:
    """A loop carries its state and yields a row per turn, of which types tell no number."""
    graph = looping()
    assert [str(value.type) for value in graph.outputs.values()] == ["float32[N, 3]", "float32[?]"]
    found = run(graph, {"x": X}, STATE, engine=engine)
    for array, expected in zip(found.values(), turns(X), strict=True):
        np.testing.assert_allclose(array, expected, rtol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_scan(engine: str) -> None:
    """A scan yields its last state, and further outputs side by side."""
    graph = scanning()
    assert [str(v.type) for v in graph.outputs.values()] == ["float32[3]", "float32[3, 4]"]
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    feeds = {"x": X, "rows": rows}
    state, products = run(graph, feeds, STATE, engine=engine).values()
    before = STATE["w"] + np.cumsum(rows, axis=0) - rows
    np.testing.assert_allclose(state, STATE["w"] + rows.sum(axis=0))
    np.testing.assert_allclose(products, (before * rows).T)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("x", [X, -X])
def test_nested_subgraphs(x: Array, engine: str) -> None:
    """A subgraph captures what an outer one captured."""
    found = run(nested(), {"x": x}, STATE, engine=engine)["y0"]
    np.testing.assert_allclose(found, turns(x)[0] if x.sum() > 0 else x, rtol=1e-5)


def test_names() -> None:
    """No name inside is one outside, and what is captured is no argument in the model."""
    file = BytesIO()
    write(nested(), STATE, file)
    model = onnx.load_from_string(file.getvalue())
    (choice,) = (node for node in model.graph.node if node.op_type == "If")
    assert len(choice.input) == 1
    outer = {name for node in model.graph.node for name in node.output} | {"x", "w"}
    for held in choice.attribute:
        assert not held.g.input
        assert not outer & {name for node in held.g.node for name in node.output}


def test_text() -> None:
    """The text of a graph holds its subgraphs, indented."""
    lines = to_text(branching()).splitlines()
    start = lines.index("%5: float32[N, 3] = If(%4, %0, %1)")
    assert lines[start + 1 : start + 8] == [
        "  then_branch:",
        "    net then",
        "    input captured1 = %0: float32[N, 3]",
        "    input captured2 = %1: float32[3]",
        "    output y0 = %2: float32[N, 3]",
        "",
        "    %0: float32[N, 3] = Input(captures=1, name='captured1')",
    ]


@pytest.mark.parametrize(
    ("graph_of", "elementwise"),
    [(branching, "10"), (looping, "27"), (scanning, "24"), (nested, "31")],
)
def test_counts(graph_of: Callable[[], Graph], elementwise: str) -> None:
    """Of two branches the dearer one counts, and a body as often as it runs."""
    counts = count(graph_of())
    assert (counts.macs, str(counts.elementwise)) == (0, elementwise)


@pytest.mark.parametrize("graph_of", [branching, looping, scanning, nested])
def test_gradients_of_nested_subgraphs(graph_of: Callable[[], Graph]) -> None:
    """Gradients are sound graphs, which both engines compute alike, for weights, too."""
    backward = append_backward(graph_of(), of="y0")
    verify(backward)
    feeds = {"x": X, "rows": np.arange(12, dtype=np.float32).reshape(4, 3)}
    feeds = {name: feeds[name] for name in backward.inputs}
    mine, theirs = (run(backward, feeds, STATE, engine=engine) for engine in ENGINES)
    assert np.any(mine["w.grad"])
    for name, array in mine.items():
        np.testing.assert_allclose(array, theirs[name], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("graph_of", [branching, looping, scanning, nested])
def test_known_extents(graph_of: Callable[[], Graph]) -> None:
    """A graph for one batch is sound inside, too, and computes the same."""
    graph = graph_of()
    bound = bind_extents(graph, {"N": 2})
    verify(bound)
    assert "N" not in to_text(bound).split("Input")[-1]
    feeds = {"x": X, "rows": np.ones((4, 3), np.float32)}
    feeds = {name: feeds[name] for name in graph.inputs}
    expected = run(graph, feeds, STATE)
    for name, array in run(bound, feeds, STATE).items():
        np.testing.assert_array_equal(array, expected[name])


def dropping() -> Graph:
    """Two dropouts in a branch, one of them in a loop, and one outside; and normalization."""
    build, x, _ = start()
    truth = build.constant(True, DType.BOOL)
    then, other = build.inner("then"), build.inner("else")
    held = then.capture(x, 1)
    body = then.inner("body")
    _, more, state = body.input("i", NUMBER), body.input("go", TRUTH), body.input("s", REAL)
    inside = yields(body, body.Identity(more), dropout(body, state))
    (looped,) = then.op("Loop", (then.index_constant(2), None, held), subgraphs={"body": inside})
    branches = {
        "then_branch": yields(then, then.Add(dropout(then, held), looped)),
        "else_branch": yields(other, other.capture(x, 1)),
    }
    (y,) = build.op("If", (truth, x), subgraphs=branches)
    return yields(build, y, dropout(build, x))


def dropout(build: Builder, x: Value) -> Value:
    """Half of x."""
    return build.Dropout(x, build.constant(0.5, DType.FLOAT32))


def test_dropout_inside() -> None:
    """At inference nothing is dropped inside; in training masks depend on the captured step."""
    graph = dropping()
    settled = settle(graph)
    verify(settled)
    np.testing.assert_array_equal(run(settled, {"x": X}, {})["y0"], 2 * X)
    trained = optimize(set_mode(graph, training=True, seed=3))
    verify(trained)
    ones = np.ones((200, 3), np.float32)
    masks = []
    for step in (0, 1, 1):
        feeds = {"x": ones, "step": np.array(step)}
        mine, theirs = (run(trained, feeds, {}, engine=engine) for engine in ENGINES)
        for name, array in mine.items():
            np.testing.assert_array_equal(array, theirs[name])
        assert set(np.unique(mine["y0"])) == {0.0, 2.0, 4.0, 6.0}
        masks.append(mine["y0"])
    np.testing.assert_array_equal(masks[1], masks[2])
    assert np.any(masks[0] != masks[1])


def test_running_statistics_inside() -> None:
    """Training refuses a batch normalization inside, whose statistics could not leave."""
    build, x, w = start()
    then, other = build.inner("then"), build.inner("else")
    held, vector = then.capture(x, 1), then.capture(w, 2)
    branches = {
        "then_branch": yields(then, then.BatchNormalization(held, *(vector,) * 4)),
        "else_branch": yields(other, other.capture(x, 1)),
    }
    truth = build.constant(True, DType.BOOL)
    graph = yields(build, *build.op("If", (truth, x, w), subgraphs=branches))
    verify(settle(graph))
    with pytest.raises(NetError, match="cannot move the running statistics"):
        set_mode(graph, training=True)


def test_what_the_types_refuse() -> None:
    """Branches and bodies must fit what is given, and each other."""
    build, x, w = start()
    empty, one, state = build.inner("empty"), build.inner("one"), build.inner("state")
    one_value = yields(one, one.constant(1.0, DType.FLOAT32))
    whole = yields(state, state.constant((1, 2), DType.INT64))
    truth = build.constant(True, DType.BOOL)
    for inputs, subgraphs, message in (
        ((x,), {}, r"takes one truth value, not float32\[N, 3\]"),
        ((truth,), {"then_branch": one_value}, "needs `else_branch`"),
        (
            (truth,),
            {"then_branch": one_value, "else_branch": empty.graph},
            "has branches with 1 and 0 outputs",
        ),
        (
            (truth,),
            {"then_branch": one_value, "else_branch": whole},
            r"cannot yield both float32\[\] and int64\[2\]",
        ),
    ):
        with pytest.raises((InferenceError, MissingAttributeError), match=message):
            build.op("If", inputs, subgraphs=subgraphs)
    with pytest.raises(InferenceError, match="needs a `body` of 3 inputs, not 0"):
        build.op("Loop", (None, None, w), subgraphs={"body": one_value})
    with pytest.raises(InferenceError, match="needs a `body` of 1 inputs, not 0"):
        build.op("Scan", (w,), {"num_scan_inputs": 1}, subgraphs={"body": one_value})


DAMAGES: Mapping[str, Callable[[Builder], object]] = {
    r"captures argument 1, float32\[N, 3\], in its `then_branch` as `captured1` of type bool": (
        lambda inner: inner.capture(Value(0, 0, TRUTH), 1)
    ),
    "captures argument 9, nothing, in its `then_branch` as `captured9` of type bool": (
        lambda inner: inner.capture(Value(0, 0, TRUTH), 9)
    ),
    "holds parameters in its `then_branch`": lambda inner: inner.parameter("v", (3,), init=ONES),
    "has in its `then_branch`: there is no output": lambda inner: inner.graph.outputs.clear(),
}


@pytest.mark.parametrize("message", DAMAGES)
def test_damaged_subgraphs(message: str) -> None:
    """A subgraph that captures what is not there, holds weights, or is damaged itself is found."""
    build, x, _ = start()
    then, other = build.inner("then"), build.inner("else")
    branches = {
        "then_branch": yields(then, then.constant(1.0, DType.FLOAT32)),
        "else_branch": yields(other, other.constant(1.0, DType.FLOAT32)),
    }
    truth = build.constant(True, DType.BOOL)
    graph = yields(build, *build.op("If", (truth, x), subgraphs=branches))
    DAMAGES[message](then)
    with pytest.raises(InvariantError, match=message):
        verify(graph)


def _growing() -> Graph:
    """A loop whose rows get longer from turn to turn."""
    build = Builder(Graph("growing"))
    x = build.input("x", TensorType(DType.FLOAT32, (unknown(),)))
    body = build.inner("body")
    _, more, state = (
        body.input("i", NUMBER),
        body.input("go", TRUTH),
        body.input("s", TensorType(DType.FLOAT32, (unknown(),))),
    )
    longer = body.Concat(state, state, axis=0)
    inside = yields(body, body.Identity(more), longer, longer)
    inputs = (build.input("turns", NUMBER), None, x)
    return yields(build, *build.op("Loop", inputs, outputs=2, subgraphs={"body": inside}))


def test_states_may_grow() -> None:
    """Extents may change from turn to turn, but not those of rows that are stacked."""
    graph = _growing()
    states = replace(graph, outputs={"y0": graph.outputs["y0"]})
    x, turns = np.ones(2, np.float32), np.array
    found = run(states, {"x": x, "turns": turns(1)}, {})
    assert found["y0"].shape == (4,)
    with pytest.raises(NetError, match="Loop yields rows of different extents in its turns"):
        run(graph, {"x": x, "turns": turns(3)}, {})
    state, rows = run(graph, {"x": x, "turns": turns(0)}, {}).values()
    assert (state.shape, rows.shape) == ((2,), (0, 0))


def test_sequences_of_a_scan_have_one_length() -> None:
    """Otherwise the error names the operator and the lengths."""
    build = Builder(Graph("scan"))
    kinds = [TensorType(DType.FLOAT32, (unknown(),)) for _ in "ab"]
    a, b = (build.input(name, type) for name, type in zip("ab", kinds, strict=True))
    body = build.inner("body")
    each = [body.input(name, TensorType(DType.FLOAT32, ())) for name in "ab"]
    inside = {"body": yields(body, body.Add(*each))}
    graph = yields(build, *build.op("Scan", (a, b), {"num_scan_inputs": 2}, subgraphs=inside))
    feeds = {"a": np.ones(3, np.float32), "b": np.ones(4, np.float32)}
    with pytest.raises(NetError, match="Scan needs sequences of one length, not 3 and 4"):
        run(graph, feeds, {})


def test_operands_in_a_body_that_do_not_fit() -> None:
    """What only the numbers of a run tell is no traceback, inside of subgraphs either."""
    build = Builder(Graph("adding"))
    x, y = (build.input(n, TensorType(DType.FLOAT32, (unknown(),))) for n in "xy")
    truth = build.constant(True, DType.BOOL)
    then, other = build.inner("then"), build.inner("else")
    branches = {
        "then_branch": yields(then, then.Add(then.capture(x, 1), then.capture(y, 2))),
        "else_branch": yields(other, other.capture(x, 1)),
    }
    graph = yields(build, *build.op("If", (truth, x, y), subgraphs=branches))
    with pytest.raises(NetError, match="Add cannot be computed"):
        run(graph, {"x": np.ones(3, np.float32), "y": np.ones(4, np.float32)}, {})
