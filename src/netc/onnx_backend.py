"""ONNX's `Backend` interface on the NumPy engine: what its tools and test suites drive.

Each operator of a model is computed as it stands, by a kernel of netc or, where there is none, by
onnx's reference implementation; `netc.load_onnx` reads a model as a network of layers instead.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, defs, helper
from onnx.backend.base import Backend, BackendRep, namedtupledict

from .compiler.ir.graph import Graph
from .compiler.onnx_import.model import import_operators
from .runtime.engines.engine import plan_of, run
from .runtime.engines.plan import own_kernel
from .runtime.weights.initialize import initialize


class PreparedModel(BackendRep):
    """A model that is ready to run.

    Attributes:
        graph: Its operators, with its weights.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph

    @property
    def foreign(self) -> frozenset[str]:
        """The operators that onnx's reference implementation computes."""
        return frozenset(_foreign(plan_of(self.graph).graph))

    def run(self, inputs: Any, **options: Any) -> tuple[Any, ...]:
        """The outputs, by number or by name, for inputs in order or by name.

        Raises:
            NetError: The inputs do not fit, or an operator cannot be computed.
        """
        names = self.graph.inputs
        if not isinstance(inputs, Mapping):
            given = inputs if isinstance(inputs, list | tuple) else [inputs]
            inputs = dict(zip(names, given, strict=True))
        results = run(self.graph, inputs, initialize(self.graph))
        found: tuple[Any, ...] = namedtupledict("Outputs", list(results))(*results.values())
        return found


class NetcBackend(Backend):
    """netc as a backend of ONNX, on the CPU."""

    @classmethod
    def prepare(cls, model: ModelProto, device: str = "CPU", **options: Any) -> PreparedModel:
        """A model, ready to run.

        Raises:
            NetError: It is no sound model, or has what no graph can hold.
        """
        return PreparedModel(import_operators(model.SerializeToString()))

    @classmethod
    def run_model(
        cls, model: ModelProto, inputs: Any, device: str = "CPU", **options: Any
    ) -> tuple[Any, ...]:
        """The outputs of a model, computed once."""
        return cls.prepare(model, device).run(inputs)

    @classmethod
    def run_node(
        cls,
        node: NodeProto,
        inputs: Any,
        device: str = "CPU",
        outputs_info: Sequence[tuple[np.dtype[Any], tuple[int, ...]]] | None = None,
        **options: Any,
    ) -> tuple[Any, ...]:
        """The outputs of one operator of the newest version, computed once."""
        arrays = [np.asarray(array) for array in inputs]
        names = [name for name in node.input if name]
        infos = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
            for name, a in zip(names, arrays, strict=True)
        ]
        results = [helper.make_empty_tensor_value_info(name) for name in node.output if name]
        graph = helper.make_graph([node], node.op_type, infos, results)
        version = options.get("opset_version", defs.onnx_opset_version())
        opsets = [helper.make_opsetid(node.domain, version)]
        return cls.run_model(helper.make_model(graph, opset_imports=opsets), arrays)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether it runs there: on the CPU alone."""
        return device.split(":")[0] == "CPU"


def _foreign(graph: Graph) -> set[str]:
    found: set[str] = set()
    for _, node in graph.nodes():
        for inner in node.subgraphs.values():
            found |= _foreign(inner)
        if node.row is not None and own_kernel(node) is None:
            found.add(node.op_type)
    return found


is_compatible = NetcBackend.is_compatible
prepare = NetcBackend.prepare
run_model = NetcBackend.run_model
run_node = NetcBackend.run_node
supports_device = NetcBackend.supports_device
