"""Files that break the rules are refused with a sentence, never with a crash."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import AttributeProto, ModelProto, TensorProto, helper, numpy_helper
from support.onnx_models import parsed

from netc import NetError
from netc.compiler.onnx_import import read
from netc.compiler.onnx_import.read import read_model


def model(body: str = "y = Relu (x)") -> ModelProto:
    """A model from `float[2,3] x` to `float[2,3] y`."""
    return parsed(f"""
        <ir_version: 8, opset_import: ["": 18]>
        g (float[2,3] x) => (float[2,3] y) <float[3] w = {{1, 2, 3}}> {{ {body} }}""")


def refusal(data: bytes | Path | ModelProto) -> str:
    """What is said of a model that is refused."""
    source = data.SerializeToString() if isinstance(data, ModelProto) else data
    with pytest.raises(NetError) as caught:
        read_model(source)
    return str(caught.value)


@pytest.mark.parametrize(
    ("file", "data", "kind", "way"),
    [
        ("a.net", b"INPUT(4) -> FC(2)", "a program", "`netc export {} -o model.onnx`"),
        ("a.pt", b"PK\x03\x04", "a file of PyTorch", "`torch.onnx.export("),
        ("a.h5", b"\x89HDF", "a model of Keras or TensorFlow", "tf2onnx"),
        ("a.safetensors", b"\x08\0{}", "a file of weights", "`--weights {}`"),
        ("a.onnx", b"version https://git-lfs.github.com/spec/v1", "what Git LFS keeps", "`git lfs"),
    ],
)
def test_files_of_other_formats(
    file: str, data: bytes, kind: str, way: str, tmp_path: Path
) -> None:
    """The error says what the file is, and what to do with it."""
    (path := tmp_path / file).write_bytes(data)
    said = refusal(path)
    assert f"error[E505]: `{path}` is {kind}" in said
    assert way.format(path) in said


@pytest.mark.parametrize(
    "data",
    [b"not a model", b"\x08\x07", b"\xff" * 40, b"\0", os.urandom(0) + b"\x3a\x05abcde"],
    ids=["text", "no graph", "ones", "zero", "bad graph"],
)
def test_what_is_no_model(data: bytes) -> None:
    """Bytes of other kinds are no model."""
    assert "error[E505]" in refusal(data)


def test_empty_and_missing_files(tmp_path: Path) -> None:
    """A file without bytes, a folder and nothing are told apart."""
    (tmp_path / "empty.onnx").touch()
    assert "empty.onnx` is empty" in refusal(tmp_path / "empty.onnx")
    assert "E001" in refusal(tmp_path / "none.onnx")
    assert "it is a folder" in refusal(tmp_path)


def test_truncated_files() -> None:
    """Each beginning of a file is refused, or is a model by itself."""
    data = model("t = Neg (x)  y = Add (t, w)").SerializeToString()
    refused = 0
    for length in range(len(data)):
        try:
            read_model(data[:length])
        except NetError:
            refused += 1
    assert refused > 0.9 * len(data)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("y = Relu (z)", "Relu `y` reads `z`, which nothing makes"),
        ("y = Relu (x)  y = Neg (x)", "Neg `y` makes `y`, which is there already"),
        ("x = Relu (w)  y = Neg (x)", "Relu `x` makes `x`, which is there already"),
        ("w = Relu (x)  y = Neg (x)", "Relu `w` makes `w`, which is there already"),
        ("z = Relu (x)", "no node makes the output `y`"),
        ("a = Add (x, b)  b = Neg (a)  y = Neg (b)", "Add `a` waits for what itself makes"),
        ("y = Add (y, x)", "Add `y` waits for what itself makes"),
        ("y = Split <num_outputs = 1073741824> (x)", "Split `y` has 1 outputs, not 1073741824"),
    ],
)
def test_names_that_do_not_fit(body: str, said: str) -> None:
    """Each value is made once, and before it is read."""
    assert f"error[E576]: {said}" in refusal(model(body))


def test_nodes_in_any_order() -> None:
    """Nodes are put in an order in which each finds its arguments, in branches, too."""
    found = read_model(
        parsed("""
        <ir_version: 8, opset_import: ["": 18]>
        g (bool c, float[2] x) => (float[2] y, float[2] b) {
          b = Identity (a)
          y = If (c) <
            then_branch = g1 () => (u) { u = Neg (v)  v = Abs (a) },
            else_branch = g2 () => (w) { w = Identity (b) }>
          a = Relu (x)
        }""").SerializeToString()
    )
    assert [node.output[0] for node in found.proto.graph.node] == ["a", "b", "y"]
    branch = found.proto.graph.node[2].attribute[0].g
    assert [node.output[0] for node in branch.node] == ["v", "u"]


def _twice(found: ModelProto, field: str) -> None:
    part = getattr(found.graph, field)
    part.add().CopyFrom(part[0])


def _set(**fields: Any) -> Callable[[ModelProto], None]:
    def change(found: ModelProto) -> None:
        for name, value in fields.items():
            setattr(found, name, value)

    return change


def _weight(**fields: Any) -> Callable[[ModelProto], None]:
    def change(found: ModelProto) -> None:
        found.graph.initializer[0].CopyFrom(TensorProto(**{"name": "w", "data_type": 1, **fields}))

    return change


def _attribute(**fields: Any) -> Callable[[ModelProto], None]:
    def change(found: ModelProto) -> None:
        found.graph.node[0].attribute.add(**fields)

    return change


def _functions(*texts: str) -> Callable[[ModelProto], None]:
    def change(found: ModelProto) -> None:
        found.functions.extend(onnx.parser.parse_function(text) for text in texts)

    return change


RAW = b"\0\0\0\0"
HEAD = '<domain: "local", opset_import: ["": 18, "local": 1]>'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_set(ir_version=2), "E578]: the model has IR version 2"),
        (_set(ir_version=-1), "E578]: the model has IR version -1"),
        (lambda m: m.opset_import.add(domain="ai.onnx", version=3), "two versions of the domain"),
        (lambda m: _twice(m, "input"), "two inputs have the name `x`"),
        (lambda m: _twice(m, "output"), "two outputs have the name `y`"),
        (lambda m: _twice(m, "initializer"), "two initializers have the name `w`"),
        (lambda m: m.graph.ClearField("output"), "the model has no outputs"),
        (lambda m: m.graph.node.add(output=["v"]), "a node without an operator makes `v`"),
        (_weight(name="", dims=[1], raw_data=RAW), "an initializer has no name"),
        (_weight(dims=[2], raw_data=RAW), "`w` of float32 2 holds 4 bytes, not 8"),
        (_weight(dims=[10**6, 10**6], raw_data=RAW), "holds 4 bytes, not 4000000000000"),
        (_weight(dims=[2**62, 2**62]), "holds 0 numbers, not"),
        (_weight(dims=[-1], raw_data=RAW), "tensor `w` has a negative extent"),
        (_weight(dims=[2], float_data=[1]), "`w` of float32 2 holds 1 numbers, not 2"),
        (_weight(dims=[1], int64_data=[1]), "`w` of float32 holds its data in `int64_data`"),
        (_weight(dims=[1], float_data=[1], raw_data=RAW), "holds its data twice"),
        (_weight(dims=[], raw_data=RAW, data_type=77), "no element type that ONNX knows"),
        (_weight(dims=[], data_type=8, raw_data=RAW), "`w` of string holds its data in `raw_data`"),
        (_weight(dims=[3], data_type=22, raw_data=b"\0"), "`w` of int4 3 holds 1 bytes, not 2"),
        (_attribute(name="a"), "attribute `a` of Relu `y` has no type that ONNX knows"),
        (_attribute(type=2, i=1), "has no name"),
        (_attribute(name="a", type=2, f=1.0), "does not hold the INT that it says"),
        (_attribute(name="a", type=5), "does not hold the GRAPH that it says"),
        (_attribute(name="a", type=2, ref_attr_name="b"), "refers to `b` of no function"),
        (
            _functions(f"{HEAD} f (v) => (w) {{ w = local.f (v) }}"),
            "function `f` calls itself",
        ),
        (
            _functions(
                f"{HEAD} f (v) => (w) {{ w = local.g (v) }}",
                f"{HEAD} g (v) => (w) {{ w = local.f (v) }}",
            ),
            "calls itself",
        ),
        (_functions(*[f"{HEAD} f (v) => (w) {{ w = Neg (v) }}"] * 2), "defines a function twice"),
        (_functions(f"{HEAD} f (v) => (w) {{ w = Neg (x) }}"), "Neg `w` reads `x`"),
        (_functions(f"{HEAD} f (v) => (w) {{ u = Neg (v) }}"), "`f` does not make `w`"),
    ],
)  # fmt: skip
def test_models_that_break_rules(change: Callable[[ModelProto], None], said: str) -> None:
    """A model is as it should be but for one thing, which the message names."""
    found = model()
    change(found)
    assert said in refusal(found)


def test_text_that_is_not_utf8() -> None:
    """A name, or a text that nobody reads, is UTF-8 or refused."""
    for name in (b"layer", b"said"):
        found = model()
        found.graph.node[0].name, found.graph.doc_string = "layer", "said"
        data = found.SerializeToString().replace(name, b"\xff" * len(name))
        assert "is not UTF-8 text" in refusal(data)


def test_a_newer_format_is_tried() -> None:
    """A version of the format that onnx does not know is worth a warning."""
    found = model()
    found.ir_version = 99
    (warning,) = read_model(found.SerializeToString()).warnings
    assert "IR version 99" in warning.message


def test_small_packed_and_empty_tensors() -> None:
    """Elements below a byte are packed; a tensor without elements needs no data."""
    found = model()
    for name, code, dims, raw in (
        ("a", 22, [3], b"\0\0"),
        ("b", 21, [3], b"\0\0"),
        ("c", 1, [0], b""),
    ):
        found.graph.initializer.add(name=name, data_type=code, dims=dims, raw_data=raw)
    found.graph.initializer.add(name="d", data_type=22, dims=[3], int32_data=[1, 2])
    found.graph.initializer.add(name="e", data_type=14, dims=[2], float_data=[1, 2, 3, 4])
    found.graph.initializer.add(name="f", data_type=1, dims=[0, 10**9])
    assert len(read_model(found.SerializeToString()).proto.graph.initializer) == 7


@pytest.mark.parametrize("depth", [31, 40, 300])
def test_nesting_is_limited(depth: int) -> None:
    """Graphs in graphs end before Python's stack does, and before protobuf's."""
    found = model()
    found.graph.initializer.append(numpy_helper.from_array(np.array(True), "c"))
    graph = found.graph
    for _ in range(depth):
        node = graph.node.add(op_type="If", input=["c"], output=["z"])
        graph = node.attribute.add(name="then_branch", type=AttributeProto.GRAPH).g
        graph.output.add(name="z")
    graph.node.add(op_type="Identity", input=["c"], output=["z"])
    assert ("E402" if depth < 33 else "E505") in refusal(found)


def test_chains_of_functions_are_limited() -> None:
    """A thousand functions, each of which calls the next, are too many."""
    chain = [f"{HEAD} f{k} (v) => (w) {{ w = local.f{k + 1} (v) }}" for k in range(1000)]
    found = model()
    _functions(*chain, f"{HEAD} f1000 (v) => (w) {{ w = Neg (v) }}")(found)
    assert "E402" in refusal(found)


def external(tmp_path: Path, **entries: str) -> Path:
    """A model whose weight lies in a file beside it."""
    found = model()
    weight = found.graph.initializer[0]
    weight.ClearField("float_data")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        weight.external_data.add(key=key, value=value)
    path = tmp_path / "model.onnx"
    path.write_bytes(found.SerializeToString())
    return path


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        ({}, "E577]: the data of tensor `w` lie in ``, outside"),
        ({"location": "none.bin"}, "lie in `none.bin`, which is not there"),
        ({"location": "/etc/passwd"}, "lie in `/etc/passwd`, outside the model's folder"),
        ({"location": "../w.bin"}, "lie in `../w.bin`, outside the model's folder"),
        ({"location": "a/../../w.bin"}, "outside the model's folder"),
        ({"location": "."}, "outside the model's folder"),
        ({"location": "sub"}, "lie in `sub`, which is not a file"),
        ({"location": "link.bin"}, "lie in `link.bin`, outside the model's folder"),
        ({"location": "loop"}, "lie in `loop`"),
        ({"location": "w\0.bin"}, "outside the model's folder"),
        ({"location": "n" * 5000}, "which is not there"),
        ({"location": "w.bin", "offset": "8"}, "end at byte 20 of `w.bin`, which has 12"),
        ({"location": "w.bin", "offset": "-4"}, "begin or end at `-4`"),
        ({"location": "w.bin", "offset": "9" * 30}, "begin or end at `9999"),
        ({"location": "w.bin", "length": "8"}, "the data of tensor `w` are 8 bytes, not 12"),
    ],
)
def test_data_in_other_files(tmp_path: Path, entries: dict[str, str], said: str) -> None:
    """Other files lie in the model's folder, links followed, and hold what the model says."""
    folder = tmp_path / "models"
    (folder / "sub").mkdir(parents=True)
    for file in (tmp_path / "w.bin", folder / "w.bin"):
        file.write_bytes(bytes(12))
    (folder / "link.bin").symlink_to(tmp_path / "w.bin")
    (folder / "loop").symlink_to(folder / "loop")
    assert said in refusal(external(folder, **entries))


