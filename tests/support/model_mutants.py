"""ONNX models that are damaged at random, in their bytes and in what their messages hold."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import ModelProto, TensorProto, defs, helper, numpy_helper, parser
from onnx.backend.test import data

import netc
from netc import NetError
from netc.compiler.onnx_import.read import read_model
from netc.compiler.onnx_import.upgrade import upgrade
from support.damage import damage
from support.mutations import mutated_bytes

LARGEST = 10_000  # bytes of the networks of onnx that are damaged
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
)
# Numbers, names and paths that code may trip over.
INTS = (0, 1, -1, 2, 3, 7, 16, 18, 22, 127, 2**31 - 1, -(2**31), 2**40, 2**63 - 1, -(2**63))
FLOATS = (0.0, -1.0, 0.5, 1e38, -1e-45, float("inf"), float("nan"))
STRINGS = (*("", "x", "y", "s", "w", "é", "\0", "a" * 5000, "local", "ai.onnx", "/etc/passwd"),)
OPS = sorted({schema.name for schema in defs.get_all_schemas_with_history()})


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


@cache
def seeds() -> Sequence[bytes]:
    """Sound models: of every kind of structure, and the smaller networks that onnx ships."""
    made = [*(parser.parse_model(text) for text in TEXTS), _scan(), _tensors()]
    folder = Path(next(iter(data.__path__))) / "light"
    light = [path.read_bytes() for path in sorted(folder.glob("*.onnx"))]
    return [
        *(model.SerializeToString() for model in made),
        *(content for content in light if len(content) < LARGEST),
    ]


def mutant(random: Random) -> bytes:
    """A model with some damage."""
    content = random.choice(seeds())
    way = random.random()
    if way < 0.1:
        return damage(content, random)
    if way < 0.2:
        return mutated_bytes(random, content)
    model: ModelProto = ModelProto.FromString(content)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        _change(model, random)
    changed: bytes = model.SerializeToString()
    return changed


def _change(model: ModelProto, random: Random) -> None:
    """Change a field of a message somewhere in the model, those of nodes more often."""
    parts = _parts(model)
    part = random.choice(parts)
    if random.random() < 0.5:
        kinds = ("NodeProto", "AttributeProto", "TensorProto", "OperatorSetIdProto")
        parts = [p for p in parts if p.DESCRIPTOR.name in kinds]
        part = random.choice(parts or [part])
    field = random.choice(list(part.DESCRIPTOR.fields))
    held = [f for f, _ in part.ListFields()]
    if held and random.random() < 0.8:
        field = random.choice(held)
    if field.is_repeated:
        _change_list(part, field, random)
    elif random.random() < 0.15:
        part.ClearField(field.name)
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        donors = [p for p in _parts(_donor(random)) if p.DESCRIPTOR is field.message_type]
        if donors:
            getattr(part, field.name).CopyFrom(random.choice(donors))
    else:
        setattr(part, field.name, _scalar(field, random, model))


def _change_list(part: Message, field: FieldDescriptor, random: Random) -> None:
    """Take an element of a list away, double it, move it, or bring one from another model."""
    held = getattr(part, field.name)
    way = random.randrange(4)
    if way == 0 and len(held):
        del held[random.randrange(len(held))]
    elif field.type == FieldDescriptor.TYPE_MESSAGE:
        donors = [p for p in _parts(_donor(random)) if p.DESCRIPTOR is field.message_type]
        donors = list(held) if way == 1 and len(held) else donors
        if way == 2 and len(held) > 1:
            held.reverse()
        elif donors:
            held.append(random.choice(donors))
    elif way == 1 and len(held):
        held.append(random.choice(list(held)))
    elif way == 2 and len(held):
        held[random.randrange(len(held))] = _scalar(field, random, part)
    else:
        held.append(_scalar(field, random, part))


def _scalar(field: FieldDescriptor, random: Random, near: Message) -> Any:
    """A value of a field: names often are those that are there."""
    if field.name == "op_type":
        return random.choice(OPS)
    if field.name == "version":
        return random.choice((*range(-1, 30), 2**40))
    if field.type == FieldDescriptor.TYPE_ENUM:
        return random.choice([value.number for value in field.enum_type.values])
    if field.type == FieldDescriptor.TYPE_STRING:
        names = [name for part in _parts(near) for name in getattr(part, "input", ()) if name]
        return random.choice([*STRINGS, *(name for name in names if isinstance(name, str))] or [""])
    if field.type == FieldDescriptor.TYPE_BYTES:
        return random.choice((b"", b"\0", b"\xff" * 7, b"FLOAT", b"linear", bytes(4000)))
    if field.type in (FieldDescriptor.TYPE_FLOAT, FieldDescriptor.TYPE_DOUBLE):
        return random.choice(FLOATS)
    limit = 31 if field.type == FieldDescriptor.TYPE_INT32 else 63
    number = random.choice(INTS) if random.random() < 0.5 else random.randrange(30)
    if field.type == FieldDescriptor.TYPE_UINT64:
        return abs(number)
    return max(-(2**limit), min(2**limit - 1, number))


def _donor(random: Random) -> ModelProto:
    donor: ModelProto = ModelProto.FromString(random.choice(seeds()))
    return donor


def _parts(message: Message) -> list[Message]:
    """A message and those in it, in a fixed order."""
    found, pending = [], [message]
    while pending:
        part = pending.pop()
        found.append(part)
        for field, held in part.ListFields():
            if field.type == FieldDescriptor.TYPE_MESSAGE:
                pending.extend([held] if isinstance(held, Message) else held)
    return found


Target = Callable[[bytes], object]


def read_and_raise(content: bytes) -> None:
    """Read a model and raise it; what comes out is read again, and keeps the rules."""
    model = upgrade(read_model(content).proto)
    raised = model.SerializeToString()
    read_model(raised)
    assert not model.functions


def read_and_use(content: bytes) -> None:
    """Read a model as a network, count it, and read what it comes to again."""
    read_and_raise(content)
    netc.load_onnx(content).summary().to_text()


def check(number: int, target: Target = read_and_use) -> None:
    """Try a case: the same number is the same model. A `NetError` is an answer."""
    with suppress(NetError):
        target(mutant(Random(number)))
