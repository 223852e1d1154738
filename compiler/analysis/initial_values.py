"""Graph to initializers: what `init=auto` means for each parameter that asks for it."""

from collections import Counter
from collections.abc import Mapping

from ..ir.graph import CONSTANT, INPUT, PARAMETER, Graph, Node
from ..ir.initializers import AUTO, GLOROT, HE, TORCH, Init
from ..layers.layerdef import activation_of
from ..ops.opdef import Activation, definition, row_of

LAYER_NORM = "LayerNormalization"
PRODUCTS = frozenset({"Gemm", "MatMul"})
SCALING = frozenset({"Add", "Sub", "Mul", "Div", "Concat"})
NORMALIZATIONS = frozenset(
    {"BatchNormalization", "GroupNormalization", "InstanceNormalization", LAYER_NORM}
)


def resolve(graph: Graph) -> dict[str, Init]:
    """The initializer of each parameter with `init=auto`, by name.

    A layer whose output is normalized next starts as PyTorch's do, by `torch`: its scale makes no
    difference to what follows, and smaller weights turn faster. Of others, the uses of the output
    are followed to the first activation: the ReLU family asks for `he` (He, Zhang, Ren and Sun
    2015), SELU for `lecun` (Klambauer, Unterthiner, Mayr and Hochreiter 2017), everything else, the
    end of the network included, for `glorot` (Glorot and Bengio 2010). Where branches part, the
    first use that leads to an activation decides. In place of `glorot` it is `torch` for weights
    that no others come before or after, as in a linear model: no signal is to be kept alive, and
    what first weights say at random has to be unlearned. So it is in branches that are added to a
    normalized value where the sum is normalized again, as in transformers with the normalization
    behind each part: what is added is small at first (Zhang, Dauphin and Ma 2019, "Fixup").

    Layers that read vectors, such as the rows of a table, and that an activation follows, are
    `torch`, biases included, unless SELU asks for `lecun`: standardized numbers vary more than
    pixels between 0 and 1 do, and kinks that are spread fit functions of few numbers sooner than
    kinks that all meet at 0. So are layers of one unit at the end of such networks, where `glorot`
    would double the variance. Both were measured: docs/training.md.

    `graph` must be unoptimised: folding and fusion hide activations. Takes time linear in it.
    """
    data = _fed_by_inputs(graph)
    met = _activations_met(graph, data)
    torch = _normalized(graph, data) | _added_to_normalized(graph, data)
    torch |= {node for node in _alone(graph, data) if met.get(node, GLOROT) == GLOROT}
    found = {
        name: TORCH if value.node in torch else met.get(value.node, GLOROT)
        for name, value in graph.parameters.items()
        if graph.producer(value).attributes["init"] == AUTO
    }
    spread = _of_vectors(graph, data, met) - torch
    for name in [name for name in found if graph.parameters[name].node in spread]:
        beside = f"{name.rpartition('.')[0]}.bias"
        biases = [beside] if beside in graph.parameters else []
        found |= dict.fromkeys([name, *biases], TORCH)
    return found


def _of_vectors(graph: Graph, data: set[int], met: Mapping[int, Init]) -> set[int]:
    """The weights that vectors are multiplied by before an activation, and last ones of one unit.

    The latter where all inputs are vectors.
    """
    vectors = _vectors(graph, data)
    first, last = set(), set()
    for node in graph.records:
        given = [value for value in node.inputs[:2] if value is not None]
        if node.op_type not in PRODUCTS or len(given) < 2:
            continue
        weight = given[1].node
        if graph[weight].attributes.get("literal") is not None:
            continue
        if given[0].node in vectors and met.get(weight) in (HE, GLOROT):
            first.add(weight)
        elif node.outputs[0].shape[1:] == (1,) and met.get(weight, GLOROT) == GLOROT:
            last.add(weight)
    inputs = {value.node for value in graph.inputs.values()}
    return first | last if inputs <= vectors else first


def _vectors(graph: Graph, data: set[int]) -> set[int]:
    """The inputs of real numbers without places, (N, features), and what is only scaled of them."""
    found: set[int] = set()
    for identifier, node in graph.nodes():
        if node.op_type == INPUT:
            type = node.outputs[0]
            is_vector = type.dtype.is_float and type.rank == 2
        else:
            given = [value for value in node.inputs if value is not None]
            fed = [value for value in given if value.node in data]
            scaled = all(graph.producer(v).op_type == CONSTANT for v in given if v not in fed)
            known = bool(fed) and scaled and all(value.node in found for value in fed)
            is_vector = known and (node.op_type in SCALING or row_of(node).passes)
        if is_vector:
            found.add(identifier)
    return found


