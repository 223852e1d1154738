"""Stored tensors -> which are learned, by their names and by what reads them."""

import re
from collections.abc import Mapping, Sequence

from .stored import StoredTensor

# Names that exporters give to tensors that they compute, and that say nothing of the model.
MADE_UP = re.compile(r"(onnx::|val_|const|_const|Constant|\d)|.*(::|/ReadVariableOp)")
_COMPUTED = re.compile(r"(onnx::|val_|_?const_?\d|Constant|\d)")
# Arguments whose numbers are settings, and no weights, whatever they hold.
SETTINGS: Mapping[str, Sequence[int]] = {
    "Clip": (1, 2),
    "DequantizeLinear": (1, 2),
    "Dropout": (1,),
    "OneHot": (1, 2),
    "Pad": (2,),
    "QuantizeLinear": (1, 2),
    "Range": (0, 1, 2),
    "Resize": (1, 2),
    "Upsample": (1,),
}
STATISTICS: Mapping[str, Sequence[int]] = {"BatchNormalization": (3, 4)}
# Operators that masks, factors and tables of positions are operands of.
ELEMENTWISE = frozenset(
    {
        *("Add", "Div", "Equal", "Expand", "Greater", "Less", "Max", "Min", "Mul", "Pow", "Sub"),
        *("GreaterOrEqual", "LessOrEqual", "Where"),
    }
)
NORMALIZED = frozenset(
    {"BatchNormalization", "GroupNormalization", "InstanceNormalization", "LayerNormalization"}
)


def is_learned(name: str, tensor: StoredTensor, uses: Sequence[tuple[str, int]]) -> bool:
    """Whether a stored tensor is learned: real numbers, and no setting of an operator.

    What an exporter has named by itself is none if operators combine it with others element by
    element, such as a mask or a factor, unless it is a vector that is added, a bias; nor are the
    ones and zeros of a normalization without weights.
    """
    if not tensor.type.dtype.is_float or tensor.type.rank == 0:
        return False
    if all(place in SETTINGS.get(op_type, ()) for op_type, place in uses):
        return False
    if not _COMPUTED.match(name):
        return True
    op_types = {op_type for op_type, _ in uses}
    if op_types <= ELEMENTWISE:
        return op_types == {"Add"} and tensor.type.rank == 1 and tensor.type.size != 1
    return not (op_types <= NORMALIZED and is_neutral(tensor, uses))


def is_neutral(tensor: StoredTensor, uses: Sequence[tuple[str, int]]) -> bool:
    """Whether it is the ones or the zeros of a normalization without weights."""
    wanted = {1: 1.0, 2: 0.0}
    return tensor.is_uniform and all(
        place in wanted and tensor.first == wanted[place] for _, place in uses
    )
