"""Networks that can be trained: weights to start from, checks before training, and training.

Each method loads what it calls, so that networks which are not trained start without NumPy.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any, Self

from .choices import Device, EngineName
from .compiler.model import Model
from .grammar.diagnostics import error

if TYPE_CHECKING:
    from .cross_validation import CrossValidation
    from .runtime.kerneldef import Array
    from .runtime.run_folder.history import Epoch
    from .runtime.sanity.checks import Check
    from .runtime.training.loop import Callback
    from .runtime.training.rate_range import RateRange
    from .runtime.training.run import Run
    from .runtime.weights.transfer import Matching, Rename
    from .training import Watched

    Weights = Mapping[str, Array] | str | PathLike[str]


@dataclass(frozen=True)
class Trainable:
    """A model as training sees it."""

    model: Model

    def initialize(self, seed: int = 0) -> "Mapping[str, Array]":
        """Parameters and buffers by name, drawn when read."""
        from .runtime.weights.initialize import initialize

        return initialize(self.model.graph, seed)

    def check_weights(self, state: "Mapping[str, Array]") -> None:
        """Compare weights with the network.

        Raises:
            NetError: Weights are missing, unexpected, or of the wrong shape or type.
        """
        from .runtime.weights.files import check_weights

        check_weights(self.model.graph, state)

    def match_weights(
        self,
        state: "Mapping[str, Array]",
        *,
        allow: Sequence[str] = (),
        rename: "Rename | None" = None,
    ) -> "Matching":
        """Find by name what the network can take of some weights, such as another network's.

        Args:
            state: Weights by name.
            allow: Patterns such as `head.*` of weights that need not match.
            rename: A function from names to names, or a table of names or their beginnings.

        Raises:
            NetError: Weights match neither each other nor `allow`, or are renamed alike.
        """
        from .runtime.weights.transfer import match_weights

        return match_weights(self.model.graph, state, allow=allow, rename=rename)

    def freeze(self, patterns: Sequence[str]) -> Self:
        """The network with `frozen=yes` for layers, given by patterns such as `conv*`.

        Raises:
            NetError: A pattern matches no layer.
        """
        from .runtime.weights.transfer import freeze

        return replace(self, model=self.model.revised(freeze(self.model.graph, patterns)))

    def lsuv(self, x: "Array | Mapping[str, Array]", *, seed: int = 0) -> "dict[str, Array]":
        """Weights with which each layer's output has variance 1 on a batch (LSUV).

        Args:
            x: The batch, or inputs by name.
            seed: The seed for the orthonormal weights that are scaled.

        Raises:
            NetError: The inputs do not fit.
        """
        from .runtime.inspection.lsuv import lsuv

        return lsuv(self.model.graph, self._named(x), seed)

    def with_settings(self, **settings: Any) -> Self:
        """The network with settings of its `train` block, or optimizer arguments, replaced.

        Args:
            settings: By name, as text in the program's notation or as Python values:
                `batch=64`, `lr=0.01`, `schedule="cosine(warmup=5)"`.

        Raises:
            NetError: A setting is unknown, does not take the value, or contradicts others.
        """
        from .training import recipe_of

        return replace(self, model=self.model.revised(recipe=recipe_of(self.model, settings)))

    def train(
        self,
        data: Any = None,
        *,
        engine: EngineName | None = None,
        device: Device | None = None,
        output: "str | PathLike[str] | None" = None,
        resume: bool = False,
        force: bool = False,
        weights: "Weights | None" = None,
        monitor: str | None = None,
        patience: int | None = None,
        callbacks: "Sequence[Callback | Callable[[Epoch], object]]" = (),
        verbose: bool = False,
        **settings: Any,
    ) -> "Run":
        """Train the network as its `train` block says.

        Args:
            data: `(x, t)`, arrays or dictionaries of them, a data frame, a data set, or text such
                as `npz("new.npz")`, not the block's data.
            engine: `numpy`, the default, or `onnxruntime`; a resumed run keeps its own.
            device: `cpu`, the default, or, on onnxruntime, `cuda`.
            output: The folder for checkpoints, history, curves and weights.
            resume: Continue from the checkpoint in that folder.
            force: Overwrite the run in that folder.
            weights: Weights to start from, by name, or a file of them.
            monitor: What decides which epoch is best, such as `val_f1`; the validation loss by
                default.
            patience: Stop after this many epochs without improvement.
            callbacks: What follows the run, called in turn: objects derived from
                `netc.callbacks.Callback`, and functions that are called with each epoch. One that
                returns True ends the run; an exception of theirs reaches the caller.
            verbose: Whether to show progress on standard error, as `netc train` does, or in a
                notebook as curves that each epoch redraws.
            settings: Settings of the block by name, such as `epochs=5` or `lr=0.01`; with a data
                frame also what `netc.data.table` takes, such as `target="species"`.
                `validation` and `test` are data as well, where these parts are given.

        Returns:
            The run, with `history`, `state` (the best weights) and `test` (losses and metrics).

        Raises:
            NetError: Data, network and settings do not match, or the loss is not finite.
        """
        from .training import state_of, train
        from .training_bar import training_progress

        run, _ = train(
            *(self.model, data),
            settings=settings,
            output=None if output is None else fspath(output),
            resume=resume,
            force=force,
            weights=state_of(self.model.graph, weights),
            monitor=monitor,
            patience=patience,
            engine=engine,
            device=device,
            progress=training_progress() if verbose else None,
            callbacks=callbacks,
        )
        return run

    def cross_validate(
        self,
        data: Any = None,
        *,
        folds: int = 5,
        output: "str | PathLike[str] | None" = None,
        **settings: Any,
    ) -> "CrossValidation":
        """Train `folds` times, each time tested on another of as many equal parts of the data.

        The validation part is taken from the rest, in the proportion of `split`. Samples of one
        group stay together; in time, each fold is tested on what follows its training part.

        Args:
            data: See `train`.
            folds: How many parts, at least 2.
            output: The folder for a run each, `fold1` and so on, and `folds.csv`.
            settings: See `train`.

        Returns:
            The `runs`, `folds` (loss and metrics of each), their `mean` and their `deviation`.

        Raises:
            NetError: See `train`; the data do not divide into that many folds.
        """
        from .cross_validation import cross_validate

        folder = None if output is None else fspath(output)
        return cross_validate(self.model, data, folds=folds, settings=settings, output=folder)

    def watch(
        self,
        data: Any = None,
        *,
        say: Callable[[str], None] | None = None,
        output: "str | PathLike[str] | None" = None,
        weights: "Weights | None" = None,
        callbacks: "Sequence[Callback | Callable[[Epoch], object]]" = (),
        **settings: Any,
    ) -> "Watched":
        """Train with a monitor that records each layer after each epoch.

        Args:
            data: See `train`.
            say: Called with each new symptom, such as `print`.
            output: The folder of the run, which gets the records as well.
            weights: Weights to start from, by name, or a file of them.
            callbacks: See `train`.
            settings: Settings of the block by name.

        Returns:
            The `run`, and `records` with `signals`, `changes` and `symptoms`.

        Raises:
            NetError: See `train`.
        """
        from .training import Watched, state_of, train

        folder = None if output is None else fspath(output)
        state = state_of(self.model.graph, weights)
        options: dict[str, Any] = {"settings": settings, "output": folder, "weights": state}
        options["callbacks"] = callbacks
        return Watched(*train(self.model, data, watch=True, say=say, **options))

    def find_lr(
        self,
        data: Any = None,
        *,
        low: float = 1e-6,
        high: float = 10.0,
        steps: int = 100,
        weights: "Weights | None" = None,
        **settings: Any,
    ) -> "RateRange":
        """Train a few steps with a learning rate that rises, to see which one to take.

        Args:
            data: See `train`.
            low: The first rate.
            high: The last one; the test ends before where the loss has become too large.
            steps: How many steps there are, at rates that rise by the same factor.
            weights: Weights to start from, by name, or a file of them.
            settings: Settings of the block by name.

        Returns:
            The `rates`, the `losses`, and a `suggestion`; `draw(path)` draws them.

        Raises:
            NetError: See `train`; E125, the rates are no range.
        """
        from .training import find_rate, state_of

        state = state_of(self.model.graph, weights)
        return find_rate(self.model, data, settings, state, low=low, high=high, steps=steps)

    def sanity(
        self,
        data: Any = None,
        *,
        weights: "Weights | None" = None,
        samples: int = 20,
        steps: int = 200,
        engine: EngineName = "numpy",
        device: Device = "cpu",
        **settings: Any,
    ) -> "list[Check]":
        """Check data, loss, activations and gradients, and train on a few samples.

        Args:
            data: See `train`.
            weights: Weights to start from, by name, or a file of them.
            samples: The number of samples to memorize.
            steps: The maximum number of steps for each learning rate.
            engine: `numpy` or `onnxruntime`.
            device: `cpu` or, on onnxruntime, `cuda`.
            settings: Settings of the block by name.

        Returns:
            The checks, each with `name`, `ok`, `message` and `advice`.

        Raises:
            NetError: Data, network and settings do not match.
        """
        from .inspection import sanity
        from .training import state_of

        state = state_of(self.model.graph, weights)
        options: dict[str, Any] = {"data": data, "weights": state}
        options |= {"engine": engine, "device": device, "settings": settings}
        return sanity(self.model, samples=samples, steps=steps, **options)

    def _named(self, x: "Array | Mapping[str, Array]") -> "Mapping[str, Array]":
        """Inputs by name; a single array is the first input.

        Raises:
            NetError: E206, an input is called by the name of a value that it is bound to.
        """
        from .runtime.arrays.feeds import help_on_value

        graph = self.model.graph
        if not isinstance(x, Mapping):
            return {next(iter(graph.inputs), "input"): x}
        for name in x.keys() - graph.inputs.keys():
            if help := help_on_value(graph, name):
                raise error("E206", f"the network has no input `{name}`", help=help)
        return x
