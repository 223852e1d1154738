"""Samples of a run's data or from files -> as they are shown, and as the network takes them."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..grammar.diagnostics import Diagnostic, error
from ..network import Network
from ..prediction import new_samples
from ..runtime.feeding.samples import Samples
from ..runtime.kerneldef import Array
from ..training import job_as_trained

if TYPE_CHECKING:
    from ..runtime.run_folder.trained import Trained


@dataclass(frozen=True, eq=False)
class ChosenSamples:
    """Some samples.

    Attributes:
        samples: The samples, which yield feeds.
        names: What to call each.
        warnings: What was done to them.
    """

    samples: Samples
    names: Sequence[str]
    warnings: tuple[Diagnostic, ...] = ()

    @property
    def feeds(self) -> dict[str, Array]:
        """What the network takes, by its names, (N, ...)."""
        return next(self.samples.still(len(self.samples)))

    @property
    def pictures(self) -> dict[str, Array]:
        """Inputs that are pictures, by the network's names, (N, C, H, W), before preprocessing.

        Channels that are neither one nor three are averaged.
        """
        samples = self.samples
        batch = samples.augmenter.still(samples.data.take(samples.indices))
        names = samples.wiring.inputs
        return {
            names[source]: as_pictures(array)
            for source, array in batch.inputs.items()
            if source in names and array.ndim == 4 and array.dtype.kind == "f"
        }


def as_pictures(array: Array) -> Array:
    """Pictures, (N, C, H, W), of one channel or three."""
    return array if array.shape[1] in (1, 3) else array.mean(axis=1, keepdims=True)


def choose(
    net: Network,
    trained: "Trained",
    x: Any,
    numbers: Sequence[int],
    *,
    part: str,
    data: Any = None,
    settings: Mapping[str, Any] | None = None,
) -> ChosenSamples:
    """Samples that are given, or those of some numbers of a part of the data.

    Raises:
        NetError: E547, there is no sample of a number; or what loading raises.
    """
    if x is not None:
        found = new_samples(net.model, trained, x, settings=settings or {})
        samples, names = found.samples, list(map(os.path.basename, found.names))
        where, warnings = "what is given", found.warnings
    else:
        job = job_as_trained(net.model, trained, settings or {}, data=data)
        samples, where = job.part(part), f"the {part} part of {job.data.about.name}"
        names, warnings = [f"{part} sample {number}" for number in range(len(samples))], ()
    for number in numbers:
        if not 0 <= number < len(samples):
            has = f"{where} has {len(samples)} samples"
            help = "samples count from 0; another part is chosen by `part` (`--part`)"
            raise error("E547", f"there is no sample {number}: {has}", help=help)
    places = np.asarray(numbers, np.int64)
    chosen = alone(replace(samples, indices=samples.indices[places]))
    return ChosenSamples(chosen, [names[place] for place in numbers], warnings)


def alone(samples: Samples) -> Samples:
    """Samples that the network is fed with without their targets."""
    return replace(samples, wiring=replace(samples.wiring, targets={}))


def the_pictures(net: Network, chosen: ChosenSamples) -> tuple[str, Array]:
    """The input that is a picture, and its pictures.

    Raises:
        NetError: E566, no input is a picture.
    """
    for name, pictures in chosen.pictures.items():
        return name, pictures
    inputs = ", ".join(str(spec) for spec in net.inputs)
    raise error("E566", f"no input of `{net.name}` is a picture", help=f"it takes {inputs}")
