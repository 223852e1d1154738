"""Models and samples -> how far gradients are from central differences, and a table of that."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .compiler.ir.graph import Graph
from .compiler.model import Model
from .compiler.passes.append_backward import trainable
from .compiler.passes.set_mode import set_mode
from .compiler.training.objective import add_loss
from .gradients import Targets, first_step, with_targets
from .grammar.diagnostics import listing
from .runtime.inspection.gradcheck import SLOPE_TOLERANCE, ParameterCheck, off_kinks
from .runtime.inspection.gradcheck import gradcheck as compare
from .runtime.inspection.random_feeds import random_feeds
from .runtime.weights.files import check_weights
from .runtime.weights.initialize import initialize
from .tables import hanging, table
from .training import Loss, job_of, recipe_of

if TYPE_CHECKING:
    from .runtime.kerneldef import Array


HEAD = ("parameter", "compared", "kinks", "error", "at", "gradient", "difference")
LEFT = (0, 4, len(HEAD))  # the columns that are aligned to the left
SHOWN_NAMES = 5  # names in a message

# Opens a display of how many of a number of parameters are compared.
CheckProgress = Callable[[int], AbstractContextManager[Callable[[int], None]]]


@dataclass(frozen=True, slots=True)
class GradientChecks:
    """The comparison of a network's gradients.

    Attributes:
        checks: A row for each parameter.
        batch: How many samples they were compared on.
        drawn: Whether these were drawn at random.
        detached: Whether the network keeps gradients back, which differences do not see.
    """

    checks: Sequence[ParameterCheck]
    batch: int
    drawn: bool
    detached: bool = False

    @property
    def ok(self) -> bool:
        """Whether all gradients agree."""
        return all(check.ok for check in self.checks)

    def to_text(self, room: int | None = None) -> str:
        """A table, and sentences about it, at most `room` columns wide."""
        rows = [(*_cells(check), "" if check.ok else "WRONG") for check in self.checks]
        lines = table([(*HEAD, ""), *rows], room=room, left=LEFT)
        sentences = (hanging("", sentence, room) for sentence in self._sentences())
        return "\n".join([*lines, *(line for lines in sentences for line in lines)])

    def _sentences(self) -> Iterator[str]:
        if not self.checks:
            yield "there is no trainable weight: nothing was compared"
            return
        wrong, all_ = sum(not check.ok for check in self.checks), len(self.checks)
        verdict = f"{wrong} of {all_} gradients are wrong" if wrong else "all gradients agree"
        samples = f"{self.batch} samples {'drawn at random' if self.drawn else 'of the data'}"
        yield f"{verdict} with central differences on {samples}, to {SLOPE_TOLERANCE:g}"
        if wrong and self.detached:
            yield "`DETACH` keeps gradients back, and differences know nothing of it"
        untold = [check.name for check in self.checks if check.ok and not check.checked]
        if untold:
            yield f"nothing could be compared of {listing(untold, SHOWN_NAMES)}: kinks are too near"
        if skipped := sum(check.skipped for check in self.checks):
            yield f"{skipped:,} more numbers were left out for lack of time; see `--seconds`"


def _cells(check: ParameterCheck) -> tuple[str, ...]:
    counts = (check.name, str(check.checked), str(check.kinks))
    if not check.checked:
        return (*counts, "-", "-", "-", "-")
    place = f"[{', '.join(map(str, check.place))}]"
    numbers = f"{check.gradient:.6g}", f"{check.difference:.6g}"
    return (*counts, f"{check.error:.1e}", place, *numbers)


def gradcheck(
    model: Model,
    feeds: Mapping[str, "Array"],
    targets: Targets,
    state: Mapping[str, "Array"],
    *,
    loss: Loss | None = None,
    training: bool = True,
    samples: int | None,
    seed: int,
) -> dict[str, float]:
    """The largest relative error of each parameter's gradient; see `Network.gradcheck`."""
    graph, fed = with_targets(model, feeds, targets, loss=loss, training=training, seed=seed)
    check_weights(model.graph, state)
    checks = compare(graph, fed, state, samples=samples, seed=seed)
    return {check.name: check.error for check in checks}


def check_gradients(
    model: Model,
    state: Mapping[str, "Array"] | None,
    *,
    loss: str | None,
    batch: int,
    random: bool,
    training: bool,
    samples: int | None,
    seconds: float | None,
    seed: int,
    progress: CheckProgress,
) -> GradientChecks:
    """Compare the gradients of a program's loss on its own data.

    Args:
        model: The network.
        state: Its weights; where it is None they are drawn, and biases, too, so that few ReLUs are
            at their kinks.
        loss: What to differentiate; by default, the recipe's loss.
        batch: How many samples.
        random: Whether to draw inputs and targets, as is done where the program names no data.
        training: Whether Dropout drops, and BN normalizes by the batch.
        samples: How many numbers of each parameter to compare; all where it is None.
        seconds: About how long it may take.
        seed: For weights, samples, noise, and what is compared.
        progress: Shows how many parameters are compared.

    Raises:
        NetError: Loss, data and weights do not fit, or there is no gradient.
    """
    drawn = random or model.recipe is None or model.recipe.data is None
    graph, fed = (_drawn if drawn else _from_data)(model, loss, batch, seed)
    settled = set_mode(graph, training=training, seed=seed)
    fed |= first_step(graph, settled.inputs)
    if state is None:
        state = off_kinks(model.graph, initialize(model.graph, seed), seed)
    check_weights(model.graph, state)
    with progress(len(trainable(settled))) as done:
        checks = compare(
            settled, fed, state, samples=samples, seed=seed, seconds=seconds, done=done
        )
    detached = any(layer.kind == "DETACH" for layer in model.graph.layers.values())
    return GradientChecks(checks, batch, drawn, detached)


def _drawn(model: Model, loss: str | None, batch: int, seed: int) -> tuple[Graph, dict[str, Any]]:
    """The network with its loss, and random inputs and targets."""
    objective = recipe_of(model, {"loss": loss}).objective
    feeds = random_feeds(model.graph, objective, batch=batch, seed=seed)
    return add_loss(model.graph, objective), dict(feeds)


def _from_data(
    model: Model, loss: str | None, batch: int, seed: int
) -> tuple[Graph, dict[str, Any]]:
    """The network with its loss, and the first samples of the training part."""
    job = job_of(model, changes={"loss": loss})
    part = replace(job.training, indices=job.split.train[:batch])
    types = {output: target.type for output, target in job.wiring.targets.items()}
    feeds = next(iter(part.still(batch)))
    return add_loss(model.graph, job.objective, types), dict(feeds)
