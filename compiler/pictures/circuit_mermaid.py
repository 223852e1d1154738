"""Circuit -> Mermaid: forward and backward graph as a flowchart for Markdown."""

from collections.abc import Iterator, Mapping

from ..emit.circuit import Circuit, Part, Role, Wire
from ..emit.palette import LIGHT, Theme, ink
from .backward import FAMILIES
from .mermaid import escaped

# What is around a part's text.
SHAPES: Mapping[Role, tuple[str, str]] = {
    "input": ("([", "])"),
    "parameter": ("([", "])"),
    "forward": ("[", "]"),
    "backward": ("[", "]"),
    "value": ("((", "))"),
    "derivative": ("[/", "/]"),
}
ARROWS = {"forward": "-->", "backward": "==>", "kept": "-.->"}


def circuit_mermaid(
    circuit: Circuit, *, name: str, theme: Theme = LIGHT, direction: str = "LR"
) -> str:
    """The picture in Mermaid's language.

    Args:
        circuit: What to draw.
        name: The network's name.
        theme: Its colours.
        direction: Where the forward graph flows: `TB`, `LR`, `BT` or `RL`.
    """
    parts = (f"  {_box(key, part)}" for key, part in circuit.parts.items())
    wires = (f"  {_wire(wire)}" for wire in circuit.wires)
    lines = [
        f"%% {escaped(name)}",
        f"flowchart {direction}",
        *parts,
        *wires,
        *_colours(circuit, theme),
    ]
    return "\n".join(lines) + "\n"


def _box(key: str, part: Part) -> str:
    start, end = SHAPES[part.role]
    text = "<br>".join(escaped(line) for line in (part.text, *part.more))
    return f'{key}{start}"{text or " "}"{end}'


def _wire(wire: Wire) -> str:
    text = "<br>".join(escaped(line) for line in wire.lines if line)
    label = f'|"{text}"|' if text else ""
    return f"{wire.source} {ARROWS[wire.role]}{label} {wire.target}"


def _colours(circuit: Circuit, theme: Theme) -> Iterator[str]:
    """A class for each role that has a colour."""
    for role, group in FAMILIES.items():
        members = [key for key, part in circuit.parts.items() if part.role == role]
        if members:
            back = theme.families[group]
            looks = f"fill:{back},stroke:{theme.border},color:{ink(theme, back)[0]}"
            yield f"  classDef {role} {looks}"
            yield f"  class {','.join(members)} {role}"
