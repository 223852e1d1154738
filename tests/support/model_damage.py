"""What breaks a model as a whole: its nodes, names, types, tensors, functions, graphs in graphs."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from onnx import AttributeProto, GraphProto, ModelProto, TensorProto, TypeProto, helper

INTS = (0, 1, -1, 2, 3, 7, 16, 18, 22, 127, 2**31 - 1, -(2**31), 2**40, 2**63 - 1, -(2**63))
CODES = (*range(26), -1, 77)  # of element types
OUTSIDE = "link"  # in a model's folder, to a file that lies elsewhere
PIPE = "pipe"
LOCATIONS = (
    *(
        "",
        ".",
        "..",
        "/",
        "/etc/passwd",
        "../w.bin",
        "a/../../w.bin",
        "./w.bin",
        "w.bin\0",
        "W.BIN",
    ),
    *("/dev/zero", "/proc/self/mem", "m.onnx", "w.bin", "w.bin", "none.bin", OUTSIDE, PIPE, "é"),
    *("~/w.bin", "$HOME", "file:w.bin", "//w.bin", "w.bin/", "\\\\host\\w.bin", "w" * 5000),
)
PLACES = (*map(str, INTS), "9" * 30, "0x10", " 8", "8 ", "1e3", "", "-0", "٣", "16", "4", "3")
DEPTHS = (1, 2, 8, 29, 31, 40)
DOMAINS = ("", "ai.onnx", "ai.onnx.ml", "com.microsoft", "local", "ai.onnx.preview.training", "é\0")

Damage = Callable[[ModelProto, Random], None]


def damaged(model: ModelProto, random: Random) -> None:
    """Do a model some damage that its parts by themselves do not show."""
    random.choice(DAMAGES)(model, random)


def _graphs(model: ModelProto) -> list[Any]:
    """All that has nodes: the graph, those within, and functions."""
    found: list[Any] = [model.graph, *model.functions]
    for graph in found:
        found.extend(a.g for node in graph.node for a in node.attribute if a.HasField("g"))
    return [graph for graph in found if len(graph.node)] or [model.graph]


def _copied(message: Any) -> Any:
    """A copy that is no part of any model: protobuf crashes on messages that hold themselves."""
    return type(message).FromString(message.SerializeToString())


def _graph(model: ModelProto, random: Random) -> Any:
    return random.choice(_graphs(model))


def _node(model: ModelProto, random: Random) -> Any:
    nodes = _graph(model, random).node
    return random.choice(nodes) if len(nodes) else nodes.add(op_type="Relu", output=["y"])


def _names(graph: Any) -> list[str]:
    """What a graph or a function calls its values."""
    names = [name for node in graph.node for name in (*node.input, *node.output)]
    given = [getattr(each, "name", each) for each in (*graph.input, *graph.output)]
    stored = [tensor.name for tensor in getattr(graph, "initializer", ())]
    return [name for name in (*names, *given, *stored) if isinstance(name, str)] or ["x"]


def _drop_node(model: ModelProto, random: Random) -> None:
    """Nothing makes what a node made."""
    nodes = _graph(model, random).node
    if len(nodes):
        del nodes[random.randrange(len(nodes))]


def _double_node(model: ModelProto, random: Random) -> None:
    """A node a second time, as it is, or with outputs that the first copy reads."""
    graph = _graph(model, random)
    node = _node(model, random)
    copy = _copied(node)
    for place in range(len(copy.output)) if random.random() < 0.7 else ():
        copy.output[place] += "_2"
    if len(copy.output) and len(node.input):
        node.input[random.randrange(len(node.input))] = copy.output[0]
    graph.node.append(copy)


def _shuffle(model: ModelProto, random: Random) -> None:
    """Nodes in any order."""
    graph = _graph(model, random)
    nodes = list(graph.node)
    random.shuffle(nodes)
    del graph.node[:]
    graph.node.extend(nodes)


def _rename(model: ModelProto, random: Random) -> None:
    """One mention of a value is another value: of a later node, of itself, of another graph."""
    graph = _graph(model, random)
    node = random.choice(graph.node) if len(graph.node) else graph.node.add(op_type="Neg")
    held = node.input if random.random() < 0.7 else node.output
    name = random.choice((*_names(_graph(model, random)), *node.output, "", "y"))
    if len(held):
        held[random.randrange(len(held))] = name
    else:
        held.append(name)


def _exchange(model: ModelProto, random: Random) -> None:
    """Arguments in another order, more of them, or none."""
    node = _node(model, random)
    names = [*node.input, *random.choices((*node.input, ""), k=random.choice((0, 0, 1, 40)))]
    random.shuffle(names)
    node.input[:] = names[: random.randrange(len(names) + 1)] if random.random() < 0.3 else names


def _other_operator(model: ModelProto, random: Random) -> None:
    """A node is of another's operator and attributes, or of another domain."""
    node, donor = _node(model, random), _node(model, random)
    if random.random() < 0.3:
        node.domain = random.choice(DOMAINS)
        return
    donor = _copied(donor)
    node.op_type = donor.op_type
    del node.attribute[:]
    node.attribute.extend(donor.attribute)