def test_data_in_files_that_are_fine(tmp_path: Path) -> None:
    """A file in the folder, or in one below it, is taken; bytes come without a folder."""
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "w.bin").write_bytes(bytes(16))
    path = external(tmp_path, location="sub/w.bin", offset="4", checksum="0")
    assert read_model(path).folder == tmp_path
    assert "comes without a folder" in refusal(path.read_bytes())


def sparse(dims: list[int], indices: Any, count: int = 2) -> ModelProto:
    """A model with a sparse weight, and a Constant that is the same."""
    found = model()
    values = numpy_helper.from_array(np.arange(1, count + 1, dtype=np.float32), "s")
    places = numpy_helper.from_array(np.array(indices, np.int64), "")
    tensor = onnx.SparseTensorProto(values=values, indices=places, dims=dims)
    found.graph.sparse_initializer.append(tensor)
    node = found.graph.node.add(op_type="Constant", output=["t"])
    node.attribute.append(helper.make_attribute("sparse_value", tensor))
    return found


@pytest.mark.parametrize("indices", [[1, 5], [[0, 1], [1, 2]]])
def test_sparse_tensors_are_written_out(indices: Any) -> None:
    """Indices are places in rows, or in each axis."""
    graph = read_model(sparse([2, 3], indices).SerializeToString()).proto.graph
    wanted = np.array([[0, 1, 0], [0, 0, 2]], np.float32)
    assert not graph.sparse_initializer
    np.testing.assert_array_equal(numpy_helper.to_array(graph.initializer[1]), wanted)
    attribute = graph.node[1].attribute[0]
    assert (attribute.name, attribute.type) == ("value", AttributeProto.TENSOR)
    np.testing.assert_array_equal(numpy_helper.to_array(attribute.t), wanted)


