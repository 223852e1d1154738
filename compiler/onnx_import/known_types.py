"""What is known of a model's values before it is rewritten: element types and shapes."""

from collections.abc import Iterator

from onnx import (
    AttributeProto,
    GraphProto,
    ModelProto,
    TypeProto,
    ValueInfoProto,
    helper,
    shape_inference,
)

from .attributes import subgraphs

SMALL = 4096  # bytes of a constant that shape inference may need


class KnownTypes:
    """Types by name, as the model states them, or as onnx infers them where a rule asks."""

    def __init__(self, model: ModelProto) -> None:
        self._stated = _collected(model.graph)
        self._light = ModelProto(ir_version=model.ir_version, opset_import=model.opset_import)
        self._light.graph.CopyFrom(_light(model.graph))
        self._inferred: dict[str, TypeProto | None] | None = None

    def code(self, name: str) -> int | None:
        """ONNX's number of a value's element type."""
        found = self._find(name)
        return found.tensor_type.elem_type or None if found else None

    def shape(self, name: str) -> tuple[int | None, ...] | None:
        """A value's shape; None for an extent, or a rank, that is not known."""
        found = self._find(name)
        if found is None or not found.tensor_type.HasField("shape"):
            return None
        return tuple(
            dim.dim_value if dim.HasField("dim_value") else None
            for dim in found.tensor_type.shape.dim
        )

    def rank(self, name: str) -> int | None:
        """How many axes a value has."""
        shape = self.shape(name)
        return None if shape is None else len(shape)

    def _find(self, name: str) -> TypeProto | None:
        if name in self._stated:
            return self._stated[name]
        if self._inferred is None:
            self._inferred = _inferred(self._light)
        return self._inferred.get(name)


def _collected(graph: GraphProto) -> dict[str, TypeProto | None]:
    """Types by name; None where graphs within others use a name for different types."""
    found: dict[str, TypeProto | None] = {}
    for info in _infos(graph):
        known = found.setdefault(info.name, info.type)
        if known is not None and known != info.type:
            found[info.name] = None
    return found


def _infos(graph: GraphProto) -> Iterator[ValueInfoProto]:
    for info in (*graph.input, *graph.output, *graph.value_info):
        if info.type.HasField("tensor_type"):
            yield info
    for tensor in graph.initializer:
        yield helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims))
    for node in graph.node:
        for inner in subgraphs(node):
            yield from _infos(inner)


def _inferred(model: ModelProto) -> dict[str, TypeProto | None]:
    """What onnx infers; nothing where it stumbles."""
    try:
        return _collected(shape_inference.infer_shapes(model).graph)
    except Exception:  # onnx raises many kinds for models that are wrong, which is said elsewhere
        return {}


def _light(graph: GraphProto) -> GraphProto:
    """A graph without its large tensors: their types take their place."""
    light = GraphProto(name=graph.name, output=graph.output, value_info=graph.value_info)
    light.input.extend(graph.input)
    inputs = {info.name for info in graph.input}
    for tensor in graph.initializer:
        if tensor.ByteSize() <= SMALL:
            light.initializer.append(tensor)
        elif tensor.name not in inputs:
            type = (tensor.data_type, list(tensor.dims))
            light.input.append(helper.make_tensor_value_info(tensor.name, *type))
    for node in graph.node:
        if node.op_type == "Constant" and node.ByteSize() > SMALL:
            for attribute in node.attribute:
                if attribute.type == AttributeProto.TENSOR and node.output:
                    type = (attribute.t.data_type, list(attribute.t.dims))
                    light.input.append(helper.make_tensor_value_info(node.output[0], *type))
        elif node.ByteSize() <= 2**20:
            light.node.append(node)
    return light
