"""Weights as PyTorch names them -> the same under a network's names; only names change."""

from collections.abc import Iterator, Mapping

from ...compiler.ir.graph import Graph
from ...compiler.ir.types import TensorType
from ...grammar.diagnostics import did_you_mean, error
from ..kerneldef import Array
from .state import LazyState, type_of

# What `DataParallel`, `torch.compile` and checkpoints put before every name.
WRAPPERS = ("module.", "_orig_mod.", "state_dict.", "model_state_dict.", "model.")
COUNTER = "num_batches_tracked"  # which PyTorch keeps for every BN, and which nothing here reads


class Named(LazyState):
    """Weights under other names; each is read when it is asked for."""

    def __init__(self, state: Mapping[str, Array], names: Mapping[str, str]) -> None:
        self.state = state
        self.names = names

    def __getitem__(self, name: str) -> Array:
        return self.state[self.names[name]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def type_of(self, name: str) -> TensorType:
        """A weight's type."""
        return type_of(self.state, self.names[name])


def is_counter(graph: Graph, name: str) -> bool:
    """Whether a weight only counts the batches that a BN of PyTorch's saw."""
    return name.rpartition(".")[2] == COUNTER and name not in graph.parameters


def fitted_names(
    graph: Graph, state: Mapping[str, Array], rename: Mapping[str, str] | None = None
) -> Mapping[str, Array]:
    """Weights by a network's names: without wrappers' prefixes and counters, and renamed.

    Args:
        graph: The network.
        state: Weights by name, such as those of a file.
        rename: New beginnings of names by the old ones, of which the longest counts.

    Raises:
        NetError: E563, a beginning is that of no weight, or two weights get the same name.
    """
    rename = rename or {}
    names = {name: name for name in state if not is_counter(graph, name)}
    bare = _unwrapped(graph, names)
    begun = all(any(name.startswith(old) for name in bare) for old in rename)
    names = dict(_unwrapped(graph, renamed(bare if begun else names, rename)))
    return state if list(names) == list(state) else Named(state, names)


def renamed(names: Mapping[str, str], rename: Mapping[str, str]) -> dict[str, str]:
    """New names to what the old ones stood for.

    Raises:
        NetError: E563, a beginning is that of no weight, or two weights get the same name.
    """
    found: dict[str, str] = {}
    for old in rename:
        if not any(name.startswith(old) for name in names):
            near = did_you_mean(old, names) or f"the first weight is `{next(iter(names), '')}`"
            raise error("E563", f"no weight's name begins with `{old}`", help=near)
    for name, given in names.items():
        new = new_name(name, rename)
        if new in found:
            raise error(
                "E563",
                f"both `{found[new]}` and `{given}` would be renamed to `{new}`",
                help="use distinct names, or omit one",
            )
        found[new] = given
    return found


def new_name(name: str, rename: Mapping[str, str]) -> str:
    """A name with another beginning, if the table has its own: the longest counts."""
    start = max((old for old in rename if name.startswith(old)), key=len, default="")
    return rename.get(start, start) + name.removeprefix(start)


def _unwrapped(graph: Graph, names: Mapping[str, str]) -> Mapping[str, str]:
    """Names without what precedes each of them and before none of the network's."""
    while names:
        wrapper = next((each for each in WRAPPERS if all(n.startswith(each) for n in names)), None)
        if wrapper is None or any(name.startswith(wrapper) for name in graph.parameters):
            break
        names = {name.removeprefix(wrapper): given for name, given in names.items()}
    return names
