"""The manual's repository for Triton: its configuration against the model that is exported."""

import re
from pathlib import Path

import onnx
from support.command_line import netc as command

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "scaling.md"
TYPES = {onnx.TensorProto.FLOAT: "TYPE_FP32", onnx.TensorProto.INT64: "TYPE_INT64"}


def test_tritons_configuration(tmp_path: Path) -> None:
    """Names, types and extents, the batch left out, are those of the model; so are the files."""
    text = MANUAL.read_text(encoding="utf-8")
    [config] = re.findall(r"```pbtxt\n(.*?)```", text, re.S)
    [path] = re.findall(r"^netc export zoo:digits_mlp --run run -o (\S+)$", text, re.M)
    assert re.search(r'^name: "digits"$', config, re.M)
    assert path == "models/digits/1/model.onnx"
    (tmp_path / path).parent.mkdir(parents=True)
    train = ["train", "zoo:digits_mlp", "-o", "run", "--epochs", "1"]
    assert command(*train, cwd=tmp_path).status == 0
    export = ["export", "zoo:digits_mlp", "--run", "run", "-o", path]
    assert command(*export, cwd=tmp_path).status == 0
    graph = onnx.load(tmp_path / path).graph
    for kind, values in (("input", graph.input), ("output", graph.output)):
        [section] = re.findall(rf"^{kind} \[\n(.*?)^\]", config, re.M | re.S)
        [name], [type], [dims] = (
            re.findall(rf"\b{field}: (.*)", section) for field in ("name", "data_type", "dims")
        )
        [value] = values
        batch, *extents = value.type.tensor_type.shape.dim
        assert batch.dim_param
        assert name == f'"{value.name}"'
        assert type == TYPES[value.type.tensor_type.elem_type]
        assert dims == f"[ {', '.join(str(each.dim_value) for each in extents)} ]"
