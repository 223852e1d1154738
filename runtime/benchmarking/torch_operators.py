"""An operator of a graph -> the call of PyTorch that computes the same, a row for each."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from typing import Any

import torch
from torch.nn import functional as F

from ...compiler.ir.types import TensorType

Tensor = Any
# Where a coordinate lies and how it is rounded, so that whole factors repeat each element.
NEAREST = {("asymmetric", "floor"), ("half_pixel", "round_prefer_floor")}
# Element types in which PyTorch computes whatever it computes at all.
DTYPES = {"float32", "float64", "int64", "int32", "int8", "uint8", "bool"}
Compute = Callable[..., Tensor]


@dataclass(frozen=True, slots=True)
class TorchCall:
    """An application of an operator, as a row sees it.

    Attributes:
        attributes: ONNX's attributes, with defaults filled in.
        inputs: The types of the arguments, extents being known; None where one is left out.
        outputs: The types of the results.
        known: What arguments hold where types tell; None elsewhere.
        training: Whether Dropout drops, and BatchNormalization uses the batch's statistics.
        wanted: How many results something reads, counted from the first.
    """

    attributes: Mapping[str, Any]
    inputs: tuple[TensorType | None, ...]
    outputs: tuple[TensorType, ...]
    known: tuple[Any, ...]
    training: bool
    wanted: int

    def __getitem__(self, name: str) -> Any:
        return self.attributes[name]

    @property
    def x(self) -> TensorType:
        """The type of the first argument."""
        assert self.inputs[0] is not None
        return self.inputs[0]

    @property
    def types(self) -> Iterator[TensorType]:
        """Those of all arguments and results."""
        yield from filter(None, self.inputs)
        yield from self.outputs

    @property
    def spatial(self) -> int:
        """The number of axes after batch and channels."""
        return self.x.rank - 2

    def constant(self, argument: int) -> Any:
        """What an argument holds; None where it is left out.

        Raises:
            NotImplementedError: It is computed.
        """
        if argument >= len(self.inputs) or self.inputs[argument] is None:
            return None
        if self.known[argument] is None:
            raise NotImplementedError("arguments that are computed")
        return self.known[argument]

    def window(self, name: str, default: int = 1) -> tuple[int, ...]:
        """An attribute with a number for each spatial axis; of pads, two."""
        count = self.spatial * (2 if name == "pads" else 1)
        return self.attributes.get(name) or (default,) * count


@dataclass(frozen=True, slots=True)
class Row:
    """How an operator is computed.

    Attributes:
        prepare: Makes the function of the arguments that are tensors, once for each node. It raises
            `NotImplementedError` with what PyTorch cannot do.
        known: The arguments that `prepare` reads, and which are not passed on.
        several: Whether it yields several results.
    """

    prepare: Callable[[TorchCall], Compute]
    known: frozenset[int] = frozenset()
    several: bool = False


def always(function: Compute) -> Row:
    """A row of what needs no attributes."""
    return Row(lambda call: function)


def ranked(call: TorchCall, functions: Sequence[Compute]) -> Compute:
    """The function for one, two or three spatial axes."""
    return functions[call.spatial - 1]


def dtype(type: TensorType) -> Any:
    """PyTorch's name of an element type."""
    return getattr(torch, type.dtype.value)


def padded(pads: Sequence[int]) -> tuple[tuple[int, ...], list[int]]:
    """ONNX's pads as a symmetric part, and what `torch.nn.functional.pad` takes of the rest."""
    begins, ends = pads[: len(pads) // 2], pads[len(pads) // 2 :]
    both = tuple(map(min, begins, ends))
    pairs = zip(reversed(begins), reversed(ends), reversed(both), strict=True)
    return both, [n for b, e, s in pairs for n in (b - s, e - s)]


def convolution(call: TorchCall) -> Compute:
    """Conv; uneven pads are added before."""
    both, rest = padded(call.window("pads", 0))
    compute = partial(
        ranked(call, (F.conv1d, F.conv2d, F.conv3d)),
        stride=call.window("strides"),
        padding=both,
        dilation=call.window("dilations"),
        groups=call["group"],
    )
    if not any(rest):
        return compute
    return lambda x, w, b=None: compute(F.pad(x, rest), w, b)


def transposed_convolution(call: TorchCall) -> Compute:
    """ConvTranspose with even pads."""
    both, rest = padded(call.window("pads", 0))
    if any(rest) or call.attributes.get("output_shape"):
        raise NotImplementedError("uneven pads, or an output's shape")
    functions = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)
    return partial(
        ranked(call, functions),
        stride=call.window("strides"),
        padding=both,
        output_padding=call.window("output_padding", 0),
        groups=call["group"],
        dilation=call.window("dilations"),
    )


