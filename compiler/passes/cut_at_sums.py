"""Graph with sums over ranks -> the parts between these, each a graph that an engine can run."""

from collections.abc import Mapping, Sequence

from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.graph import LEAVES, Graph, Output, Value
from ..ir.schedule import schedule
from ..ops.collective import ALL_REDUCE
from .rewrite import copy
from .shards import differing


@record
class Part:
    """What a rank computes without the others.

    Attributes:
        graph: Its inputs are some of the whole graph's, values of earlier parts and sums. Its
            outputs are some of the whole graph's, values for later parts and what is to be summed.
        summed: For what is to be summed, by its name among the outputs, the names that its sum
            has among inputs of later parts; in the order in which it is computed.
    """

    graph: Graph
    summed: Mapping[str, tuple[str, ...]]


@record
class Parts:
    """A graph in parts.

    Attributes:
        parts: The parts, in order.
        sums: Outputs of the whole graph that are sums, and how these are named.
    """

    parts: tuple[Part, ...]
    sums: Mapping[str, str]


def cut_at_sums(graph: Graph) -> Parts:
    """Cut a graph, without parameters, at its sums over ranks.

    There are as few parts as can be: what no sum waits for is computed as late as its reader. So a
    step of training is cut twice: after what losses count, and after gradients. Values that are
    the same on all ranks are computed again in each part that reads them; those that differ are
    handed on, so that a rank which has no samples can leave out all parts that need them.
    """
    return _Cutter(graph).parts()


class _Cutter:
    """Finds out in which part each node belongs."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.differ = differing(graph)
        self.needed = self._needed()
        self.sums = [i for i in self.needed if graph[i].op_type == ALL_REDUCE]
        self.last = self._depth()
        self.latest = self._latest()
        self.home: dict[int, int] = {}  # the part that computes a node, where ranks differ in it
        self.members = [self._members(number) for number in range(self.last + 1)]

    def parts(self) -> Parts:
        """The parts."""
        read = {
            (value.node, value.output)
            for number, members in enumerate(self.members)
            for i in members
            for value in self._arguments(i)
            if self.home.get(value.node, number) < number
        }
        parts = tuple(self._part(number, sorted(read)) for number in range(self.last + 1))
        outputs = self.graph.outputs.items()
        return Parts(parts, {name: _sum(v.node) for name, v in outputs if self._is_sum(v)})

    def _depth(self) -> int:
        """How many sums there are at most that wait for each other."""
        depths: dict[int, int] = {}
        for i in self.needed:
            before = (depths[v.node] for v in self.graph[i].inputs if v is not None)
            depths[i] = max(before, default=0) + (self.graph[i].op_type == ALL_REDUCE)
        return max(depths.values(), default=0)

    def _latest(self) -> dict[int, int]:
        """For each node the last part that may compute it; what is summed is ready one before."""
        latest = dict.fromkeys(self.needed, self.last)
        for i in reversed(self.needed):
            bound = latest[i] - (self.graph[i].op_type == ALL_REDUCE)
            for value in self.graph[i].inputs:
                if value is not None:
                    latest[value.node] = min(latest[value.node], bound)
        return latest

    def _arguments(self, identifier: int) -> list[Value]:
        """What a node is computed from within a part, where sums are given."""
        node = self.graph[identifier]
        return [v for v in node.inputs if v is not None and node.op_type != ALL_REDUCE]

    def _needed(self) -> list[int]:
        """The nodes that outputs depend on, in order."""
        found = schedule(self.graph, self.graph.outputs.values())
        return sorted((*found.order, *found.leaves))

    def _operands(self, number: int) -> list[Value]:
        """What is to be summed after a part, in the order in which it is computed."""
        found = set()
        for i in self.sums:
            (value,) = self.graph[i].inputs
            if value and self.home.get(value.node, self.latest[i] - 1) == number:
                found.add(value)
        return sorted(found, key=lambda value: (value.node, value.output))

    def _members(self, number: int) -> set[int]:
        """The nodes of a part, with its leaves and the sums that it reads."""
        wanted = self._operands(number)
        if number == self.last:  # all that is left
            wanted = [value for value in self.graph.outputs.values() if not self._is_sum(value)]
        found: set[int] = set()
        pending = [value.node for value in wanted]
        while pending:
            identifier = pending.pop()
            if identifier in found or self.home.get(identifier, number) < number:
                continue
            found.add(identifier)
            if identifier in self.differ and self.graph[identifier].op_type not in LEAVES:
                self.home[identifier] = number
            pending += [value.node for value in self._arguments(identifier)]
        return found

    def _is_sum(self, value: Value) -> bool:
        return self.graph.producer(value).op_type == ALL_REDUCE

    def _part(self, number: int, read: Sequence[Output]) -> Part:
        target = Graph(self.graph.name, opsets=self.graph.opsets)
        build = Builder(target)
        values: dict[Output, Value] = {}

        def taken(value: Value) -> Value:
            """A value of the whole graph, in the part; an input where others computed it."""
            key = value.node, value.output
            if key not in values:
                name = _sum(value.node) if self._is_sum(value) else _handed(key)
                values[key] = build.input(name, value.type)
            return values[key]

        for identifier in sorted(self.members[number]):
            node = self.graph[identifier]
            if node.op_type != ALL_REDUCE:
                build.scope, build.span = node.scope, node.span
                operands = tuple([None if v is None else taken(v) for v in node.inputs])
                for place, made in enumerate(copy(build, node, operands)):
                    values[identifier, place] = made
        for name, value in self.graph.outputs.items():
            if not self._is_sum(value) and self.home.get(value.node, self.last) == number:
                target.outputs[name] = taken(value)
        target.outputs |= {_handed(key): values[key] for key in read if self.home[key[0]] == number}
        summed = {}
        for value in self._operands(number):
            key = value.node, value.output
            target.outputs[_offered(key)] = values[key]
            readers = self.graph.consumers(value)
            summed[_offered(key)] = tuple(_sum(i) for i in readers if i in self.sums)
        return Part(target, summed)


def _handed(key: Output) -> str:
    """What a part calls a value of another; no label has a space in it."""
    return f"value {key[0]}.{key[1]}"


def _offered(key: Output) -> str:
    """What is to be summed."""
    return f"term {key[0]}.{key[1]}"


def _sum(identifier: int) -> str:
    """A sum."""
    return f"sum {identifier}"
