"""Weights of one network for another: what matches by name, and what training leaves alone."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from ...compiler.ir.builder import Builder
from ...compiler.ir.graph import PARAMETER, Graph, Node, Value
from ...compiler.ir.types import TensorType
from ...compiler.ops.opdef import Operands
from ...compiler.passes.rewrite import rewrite
from ...grammar.diagnostics import did_you_mean, error
from ..kerneldef import Array
from .files import mismatches
from .foreign_names import is_counter, new_name
from .initialize import InitialState, initialize
from .state import LazyState, State, type_of

Rename = Mapping[str, str] | Callable[[str], str | None]
SHOWN_NAMES = 10  # names of a kind in the report's text


@dataclass(frozen=True, slots=True)
class Matching:
    """What of some weights a network can take.

    Attributes:
        matched: For each parameter or buffer that is there and fits, its name in the weights.
        missing: Parameters and buffers that the weights do not have.
        unexpected: Weights that the network has no place for.
        unfit: Parameters whose weight is of another shape or type: (wanted, given).
        state: The weights that were given.
    """

    matched: Mapping[str, str]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    unfit: Mapping[str, tuple[TensorType, TensorType]]
    state: State = field(repr=False)

    def __repr__(self) -> str:
        found = {
            "matched": self.matched,
            "missing": self.missing,
            "unfit": self.unfit,
            "unexpected": self.unexpected,
        }
        return f"<Matching: {', '.join(f'{len(each)} {kind}' for kind, each in found.items())}>"

    @property
    def complete(self) -> bool:
        """Whether every parameter and buffer is there, and nothing else."""
        return not (self.missing or self.unexpected or self.unfit)

    def lines(self) -> list[str]:
        """The report as text, a line for each kind of finding."""
        unfit = [f"{name} (is {given}, not {want})" for name, (want, given) in self.unfit.items()]
        rows = (
            ("matched", list(self.matched)),
            ("missing, initialized", list(self.missing)),
            ("unfit, initialized", unfit),
            ("unexpected, left out", list(self.unexpected)),
        )
        return [f"{len(names)} {kind}: {_shown(names)}" for kind, names in rows if names]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def merged(self, graph: Graph, seed: int = 0) -> "Merged":
        """What matched, and first values of the rest, drawn with a seed as `initialize` does."""
        return Merged(self, initialize(graph, seed))


class Merged(LazyState):
    """Weights that match, and first values of the others; each is read when it is asked for."""

    def __init__(self, matching: Matching, initial: InitialState) -> None:
        super().__init__(initial)
        self.matching = matching
        self.initial = initial

    def __getitem__(self, name: str) -> Array:
        given = self.matching.matched.get(name)
        return self.initial[name] if given is None else self.matching.state[given]

    def type_of(self, name: str) -> TensorType:
        """A parameter's type."""
        return self.initial.type_of(name)


def match_weights(
    graph: Graph, state: State, *, allow: Sequence[str] = (), rename: Rename | None = None
) -> Matching:
    """Find by name what a network can take of some weights.

    Args:
        graph: The network.
        state: Weights by name, such as those of a file.
        allow: Patterns such as `head.*` or `*` of parameters, or of weights, that need not match:
            those of a head with another number of classes are left out and reinitialized.
        rename: From a weight's name to the network's: a function, which returns None to leave a
            weight out, or a table of names or of their beginnings, or of patterns with `*`, the
            longest of which counts: `{"backbone.": "", "encoder.*.w": "enc.*.weight"}`.

    Raises:
        NetError: E562, some weights match neither each other nor `allow`; E563, two weights are
            renamed to the same name, or a pattern is about nothing.
    """
    allow = _listed(allow)
    called = {
        name: given
        for name, given in _renamed(state, rename).items()
        if not is_counter(graph, name)
    }
    wanted = initialize(graph)
    fitting: dict[str, str] = {}
    unfit: dict[str, tuple[TensorType, TensorType]] = {}
    for name in wanted:
        if name in called:
            given = type_of(state, called[name])
            if given == wanted.type_of(name):
                fitting[name] = called[name]
            else:
                unfit[name] = (wanted.type_of(name), given)
    found = Matching(
        matched=fitting,
        missing=tuple(name for name in wanted if name not in called),
        unexpected=tuple(name for name in called if name not in wanted),
        unfit=unfit,
        state=state,
    )
    _check_patterns(allow, [*wanted, *called])
    _check(graph, found, called, allow)
    return found


def freeze(graph: Graph, patterns: Iterable[str]) -> Graph:
    """Mark layers as `frozen=yes` does: training leaves their weights and statistics alone.

    Args:
        graph: The network, mode-neutral.
        patterns: Of layers' paths, such as `conv*` or `layer1.*`.

    Raises:
        NetError: E563, a pattern matches no layer.
    """
    patterns = _listed(patterns)
    _check_patterns(patterns, list(graph.layers), what="layer")

    def keep(build: Builder, node: Node, operands: Operands) -> tuple[Value, ...] | None:
        if not _matches(node.scope, patterns):
            return None
        attributes = {**node.attributes, "trainable": False}
        return build.graph.add(replace(node, attributes=attributes))

    target = rewrite(graph, {PARAMETER: keep})
    for path, layer in target.layers.items():
        if _matches(path, patterns):
            target.layers[path] = replace(layer, frozen=True)
    return target


def _renamed(state: State, rename: Rename | None) -> dict[str, str]:
    """The network's names of the weights, each with its name in the weights."""
    names: dict[str, str] = {}
    for given in state:
        name = _new_name(given, rename)
        if name is None:
            continue
        if name in names:
            raise error(
                "E563",
                f"both `{names[name]}` and `{given}` would be renamed to `{name}`",
                help="use distinct names, or omit one",
            )
        names[name] = given
    return names


def _new_name(name: str, rename: Rename | None) -> str | None:
    if rename is None:
        return name
    if not isinstance(rename, Mapping):
        return rename(name)
    return new_name(name, rename)


def _check(graph: Graph, found: Matching, called: Mapping[str, str], allow: Sequence[str]) -> None:
    """Refuse what does not match and need not be so."""
    troubled = [*found.missing, *found.unexpected, *found.unfit]
    wrong = [name for name in troubled if not _matches(name, allow)]
    if not wrong:
        return
    given = {name: found.state[old] for name, old in called.items() if not _matches(name, allow)}
    initial = initialize(graph)
    left = {name: initial[name] for name in graph.parameters if _matches(name, allow)}
    notes = [
        note
        for finding in mismatches(graph, {**given, **left})
        for note in (f"{finding.message}:", *finding.notes)
    ]
    raise error(
        "E562",
        f"{len(wrong)} of {len(found.matched) + len(troubled)} weights do not match by name",
        notes=notes,
        help="let what differs, such as the head of another number of classes, be reinitialized"
        " (`--allow PATTERN`), or rename what is called differently",
    )


def _check_patterns(patterns: Sequence[str], names: Sequence[str], what: str = "weight") -> None:
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in names):
            near = did_you_mean(pattern, names) or f"a pattern such as `{names[0]}` or `*` does"
            raise error("E563", f"the pattern `{pattern}` matches no {what}", help=near)


def _listed(patterns: str | Iterable[str]) -> list[str]:
    """Patterns, of which a single one may come alone."""
    return [patterns] if isinstance(patterns, str) else list(patterns)


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return ", ".join(names[:SHOWN_NAMES]) + more