def _alone(graph: Graph, data: set[int]) -> set[int]:
    """The nodes that lie on no path through several weights."""
    depth: list[int] = []  # how many weights a path takes until there; vectors are none
    for identifier, node in graph.nodes():
        given = [value.node for value in node.inputs if value is not None]
        before = max((depth[each] for each in given if each in data), default=0)
        weights = [depth[each] for each in given if each not in data]
        if node.op_type == PARAMETER:
            depth.append(int(len(node.outputs[0].shape) > 1))
        else:
            depth.append(before + sum(weights) if identifier in data else max(weights, default=0))
    deep: set[int] = set()
    for identifier in range(len(graph) - 1, -1, -1):
        if depth[identifier] > 1 or identifier in deep:
            deep.add(identifier)
            deep.update(value.node for value in graph[identifier].inputs if value is not None)
    return set(range(len(graph))) - deep


def _normalized(graph: Graph, data: set[int]) -> set[int]:
    """The nodes whose output a normalization takes, alone: not as a term of a sum."""
    found: set[int] = set()
    for identifier in range(len(graph) - 1, -1, -1):
        node = graph[identifier]
        fed = [value for value in node.inputs if value is not None and value.node in data]
        if node.op_type in NORMALIZATIONS:
            found.update(value.node for value in node.inputs[:1] if value is not None)
        elif identifier in found and node.inputs:
            passes = len(fed) == 1 and row_of(node).passes
            found.update(
                value.node
                for value in node.inputs
                if value is not None and (passes or value.node not in data)
            )
    return found


def _added_to_normalized(graph: Graph, data: set[int]) -> set[int]:
    """The nodes of branches that are added to a normalized value, the sum being normalized.

    A branch begins where a value has several uses.
    """
    uses = Counter(value.node for node in graph.records for value in node.inputs if value)
    found: set[int] = set()
    for node in graph.records:
        added = _first(node) if node.op_type == LAYER_NORM else None
        if added is None or graph[added].op_type != "Add" or uses[added] > 1:
            continue
        terms = [value.node for value in graph[added].inputs if value is not None]
        if not any(_is_normalized(graph, term) for term in terms):
            continue
        ahead = terms
        while ahead:
            reached = ahead.pop()
            if reached in data and uses[reached] > 1:
                continue
            found.add(reached)
            ahead += [value.node for value in graph[reached].inputs if value is not None]
    return found


def _first(node: Node) -> int | None:
    """The node of an operator's first input."""
    return node.inputs[0].node if node.inputs and node.inputs[0] is not None else None


def _is_normalized(graph: Graph, identifier: int) -> bool:
    """Whether a value is what a normalization yields, under any name."""
    node = graph[identifier]
    while node.op_type == "Identity" and (first := _first(node)) is not None:
        node = graph[first]
    return node.op_type == LAYER_NORM


def _activations_met(graph: Graph, data: set[int]) -> Mapping[int, Init]:
    """For each node, what the activation asks for that its output meets first.

    Nodes are numbered in topological order, so a sweep from the last to the first sees users
    before producers, and earlier users overwrite later ones.
    """
    met: dict[int, Init] = {}
    for identifier in range(len(graph) - 1, -1, -1):
        node = graph[identifier]
        ahead = met.get(identifier)
        asked = _asked(graph, node)
        for value in node.inputs:
            if value is None:
                continue
            # A weight meets what its product meets, regardless of the operator.
            passes = row_of(node).passes or value.node not in data
            init = asked or (ahead if passes else None)
            if init is not None:
                met[value.node] = init
    return met


def _asked(graph: Graph, node: Node) -> Init | None:
    """What an operator asks for, if it or its layer is an activation."""
    found = activation_at(graph, node)
    return found.init if found else None


def activation_at(graph: Graph, node: Node) -> Activation | None:
    """What an operator is as an activation function, if it or its layer is one."""
    row = definition(node)
    return activation_of(graph.layers.get(node.scope)) or (row.activation if row else None)


def _fed_by_inputs(graph: Graph) -> set[int]:
    """The nodes that depend on an input of the network: data, and no weights."""
    fed: set[int] = set()
    for identifier, node in graph.nodes():
        if node.op_type == INPUT or any(v is not None and v.node in fed for v in node.inputs):
            fed.add(identifier)
    return fed