def max_pool(call: TorchCall) -> Compute:
    """MaxPool; PyTorch pads by at most half a window."""
    both, rest = padded(call.window("pads", 0))
    if any(2 * pad > size for pad, size in zip(both, call["kernel_shape"], strict=True)):
        raise NotImplementedError("pads of more than half a window")
    compute = partial(
        ranked(call, (F.max_pool1d, F.max_pool2d, F.max_pool3d)),
        kernel_size=call["kernel_shape"],
        stride=call.window("strides"),
        padding=both,
        dilation=call.window("dilations"),
        ceil_mode=bool(call["ceil_mode"]),
    )
    if not any(rest):
        return compute
    if call["ceil_mode"]:
        raise NotImplementedError("uneven pads and rounding up")
    return lambda x: compute(F.pad(x, rest, value=-torch.inf))


def average_pool(call: TorchCall) -> Compute:
    """AveragePool with even pads."""
    both, rest = padded(call.window("pads", 0))
    if any(rest) or any(d != 1 for d in call.window("dilations")):
        raise NotImplementedError("uneven pads or dilations")
    if any(2 * pad > size for pad, size in zip(both, call["kernel_shape"], strict=True)):
        raise NotImplementedError("pads of more than half a window")
    return partial(
        ranked(call, (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)),
        kernel_size=call["kernel_shape"],
        stride=call.window("strides"),
        padding=both,
        ceil_mode=bool(call["ceil_mode"]),
        count_include_pad=bool(call["count_include_pad"]),
    )


def global_average(call: TorchCall) -> Compute:
    """GlobalAveragePool."""
    functions = (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d, F.adaptive_avg_pool3d)
    return partial(ranked(call, functions), output_size=1)


def global_maximum(call: TorchCall) -> Compute:
    """GlobalMaxPool."""
    functions = (F.adaptive_max_pool1d, F.adaptive_max_pool2d, F.adaptive_max_pool3d)
    return partial(ranked(call, functions), output_size=1)


def dense(call: TorchCall) -> Compute:
    """Gemm, as `linear` where it is a dense layer."""
    alpha, beta, trans_a, trans_b = (call[n] for n in ("alpha", "beta", "transA", "transB"))
    if (alpha, beta, trans_a, trans_b) == (1.0, 1.0, 0, 1):
        return F.linear

    def product(a: Tensor, b: Tensor, c: Tensor | None = None) -> Tensor:
        y = alpha * ((a.T if trans_a else a) @ (b.T if trans_b else b))
        return y if c is None else y + beta * c

    return product


def batch_normalization(call: TorchCall) -> Compute:
    """BatchNormalization of a mode-neutral graph; running statistics move in training."""
    if call["training_mode"]:
        raise NotImplementedError("statistics of the batch as results")
    options = {
        "training": call.training,
        "momentum": 1 - call["momentum"],
        "eps": call["epsilon"],
    }
    return lambda x, w, b, mean, var: F.batch_norm(x, mean, var, w, b, **options)


def layer_normalization(call: TorchCall) -> Compute:
    """LayerNormalization of the last axes."""
    shape = call.x.extents[call["axis"] :]
    return lambda x, w, b=None: F.layer_norm(x, shape, w, b, eps=call["epsilon"])


def group_normalization(call: TorchCall) -> Compute:
    """GroupNormalization."""
    return lambda x, w, b: F.group_norm(x, call["num_groups"], w, b, eps=call["epsilon"])


def instance_normalization(call: TorchCall) -> Compute:
    """InstanceNormalization."""
    return lambda x, w, b: F.instance_norm(x, weight=w, bias=b, eps=call["epsilon"])


def dropout(call: TorchCall) -> Compute:
    """Dropout, with PyTorch's own noise."""
    rate = call.constant(1)
    return partial(F.dropout, p=0.5 if rate is None else float(rate), training=call.training)


def reshape(call: TorchCall) -> Compute:
    """Whatever leaves elements in their order."""
    shape = call.outputs[0].extents
    return lambda x: x.reshape(shape)


def sliced(call: TorchCall) -> Compute:
    """Slice with steps ahead."""
    starts, ends, axes, steps = map(call.constant, range(1, 5))
    axes = range(len(starts)) if axes is None else axes
    steps = (1,) * len(starts) if steps is None else steps
    index = [slice(None)] * call.x.rank
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step < 0:
            raise NotImplementedError("negative steps")
        index[axis] = slice(start, end, step)
    place = tuple(index)
    return lambda x: x[place]


