"""A trained network and shards of samples -> a file of Parquet for each shard."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np

from ...compiler.ir.graph import Graph
from ...compiler.training.terms import Term
from ...grammar.files import atomic_writer
from ..data.parquet import arrow
from ..data.preprocessing import Fitted
from ..engines.session import Session
from ..feeding.samples import Samples
from ..feeding.wiring import wire_inputs
from ..inference.predictions import class_names_of, class_scores, samples_of
from ..kerneldef import Array
from ..kernels.workers import limited
from ..metrics.outputs import OutputForm
from .shards import Piece, Shard, Wanted, read_shard

MOST_AT_ONCE = 4096  # samples that a network is fed with at once
NUMBERS_AT_ONCE = 2**22  # of its inputs


@dataclass(frozen=True)
class Task:
    """What is predicted with what; it travels to other processes.

    Attributes:
        model: The network with its preprocessing and weights, an ONNX model.
        graph: The same without weights, for its inputs' types.
        shards: The samples.
        root: The folder that paths of files are relative to.
        output: The folder of the results.
        wanted: What the network takes of files.
        forms: How outputs are read, by name; others are numbers.
        called: What columns of outputs are called, where it is not the output's name.
        augment: What was done to samples in training, whose centres are taken.
        top: How many classes are named.
        device: `cpu`, or `cuda`.
        threads: How many threads compute; None for as many as onnxruntime chooses.
    """

    model: bytes
    graph: Graph
    shards: tuple[Shard, ...]
    root: str
    output: str
    wanted: Wanted
    forms: Mapping[str, OutputForm]
    called: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    augment: tuple[Term, ...] = ()
    top: int = 1
    device: str = "cpu"
    threads: int | None = None

    def path(self, number: int) -> str:
        """The file of a shard's results."""
        return os.path.join(self.output, f"part-{number:05}.parquet")

    def missing(self) -> list[int]:
        """The shards that have no file of results yet."""
        return [n for n in range(len(self.shards)) if not os.path.exists(self.path(n))]

    @cached_property
    def digest(self) -> str:
        """What identifies this task: the model, its reading, the files and their sizes."""
        digest = sha256(self.model)
        sizes = {file: os.path.getsize(file) for shard in self.shards for file in shard.files}
        digest.update(repr((self.shards, sizes, self.wanted, self.top, self.called)).encode())
        return digest.hexdigest()


class Predictor:
    """Predicts shards of a task in this process, with one session.

    Raises:
        NetError: E502, onnxruntime or the device is missing.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        with nullcontext() if task.threads is None else limited(task.threads):
            self._session = Session(task.model, device=task.device)

    def predict(self, number: int) -> int:
        """Write a shard's results, whole or not at all; returns how many rows they have.

        Raises:
            NetError: Samples cannot be read or do not fit, or E004.
        """
        task, rows = self.task, 0
        with atomic_writer(task.path(number)) as file:
            writer: Any = None
            for piece in read_shard(task.shards[number], task.wanted):
                for table in self._tables(piece):
                    if writer is None:
                        writer = arrow().parquet.ParquetWriter(file, table.schema)
                    writer.write_table(table)
                    rows += table.num_rows
            if writer is not None:
                writer.close()
        return rows

    def _tables(self, piece: Piece) -> Iterator[Any]:
        """The results of a piece, a table for each batch."""
        samples, task = self._samples(piece), self.task
        numbers = sum(max(array[0].size, 1) for array in piece.data.take([0]).inputs.values())
        size = max(1, min(MOST_AT_ONCE, NUMBERS_AT_ONCE // numbers))
        start = 0
        for feeds in samples.still(size):
            found = self._session.run(feeds)
            count = len(next(iter(feeds.values())))
            columns = self._places(piece, start, count)
            for name, array in found.items():
                if array.ndim and len(array) == count:
                    called = task.called.get(name, (name,))
                    columns |= answer_columns(called, array, task.forms.get(name), task.top)
            yield arrow().table(columns)
            start += count

    def _samples(self, piece: Piece) -> Samples:
        wiring = wire_inputs(self.task.graph, piece.data)
        return samples_of(piece.data, wiring, Fitted(), self.task.augment)

    def _places(self, piece: Piece, start: int, count: int) -> dict[str, Any]:
        """Where each sample comes from: its file, and its row in it."""
        if not isinstance(piece.files, str):
            files = [self._relative(file) for file in piece.files[start : start + count]]
            return {"file": files, "row": np.zeros(count, np.int64)}
        first = piece.row + start
        file = [self._relative(piece.files)] * count
        return {"file": file, "row": np.arange(first, first + count, dtype=np.int64)}

    def _relative(self, file: str) -> str:
        return os.path.relpath(file, self.task.root).replace(os.sep, "/")


def answer_columns(
    called: Sequence[str], output: Array, form: OutputForm | None, top: int
) -> dict[str, Any]:
    """What an output says, as columns.

    Of classes, `NAME` is the likeliest class and `NAME.score` its score, lists of them where
    several are asked for; of numbers, `NAME` is a number, or a list of them; where there are as
    many names as numbers, each has its own column.

    Args:
        called: The output's name, or those of its targets.
        output: What it says, (N, ...).
        form: How it is read.
        top: How many classes to name.
    """
    pa, name = arrow(), called[0]
    if form is None or form.task == "numbers" or form.axis is None or output.ndim != 2:
        flat = output.reshape(len(output), -1)
        values = pa.array(flat.reshape(-1))
        single = flat.shape[1] == 1
        if len(called) == flat.shape[1]:
            return {each: pa.array(flat[:, place]) for place, each in enumerate(called)}
        return {
            name: values if single else pa.FixedSizeListArray.from_arrays(values, flat.shape[1])
        }
    scores = class_scores(output, form)
    names = np.array(class_names_of(form, scores.shape[1]))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    best = np.take_along_axis(scores, order, axis=1).astype(np.float32)
    words = pa.array(names[order.reshape(-1)].tolist(), pa.string())
    chances = pa.array(best.reshape(-1))
    count = order.shape[1]
    return {name: _listed(words, count), f"{name}.score": _listed(chances, count)}


def _listed(values: Any, count: int) -> Any:
    """Values as they are, or as lists of `count` where it is above 1."""
    return values if count == 1 else arrow().FixedSizeListArray.from_arrays(values, count)
