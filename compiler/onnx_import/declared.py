"""What a model says of the types of its values."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

from onnx import (
    GraphProto,
    ModelProto,
    TensorShapeProto,
    ValueInfoProto,
)

from ...grammar.diagnostics import error
from ..ir.dim import Dim, symbol, unknown
from ..ir.types import TensorType
from ..onnx_standard.protos import type_of
from .attributes import graphs_in

BATCH = "N"


@dataclass(eq=False)
class Declarations:
    """The types that a model declares.

    Attributes:
        batch: What it calls the extent that counts samples; None where it has no name.
        named: What it declares, by the value's name.
    """

    batch: str | None
    named: dict[str, ValueInfoProto] = field(default_factory=dict)

    @classmethod
    def of(cls, model: ModelProto) -> "Declarations":
        """What a model declares of its own accord."""
        infos = {info.name: info for graph in graphs_in(model.graph) for info in _infos(graph)}
        return cls(_batch(model.graph), infos)

    def input(self, info: ValueInfoProto, handed: TensorType | None) -> TensorType:
        """The type of an input, which its operator hands over where it is a subgraph's.

        Raises:
            NetError: E575, it is no tensor, or its rank is open.
        """
        found = self._type(info, info.name) if handed is None else handed
        if found is None:
            raise error(
                "E575",
                f"the input `{info.name}` of the model is not a tensor of a known rank",
                help="state its shape, with names for extents that are open",
            )
        return found

    def computed(self, name: str) -> TensorType | None:
        """The type that the model declares of a computed value, where it does."""
        return self._type(self.named[name], "") if name in self.named else None

    def _type(self, info: ValueInfoProto, opens: str) -> TensorType | None:
        """A declared type; `opens` names extents that have no name, which else are unknown."""
        return type_of(info.type, partial(self._extent, opens))

    def _extent(self, opens: str, dim: TensorShapeProto.Dimension, axis: int) -> Dim:
        if dim.HasField("dim_value") and dim.dim_value >= 0:
            return dim.dim_value
        if dim.dim_param and dim.dim_param == self.batch:
            return symbol(BATCH)
        if dim.dim_param:
            return symbol(_identifier(dim.dim_param))
        if opens and axis == 0 and self.batch is None:
            return symbol(BATCH)
        return symbol(_identifier(f"{opens}_{axis}")) if opens else unknown()


def _batch(graph: GraphProto) -> str | None:
    """The name of the extent that counts samples: one that says so, or an input's first."""
    stored = {tensor.name for tensor in graph.initializer}
    shapes = [i.type.tensor_type.shape.dim for i in graph.input if i.name not in stored]
    names = [dim.dim_param for dims in shapes for dim in dims if dim.dim_param]
    telling = [name for name in names if "batch" in name.lower() or name == BATCH]
    leading = [dims[0].dim_param for dims in shapes if dims and dims[0].dim_param]
    return next(iter((*telling, *leading)), None)


def _identifier(name: str) -> str:
    """A name for a symbol, which is not the batch's."""
    found = re.sub(r"\W", "_", name)
    return f"_{found}" if found == BATCH or not found[:1].isalpha() else found


def _infos(graph: GraphProto) -> Iterator[ValueInfoProto]:
    yield from graph.value_info
    yield from graph.output
