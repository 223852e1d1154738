"""A model for each rewrite of an operator to a newer version, with what it computed before.

Of versions that onnxruntime runs, from 7 on, it says so itself; of older ones a row says it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, helper, numpy_helper

Arrays = Sequence[Any]
Formula = Callable[..., Any]


@dataclass(frozen=True)
class UpgradeRow:
    """An operator of an old opset.

    Attributes:
        op_type: Its name.
        opset: Its version.
        feeds: Its arguments; None where one is left out.
        attributes: Its attributes.
        constants: The positions of arguments that are initializers.
        outputs: How many outputs it has; those named "" are left out.
        expected: What it computes, of all arguments; None where onnxruntime runs the old version.
        runs_at: The opset that says the same as ours of the operator and that onnxruntime runs.
        id: A word that tells rows of the same operator apart.
    """

    op_type: str
    opset: int
    feeds: Arrays
    attributes: Mapping[str, Any] = field(default_factory=dict)
    expected: Formula | None = None
    outputs: int = 1
    constants: tuple[int, ...] = ()
    runs_at: int = 22
    id: str = ""

    @property
    def name(self) -> str:
        """How tests call the row."""
        return "-".join(filter(None, (self.op_type, str(self.opset), self.id)))

    def model(self, *, like: Arrays = (), with_shapes: bool = True) -> ModelProto:
        """A model of one node, of the row's opset, with outputs like arrays that may be given."""
        names = ["" if feed is None else f"x{k}" for k, feed in enumerate(self.feeds)]
        outputs = [f"y{k}" for k in range(self.outputs)]
        node = helper.make_node(
            self.op_type, names, outputs, name="layer", doc_string="what it does"
        )
        node.attribute.extend(helper.make_attribute(n, a) for n, a in self.attributes.items())
        node.metadata_props.add(key="from", value="here")
        inputs, initializers = [], []
        for k, (name, feed) in enumerate(zip(names, self.feeds, strict=True)):
            if k in self.constants:
                initializers.append(numpy_helper.from_array(np.asarray(feed), name))
            elif feed is not None:
                code = helper.np_dtype_to_tensor_dtype(np.asarray(feed).dtype)
                shape = np.shape(feed) if with_shapes else None
                inputs.append(helper.make_tensor_value_info(name, code, shape))
        results = [onnx.ValueInfoProto(name=name) for name in outputs]
        for result, array in zip(results, like, strict=False):
            code = helper.np_dtype_to_tensor_dtype(array.dtype)
            shape = array.shape if with_shapes else None
            result.type.CopyFrom(helper.make_tensor_type_proto(code, shape))
        graph = helper.make_graph([node], "g", inputs, results, initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 10
        return model


def x(*shape: int) -> Any:
    """Normal numbers, the same each time."""
    return np.random.default_rng(sum(shape) + 1).normal(size=shape).astype(np.float32)


def positive(*shape: int) -> Any:
    """Numbers above a tenth."""
    return np.abs(x(*shape)) + np.float32(0.1)


def ints(*numbers: int) -> Any:
    """A vector of whole numbers."""
    return np.array(numbers, np.int64)


def floats(*numbers: float) -> Any:
    """A vector of real numbers."""
    return np.array(numbers, np.float32)


X = x(2, 3, 4, 5)
IN_PLACE: Mapping[str, Formula] = {
    "Abs": np.abs,
    "Ceil": np.ceil,
    "Exp": np.exp,
    "Floor": np.floor,
    "Neg": np.negative,
    "Relu": lambda v: np.maximum(v, 0),
    "LeakyRelu": lambda v: np.where(v < 0, v * np.float32(0.01), v),
    "Elu": lambda v: np.where(v < 0, np.exp(v) - 1, v),
    "HardSigmoid": lambda v: np.clip(v * np.float32(0.2) + np.float32(0.5), 0, 1),
    "Sigmoid": lambda v: 1 / (1 + np.exp(-v)),
    "Tanh": np.tanh,
}
POSITIVE: Mapping[str, Formula] = {"Log": np.log, "Sqrt": np.sqrt, "Reciprocal": np.reciprocal}
SEVERAL: Mapping[str, Formula] = {
    "Max": np.maximum,
    "Min": np.minimum,
    "Sum": np.add,
    "Mean": lambda a, b: (a + b) / 2,
}
PAIRS: Mapping[str, Formula] = {
    "Add": np.add,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "Div": np.divide,
}
OTHER_PAIRS: Mapping[str, Formula] = {"Pow": np.power, "Greater": np.greater, "Less": np.less}
TRUTHS: Mapping[str, Formula] = {"And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}


def _pair(op_type: str, numpy: Any, kind: Callable[..., Any] = positive) -> list[UpgradeRow]:
    """Operands aligned at an axis, at the last one, and of the same shape."""
    made: list[UpgradeRow] = []
    for id, shape, attributes in (
        ("axis 1", (3, 4), {"broadcast": 1, "axis": 1}),
        ("axis 0", (2,), {"broadcast": 1, "axis": 0}),
        ("last", (4, 5), {"broadcast": 1}),
        ("same", (2, 3, 4, 5), {}),
    ):
        ones = (1,) * (4 - len(shape) - attributes.get("axis", 4 - len(shape)))

        def expected(a: Any, b: Any, ones: Any = ones) -> Any:
            return numpy(a, b.reshape(*b.shape, *ones))

        feeds = (kind(2, 3, 4, 5), kind(*shape))
        made.append(UpgradeRow(op_type, 6, feeds, attributes, expected, id=id))
    return made


def _truth(*shape: int) -> Any:
    return x(*shape) > 0


def _whole(*shape: int) -> Any:
    return np.sign(x(*shape)).astype(np.int64)


def _normalized(v: Any, scale: Any, bias: Any, mean: Any, var: Any) -> Any:
    each = [a.reshape(-1, *(1,) * (v.ndim - 2)) for a in (scale, bias, mean, var)]
    return (v - each[2]) / np.sqrt(each[3] + np.float32(1e-5)) * each[0] + each[1]


def _instance(v: Any, scale: Any, bias: Any) -> Any:
    mean, var = v.mean((2, 3), keepdims=True), v.var((2, 3), keepdims=True)
    each = scale.reshape(-1, 1, 1), bias.reshape(-1, 1, 1)
    return (v - mean) / np.sqrt(var + 1e-5) * each[0] + each[1]


def _selu(v: Any) -> Any:
    return np.where(v < 0, 1.0507 * (1.6732 * np.exp(v) - 1.6732), 1.0507 * v)


def _per_value(v: Any, scale: Any, bias: Any, mean: Any, var: Any) -> Any:
    return (v - mean) / np.sqrt(var + np.float32(1e-5)) * scale + bias


def _of_flat(numpy: Callable[[Any], Any], axis: int) -> Callable[[Any], Any]:
    return lambda v: numpy(v.reshape(int(np.prod(v.shape[:axis])), -1)).reshape(v.shape)


def _softmax(v: Any) -> Any:
    return np.exp(v) / np.exp(v).sum(1, keepdims=True)


def _hardmax(v: Any) -> Any:
    return (np.arange(v.shape[1]) == v.argmax(1)[:, None]).astype(v.dtype)


def _grouped(v: Any, scale: Any, bias: Any) -> Any:
    parts = v.reshape(v.shape[0], len(scale), -1)
    normal = (parts - parts.mean(2, keepdims=True)) / np.sqrt(parts.var(2, keepdims=True) + 1e-5)
    return (normal * scale[:, None] + bias[:, None]).reshape(v.shape)


BN = (x(3), x(3) + 1, x(3) - 1, positive(3))
PER_VALUE = (x(3, 4, 5), x(3, 4, 5) + 1, x(3, 4, 5) - 1, positive(3, 4, 5))
REDUCTIONS = "L1 L2 LogSum LogSumExp Max Mean Min Prod SumSquare".split()


def _gates(count: int) -> Arrays:
    """A sequence and the weights of a recurrent layer with two hidden units."""
    return x(4, 1, 3), x(1, 2 * count, 3), x(1, 2 * count, 2)


def _unit(v: Any, w: Any, r: Any) -> Any:
    """The hidden states of the simplest recurrent layer."""
    state, states = np.zeros((1, 2), np.float32), []
    for row in v:
        state = np.tanh(row @ w[0].T + state @ r[0].T)
        states.append(state)
    return np.stack(states)[:, None]


def _sigmoid(v: Any) -> Any:
    return 1 / (1 + np.exp(-v))


def _gru(v: Any, w: Any, r: Any) -> Any:
    state, states = np.zeros((1, 2), np.float32), []
    wz, wr, wh = np.split(w[0], 3)
    rz, rr, rh = np.split(r[0], 3)
    for row in v:
        z = _sigmoid(row @ wz.T + state @ rz.T)
        reset = _sigmoid(row @ wr.T + state @ rr.T)
        state = (1 - z) * np.tanh(row @ wh.T + (reset * state) @ rh.T) + z * state
        states.append(state)
    return np.stack(states)[:, None]


def _lstm(v: Any, w: Any, r: Any) -> Any:
    state = cell = np.zeros((1, 2), np.float32)
    states = []
    for row in v:
        i, o, f, c = np.split(row @ w[0].T + state @ r[0].T, 4, axis=1)
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(c)
        state = _sigmoid(o) * np.tanh(cell)
        states.append(state)
    return np.stack(states)[:, None]


UPGRADE_ROWS: Sequence[UpgradeRow] = (
    *(UpgradeRow(op, 1, (X,), {"consumed_inputs": [0]}, f) for op, f in IN_PLACE.items()),
    *(UpgradeRow(op, 1, (positive(3, 4),), {}, f) for op, f in POSITIVE.items()),
    *(UpgradeRow(op, 1, (x(3, 4), x(4, 3).T), {}, f) for op, f in SEVERAL.items()),
    *(UpgradeRow(op, 1, (X, X * 2), {"consumed_inputs": [0, 0]}, f) for op, f in PAIRS.items()),
    *(row for op, f in {**PAIRS, **OTHER_PAIRS}.items() for row in _pair(op, f)),
    *(row for op, f in TRUTHS.items() for row in _pair(op, f, _truth)),
    *_pair("Equal", np.equal, _whole),
    UpgradeRow("Selu", 1, (X,), {}, _selu),
    UpgradeRow(
        "Selu",
        1,
        (X,),
        {"alpha": 2.0, "gamma": 1.0},
        lambda v: np.where(v < 0, 2 * np.exp(v) - 2, v),
        id="given",
    ),
    UpgradeRow("PRelu", 6, (X, x(3)), {}, lambda v, s: np.where(v < 0, v * s[:, None, None], v)),
    UpgradeRow("PRelu", 1, (X, x(1)), {}, lambda v, s: np.where(v < 0, v * s, v), constants=(1,)),
    UpgradeRow(
        "Gemm",
        6,
        (x(2, 3), x(3, 4), x(4)),
        {"broadcast": 1, "alpha": 0.5},
        lambda a, b, c: (a @ b) * np.float32(0.5) + c,
    ),
    UpgradeRow("Cast", 1, (X * 3,), {"to": "INT32"}, lambda v: v.astype(np.int32)),
    UpgradeRow("Concat", 1, (X, X), {}, lambda a, b: np.concatenate([a, b], 1)),
    UpgradeRow("Concat", 1, (X, X), {"axis": 2}, lambda a, b: np.concatenate([a, b], 2), id="axis"),
    UpgradeRow(
        "Tile",
        1,
        (X, ints(3), ints(2)),
        {},
        lambda v, n, k: np.tile(v, (1, 1, 3, 1)),
        constants=(1, 2),
    ),
    UpgradeRow(
        "Tile",
        1,
        (X, np.int64(3), np.int64(0)),
        {},
        lambda v, n, k: np.tile(v, (3, 1, 1, 1)),
        constants=(1, 2),
        id="scalars",
    ),
    UpgradeRow("Reshape", 1, (X,), {"shape": [6, 20]}, lambda v: v.reshape(6, 20)),
    UpgradeRow(
        "LpPool",
        1,
        (X,),
        {"kernel_shape": [2, 2], "p": 2.0},
        lambda v: np.sqrt(sum(v[..., i : i + 3, j : j + 4] ** 2 for i in (0, 1) for j in (0, 1))),
    ),
    UpgradeRow(
        "GlobalLpPool",
        1,
        (X,),
        {},
        lambda v: np.sqrt((v**2).sum((2, 3), keepdims=True)),
        runs_at=21,
    ),
    UpgradeRow(
        "Clip", 1, (X,), {"min": -0.5, "consumed_inputs": [0]}, lambda v: np.maximum(v, -0.5)
    ),
    UpgradeRow("Clip", 7, (X,), {"min": -0.5, "max": 0.25}),
    UpgradeRow("Clip", 7, (X,), {}, id="open"),
    UpgradeRow(
        "Clip",
        6,
        (X.astype(np.float64),),
        {"max": 0.1},
        lambda v: np.minimum(v, np.float32(0.1)),
        id="double",
    ),
    UpgradeRow(
        "Pad",
        1,
        (X,),
        {"paddings": [0, 0, 1, 0, 0, 0, 0, 2], "value": 1.5},
        lambda v: np.pad(v, ((0, 0), (0, 0), (1, 0), (0, 2)), constant_values=1.5),
    ),
    UpgradeRow("Pad", 7, (X,), {"pads": [0, 0, 1, 0, 0, 0, 0, 2], "mode": "reflect"}),
    UpgradeRow("Pad", 7, (X,), {"pads": [0, 0, 1, -1, 0, 0, 0, 2], "value": -1.0}, id="value"),
    UpgradeRow("Dropout", 1, (X,), {"is_test": 1, "ratio": 0.3}, lambda v: v),
    UpgradeRow("Dropout", 7, (X,), {"ratio": 0.3}),
    UpgradeRow("Dropout", 7, (X,), {}, lambda v: (v, np.ones_like(v)), outputs=2, id="mask"),
    UpgradeRow("Dropout", 10, (X,), {}, lambda v: (v, v == v), outputs=2, id="mask"),
    UpgradeRow(
        "GRU", 1, _gates(3), {"hidden_size": 2, "output_sequence": 1, "direction": "foward"}, _gru
    ),
    UpgradeRow(
        "GRU",
        1,
        _gates(3),
        {"hidden_size": 2, "direction": "reverse"},
        lambda v, w, r: _gru(v[::-1], w, r)[::-1],
        id="reverse",
    ),
    UpgradeRow("LSTM", 1, _gates(4), {"hidden_size": 2, "output_sequence": 1}, _lstm),
    UpgradeRow("RNN", 1, _gates(1), {"hidden_size": 2, "output_sequence": 1}, _unit),
    UpgradeRow("InstanceNormalization", 1, (X, x(3), x(3)), {"consumed_inputs": [0]}, _instance),
    UpgradeRow(
        "BatchNormalization",
        1,
        (X, *BN),
        {"is_test": 1, "consumed_inputs": [0, 0, 0, 1, 1]},
        _normalized,
    ),
    UpgradeRow("BatchNormalization", 6, (X, *BN), {"is_test": 1}, _normalized),
    UpgradeRow("BatchNormalization", 7, (X, *BN), {"spatial": 1}),
    UpgradeRow(
        "BatchNormalization", 7, (X, *PER_VALUE), {"spatial": 0}, _per_value, id="per value"
    ),
    UpgradeRow("BatchNormalization", 9, (X, *BN), {"epsilon": 0.1}),
    UpgradeRow("GroupNormalization", 18, (x(2, 6, 4), x(3), x(3)), {"num_groups": 3}, _grouped),
    *(
        UpgradeRow(op, 7, (positive(2, 3, 4),), attributes, id=id)
        for op in (*(f"Reduce{name}" for name in REDUCTIONS), "ReduceSum")
        for id, attributes in (("axes", {"axes": [0, 2], "keepdims": 0}), ("all", {}))
    ),
    UpgradeRow("ReduceMean", 13, (X,), {"axes": [-1]}),
    UpgradeRow("Squeeze", 7, (x(1, 3, 1),), {"axes": [0]}),
    UpgradeRow("Squeeze", 11, (x(1, 3, 1),), {}, id="all"),
    UpgradeRow("Unsqueeze", 11, (X,), {"axes": [0, -1]}),
    UpgradeRow("Split", 7, (x(6, 4),), {"split": [1, 5]}, outputs=2),
    UpgradeRow("Split", 7, (x(6, 4),), {"axis": 1}, outputs=2, id="equal"),
    UpgradeRow("Split", 13, (x(6, 4), ints(2, 4)), {}, outputs=2, constants=(1,)),
    UpgradeRow("Split", 13, (x(6, 4),), {"axis": -1}, outputs=4, id="equal"),
    UpgradeRow("Slice", 7, (X,), {"starts": [1, -2], "ends": [2, 99], "axes": [1, 3]}),
    UpgradeRow("Slice", 7, (X,), {"starts": [1], "ends": [2]}, id="all"),
    UpgradeRow("TopK", 7, (X,), {"k": 3, "axis": 1}, outputs=2),
    UpgradeRow("TopK", 7, (X,), {"k": 2}, outputs=2, id="last"),
    *(
        UpgradeRow(op, 7, (X,), {"axis": axis}, id=f"axis {axis}")
        for op in ("Softmax", "LogSoftmax", "Hardmax")
        for axis in (0, 1, 2, 3)
    ),
    UpgradeRow("Softmax", 7, (x(3, 4),), {}, id="two axes"),
    UpgradeRow("Softmax", 11, (X,), {"axis": -2}, id="from behind"),
    UpgradeRow("Softmax", 1, (X,), {}, _of_flat(_softmax, 1)),
    UpgradeRow("Hardmax", 1, (X,), {"axis": 2}, _of_flat(_hardmax, 2)),
    UpgradeRow(
        "Upsample",
        1,
        (X,),
        {"height_scale": 2.0, "width_scale": 3.0},
        lambda v: v.repeat(2, 2).repeat(3, 3),
    ),
    UpgradeRow("Upsample", 7, (X,), {"scales": [1.0, 1.0, 2.0, 1.5], "mode": "linear"}),
    UpgradeRow("Upsample", 7, (X,), {"scales": [1.0, 1.0, 2.0, 2.5]}, id="nearest"),
    UpgradeRow("Upsample", 9, (X, floats(1, 1, 2, 1)), {"mode": "linear"}, constants=(1,)),
    UpgradeRow("Resize", 10, (X, floats(1, 1, 1.7, 2)), {"mode": "linear"}, constants=(1,)),
    UpgradeRow("Resize", 10, (X, floats(1, 1, 1.7, 2)), {}, constants=(1,), id="nearest"),
    UpgradeRow(
        "Resize",
        11,
        (X, floats(), floats(), ints(2, 3, 7, 9)),
        {"mode": "cubic"},
        constants=(1, 2, 3),
        id="sizes",
    ),
    UpgradeRow(
        "Resize",
        11,
        (X, floats(), floats(1, 1, 1.7, 0.5)),
        {"coordinate_transformation_mode": "tf_half_pixel_for_nn", "nearest_mode": "floor"},
        constants=(1, 2),
        id="tensorflow",
    ),
    UpgradeRow("Scatter", 9, (x(4, 4), ints(0, 2)[None], x(1, 2)), {"axis": 1}),
    UpgradeRow(
        "RoiAlign",
        10,
        (X, floats(0, 0, 3, 3)[None], ints(1)),
        {"output_height": 2, "output_width": 2, "sampling_ratio": 2},
        runs_at=21,
    ),
    UpgradeRow("GridSample", 16, (X, np.tanh(x(2, 3, 3, 2))), {"mode": "bicubic"}),
    UpgradeRow("GridSample", 16, (X, np.tanh(x(2, 3, 3, 2))), {}, id="bilinear"),
    UpgradeRow("DFT", 17, (x(2, 8, 3, 1),), {}),
    UpgradeRow(
        "DFT",
        17,
        (x(2, 8, 3, 1), np.int64(4)),
        {"axis": 2, "onesided": 1},
        constants=(1,),
        id="axis",
    ),
    UpgradeRow("Affine", 7, (X,), {"alpha": 2.0, "beta": -1.0}),
    UpgradeRow("ImageScaler", 7, (X,), {"scale": 0.5, "bias": [1.0, 2.0, 3.0]}),
    UpgradeRow("ScaledTanh", 7, (X,), {"alpha": 2.0, "beta": 0.5}),
    UpgradeRow("ParametricSoftplus", 7, (X,), {"alpha": 2.0, "beta": 0.5}),
    UpgradeRow("Crop", 7, (X,), {"border": [1, 2, 0, 1]}),
    UpgradeRow("Crop", 7, (X,), {"border": [1, 0, 0, 0], "scale": [2, 3]}, id="size"),
    UpgradeRow("MeanVarianceNormalization", 7, (X,), {}),
    UpgradeRow("MeanVarianceNormalization", 7, (X,), {"across_channels": 1}, id="channels"),
    UpgradeRow("MeanVarianceNormalization", 7, (X,), {"normalize_variance": 0}, id="mean"),
    UpgradeRow("Softmax", 9, (x(2, 6, 1, 1),), {}, id="wide axis"),
    UpgradeRow("Softmax", 11, (x(1, 1, 6, 1),), {"axis": -3}, id="one of the last"),
    UpgradeRow("Softmax", 11, (x(2, 1, 1),), {"axis": 1}, id="ones"),
    UpgradeRow("Cast", 1, (X * 3,), {"to": 6}, lambda v: v.astype(np.int32), id="number"),
    UpgradeRow(
        "Squeeze", 11, (x(1, 3), ints(0)), {}, lambda v, _: v[0], constants=(1,), id="input"
    ),
)