def gather(call: TorchCall) -> Compute:
    """Gather; a lookup in a table is an embedding, and indices count from the end, too."""
    axis, index = call["axis"] % call.x.rank, call.inputs[1]
    assert index is not None
    count = call.x.extents[axis]
    if axis == 0 and call.x.rank == 2 and index.rank > 0:
        return lambda x, i: F.embedding(i % count, x)
    shape = (*call.x.extents[:axis], *index.extents, *call.x.extents[axis + 1 :])
    return lambda x, i: x.index_select(axis, (i % count).reshape(-1)).reshape(shape)


def gather_elements(call: TorchCall) -> Compute:
    """GatherElements; indices count from the end, too."""
    axis = call["axis"]
    count = call.x.extents[axis]
    return lambda x, i: x.gather(axis, i.long() % count)


def pad(call: TorchCall) -> Compute:
    """Pad on all axes."""
    if call["mode"] != "constant" or call.constant(3) is not None:
        raise NotImplementedError("axes, or what is no constant")
    pads, value = call.constant(1), call.constant(2)
    half = len(pads) // 2
    order = [n for b, e in zip(pads[:half][::-1], pads[half:][::-1], strict=True) for n in (b, e)]
    return lambda x: F.pad(x, order, value=0 if value is None else value)


def split(call: TorchCall) -> Compute:
    """Split into parts whose sizes types tell."""
    axis = call["axis"]
    sizes = [part.extents[axis] for part in call.outputs]
    return lambda x: torch.split(x, sizes, axis)


def reduced(function: Compute) -> Row:
    """A reduction over axes."""

    def prepare(call: TorchCall) -> Compute:
        axes = call.constant(1)
        if not axes:
            if call["noop_with_empty_axes"]:
                return lambda x: x
            axes = tuple(range(call.x.rank))
        return partial(function, dim=tuple(axes), keepdim=bool(call["keepdims"]))

    return Row(prepare, frozenset({1}))


def clip(call: TorchCall) -> Compute:
    """Clip by constants."""
    low, high = call.constant(1), call.constant(2)
    return (lambda x: x) if low is high is None else partial(torch.clamp, min=low, max=high)


def divided(call: TorchCall) -> Compute:
    """Div; of integers, towards zero."""
    return torch.div if call.x.dtype.is_float else partial(torch.div, rounding_mode="trunc")


def scaled_exponential(call: TorchCall) -> Compute:
    """Selu with the constants of its paper."""
    if abs(call["alpha"] - 1.67326) > 1e-5 or abs(call["gamma"] - 1.0507) > 1e-5:
        raise NotImplementedError("other constants")
    return F.selu


def local_response(call: TorchCall) -> Compute:
    """LRN over an odd number of channels; PyTorch centres even ones otherwise."""
    if call["size"] % 2 == 0 or not call.spatial:
        raise NotImplementedError("an even number of channels, or no images")
    options = {"alpha": call["alpha"], "beta": call["beta"], "k": call["bias"]}
    return partial(F.local_response_norm, size=call["size"], **options)


def resize(call: TorchCall) -> Compute:
    """Resize of images, by whole factors to the nearest neighbour, or along lines."""
    before, after = call.x.extents, call.outputs[0].extents
    size, place = after[2:], call["coordinate_transformation_mode"]
    whole = all(b % a == 0 for a, b in zip(before, after, strict=True))
    if before[:2] != after[:2] or call.attributes.get("antialias") or call.attributes.get("axes"):
        raise NotImplementedError("other axes than those of images, or with a filter")
    scales = call.constant(2)
    if scales and any(a * s != b for a, s, b in zip(before, scales, after, strict=True)):
        raise NotImplementedError("scales that do not come out even")
    rounded = (place, call["nearest_mode"])
    if call["mode"] == "nearest" and whole and rounded in NEAREST:
        return partial(F.interpolate, size=size, mode="nearest")
    if call["mode"] == "linear" and place in ("half_pixel", "align_corners"):
        name = {1: "linear", 2: "bilinear", 3: "trilinear"}[call.spatial]
        aligned = place == "align_corners"
        return partial(F.interpolate, size=size, mode=name, align_corners=aligned)
    raise NotImplementedError(f"{call['mode']}, {place}, {call['nearest_mode']}")


def softmax(function: Compute) -> Row:
    """A function along an axis."""
    return Row(lambda call: partial(function, dim=call["axis"]))


def summed(*xs: Tensor) -> Tensor:
    """The sum of any number of tensors."""
    return reduce(torch.add, xs)


