"""Steps of training by several ranks, computed one after the other in one process."""

from collections.abc import Mapping, Sequence

import numpy as np

from netc.compiler.passes.cut_at_sums import cut_at_sums
from netc.compiler.passes.shards import FIRST, WHOLE
from netc.compiler.training.train_step import TrainStep
from netc.runtime.engines.engine import engine_named
from netc.runtime.kerneldef import Array

Arrays = dict[str, Array]


def shards(feeds: Mapping[str, Array], sizes: Sequence[int]) -> list[Arrays]:
    """A batch in shards of these sizes, as ranks are fed with them; an empty one has no arrays."""
    starts = np.cumsum([0, *sizes])
    place = [{FIRST: np.array(s), WHOLE: np.array(sum(sizes))} for s in starts[:-1]]
    cuts = [slice(start, start + size) for start, size in zip(starts, sizes, strict=False)]
    return [
        {**own, **({name: array[cut] for name, array in feeds.items()} if size else {})}
        for own, cut, size in zip(place, cuts, sizes, strict=True)
    ]


def in_lockstep(
    step: TrainStep,
    fed: Sequence[Mapping[str, Array]],
    state: Mapping[str, Array],
    scalars: Mapping[str, Array],
    *,
    engine: str = "numpy",
) -> list[Arrays]:
    """What a step that is cut at its sums yields on each rank."""
    cut = cut_at_sums(step.graph)
    known: list[Arrays] = [{**state, **scalars, **own} for own in fed]
    for part in cut.parts:
        run = engine_named(engine).open_step(part.graph)
        total: Arrays = {}
        for own in known:
            if all(name in own for name in part.graph.inputs):
                own |= run({name: own[name] for name in part.graph.inputs}, {})
                for term, names in part.summed.items():
                    total |= {name: total.get(name, 0) + own[term] for name in names}
        for own in known:
            own |= {name: np.asarray(array) for name, array in total.items()}
    named = {name: cut.sums.get(name, name) for name in step.graph.outputs}
    return [{name: own[held] for name, held in named.items() if held in own} for own in known]
