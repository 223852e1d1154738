"""Sessions on onnxruntime: results, and devices, models and inputs that are refused."""

import builtins
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from support.refusals import refusal

import netc
from netc.compiler.emit.onnx import write
from netc.runtime.engines.engine import run
from netc.runtime.engines.session import Session


def model(op_type: str = "Add", dtype: int = TensorProto.FLOAT) -> bytes:
    """A model of one operator on two inputs a, b of N x 3."""
    inputs = [helper.make_tensor_value_info(name, dtype, ["N", 3]) for name in "ab"]
    outputs = [helper.make_tensor_value_info("y", dtype, None)]
    graph = helper.make_graph(
        [helper.make_node(op_type, ["a", "b"], ["y"])], "model", inputs, outputs
    )
    opset = helper.make_opsetid("", 22)
    proto: bytes = helper.make_model(
        graph, opset_imports=[opset], ir_version=10
    ).SerializeToString()
    return proto


def test_runs_models_from_bytes_and_from_files(tmp_path: Path) -> None:
    """A model runs from memory and from a file, with inputs cast, and yields what is asked for."""
    (tmp_path / "m.onnx").write_bytes(model())
    feeds = {"a": np.ones((2, 3)), "b": [[1, 2, 3], [4, 5, 6]]}
    for source in (model(), str(tmp_path / "m.onnx")):
        session = Session(source)
        found = session.run(feeds)
        assert found["y"].tolist() == [[2, 3, 4], [5, 6, 7]]
        assert found["y"].dtype == np.float32
        assert session.run(feeds, ["y"]).keys() == {"y"}
        assert session.outputs == ("y",)
        assert str(session.inputs["a"]) == "float32[N, 3]"


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({"a": np.ones((2, 3))}, "the input `b` is missing"),
        ({"a": np.ones((2, 4)), "b": np.ones((2, 3))}, "`a` takes N x 3, but got 2 x 4"),
        ({"a": np.ones((2, 3)), "b": np.ones((1, 3))}, "differ in the batch N: 2 and 1"),
    ],
)
def test_inputs_that_do_not_fit(feeds: dict[str, Any], message: str) -> None:
    """Inputs are checked before onnxruntime sees them, in the same words as on NumPy."""
    found = refusal(Session(model()).run, feeds)
    assert found.startswith("error[E206]: ")
    assert message in found


def converter(inputs: Sequence[Any], outputs: Sequence[Any], *nodes: Any) -> bytes:
    """A model of some nodes."""
    graph = helper.make_graph(list(nodes), "model", list(inputs), list(outputs))
    opset = helper.make_opsetid("", 22)
    proto = helper.make_model(graph, opset_imports=[opset], ir_version=10)
    return bytes(proto.SerializeToString())


