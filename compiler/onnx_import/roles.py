"""Stored tensors -> which are learned, by their names and by what reads them."""

import re
from collections.abc import Mapping, Sequence

from onnx import NodeProto

from ..onnx_standard.protos import CONSTANT_NOTE
from .stored import StoredTensor

# Names that exporters give to tensors that they compute, and that say nothing of the model.
MADE_UP = re.compile(r"(onnx::|val_|const|_const|Constant|\d+\Z)|.*(::|/ReadVariableOp)")
_COMPUTED = re.compile(
    r"(onnx::|val_\d|_?const_?\d|const_fold_opt_|Constant|\d+\Z)"
    # What PyTorch's exporter computes itself has its operator's name.
    r"|(add|cat|clamp|cos|cumsum|div|expand|masked_fill|mul|outer|permute|pow|reciprocal|rsqrt"
    r"|select|sin|slice|softmax|sqrt|stack|sub|transpose|tril|triu|unsqueeze|view|where)(_\d+)?\Z"
)
# PyTorch's functions that make tensors of nothing learned, and what its exporters call literals.
_MADE = re.compile(
    r"(arange|eye|full|linspace|ones|scalar_tensor|zeros)(_like)?(_default)?(_\d+)?\Z"
    r"|lift_fresh(_copy)?(_\d+)?\Z|(c_)?lifted_tensor_?\d*\Z|_tensor_constant\d+\Z"
)
_ATTRIBUTE = re.compile(r"[A-Za-z]\w*(\.\w+)*\Z")  # as a module of PyTorch holds it
# Matrices of weights are copied, too, but what is copied for operators on elements is a literal.
_COPIED = re.compile(r"(_to_copy|clone)(_\d+)?\Z")
# Arguments whose numbers are settings, and no weights, whatever they hold.
SETTINGS: Mapping[str, Sequence[int]] = {
    "Clip": (1, 2),
    "DequantizeLinear": (1, 2),
    "Dropout": (1,),
    "GRU": (5,),
    "LSTM": (5, 6),
    "OneHot": (1, 2),
    "Pad": (2,),
    "QuantizeLinear": (1, 2),
    "RNN": (5,),
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
MOVING = frozenset(
    {"Gather", "Identity", "Reshape", "ScatterElements", "ScatterND", "Slice", "Transpose"}
)
# What is subtracted or divided by is a mean or a deviation of data.
STANDARDIZING = frozenset({("Sub", 1), ("Div", 1)})
COMPARISONS = frozenset({"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
MASKED = -1e4  # what is added to the scores of masked keys, or less
_MASK = re.compile(r"(\A|[._])((attn|attention|causal)_)?(mask|tril)\Z")
# What modules of PyTorch call the tables that rotate queries and keys.
_TURNING = re.compile(r"(\A|[._])(inv_freq|(cos|sin)_cached|freqs_(cos|sin))\Z")
NORMALIZED = frozenset(
    {"BatchNormalization", "GroupNormalization", "InstanceNormalization", "LayerNormalization"}
)
# What PyTorch's exporter by `torch.export` notes of a node: the call that it stands for.
TORCH_CALL = "pkg.torch.onnx.fx_node"
_UNWEIGHTED = re.compile(
    r"target=torch\.ops\.aten\.\w*norm\w*\.\w+\]\(args = \(%\w+,( \d+,)? None, None,"
)


def is_unweighted(node: NodeProto) -> bool:
    """Whether an exporter notes that a node is part of a normalization without weights.

    A convolution that a normalization has been put into has its note, too.
    """
    if node.op_type not in NORMALIZED | {"Add", "Mul"}:
        return False
    calls = (prop.value for prop in node.metadata_props if prop.key == TORCH_CALL)
    return any(_UNWEIGHTED.search(call) for call in calls)


def is_learned(name: str, tensor: StoredTensor, uses: Sequence[tuple[str, int]]) -> bool:
    """Whether a stored tensor is learned: real numbers, and no setting of an operator.

    What is compared, subtracted, divided by or called a mask or a table of angles is none, nor is
    what a function of PyTorch has made, such as `zeros`. What an exporter has named by itself is
    none where it is a mask or a factor of all elements; nor are the ones and zeros of a
    normalization without weights, nor what netc itself has written as a constant.
    """
    if not tensor.type.dtype.is_float:
        return False
    if tensor.proto.doc_string == CONSTANT_NOTE:
        return False
    if all(place in SETTINGS.get(op_type, ()) for op_type, place in uses):
        return False
    op_types = {op_type for op_type, _ in uses}
    if uses and all(use in STANDARDIZING for use in uses):
        return False
    if op_types <= COMPARISONS or _MADE.match(name):
        return False
    if _MASK.search(name) or _TURNING.search(name):
        return False
    if op_types <= {*ELEMENTWISE, "Concat"} and _COPIED.match(name):
        return False
    if tensor.type.rank == 0:  # exporters write many that are no module's
        named = _ATTRIBUTE.match(name) and not _COMPUTED.match(name)
        return bool(named) and op_types <= {"Add", "Mul"}
    if not _COMPUTED.match(name):
        return True
    if op_types <= MOVING and tensor.is_uniform:  # what others are written into
        return False
    if op_types <= ELEMENTWISE:
        return _is_combined(tensor, op_types)
    return not (op_types <= NORMALIZED and is_neutral(tensor, uses))


def is_compared(uses: Sequence[tuple[str, int]]) -> bool:
    """Whether what reads a tensor only compares it."""
    return bool(uses) and all(op_type in COMPARISONS for op_type, _ in uses)


def _is_combined(tensor: StoredTensor, op_types: set[str]) -> bool:
    """Whether operators add it as a bias or as positions, multiply channels by it, or repeat it.

    What is repeated for each sample is a table such as the queries of a decoder.
    """
    wide = sum(extent > 1 for extent in tensor.type.extents)
    if not wide or not op_types <= {"Add", "Expand", "Mul"}:
        return False
    if "Expand" in op_types and (wide == 1 or tensor.is_uniform):
        return False
    return wide == 1 if "Mul" in op_types else tensor.least > MASKED


def is_neutral(tensor: StoredTensor, uses: Sequence[tuple[str, int]]) -> bool:
    """Whether it is the ones or the zeros of a normalization without weights."""
    wanted = {1: 1.0, 2: 0.0}
    return tensor.is_uniform and all(
        place in wanted and tensor.first == wanted[place] for _, place in uses
    )
