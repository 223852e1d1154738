"""Circuit -> Graphviz text: forward from left to right, and the gradients back below it."""

from collections.abc import Iterator

from .circuit import Circuit, Part, Wire
from .dot import FONT, html_text, quoted
from .palette import LIGHT, Theme


def circuit_dot(circuit: Circuit, *, name: str, theme: Theme = LIGHT, direction: str = "LR") -> str:
    """The picture in Graphviz's language.

    Args:
        circuit: What to draw.
        name: The network's name.
        theme: Its colours.
        direction: Where the forward graph flows: `TB`, `LR`, `BT` or `RL`.
    """
    writer = _Writer(circuit, theme)
    return "\n".join([*writer.preamble(name, direction), *writer.body(), "}"]) + "\n"


class _Writer:
    def __init__(self, circuit: Circuit, theme: Theme) -> None:
        self.circuit, self.theme = circuit, theme

    def preamble(self, name: str, direction: str) -> Iterator[str]:
        theme = self.theme
        yield f"digraph {quoted(name)} {{"
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
        for name, part in self.circuit.parts.items():
            yield f"  {name} [{self._looks(part)}]"
            if part.role == "derivative":
                yield f"  {{ rank=same; {part.beneath}; {name} }}"
        for wire in self.circuit.wires:
            yield f"  {self._wire(wire)}"

    def _looks(self, part: Part) -> str:
        families, text = self.theme.families, html_text(part.text)
        plain = 'shape=plaintext, style=""'
        if part.role == "value":
            return f"label=<<B>{text}</B>>, {plain}"
        if part.role == "derivative":
            return f'label=<{text}>, {plain}, fontcolor="{self.theme.skip}"'
        if part.role in ("input", "parameter"):
            colour = families["source" if part.role == "input" else "dense"]
            return f'label=<<B>{text}</B>>, shape=ellipse, style=filled, fillcolor="{colour}"'
        colour = families["convolution" if part.role == "forward" else "attention"]
        return f'label=<{text}>, fillcolor="{colour}", tooltip={quoted(part.tip)}'

    def _wire(self, wire: Wire) -> str:
        label = f"label=<{'<BR/>'.join(html_text(line) for line in wire.lines if line) or ' '}>"
        if wire.role == "forward":
            heavy = "" if wire.target == "value" else ", weight=3"
            return f"{wire.source} -> {wire.target} [{label}{heavy}]"
        if wire.role == "kept":
            looks = f'style=dashed, constraint=false, color="{self.theme.cluster}"'
            return f"{wire.source} -> {wire.target} [{looks}]"
        # against the ranks, so that gradients run back
        looks = f'dir=back, color="{self.theme.skip}", fontcolor="{self.theme.skip}"'
        return f"{wire.target} -> {wire.source} [{label}, {looks}]"
