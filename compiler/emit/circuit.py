"""A chain rule -> its picture as parts and wires, before any of it has a place.

Where an operator of the backward graph reads a value of the forward graph, a wire of its own says
so. A loss is drawn as lectures write it: one box with its formula, and one on the way back with the
formula's derivative.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from ..ir.graph import CONSTANT, INPUT, LEAVES, Graph, Node, Output, Value
from ..ops.notation import is_filled
from .chain_rule import ChainRule, LossBox
from .rules import RuleBox, rule_boxes
from .symbols import symbol

LOSS_SYMBOL = "L"
TOTAL = "the sum of the numbers of all outputs, as there is no loss"  # what L is otherwise
AUTOMATIC = re.compile(r"output\d*")  # names of outputs that their author did not name

Role = Literal["input", "parameter", "forward", "backward", "value", "derivative"]
WireRole = Literal["forward", "kept", "backward"]


@dataclass(frozen=True, slots=True)
class Part:
    """What is drawn of a chain rule.

    Attributes:
        role: A leaf; an operator, a formula or a rule, forward or backward; the value that is
            differentiated; a leaf's derivative.
        text: What it says, with real minus signs.
        tip: Operator and layer; of a value that nothing in the program is called by, what it is.
        beneath: Of what runs back the forward part that it belongs to, where one is drawn.
        more: Further lines of text.
    """

    role: Role
    text: str
    tip: str = ""
    beneath: str | None = None
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wire:
    """A value's way from part to part, both by name.

    Attributes:
        role: A forward value, one that the backward graph reads, or a gradient.
        lines: What it says: the value's name, its numbers or extents; either may be missing.
        value: The value, so that wires of one can be distinguished from others.
    """

    source: str
    target: str
    role: WireRole
    lines: tuple[str, ...] = ()
    value: Output | None = None


@dataclass(frozen=True, slots=True)
class Circuit:
    """Parts by name, in order of appearance, and the wires between them."""

    parts: Mapping[str, Part]
    wires: Sequence[Wire]


def circuit_of(
    rule: ChainRule,
    losses: Sequence[LossBox] = (),
    annotations: Mapping[Output, str] | None = None,
) -> Circuit:
    """What to draw of a chain rule.

    Args:
        rule: The chain rule.
        losses: What is drawn as a formula.
        annotations: What is on the wires, such as numbers, by node and output; extents where it
            is None.
    """
    gatherer = _Gatherer(rule, losses, annotations or {})
    parts = gatherer.parts()
    return Circuit(parts, list(gatherer.wires()))


def forward_circuit(rule: ChainRule) -> Circuit:
    """The operators of a graph by ONNX's names, with all of its outputs."""
    gatherer, graph = _Gatherer(rule, (), {}), rule.graph
    gatherer.drawn = {
        identifier: graph[identifier]
        for identifier in sorted(_ancestors(graph, graph.outputs.values()))
        if gatherer.is_drawn(identifier)
    }
    parts = {name: _by_name(part) for name, part in gatherer.parts().items() if name != "value"}
    wires = [wire for wire in gatherer.wires() if wire.target != "value"]
    for position, (name, value) in enumerate(graph.outputs.items()):
        end = f"value{position}"
        parts[end] = Part("value", name)
        lines = (_extents(value),)
        if value.node in gatherer.drawn:
            output = value.node, value.output
            wires.append(Wire(f"n{value.node}", end, "forward", lines, output))
    return Circuit(parts, wires)


def _by_name(part: Part) -> Part:
    """An operator's part with its name above its symbol."""
    name = part.tip.partition(" ")[0].removeprefix("netc.")
    if part.role != "forward":
        return part
    more = () if part.text.lower() == name.lower() else (part.text,)
    return replace(part, text=name, more=more)