def tensor(name: str, kind: int, shape: Sequence[int] | None = (2,)) -> Any:
    """An input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


REAL = tensor("x", TensorProto.FLOAT)
SEQUENCE = helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, [2])


@pytest.mark.parametrize(
    ("kind", "spelling"),
    [(TensorProto.STRING, "tensor(string)"), (TensorProto.BFLOAT16, "tensor(bfloat16)")],
)
def test_inputs_that_are_no_numbers(kind: int, spelling: str) -> None:
    """Text and numbers that NumPy does not have cannot be fed."""
    node = helper.make_node("Identity", ["x"], ["y"])
    found = refusal(Session, converter([tensor("x", kind)], [tensor("y", kind)], node))
    assert found.startswith(f"error[E575]: the input `x` is `{spelling}`, which NumPy cannot")


def test_sequences() -> None:
    """They are lists of arrays; optional values stay within a model."""
    node = helper.make_node("SequenceInsert", ["s", "x"], ["t"])
    longer = helper.make_tensor_sequence_value_info("t", TensorProto.FLOAT, None)
    session = Session(converter([SEQUENCE, REAL], [longer], node))
    arrays = [np.ones(2, np.float32), np.zeros((0, 3), np.float32)]
    found = session.run({"s": arrays, "x": [1, -1]})["t"]
    assert [array.tolist() for array in found] == [[1, 1], [], [1, -1]]
    assert "the input `s` takes a list of arrays" in refusal(session.run, {"s": 1, "x": [1, 2]})
    optional = helper.make_value_info("s", helper.make_optional_type_proto(REAL.type))
    has = helper.make_node("OptionalHasElement", ["s"], ["y"])
    said = refusal(Session, converter([optional], [tensor("y", TensorProto.BOOL)], has))
    assert "the input `s` is `optional(tensor(float))`" in said


@pytest.mark.parametrize(
    ("output", "node"),
    [
        *(
            (tensor("s", kind), helper.make_node("Cast", ["x"], ["s"], to=kind))
            for kind in (TensorProto.STRING, TensorProto.BFLOAT16, TensorProto.FLOAT8E4M3FN)
        ),
    ],
)
def test_outputs_that_are_no_numbers(output: Any, node: Any) -> None:
    """Other outputs of the same model can be fetched."""
    outputs = [output, tensor("y", TensorProto.FLOAT)]
    session = Session(converter([REAL], outputs, node, helper.make_node("Relu", ["x"], ["y"])))
    found = refusal(session.run, {"x": [1, -1]})
    assert found.startswith("error[E575]: the output `s` is `")
    assert "help: fetch `y`" in found
    assert session.run({"x": [1, -1]}, ["y"])["y"].tolist() == [1, 0]


def test_models_without_inputs() -> None:
    """What depends on nothing is computed, and takes no array."""
    node = helper.make_node("Constant", [], ["y"], value_float=0.5)
    session = Session(converter([], [tensor("y", TensorProto.FLOAT, [])], node))
    assert session.run({})["y"] == 0.5
    assert "help: it takes no inputs" in refusal(session.run, {"x": [1]})


def test_inputs_of_any_rank() -> None:
    """An input that the model gives no rank takes arrays of every rank."""
    node = helper.make_node("Relu", ["x"], ["y"])
    inputs = [tensor("x", TensorProto.FLOAT, None)]
    session = Session(converter(inputs, [tensor("y", TensorProto.FLOAT, None)], node))
    for shape in ((), (2,), (2, 3)):
        assert session.run({"x": np.ones(shape)})["y"].shape == shape


@pytest.mark.parametrize("shape", [(2, 0, 4), (2, 3, 0)])
def test_empty_samples_are_refused(shape: tuple[int, ...]) -> None:
    """There may be no samples, but an empty one can end onnxruntime's process."""
    network = netc.compile("INPUT((L, M), sequence) -> RELU")
    written = io.BytesIO()
    write(network.graph, {}, written)
    session = Session(written.getvalue())
    assert "the input `input` is empty" in refusal(session.run, {"input": np.ones(shape)})


def test_unknown_outputs() -> None:
    """An output that the model does not have is refused by name."""
    feeds = {"a": np.ones((2, 3)), "b": np.ones((2, 3))}
    assert refusal(Session(model()).run, feeds, ["z"]).startswith(
        "error[E101]: the model has no output `z`"
    )


