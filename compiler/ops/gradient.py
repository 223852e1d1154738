"""Reverse-mode differentiation: appends the gradients of a value to the graph that holds it.

What is appended are ordinary operators, by the rules (`OpDef.vjp`) of the op table, so gradients
can be differentiated again. Gradients of a value that is used several times are added up.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from ...grammar.diagnostics import NetError, error
from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.dim import equal
from ..ir.graph import Graph, Node, Output, Value
from ..ir.types import HolderType
from .building import shape_value
from .cuts import UnknownValueError
from .opdef import Cotangents, OpDef, VjpCall, definition, nothing, row_of


def gradients(
    build: Builder,
    of: Value,
    wrt: Sequence[Value],
    *,
    cotangent: Value | None = None,
    distinct: bool = False,
    steps: "list[NodeGradient] | None" = None,
) -> list[Value | None]:
    """The gradients of `of` with respect to each of `wrt`, appended by `build` to its graph.

    The new nodes carry scope and span of the nodes that they differentiate.

    Args:
        build: A builder on the graph that holds `of` and `wrt`.
        of: What to differentiate, a scalar unless there is a `cotangent`.
        wrt: Values that hold real numbers.
        cotangent: What the gradient of `of` is to be, of its type; 1 where it is None.
        distinct: Whether what an operator passes on as it is, as an addition does, becomes a
            separate value, an `Identity`, for pictures that name each gradient.
        steps: Where the steps of the walk are noted, for pictures of whole rules.

    Returns:
        For each of `wrt` a value of its type, or None where `of` does not depend on it.

    Raises:
        NetError: E131, the way leads through an operator that has no gradient.
    """
    if cotangent is None and of.shape:
        raise ValueError(f"the gradient of {of.type} needs a cotangent")
    seed = build.constant(1.0, of.dtype) if cotangent is None else cotangent
    return pullback(build, {of: seed}, wrt, distinct=distinct, steps=steps)


def pullback(
    build: Builder,
    cotangents: Mapping[Value, Value],
    wrt: Sequence[Value],
    *,
    distinct: bool = False,
    steps: "list[NodeGradient] | None" = None,
    since: int = 0,
) -> list[Value | None]:
    """The same where several values have gradients, each of its type, that add up.

    Nodes before `since` count as given: that one of `wrt` depends on another by these is nothing.
    """
    scope, span = build.scope, build.span
    sweep = _Sweep(build, cotangents, wrt, distinct, since)
    found = sweep.run()
    build.scope, build.span = scope, span
    if steps is not None:
        steps += sweep.steps
    return found


@record
class NodeGradient:
    """What the rule of one node appended.

    Attributes:
        node: The node that was differentiated.
        appended: The nodes that its rule added.
        parts: For each of its arguments what is added to its gradient; None where nothing is.
    """

    node: int
    appended: range
    parts: tuple[Value | None, ...]


class _Sweep:
    """One walk from values back to what they depend on."""

    def __init__(
        self,
        build: Builder,
        cotangents: Mapping[Value, Value],
        wrt: Sequence[Value],
        distinct: bool,
        since: int,
    ) -> None:
        self.distinct, self.since = distinct, since
        self.build = build
        self.graph = build.graph
        self.last = max((value.node for value in cotangents), default=-1)
        self.wrt = wrt
        self.targets = {(value.node, value.output) for value in wrt}
        self.dependent = self._dependents()
        self.parts: dict[Output, list[Value]] = {
            (value.node, value.output): [seed] for value, seed in cotangents.items()
        }
        self.steps: list[NodeGradient] = []

    def run(self) -> list[Value | None]:
        """The gradients."""
        for identifier in sorted(self.dependent, reverse=True):
            self._differentiate(identifier, self.graph[identifier])
        return [self._total((value.node, value.output)) for value in self.wrt]

    def _dependents(self) -> set[int]:
        """The nodes up to the last one through which real numbers come from one of `wrt`."""
        found: set[int] = set()
        first = min((node for node, _ in self.targets), default=self.last)
        for identifier in range(max(first, self.since), self.last + 1):
            node = self.graph[identifier]
            row = definition(node)
            if row is not None and row.vjp is nothing:
                continue
            if any(v is not None and self._carries(v, found) for v in node.inputs):
                found.add(identifier)
        return found

    def _carries(self, value: Value, dependent: set[int]) -> bool:
        """Whether a value is one of `wrt` or holds real numbers that were computed from one."""
        if (value.node, value.output) in self.targets:
            return True
        return value.node in dependent and value.dtype.is_float

    def _differentiate(self, identifier: int, node: Node) -> None:
        """Pass the gradients of a node's outputs on to its arguments."""
        self.build.scope, self.build.span = node.scope, node.span
        outputs = tuple(Value(identifier, k, type) for k, type in enumerate(node.outputs))
        cotangents = tuple(self._total((identifier, k)) for k in range(len(outputs)))
        if not any(cotangents):
            return
        row = row_of(node)
        rule = row.vjp or (partial(_by_function, row) if row.function else None)
        if rule is None or _has_holders(node):
            raise no_gradient(node)
        wanted = tuple(v is not None and self._carries(v, self.dependent) for v in node.inputs)
        attributes = {**row.attributes, **node.attributes}
        call = VjpCall(
            *(node.op_type, node.inputs, outputs, cotangents, wanted, attributes), node.subgraphs
        )
        first = len(self.graph)
        try:
            found = rule(self.build, call)
        except UnknownValueError as failure:
            raise no_gradient(node, str(failure)) from None
        passed: list[Value | None] = []
        for value, part, want in zip(node.inputs, found, wanted, strict=False):
            passed.append(None)
            if value is not None and part is not None and want:
                part = _fitted(self.build, node, value, part)
                if self.distinct and part in cotangents:
                    part = self.build.Identity(part)
                self.parts.setdefault((value.node, value.output), []).append(part)
                passed[-1] = part
        self.steps.append(NodeGradient(identifier, range(first, len(self.graph)), tuple(passed)))

    def _total(self, output: Output) -> Value | None:
        """The sum of what arrived at an output; it is added up once."""
        parts = self.parts.get(output)
        if not parts:
            return None
        if len(parts) > 1:
            add = self.build.Add if len(parts) == 2 else self.build.Sum
            self.parts[output] = parts = [add(*parts)]
        return parts[0]


