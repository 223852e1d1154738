"""A graph and its backward graph -> Graphviz text: the chain rule as boxes and arrows.

Forward runs left to right; below it the gradients run back. Where an operator of the backward graph
reads a value of the forward graph, a dashed line says so. A loss is drawn as lectures write it: one
box with its formula, and one on the way back with the formula's derivative.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ...grammar.diagnostics import error
from ..ir.builder import Builder
from ..ir.graph import CONSTANT, INPUT, LEAVES, Graph, Node, Output, Value
from ..ops.notation import is_filled
from ..ops.opdef import Operands
from ..passes.append_backward import named_value, ones
from ..passes.gradient import NodeGradient, cut_between, gradients, no_gradient
from ..passes.rewrite import rewrite
from .dot import FONT, html_text, quoted
from .palette import THEMES, Theme
from .rules import RuleBox, rule_boxes
from .symbols import symbol

MOST_NODES = 400
LOSS_SYMBOL = "L"
AUTOMATIC = re.compile(r"output\d*")  # names of outputs that their author did not name


@dataclass(frozen=True, slots=True)
class LossBox:
    """A loss, or a penalty, that is drawn as its formula.

    Attributes:
        scope: The scope of its operators.
        loss: Its formula.
        gradient: The formula of its derivative.
        output: The output that it is about, which the formulas call y; None for a penalty.
        target: The input that holds the target, likewise.
        probabilities: The graph's output that the formulas call p; None where they have no p.
    """

    scope: str
    loss: str
    gradient: str
    output: str | None = None
    target: str | None = None
    probabilities: str | None = None


@dataclass(frozen=True, eq=False)
class ChainRule:
    """A graph with the gradients of one of its values.

    Attributes:
        graph: The forward graph, and after it the backward graph.
        forward: How many nodes the forward graph has.
        value: What is differentiated.
        gradients: For each value of the forward graph that it depends on, its gradient.
        steps: What the rule of each node appended.
    """

    graph: Graph
    forward: int
    value: Value
    gradients: Mapping[Output, Value]
    steps: Sequence[NodeGradient] = ()

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
        of: The output, or any value by its label; the sum of all outputs where it is None.

    Raises:
        NetError: E131, an operator on the way has no gradient; E101, `of` is not known.
    """
    target = rewrite(graph, {"Identity": _pass_on})
    build = Builder(target)
    value = _total(build, target.outputs) if of is None else named_value(target, of)
    forward = len(target)
    values = [
        Value(identifier, k, type)
        for identifier, node in target.nodes()
        if node.op_type != CONSTANT
        for k, type in enumerate(node.outputs)
        if type.dtype.is_float
    ]
    steps: list[NodeGradient] = []
    found = gradients(
        build, value, values, cotangent=ones(build, value), distinct=True, steps=steps
    )
    pairs = zip(values, found, strict=True)
    by_output = {(v.node, v.output): g for v, g in pairs if g is not None}
    _check_leaves(target, value, by_output)
    return ChainRule(target, forward, value, by_output, steps)


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


def to_chain_rule_dot(
    rule: ChainRule,
    *,
    losses: Sequence[LossBox] = (),
    theme: str = "light",
    direction: str = "LR",
    annotations: Mapping[Output, str] | None = None,
) -> str:
    """The picture in Graphviz's language.

    Args:
        rule: What to draw.
        losses: What is drawn as a formula.
        theme: `light` or `dark`.
        direction: Where the forward graph flows: `TB`, `LR`, `BT` or `RL`.
        annotations: What is on the edges, such as numbers, by node and output; extents
            where it is None.

    Raises:
        NetError: E511, the graph is too large for such a picture.
    """
    writer = _Writer(rule, losses, THEMES[theme], annotations or {})
    if len(writer.drawn) > MOST_NODES:
        raise error(
            "E511",
            f"a backward graph of {len(writer.drawn)} operators is too large to draw",
            help=f"draw a part of the network, of at most {MOST_NODES} operators",
        )
    return "\n".join([*writer.preamble(direction), *writer.body(), "}"]) + "\n"


