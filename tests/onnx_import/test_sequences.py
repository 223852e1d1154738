"""Models with sequences and optional values: read, run, shown, written again and refused."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from click.testing import CliRunner

import netc
from netc import NetError
from netc.choices import EngineName
from netc.cli import cli
from netc.runtime.kerneldef import Array

X = np.array([[0.1, -2.0, 3.0], [1.0, 0.5, -0.25]], np.float32)
LIST = [X, X[:1] + 1, np.zeros((0, 3), np.float32)]

COLLECTED = """
<ir_version: 10, opset_import: ["" : 21]>
collected (float[N, 3] x) => (float[rows, 3] y, float[N, 3] last)
<int64 turns = {3}, int64 first = {0}, float[1, 3] w = {1, 0.5, -1}> {
  empty = SequenceEmpty()
  last, rows = Loop(turns, , x, empty) <body: graph = body (
    int64 turn, bool going, float[N, 3] state, seq(float[N, 3]) held
  ) => (bool goes, float[N, 3] moved, seq(float[N, 3]) grown) {
    goes = Identity(going)
    moved = Mul(state, w)
    grown = SequenceInsert(held, moved)
  }>
  start = SequenceAt(rows, first)
  all = SequenceInsert(rows, start)
  y = ConcatFromSequence<axis = 0>(all)
}
"""
JOINED = """
<ir_version: 10, opset_import: ["" : 21]>
joined (seq(float[n, 3]) rows, optional(float[N, 3]) more) => (seq(float[m, 3]) y, float[r, 3] z)
<float[3, 3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9}> {
  doubled = SequenceMap <body: graph = body (float[n, 3] row) => (float[n, 3] out) {
    out = MatMul(row, w)
  }>(rows)
  has = OptionalHasElement(more)
  y = If(has) <
    then_branch: graph = given () => (seq(float[n, 3]) longer) {
      value = OptionalGetElement(more)
      longer = SequenceInsert(doubled, value)
    },
    else_branch: graph = alone () => (seq(float[n, 3]) same) { same = Identity(doubled) }
  >
  z = ConcatFromSequence<axis = 0>(y)
}
"""
SINGLE = """
<ir_version: 10, opset_import: ["" : 21]>
single (float[N, 3] x) => (seq(float[N, 3]) y) <float[3, 3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9}> {
  z = MatMul(x, w)
  y = SequenceConstruct(z, x)
}
"""
W = np.arange(1, 10, dtype=np.float32).reshape(3, 3)


def collected(x: Array) -> list[Any]:
    """Three turns, and the first one again."""
    w = np.array([1, 0.5, -1], np.float32)
    rows = [x * w, x * w**2, x * w**3]
    return [np.concatenate([*rows, rows[0]]), rows[-1]]


def joined(rows: list[Array], more: Array | None) -> list[Any]:
    """Each row times the weights, and what is there beside them."""
    y = [*(row @ W for row in rows), *([] if more is None else [more])]
    return [y, np.concatenate(y)]


CASES: dict[str, tuple[str, Callable[..., list[Any]], dict[str, Any]]] = {
    "collected": (COLLECTED, collected, {"x": X}),
    "with an optional": (JOINED, joined, {"rows": LIST, "more": X}),
    "without one": (JOINED, joined, {"rows": LIST, "more": None}),
}


def model(text: str) -> bytes:
    """A model written as text."""
    found: bytes = onnx.parser.parse_model(text).SerializeToString()
    return found


def run(net: netc.Network, feeds: Any, engine: EngineName = "numpy") -> dict[str, Any]:
    """All outputs by name."""
    found = net.run(feeds, engine=engine)
    assert isinstance(found, dict)
    return found


def refusal(function: Callable[..., object], *arguments: Any) -> str:
    """The diagnostics of a call that is an error."""
    with pytest.raises(NetError) as failure:
        function(*arguments)
    return str(failure.value)


def assert_same(found: Any, wanted: Any) -> None:
    """The same arrays, alone or in lists."""
    assert isinstance(found, list) == isinstance(wanted, list)
    if not isinstance(found, list):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
        return
    assert len(found) == len(wanted)
    for a, b in zip(found, wanted, strict=True):
        assert_same(a, b)


@pytest.mark.parametrize("case", CASES)
def test_they_compute_what_they_say(case: str, tmp_path: Path) -> None:
    """The model as read, and as written and read again, yields what it means."""
    text, meaning, feeds = CASES[case]
    net = netc.load_onnx(model(text))
    net.export(tmp_path / "again.onnx")
    again = netc.load_onnx(str(tmp_path / "again.onnx"))
    assert [spec.dtype for spec in again.outputs] == [spec.dtype for spec in net.outputs]
    for each in (net, again):
        assert_same([*run(each, feeds).values()], meaning(**feeds))


def test_engines_agree_on_what_is_inside() -> None:
    """onnxruntime takes and yields sequences, too, and optional values within a model."""
    net = netc.load_onnx(model(COLLECTED))
    for name, found in run(net, X, "onnxruntime").items():
        np.testing.assert_allclose(found, run(net, X)[name], rtol=1e-6)
    with pytest.raises(NetError, match="the input `more` is `optional"):
        netc.load_onnx(model(JOINED)).run(CASES["with an optional"][2], engine="onnxruntime")


def test_results_are_their_own() -> None:
    """What a run yields shares no memory with what it took, or with another run."""
    net = netc.load_onnx(model(JOINED))
    feeds: dict[str, Any] = {"rows": [row.copy() for row in LIST], "more": X.copy()}
    first = run(net, feeds)
    kept = [row.copy() for row in first["y"]]
    for row in (*feeds["rows"], feeds["more"], *run(net, feeds)["y"]):
        row += 1
    assert_same(first["y"], kept)


def test_what_is_taken_out_is_its_own() -> None:
    """Lists share arrays with each other, and with the caller's, but no result does."""
    text = """<ir_version: 10, opset_import: ["" : 21]>
    taken (seq(float[n, 3]) rows) => (float[n, 3] a, float[n, 3] b) {
      fewer = SequenceErase(rows)
      count = SequenceLength(rows)
      first = Sub(count, count)
      a = SequenceAt(fewer, first)
      b = SequenceAt(rows, first)
    }"""
    found = run(netc.load_onnx(model(text)), {"rows": LIST})
    assert not np.shares_memory(found["a"], found["b"])
    assert not any(np.shares_memory(array, LIST[0]) for array in found.values())


