"""What a network computes in PyTorch, expression by expression."""

from dataclasses import dataclass, field

from ...ir.graph import Graph
from .code import Code, Ref, walk

Key = tuple[int, int]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One expression.

    Attributes:
        place: The path of the scope whose class computes it.
        expression: What it computes of its operands; what it uses is named by its path.
        inputs: Its operands.
        outputs: Its results.
        layer: The path of its layer.
        definition: The module that does the same; None where there is none.
        learned: Whether the module holds weights, or something else that has a name of its own.
        heavy: Whether a line holds no other like it.
        follows: Whether it may end a chain of layers that is a module.
    """

    place: Path
    expression: Code
    inputs: tuple[Key, ...]
    outputs: tuple[Key, ...]
    layer: str
    definition: Code | None = None
    learned: bool = False
    heavy: bool = False
    follows: bool = False

    @property
    def refs(self) -> list[str]:
        """The paths of the modules and tensors that it uses."""
        return [part.path for part in walk(self.expression) if isinstance(part, Ref)]


@dataclass(slots=True)
class Steps:
    """The steps of a network.

    Attributes:
        steps: In the order of the graph.
        modules: The constructions of modules, by path.
        tensors: The constructions of parameters and buffers that are in no module, by path.
        inputs, outputs: The network's, by name.
        frozen: Modules that training leaves alone, by path: whether they keep statistics.
    """

    graph: Graph
    steps: list[Step] = field(default_factory=list)
    modules: dict[str, Code] = field(default_factory=dict)
    tensors: dict[str, tuple[str, Code]] = field(default_factory=dict)
    inputs: dict[str, Key] = field(default_factory=dict)
    outputs: dict[str, Key] = field(default_factory=dict)
    frozen: dict[str, bool] = field(default_factory=dict)


def path_of(name: str) -> Path:
    """A dotted path as its parts."""
    return tuple(name.split(".")) if name else ()
