"""Kernels for operators that we have none for: onnx's own reference implementation."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from ...compiler.ir.graph import Node
from ...compiler.ops.opdef import row_of
from ...grammar.diagnostics import error
from ..kerneldef import Array, Kernel, OperandError


def reference_kernel(node: Node, opsets: Mapping[str, int]) -> Kernel:
    """A kernel that runs one node of a graph of these opsets on onnx's reference evaluator.

    Where the reference does not implement the operator, the kernel says so (E502) when it runs:
    plans are made for what another engine runs, too.
    """
    # onnx is slow to load, and few networks need it.
    from onnx import NodeProto, helper
    from onnx.reference import ReferenceEvaluator
    from onnx.reference.op_run import RuntimeImplementationError

    from ...compiler.onnx_standard.protos import attributes_of
    from ...compiler.onnx_standard.schemas import IR_VERSION

    names = ["" if value is None else f"x{i}" for i, value in enumerate(node.inputs)]
    results = [f"y{i}" for i in range(len(node.outputs))]
    row = row_of(node)
    proto = NodeProto(op_type=row.name, domain=row.domain, input=names, output=results)
    version = opsets.get(row.domain, row.since_version)
    proto.attribute.extend(attributes_of(row, node.attributes, version))
    given = [name for name in names if name]
    model = helper.make_model(
        helper.make_graph(
            [proto],
            node.op_type,
            [helper.make_empty_tensor_value_info(name) for name in given],
            [helper.make_empty_tensor_value_info(name) for name in results],
        ),
        opset_imports=[helper.make_opsetid(row.domain, version)],
        ir_version=IR_VERSION,
    )
    try:
        evaluator = ReferenceEvaluator(model)
    except (NotImplementedError, RuntimeImplementationError):
        return refusing(node, ", which onnx's reference also lacks")
    except Exception as failure:  # anything that a reference implementation raises
        return refusing(node, ", whose attributes onnx's reference refuses", str(failure))
    return Kernel(node.op_type, partial(_run, evaluator, given))


def refusing(node: Node, why: str, *notes: str) -> Kernel:
    """A kernel that says when it runs why there is none; `why` goes on after the operator."""
    message = f"the engine numpy cannot run `{node.op_type}`{why}"

    def refuse(*arrays: Array | None, **attributes: Any) -> Array:
        help = "run it on the engine onnxruntime"
        raise error("E502", message, node.span, notes=notes, help=help)

    return Kernel(node.op_type, refuse)


def _run(
    evaluator: Any, names: Sequence[str], *arrays: Array | None, **attributes: Any
) -> tuple[Array, ...]:
    """The results; the evaluator holds the attributes already."""
    given = [array for array in arrays if array is not None]
    try:
        results = evaluator.run(None, dict(zip(names, given, strict=True)))
    except MemoryError:
        raise
    except Exception as failure:  # anything that a reference implementation raises
        raise OperandError(f"cannot be computed: {failure}") from failure
    return tuple(_own(np.asarray(result), given) for result in results)


def _own(result: Array, arguments: Sequence[Array]) -> Array:
    """The result in its own memory: the reference may hand an argument through."""
    shared = any(np.may_share_memory(result, array) for array in arguments)
    return result.copy() if shared else result
