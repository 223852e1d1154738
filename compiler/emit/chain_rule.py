"""A graph and its backward graph -> Graphviz text: the chain rule as boxes and arrows.

Forward runs left to right; below it the gradients run back. Where an operator of the backward graph
reads a value of the forward graph, a dashed line says so.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ...grammar.diagnostics import error
from ..builder import Builder
from ..gradient import cut_between, gradients, no_gradient
from ..graph import CONSTANT, INPUT, LEAVES, Graph, Node, Value
from ..passes.rewrite import Operands, rewrite
from .dot import FONT, html_text, quoted
from .palette import THEMES, Theme
from .symbols import symbol

MOST_NODES = 400
LOSS = "L"

Output = tuple[int, int]


@dataclass(frozen=True, eq=False)
class ChainRule:
    """A graph with the gradients of one of its values.

    Attributes:
        graph: The forward graph, and after it the backward graph.
        forward: How many nodes the forward graph has.
        value: What is differentiated.
        gradients: For each value of the forward graph that it depends on, its gradient.
    """

    graph: Graph
    forward: int
    value: Value
    gradients: Mapping[Output, Value]

    def shown(self) -> dict[Output, Value]:
        """All values that a picture can show, by node and output."""
        return {
            (identifier, k): Value(identifier, k, type)
            for identifier, node in self.graph.nodes()
            for k, type in enumerate(node.outputs)
        }


def differentiate(graph: Graph, *, of: str | None = None) -> ChainRule:
    """The gradients of one of a graph's outputs with respect to all values.

    Args:
        graph: A network in training or in inference mode.
        of: The output; the sum of all outputs where it is None.

    Raises:
        NetError: E131, an operator on the way has no gradient.
    """
    target = rewrite(graph, {"Identity": _pass_on})
    build = Builder(target)
    value = _total(build, target.outputs) if of is None else target.outputs[of]
    forward = len(target)
    values = [
        Value(identifier, k, type)
        for identifier, node in target.nodes()
        if node.op_type != CONSTANT
        for k, type in enumerate(node.outputs)
        if type.dtype.is_float
    ]
    seed = None if not value.shape else _ones(build, value)
    found = gradients(build, value, values, cotangent=seed)
    pairs = zip(values, found, strict=True)
    by_output = {(v.node, v.output): g for v, g in pairs if g is not None}
    _check_leaves(target, value, by_output)
    return ChainRule(target, forward, value, by_output)


def _check_leaves(graph: Graph, value: Value, found: Mapping[Output, Value]) -> None:
    """Where no gradient reaches an input or a parameter, there is no chain rule to be shown."""
    leaves = [*graph.inputs.values(), *graph.parameters.values()]
    if not any((leaf.node, leaf.output) in found for leaf in leaves):
        for leaf in leaves:
            node = cut_between(graph, leaf, value)
            if node is not None:
                raise no_gradient(node)


def _total(build: Builder, outputs: Mapping[str, Value]) -> Value:
    """The only output, or the sum of all outputs."""
    values = list(outputs.values())
    if len(values) == 1:
        return values[0]
    sums = [build.ReduceSum(value, keepdims=0) for value in values]
    return build.Sum(*sums)


def _pass_on(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...]:
    (x,) = operands
    assert x is not None
    return (x,)


def _ones(build: Builder, value: Value) -> Value:
    return build.Expand(build.constant(1.0, value.dtype), build.Shape(value))


def to_chain_rule_dot(
    rule: ChainRule,
    *,
    theme: str = "light",
    direction: str = "LR",
    annotations: Mapping[Output, str] | None = None,
) -> str:
    """The picture in Graphviz's language.

    Args:
        rule: What to draw.
        theme: `light` or `dark`.
        direction: Where the forward graph flows: `TB`, `LR`, `BT` or `RL`.
        annotations: What stands on the edges, such as numbers, by node and output; extents
            where it is None.

    Raises:
        NetError: E511, the graph is too large for such a picture.
    """
    writer = _Writer(rule, THEMES[theme], annotations or {})
    if len(writer.drawn) > MOST_NODES:
        raise error(
            "E511",
            f"a backward graph of {len(writer.drawn)} operators is too large to be drawn",
            help=f"draw a part of the network, of at most {MOST_NODES} operators",
        )
    return "\n".join([*writer.preamble(direction), *writer.body(), "}"]) + "\n"


@dataclass(eq=False)
class _Writer:
    rule: ChainRule
    theme: Theme
    annotations: Mapping[Output, str]
    drawn: dict[int, Node] = field(default_factory=dict)
    names: Mapping[Output, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = self.rule.graph
        ends = [self.rule.value, *self._leaf_gradients()]
        self.drawn = {
            identifier: self.graph[identifier]
            for identifier in sorted(_ancestors(self.graph, ends))
            if self._is_drawn(identifier)
        }
        self.names = _names(self.graph)

    def _leaf_gradients(self) -> Iterator[Value]:
        for (identifier, _), gradient in self.rule.gradients.items():
            if self.graph[identifier].op_type in LEAVES:
                yield gradient

    def _is_drawn(self, identifier: int) -> bool:
        """Numbers stand in their operator's box; extents are computed out of sight."""
        node = self.graph[identifier]
        return node.op_type not in (CONSTANT, "Shape") and not (
            node.op_type == "Expand" and identifier >= self.rule.forward and self._is_seed(node)
        )

    def _is_seed(self, node: Node) -> bool:
        source = node.inputs[0]
        return source is not None and self.graph.producer(source).op_type == CONSTANT

    def preamble(self, direction: str) -> Iterator[str]:
        theme = self.theme
        yield f"digraph {quoted(self.graph.name)} {{"
        yield (
            f'  graph [rankdir={direction}, bgcolor="{theme.background}", fontname="{FONT}", '
            f"nodesep=0.35, ranksep=0.55, pad=0.3]"
        )
        yield (
            f'  node [shape=box, style="rounded,filled", fontname="{FONT}", fontsize=12, '
            f'fontcolor="{theme.text}", color="{theme.border}", penwidth=0.8, height=0.3, '
            'width=0.4, margin="0.10,0.05"]'
        )
        yield (
            f'  edge [color="{theme.line}", penwidth=0.9, arrowsize=0.6, fontname="{FONT}", '
            f'fontsize=10, fontcolor="{theme.soft_text}"]'
        )

    def body(self) -> Iterator[str]:
        for identifier, node in self.drawn.items():
            yield self._box(identifier, node)
        for identifier, node in self.drawn.items():
            yield from self._edges(identifier, node)
        yield from self._ends()

    def _box(self, identifier: int, node: Node) -> str:
        theme = self.theme
        if node.op_type in LEAVES:
            name = f"<B>{html_text(node.attributes['name'])}</B>"
            colour = theme.families["source" if node.op_type == INPUT else "dense"]
            looks = f'shape=ellipse, style=filled, fillcolor="{colour}"'
            return f"  n{identifier} [label=<{name}>, {looks}]"
        family = "convolution" if identifier < self.rule.forward else "attention"
        label = html_text(symbol(self.graph, node))
        tip = f"{node.op_type} {node.scope}".strip()
        return (
            f'  n{identifier} [label=<{label}>, fillcolor="{theme.families[family]}", '
            f"tooltip={quoted(tip)}]"
        )

    def _edges(self, identifier: int, node: Node) -> Iterator[str]:
        back = identifier >= self.rule.forward
        for value in dict.fromkeys(v for v in node.inputs if v is not None):
            if value.node not in self.drawn:
                continue
            if not back:
                yield f"  n{value.node} -> n{identifier} [label={self._label(value)}, weight=3]"
            elif value.node < self.rule.forward:
                looks = f'style=dashed, constraint=false, color="{self.theme.cluster}"'
                yield f"  n{value.node} -> n{identifier} [{looks}]"
            else:
                yield self._backward(value, f"n{identifier}", f"n{value.node}")

    def _backward(self, value: Value, target: str, source: str) -> str:
        """An arrow against the ranks, so that gradients run back."""
        looks = f'dir=back, color="{self.theme.skip}", fontcolor="{self.theme.skip}"'
        return f"  {target} -> {source} [label={self._gradient_label(value)}, {looks}]"

    def _ends(self) -> Iterator[str]:
        """Where the picture ends: the value with its seed 1, and the leaves' gradients."""
        value, theme = self.rule.value, self.theme
        plain = f'shape=plaintext, style="", fontcolor="{theme.skip}"'
        yield f'  value [label=<<B>{self._name(value)}</B>>, shape=plaintext, style=""]'
        yield f"  n{value.node} -> value [label={self._label(value, named=False)}]"
        for (identifier, k), gradient in self.rule.gradients.items():
            node = self.graph[identifier]
            if node.op_type not in LEAVES:
                continue
            end = f"g{identifier}"
            yield f"  {end} [label=<{self._derivative((identifier, k))}>, {plain}]"
            yield f"  {{ rank=same; n{identifier}; {end} }}"
            source = f"n{gradient.node}" if gradient.node in self.drawn else "value"
            yield self._backward(gradient, end, source)
        yield from self._seeds()

    def _seeds(self) -> Iterator[str]:
        """The operators of the backward graph that read the seed start at the value."""
        seed = self.rule.gradients[self.rule.value.node, self.rule.value.output]
        for identifier, node in self.drawn.items():
            if identifier >= self.rule.forward and seed in node.inputs:
                yield self._backward(seed, f"n{identifier}", "value")

    def _name(self, value: Value) -> str:
        return html_text(self.names.get((value.node, value.output), LOSS))

    def _derivative(self, output: Output) -> str:
        above = self._name(self.rule.value)
        below = html_text(self.names.get(output, ""))
        return f"\N{PARTIAL DIFFERENTIAL}{above}/\N{PARTIAL DIFFERENTIAL}{below}"

    def _label(self, value: Value, *, named: bool = True) -> str:
        """A forward value: its name, and its numbers or extents."""
        leaf = self.graph.producer(value).op_type in LEAVES
        name = self.names.get((value.node, value.output), "") if named and not leaf else ""
        return self._lines(html_text(name), self._numbers(value))

    def _gradient_label(self, value: Value) -> str:
        """A value of the backward graph: what it is the derivative of, and its numbers."""
        of = [
            output
            for output, gradient in self.rule.gradients.items()
            if gradient == value
            and output in self.names
            and self.graph[output[0]].op_type not in LEAVES
        ]
        return self._lines(self._derivative(of[0]) if of else "", self._numbers(value))

    def _numbers(self, value: Value) -> str:
        found = self.annotations.get((value.node, value.output))
        return found if found is not None else "\N{MULTIPLICATION SIGN}".join(map(str, value.shape))

    def _lines(self, name: str, numbers: str) -> str:
        return f"<{'<BR/>'.join(line for line in (name, html_text(numbers)) if line) or ' '}>"


def _names(graph: Graph) -> dict[Output, str]:
    """What values are called: best what their author calls them, else as outputs or layers."""
    own = {
        name: value
        for name, value in graph.labels.items()
        if name not in graph.layers or graph.layers[name].labelled
    }
    tables = (graph.labels, graph.outputs, own, graph.inputs, graph.parameters)
    return {(value.node, value.output): name for table in tables for name, value in table.items()}


def _ancestors(graph: Graph, values: Iterable[Value]) -> set[int]:
    """The nodes that some values need, their own among them."""
    found: set[int] = set()
    pending = [value.node for value in values]
    while pending:
        identifier = pending.pop()
        if identifier not in found:
            found.add(identifier)
            pending.extend(v.node for v in graph[identifier].inputs if v is not None)
    return found
