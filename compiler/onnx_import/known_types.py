"""What is known of a model's values before it is rewritten: element types and shapes.

What the model does not state is inferred from operators that most networks hold, by us alone:
onnx's own inference ends the process for some shapes that no network has.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, TypeProto

from .attributes import find, subgraphs
from .tensors import MAX_RANK

Shape = tuple[int | None, ...]


class Known(NamedTuple):
    """An element type by ONNX's number, and a shape; None where either is not known."""

    code: int | None
    shape: Shape | None


UNKNOWN = Known(None, None)


class KnownTypes:
    """Types by name."""

    def __init__(self, model: ModelProto) -> None:
        self._known: dict[str, Known] = {}
        self._state(model.graph)
        self._stated = frozenset(self._known)
        self._infer(model.graph)

    def code(self, name: str) -> int | None:
        """ONNX's number of a value's element type."""
        return self._of(name).code

    def shape(self, name: str) -> Shape | None:
        """A value's shape; None for an extent, or a rank, that is not known."""
        return self._of(name).shape

    def rank(self, name: str) -> int | None:
        """How many axes a value has."""
        shape = self.shape(name)
        return None if shape is None else len(shape)

    def _of(self, name: str) -> Known:
        return self._known.get(name, UNKNOWN)

    def _put(self, name: str, known: Known) -> None:
        """Note a type; nothing is known of a name that graphs use for different values."""
        if self._known.setdefault(name, known) != known:
            self._known[name] = UNKNOWN

    def _state(self, graph: GraphProto) -> None:
        """Note what a model says of its values."""
        for info in (*graph.input, *graph.output, *graph.value_info):
            self._put(info.name, _stated(info.type))
        for tensor in graph.initializer:
            self._put(tensor.name, Known(tensor.data_type, tuple(tensor.dims)))
        for inner in _inner(graph):
            self._state(inner)

    def _infer(self, graph: GraphProto) -> None:
        """Note what follows from operators, where the model says nothing."""
        for node in graph.node:
            first = self._inferred(node)
            for name in filter(None, node.output):
                if name not in self._stated:
                    self._put(name, first)
                first = UNKNOWN  # of all but the first
            for inner in subgraphs(node):
                self._infer(inner)

    def _inferred(self, node: NodeProto) -> Known:
        """What an operator says of its first output."""
        if node.domain:
            return UNKNOWN
        if node.op_type == "Constant":
            return _constant(node)
        infer = INFER.get(node.op_type)
        inputs = [self._of(name) for name in node.input]
        return infer(node, inputs) if infer is not None and inputs else UNKNOWN


def _inner(graph: GraphProto) -> Iterator[GraphProto]:
    for node in graph.node:
        yield from subgraphs(node)


def _stated(type: TypeProto) -> Known:
    tensor = type.tensor_type
    if not tensor.HasField("shape"):
        return Known(tensor.elem_type or None, None)
    extents = (dim.dim_value if dim.HasField("dim_value") else None for dim in tensor.shape.dim)
    return Known(tensor.elem_type or None, tuple(extents))


def _constant(node: NodeProto) -> Known:
    held = find(node, "value")
    return UNKNOWN if held is None else Known(held.t.data_type or None, tuple(held.t.dims))


Infer = Callable[[NodeProto, Sequence[Known]], Known]


def _open(rank: int | None) -> Shape | None:
    """A shape of which the rank is known."""
    return None if rank is None else (None,) * rank


def _like(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """The type of the first argument."""
    return inputs[0]


def _of_rank(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """As many axes as the first argument."""
    x = inputs[0]
    return Known(x.code, x.shape and _open(len(x.shape)))


def _global(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """One element for each channel."""
    x = inputs[0]
    return Known(x.code, x.shape and (*x.shape[:2], *(1 for _ in x.shape[2:])))


def _merged(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """As many axes as the argument that has most."""
    shapes = [x.shape for x in inputs]
    if any(shape is None for shape in shapes):
        return Known(inputs[0].code, None)
    same = len(set(shapes)) == 1
    return Known(inputs[0].code, shapes[0] if same else _open(max(len(s or ()) for s in shapes)))


def _matrix(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """Two axes."""
    return Known(inputs[0].code, _open(2))


def _reshaped(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """As many axes as the shape that is asked for has numbers."""
    given = find(node, "shape")
    if given is not None:
        return Known(inputs[0].code, _open(len(given.ints)))
    return Known(inputs[0].code, _open(_length(inputs[1:2])))


def _filled(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """As many axes as the shape that is given has numbers."""
    filler = find(node, "value")
    code = TensorProto.FLOAT if filler is None else filler.t.data_type
    return Known(code or None, _open(_length(inputs)))


def _length(inputs: Sequence[Known]) -> int | None:
    """How many numbers the first argument, a vector, has."""
    shape = inputs[0].shape if inputs else None
    length = shape[0] if shape is not None and len(shape) == 1 else None
    return length if length is not None and 0 <= length <= MAX_RANK else None


def _unsqueezed(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """More axes."""
    axes, shape = find(node, "axes"), inputs[0].shape
    if axes is None or shape is None:
        return Known(inputs[0].code, None)
    return Known(inputs[0].code, _open(len(shape) + len(axes.ints)))


def _squeezed(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """Fewer axes."""
    axes, shape = find(node, "axes"), inputs[0].shape
    if axes is None or shape is None or len(axes.ints) > len(shape):
        return Known(inputs[0].code, None)
    return Known(inputs[0].code, _open(len(shape) - len(axes.ints)))


def _product(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """As many axes as the factor that has most, if none is a vector."""
    ranks = [len(x.shape or ()) for x in inputs]
    return Known(inputs[0].code, _open(max(ranks)) if min(ranks) > 1 else None)


def _cast(node: NodeProto, inputs: Sequence[Known]) -> Known:
    """The shape of the argument."""
    to = find(node, "to")
    return Known((to.i or None) if to is not None else None, inputs[0].shape)


# What is inferred of the first output, by operator.
INFER: Mapping[str, Infer] = {
    **dict.fromkeys(
        "Abs BatchNormalization Celu Clip Dropout Elu Erf Exp Floor HardSigmoid Hardmax Identity "
        "InstanceNormalization LRN LeakyRelu Log LogSoftmax Neg PRelu Relu Selu Sigmoid Softmax "
        "Softplus Softsign Sqrt Tanh ThresholdedRelu".split(),
        _like,
    ),
    **dict.fromkeys(
        "AveragePool Concat Conv ConvTranspose CumSum DepthToSpace LpPool MaxPool Pad Resize "
        "Slice SpaceToDepth Split Transpose Upsample".split(),
        _of_rank,
    ),
    **dict.fromkeys("GlobalAveragePool GlobalLpPool GlobalMaxPool".split(), _global),
    **dict.fromkeys("Add Div Max Mean Min Mul Pow Sub Sum".split(), _merged),
    **dict.fromkeys("Flatten Gemm".split(), _matrix),
    "Cast": _cast,
    "ConstantOfShape": _filled,
    "MatMul": _product,
    "Reshape": _reshaped,
    "Squeeze": _squeezed,
    "Unsqueeze": _unsqueezed,
}
