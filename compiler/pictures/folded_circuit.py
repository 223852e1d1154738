"""Chain rule -> circuits of fewer parts: a box for what a layer, or a block of layers, computes."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from ..analysis.counts import count
from ..emit.chain_rule import ChainRule, LossBox
from ..emit.circuit import Circuit, Part, Wire
from ..emit.collapse import Drawing, collapse
from ..emit.layer_view import MEASURE, OUTPUT, Box, layer_view
from ..ir.graph import CONSTANT, INPUT, LEAVES, PARAMETER, Graph, Node, Value
from ..ops.opdef import Moves, definition
from ..training.objective import LOSS, TARGET
from .detail import compact, folded, unframed

NABLA = "\N{NABLA}"
MORE = " \N{HORIZONTAL ELLIPSIS}"  # ends the path of a frame that stands for several
DOT = " \N{MIDDLE DOT} "
TIMES = "\N{MULTIPLICATION SIGN}"
MOST_LENDERS = 2  # that are named


def folded_circuits(
    rule: ChainRule, losses: Sequence[LossBox], graph: Graph, value: Part, depth: int | None = None
) -> Iterator[Circuit]:
    """A chain rule by its layers, and then by ever larger blocks of them.

    Repeated blocks are one box always.

    Args:
        rule: The chain rule.
        losses: What is drawn as a formula.
        graph: The forward graph, with its layers.
        value: What is differentiated, as a part.
        depth: Scopes whose paths have this many parts are one box each.
    """
    layers = layer_view(graph, count(graph))
    drawing = unframed(compact(collapse(layers)))
    for level in [depth] if depth is not None else range(drawing.root.depth + 1, 0, -1):
        shown = folded(drawing, level, repeats=True)
        yield _Folder(rule, losses, layers.boxes, shown, graph, value).circuit()


class _Folder:
    """Makes a circuit of a drawing's boxes; gradients flow against its edges."""

    def __init__(
        self,
        rule: ChainRule,
        losses: Sequence[LossBox],
        layers: Sequence[Box],
        drawing: Drawing,
        graph: Graph,
        value: Part,
    ) -> None:
        self.rule, self.drawing, self.graph, self.value = rule, drawing, graph, value
        self.formulas = {loss.scope: loss for loss in losses}
        if len(losses) == 1:
            self.formulas[LOSS] = losses[0]
        self.boxes = {b: drawing.boxes[b] for b in drawing.root.boxes()}
        self.members = self._members(layers)
        # inputs first: a target is in the scope of its loss
        order = sorted(self.boxes, key=lambda p: self.boxes[p].kind != INPUT)
        self.places = {self.boxes[p].path.removesuffix(MORE): p for p in order}
        self.places |= {box.path: p for p, held in self.members.items() for box in held}
        self.lent = {self._place(box.lender) for box in layers if box.lender}
        nodes = rule.graph.nodes()
        self.differentiated = {
            self._place(node.scope) for identifier, node in nodes if identifier >= rule.forward
        }
        nodes = rule.graph.nodes()
        self.computing = {self._place(n.scope) for _, n in nodes if n.op_type not in LEAVES}

    def _members(self, layers: Sequence[Box]) -> Mapping[int, Sequence[Box]]:
        """The layers that each box stands for, in order."""
        found: dict[int, list[Box]] = defaultdict(list)
        for position, box in enumerate(layers):
            if box.kind != OUTPUT:
                found[self.drawing.homes.get(position, position)].append(box)
        return found

    def circuit(self) -> Circuit:
        """Parts and wires."""
        shown = {p: b for p, b in self.boxes.items() if b.kind != OUTPUT}
        ends = self._ends(shown)
        needed = self._before(ends)
        self.learning = {p for p in self.differentiated if p in needed}
        parts: dict[str, Part] = {}
        wires: list[Wire] = []
        for p, box in shown.items():
            if p not in needed:
                continue
            parts[f"n{p}"] = self._forward(p)
            if self._is_input(box):
                if self._wanted(box):
                    name = f"\N{PARTIAL DIFFERENTIAL}{box.path}"
                    text = f"\N{PARTIAL DIFFERENTIAL}{self.value.text}/{name}"
                    parts[f"g{p}"] = Part("derivative", text, beneath=f"n{p}")
            elif p in self.differentiated or self._is_passed(p):
                parts[f"g{p}"] = self._backward(p)
        parts["value"] = self.value
        for p in ends:
            wires.append(Wire(f"n{p}", "value", "forward", (shown[p].output,), (p, 0)))
            if f"g{p}" in parts:
                wires.append(Wire("value", f"g{p}", "backward", value=(-1, 0)))
        for edge in self.drawing.edges:
            source, target = f"n{edge.source}", f"n{edge.target}"
            if source not in parts or target not in parts:
                continue
            label = (shown[edge.source].output,)
            wires.append(Wire(source, target, "forward", label, (edge.source, 0)))
            back = f"g{edge.target}", f"g{edge.source}"
            if back[0] in parts and back[1] in parts:
                wires.append(Wire(*back, "backward", value=(edge.target, 0)))
        wires += (w for w in self._kept() if w.source in parts and w.target in parts)
        return Circuit(parts, wires)

    def _ends(self, shown: Mapping[int, Box]) -> list[int]:
        """The boxes that yield what is differentiated."""
        own = self._place(self.rule.graph.producer(self.rule.value).scope)
        if own in shown and own is not None and self.rule.gradients:
            return [own]
        outputs = [p for p, box in self.boxes.items() if box.kind == OUTPUT]
        found = (e.source for e in self.drawing.edges if e.target in outputs)
        return list(dict.fromkeys(found))

    def _before(self, ends: Sequence[int]) -> set[int]:
        found, pending = set(ends), list(ends)
        while pending:
            position = pending.pop()
            for edge in self.drawing.edges:
                if edge.target == position and edge.source not in found:
                    found.add(edge.source)
                    pending.append(edge.source)
        return found

    def _place(self, scope: str) -> int | None:
        """The box that stands for a scope; None where a box draws it with others."""
        while scope:
            if scope in self.places:
                return self.places[scope]
            scope = scope.rpartition(".")[0]
        return None

    def _is_input(self, box: Box) -> bool:
        layer = self.graph.layers.get(box.path)
        return box.kind == "INPUT" or (layer is None and box.kind == INPUT)

    def _wanted(self, box: Box) -> bool:
        names = {box.path} if box.path in self.graph.inputs else set()
        layer = self.graph.layers.get(box.path)
        nodes = {v.node for v in layer.outputs} if layer else set()
        inputs = (n for n, v in self.graph.inputs.items() if v.node in nodes)
        names.update(inputs)
        values = (self.rule.graph.inputs[name] for name in names if name in self.rule.graph.inputs)
        return any((v.node, v.output) in self.rule.gradients for v in values)

    def _is_passed(self, position: int) -> bool:
        """Whether gradients pass a box as they are, as where dropout does nothing."""
        return position not in self.computing and bool(self._before([position]) & self.learning)

    def _title(self, position: int) -> str:
        """A box's name; of a fold without one, its first and its last layer."""
        box, held = self.boxes[position], self.members[position]
        if box.path or not held:
            return box.path
        ends = held[0].path, held[-1].path.rpartition(".")[2]
        return f" {MORE.strip()} ".join(dict.fromkeys(ends))

    def _turns(self, position: int) -> int:
        """How often what a box says of itself is repeated."""
        return max(len(self.members[position]) // self.boxes[position].layers, 1)

    def _lenders(self, position: int) -> str:
        """The other boxes whose weights a box uses, too."""
        places = (self._place(box.lender) for box in self.members[position] if box.lender)
        names = [self._title(p) for p in dict.fromkeys(places) if p is not None and p != position]
        more = [MORE.strip()] if len(names) > MOST_LENDERS else []
        return ", ".join([*names[:MOST_LENDERS], *more])

    def _forward(self, position: int) -> Part:
        box, title = self.boxes[position], self._title(position)
        if self._is_input(box):
            return Part("input", TARGET if box.kind == INPUT else box.path)
        formula = self.formulas.get(box.path)
        if formula is not None:
            return Part("forward", formula.loss.replace("-", "\N{MINUS SIGN}"), box.path)
        lenders = self._lenders(position)
        shared = [f"weights of {lenders}"] if lenders else []
        if not box.kind:
            return Part("forward", title, title, more=(*self._held_by(position), *shared))
        joined = DOT.join([box.kind, *box.joined])
        arguments = ", ".join(box.details[:2])
        more = (joined, *filter(None, [arguments]), *shared)
        return Part("forward", title, f"{box.kind} {title}", more=more)

    def _held_by(self, position: int) -> Iterator[str]:
        """What a fold holds; of one that is repeated, what a turn does, and how many there are."""
        box = self.boxes[position]
        layers = f"{box.layers:,} layers"
        first, *others = box.details or (layers,)
        each = " each" if first == layers and self._turns(position) > 1 else ""
        yield DOT.join([first + each, *box.joined])
        yield from filter(None, [", ".join(o for o in others if not o.startswith(TIMES))])
        yield from (other for other in others if other.startswith(TIMES))

    def _backward(self, position: int) -> Part:
        box, beneath = self.boxes[position], f"n{position}"
        formula = self.formulas.get(box.path)
        if formula is not None:
            text = formula.gradient.replace("-", "\N{MINUS SIGN}")
            return Part("backward", text, box.path, beneath)
        title, lenders = self._title(position), self._lenders(position)
        turns = self._turns(position)
        number = f"{turns:,} {TIMES} {box.params // turns:,}" if turns > 1 else f"{box.params:,}"
        shared = "shared " if position in self.lent else ""
        more = [f"of {number} {shared}weights"] if box.params else []
        more += [f"of the weights of {lenders}"] if lenders else []
        return Part("backward", f"{NABLA} {title}", title, beneath, tuple(more))

    def _kept(self) -> Iterator[Wire]:
        """What gradients read of the forward pass, from the boxes that hold it.

        A loss's derivative takes what the loss does, and weights are in the box of their layer.
        """
        graph = self.rule.graph
        losses = {p for p, box in self.boxes.items() if box.path in self.formulas}
        ends = ((edge.source, edge.target) for edge in self.drawing.edges)
        found = dict.fromkeys((source, target) for source, target in ends if target in losses)
        for identifier, node in graph.nodes():
            place = self._place(node.scope) if identifier >= self.rule.forward else None
            if place is None or node.op_type == MEASURE:
                continue
            for value in node.inputs:
                if value is None or value.node >= self.rule.forward:
                    continue
                source = self._holder(value, place)
                if source is not None and place not in losses:
                    found[source, place] = None
        for source, place in found:
            yield Wire(f"n{source}", f"g{place}", "kept", value=(source, 0))

    def _holder(self, value: Value, reader: int) -> int | None:
        """The box that holds a value; a box that takes it in another shape only does not.

        None for what is no value of the pass: weights, numbers and extents.
        """
        node = self.rule.graph.producer(value)
        while self._place(node.scope) == reader and _is_moved(node) and node.inputs[0] is not None:
            value = node.inputs[0]
            node = self.rule.graph.producer(value)
        layer = self.rule.graph.layers.get(node.scope)
        yielded = layer is not None and value in layer.outputs
        if node.op_type in (CONSTANT, MEASURE) or (node.op_type == PARAMETER and not yielded):
            return None
        return self._place(node.scope)


def _is_moved(node: Node) -> bool:
    """Whether an operator yields its argument in another shape or order."""
    row = definition(node)
    return row is not None and row.moves is Moves.ALL
