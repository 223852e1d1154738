"""ONNX models that are damaged at random, in their bytes and in what their messages hold."""

import os
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from onnx import ModelProto, defs

import netc
from netc import NetError
from netc.compiler.onnx_import.read import read_model
from netc.compiler.onnx_import.upgrade import upgrade
from netc.drawing import to_picture
from support.damage import damage
from support.model_damage import INTS, OUTSIDE, PIPE, damaged
from support.model_seeds import DATA_FILE, seeds
from support.mutations import mutated_bytes

# Numbers, names and paths that code may trip over.
FLOATS = (0.0, -1.0, 0.5, 1e38, -1e-45, float("inf"), float("nan"))
STRINGS = (
    *(
        "",
        "x",
        "y",
        "s",
        "w",
        "é",
        "\0",
        "a" * 5000,
        "bé" * 50_000,
        "local",
        "ai.onnx",
        "/etc/passwd",
    ),
)
OPS = sorted({schema.name for schema in defs.get_all_schemas_with_history()})


def mutant(random: Random) -> bytes:
    """A model with some damage: to its bytes, to fields of its messages, to it as a whole."""
    content = random.choice(random.choice(seeds()))
    way = random.random()
    if way < 0.1:
        return damage(content, random)
    if way < 0.2:
        return mutated_bytes(random, content)
    model: ModelProto = ModelProto.FromString(content)
    for _ in range(random.choice((1, 1, 2, 3, 8))):
        random.choice((_change, damaged))(model, random)
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
    donor: ModelProto = ModelProto.FromString(random.choice(random.choice(seeds())))
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


MODEL = "m.onnx"
FEW = 60  # operators of networks that are drawn, written as programs and exported


def lay(content: bytes, folder: Path) -> Path:
    """Write a model into a folder, with what it may name beside it."""
    path = folder / MODEL
    path.write_bytes(content)
    if not (folder / DATA_FILE).exists():
        (folder / DATA_FILE).write_bytes(bytes(range(64)))
        (folder / OUTSIDE).symlink_to("/etc/passwd")
        os.mkfifo(folder / PIPE)
    return path


def read_and_use(path: Path) -> None:
    """Read a model, raise it and read it again; read it as a network, and use that."""
    model = upgrade(read_model(path).proto)
    raised = path.with_name("raised.onnx")
    raised.write_bytes(model.SerializeToString())
    read_model(raised)
    assert not model.functions
    use(netc.load_onnx(path))


def use(net: netc.Network) -> None:
    """Count a network; a small one is drawn, written as a program, and its weights are read."""
    net.summary().to_text()
    if len(net.graph) > FEW:
        return
    for drawing in (lambda: to_picture(net.model, "svg"), net.to_text):
        with suppress(NetError):
            drawing()
    for array in net.initialize().values():
        np.asarray(array)


def check(number: int, folder: Path) -> None:
    """Try a case: the same number is the same model. A `NetError` is an answer."""
    with suppress(NetError):
        read_and_use(lay(mutant(Random(number)), folder))
