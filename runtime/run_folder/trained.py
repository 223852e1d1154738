"""The folder of a run -> its weights and preprocessing, to measure with and to answer with."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from ...grammar.diagnostics import Diagnostic, error, listing
from ..data.class_names import by_names
from ..data.column_names import by_columns
from ..data.columns import Column
from ..data.dataset import Dataset
from ..data.preprocessing import MISSING, Fitted, FittedStep
from ..data.table_data import TableData
from ..data.table_options import Known
from ..feeding.wiring import Wiring
from ..kerneldef import Array
from ..weights.files import load_weights
from .checkpoint import load_preprocessing
from .folder import CHECKPOINT, WEIGHTS, Facts


@dataclass(frozen=True, slots=True)
class Trained:
    """What training made.

    Attributes:
        weights: Parameters and buffers by name.
        fitted: Preprocessing that was fitted to the training part; None where it is not known.
        facts: What the run was; empty where it is not known.
    """

    weights: Mapping[str, Array]
    fitted: Fitted | None = None
    facts: Facts = field(default_factory=Facts)

    def __repr__(self) -> str:
        return f"<Trained: {len(self.weights)} weights>"

    def fitted_to(self, wiring: Wiring) -> Fitted | None:
        """The preprocessing by the names that inputs have in other data than the run's."""
        if self.fitted is None:
            return None
        now = {network: name for name, network in wiring.inputs.items()}
        names = {name: now.get(network, name) for name, network in self.facts.inputs.items()}
        steps = (
            FittedStep(
                step.name, {names.get(name, name): state for name, state in step.arrays.items()}
            )
            for step in self.fitted.steps
        )
        return Fitted(tuple(steps), self.fitted.targets)

    def as_in_the_run(self, data: Dataset) -> Dataset:
        """Other data with the run's columns in the run's order, and the run's classes.

        Raises:
            NetError: E526, a column of the run is missing; E523, the run does not know a class;
                E524, a value is missing and nothing replaces it.
        """
        data = self.with_columns(data)
        return by_names(data, self._class_names(data))

    def with_columns(self, data: Dataset) -> Dataset:
        """As `as_in_the_run`, of inputs alone.

        Raises:
            NetError: As `as_in_the_run`.
        """
        if not isinstance(data, TableData):
            return by_columns(data, self.facts.columns)
        if self.known.columns:
            data = data.like(self.known.columns)
        steps = () if self.fitted is None else self.fitted.steps
        data.check_gaps(filled=any(step.name == MISSING for step in steps))
        return data

    @property
    def known(self) -> Known:
        """What is known of the table that the run was trained on."""
        facts = self.facts
        plain = {n: tuple(map(Column, names)) for n, names in facts.columns.items() if names}
        return Known({**plain, **facts.encodings}, facts.targets, facts.key)

    def _class_names(self, data: Dataset) -> dict[str, tuple[str, ...]]:
        """What the run called its classes, by the name that the data have for the target.

        A single target belongs to the only output; several have the outputs' names.
        """
        names = {output: facts.names for output, facts in self.facts.outputs.items()}
        targets = list({**data.about.kinds, **data.about.class_names})
        if len(targets) == 1 and len(names) == 1:
            return {targets[0]: next(iter(names.values()))}
        return {target: names[target] for target in targets if target in names}


def open_trained(folder: str | None, weights: str | None = None) -> Trained:
    """The weights of a run, or those of a file.

    Args:
        folder: The run's folder.
        weights: A file of weights that goes before the run's own.

    Raises:
        NetError: E546, there is nothing to open; or files cannot be read.
    """
    if folder is None:
        if weights is None:
            help = "give `--run FOLDER` or `--weights FILE`"
            raise error("E546", "there are no weights", help=help)
        return Trained(load_weights(weights))
    checkpoint, own = os.path.join(folder, CHECKPOINT), os.path.join(folder, WEIGHTS)
    if not os.path.exists(checkpoint) or (weights is None and not os.path.exists(own)):
        raise error(
            "E546",
            f"`{folder}` is not the folder of a finished run",
            help=f"train first: `netc train FILE -o {folder}`, with `--resume` to continue",
        )
    return Trained(
        load_weights(weights or own),
        Fitted.from_state(load_preprocessing(checkpoint)),
        Facts.read(folder),
    )


def class_names_beside(weights: str) -> dict[str, tuple[str, ...]]:
    """The names of classes by output, where a file of weights lies in the folder of its run."""
    if os.path.basename(weights) != WEIGHTS:
        return {}
    facts = Facts.read(os.path.dirname(weights))
    return {output: each.names for output, each in facts.outputs.items()}


def preprocessing_lost(weights: str, program: str) -> tuple[Diagnostic, ...]:
    """W525 where a file of weights lies in the folder of a run that preprocessed its samples.

    Args:
        weights: The file of weights.
        program: What messages call the program.
    """
    folder = os.path.dirname(weights) or "."
    checkpoint = os.path.join(folder, CHECKPOINT)
    if os.path.basename(weights) != WEIGHTS or not os.path.isfile(checkpoint):
        return ()
    fitted = Fitted.from_state(load_preprocessing(checkpoint))
    names = dict.fromkeys(step.name for step in fitted.steps)
    if not names and not fitted.targets:
        return ()
    done = f"samples after {listing(names)}" if names else "targets of another unit"
    return (
        Diagnostic(
            "W525",
            f"`{weights}` was trained on {done}, which weights do not include",
            help=f"`netc export {program} --run {folder}` puts preprocessing into the model, and"
            f" `netc predict {program} --run {folder}` applies it",
        ),
    )