def test_types_are_shown() -> None:
    """Summaries say what is held; how much that is in memory nobody knows."""
    net = netc.load_onnx(model(JOINED))
    shown = str(net.summary())
    assert "seq(? x 3)" in shown
    assert "optional(3)" in shown or "optional(? x 3)" in shown
    assert str(net.inputs[0]).startswith("rows seq(float32[?, 3])")
    assert "seq(float32[N, 3])" in [str(type) for type in _types(netc.load_onnx(model(COLLECTED)))]


def _types(net: Any) -> list[Any]:
    return [type for _, node in net.graph.nodes() for type in node.outputs]


def test_they_are_drawn(tmp_path: Path) -> None:
    """Pictures have a box for each operator, with what it yields."""
    netc.load_onnx(model(JOINED)).draw(tmp_path / "joined.svg")
    assert "seq(? x 3)" in (tmp_path / "joined.svg").read_text()


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({"rows": X, "more": None}, "the input `rows` takes a list of arrays"),
        ({"rows": [X, X[0]], "more": None}, "the input `rows[1]` takes ? x 3, but got 3"),
        ({"rows": [X, X + 1j], "more": None}, "the input `rows[1]` holds complex numbers"),
        ({"rows": LIST}, "the input `more` is missing"),
        ({"rows": LIST, "more": X[0]}, "the input `more` takes ? x 3, but got 3"),
        ({"rows": [], "more": None}, "needs a sequence that is not empty"),
    ],
)
def test_inputs_that_do_not_fit(feeds: Any, message: str) -> None:
    """Each array of a list is checked like an input."""
    assert message in refusal(netc.load_onnx(model(JOINED)).run, feeds)


def test_what_programs_cannot_say() -> None:
    """A program has tensors only, and gradients are of tensors."""
    net = netc.load_onnx(model(COLLECTED))
    assert "error[E579]: a program cannot say `SequenceEmpty`" in refusal(net.to_text)
    assert "error[E579]: a program cannot say the input `rows` of seq" in refusal(
        netc.load_onnx(model(JOINED)).to_text
    )
    said = refusal(netc.compile, 'INPUT(3) -> op("SequenceConstruct")')
    assert "it yields seq(float32[N, 3]), and a program has tensors only" in said


def test_what_has_gradients_are_tensors(tmp_path: Path) -> None:
    """Losses and inputs that are drawn are tensors; a chain rule ends where a sequence begins."""
    single = netc.load_onnx(model(SINGLE))
    said = refusal(partial(single.backward, loss="mse"))
    assert "error[E132]: the output `y` is seq(float32[N, 3]), and `mse` takes tensors" in said
    (tmp_path / "joined.onnx").write_bytes(model(JOINED))
    said = str(CliRunner().invoke(cli, ["bench", str(tmp_path / "joined.onnx")]).exception)
    assert "error[E565]: `rows` is seq(float32[?, 3]), which is not drawn at random" in said
    for text in (SINGLE, JOINED):
        draw = partial(netc.load_onnx(model(text)).draw, tmp_path / "b.svg", style="backward")
        assert "error[E131]: netc has no rule for the gradient of" in refusal(draw)


