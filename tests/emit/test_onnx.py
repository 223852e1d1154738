"""Exported ONNX models: what they hold, that they run, and what is refused."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from support.ops import version_of
from support.refusals import refusal

from netc.compiler.emit.onnx import check, export, wire, write
from netc.compiler.ir.builder import Builder
from netc.compiler.ir.dim import BATCH
from netc.compiler.ir.graph import Graph
from netc.compiler.ir.types import DType, TensorType
from netc.grammar.diagnostics import NetError

LENET = "INPUT(28x28) -> [CONV(5x5, 6) -> RELU -> POOL]*2 -> FC(84) as hidden -> RELU -> FC(10)"

PROGRAMS = {
    "lenet": LENET,
    "dropout": "INPUT(8x8x2) -> DROPOUT -> CONV -> DROPOUT(0.1)",
    "batch norm": "INPUT(8x8x2) -> CONV(3x3, 4) -> BN(affine=no) -> RELU -> BN -> AVGPOOL",
    "sequence": "INPUT(16x4, sequence) -> [CONV(kernel=3, filters=4) -> RELU]*3 -> BN",
    "scaled": "INPUT(8x8x4) -> ( ID | FC(4) -> SIGMOID ) -> ADD -> SOFTMAX",
    "several": "x = INPUT(8) as a\ny = INPUT(8) as b\ns = ( x | y ) -> ADD -> TANH\n"
    "output s\noutput c = ( x | y | s ) -> CONCAT",
    "identity": "INPUT(8) -> ID",
}

Session = onnxruntime.InferenceSession
GraphOf = Callable[[str], Graph]
StateOf = Callable[[Graph], dict[str, np.ndarray[Any, Any]]]


def _feeds(
    session: "onnxruntime.InferenceSession", batch: int = 3
) -> dict[str, np.ndarray[Any, Any]]:
    random = np.random.default_rng(1)
    shapes = {i.name: (batch, *i.shape[1:]) for i in session.get_inputs()}
    return {name: random.standard_normal(shape, np.float32) for name, shape in shapes.items()}


@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_models_run(program: str, graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """Onnxruntime runs each model at any batch, and yields the shapes that the graph states."""
    graph = graph_of(program)
    path = str(tmp_path / "m.onnx")
    export(graph, state_of(graph), path)
    session = Session(path)
    assert [i.name for i in session.get_inputs()] == list(graph.inputs)
    assert [o.name for o in session.get_outputs()] == list(graph.outputs)
    for batch in (1, 3):
        results = session.run(None, _feeds(session, batch))
        stated = [value.type.bind({"N": batch}).shape for value in graph.outputs.values()]
        assert [result.shape for result in results] == stated


def test_names(graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """Nodes and values bear layers' paths, what is inside a layer also the operator."""
    graph = graph_of(LENET)
    export(graph, state_of(graph), str(tmp_path / "m.onnx"))
    model = onnx.load(tmp_path / "m.onnx")
    assert [node.name for node in model.graph.node] == [
        *("conv1", "relu1", "pool1", "conv2", "relu2", "pool2"),
        *("hidden.Flatten", "hidden", "relu3", "fc1"),
    ]
    assert [node.output[0] for node in model.graph.node][-2:] == ["relu3", "output"]
    assert [tensor.name for tensor in model.graph.initializer] == list(graph.parameters)
    assert model.graph.node[0].doc_string == "CONV conv1"
    shape = model.graph.input[0].type.tensor_type.shape
    assert [dim.dim_param or dim.dim_value for dim in shape.dim] == ["N", 1, 28, 28]


def test_constants_are_named_after_their_use(
    graph_of: GraphOf, state_of: StateOf, tmp_path: Path
) -> None:
    """The target shape of a reshape inside `add1` is `add1.shape`."""
    graph = graph_of(PROGRAMS["scaled"])
    export(graph, state_of(graph), str(tmp_path / "m.onnx"))
    model = onnx.load(tmp_path / "m.onnx")
    assert "add1.shape" in [tensor.name for tensor in model.graph.initializer]


def test_versions_and_metadata(graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """The model says its opset, IR version, producer and whatever the caller tells of it."""
    graph = graph_of("INPUT(4) -> RELU")
    path = str(tmp_path / "m.onnx")
    export(graph, {}, path, metadata={"source": "INPUT", "seed": "0"}, version="1.2")
    model = onnx.load(path)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 22)]
    assert model.ir_version == 10
    assert (model.producer_name, model.producer_version) == ("netc", "1.2")
    assert {p.key: p.value for p in model.metadata_props} == {"source": "INPUT", "seed": "0"}


