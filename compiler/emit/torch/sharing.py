"""Scopes that use the weights of another scope throughout, as calls of that scope."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .code import Code, Part, Ref, call, mapped, operand
from .steps import Key, Step, Steps, path_of

Ends = tuple[tuple[Key, ...], tuple[Key, ...]]


@dataclass(slots=True)
class Flow:
    """Who yields and who reads the values of steps."""

    steps: Sequence[Step]
    producer: dict[Key, int]
    readers: dict[Key, list[int]]
    fetched: set[Key]

    @classmethod
    def of(cls, found: Steps) -> "Flow":
        """The flow of a network."""
        producer = {key: i for i, step in enumerate(found.steps) for key in step.outputs}
        readers: dict[Key, list[int]] = defaultdict(list)
        for i, step in enumerate(found.steps):
            for key in step.inputs:
                readers[key].append(i)
        return cls(found.steps, producer, readers, set(found.outputs.values()))

    def ends(self, indices: Sequence[int]) -> Ends:
        """What steps take from outside, and what is read there.

        What modules with weights take comes first, before what only masks them and the like.
        """
        within = set(indices)
        inputs: dict[Key, None] = {}
        outputs: dict[Key, None] = {}
        for i in sorted(within, key=lambda i: (not self.steps[i].learned, i)):
            for key in self.steps[i].inputs:
                if self.producer.get(key) not in within:
                    inputs[key] = None
        for i in sorted(within):
            for key in self.steps[i].outputs:
                if key in self.fetched or any(r not in within for r in self.readers[key]):
                    outputs[key] = None
        return tuple(inputs), tuple(outputs)


def with_shared_scopes(found: Steps) -> tuple[Steps, Mapping[str, Ends]]:
    """The steps with such scopes as calls; the scopes that are called, with what they take."""
    called: dict[str, Ends] = {}
    steps = found.steps
    for copy, source in _pairs(steps):
        current = replace(found, steps=steps)
        made = _as_call(current, copy, source)
        if made is not None:
            steps, called[source] = made
    return replace(found, steps=steps), called


def _pairs(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """Scopes whose layers use the weights of another scope's."""
    pairs: dict[tuple[str, str], None] = {}
    for step in steps:
        for ref in step.refs if step.learned else ():
            own, other = path_of(step.layer), path_of(ref)
            while own and other and own[-1] == other[-1]:
                own, other = own[:-1], other[:-1]
            if own and other and (own, other) != (path_of(step.layer), path_of(ref)):
                pairs[".".join(own), ".".join(other)] = None
    return list(pairs)


def _as_call(found: Steps, copy: str, source: str) -> tuple[list[Step], Ends] | None:
    """The steps with a scope as a call of another; None where they differ."""
    flow = Flow.of(found)
    own, others = (
        [i for i, step in enumerate(found.steps) if step.layer.startswith(f"{scope}.")]
        for scope in (copy, source)
    )
    same = dict(_matched(found.steps, own, others, copy, source))
    if len(own) != len(others) or not own or len(same) != len(own):
        return None
    places = {
        key: k
        for i in others
        for key, k in zip(found.steps[i].outputs, found.steps[same[i]].outputs, strict=True)
    }
    for i in others:
        for key, given in zip(found.steps[i].inputs, found.steps[same[i]].inputs, strict=True):
            if places.setdefault(key, given) != given:
                return None
    inputs, outputs = flow.ends(others)
    if {places[key] for key in outputs} < set(flow.ends(own)[1]):
        return None
    expression = call(Code((Ref(source),)), *map(operand, range(len(inputs))))
    place = path_of(copy)[:-1]
    while place != path_of(source)[: len(place)]:
        place = place[:-1]
    taken, yields = (tuple(places[key] for key in keys) for keys in (inputs, outputs))
    made = Step(place, expression, taken, yields, copy, learned=True, heavy=True)
    kept = [step for i, step in enumerate(found.steps) if i not in own[:-1]]
    kept[kept.index(found.steps[own[-1]])] = made
    return kept, (inputs, outputs)


def _matched(
    steps: Sequence[Step], own: Sequence[int], others: Sequence[int], copy: str, source: str
) -> list[tuple[int, int]]:
    """The steps of two scopes that are the same but for their values."""

    def moved(part: Part) -> Code | None:
        if isinstance(part, Ref) and part.path.startswith(f"{copy}."):
            return Code((Ref(source + part.path[len(copy) :]),))
        return None

    return [
        (j, i)
        for i, j in zip(own, others, strict=False)
        if steps[i].layer[len(copy) :] == steps[j].layer[len(source) :]
        and mapped(steps[i].expression, moved) == steps[j].expression
        and len(steps[i].outputs) == len(steps[j].outputs)
    ]
