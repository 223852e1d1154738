"""Graph to counts: parameters, multiply-accumulates, elementwise operations, per layer and in all.

Everything is computed from shapes for one sample; no weight is ever allocated.
"""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field

from ...grammar.records import record
from ..ir.dim import BATCH, Dim, substitute
from ..ir.graph import CONSTANT, LEAVES, PARAMETER, Graph, Node
from ..ir.signature import OpCall
from ..ir.types import TensorType
from ..ops.opdef import Cost, row_of

ONE_SAMPLE: Mapping[str, int] = {str(BATCH): 1}

CONVENTION = "{}; MACs: convolutions and matrix products; FLOPs = 2 MACs + elementwise"


# What extents are taken for that are not known, where costs and memory are compared.
LARGE = 2**12


@record
class Totals:
    """What a layer, or several, hold, and what they cost for one sample.

    Attributes:
        trainable, frozen: Elements of learned parameters, by whether training changes them.
        buffers: Elements of running statistics.
        macs: Multiply-accumulates of convolutions and matrix products.
        elementwise: All other operations.
    """

    _: KW_ONLY
    trainable: int = 0
    frozen: int = 0
    buffers: int = 0
    macs: Dim = 0
    elementwise: Dim = 0

    @property
    def params(self) -> int:
        """Learned parameters, trainable and frozen; running statistics are not among them."""
        return self.trainable + self.frozen

    @property
    def flops(self) -> Dim:
        """2 x MACs + elementwise operations for one sample."""
        return 2 * self.macs + self.elementwise


@record
class LayerCounts(Totals):
    """The counts of one layer.

    Attributes:
        outputs: Types of the layer's outputs, the batch symbolic.
        shared: Names of the parameters that it uses and that another layer holds and counts.
        weighted: Whether it multiplies by parameters, its own or shared ones.
    """

    outputs: tuple[TensorType, ...] = ()
    shared: tuple[str, ...] = ()
    weighted: bool = False


@record
class Counts(Totals):
    """The counts of a network: `layers` by path, in order of appearance, and their sums."""

    layers: Mapping[str, LayerCounts]

    @property
    def headline(self) -> str:
        """Parameters and multiply-accumulates in words, as above pictures."""
        macs = f"{self.macs:,}" if isinstance(self.macs, int) else str(self.macs)
        word = "parameter" if self.params == 1 else "parameters"
        return f"{self.params:,} {word} \N{MIDDLE DOT} {macs} MACs"

    def __repr__(self) -> str:
        totals = f"{self.params:,} parameters, {self.macs} MACs, {self.flops} FLOPs"
        return f"<Counts of {len(self.layers):,} layers: {totals}>"


def count(graph: Graph) -> Counts:
    """Count a graph, in time linear in its nodes.

    A parameter counts once, in the layer that it was created in. Nodes outside of all layers
    count under their scope, so that the layers' counts always add up to the totals.
    """
    scopes = {path: _ScopeCounts() for path in graph.layers}
    costs: dict[tuple[int, ...], Cost] = {}  # of nodes that are alike
    for _, node in graph.nodes():
        if node.op_type in LEAVES and node.op_type != PARAMETER:
            continue
        if (scope := scopes.get(node.scope)) is None:
            scope = scopes[node.scope] = _ScopeCounts()
        if node.op_type == PARAMETER:
            scope.add_parameter(node)
            continue
        like = graph.likeness(node)
        if (cost := costs.get(like)) is None:
            cost = costs[like] = node_cost(graph, node)
        scope.add_operator(graph, node, cost)
    layers = {path: scope.closed(_outputs(graph, path)) for path, scope in scopes.items()}
    return Counts(
        layers,
        trainable=sum(layer.trainable for layer in layers.values()),
        frozen=sum(layer.frozen for layer in layers.values()),
        buffers=sum(layer.buffers for layer in layers.values()),
        macs=total(layer.macs for layer in layers.values()),
        elementwise=total(layer.elementwise for layer in layers.values()),
    )