def _types(model: ModelProto) -> list[TypeProto]:
    found = []
    for graph in _graphs(model):
        infos = [*graph.value_info, *(i for i in graph.input if hasattr(i, "type"))]
        found += [info.type for info in (*infos, *(o for o in graph.output if hasattr(o, "type")))]
    return found


def _other_type(model: ModelProto, random: Random) -> None:
    """A declared type is a sequence, a map, opaque, of another element, of other extents."""
    types = _types(model)
    if not types:
        return
    type = random.choice(types)
    inner = _copied(type)
    match random.randrange(8):
        case 0:
            type.sequence_type.elem_type.CopyFrom(inner)
        case 1:
            type.optional_type.elem_type.CopyFrom(inner)
        case 2:
            type.map_type.key_type = random.choice(CODES)
            type.map_type.value_type.CopyFrom(inner)
        case 3:
            type.sparse_tensor_type.elem_type = random.choice(CODES)
        case 4:
            type.Clear()
        case 5 | 6:
            type.tensor_type.elem_type = random.choice(CODES)
        case _:
            type.tensor_type.shape.dim.add(dim_value=random.choice(INTS))


def _other_extent(model: ModelProto, random: Random) -> None:
    """An extent is huge, negative, open, or has the name of another."""
    shapes = [t.tensor_type.shape for t in _types(model) if t.tensor_type.HasField("shape")]
    dims = [dim for shape in shapes for dim in shape.dim]
    if not dims:
        return
    dim = random.choice(dims)
    names = [d.dim_param for d in dims if d.dim_param]
    way = random.random()
    if way < 0.6:
        dim.dim_value = random.choice(INTS)
    elif way < 0.9:
        dim.dim_param = random.choice((*names, "N", "batch", "", "a b", "N*2", "9", "x" * 3000))
    else:
        dim.Clear()


def _tensors(model: ModelProto) -> list[TensorProto]:
    graphs = _graphs(model)
    found = [t for graph in graphs for t in getattr(graph, "initializer", ())]
    held = [a for graph in graphs for node in graph.node for a in node.attribute]
    return [*found, *(a.t for a in held if a.HasField("t"))]


def _other_tensor(model: ModelProto, random: Random) -> None:
    """A tensor of another type or shape than its data, or of an extent that it has no data for."""
    tensors = _tensors(model)
    if not tensors:
        return
    tensor = random.choice(tensors)
    match random.randrange(4):
        case 0:
            tensor.data_type = random.choice(CODES)
        case 1:
            tensor.dims.append(random.choice(INTS))
        case 2 if len(tensor.dims):
            tensor.dims[random.randrange(len(tensor.dims))] = random.choice(INTS)
        case _:
            values = [random.choice(INTS) for _ in range(random.choice((0, 1, 2, 65)))]
            count = len(values)
            tensor.CopyFrom(helper.make_tensor(tensor.name, TensorProto.INT64, [count], values))


def _elsewhere(model: ModelProto, random: Random) -> None:
    """A tensor's data lie in a file: beside the model, outside its folder, nowhere."""
    tensors = _tensors(model)
    if not tensors:
        return
    tensor = random.choice(tensors)
    if random.random() < 0.7:
        for field in ("raw_data", "float_data", "int32_data", "int64_data"):
            tensor.ClearField(field)
    tensor.data_location = TensorProto.EXTERNAL
    entries = {"location": LOCATIONS, "offset": PLACES, "length": PLACES, "checksum": ("0",)}
    for key, values in entries.items():
        if random.random() < (0.95 if key == "location" else 0.4):
            tensor.external_data.add(key=key, value=random.choice(values))


