"""Random ONNX graphs: operators of many kinds, each on operands that it takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from random import Random
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper, shape_inference

from netc.compiler import ops as _ops  # noqa: F401  (fills the table of operators)
from netc.compiler.ops.opdef import OPS

Shape = tuple[int, ...]

# Functions of an element that are smooth enough for two engines to agree, on all real numbers.
SOMEWHERE = {"Acos", "Acosh", "Asin", "Atanh", "Exp", "Log", "Reciprocal", "Sqrt", "Tan"}
STEEP = {"Cosh", "Sinh", "Ceil", "Floor", "Round", "Sign", "Shrink", "ThresholdedRelu"}
NEWER = {"Gelu"}  # than some of the opsets
UNARY = sorted({r.op_type for r in OPS.values() if r.elementwise} - SOMEWHERE - STEEP - NEWER)


@dataclass(eq=False)
class Growth:
    """A graph that grows.

    Attributes:
        random: Draws.
        opset: Its version.
        shapes: The extents of all values so far, which are float32.
        weights: The stored tensors.
        nodes: The nodes.
    """

    random: Random
    opset: int
    shapes: dict[str, Shape] = field(default_factory=dict)
    weights: dict[str, Any] = field(default_factory=dict)
    nodes: list[NodeProto] = field(default_factory=list)

    def stored(self, array: Any) -> str:
        """A stored tensor, by a name that an exporter might give it."""
        stem = self.random.choice(("w", "onnx::MatMul_", "val_", "layer.0.weight", "b", "/const"))
        name = f"{stem}{len(self.weights)}"
        self.weights[name] = np.asarray(array)
        return name

    def weight(self, *shape: int, positive: bool = False) -> str:
        """Random numbers, stored."""
        random = np.random.default_rng(self.random.randrange(2**32))
        array = random.uniform(0.5 if positive else -1, 1.5 if positive else 1, shape)
        return self.stored((array / max(1, prod(shape[1:])) ** 0.5).astype(np.float32))

    def indices(self, *numbers: int) -> str:
        """Whole numbers, stored."""
        return self.stored(np.array(numbers, np.int64))

    def axis(self, rank: int) -> int:
        """An axis, counted from either end."""
        return self.random.randrange(-rank, rank)

    def take(self, rank: int | None = None) -> tuple[str, Shape]:
        """A value, of a rank if one has it; later ones more often."""
        names = [n for n, s in self.shapes.items() if rank is None or len(s) == rank]
        if not names:
            raise LookupError(rank)
        name = self.random.choice(names[-4:] if self.random.random() < 0.7 else names)
        return name, self.shapes[name]

    def add(self, op_type: str, inputs: list[str], outputs: int = 1, **attributes: Any) -> str:
        """A node; returns its first output."""
        names = [f"{op_type.lower()}_{len(self.nodes)}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(op_type, inputs, names, name=names[0], **attributes))
        return names[0]


def _unary(g: Growth) -> None:
    g.add(g.random.choice(UNARY), [g.take()[0]])


def _positive(g: Growth) -> None:
    """What takes numbers above 0 alone."""
    lifted = g.add("Softplus", [g.take()[0]])
    g.add(g.random.choice(("Log", "Sqrt", "Reciprocal")), [lifted])


def _binary(g: Growth) -> None:
    x, shape = g.take()
    others = [n for n, s in g.shapes.items() if s == shape]
    part = shape[g.random.randrange(len(shape) + 1) :]
    thin = tuple(extent if g.random.random() < 0.6 else 1 for extent in part)
    y = g.random.choice((g.random.choice(others), g.weight(*thin)))
    given = [x, y] if g.random.random() < 0.7 else [y, x]
    op_type = g.random.choice(("Add", "Sub", "Mul", "Max", "Min", "Sum", "Mean", "PRelu", "Div"))
    if op_type == "Div":
        given[1] = g.weight(*thin, positive=True)
    if op_type == "PRelu":  # onnxruntime takes few slopes
        given = [x, g.weight(*g.random.choice(((), shape[1:2] + (1,) * (len(shape) - 2), part)))]
    g.add(op_type, given)


def _where(g: Growth) -> None:
    x, shape = g.take()
    zero = g.weight(*(shape[-1:] if g.random.random() < 0.5 else ()))
    test = g.add(g.random.choice(("Less", "GreaterOrEqual")), [g.weight(*shape), zero])
    g.add("Where", [test, x, g.random.choice((x, g.weight(*shape[1:])))])


def _reduce(g: Growth) -> None:
    x, shape = g.take()
    kind = g.random.choice(("Mean", "Sum", "Max", "Min", "L1", "L2", "SumSquare", "LogSumExp"))
    axes = g.random.sample(range(len(shape)), g.random.randrange(len(shape) + 1))
    axes = [axis - len(shape) if g.random.random() < 0.4 else axis for axis in axes]
    inputs = [x, g.indices(*axes)] if axes or g.random.random() < 0.5 else [x]
    g.add(f"Reduce{kind}", inputs, keepdims=g.random.randrange(2))


def _transpose(g: Growth) -> None:
    x, shape = g.take()
    perm = g.random.sample(range(len(shape)), len(shape))
    given: dict[str, Any] = {"perm": perm} if g.random.random() < 0.8 else {}
    g.add("Transpose", [x], **given)


def _reshape(g: Growth) -> None:
    x, shape = g.take()
    size = prod(shape)
    target: list[int] = []
    while size > 1 and len(target) < 3 and g.random.random() < 0.8:
        target.append(g.random.choice([d for d in range(1, size + 1) if size % d == 0]))
        size //= target[-1]
    target.append(size)
    if g.random.random() < 0.4:
        target[g.random.randrange(len(target))] = -1
    if target[0] == shape[0]:
        target = [0, -1]
    g.add("Reshape", [x, g.indices(*target)])


def _axes(g: Growth) -> None:
    x, shape = g.take()
    if g.random.random() < 0.3:
        g.add("Flatten", [x], axis=g.random.randrange(-len(shape), len(shape) + 1))
    elif 1 in shape and g.random.random() < 0.5:
        g.add("Squeeze", [x, g.indices(shape.index(1))])
    elif len(shape) < 5:
        g.add("Unsqueeze", [x, g.indices(g.random.randrange(-len(shape) - 1, len(shape) + 1))])


def _cut(g: Growth) -> None:
    x, shape = g.take()
    axis = g.axis(len(shape))
    extent = shape[axis]
    way = g.random.randrange(4)
    if way == 0 and extent > 1:
        first = g.random.randrange(1, extent)
        g.add("Split", [x, g.indices(first, extent - first)], 2, axis=axis)
    elif way == 1:
        step = g.random.choice((1, 1, 2, -1))
        ends = (g.random.randrange(extent), 2**31) if step > 0 else (extent, -(2**31))
        g.add("Slice", [x, *(g.indices(n) for n in (*ends, axis, step))])
    elif way == 2:
        shape = g.random.choice(((), (2,), (1, 2)))
        picked = [g.random.randrange(-extent, extent) for _ in range(prod(shape))]
        g.add("Gather", [x, g.stored(np.array(picked, np.int64).reshape(shape))], axis=axis)
    else:
        alike = [n for n, s in g.shapes.items() if s == shape]
        g.add("Concat", [x, *g.random.choices(alike, k=g.random.randrange(3))], axis=axis)


def _spread(g: Growth) -> None:
    x, shape = g.take()
    way = g.random.randrange(3)
    if way == 0:
        g.add("Tile", [x, g.indices(*(g.random.choice((1, 1, 2)) for _ in shape))])
    elif way == 1:
        g.add("Expand", [x, g.indices(*(g.random.choice((1, 2)), *shape))])
    else:
        mode = g.random.choice(("constant", "reflect", "edge", "wrap"))
        pads = [g.random.randrange(min(2, extent)) for extent in (*shape, *shape)]
        g.add("Pad", [x, g.indices(*pads)], mode=mode)


def _dense(g: Growth) -> None:
    x, shape = g.take()
    units = g.random.randrange(1, 5)
    if len(shape) == 2 and g.random.random() < 0.6:
        turned, flipped = g.random.randrange(2), g.random.randrange(2)
        features = shape[0] if turned else shape[1]
        w = g.weight(*((units, features) if flipped else (features, units)))
        bias = g.random.choice(([], [g.weight(units)], [g.weight(1)]))
        g.add("Gemm", [x, w, *bias], transA=turned, transB=flipped, alpha=0.5, beta=2.0)
    elif len(shape) > 1:
        y = g.add("MatMul", [x, g.weight(shape[-1], units)])
        if g.random.random() < 0.6:
            g.add("Add", g.random.choice(([y, b := g.weight(units)], [b, y])))


def _padding(g: Growth, kernel: list[int]) -> dict[str, Any]:
    if g.random.random() < 0.3:
        return {"auto_pad": g.random.choice(("SAME_UPPER", "SAME_LOWER", "VALID"))}
    return {"pads": [g.random.randrange(min(2, extent)) for extent in kernel * 2]}


def _convolution(g: Growth) -> None:
    x, shape = g.take(g.random.choice((3, 4)))
    rank, channels = len(shape) - 2, shape[1]
    group = g.random.choice([d for d in range(1, channels + 1) if channels % d == 0])
    filters = group * g.random.randrange(1, 3)
    kernel = [min(g.random.choice((1, 2, 3)), extent) for extent in shape[2:]]
    more: dict[str, Any] = {"group": group, "strides": [g.random.choice((1, 1, 2))] * rank}
    bias = g.random.choice(([], [g.weight(filters)]))
    if g.random.random() < 0.3:
        w = g.weight(channels, filters // group, *kernel)
        g.add("ConvTranspose", [x, w, *bias], **more, pads=[0] * (2 * rank))
        return
    if g.random.random() < 0.7:
        more["kernel_shape"] = kernel
    w = g.weight(filters, channels // group, *kernel)
    y = g.add("Conv", [x, w, *bias], **more, **_padding(g, kernel))
    if g.random.random() < 0.5:
        g.add("BatchNormalization", [y, *(g.weight(filters, positive=True) for _ in range(4))])


def _pool(g: Growth) -> None:
    x, shape = g.take(g.random.choice((3, 4)))
    rank = len(shape) - 2
    kernel = [min(g.random.choice((2, 3)), extent) for extent in shape[2:]]
    more: dict[str, Any] = {"kernel_shape": kernel, "strides": [g.random.choice((1, 2))] * rank}
    more |= _padding(g, kernel)
    if "pads" in more and g.random.random() < 0.3:
        more["ceil_mode"] = 1
    op_type = g.random.choice(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"))
    if op_type == "AveragePool" and "pads" in more:
        more["count_include_pad"] = g.random.randrange(2)
    g.add(op_type, [x], **({} if op_type.startswith("Global") else more))


def _normalized(g: Growth) -> None:
    x, shape = g.take()
    way, rank = g.random.randrange(6), len(shape)
    if way == 0:
        g.add(g.random.choice(("Softmax", "LogSoftmax")), [x], axis=g.axis(rank))
    elif way == 1:
        axis = g.random.randrange(-rank, 0)
        scale = g.weight(*shape[axis:], positive=True)
        bias = g.random.choice(([], [g.weight(*shape[axis:])]))
        g.add("LayerNormalization", [x, scale, *bias], axis=axis, epsilon=1e-3)
    elif way == 2 and rank > 2 and prod(shape[2:]) > 1:
        each = [g.weight(shape[1], positive=True), g.weight(shape[1])]
        g.add("InstanceNormalization", [x, *each], epsilon=1e-2)
    elif way == 3 and rank > 2 and g.opset > 20:
        group = g.random.choice([d for d in range(1, shape[1] + 1) if shape[1] % d == 0])
        each = [g.weight(shape[1], positive=True), g.weight(shape[1])]
        if prod(shape[2:]) > 1:
            g.add("GroupNormalization", [x, *each], num_groups=group, epsilon=1e-2)
    elif way == 4 and rank == 4:
        g.add("LRN", [x], size=g.random.choice((1, 3, 5)), alpha=0.1)
    else:
        g.add("Clip", [x, g.stored(np.float32(-0.5)), g.stored(np.float32(0.75))])


def _blocks(g: Growth) -> None:
    x, shape = g.take(4)
    if shape[1] % 4 == 0:
        g.add("DepthToSpace", [x], blocksize=2, mode=g.random.choice(("DCR", "CRD")))
    elif shape[2] % 2 == 0 == shape[3] % 2:
        g.add("SpaceToDepth", [x], blocksize=2)
    else:
        scales = np.array([1, 1, 2, 2], np.float32)
        g.add("Resize", [x, "", g.stored(scales)], mode=g.random.choice(("nearest", "linear")))


def _product(g: Growth) -> None:
    """Values with each other, as in attention."""
    x, shape = g.take(3)
    scores = g.add("MatMul", [x, g.add("Transpose", [x], perm=[0, 2, 1])])
    scaled = g.add("Mul", [scores, g.stored(np.float32(shape[2] ** -0.5))])
    g.add("MatMul", [g.add("Softmax", [scaled], axis=-1), x])


def _others(g: Growth) -> None:
    x, shape = g.take()
    rank = len(shape)
    way = g.random.randrange(4)
    if way == 0:
        axis = g.stored(np.int64(g.axis(rank)))
        g.add("CumSum", [x, axis], exclusive=g.random.randrange(2), reverse=g.random.randrange(2))
    elif way == 1 and rank > 1:
        g.add("Trilu", [x], upper=g.random.randrange(2))
    elif way == 2 and rank == 2:
        g.add("Einsum", [x, g.weight(shape[1], 2)], equation="ij,jk->ki")
    else:
        g.add("Dropout", [x], 2 if g.random.random() < 0.3 else 1)


STEPS: Mapping[Callable[[Growth], None], int] = {
    **dict.fromkeys((_unary, _binary, _dense, _convolution), 3),
    **dict.fromkeys((_reshape, _transpose, _cut, _normalized, _pool), 2),
    **dict.fromkeys((_positive, _where, _reduce, _axes, _spread, _blocks, _product, _others), 1),
}
INPUTS: tuple[Shape, ...] = (
    *((2, 3, 4, 4), (1, 4, 5, 3), (2, 4, 6), (3, 5), (1, 7), (4,), (2, 1, 3), (2, 2, 3, 2, 3)),
)
MOST = 4_000  # numbers of a value


def random_model(seed: int, steps: int = 8) -> tuple[ModelProto, dict[str, Any]]:
    """A model whose outputs are what nothing reads, and arrays for its inputs."""
    random = Random(seed)
    growth = Growth(random, random.choice((18, 20, 21, 22)))
    draws = np.random.default_rng(seed)
    feeds = {
        f"x{k}": draws.normal(size=random.choice(INPUTS)) for k in range(random.choice((1, 2)))
    }
    feeds = {name: array.astype(np.float32) for name, array in feeds.items()}
    growth.shapes = {name: array.shape for name, array in feeds.items()}
    inputs, tries = dict(growth.shapes), 10 * steps
    while len(growth.nodes) < steps and tries:
        _step(growth, inputs)
        tries -= 1
    return _model(growth, inputs), feeds


def _step(growth: Growth, inputs: Mapping[str, Shape]) -> None:
    """Add what onnx finds nothing wrong with; forget it otherwise."""
    before, stored = len(growth.nodes), dict(growth.weights)
    kinds = [*STEPS]
    try:
        growth.random.choices(kinds, [STEPS[kind] for kind in kinds])[0](growth)
        growth.shapes |= _inferred(_model(growth, inputs))
    except (LookupError, shape_inference.InferenceError):
        del growth.nodes[before:]
        growth.weights = stored


def _inferred(model: ModelProto) -> dict[str, Shape]:
    """The extents of what is float32.

    Raises:
        LookupError: A value is empty, or too large.
    """
    found = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    shapes = {}
    for info in (*found.graph.value_info, *found.graph.output):
        shape = tuple(dim.dim_value for dim in info.type.tensor_type.shape.dim)
        if not 0 < prod(shape) <= MOST:
            raise LookupError(info.name)
        if info.type.tensor_type.elem_type == TensorProto.FLOAT and 0 < len(shape) <= 5:
            shapes[info.name] = shape
    return shapes


def _model(growth: Growth, inputs: Mapping[str, Shape]) -> ModelProto:
    read = {name for node in growth.nodes for name in node.input}
    made = [name for node in growth.nodes for name in node.output]
    given = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in inputs.items()]
    outputs = [onnx.ValueInfoProto(name=name) for name in made if name not in read]
    for info in outputs:
        shape = growth.shapes.get(info.name)
        if shape is not None:
            info.CopyFrom(helper.make_tensor_value_info(info.name, TensorProto.FLOAT, shape))
    stored = [numpy_helper.from_array(a, n) for n, a in growth.weights.items() if n in read]
    graph = helper.make_graph(growth.nodes, "grown", given, outputs, stored)
    return helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", growth.opset)], ir_version=8
    )
