"""A job of training -> some of its samples, to look at a network with."""

from dataclasses import replace

from ..data.splits import shuffled
from ..kerneldef import Array
from ..training.job import Job

PROBED_SAMPLES = 128  # samples, which are enough for means and deviations


def some(job: Job, count: int = PROBED_SAMPLES) -> dict[str, Array]:
    """Inputs and targets of some samples of the training part, drawn with the recipe's seed.

    They are preprocessed, and not augmented; where there are fewer, they are all.

    Raises:
        NetError: The data are damaged, or do not fit the network.
    """
    order = shuffled(job.split.train, seed=job.recipe.seed, epoch=0)
    part = replace(job.training, indices=order[:count])
    return next(iter(part.still(count)))
