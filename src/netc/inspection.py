"""Programs and their data -> features of each sample, and checks before training."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .choices import check_count
from .compiler.model import Model
from .runtime.inspection.features import Extracted, extract
from .runtime.run_folder.trained import Trained
from .runtime.sanity.checks import Check
from .runtime.sanity.checks import sanity as look
from .runtime.weights.transfer import match_weights
from .training import job_as_trained, job_of


def features(
    model: Model,
    trained: Trained,
    label: str,
    path: str,
    *,
    allow: Sequence[str],
    part: str,
    settings: Mapping[str, Any],
    say: Callable[[str], None] | None = None,
    **options: Any,
) -> Extracted:
    """Write a layer's output for each sample to a file; see `Network.features`."""
    matching = match_weights(model.graph, trained.weights, allow=allow)
    if say is not None and not matching.complete:
        for line in matching.lines():
            say(line)
    job = job_as_trained(model, trained, settings, **options)
    state = matching.merged(model.graph, job.recipe.seed)
    return extract(job, state, label, path, part=part)


def sanity(
    model: Model, *, samples: int, steps: int, settings: Mapping[str, Any], **options: Any
) -> list[Check]:
    """Look at data, network and loss before training; see `Network.sanity`."""
    check_count("samples", samples)
    check_count("steps", steps)
    return look(job_of(model, changes=settings, **options), samples=samples, steps=steps)
