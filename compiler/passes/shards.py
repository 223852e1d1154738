"""Which part of a batch a graph sees, where ranks share each batch among themselves."""

from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.dim import BATCH, counts_samples
from ..ir.graph import INPUT, Graph, Value
from ..ir.types import DType, TensorType
from ..ops.collective import ALL_REDUCE

# Inputs that a graph gets which sees a shard; no label has a space in it.
FIRST = "first sample"
WHOLE = "samples of the batch"
SHARD_INPUTS = (FIRST, WHOLE)
INSIDE = 0x9E3779B1  # what distinguishes the noise of shards in a loop, per sample before them


@record
class Shard:
    """The part of a batch that a graph sees, as scalars of int64.

    Attributes:
        first: How many samples of the batch come before.
        whole: How many samples the batch has.
        samples: How many of them the graph sees.
    """

    first: Value
    whole: Value
    samples: Value

    @classmethod
    def of(cls, build: Builder) -> "Shard":
        """What a graph sees of a batch, by inputs that it gets here or got before."""
        first, whole = (_scalar(build, name) for name in SHARD_INPUTS)
        fed = next(x for x in build.graph.inputs.values() if x.shape and x.shape[0] == BATCH)
        axis = build.index_constant((0,))
        return cls(first, whole, build.Squeeze(build.Shape(fed, start=0, end=1), axis))

    def share(self, build: Builder, dtype: DType) -> Value:
        """Its share in the batch, as a scalar."""
        return build.Div(*(build.Cast(n, to=dtype) for n in (self.samples, self.whole)))

    def elements_before(self, build: Builder, x: Value) -> Value | None:
        """How many elements shards before this one have where it has x; None where x is shared."""
        if not any(map(counts_samples, x.shape)):
            return None
        return build.Mul(self.first, build.Div(build.Size(x), self.samples))

    def mixed(self, build: Builder, step: Value) -> Value:
        """A number of a step that differs from shard to shard, and of the first shard does not."""
        return build.Add(step, build.Mul(self.first, build.index_constant(INSIDE)))


def differing(graph: Graph) -> set[int]:
    """The nodes whose values differ between ranks: they depend on samples that others do not see.

    Sums over the ranks are the same on each, and so is what depends on these and on weights.
    """
    found: set[int] = set()
    for identifier, node in graph.nodes():
        if node.op_type == INPUT:
            named = node.attributes["name"] == FIRST
            differs = named or any(map(counts_samples, node.outputs[0].shape))
        else:
            differs = any(v is not None and v.node in found for v in node.inputs)
        if differs and node.op_type != ALL_REDUCE:
            found.add(identifier)
    return found


def _scalar(build: Builder, name: str) -> Value:
    found = build.graph.inputs.get(name)
    return found or Builder(build.graph).input(name, TensorType(DType.INT64, ()))
