"""What is to be trained, on what, and how: a network, a recipe and a data set, tied together."""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, partial
from hashlib import sha256
from typing import Any, Literal, cast

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.ir.text import to_text
from ...compiler.training.class_losses import class_axis
from ...compiler.training.objective import Objective
from ...compiler.training.recipe import Recipe
from ...compiler.training.train_step import TrainStep, train_step
from ...grammar.diagnostics import Diagnostic, did_you_mean, error
from ..arrays.feeds import check_feeds
from ..data.augmentation import Augmenter, augmenter
from ..data.dataset import Dataset
from ..data.preprocessing import Fitted, fit
from ..data.splits import Splits, shuffled, splits
from ..data.target_scaling import fit_targets, standard_of
from ..engines.batch_statistics import check_statistics
from ..feeding.samples import Samples, shard_sizes
from ..feeding.targets import TargetFeed
from ..feeding.wiring import Wiring, mixing, wire
from ..inference.evaluator import MEASURED_AT_ONCE, Evaluator
from ..kerneldef import Array
from ..metrics.definitions import metric_of
from ..ranks.team import ALONE, Team
from ..run_folder.checkpoint import Checkpoint
from ..run_folder.environment import compare, environment
from ..run_folder.folder import CHECKPOINT
from ..weights.state import State
from .class_balance import balanced
from .loop import SECONDS_BETWEEN_CHECKPOINTS

NETWORK = "network"
DATA_VALUES = "values"  # of the data
# What a folder keeps besides the settings, so that resuming needs no options.
KEPT = ("engine", "device", "monitor", "patience", "min_delta")
ALL = "all"  # samples, whatever part they are in
PROBED_SAMPLES = 128  # samples, for means and deviations of what a network makes of them
# Of E570 where ranks share a batch.
SHARE = {
    "batch": "a rank's share of a batch,",
    "help": "take larger batches or fewer ranks, or let ranks share statistics: `sync_bn = yes`",
}
PARTS = (*(part.name for part in fields(Splits)), ALL)


def _targets(graph: Graph, part: Samples, output: str) -> Callable[[], Iterator[Array]]:
    """The targets of an output in pieces, in the output's shape."""
    target = part.wiring.targets[output]
    type = graph.outputs[output].type

    def pieces() -> Iterator[Array]:
        for feeds in part.still(MEASURED_AT_ONCE):
            array = feeds[target.name]
            yield array if array.ndim == type.rank else np.expand_dims(array, class_axis(type))

    return pieces


