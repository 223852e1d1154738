"""Sound ONNX models to damage: of every structure, operator and age, each of a few kilobytes."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, helper, numpy_helper, parser

import netc
from support.conformance import DATA
from support.onnx_cases import all_cases
from support.upgrade_rows import UPGRADE_ROWS

LARGEST = 10_000  # bytes of the networks of onnx that are damaged
LARGEST_CASE = 3_000  # and of its cases of operators
OLD = 10  # opsets before it
DATA_FILE = "w.bin"  # beside the models, with 64 bytes
PROGRAMS = (
    "INPUT(8x8x3) -> CONV(3x3, 4) -> BN -> RELU -> POOL -> ( ID | CONV(3x3, 4) ) -> ADD -> FC(3)",
    "INPUT(6, dtype=int64) -> EMBED(9, 8) -> ( ID | LN -> ATTENTION(2) ) -> ADD -> LINEAR(4)",
)
TEXTS = (
    """<ir_version: 7, opset_import: ["": 11]>
    branches (bool c, float[2,3,4] x) => (float[2,12] y) {
      y = If (c) <
        then_branch = g1 () => (float[2,12] a) { a = Flatten (x) },
        else_branch = g2 () => (float[2,12] b) {
          s = Softmax <axis = 1> (x)  u = Unsqueeze <axes = [0]> (s)
          v = Squeeze <axes = [0]> (u)  b = Flatten (v) }>
    }""",
    """<ir_version: 8, opset_import: ["": 18, "local": 1]>
    calls (float[2,3,4] x) => (float[2,3,4] y, float z) {
      [first] a = local.scaled <by = 3.0> (x)  y = local.scaled (a)
      z = local.total <dims: ints = [0, 1, 2]> (y)
    }
    <domain: "local", opset_import: ["": 18, "local": 1]>
    scaled <by: float = 2.0> (v) => (w) {
      s = Constant <value_float: float = @by> ()  t = local.times (v, s)  w = Identity (t) }
    <domain: "local", opset_import: ["": 18]> times (v, s) => (w) { w = Mul (v, s) }
    <domain: "local", opset_import: ["": 11]>
    total <dims> (v) => (w) { w = ReduceSum <axes: ints = @dims, keepdims = 0> (v) }""",
    """<ir_version: 4, opset_import: ["": 9]>
    block (float[N,3,8,8] x, float[2,3,3,3] w) => (float[N,K] y)
      <float[2] s = {1, 2}, float[2] b = {0, 1}, int64[2] to = {0, -1}> {
      c = Conv <pads = [1, 1, 1, 1]> (x, w)  n = BatchNormalization (c, s, b, b, s)
      r = Clip <min = 0.0, max = 6.0> (n)  p = MaxPool <kernel_shape = [2, 2]> (r)
      d, mask = Dropout <ratio = 0.5> (p)  u = Upsample <mode = "nearest"> (d, f)
      f = Constant <value = float[4] {1, 1, 2, 2}> ()  q = Pad <pads = [0,0,1,1,0,0,1,1]> (u)
      e = Slice <starts = [0], ends = [4], axes = [2]> (q)  t = Reshape (e, to)
      k, i = TopK <k = 5> (t)  y = LogSoftmax (k) }""",
    """<ir_version: 3, opset_import: ["": 6]>
    old (float[2,3,4,5] x, float[3] s, float[3,4] a) => (float[N] y)
      <float[3] s = {1, 2, 3}> {
      b = Add <broadcast = 1, axis = 1> (x, a)  p = PRelu (b, s)  e = Elu (p)
      c = Cast <to = 1> (e)  t = Tanh (c)  y = Softmax (t) }""",
    """<ir_version: 10, opset_import: ["": 22, "com.microsoft": 1]>
    loop (int64 n, float[2] x) => (float[2] last, float[K,2] all) {
      c = Constant <value = bool {1}> ()  g = com.microsoft.FastGelu (x)
      last, all = Loop (n, c, g) <body = g1 (int64 i, bool d, float[2] s)
        => (bool d2, float[2] t, float[2] o) {
          d2 = Identity (d)  t = Add (s, x)  o = Neg (t) }> }""",
    """<ir_version: 9, opset_import: ["": 18]>
    norm (float[2,6,4,2] x) => (float[2,6,4,2] y) <float[3] s = {1, 2, 3}> {
      g = GroupNormalization <num_groups = 3> (x, s, s)  d = DFT (g)  m = ReduceMean (d)
      a, b = Split <axis = -1, num_outputs = 2> (g)  y = Concat <axis = -1> (a, b) }""",
    """<ir_version: 8, opset_import: ["": 17]>
    block (float[N,4,8] x) => (float[N,4,8] y) <float[8] s = {1, 2, 3, 4, 5, 6, 7, 8}> {
      l = ReduceMean <axes = [-1]> (x)  c = Sub (x, l)  two = Constant <value_float = 2.0> ()
      q = Pow (c, two)  v = ReduceMean <axes = [-1]> (q)  eps = Constant <value_float = 1e-5> ()
      e = Add (v, eps)  d = Sqrt (e)  n = Div (c, d)  m = Mul (n, s)
      r = Constant <value_float = 1.41421356> ()  g = Div (m, r)  f = Erf (g)
      one = Constant <value_float = 1.0> ()  o = Add (f, one)  p = Mul (m, o)
      half = Constant <value_float = 0.5> ()  h = Mul (p, half)
      t = Transpose <perm = [0, 2, 1]> (h)  k = MatMul (h, t)  w = Softmax (k)
      y = MatMul (w, h) }""",
    """<ir_version: 8, opset_import: ["": 17]>
    quantized (uint8[1,2,4,4] x) => (uint8[1,3,4,4] y) <float a = {0.5}, uint8 z = {3},
      int8[3,2,1,1] w = {1, 2, 3, 4, 5, 6}, float[3] b = {1, 2, 3}, int8[3] o = {0, 0, 0}> {
      c = QLinearConv (x, a, z, w, b, o, a, z)  d = DequantizeLinear (c, a, z)
      r = Relu (d)  y = QuantizeLinear (r, a, z) }""",
)


def _scan() -> ModelProto:
    """A Scan over a batch, as opset 8 has it."""
    kinds = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [4]) for name in "seto"]
    nodes = [helper.make_node("Add", ["s", "e"], ["t"]), helper.make_node("Neg", ["t"], ["o"])]
    body = helper.make_graph(nodes, "body", kinds[:2], kinds[2:])
    scan = helper.make_node("Scan", ["", "z", "x"], ["u", "v"], body=body, num_scan_inputs=1)
    types = {"z": [2, 4], "x": [2, 3, 4], "u": [2, 4], "v": [2, 3, 4]}
    infos = [helper.make_tensor_value_info(name, 1, shape) for name, shape in types.items()]
    graph = helper.make_graph([scan], "scan", infos[:2], infos[2:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 8)])


def _tensors() -> ModelProto:
    """Tensors in all ways: dense, packed, sparse, strings, in a file elsewhere."""
    model: ModelProto = parser.parse_model(
        '<ir_version: 10, opset_import: ["": 21]> t (float[2] x) => (float[2] y) { y = Neg (x) }'
    )
    values = numpy_helper.from_array(np.ones(2, np.float32), "sparse")
    places = numpy_helper.from_array(np.array([0, 3]), "places")
    sparse = onnx.SparseTensorProto(values=values, indices=places, dims=[2, 2])
    model.graph.sparse_initializer.append(sparse)
    held = model.graph.initializer
    held.add(name="packed", data_type=TensorProto.INT4, dims=[3], raw_data=b"\x12\x03")
    held.add(name="typed", data_type=TensorProto.UINT8, dims=[2], int32_data=[1, 2])
    held.add(name="text", data_type=TensorProto.STRING, dims=[1], string_data=[b"a"])
    held.add(name="complex", data_type=TensorProto.COMPLEX64, dims=[1], float_data=[1, 2])
    constants: dict[str, Any] = {"a": sparse, "b": 1.0, "c": [1, 2], "d": "text"}
    for output, attribute in constants.items():
        kind = "sparse_value float ints string".split()["abcd".index(output)]
        name = kind if kind == "sparse_value" else f"value_{kind}"
        model.graph.node.append(helper.make_node("Constant", [], [output], **{name: attribute}))
    return model


def _elsewhere() -> ModelProto:
    """Weights in a file beside the model."""
    model: ModelProto = parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]> g (float[N,4] x) => (float[N,2] y) '
        "<float[2] b = {0.5, 1}> { p = MatMul (x, w)  y = Add (p, b) }"
    )
    weight = model.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[4, 2])
    weight.data_location = TensorProto.EXTERNAL
    for key, value in (("location", DATA_FILE), ("offset", "16"), ("length", "32")):
        weight.external_data.add(key=key, value=value)
    return model


def _trained() -> ModelProto:
    """A model that says how it is trained, how it was quantized, and where it came from."""
    model: ModelProto = parser.parse_model(TEXTS[3])
    step = model.training_info.add()
    step.algorithm.CopyFrom(model.graph)
    step.update_binding.add(key="s", value="y")
    note = model.graph.quantization_annotation.add(tensor_name="s")
    note.quant_parameter_tensor_names.add(key="SCALE_TENSOR", value="s")
    model.metadata_props.add(key="from", value="here")
    return model


def _nested(depth: int = 6) -> ModelProto:
    """Branches within branches, which read what lies around them all."""
    (end,) = [helper.make_empty_tensor_value_info("z")]
    graphs = [
        helper.make_graph([helper.make_node(op, ["x"], ["z"])], op, [], [end])
        for op in ("Abs", "Neg")
    ]
    for level in range(depth):
        names = ("then_branch", "else_branch")
        branches = dict(zip(names, graphs, strict=True))
        node = helper.make_node("If", ["c"], ["z"], **branches)
        graphs[level % 2] = helper.make_graph([node], f"g{level}", [], [end])
    inputs = [helper.make_tensor_value_info(*info) for info in (("c", 9, []), ("x", 1, [2]))]
    graph = helper.make_graph([node], "nested", inputs, [end])
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])


def _networks() -> Iterator[bytes]:
    """What netc itself writes."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "m.onnx")
        for program in PROGRAMS:
            netc.compile(program).export(path)
            yield path.read_bytes()


