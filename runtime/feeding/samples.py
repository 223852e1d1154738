"""Samples of a data set -> batches that a network can be fed with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np

from ...compiler.passes.shards import FIRST, SHARD_INPUTS, WHOLE
from ..data.adapting import adapter
from ..data.augmentation import Augmenter
from ..data.dataset import IN_PICTURES, Batch, Dataset
from ..data.labels import check_range
from ..data.preprocessing import Fitted
from ..data.splits import Last, batch_indices, shuffled
from ..kerneldef import Array
from .wiring import Wiring

Feeds = dict[str, Array]


def batch_size(feeds: Mapping[str, Array]) -> int:
    """How many samples a batch has, of which a rank may be fed with a shard."""
    return int(feeds[WHOLE]) if WHOLE in feeds else len(next(iter(feeds.values())))


def own_arrays(feeds: Mapping[str, Array]) -> Feeds:
    """What a rank is fed with of its shard; nothing where that is empty."""
    return {name: array for name, array in feeds.items() if name not in SHARD_INPUTS}


def shard_sizes(samples: int, ranks: int) -> list[int]:
    """How many samples of a batch each rank gets: the first ones one more, where it must be."""
    return [samples // ranks + (rank < samples % ranks) for rank in range(ranks)]


@dataclass(frozen=True, slots=True)
class Samples:
    """Some samples of a data set as a network sees them.

    Attributes:
        data: The data set.
        indices: The numbers of the samples.
        wiring: Where their arrays go.
        fitted: Preprocessing, fitted to the training part.
        augmenter: What is done by chance, or, in `still` batches, by its centre.
        batch: Samples of a batch; None for all.
        last: What becomes of a short last batch.
        seed: Of the order in which they come.
        rank, ranks: Of how many ranks this is which: each gets a shard of each batch to train on,
            and of the batches to measure on every so manieth.
        mixed: Where arrays of `batches` go, where these mix samples; as `wiring` where it is None.
    """

    data: Dataset
    indices: Array
    wiring: Wiring
    fitted: Fitted
    augmenter: Augmenter
    batch: int | None = 32
    last: Last = "keep"
    seed: int = 0
    rank: int = 0
    ranks: int = 1
    mixed: Wiring | None = None

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def steps(self) -> int:
        """The number of batches of an epoch."""
        return len(batch_indices(self.indices, self.batch, last=self.last))

    @property
    def sizes(self) -> list[int]:
        """How many samples the batches of an epoch have: the usual number, and a short last one."""
        found = map(len, batch_indices(self.indices, self.batch, last=self.last))
        return list(dict.fromkeys(found))

    def batches(self, epoch: int, start: int = 0) -> Iterator[Feeds]:
        """The batches of an epoch from batch `start` on, shuffled and augmented.

        Raises:
            NetError: The data is damaged, or a label is out of range (E523).
        """
        order = shuffled(self.indices, seed=self.seed, epoch=epoch)
        for whole in batch_indices(order, self.batch, last=self.last)[start:]:
            sizes = shard_sizes(len(whole), self.ranks)
            before = sum(sizes[: self.rank])
            shard = slice(before, before + sizes[self.rank])
            place = {FIRST: np.array(before), WHOLE: np.array(len(whole))}
            feeds = self._augmented(whole, shard, epoch=epoch) if sizes[self.rank] else {}
            yield feeds if self.ranks == 1 else {**feeds, **place}

    def endless(self) -> Iterator[Feeds]:
        """The batches of epoch after epoch."""
        for epoch in count():
            yield from self.batches(epoch)

    def still(self, size: int) -> Iterator[Feeds]:
        """All samples in their own order, without anything random, for measuring.

        Raises:
            NetError: As `batches`.
        """
        batches = batch_indices(self.indices, size) if len(self) else ()
        for indices in batches[self.rank :: self.ranks]:
            batch = self.augmenter.still(self.data.take(indices))
            yield self._feeds(batch, indices, self.wiring)

    def _augmented(self, whole: Array, shard: slice, *, epoch: int) -> Feeds:
        """A shard of a batch; where samples are mixed, all of these are there before."""
        indices = whole[shard] if self.mixed is None else whole
        batch = self.augmenter.augment(self.data.take(indices), indices, epoch=epoch)
        if self.mixed is None:
            return self._feeds(batch, indices, self.wiring)
        feeds = self._feeds(batch, indices, self.mixed)
        return {name: array[shard] for name, array in feeds.items()}

    def _feeds(self, batch: Batch, indices: Array, wiring: Wiring) -> Feeds:
        where, feeds = self.data.about.name, {}
        inputs = self.fitted.apply(batch.inputs)
        for source, name in wiring.inputs.items():
            array, what = inputs[source], f"input `{source}`"
            unit = self.data.about.units.get(source)
            feeds[name] = adapter(where, what, array, wiring.types[source], unit=unit)(array)
        for target in wiring.targets.values():
            if target.source is None:
                continue
            array, what = batch.targets[target.source], f"target `{target.source}`"
            if target.below:
                ignored, ignoring = target.ignored, target.ignoring
                check_range(where, array, indices, target.below, ignored=ignored, ignoring=ignoring)
            adapt = adapter(where, what, array, target.type, classes=target.indices)
            feeds[target.name] = adapt(array)
            for mixture in batch.mixtures:
                if not (mixture.pasted and self._lies_in_pictures(target.source)):
                    feeds[target.name] = mixture.mixed(feeds[target.name])
        return feeds

    def _lies_in_pictures(self, target: str) -> bool:
        return self.data.about.kinds.get(target) in IN_PICTURES
