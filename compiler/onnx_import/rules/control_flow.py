"""Scan, which ran over a batch of sequences, and runs over one."""

from onnx import AttributeProto, GraphProto, NodeProto, ValueInfoProto, helper

from ..attributes import value
from ..faults import fault
from ..rewriting import Draft, cannot_raise, rule


@rule("Scan", since=9)
def scan(draft: Draft) -> None:
    """An outer Scan runs over the batch, and for each sample the one that was there."""
    node = draft.node
    if draft.has(0):
        raise cannot_raise(draft, "has sequences of different lengths")
    body = value(node, "body", AttributeProto.GRAPH)
    count = draft.int_of("num_scan_inputs", 0)
    given = list(node.input[1:])
    if body is None or not 0 < count <= len(given) or len(body.input) != len(given):
        raise fault("a Scan has a body with another number of inputs than it is given")
    states = len(given) - count
    directions = draft.take_ints("directions") or (0,) * count
    inner = NodeProto(op_type="Scan", name=node.name)
    inner.input.extend(draft.fresh(f"sample_{k}") for k in range(len(given)))
    inner.output.extend(draft.fresh(f"result_{k}") for k in range(len(body.output)))
    inner.attribute.extend(
        [
            helper.make_attribute("body", body),
            helper.make_attribute("num_scan_inputs", count),
            helper.make_attribute("scan_input_directions", directions),
        ]
    )
    outer = GraphProto(name="batch", node=[inner])
    for position, (name, info) in enumerate(zip(inner.input, body.input, strict=True)):
        outer.input.append(_renamed(info, name, position >= states))
    for position, (name, info) in enumerate(zip(inner.output, body.output, strict=True)):
        outer.output.append(_renamed(info, name, position >= states))
    draft.become("Scan", *given, body=outer, num_scan_inputs=len(given))


def _renamed(info: ValueInfoProto, name: str, is_sequence: bool) -> ValueInfoProto:
    """A typed name; of a sequence, with an extent before those of its elements."""
    found = ValueInfoProto(name=name, type=info.type)
    tensor = found.type.tensor_type
    if is_sequence and tensor.HasField("shape"):
        extents = list(tensor.shape.dim)
        del tensor.shape.dim[:]
        tensor.shape.dim.add()
        tensor.shape.dim.extend(extents)
    return found