def _operators() -> Iterator[bytes]:
    """ONNX's cases: of each operator the smallest, the smallest it expands to, and a larger one."""
    found = sorted(
        (case.model.graph.node[0].op_type, "_expanded" in name, case.model.ByteSize(), name)
        for name, case in all_cases().items()
    )
    for _, group in groupby(found, key=lambda each: each[:2]):
        names = [name for _, _, size, name in group if size < LARGEST_CASE]
        for name in dict.fromkeys((*names[:1], *names[-1:])):
            yield all_cases()[name].model.SerializeToString()


@cache
def structures() -> Sequence[bytes]:
    """Models of every kind of structure, all of which are read."""
    makers = (_scan, _tensors, _elsewhere, _trained, _nested)
    made = [*map(parser.parse_model, TEXTS), *(make() for make in makers)]
    return [*(model.SerializeToString() for model in made), *_networks()]


@cache
def seeds() -> Sequence[Sequence[bytes]]:
    """Sound models by where they come from: ours, ONNX's cases, its files, and of old opsets."""
    files = [*DATA.glob("light/*.onnx"), *DATA.glob("*/*/model.onnx")]
    stored = [path.read_bytes() for path in sorted(files) if path.stat().st_size < LARGEST]
    old = [row.model().SerializeToString() for row in UPGRADE_ROWS if row.opset < OLD]
    return [structures(), [*_operators()], stored, old]