OPERATORS: Mapping[str, Row] = {
    # products
    "Conv": Row(convolution),
    "ConvTranspose": Row(transposed_convolution),
    "Gemm": Row(dense),
    "MatMul": always(torch.matmul),
    "Einsum": Row(lambda call: partial(torch.einsum, call["equation"])),
    # windows
    "MaxPool": Row(max_pool),
    "AveragePool": Row(average_pool),
    "GlobalAveragePool": Row(global_average),
    "GlobalMaxPool": Row(global_maximum),
    "LRN": Row(local_response),
    # normalization and noise
    "BatchNormalization": Row(batch_normalization),
    "LayerNormalization": Row(layer_normalization),
    "GroupNormalization": Row(group_normalization),
    "InstanceNormalization": Row(instance_normalization),
    "Dropout": Row(dropout, frozenset({1, 2})),
    # activations
    "Relu": always(F.relu),
    "LeakyRelu": Row(lambda call: partial(F.leaky_relu, negative_slope=call["alpha"])),
    "PRelu": always(lambda x, slope: torch.where(x > 0, x, slope * x)),
    "Elu": Row(lambda call: partial(F.elu, alpha=call["alpha"])),
    "Selu": Row(scaled_exponential),
    "Celu": Row(lambda call: partial(F.celu, alpha=call["alpha"])),
    "Gelu": Row(lambda call: partial(F.gelu, approximate=call["approximate"])),
    "HardSigmoid": Row(lambda call: lambda x: torch.clamp(call["alpha"] * x + call["beta"], 0, 1)),
    "HardSwish": always(F.hardswish),
    "Mish": always(F.mish),
    "Sigmoid": always(torch.sigmoid),
    "Softplus": always(F.softplus),
    "Softsign": always(F.softsign),
    "Tanh": always(torch.tanh),
    "Softmax": softmax(torch.softmax),
    "LogSoftmax": softmax(torch.log_softmax),
    # elementwise
    "Abs": always(torch.abs),
    "Add": always(torch.add),
    "And": always(torch.logical_and),
    "Cast": Row(lambda call: partial(torch.Tensor.to, dtype=dtype(call.outputs[0]))),
    "Clip": Row(clip, frozenset({1, 2})),
    "Cos": always(torch.cos),
    "Div": Row(divided),
    "Equal": always(torch.eq),
    "Erf": always(torch.erf),
    "Exp": always(torch.exp),
    "Floor": always(torch.floor),
    "Greater": always(torch.gt),
    "GreaterOrEqual": always(torch.ge),
    "Identity": always(lambda x: x),
    "IsNaN": always(torch.isnan),
    "Less": always(torch.lt),
    "LessOrEqual": always(torch.le),
    "Log": always(torch.log),
    "Max": always(lambda *xs: reduce(torch.maximum, xs)),
    "Mean": always(lambda *xs: summed(*xs) / len(xs)),
    "Min": always(lambda *xs: reduce(torch.minimum, xs)),
    "Mul": always(torch.mul),
    "Neg": always(torch.neg),
    "Not": always(torch.logical_not),
    "Or": always(torch.logical_or),
    "Pow": always(torch.pow),
    "Reciprocal": always(torch.reciprocal),
    "Sin": always(torch.sin),
    "Sqrt": always(torch.sqrt),
    "Sub": always(torch.sub),
    "Sum": always(summed),
    "Where": always(torch.where),
    # reductions
    "ReduceMax": reduced(torch.amax),
    "ReduceMean": reduced(torch.mean),
    "ReduceMin": reduced(torch.amin),
    "ReduceSum": reduced(torch.sum),
    # shapes
    "Concat": Row(lambda call: lambda *xs: torch.cat(xs, call["axis"])),
    "Expand": Row(
        lambda call: partial(torch.broadcast_to, size=call.outputs[0].extents), frozenset({1})
    ),
    "Flatten": Row(reshape),
    "Gather": Row(gather),
    "GatherElements": Row(gather_elements),
    "Pad": Row(pad, frozenset({1, 2, 3})),
    "Reshape": Row(reshape, frozenset({1})),
    "Resize": Row(resize, frozenset({1, 2, 3})),
    "Slice": Row(sliced, frozenset({1, 2, 3, 4})),
    "Split": Row(split, frozenset({1}), several=True),
    "Squeeze": Row(reshape, frozenset({1})),
    "Transpose": Row(lambda call: partial(torch.permute, dims=call["perm"])),
    "Trilu": Row(
        lambda call: partial(
            torch.triu if call["upper"] else torch.tril,
            diagonal=int(call.constant(1) or 0),
        ),
        frozenset({1}),
    ),
    "Unsqueeze": Row(reshape, frozenset({1})),
}
