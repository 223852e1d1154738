"""Labels that say what a layer is called without them."""

from collections.abc import Container
from dataclasses import replace

from .tree import (
    Call,
    Chain,
    Step,
    Text,
    calls_in,
    inner_chains,
    named_by,
    references_in,
    with_chains,
)


def without_automatic(chain: Chain, used: Container[str] = ()) -> Chain:
    """The chain of a scope without labels that are automatic names: `conv1` of the first `CONV`.

    Args:
        chain: All that the scope names.
        used: Names that something else needs.
    """
    return without_automatic_names((chain,), used)[0]


def without_automatic_names(chains: tuple[Chain, ...], used: Container[str]) -> tuple[Chain, ...]:
    """As `without_automatic`, for all chains of one scope."""
    return _Names(chains, used).chains(chains)


class _Names:
    """Counts layers as the language does."""

    def __init__(self, chains: tuple[Chain, ...], used: Container[str]) -> None:
        calls = [call for chain in chains for call in calls_in(chain)]
        self.used = used
        self.read = {r.name for chain in chains for r in references_in(chain)}
        self.read |= {text for call in calls for text in named_by(call)}
        self.reserved = {call.label for call in calls if call.label is not None} | self.read
        self.counts: dict[str, int] = {}

    def chains(self, chains: tuple[Chain, ...]) -> tuple[Chain, ...]:
        """Chains in their order."""
        return tuple(tuple(self._step(step) for step in chain) for chain in chains)

    def _step(self, step: Step) -> Step:
        if not isinstance(step, Call):
            return with_chains(step, self.chains(inner_chains(step)))
        kind = _stem(step)
        if step.label is None:
            self._next(kind, "")
            return step
        if step.named or step.label in self.read or step.label in self.used:
            return step
        before = self.counts.get(kind, 0)
        if self._next(kind, step.label) == step.label:
            self.reserved.discard(step.label)
            return replace(step, label=None)
        self.counts[kind] = before
        return step

    def _next(self, kind: str, own: str) -> str:
        """The next automatic name of a kind that no label has but its own."""
        while True:
            self.counts[kind] = self.counts.get(kind, 0) + 1
            name = f"{kind}{self.counts[kind]}"
            if name == own or name not in self.reserved:
                return name


def _stem(call: Call) -> str:
    """What the language calls layers of a kind."""
    if call.kind == "op" and isinstance(call.arguments[0].value, Text):
        return call.arguments[0].value.text.strip('"').lower()
    return call.kind.lower()
