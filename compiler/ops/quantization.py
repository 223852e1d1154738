"""Numbers as small integers, y = round(x / scale) + zero point, and products of such."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from ..ir.signature import InferenceError, OpCall
from ..ir.types import DType, TensorType
from .convolution import CONVOLUTION_ATTRIBUTES, infer_conv
from .cuts import axis_of
from .elementwise import per_element
from .linear import infer_matmul, matmul_cost
from .opdef import Cost, OpDef, Precision, define
from .receptive_field import elementwise, everything, window
from .window_attributes import NOT_SET, settle_convolution


def infer_quantize(call: OpCall) -> Sequence[TensorType]:
    """x, scale, zero point (one, one per place of `axis`, or one per block) => y of its type."""
    x = call.type(0)
    _check_scale(call)
    dtype = call.type(2).dtype if call.has(2) else call.attributes["output_dtype"]
    return (TensorType(dtype or DType.UINT8, x.shape),)


def infer_dequantize(call: OpCall) -> Sequence[TensorType]:
    """x, scale, zero point of x's type => y = (x - zero point) scale, of the scale's type."""
    x, scale = call.type(0), call.type(1)
    _check_scale(call)
    if call.has(2) and call.type(2).dtype != x.dtype:
        raise InferenceError(f"DequantizeLinear needs a zero point of {x.dtype.value}")
    return (TensorType(call.attributes["output_dtype"] or scale.dtype, x.shape),)


def _check_scale(call: OpCall) -> None:
    """Scale and zero point are alike, and of a rank that x can have."""
    x, scale = call.type(0), call.type(1)
    if scale.rank == 1 and x.rank:
        axis_of(call, call.attributes["axis"], x.rank)
    elif scale.rank not in (0, x.rank):
        raise InferenceError(f"{call.op_type} cannot scale {x} by {scale}")
    if call.has(2) and call.type(2).rank != scale.rank and call.type(2).size != 1:
        raise InferenceError(f"{call.op_type} needs a zero point like {scale}, not {call.type(2)}")


def infer_matmul_integer(call: OpCall) -> Sequence[TensorType]:
    """a, b of 8 bits, zero points => their product in int32."""
    a, b = call.type(0), call.type(1)
    (y,) = infer_matmul(_with_types(call, [a, TensorType(a.dtype, b.shape)]))
    return (TensorType(DType.INT32, y.shape),)


def infer_quantized_matmul(call: OpCall) -> Sequence[TensorType]:
    """a, its scale and zero point, the same of b, and of the product => the product."""
    a, b, zero = call.type(0), call.type(3), call.type(7)
    (y,) = infer_matmul(_with_types(call, [a, TensorType(a.dtype, b.shape)]))
    return (TensorType(zero.dtype, y.shape),)


def quantized_matmul_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Products as of a MatMul, and a rescaled number for each."""
    cost = matmul_cost(_with_types(call, [call.type(0), call.type(3)]), outputs)
    return Cost(cost.macs, outputs[0].size)


def infer_conv_integer(call: OpCall) -> Sequence[TensorType]:
    """x, w of 8 bits, zero points => their convolution in int32."""
    x, w = call.type(0), call.type(1)
    (y,) = infer_conv(_with_types(call, [x, w]))
    return (TensorType(DType.INT32, y.shape),)


def infer_quantized_conv(call: OpCall) -> Sequence[TensorType]:
    """x, its scale and zero point, the same of w and of the result, a bias => the convolution."""
    types: list[Any] = [call.type(0), call.type(3)]
    types += [call.type(8)] if call.has(8) else []
    (y,) = infer_conv(_with_types(call, types))
    return (TensorType(call.type(7).dtype, y.shape),)


def _with_types(call: OpCall, types: Sequence[TensorType]) -> OpCall:
    """The application as one of the operator on real numbers."""
    return OpCall(call.row, tuple(types), call.attributes)


def conv_integer_cost(call: OpCall, outputs: Sequence[TensorType]) -> Cost:
    """Each output element takes C / group * K products."""
    place = 3 if call.op_type == "QLinearConv" else 1
    taps = _taps(call.type(place))
    return Cost(macs=outputs[0].size * taps, elementwise=outputs[0].size)


def _taps(weights: TensorType) -> Any:
    total: Any = 1
    for extent in weights.shape[1:]:
        total = total * extent
    return total


CONVOLUTION = {**CONVOLUTION_ATTRIBUTES, "auto_pad": NOT_SET}

define(
    OpDef(
        "QuantizeLinear",
        21,
        infer=infer_quantize,
        cost=per_element,
        sees=elementwise,
        attributes={
            "axis": 1,
            "saturate": 1,
            "block_size": 0,
            "output_dtype": None,
            "precision": None,
        },
        constant=True,
    ),
    OpDef(
        "DequantizeLinear",
        21,
        infer=infer_dequantize,
        cost=per_element,
        sees=elementwise,
        attributes={"axis": 1, "block_size": 0, "output_dtype": None},
    ),
    OpDef(
        "MatMulInteger",
        10,
        precision=Precision.HALF,
        infer=infer_matmul_integer,
        cost=matmul_cost,
        sees=everything,
        constant=True,
    ),
    OpDef(
        "QLinearMatMul",
        21,
        precision=Precision.HALF,
        infer=infer_quantized_matmul,
        cost=quantized_matmul_cost,
        sees=everything,
        constant=True,
    ),
    OpDef(
        "ConvInteger",
        10,
        precision=Precision.HALF,
        infer=infer_conv_integer,
        settles=settle_convolution,
        cost=conv_integer_cost,
        sees=window,
        attributes=CONVOLUTION,
        constant=True,
    ),
    OpDef(
        "QLinearConv",
        10,
        precision=Precision.HALF,
        infer=infer_quantized_conv,
        settles=partial(settle_convolution, weights=3),
        cost=conv_integer_cost,
        sees=window,
        attributes=CONVOLUTION,
        constant=True,
    ),
)
