"""Programs with a `train` block as jobs of training."""

from typing import Any

import netc
from netc.runtime.data import arrays, load
from netc.runtime.training.job import Job


def job_of(program: str, data: Any = None, **options: Any) -> Job:
    """The job of a program, on the data that it names or on `(x, t)`."""
    network = netc.compile(program)
    recipe = network.recipe
    assert recipe is not None
    if data is None:
        assert recipe.data is not None
        return Job(network.graph, recipe, load(recipe.data), **options)
    return Job(network.graph, recipe, arrays(*data), **options)
