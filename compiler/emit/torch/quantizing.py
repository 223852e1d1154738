"""Quantized numbers -> expressions of PyTorch on tensors of whole numbers."""

from collections.abc import Mapping

from ...ir.graph import required
from .code import POSTFIX, PRODUCT, SUM, Code, call, joined, method, operand
from .operator_call import OperatorCall, Row, dtype


def quantized(op: OperatorCall) -> Code:
    """QuantizeLinear: round(x / scale) + zero, within the type."""
    least, most = op.outputs[0].dtype.range
    y = call("torch.round", joined("/", PRODUCT, operand(0, PRODUCT), _along(op, 1)))
    y = joined("+", SUM, y, _along(op, 2)) if op.has(2) else y
    return method(call("torch.clamp", y, least, most), "to", dtype(op.outputs[0]))


def dequantized(op: OperatorCall) -> Code:
    """DequantizeLinear: (x - zero) scale."""
    x = method(0, "to", dtype(op.outputs[0]))
    x = joined("-", SUM, x, _along(op, 2)) if op.has(2) else x
    return joined("*", PRODUCT, x, _along(op, 1))


def _along(op: OperatorCall, place: int) -> Code:
    """Scales or zeros, one or one for each place along an axis."""
    type, rank = required(op.inputs[place]), op.x.rank
    if op["block_size"] or type.rank > 1:
        raise NotImplementedError("blocks")
    after = rank - 1 - op["axis"] % rank if rank and type.rank else 0
    return method(place, "reshape", -1, *(1,) * after) if after else operand(place, POSTFIX)


def multiplied(op: OperatorCall) -> Code:
    """MatMulInteger: (a - zero) (b - zero) in int32."""
    for place in (2, 3):
        type = op.inputs[place] if op.has(place) else None
        if type is not None and type.size != 1:
            raise NotImplementedError("zeros of rows or columns")
    a, b = (
        joined("-", SUM, method(place, "int"), operand(place + 2, PRODUCT))
        if op.has(place + 2)
        else method(place, "int")
        for place in (0, 1)
    )
    return joined("@", PRODUCT, a, b)


QUANTIZING: Mapping[str, Row] = {
    "DequantizeLinear": Row(dequantized),
    "MatMulInteger": Row(multiplied),
    "QuantizeLinear": Row(quantized),
}