def _by_function(row: OpDef, build: Builder, call: VjpCall) -> Cotangents:
    """The gradients through what an operator is built from."""
    assert row.function is not None
    applied = build.call(row, call.inputs, call.attributes, outputs=len(call.outputs))
    since = len(build.graph)
    results = row.function(build, call.inputs, applied)
    seeds: dict[Value, Value] = {}
    for result, dy in zip(results, call.cotangents, strict=True):
        if dy is not None:
            seeds[result] = build.Add(seeds[result], dy) if result in seeds else dy
    wanted = zip(call.inputs, call.wanted, strict=True)
    wrt = list(dict.fromkeys(value for value, want in wanted if want and value))
    found = dict(zip(wrt, pullback(build, seeds, wrt, since=since), strict=True))
    # What stands twice among the arguments has the gradients of both already.
    return [found.pop(value, None) if value else None for value in call.inputs]


def no_gradient(node: Node, *notes: str) -> NetError:
    """That a gradient is asked for through an operator that has none, or none that netc knows."""
    where = f" in `{node.scope}`" if node.scope else ""
    if not row_of(node).constant:
        return error(
            "E131",
            f"netc has no rule for the gradient of `{node.op_type}`{where}",
            node.span,
            notes=notes,
            help="use operators that have one, or mark the layers before it with `frozen=yes`",
        )
    return error(
        "E131",
        f"no gradient passes through `{node.op_type}`{where}",
        node.span,
        help="its output is constant almost everywhere, so no gradient reaches earlier layers:"
        " use a smooth layer such as SIGMOID, or mark the layers before it with `frozen=yes`",
    )


def cut_between(graph: Graph, start: Value, end: Value) -> Node | None:
    """The node at which the real numbers on all ways from `start` to `end` end, if there is one.

    Comparisons and indices yield no real numbers, so a value can depend on another through them
    without having a gradient.
    """
    ancestors = set(_ancestors(graph, end.node))
    reached = {start.node}
    for identifier in range(start.node + 1, end.node + 1):
        node = graph[identifier]
        if identifier not in ancestors or not _takes(node, reached):
            continue
        if not any(type.dtype.is_float for type in node.outputs):
            return node
        reached.add(identifier)
    return None


def _has_holders(node: Node) -> bool:
    """Whether it takes or yields a sequence or an optional value, which have no gradients."""
    taken = (value.type for value in node.inputs if value is not None)
    return any(isinstance(type, HolderType) for type in (*taken, *node.outputs))


def _takes(node: Node, producers: set[int]) -> bool:
    return any(v is not None and v.node in producers for v in node.inputs)


def _ancestors(graph: Graph, identifier: int) -> Iterator[int]:
    """A node and all that it depends on."""
    pending, seen = [identifier], {identifier}
    while pending:
        current = pending.pop()
        yield current
        for value in graph[current].inputs:
            if value is not None and value.node not in seen:
                seen.add(value.node)
                pending.append(value.node)


def _fitted(build: Builder, node: Node, value: Value, gradient: Value) -> Value:
    """A gradient with its argument's extents, also where a merge took open ones for equal.

    A rule that yields another type than its argument's is a bug of the rule.
    """
    fits = len(value.shape) == len(gradient.shape) and not any(
        equal(a, b) is False for a, b in zip(value.shape, gradient.shape, strict=True)
    )
    if not fits or value.dtype != gradient.dtype:
        raise ValueError(
            f"the rule of {node.op_type} yields {gradient.type} for an argument {value.type}"
        )
    if value.shape == gradient.shape:
        return gradient
    return build.Reshape(gradient, shape_value(build, value))
