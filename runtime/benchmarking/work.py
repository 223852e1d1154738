"""What is timed: a network on a batch, forward or a step of training, as a file for processes."""

import copyreg
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from types import MappingProxyType
from typing import Any

from ...compiler.analysis.counts import node_cost
from ...compiler.ir.graph import Graph
from ...compiler.ir.signature import OpKey
from ...compiler.onnx_standard.foreign_operators import foreign_row
from ...compiler.ops.opdef import OPS, OpDef
from ...compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from ...compiler.passes.set_mode import set_mode
from ...compiler.training.recipe import Recipe
from ...compiler.training.train_step import TrainStep, train_step
from ...grammar.diagnostics import error
from ..arrays.feeds import check_feeds
from ..inspection.random_feeds import random_feeds
from ..kerneldef import Array
from ..weights.initialize import initialize

NOISY = {"Dropout", "netc.Noise", "netc.StochasticPool"}


@dataclass(frozen=True)
class Work:
    """A network on a batch.

    Attributes:
        graph: The network, mode-neutral.
        recipe: The loss and the optimizer of a step.
        feeds: Inputs and targets by name.
        state: Weights by name.
        step: Whether a step of training is timed; else the network's outputs.
    """

    graph: Graph
    recipe: Recipe
    feeds: Mapping[str, Array]
    state: Mapping[str, Array]
    step: bool
    symbols: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        types = {name: value.type for name, value in self.graph.inputs.items()}
        found = check_feeds(types, {name: self.feeds[name] for name in types})
        object.__setattr__(self, "symbols", {**found.symbols, "N": self.batch})

    @property
    def batch(self) -> int:
        """The number of samples; 1 where a network takes none."""
        return next(map(len, self.feeds.values()), 1)

    @property
    def inputs(self) -> dict[str, Array]:
        """The inputs without the targets."""
        return {name: self.feeds[name] for name in self.graph.inputs}

    @property
    def noisy(self) -> bool:
        """Whether training draws noise, which each engine draws otherwise than PyTorch."""
        return self.step and any(node.op_type in NOISY for node in self.graph.records)

    @property
    def rates(self) -> tuple[float, float]:
        """The learning rate and the momentum of the first step."""
        return self.recipe.rates(0, steps_per_epoch=1)

    def train_step(self, *, shards: bool = False) -> TrainStep:
        """The graph of a step."""
        recipe = self.recipe
        objective = replace(recipe.objective, complete=self._complete())
        return train_step(self.graph, objective, recipe.descent, seed=recipe.seed, shards=shards)

    def _complete(self) -> frozenset[str]:
        """The outputs of whose targets nothing is left out; none that is drawn is NaN."""
        losses, names = self.recipe.objective.losses, self.recipe.objective.target_names()
        ignored = {output: losses[output].arguments.get("ignore_index") for output in names}
        return frozenset(
            o for o, name in names.items() if not (self.feeds[name] == ignored[o]).any()
        )

    def macs(self) -> int:
        """The multiply-accumulates of the batch, those of the backward pass included."""
        graph = self.train_step().graph if self.step else set_mode(self.graph, training=False)
        symbols = self.symbols
        live = eliminate_dead_nodes(graph, {})
        costs = (node_cost(live, node, symbols).macs for node in live.records if node.row)
        return sum(count for count in costs if isinstance(count, int))


def random_work(graph: Graph, recipe: Recipe, *, batch: int, step: bool) -> Work:
    """A network on a batch that is drawn at random, with first weights.

    Raises:
        NetError: E565, an extent other than the batch is open; or outputs and losses do not fit.
    """
    feeds = random_feeds(graph, recipe.objective, batch=batch, seed=recipe.seed)
    state = initialize(graph, recipe.seed)
    return Work(graph, recipe, feeds, {name: state[name] for name in state}, step)


def _row(key: OpKey) -> OpDef:
    return OPS[key]


def _fixed(mapping: dict[str, Any]) -> Mapping[str, Any]:
    return MappingProxyType(mapping)


class _Pickler(pickle.Pickler):
    """Writes rows of the op table by name, and mappings that nothing changes as such."""

    dispatch_table = copyreg.dispatch_table.copy() | {
        MappingProxyType: lambda mapping: (_fixed, (dict(mapping),))
    }

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, OpDef) and OPS.get(value.key) is value:
            return _row, (value.key,)
        if isinstance(value, OpDef):
            key = value.name, value.since_version, value.domain
            if foreign_row(*key) is None:
                raise error("E506", f"nothing defines `{value.op_type}`, which cannot be measured")
            return foreign_row, key
        return NotImplemented


def dumped(work: Work) -> bytes:
    """What another process loads with `pickle`."""
    buffer = BytesIO()
    _Pickler(buffer).dump(work)
    return buffer.getvalue()