@pytest.mark.parametrize(
    ("dims", "indices", "said"),
    [
        ([10**6, 10**6], [1, 2], "E404]: sparse tensor `s` would take 4000000000000 bytes"),
        ([2, 3], [1, 6], "has an index outside its shape"),
        ([2, 3], [[0, 1], [2, 0]], "has an index outside its shape"),
        ([2, 3], [-1, 2], "has an index outside its shape"),
        ([2, 3], [1], "has 2 values, but indices of shape (1,)"),
        ([2, 3], [[[1]], [[2]]], "has 2 values, but indices of shape (2, 1, 1)"),
        ([2, -3], [1, 2], "has no shape"),
        ([], [1, 2], "has no shape"),
    ],
)
def test_sparse_tensors_that_are_none(dims: list[int], indices: Any, said: str) -> None:
    """A sparse tensor is as large as it says, within bounds, and holds what it says."""
    assert said in refusal(sparse(dims, indices))


def test_negative_extents_of_types_are_open() -> None:
    """Some exporters write -1 for an extent that is not known."""
    found = model()
    found.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    came = read_model(found.SerializeToString()).proto
    assert not came.graph.input[0].type.tensor_type.shape.dim[0].HasField("dim_value")


def test_the_long_name_of_onnx_is_its_short_one() -> None:
    """`ai.onnx` and no domain are the same."""
    found = model()
    found.graph.node[0].domain = found.opset_import[0].domain = "ai.onnx"
    came = read_model(found.SerializeToString()).proto
    assert (came.graph.node[0].domain, came.opset_import[0].domain) == ("", "")


def test_a_small_file_may_hold_many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty nodes, two bytes each, are refused where there are too many to check."""
    monkeypatch.setattr(read, "MAX_PARTS", 1_000)
    graph = onnx.GraphProto.FromString(b"\x0a\x00" * 1_001)
    assert "E401" in refusal(ModelProto(ir_version=8, graph=graph))
