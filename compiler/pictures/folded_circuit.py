"""Chain rule -> circuits of fewer parts: a box for what a layer, or a block of layers, computes."""

from collections.abc import Iterator, Mapping, Sequence

from ..analysis.counts import count
from ..emit.chain_rule import ChainRule, LossBox
from ..emit.circuit import Circuit, Part, Wire
from ..emit.clusters import Cluster
from ..emit.collapse import Drawing, collapse
from ..emit.layer_view import OUTPUT, Box, layer_view
from ..ir.graph import CONSTANT, INPUT, LEAVES, Graph
from ..training.objective import LOSS, TARGET
from .detail import compact, folded, unframed

NABLA = "\N{NABLA}"
MORE = " \N{HORIZONTAL ELLIPSIS}"  # ends the path of a frame that stands for several


def folded_circuits(
    rule: ChainRule, losses: Sequence[LossBox], graph: Graph, value: str, depth: int | None = None
) -> Iterator[Circuit]:
    """A chain rule by its layers, and then by ever larger blocks of them.

    Repeated blocks are one box always.

    Args:
        rule: The chain rule.
        losses: What is drawn as a formula.
        graph: The forward graph, with its layers.
        value: What is differentiated.
        depth: Scopes of so many parts are one box each; in circuits of several depths otherwise.
    """
    drawing = unframed(compact(collapse(layer_view(graph, count(graph)))))
    deepest = _depth(drawing.root)
    for level in [depth] if depth is not None else range(deepest + 1, 0, -1):
        shown = folded(drawing, level, repeats=True)
        yield _Folder(rule, losses, shown, graph, value).circuit()


def _depth(cluster: Cluster) -> int:
    inner = [_depth(child) for child in cluster.children if isinstance(child, Cluster)]
    return max([cluster.scope.count(".") + 1 if cluster.scope else 0, *inner])


class _Folder:
    """Makes a circuit of a drawing's boxes; gradients flow against its edges."""

    def __init__(
        self,
        rule: ChainRule,
        losses: Sequence[LossBox],
        drawing: Drawing,
        graph: Graph,
        value: str,
    ) -> None:
        self.rule, self.drawing, self.graph, self.value = rule, drawing, graph, value
        self.formulas = {loss.scope: loss for loss in losses}
        if len(losses) == 1:
            self.formulas[LOSS] = losses[0]
        self.boxes = {b: drawing.boxes[b] for b in drawing.root.boxes()}
        # inputs first: a target is in the scope of its loss
        order = sorted(self.boxes, key=lambda p: self.boxes[p].kind != INPUT)
        self.places = {self.boxes[p].path.removesuffix(MORE): p for p in order}
        nodes = rule.graph.nodes()
        self.differentiated = {
            self._place(node.scope) for identifier, node in nodes if identifier >= rule.forward
        }
        nodes = rule.graph.nodes()
        self.computing = {self._place(n.scope) for _, n in nodes if n.op_type not in LEAVES}

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
            parts[f"n{p}"] = self._forward(box)
            if self._is_input(box):
                if self._wanted(box):
                    name = f"\N{PARTIAL DIFFERENTIAL}{box.path}"
                    text = f"\N{PARTIAL DIFFERENTIAL}{self.value}/{name}"
                    parts[f"g{p}"] = Part("derivative", text, beneath=f"n{p}")
            elif p in self.differentiated or self._is_passed(p):
                parts[f"g{p}"] = self._backward(box, f"n{p}")
        parts["value"] = Part("value", self.value)
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

    def _forward(self, box: Box) -> Part:
        if self._is_input(box):
            return Part("input", TARGET if box.kind == INPUT else box.path)
        formula = self.formulas.get(box.path)
        if formula is not None:
            return Part("forward", formula.loss.replace("-", "\N{MINUS SIGN}"), box.path)
        if not box.kind:
            layers = f"{box.layers:,} layers"
            return Part("forward", box.path or layers, box.path, more=(*box.details, layers))
        joined = " \N{MIDDLE DOT} ".join([box.kind, *box.joined])
        told = ", ".join(box.details[:2])
        return Part(
            "forward", box.path, f"{box.kind} {box.path}", more=(joined, *filter(None, [told]))
        )

    def _backward(self, box: Box, beneath: str) -> Part:
        formula = self.formulas.get(box.path)
        if formula is not None:
            text = formula.gradient.replace("-", "\N{MINUS SIGN}")
            return Part("backward", text, box.path, beneath)
        more = (f"of {box.params:,} weights",) if box.params else ()
        return Part("backward", f"{NABLA} {box.path}", box.path, beneath, more)

    def _kept(self) -> Iterator[Wire]:
        """What gradients read of the forward pass, from other boxes than their own."""
        graph, found = self.rule.graph, dict[tuple[int, int], None]()
        for identifier, node in graph.nodes():
            place = self._place(node.scope) if identifier >= self.rule.forward else None
            if place is None:
                continue
            for value in node.inputs:
                if value is None or value.node >= self.rule.forward:
                    continue
                source = self._place(graph.producer(value).scope)
                if source is None or graph.producer(value).op_type == CONSTANT:
                    continue
                if source != place or self.boxes[place].kind:
                    found[source, place] = None
        for source, place in found:
            yield Wire(f"n{source}", f"g{place}", "kept", value=(source, 0))