@pytest.mark.parametrize(
    "content", [b"", b"no model", model()[:-20], model("NoSuchOperator"), model("MatMul")]
)
def test_models_that_are_refused(
    content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """What onnxruntime refuses is an error of ours, and it writes nothing on its own."""
    (tmp_path / "m.onnx").write_bytes(content)
    for source in (content, str(tmp_path / "m.onnx")):

        def attempt(source: str | bytes = source) -> None:
            Session(source).run({"a": np.ones((2, 3)), "b": np.ones((2, 3))})

        assert refusal(attempt).startswith("error[E506]: onnxruntime ")
    assert capfd.readouterr() == ("", "")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A missing model is named."""
    assert refusal(Session, str(tmp_path / "none.onnx")).startswith("error[E001]: cannot read ")


def test_unknown_device() -> None:
    """A device that nobody knows is refused with those that there are."""
    assert refusal(Session, model(), device="tpu") == (
        "error[E502]: unknown device `tpu`\n  = help: the devices are `cpu` and `cuda`"
    )


def test_without_onnxruntime(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where onnxruntime is not installed, both of its packages are named."""
    original = builtins.__import__

    def absent(name: str, *arguments: Any, **options: Any) -> Any:
        if name.split(".")[0] == "onnxruntime":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return original(name, *arguments, **options)

    monkeypatch.delitem(sys.modules, "onnxruntime")
    monkeypatch.setattr(builtins, "__import__", absent)
    assert refusal(Session, model()) == (
        "error[E502]: onnxruntime is not installed\n"
        "  = help: pip install 'netc[cpu]', or pip install 'netc[gpu]' for CUDA; not both"
    )


def test_a_device_that_is_not_built_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA on an onnxruntime for the CPU is an error that says how to get it."""
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    assert refusal(Session, model(), device="cuda") == (
        "error[E502]: onnxruntime cannot use the device `cuda`: this onnxruntime was built"
        " without it\n"
        "  = note: it can use CPUExecutionProvider\n"
        "  = help: pip uninstall onnxruntime, then pip install 'netc[gpu]', and check the driver"
        " and its libraries"
    )


def test_a_device_that_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """A CUDA session that runs on the CPU in silence is an error."""
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: providers)
    original = onnxruntime.InferenceSession

    def fallen_back(source: Any, options: Any, providers: list[str]) -> Any:
        assert providers == ["CUDAExecutionProvider", "CPUExecutionProvider"]
        return original(source, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(onnxruntime, "InferenceSession", fallen_back)
    found = refusal(Session, model(), device="cuda")
    assert found.startswith(
        "error[E502]: onnxruntime cannot use the device `cuda`: it is built in, but could not be"
        " started\n  = note: it can use CPUExecutionProvider\n"
    )


def test_symbolic_extents_without_names() -> None:
    """Extents that a model leaves open are each their own."""
    proto = onnx.load_from_string(model())
    for value in proto.graph.input:
        value.type.tensor_type.shape.dim[0].Clear()
    found = Session(proto.SerializeToString()).run({"a": np.ones((1, 3)), "b": np.ones((4, 3))})
    assert found["y"].shape == (4, 3)


NET = (
    "INPUT(6x5x2) as i -> CONV(3x3, 4) as c -> RELU as r -> POOL as p -> FC(3) as f -> DROPOUT as d"
)


def test_every_label_can_be_fetched_on_both_engines() -> None:
    """Inputs, views and layers that inference leaves out can be fetched from both engines."""
    network = netc.compile(NET)
    state = network.initialize(0)
    x = np.random.default_rng(0).standard_normal((2, 2, 6, 5)).astype(np.float32)
    labels = ["d", "c", "i", "p", "f", "r"]
    numpy = run(network.graph, {"i": x}, state, fetch=labels)
    other = run(network.graph, {"i": x}, state, fetch=labels, engine="onnxruntime")
    assert list(numpy) == list(other) == labels
    for label in labels:
        np.testing.assert_allclose(other[label], numpy[label], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"engine": "onxruntime"}, "unknown engine `onxruntime`\n  = help: did you mean"),
        ({"engine": "tensorflow"}, "= help: the engines are numpy and onnxruntime"),
        ({"device": "cuda"}, "the engine numpy cannot run on the device `cuda`"),
        ({"dtype": "float16"}, "NumPy does not compute in `float16`"),
        ({"engine": "onnxruntime", "dtype": "float64"}, "in the network's own element type"),
        ({"engine": "onnxruntime", "device": "gpu"}, "unknown device `gpu`"),
    ],
)
def test_engines_that_cannot_be_had(options: dict[str, str], message: str) -> None:
    """Unknown engines, devices and element types are refused with the choices."""
    network = netc.compile(NET)
    x = np.zeros((1, 2, 6, 5), np.float32)
    found = refusal(run, network.graph, {"i": x}, network.initialize(0), **options)
    assert found.startswith("error[E502]: ")
    assert message in found


def test_a_network_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs on onnxruntime share a session for each choice of fetches, whatever the weights are."""
    sessions: list[str | bytes] = []

    def counted(model: str | bytes, **options: Any) -> Session:
        sessions.append(model)
        return Session(model, **options)

    monkeypatch.setattr("netc.runtime.engines.engine.Session", counted)
    network = netc.compile(NET)
    x = {"i": np.random.default_rng(0).standard_normal((2, 2, 6, 5)).astype(np.float32)}
    for seed in range(3):
        state = network.initialize(seed)
        found = run(network.graph, x, state, engine="onnxruntime")["output"]
        np.testing.assert_allclose(found, run(network.graph, x, state)["output"], atol=1e-5)
    assert len(sessions) == 1
    run(network.graph, x, state, engine="onnxruntime", fetch=["c"])
    assert len(sessions) == 2
