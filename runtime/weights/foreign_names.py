"""Weights as PyTorch names them -> the same under a network's names; only names change."""

import re
from collections.abc import Mapping
from functools import cache

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
        super().__init__(names)
        self.state = state
        self.names = names

    def __getitem__(self, name: str) -> Array:
        return self.state[self.names[name]]

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
        rename: New beginnings of names by the old ones, or new names by patterns with `*`; the
            longest counts.

    Raises:
        NetError: E563, a beginning is that of no weight, or two weights get the same name.
    """
    rename = rename or {}
    names = {name: name for name in state if not is_counter(graph, name)}
    bare = _unwrapped(graph, names)
    begun = all(any(map(_pattern(old).fullmatch, bare)) for old in rename)
    names = dict(_unwrapped(graph, renamed(bare if begun else names, rename)))
    return state if list(names) == list(state) else Named(state, names)


def renamed(names: Mapping[str, str], rename: Mapping[str, str]) -> dict[str, str]:
    """New names to what the old ones stood for.

    Raises:
        NetError: E563, a beginning or a pattern is that of no weight, or two weights get the same
            name.
    """
    found: dict[str, str] = {}
    for old in rename:
        if not any(_pattern(old).fullmatch(name) for name in names):
            near = did_you_mean(old, names) or f"the first weight is `{next(iter(names), '')}`"
            fits = "matches" if "*" in old else "begins with"
            raise error("E563", f"no weight's name {fits} `{old}`", help=near)
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
    """A name by the longest entry that fits it: a beginning, or a pattern of the whole name.

    Each `*` of a pattern stands for any text, the first ones for as little as possible, and that
    of the new name for the same.

    Raises:
        NetError: E563, a new name has more `*` than the pattern.
    """
    fitting = [old for old in rename if _pattern(old).fullmatch(name)]
    if not fitting:
        return name
    old = max(fitting, key=len)
    texts = _pattern(old).fullmatch(name).groups()  # type: ignore[union-attr]  # it fits
    first, *others = (rename[old] if "*" in old else f"{rename[old]}*").split("*")
    if len(others) > len(texts):
        help = "write as many as there are on the left, or fewer"
        raise error("E563", f"`{rename[old]}` has more `*` than `{old}`", help=help)
    return first + "".join(text + part for text, part in zip(texts, others, strict=False))


@cache
def _pattern(old: str) -> re.Pattern[str]:
    """What fits an entry: a beginning stands for itself and any text."""
    parts = (old if "*" in old else f"{old}*").split("*")
    return re.compile("(.*?)".join(map(re.escape, parts)), re.DOTALL)


def _unwrapped(graph: Graph, names: Mapping[str, str]) -> Mapping[str, str]:
    """Names without what precedes each of them and before none of the network's."""
    while names:
        wrapper = next((each for each in WRAPPERS if all(n.startswith(each) for n in names)), None)
        if wrapper is None or any(name.startswith(wrapper) for name in graph.parameters):
            break
        names = {name.removeprefix(wrapper): given for name, given in names.items()}
    return names