def test_weights_arrive(graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """Initializers hold the state's values, also where those are not contiguous."""
    graph = graph_of("INPUT(4x4x2) -> CONV(3x3, 3) -> FC(5)")
    state = state_of(graph)
    state["fc1.weight"] = np.asfortranarray(state["fc1.weight"])
    export(graph, state, str(tmp_path / "m.onnx"))
    model = onnx.load(tmp_path / "m.onnx")
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    assert found.keys() == state.keys()
    assert all(np.array_equal(found[name], state[name]) for name in state)


def test_wire_format(graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """The bytes put together by hand are a model that protobuf reads and writes with no loss."""
    graph = graph_of(LENET)
    export(graph, state_of(graph), str(tmp_path / "m.onnx"))
    data = (tmp_path / "m.onnx").read_bytes()
    model = onnx.ModelProto.FromString(data)
    assert len(model.SerializeToString()) == len(data)
    assert onnx.ModelProto.FromString(model.SerializeToString()) == model


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**31, 2**40])
def test_varint(number: int) -> None:
    """Numbers are written seven bits a byte, the lowest first, as protobuf reads them."""
    info = onnx.TensorProto(dims=[number])
    assert wire._varint(number) == info.SerializeToString()[-len(wire._varint(number)) :]


def test_same_bytes(graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """The same program and weights give the same bytes."""
    for name in ("a.onnx", "b.onnx"):
        graph = graph_of(PROGRAMS["several"])
        export(graph, state_of(graph), str(tmp_path / name), metadata={"k": "v"})
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()


def test_external_data(graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """Above the limit weights lie in a file beside the model, aligned, and give the same result."""
    graph = graph_of(LENET)
    state = state_of(graph)
    export(graph, state, str(tmp_path / "small.onnx"))
    export(graph, state, str(tmp_path / "big.onnx"), max_inline=10_000)
    assert sorted(f.name for f in tmp_path.iterdir()) == [
        *("big.onnx", "big.onnx.data", "small.onnx"),
    ]
    model = onnx.load(tmp_path / "big.onnx", load_external_data=False)
    places = [
        {entry.key: entry.value for entry in tensor.external_data}
        for tensor in model.graph.initializer
    ]
    assert {place["location"] for place in places} == {"big.onnx.data"}
    assert all(int(place["offset"]) % 64 == 0 for place in places)
    small, big = (Session(tmp_path / f"{name}.onnx") for name in ("small", "big"))
    feeds = _feeds(small)
    assert np.array_equal(small.run(None, feeds)[0], big.run(None, feeds)[0])


class _Lazy(Mapping[str, "np.ndarray[Any, Any]"]):
    """Weights drawn when read; counts how many are alive at a time."""

    def __init__(self, state: Mapping[str, "np.ndarray[Any, Any]"]) -> None:
        self.state = state
        self.reads: list[str] = []

    def __getitem__(self, name: str) -> "np.ndarray[Any, Any]":
        self.reads.append(name)
        return self.state[name].copy()

    def __iter__(self) -> Iterator[str]:
        return iter(self.state)

    def __len__(self) -> int:
        return len(self.state)

    def __contains__(self, name: object) -> bool:
        return name in self.state


@pytest.mark.parametrize("max_inline", [0, 10**9])
def test_weights_are_read_once(
    max_inline: int, graph_of: GraphOf, state_of: StateOf, tmp_path: Path
) -> None:
    """A lazy state is asked for each weight once, in order."""
    graph = graph_of(LENET)
    state = _Lazy(state_of(graph))
    export(graph, state, str(tmp_path / "m.onnx"), max_inline=max_inline)
    assert state.reads == list(graph.parameters)


def test_every_value(graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """On demand every computed value is an output, and its name leads to the graph's value."""
    graph = graph_of(PROGRAMS["sequence"])
    path = str(tmp_path / "m.onnx")
    exported = export(graph, state_of(graph), path, every_value=True)
    session = Session(path)
    names = [output.name for output in session.get_outputs()]
    assert names[:2] == ["output", "conv1.Transpose"]
    for name, result in zip(names, session.run(None, _feeds(session)), strict=True):
        assert result.shape == exported.values[name].type.bind({"N": 3}).shape


def test_dropout_is_gone(graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """An inference model holds no Dropout, nor its rate."""
    graph = graph_of(PROGRAMS["dropout"])
    export(graph, state_of(graph), str(tmp_path / "m.onnx"))
    model = onnx.load(tmp_path / "m.onnx")
    assert [node.op_type for node in model.graph.node] == ["Conv"]
    assert [tensor.name for tensor in model.graph.initializer] == ["conv1.weight", "conv1.bias"]


def _bare() -> tuple[Graph, Builder]:
    graph = Graph("bare")
    return graph, Builder(graph)


def test_outputs_that_no_operator_computes(tmp_path: Path) -> None:
    """An input, a parameter or a constant as an output, or one value twice, is a copy."""
    graph, build = _bare()
    x = build.input("x", TensorType(DType.FLOAT32, (BATCH, 2)))
    w = build.constant((1.0, 2.0), DType.FLOAT32)
    y = build.Add(x, w)
    graph.outputs.update(same=x, constant=w, y=y, again=y)
    path = str(tmp_path / "m.onnx")
    export(graph, {}, path)
    feeds = {"x": np.ones((1, 2), np.float32)}
    same, constant, first, second = Session(path).run(None, feeds)
    assert same.tolist() == [[1, 1]]
    assert constant.tolist() == [1, 2]
    assert first.tolist() == second.tolist() == [[2, 3]]


def test_names_that_collide_inside(graph_of: GraphOf, tmp_path: Path) -> None:
    """A label that looks like an inner name does not get in its way."""
    graph = graph_of("INPUT(2x2x2) -> FC(3) as a -> RELU as a.Flatten -> RELU as output")
    state = {"a.weight": np.ones((3, 8), np.float32), "a.bias": np.ones(3, np.float32)}
    export(graph, state, str(tmp_path / "m.onnx"))
    model = onnx.load(tmp_path / "m.onnx")
    assert [n.name for n in model.graph.node] == ["a.Flatten", "a", "a.Flatten_2", "output"]


def test_an_output_named_like_an_input(graph_of: GraphOf, tmp_path: Path) -> None:
    """ONNX tells values apart by name alone, so this cannot be exported."""
    graph = graph_of("x = INPUT(4) as y\noutput z = x -> RELU")
    graph.outputs["y"] = graph.outputs.pop("z")
    assert refusal(export, graph, {}, str(tmp_path / "m.onnx")) == (
        "error[E510]: input and output share the name `y`, and names in ONNX must be unique\n"
        "  = help: rename the output"
    )


@pytest.mark.parametrize("opset", [23, 24, 25])
def test_newer_opsets(opset: int, graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """Above opset 22 the IR version rises no further than the opset demands."""
    graph = graph_of(PROGRAMS["scaled"])
    path = str(tmp_path / "m.onnx")
    if opset > onnx.defs.onnx_opset_version():
        with pytest.raises(NetError):
            export(graph, state_of(graph), path, opset=opset)
        return
    export(graph, state_of(graph), path, opset=opset)
    model = onnx.load(path)
    assert model.opset_import[0].version == opset
    assert 10 < model.ir_version <= 13
    if version_of(onnxruntime.__version__) < (1, 23):
        pytest.skip("onnxruntime reads IR versions above 10 from 1.23 on")
    Session(path)


@pytest.mark.parametrize("opset", [-1, 0, 12, 999])
def test_opsets_that_cannot_be_written(opset: int, graph_of: GraphOf, tmp_path: Path) -> None:
    """Older and unheard-of opsets are refused, and nothing is written."""
    with pytest.raises(NetError, match=f"cannot write ONNX opset {opset}\n"):
        export(graph_of("INPUT(4) -> RELU"), {}, str(tmp_path / "m.onnx"), opset=opset)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("max_inline", [0, 10**9])
@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (None, "error[E501]: no weight is given for `fc1.bias`"),
        (
            np.zeros(4, np.float32),
            "error[E501]: `fc1.bias` is float32[3], and the weight is float32[4]",
        ),
        (np.zeros(3), "error[E501]: `fc1.bias` is float32[3], and the weight is float64[3]"),
    ],
    ids=["missing", "shape", "type"],
)
def test_weights_that_do_not_fit(
    weight: Any, message: str, max_inline: int, graph_of: GraphOf, tmp_path: Path
) -> None:
    """A wrong weight is an error that names it, and no file is left."""
    state = {"fc1.weight": np.zeros((3, 4), np.float32)}
    if weight is not None:
        state["fc1.bias"] = weight
    graph, path = graph_of("INPUT(4) -> FC(3)"), str(tmp_path / "m.onnx")
    assert refusal(export, graph, state, path, max_inline=max_inline) == message
    assert list(tmp_path.iterdir()) == []


def test_a_type_that_onnx_disagrees_with(graph_of: GraphOf, tmp_path: Path) -> None:
    """Strict shape inference compares our types with onnx's, and refuses before writing."""
    model = onnx.helper.make_model(onnx.GraphProto(), ir_version=10)
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Relu", ["x"], ["y"])],
        "wrong",
        [onnx.helper.make_tensor_value_info("x", 1, [2])],
        [onnx.helper.make_tensor_value_info("y", 1, [3])],
    )
    model.ClearField("graph")
    with pytest.raises(NetError, match=r"error\[E506\]: onnx refuses the exported model"):
        check.check_skeleton(model, graph, [])


def test_a_damaged_file(tmp_path: Path) -> None:
    """The written file itself is checked."""
    path = tmp_path / "m.onnx"
    path.write_bytes(onnx.ModelProto(ir_version=10).SerializeToString())
    with pytest.raises(NetError, match=r"error\[E506\]"):
        check.check_file(str(path))


def test_write_to_an_open_file(graph_of: GraphOf, state_of: StateOf, tmp_path: Path) -> None:
    """An engine in this process gets the same bytes without a path."""
    graph = graph_of(LENET)
    export(graph, state_of(graph), str(tmp_path / "a.onnx"))
    with open(tmp_path / "b.onnx", "wb") as file:
        write(graph, state_of(graph), file)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
