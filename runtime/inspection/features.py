"""What a network makes of each sample of a data set -> a file of features, block by block."""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy

from ...compiler.ir.graph import Graph
from ...compiler.passes.eliminate_dead_nodes import eliminate_dead_nodes
from ...compiler.passes.rewrite import rewrite
from ...compiler.passes.set_mode import set_mode
from ...grammar.diagnostics import NetError, error
from ...grammar.files import atomic_writer
from ..engines.engine import engine_named
from ..engines.plan import resolve_fetches
from ..feeding.samples import Samples
from ..inference.evaluator import MEASURED_AT_ONCE
from ..kerneldef import Array
from ..training.job import ALL, Job

FEATURES = "x"
TARGETS = "y"
PARTS = (ALL, "train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Extracted:
    """What was written.

    Attributes:
        samples: How many samples.
        shape: The extents of a sample's features, channels first.
        targets: The arrays of targets in the file, by name, with their extents.
    """

    samples: int
    shape: tuple[int, ...]
    targets: Mapping[str, tuple[int, ...]]


class Extractor:
    """Computes a value of a network in inference mode, with weights that are given once.

    Args:
        graph: The network, mode-neutral.
        state: Parameters and buffers by name; those that the value depends on are read.
        label: A layer or label, or an output.
        engine, device: What computes.

    Raises:
        NetError: E101, there is no such value; E502, the engine is not available.
    """

    def __init__(
        self,
        graph: Graph,
        state: Mapping[str, Array],
        label: str,
        *,
        engine: str = "numpy",
        device: str = "cpu",
    ) -> None:
        self.label = label
        watched = rewrite(graph, {})
        watched.outputs = resolve_fetches(watched, [label])
        needed = eliminate_dead_nodes(set_mode(watched, training=False))
        self.inputs = tuple(name for name in needed.inputs)
        self.weights = {name: state[name] for name in needed.parameters}
        self._run = engine_named(engine).open(needed, device=device, weights=self.weights)

    def features(self, feeds: Mapping[str, Array]) -> Array:
        """The features of a batch, (N, ...).

        Raises:
            NetError: E564, the value has no row for each sample; or inputs do not fit.
        """
        given = {name: feeds[name] for name in self.inputs}
        array = self._run(given, self.weights)[self.label]
        count = len(next(iter(feeds.values())))
        if array.ndim == 0 or len(array) != count:
            raise _unfit(self.label, f"of {count} samples it is {list(array.shape)}")
        return array


def extract(
    job: Job, state: Mapping[str, Array], label: str, path: str, *, part: str = ALL
) -> Extracted:
    """Write the features of a data set, with its targets, to an `.npz` file.

    Its arrays are `x`, (N, ...), and `y`, the targets, or `y.<output>` of several: what
    `data = npz("features.npz")` reads. Features go to the file batch by batch.

    Args:
        job: Network, data and preprocessing; nothing is augmented.
        state: The network's weights.
        label: Which value is the feature: a layer or label, or an output.
        path: The file.
        part: `all`, in the order of the data, or `train`, `validation` or `test`.

    Raises:
        NetError: E101, E502, E564 as `Extractor` raises; E505, the file is called otherwise; E004,
            it cannot be written; or data and network do not fit together.
    """
    if not path.endswith(".npz"):
        raise error(
            "E505", f"`{path}` is not a `.npz` file", help="features are written to `.npz` files"
        )
    extractor = Extractor(job.graph, state, label, engine=job.engine, device=job.device)
    samples = job.part(part)
    if not len(samples):
        raise error("E531", f"the {part} part of {job.data.about.name} is empty")
    names = _names_of_targets(job)
    kept: dict[str, Array] = {}
    with atomic_writer(path) as file:
        shape = _write(file, extractor, samples, names, kept)
    return Extracted(len(samples), shape, {name: array.shape for name, array in kept.items()})


def _names_of_targets(job: Job) -> dict[str, str]:
    """The names of targets among the feeds, and in the file."""
    targets = job.wiring.targets
    if len(targets) == 1:
        return {target.name: TARGETS for target in targets.values()}
    return {target.name: f"{TARGETS}.{output}" for output, target in targets.items()}


def _write(
    file: BinaryIO,
    extractor: Extractor,
    samples: Samples,
    names: Mapping[str, str],
    kept: dict[str, Array],
) -> tuple[int, ...]:
    """Write all arrays, the features first; targets, which are small, are kept until then."""
    count = len(samples)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        blocks = _blocks(extractor, samples, names, kept)
        first = next(blocks)
        with _member(archive, FEATURES) as member:
            _write_rows(member, count, first, blocks, extractor.label)
        for name, array in kept.items():
            with _member(archive, name) as member:
                npy.write_array(member, array, allow_pickle=False)
    shape: tuple[int, ...] = first.shape[1:]
    return shape


def _blocks(
    extractor: Extractor, samples: Samples, names: Mapping[str, str], kept: dict[str, Array]
) -> Iterator[Array]:
    """The features, batch by batch; targets go to `kept` meanwhile."""
    start = 0
    for feeds in samples.still(MEASURED_AT_ONCE):
        for given, name in names.items():
            target = feeds[given]
            whole = kept.setdefault(name, np.empty((len(samples), *target.shape[1:]), target.dtype))
            whole[start : start + len(target)] = target
        start += len(next(iter(feeds.values())))
        yield extractor.features(feeds)


def _member(archive: zipfile.ZipFile, name: str) -> Any:
    # A fixed date: the same features give the same bytes.
    return archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True)


def _write_rows(member: Any, count: int, first: Array, rest: Iterable[Array], label: str) -> None:
    """An array of `count` rows, of which not more than a block is in memory."""
    header = {
        "descr": npy.dtype_to_descr(first.dtype),
        "fortran_order": False,
        "shape": (count, *first.shape[1:]),
    }
    npy.write_array_header_1_0(member, header)
    member.write(np.ascontiguousarray(first).data)
    for block in rest:
        if block.shape[1:] != first.shape[1:]:
            found = f"{list(first.shape[1:])} and {list(block.shape[1:])}"
            raise _unfit(label, f"samples have {found}")
        member.write(np.ascontiguousarray(block).data)


def _unfit(label: str, what: str) -> NetError:
    return error(
        "E564",
        f"`{label}` is not a feature of each sample: {what}",
        help="take a layer whose output has a row for each sample, all of one size",
    )
