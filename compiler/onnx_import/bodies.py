"""Subgraphs: what they read of the graph around them, and what their operators hand to them."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from onnx import GraphProto

from ..ir.graph import Graph
from ..ir.signature import InferenceError
from ..ir.types import DType, HolderType, SequenceType, TensorType
from .attributes import subgraphs

LOOP_TURN = TensorType(DType.INT64, ())
LOOP_GOES_ON = TensorType(DType.BOOL, ())


def free_names(proto: GraphProto) -> Iterator[str]:
    """The names that a subgraph reads and does not make."""
    made = {info.name for info in proto.input} | {tensor.name for tensor in proto.initializer}
    for node in proto.node:
        inner = (name for held in subgraphs(node) for name in free_names(held))
        yield from (name for name in (*node.input, *inner) if name and name not in made)
        made.update(node.output)
    yield from (info.name for info in proto.output if info.name not in made)


def handed_over(
    op_type: str, attributes: Mapping[str, Any], types: Sequence[TensorType | None]
) -> list[TensorType | None]:
    """The types of a body's own inputs, as its operator hands them over.

    Args:
        op_type: The operator.
        attributes: Its attributes, in which a model's may be missing.
        types: The types of its arguments, without what its subgraphs capture.

    Raises:
        InferenceError: A `Scan` has not as many sequences as it says.
    """
    if op_type == "Loop":
        return [LOOP_TURN, LOOP_GOES_ON, *types[2:]]
    if op_type == "Scan":
        count = attributes.get("num_scan_inputs", 0)
        axes = attributes.get("scan_input_axes") or (0,) * min(count, len(types))
        if not 0 < count <= len(types) or len(axes) != count:
            raise InferenceError(f"has no sequences as its last {count:_} inputs")
        return [*types[:-count], *map(_row_of, types[-count:], axes)]
    if op_type == "SequenceMap":
        return [type.element if isinstance(type, SequenceType) else type for type in types]
    return []


def widened(
    op_type: str, handed: list[TensorType | None], bodies: Mapping[str, Graph]
) -> list[TensorType | None]:
    """What a loop's body takes in all turns: sequences that start empty hold what it puts in."""
    if op_type != "Loop" or "body" not in bodies:
        return handed
    yields = [None, *(value.type for value in bodies["body"].outputs.values())]
    return [
        taken.joined(found) or taken if found and isinstance(taken, HolderType) else taken
        for taken, found in zip_longest(handed, yields[: len(handed)])
    ]


def _row_of(type: TensorType | None, axis: int) -> TensorType | None:
    """What a sequence hands over at each turn."""
    if type is None or not type.rank:
        return None
    axis %= type.rank
    return type.with_shape((*type.shape[:axis], *type.shape[axis + 1 :]))