@dataclass(eq=False)
class _Gatherer:
    """Gathers what is drawn of a chain rule.

    Attributes:
        drawn: What has a box: for each box one of its nodes, which stands for all of them.
        homes: For each node its box; itself where no formula stands for it.
        formulas: The losses that boxes stand for.
        rules: The rules of operators that boxes on the way back stand for.
        names: What values are called.
    """

    rule: ChainRule
    losses: Sequence[LossBox]
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
            if self.is_drawn(identifier)
        }
        self.names = _names(self.graph, self._letters())
        self.differentiated: dict[Value, list[Output]] = defaultdict(list)
        for output, gradient in self.rule.gradients.items():
            self.differentiated[gradient].append(output)

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

    def is_drawn(self, identifier: int) -> bool:
        """Whether a node has a part.

        Numbers are in their operator's box; extents are computed out of sight.
        """
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

    def parts(self) -> dict[str, Part]:
        """Boxes, leaves and the ends of the picture, by name."""
        beneath = {
            self.homes[member]: f"n{self.homes[step.node]}"
            for step in self.rule.steps
            for member in step.appended
            if self.homes[step.node] in self.drawn
        }
        found = {
            f"n{identifier}": self._part(identifier, node, beneath.get(identifier))
            for identifier, node in self.drawn.items()
        }
        value = self.rule.value
        tip = "" if (value.node, value.output) in self.names else TOTAL
        found["value"] = Part("value", self._name(value), tip)
        for output in self._leaves():
            text = self._derivative(output)
            found[f"g{output[0]}"] = Part("derivative", text, beneath=f"n{output[0]}")
        return found

    def _part(self, identifier: int, node: Node, beneath: str | None) -> Part:
        if node.op_type in LEAVES:
            called = self.names[identifier, 0]
            name = node.attributes["name"] if called == "t" else called
            return Part("input" if node.op_type == INPUT else "parameter", name)
        forward = identifier < self.rule.forward
        formula = self.formulas.get(identifier)
        if identifier in self.rules:
            label, tip = self.rules[identifier].text, node.scope
        elif formula is None:
            label, tip = symbol(self.graph, node), f"{node.op_type} {node.scope}".strip()
        else:
            label, tip = formula.loss if forward else formula.gradient, formula.scope
            (loss, *_) = (n for n, found in self.formulas.items() if found is formula)
            beneath = f"n{loss}"
        text = label.replace("-", "\N{MINUS SIGN}")
        return Part("forward" if forward else "backward", text, tip, None if forward else beneath)

    def wires(self) -> Iterator[Wire]:
        """All ways of values."""
        for identifier in self.drawn:
            yield from self._into(identifier)
        yield from self._ends()

    def _into(self, identifier: int) -> Iterator[Wire]:
        back = identifier >= self.rule.forward
        taken: dict[int, list[Value]] = {}
        for value in self._reads(identifier):
            taken.setdefault(self.homes[self._origin(value).node], []).append(value)
        for source, values in taken.items():
            if source not in self.drawn:
                continue
            if back and source in self.formulas and len(values) > 1:
                # one for what a formula's operators yield in several summands, without a number
                numbers = "" if self.annotations else _extents(values[0])
                yield self._back(values[0], f"n{identifier}", f"n{source}", ("", numbers))
                continue
            yield from self._between(identifier, source, values)

    def _between(self, identifier: int, source: int, values: Sequence[Value]) -> Iterator[Wire]:
        ends = f"n{source}", f"n{identifier}"
        for value in values:
            output = value.node, value.output
            if identifier < self.rule.forward:
                yield Wire(*ends, "forward", self._label(value), output)
            elif source < self.rule.forward:
                yield Wire(*ends, "kept", value=output)
            else:
                yield self._back(value, ends[1], ends[0], self._gradient_label(value))

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

    def _back(self, value: Value, target: str, source: str, lines: tuple[str, ...]) -> Wire:
        origin = self._origin(value)
        return Wire(source, target, "backward", lines, (origin.node, origin.output))

    def _ends(self) -> Iterator[Wire]:
        """Where the picture ends: the value with its seed 1, and the leaves' gradients."""
        value = self.rule.value
        home, lines = self.homes[value.node], self._label(value, named=False)
        yield Wire(f"n{home}", "value", "forward", lines, (value.node, value.output))
        for identifier, k in self._leaves():
            gradient = self.rule.gradients[identifier, k]
            home = self.homes[self._origin(gradient).node]
            source = f"n{home}" if home in self.drawn else "value"
            lines = "", self._numbers(gradient)
            yield self._back(gradient, f"g{identifier}", source, lines)
        yield from self._seeds()

    def _seeds(self) -> Iterator[Wire]:
        """The operators of the backward graph that read the seed start at the value."""
        seed = self.rule.gradients.get((self.rule.value.node, self.rule.value.output))
        started = dict.fromkeys(
            (self.homes[identifier], value)
            for identifier, node in self.graph.nodes()
            if identifier >= self.rule.forward and self.homes[identifier] in self.drawn
            for value in node.inputs
            if value is not None and self._origin(value) == seed and node.op_type != "Identity"
        )
        for home, value in started:
            yield self._back(value, f"n{home}", "value", self._gradient_label(value))

    def _name(self, value: Value) -> str:
        return self.names.get((value.node, value.output), LOSS_SYMBOL)

    def _derivative(self, output: Output) -> str:
        above = self._name(self.rule.value)
        below = self.names.get(output, "")
        return f"\N{PARTIAL DIFFERENTIAL}{above}/\N{PARTIAL DIFFERENTIAL}{below}"

    def _label(self, value: Value, *, named: bool = True) -> tuple[str, str]:
        """A forward value: its name, and its numbers or extents."""
        name = self.names.get((value.node, value.output), "") if named else ""
        if self.graph.producer(value).op_type in LEAVES and name != "t":
            name = ""  # it stands where the arrow starts
        return name, self._numbers(value)

    def _gradient_label(self, value: Value) -> tuple[str, str]:
        """A value of the backward graph: what it is the derivative of, and its numbers."""
        return self._derived(value), self._numbers(value)

    def _derived(self, value: Value) -> str:
        """What a gradient is the derivative by; of one that was passed on, where it comes from."""
        for output in self.differentiated.get(value, ()):
            if output in self.names and self.graph[output[0]].op_type not in LEAVES:
                return self._derivative(output)
        node = self.graph.producer(value)
        if node.op_type == "Identity" and node.inputs[0] is not None:
            return self._derived(node.inputs[0])
        return ""

    def _numbers(self, value: Value) -> str:
        found = self.annotations.get((value.node, value.output))
        return found if found is not None else _extents(value)


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
    """What values are called: best what their author calls them, else as formulas or layers do.

    Of a name and a label it is the label, which other pictures show, too.
    """
    own = {name: value for name, value in graph.labels.items() if name not in graph.layers}
    labelled = {
        name: value
        for name, value in graph.labels.items()
        if name in graph.layers and graph.layers[name].labelled
    }
    leaves = {**graph.inputs, **graph.parameters}
    outputs = {
        name: value for name, value in graph.outputs.items() if not AUTOMATIC.fullmatch(name)
    }

    def inverted(*tables: Mapping[str, Value]) -> dict[Output, str]:
        return {(v.node, v.output): name for table in tables for name, v in table.items()}

    automatic = inverted(graph.labels, graph.outputs, leaves)
    return automatic | dict(letters) | inverted(outputs, own, labelled)


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