def _other_attribute(model: ModelProto, random: Random) -> None:
    """An attribute holds what another node's does, or numbers that no operator expects."""
    node = _node(model, random)
    others = [a for graph in _graphs(model) for n in graph.node for a in n.attribute]
    if not others:
        return
    held = node.attribute
    attribute = random.choice(held) if len(held) else held.add(name="axis")
    name = attribute.name
    match random.randrange(5):
        case 0:
            attribute.CopyFrom(_copied(random.choice(others)))
        case 1:
            attribute.type = random.choice(AttributeProto.AttributeType.values())
        case 2:
            count = random.choice((0, 1, 2, 4, 8, 65, 3000))
            values = [random.choice(INTS) for _ in range(count)]
            attribute.CopyFrom(AttributeProto(type=AttributeProto.INTS, ints=values))
        case 3:
            value = random.choice((*INTS, 0.5, float("nan"), float("inf"), "", "SAME_UPPER", "é"))
            attribute.CopyFrom(helper.make_attribute(name, value))
        case _:
            attribute.ref_attr_name = random.choice(("by", "axis", name))
    attribute.name = name


def _other_version(model: ModelProto, random: Random) -> None:
    """Opsets that are older or newer than the model, of other domains, or not there."""
    if random.random() < 0.2:
        model.ir_version = random.choice((*range(-1, 15), *INTS[-5:]))
    elif random.random() < 0.2 or not len(model.opset_import):
        model.opset_import.add(domain=random.choice(DOMAINS), version=random.choice(INTS))
    else:
        random.choice(model.opset_import).version = random.randrange(-1, 30)


def _input_for_weight(model: ModelProto, random: Random) -> None:
    """A weight is given from outside, an input is stored, or an input is what comes out."""
    graph = model.graph
    name = random.choice(_names(graph))
    if random.random() < 0.5:
        graph.input.append(helper.make_tensor_value_info(name, random.choice((1, 7, 9)), [2]))
    elif random.random() < 0.5:
        graph.initializer.append(helper.make_tensor(name, TensorProto.FLOAT, [2], [1, 2]))
    else:
        graph.output.append(helper.make_empty_tensor_value_info(name))


def _bury(model: ModelProto, random: Random) -> None:
    """The graph in a branch of an `If`, in one, and so on."""
    for _ in range(random.choice(DEPTHS)):
        inner = GraphProto()  # deeper than what `_copied` could parse
        inner.CopyFrom(model.graph)
        outputs = [info.name for info in inner.output]
        others = [*inner.input, *inner.initializer]
        kept = [n for n in random.choice(([], [each.name for each in others])) if n]
        node = helper.make_node(random.choice(("If", "Loop", "Scan")), kept[:1], outputs)
        names = random.choice((["then_branch", "else_branch"], ["body"], ["then_branch"]))
        for name in names:
            if inner.ByteSize() < 20_000:
                node.attribute.add(name=name, type=AttributeProto.GRAPH).g.CopyFrom(inner)
        if random.random() < 0.7:
            for attribute in node.attribute:
                del attribute.g.input[:]
                del attribute.g.initializer[:]
        del model.graph.node[:]
        model.graph.node.add().CopyFrom(node)


def _call(model: ModelProto, random: Random) -> None:
    """The graph in a function; functions that call themselves, each other, or the next of many."""
    graph = model.graph
    inputs = [info.name for info in graph.input]
    outputs = [info.name for info in graph.output]
    count = random.choice((1, 2, 3, 20, 40))
    for number in range(count):
        function = model.functions.add(name=f"f{number}", domain="local")
        function.input.extend(inputs)
        function.output.extend(outputs)
        function.opset_import.extend(model.opset_import)
        called = random.choice((number, number + 1, 0, count - 1))
        if number + 1 < count:
            times = random.choice((1, 1, 2, 5))
            for time in range(times):
                names = [name if time == times - 1 else f"{name}{time}" for name in outputs]
                function.node.append(helper.make_node(f"f{called}", inputs, names, domain="local"))
        else:
            function.node.extend(graph.node)
    del graph.node[:]
    graph.node.append(helper.make_node("f0", inputs, outputs, domain="local"))
    if random.random() < 0.8:
        model.opset_import.add(domain="local", version=1)


DAMAGES: Sequence[Damage] = (
    *(_drop_node, _double_node, _shuffle, _rename, _rename, _exchange, _other_operator),
    *(_other_type, _other_type, _other_extent, _other_extent, _other_tensor, _elsewhere),
    *(_other_attribute, _other_attribute, _other_version, _input_for_weight, _bury, _call),
)