def test_results_on_the_command_line(tmp_path: Path) -> None:
    """Each array of a list has a name of its own, on the terminal and in a file."""
    (tmp_path / "single.onnx").write_bytes(model(SINGLE))
    np.save(tmp_path / "x.npy", X)
    given = ["run", str(tmp_path / "single.onnx"), "--input", str(tmp_path / "x.npy")]
    for engine in ("numpy", "onnxruntime"):
        saved = tmp_path / f"{engine}.npz"
        found = CliRunner().invoke(cli, [*given, "--engine", engine, "-o", str(saved)])
        assert "y[1]: float32[2, 3]" in found.output
        with np.load(saved) as arrays:
            assert_same(list(arrays.values()), [X @ W, X])


def test_exports_are_compared(tmp_path: Path) -> None:
    """`netc build` runs sequences on both engines, and half precision is measured on them."""
    net = netc.load_onnx(model(SINGLE))
    rounding = net.export(tmp_path / "half.onnx", dtype="float16")
    assert rounding is not None
    assert [*rounding.outputs] == ["y[0]", "y[1]"]
    (tmp_path / "single.onnx").write_bytes(model(SINGLE))
    given = ["build", str(tmp_path / "single.onnx"), "-d", str(tmp_path / "build")]
    assert "NumPy and onnxruntime agree" in CliRunner().invoke(cli, given).output


WRONG = [
    ("y = Add(rows, rows)", "Add takes no seq(float32[?, 3])"),
    ("y = SequenceLength(x)", "`input_sequence` is of float32"),
    ("y = SequenceConstruct(x, i)", "`inputs` is of int64"),
    ("y = SequenceConstruct(rows)", "SequenceConstruct puts no seq"),
    ("y = SequenceAt(rows, x)", "`position` is of float32"),
    ("y = SequenceAt(rows, rows)", "SequenceAt needs a whole number, not seq(float32[?, 3])"),
    ("y = SplitToSequence(x, rows)", "SplitToSequence needs whole numbers, not seq"),
    ("y = ConcatFromSequence<axis = 2>(rows)", "ConcatFromSequence has no axis 2 among 2"),
    ("e = SequenceEmpty() y = SequenceAt(e, i)", "SequenceAt cannot tell how many axes"),
    (
        "y = SequenceMap <body: graph = b (float a, float q) => (float c) { c = Neg(q) }>(rows)",
        "SequenceMap needs a `body` of 1 inputs, not 2",
    ),
    (
        "y = SequenceMap <body: graph = b (float a) => (float a) { }>(x)",
        "`input_sequence` is of float32",
    ),
    (
        "o = Optional(x) y = SequenceMap <body: graph = b (float a, float c) => (a) { }>(rows, o)",
        "SequenceMap cannot hand optional(float32[N, 3])",
    ),
    (
        "y = Loop(x, , i) <body: graph = b (int64 t, bool g, int64 s) => (bool g, int64 s) { }>",
        "`M` is of float32",
    ),
    (
        "y = Loop(i, , i) <body: graph = b (int64 t, bool g, int64 s) => (int64 s, int64 s) { }>",
        "Loop needs a `body` whose first output is a truth value",
    ),
    (
        "y = If(rows) <then_branch: graph = b () => (x) { }, else_branch: graph = d () => (x) { }>",
        "If takes one truth value, not seq(float32[?, 3])",
    ),
    ("y = Optional()", "Optional takes a tensor or a sequence, not nothing"),
]


@pytest.mark.parametrize(("nodes", "message"), WRONG)
def test_types_that_do_not_fit(nodes: str, message: str) -> None:
    """Operators say what they do not take."""
    text = (
        '<ir_version: 10, opset_import: ["" : 21]>\n'
        f"wrong (float[N, 3] x, int64 i, seq(float[n, 3]) rows) => (y) {{ {nodes} }}"
    )
    assert message in refusal(netc.load_onnx, model(text))


def test_places_that_are_not_there() -> None:
    """An index beyond a list is an error of the input that holds it."""
    text = """<ir_version: 10, opset_import: ["" : 21]>
    at (seq(float[n, 3]) rows, int64 i) => (float[m, 3] y) { y = SequenceAt(rows, i) }"""
    net = netc.load_onnx(model(text))
    assert_same(net.run({"rows": LIST, "i": -2}), LIST[1])
    assert "needs a place from -3 to 2, not 3" in refusal(net.run, {"rows": LIST, "i": 3})