def convention(graph: Graph) -> str:
    """What counts are of: one sample, or the batch that all inputs of a model fix."""
    first = {x.shape[0] for x in graph.inputs.values() if x.type.rank}
    batch = first.pop() if len(first) == 1 else 1
    fixed = isinstance(batch, int) and batch > 1
    return CONVENTION.format(f"the model's batch of {batch}" if fixed else "one sample")


def node_cost(graph: Graph, node: Node, symbols: Mapping[str, int] = ONE_SAMPLE) -> Cost:
    """What an operator costs by the op table's rule, for one sample unless symbols say more.

    Of its subgraphs the dearest counts, as often as it runs.
    """
    row = row_of(node)
    call = OpCall(
        row,
        tuple(None if v is None else v.type.bind(symbols) for v in node.arguments),
        node.attributes,
        tuple(None if v is None else _constant(graph.producer(v)) for v in node.arguments),
        len(node.outputs),
    )
    cost = row.cost(call, tuple(type.bind(symbols) for type in node.outputs))
    if not node.subgraphs:
        return cost
    inside = max((_within(each, symbols) for each in node.subgraphs.values()), key=_flops)
    turns = row.turns(call)
    return Cost(cost.macs + turns * inside.macs, cost.elementwise + turns * inside.elementwise)


def _within(graph: Graph, symbols: Mapping[str, int]) -> Cost:
    """What all operators of a subgraph cost."""
    costs = [node_cost(graph, node, symbols) for _, node in graph.nodes() if node.row]
    return Cost(total(each.macs for each in costs), total(each.elementwise for each in costs))


def _flops(cost: Cost) -> int:
    return at_large(2 * cost.macs + cost.elementwise)


def at_large(dim: Dim) -> int:
    """A count where all extents that are not known are large."""
    number = substitute(dim, {}, others=LARGE)
    assert isinstance(number, int)
    return number


def elements(node: Node) -> int:
    """How many numbers a parameter holds."""
    size = node.outputs[0].size
    assert isinstance(size, int)
    return size


def total(dims: Iterable[Dim]) -> Dim:
    """The sum of counts, integers or symbolic."""
    result: Dim = 0
    for dim in dims:
        result = result + dim
    return result


@dataclass(eq=False, slots=True)
class _ScopeCounts:
    """The counts of a scope while its nodes are visited."""

    trainable: int = 0
    frozen: int = 0
    buffers: int = 0
    macs: Dim = 0
    elementwise: Dim = 0
    shared: dict[str, None] = field(default_factory=dict)
    takes_parameters: bool = False

    def add_parameter(self, parameter: Node) -> None:
        size = elements(parameter)
        if parameter.attributes["buffer"]:
            self.buffers += size
        elif parameter.attributes["trainable"]:
            self.trainable += size
        else:
            self.frozen += size

    def add_operator(self, graph: Graph, node: Node, cost: Cost) -> None:
        self.macs = self.macs + cost.macs
        self.elementwise = self.elementwise + cost.elementwise
        for value in node.inputs:
            if value is not None and (parameter := graph.producer(value)).op_type == PARAMETER:
                self.takes_parameters = True
                if parameter.scope != node.scope:
                    self.shared[parameter.attributes["name"]] = None

    def closed(self, outputs: tuple[TensorType, ...]) -> LayerCounts:
        return LayerCounts(
            outputs,
            tuple(self.shared),
            self.takes_parameters and self.macs != 0,
            trainable=self.trainable,
            frozen=self.frozen,
            buffers=self.buffers,
            macs=self.macs,
            elementwise=self.elementwise,
        )


def _outputs(graph: Graph, path: str) -> tuple[TensorType, ...]:
    layer = graph.layers.get(path)
    return () if layer is None else tuple(value.type for value in layer.outputs)


def _constant(producer: Node) -> object:
    return producer.attributes["value"] if producer.op_type == CONSTANT else None