@dataclass(eq=False)
class _Writer:
    """Writes a chain rule.

    Attributes:
        drawn: What has a box: for each box one of its nodes, which stands for all of them.
        homes: For each node its box; itself where no formula stands for it.
        formulas: The losses that boxes stand for.
        rules: The rules of operators that boxes on the way back stand for.
        names: What values are called.
    """

    rule: ChainRule
    losses: Sequence[LossBox]
    theme: Theme
    annotations: Mapping[Output, str]
    drawn: dict[int, Node] = field(default_factory=dict)
    homes: Mapping[int, int] = field(default_factory=dict)
    formulas: Mapping[int, LossBox] = field(default_factory=dict)
    rules: Mapping[int, RuleBox] = field(default_factory=dict)
    names: dict[Output, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.graph = self.rule.graph
        homes, self.formulas = _gathered(self.rule, self.losses)
        self.rules = rule_boxes(self.graph, self.rule.steps, {box.scope for box in self.losses})
        inside = {m: home for home, box in self.rules.items() for m in box.members}
        self.homes = homes | inside | {home: home for home in self.rules}
        ends = [self.rule.value, *self._leaf_gradients(), *self._probabilities()]
        self.drawn = {
            self.homes[identifier]: self.graph[self.homes[identifier]]
            for identifier in sorted(_ancestors(self.graph, ends))
            if self._is_drawn(identifier)
        }
        self.names = _names(self.graph, self._letters())

    def _probabilities(self) -> Iterator[Value]:
        for box in self.losses:
            if box.probabilities is not None:
                yield self.graph.outputs[box.probabilities]

    def _letters(self) -> dict[Output, str]:
        """What the formulas call outputs, targets and probabilities."""
        outputs = (self.graph.outputs[box.output] for box in self.losses if box.output)
        targets = self._targets()
        letters = {"y": outputs, "t": targets, "p": self._probabilities()}
        return {(v.node, v.output): c for c, values in letters.items() for v in values}

    def _targets(self) -> Iterator[Value]:
        return (self.graph.inputs[box.target] for box in self.losses if box.target)

    def _leaf_gradients(self) -> Iterator[Value]:
        return (self.rule.gradients[leaf] for leaf in self._leaves())

    def _leaves(self) -> Iterator[Output]:
        """The inputs and weights whose gradients the picture ends in."""
        targets = {target.node for target in self._targets()}
        for identifier, output in self.rule.gradients:
            node = self.graph[identifier]
            learned = node.op_type in LEAVES and node.attributes.get("trainable", True)
            if learned and identifier not in targets:
                yield identifier, output

    def _is_drawn(self, identifier: int) -> bool:
        """Numbers are in their operator's box; extents are computed out of sight."""
        node = self.graph[identifier]
        if identifier >= self.rule.forward and node.op_type in ("Expand", "Identity"):
            return not self._is_seed(node) and node.op_type != "Identity"
        if node.op_type == "Expand" and is_filled(self.graph, node.inputs[0]):
            return False
        return node.op_type not in (CONSTANT, "Shape")

    def _is_seed(self, node: Node) -> bool:
        source = node.inputs[0]
        return source is not None and self.graph.producer(source).op_type == CONSTANT

    def _origin(self, value: Value) -> Value:
        """Where a gradient comes from that operators passed on as it was."""
        while value.node >= self.rule.forward:
            node = self.graph.producer(value)
            if node.op_type != "Identity" or node.inputs[0] is None:
                break
            value = node.inputs[0]
        return value

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
        for identifier in self.drawn:
            yield from self._edges(identifier)
        yield from self._ends()

    def _box(self, identifier: int, node: Node) -> str:
        theme = self.theme
        if node.op_type in LEAVES:
            called = self.names[identifier, 0]
            name = f"<B>{html_text(node.attributes['name'] if called == 't' else called)}</B>"
            colour = theme.families["source" if node.op_type == INPUT else "dense"]
            looks = f'shape=ellipse, style=filled, fillcolor="{colour}"'
            return f"  n{identifier} [label=<{name}>, {looks}]"
        forward = identifier < self.rule.forward
        family = "convolution" if forward else "attention"
        formula = self.formulas.get(identifier)
        if identifier in self.rules:
            label, tip = self.rules[identifier].text, node.scope
        elif formula is None:
            label, tip = symbol(self.graph, node), f"{node.op_type} {node.scope}".strip()
        else:
            label, tip = formula.loss if forward else formula.gradient, formula.scope
        label = label.replace("-", "\N{MINUS SIGN}")
        return (
            f'  n{identifier} [label=<{html_text(label)}>, fillcolor="{theme.families[family]}", '
            f"tooltip={quoted(tip)}]"
        )

    def _edges(self, identifier: int) -> Iterator[str]:
        back = identifier >= self.rule.forward
        taken: dict[int, list[Value]] = {}
        for value in self._reads(identifier):
            taken.setdefault(self.homes[self._origin(value).node], []).append(value)
        for source, values in taken.items():
            if source not in self.drawn:
                continue
            if back and source in self.formulas and len(values) > 1:
                yield self._summed(values, f"n{identifier}", f"n{source}")
                continue
            yield from self._arrows(identifier, source, values)

    def _summed(self, values: Sequence[Value], target: str, source: str) -> str:
        """One arrow for what a formula's operators yield in several summands, without a number."""
        numbers = "" if self.annotations else _extents(values[0])
        return self._arrow_back(target, source, self._lines("", numbers))

    def _arrows(self, identifier: int, source: int, values: Sequence[Value]) -> Iterator[str]:
        for value in values:
            if identifier < self.rule.forward:
                yield f"  n{source} -> n{identifier} [label={self._label(value)}, weight=3]"
            elif source < self.rule.forward:
                looks = f'style=dashed, constraint=false, color="{self.theme.cluster}"'
                yield f"  n{source} -> n{identifier} [{looks}]"
            else:
                yield self._backward(value, f"n{identifier}", f"n{source}")

    def _reads(self, identifier: int) -> list[Value]:
        """What a box takes, each once; a formula's derivative takes what the formula does."""
        if identifier in self.rules:
            return [v for v in self.rules[identifier].reads if v.node in self.homes]
        formula = self.formulas.get(identifier)
        members = [identifier]
        if formula is not None:
            members = [node for node, home in self.homes.items() if home == identifier]
        taken = dict.fromkeys(
            value
            for member in members
            for value in self.graph[member].inputs
            if value is not None and self.homes[value.node] != identifier
        )
        if formula is None:
            return list(taken)
        if identifier < self.rule.forward:
            return list(dict.fromkeys(self._as_written(value, formula) for value in taken))
        (loss,) = (
            node
            for node, found in self.formulas.items()
            if found is formula and node < self.rule.forward
        )
        return [*self._reads(loss), *(v for v in taken if v.node >= self.rule.forward)]

    def _as_written(self, value: Value, formula: LossBox) -> Value:
        """The value that a formula shows where its operators take another: p for logits."""
        if formula.probabilities is None or value.node not in self.drawn:
            return value
        if value in self._targets():
            return value
        return self.graph.outputs[formula.probabilities]

    def _backward(self, value: Value, target: str, source: str) -> str:
        return self._arrow_back(target, source, self._gradient_label(value))

    def _arrow_back(self, target: str, source: str, label: str) -> str:
        """An arrow against the ranks, so that gradients run back."""
        looks = f'dir=back, color="{self.theme.skip}", fontcolor="{self.theme.skip}"'
        return f"  {target} -> {source} [label={label}, {looks}]"

    def _ends(self) -> Iterator[str]:
        """Where the picture ends: the value with its seed 1, and the leaves' gradients."""
        value, theme = self.rule.value, self.theme
        plain = f'shape=plaintext, style="", fontcolor="{theme.skip}"'
        yield f'  value [label=<<B>{self._name(value)}</B>>, shape=plaintext, style=""]'
        yield f"  n{self.homes[value.node]} -> value [label={self._label(value, named=False)}]"
        for identifier, k in self._leaves():
            gradient = self.rule.gradients[identifier, k]
            end = f"g{identifier}"
            yield f"  {end} [label=<{self._derivative((identifier, k))}>, {plain}]"
            yield f"  {{ rank=same; n{identifier}; {end} }}"
            home = self.homes[self._origin(gradient).node]
            source = f"n{home}" if home in self.drawn else "value"
            yield self._arrow_back(end, source, self._lines("", self._numbers(gradient)))
        yield from self._seeds()

    def _seeds(self) -> Iterator[str]:
        """The operators of the backward graph that read the seed start at the value."""
        seed = self.rule.gradients[self.rule.value.node, self.rule.value.output]
        started = dict.fromkeys(
            (self.homes[identifier], value)
            for identifier, node in self.graph.nodes()
            if identifier >= self.rule.forward and self.homes[identifier] in self.drawn
            for value in node.inputs
            if value is not None and self._origin(value) == seed and node.op_type != "Identity"
        )
        for home, value in started:
            yield self._backward(value, f"n{home}", "value")

    def _name(self, value: Value) -> str:
        return html_text(self.names.get((value.node, value.output), LOSS_SYMBOL))

    def _derivative(self, output: Output) -> str:
        above = self._name(self.rule.value)
        below = html_text(self.names.get(output, ""))
        return f"\N{PARTIAL DIFFERENTIAL}{above}/\N{PARTIAL DIFFERENTIAL}{below}"

    def _label(self, value: Value, *, named: bool = True) -> str:
        """A forward value: its name, and its numbers or extents."""
        name = self.names.get((value.node, value.output), "") if named else ""
        if self.graph.producer(value).op_type in LEAVES and name != "t":
            name = ""  # it stands where the arrow starts
        return self._lines(html_text(name), self._numbers(value))

    def _gradient_label(self, value: Value) -> str:
        """A value of the backward graph: what it is the derivative of, and its numbers."""
        return self._lines(self._derived(value), self._numbers(value))

    def _derived(self, value: Value) -> str:
        """What a gradient is the derivative by; of one that was passed on, where it comes from."""
        for output, gradient in self.rule.gradients.items():
            if gradient != value or output not in self.names:
                continue
            if self.graph[output[0]].op_type not in LEAVES:
                return self._derivative(output)
        node = self.graph.producer(value)
        if node.op_type == "Identity" and node.inputs[0] is not None:
            return self._derived(node.inputs[0])
        return ""

    def _numbers(self, value: Value) -> str:
        found = self.annotations.get((value.node, value.output))
        return found if found is not None else _extents(value)

    def _lines(self, name: str, numbers: str) -> str:
        return f"<{'<BR/>'.join(line for line in (name, html_text(numbers)) if line) or ' '}>"


def _extents(value: Value) -> str:
    return "\N{MULTIPLICATION SIGN}".join(map(str, value.shape))


def _gathered(
    rule: ChainRule, losses: Sequence[LossBox]
) -> tuple[dict[int, int], dict[int, LossBox]]:
    """For each node the node that stands for it in the picture, and what formulas stand there.

    The operators of a loss make one box; so do those of its way back, the additions of what they
    alone yield included.
    """
    boxes = {box.scope: box for box in losses}
    homes: dict[int, int] = {}
    found: dict[int, LossBox] = {}
    firsts: dict[tuple[str, bool], int] = {}
    for identifier, node in rule.graph.nodes():
        back, scope = identifier >= rule.forward, node.scope
        if node.op_type in ("Add", "Sum") and back:
            sources = {homes[value.node] for value in node.inputs if value is not None}
            if len(sources) == 1 and next(iter(sources)) in found:
                homes[identifier] = sources.pop()
                continue
        homes[identifier] = identifier
        if scope in boxes and node.op_type not in (*LEAVES, CONSTANT, "Shape"):
            homes[identifier] = firsts.setdefault((scope, back), identifier)
            found[homes[identifier]] = boxes[scope]
    return homes, found


def _names(graph: Graph, letters: Mapping[Output, str]) -> dict[Output, str]:
    """What values are called: best what their author calls them, else as formulas or layers do."""
    own = {
        name: value
        for name, value in graph.labels.items()
        if name not in graph.layers or graph.layers[name].labelled
    }
    leaves = {**graph.inputs, **graph.parameters}
    outputs = {
        name: value for name, value in graph.outputs.items() if not AUTOMATIC.fullmatch(name)
    }

    def inverted(*tables: Mapping[str, Value]) -> dict[Output, str]:
        return {(v.node, v.output): name for table in tables for name, v in table.items()}

    automatic = inverted(graph.labels, graph.outputs, leaves)
    return automatic | dict(letters) | inverted(outputs, own)


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