@dataclass(frozen=True, eq=False)
class Job:
    """What is to be trained, on what, and how.

    Attributes:
        graph: The network, mode-neutral.
        recipe: How it is trained.
        data: The data set.
        weights: Weights to start from; drawn with the recipe's seed where it is None.
        fitted: Preprocessing that was fitted before; fitted to the training part where it is None.
        engine, device: What computes.
        folder: Where checkpoints go; none are written where it is None.
        monitor: What decides which epoch is best; the validation loss where it is None.
        patience: After how many epochs without a better one the run ends; None for never.
        min_delta: By how much a better epoch is better.
        every: After how many seconds a checkpoint is written within an epoch.
        force: Whether a run that the folder holds is overwritten.
        changes: The settings that replaced the program's own, which a folder keeps.
        saved: The checkpoint to continue from; see `resumed`.
        team: The ranks that train it together.
    """

    graph: Graph
    recipe: Recipe
    data: Dataset
    weights: State | None = None
    fitted: Fitted | None = None
    engine: str = "numpy"
    device: str = "cpu"
    folder: str | None = None
    monitor: str | None = None
    patience: int | None = None
    min_delta: float = 0.0
    every: float = SECONDS_BETWEEN_CHECKPOINTS
    force: bool = False
    changes: Mapping[str, str] = field(default_factory=dict)
    saved: Checkpoint | None = None
    team: Team = ALONE

    def __repr__(self) -> str:
        return f"<Job: {self.graph.name} on {self.data!r}, epochs={self.recipe.epochs}>"

    def __getstate__(self) -> dict[str, Any]:
        """The fields; what is computed of them, plans among it, is computed again."""
        return {each.name: getattr(self, each.name) for each in fields(self)}

    @cached_property
    def augmenter(self) -> Augmenter:
        """What is done to samples by chance."""
        return augmenter(self.recipe.augment, self.data, seed=self.recipe.seed)

    @cached_property
    def wiring(self) -> Wiring:
        """Which of the data's arrays goes where."""
        return wire(self.graph, self.recipe.objective, self.data, view=self.augmenter.still)

    @cached_property
    def objective(self) -> Objective:
        """What training minimises, with what the training part says of its targets."""
        fitted = self.training.fitted.targets
        standards = {output: standard_of(arrays) for output, arrays in fitted.items()}
        known = replace(self.recipe.objective, standards=standards)
        return balanced(known, self.graph, self.training, self.labels)

    @property
    def settings(self) -> dict[str, str]:
        """Every setting as a program spells it, with what was counted in the training part."""
        return replace(self.recipe, loss=self.objective.losses).settings()

    @cached_property
    def labels(self) -> Array | None:
        """The labels of all samples; None where no loss takes a target of the data."""
        return self.data.labels() if self.recipe.objective.target_names() else None

    @cached_property
    def split(self) -> Splits:
        """The numbers of the samples of each part."""
        recipe = self.recipe
        fold = None if recipe.fold is None else (recipe.fold[0] - 1, recipe.fold[1])
        return splits(self.data, recipe.split, seed=recipe.seed, fold=fold)

    @cached_property
    def training(self) -> Samples:
        """The training part, with preprocessing fitted to it."""
        recipe, indices, augment = self.recipe, self.split.train, self.augmenter
        wiring = self.wiring  # a target that does not fit shows before anything is fitted
        fitted = self.fitted
        if fitted is None:
            real = {name for name, type in wiring.types.items() if type.dtype.is_float}
            fitted = fit(recipe.preprocess, self.data, indices, of=real, view=augment.still)
        last = cast(Literal["keep", "drop"], recipe.last)
        part = Samples(
            *(self.data, indices, wiring, fitted, augment),
            recipe.batch,
            last,
            recipe.seed,
            mixed=mixing(self.graph, recipe.objective, self.data, wiring, recipe.augment),
        )
        if self.fitted is not None or not recipe.targets:
            return part
        targets = fit_targets(recipe.targets, partial(_targets, self.graph, part))
        return replace(part, fitted=replace(fitted, targets=targets))

    def part(self, name: object) -> Samples:
        """The part `train`, `validation` or `test`, or `all`, preprocessed as in training.

        Raises:
            NetError: E531, there is no such part.
        """
        if not isinstance(name, str):
            help = "`run.predict(x)` takes new samples; `netc evaluate --data ...`, other data"
            raise error("E531", "a part of the data is chosen by its name", help=help)
        if name not in PARTS:
            help = did_you_mean(name, PARTS) or f"choose one of {', '.join(PARTS)}"
            raise error("E531", f"there is no part `{name}` of the data", help=help)
        found = np.arange(len(self.data)) if name == ALL else getattr(self.split, name)
        return replace(self.training, indices=found)

    def sample_feeds(self, count: int = PROBED_SAMPLES) -> dict[str, Array]:
        """Inputs and targets of some samples of the training part, drawn with the recipe's seed.

        They are preprocessed, and not augmented; where there are fewer, they are all.

        Raises:
            NetError: The data are damaged, or do not fit the network.
        """
        order = shuffled(self.split.train, seed=self.recipe.seed, epoch=0)
        return next(iter(replace(self.training, indices=order[:count]).still(count)))

    @cached_property
    def step(self) -> TrainStep:
        """The step of training."""
        recipe, wiring = self.recipe, self.training.mixed or self.wiring
        complete = frozenset(o for o, each in wiring.targets.items() if self._is_complete(each))
        return train_step(
            self.graph,
            replace(self.objective, complete=complete),
            recipe.descent,
            targets={output: target.type for output, target in wiring.targets.items()},
            seed=recipe.seed,
            shards=self.team.size > 1,
            sync_bn=recipe.sync_bn,
        )

    def _is_complete(self, target: TargetFeed) -> bool:
        """Whether a target is given for all samples, and still is when they are augmented."""
        if target.source is None:
            return True  # inputs have no gaps
        kept = self.data.about.kinds.get(target.source) in ("label", "values")
        return kept and self.data.is_complete(target.source, target.ignored)

    def of_this_rank(self, samples: Samples) -> Samples:
        """Those of some samples that this rank sees."""
        return replace(samples, rank=self.team.rank, ranks=self.team.size)

    def measure(self, state: State, samples: Samples) -> dict[str, float]:
        """Loss and metrics on some samples, which the ranks share among themselves."""
        still = self.of_this_rank(samples).still(MEASURED_AT_ONCE)
        return self.evaluator.measure(state, still, self.team)

    def check_batches(self) -> None:
        """Refuse batches that are too small for BN, or too few, before the first step.

        Raises:
            NetError: E570; E126, an epoch has too few for a step of the optimizer.
        """
        wanted, steps = self.recipe.accumulate, self.training.steps
        if wanted > steps:
            batches = "1 batch" if steps == 1 else f"{steps} batches"
            message = (
                f"`accumulate = {wanted}` waits for {wanted} batches, and an epoch has {batches}"
            )
            raise error("E126", message, help="choose a smaller number, or a smaller `batch`")
        graph = self.step.graph
        types = {name: value.type for name, value in self.graph.inputs.items()}
        first = next(self.training.still(1))
        symbols = check_feeds(types, {name: first[name] for name in types}).symbols
        usual, *shorter = self.training.sizes
        for size in sorted({*shard_sizes(usual, self.team.size)} - {0}):
            words = {} if self.team.size == 1 else SHARE
            check_statistics(graph, range(len(graph)), {**symbols, "N": size}, **words)
        for size in sorted({n for each in shorter for n in shard_sizes(each, self.team.size)}):
            check_statistics(
                *(graph, range(len(graph)), {**symbols, "N": size}),
                batch="the last batch of an epoch,",
                help="`last = drop` leaves that batch out, or choose another size: `batch = ...`",
            )

    @cached_property
    def evaluator(self) -> Evaluator:
        """What measures the network while it is trained; what is monitored is measured, too."""
        monitored = metric_of(self.monitor) if self.monitor else None
        return Evaluator(
            *(self.graph, self.objective, self.wiring),
            names=self.recipe.metrics or None,
            also=[] if monitored is None else [monitored],
            losses=True,
            engine=self.engine,
            device=self.device,
        )

    @cached_property
    def fixed(self) -> dict[str, str]:
        """What must be the same for a run to be resumed: all but the number of epochs."""
        # Its name, which may be the file's, makes no difference.
        network = sha256(to_text(replace(self.graph, name="")).encode()).hexdigest()
        settings = self.recipe.settings()
        del settings["epochs"]
        values = {} if self.folder is None else {DATA_VALUES: self.data.fingerprint()}
        return {NETWORK: network, **settings, "samples": str(len(self.data)), **values}

    @property
    def checkpoint(self) -> str | None:
        """The file of the run's checkpoint."""
        return None if self.folder is None else os.path.join(self.folder, CHECKPOINT)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What a run may not come to as its author thinks.

        W502, it is resumed elsewhere than it began: its last bits may differ. W503, it ends within
        the warm-up of a schedule.
        """
        found = self._unfinished_warmups()
        if self.saved is None:
            return found
        return (*found, *compare(self.saved.environment, environment(self.engine, self.team.size)))

    def _unfinished_warmups(self) -> tuple[Diagnostic, ...]:
        recipe, found = self.recipe, []
        steps = -(-recipe.epochs * self.training.steps // recipe.accumulate)
        for term in filter(None, (recipe.schedule, recipe.momentum)):
            warmup, per = term.arguments["warmup"], term.arguments["per"]
            total = recipe.epochs if per == "epoch" else steps
            if warmup and warmup >= total:
                message = f"the run ends within the warm-up: {warmup:_} of {total:_} {per}s"
                help = f"`{term.name}` begins after it: write a shorter one, or train longer"
                found.append(Diagnostic("W503", message, term.span, help=help))
        return tuple(found)
