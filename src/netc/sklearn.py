"""Estimators of scikit-learn that train a network: `NetClassifier` and `NetRegressor`.

They need scikit-learn, which the extra `sklearn` installs.
"""

from collections.abc import Callable, Mapping, Sequence
from math import prod
from os import PathLike, fspath
from typing import Any, Self

import numpy as np

from .callbacks import Callback, Epoch
from .choices import Device, EngineName
from .grammar.diagnostics import error
from .grammar.source import Source
from .lets import let_names, with_lets
from .loading import compile_program, load
from .network import Network
from .prediction import new_samples, output_forms
from .runtime.data import arrays
from .runtime.extras import from_extra
from .runtime.inference.predictions import class_scores
from .runtime.inference.predictions import predict as compute
from .runtime.kerneldef import Array
from .sources import ONNX, read_program
from .training import as_trained

with from_extra("`netc.sklearn` is built", "scikit-learn", "sklearn"):
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data


MOST_POOLED = 3  # times that pictures are pooled by default
DEFAULT = "<default network>"
TRAINING = """
train {{
  loss       = {loss}
  optimizer  = adam(lr=0.01)
  preprocess = standardize
  epochs     = 50
}}
"""


def default_program(shape: Sequence[int], outputs: int, loss: str) -> Source:
    """A small network for samples of a shape: (C, H, W) is a picture, anything else is features."""
    if len(shape) == 3:
        channels, height, width = shape
        pooled = min(MOST_POOLED, min(height, width).bit_length() - 1)
        body = f"INPUT({height}x{width}x{channels}) -> [CONV(3x3, 32) -> RELU -> POOL]*{pooled}"
    else:
        body = f"INPUT({prod(shape)})"
    text = f"{body} -> FC(64) -> RELU -> FC({outputs})"
    return Source(DEFAULT, text + TRAINING.format(loss=loss))


class NetEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """What both estimators share; see `NetClassifier`."""

    _loss: str
    _answers: str  # the `let` that is the number of outputs

    def __init__(
        self,
        net: "Network | str | PathLike[str] | None" = None,
        *,
        lets: Mapping[str, Any] | None = None,
        epochs: int | None = None,
        batch: int | None = None,
        lr: float | None = None,
        settings: Mapping[str, Any] | None = None,
        validation_fraction: float = 0.0,
        patience: int | None = None,
        engine: EngineName = "numpy",
        device: Device = "cpu",
        callbacks: Sequence[Callback | Callable[[Epoch], object]] = (),
        random_state: Any = None,
        verbose: bool = False,
    ) -> None:
        self.net = net
        self.lets = lets
        self.epochs = epochs
        self.batch = batch
        self.lr = lr
        self.settings = settings
        self.validation_fraction = validation_fraction
        self.patience = patience
        self.engine = engine
        self.device = device
        self.callbacks = callbacks
        self.random_state = random_state
        self.verbose = verbose

    def _fit(self, x: Array, t: Array, outputs: int, names: tuple[str, ...] = ()) -> None:
        """Train a network that takes x, (N, ...), and has `outputs` outputs, on targets t."""
        network = self._network(x, outputs)
        given = {"epochs": self.epochs, "batch": self.batch, "lr": self.lr}
        settings: dict[str, Any] = {n: value for n, value in given.items() if value is not None}
        if network.recipe is None:
            settings["loss"] = self._loss
        held_out = self.validation_fraction
        if not 0 <= held_out < 1:
            message = f"`validation_fraction` must be at least 0 and below 1, not `{held_out}`"
            raise error("E125", message, help="such as 0.1")
        settings |= {"split": (1 - held_out, held_out, 0), **(self.settings or {})}
        settings.setdefault("seed", int(check_random_state(self.random_state).randint(2**31 - 1)))
        run = network.train(
            arrays(_as_fed(network, x), t, classes=names),
            engine=self.engine,
            device=self.device,
            patience=self.patience,
            callbacks=self.callbacks,
            verbose=self.verbose,
            **settings,
        )
        self.network_ = network
        self.trained_ = as_trained(network.graph, run, None)
        self.history_ = run.history

    def _network(self, x: Array, outputs: int) -> Network:
        """The network, its `let`s as the data have them.

        Raises:
            NetError: The program is wrong, or has another number of outputs (E529).
        """
        sizes = {"inputs": prod(x.shape[1:]), self._answers: outputs}
        if x.ndim == 4:
            sizes |= dict(zip(("channels", "height", "width"), x.shape[1:], strict=True))
        network = self._compiled(x.shape[1:], sizes)
        found = prod(each for each in network.outputs[0].shape[1:] if isinstance(each, int))
        if found not in self._allowed(outputs):
            few = f"`{network.name}` has {found} outputs for {outputs} {self._answers}"
            let = f"`let {self._answers} = {outputs}`"
            help = f"end it in `FC({self._answers})` after {let}, which `fit` sets by the data"
            raise error("E529", few, help=help)
        return network

    def _allowed(self, outputs: int) -> tuple[int, ...]:
        """How many outputs a network may have for this number of targets or classes."""
        return (outputs,)

    def _compiled(self, shape: Sequence[int], sizes: Mapping[str, int]) -> Network:
        net: Any = self.net
        if isinstance(net, str | PathLike) and fspath(net).endswith(ONNX):
            net = load(net)
        if isinstance(net, Network):
            program = net.model.metadata.program
            if program is None:
                return net
            source = program.source
        elif net is None:
            source = default_program(shape, sizes[self._answers], self._loss)
        else:
            source = read_program(fspath(net))
        own = let_names(source)
        lets = {name: value for name, value in sizes.items() if name in own} | dict(self.lets or {})
        if isinstance(net, Network) and not lets:
            return net
        network = compile_program(with_lets(source, lets))
        if not isinstance(net, Network):
            return network
        return Network(network.model.revised(recipe=net.recipe))

    def _outputs(self, x: Any) -> tuple[str, Array]:
        """The name of the network's first output, and what it says of samples, (N, ...)."""
        check_is_fitted(self)
        given = validate_data(self, x, reset=False, allow_nd=True)
        graph, trained = self.network_.graph, self.trained_
        fed = _as_fed(self.network_, given)
        new = new_samples(self.network_.model, trained, fed, settings={})
        # In double precision a sample's answer does not depend on those beside it.
        dtype = "float64" if self.engine == "numpy" else None
        options: dict[str, Any] = {"engine": self.engine, "device": self.device, "dtype": dtype}
        found = compute(graph, trained.weights, new.samples, **options)
        return next(iter(found.items()))


def _as_fed(network: Network, x: Array) -> Array:
    """Features as real numbers where the network takes those; bytes of pictures stay bytes."""
    pictures = x.dtype == np.uint8 and x.ndim > 2
    whole = not network.inputs[0].dtype.startswith("float")
    return x if pictures or whole else x.astype(np.float32)


class NetClassifier(ClassifierMixin, NetEstimator):  # type: ignore[misc]  # no types
    """A network as a classifier of scikit-learn.

    Where the program has a `let` named `inputs` (features) or `classes`, or for pictures
    `channels`, `height` or `width`, `fit` gives it the data's number. X is (N, features), or
    (N, C, H, W) for pictures; y holds a class for each sample, as numbers or words.

    Args:
        net: A `.net` file, a program as text, `zoo:NAME`, or a `Network`; by default, a small
            network of dense layers, for pictures of convolutions.
        lets: Other values of the program's `let`s, by name.
        epochs: See `Network.train`; None leaves the program's.
        batch: The size of batches; None leaves the program's.
        lr: The learning rate; None leaves the program's.
        settings: Other settings of the `train` block by name, such as `{"schedule": "cosine"}`.
        validation_fraction: The share of samples that choose the best epoch, not trained on.
        patience: Stop after this many epochs without improvement.
        engine: `numpy` or `onnxruntime`.
        device: `cpu` or, on onnxruntime, `cuda`.
        callbacks: See `Network.train`.
        random_state: An integer, for the same results each time; a generator, or None.
        verbose: Whether to show progress.

    Attributes:
        classes_: The classes, in the order of the columns of `predict_proba`.
        network_: The network that was trained.
        trained_: Its weights, preprocessing and settings; `run` of `Network.predict`.
        history_: The results of each epoch.
        n_features_in_: The number of features.
    """

    _loss = "cross_entropy"
    _answers = "classes"

    def fit(self, X: Any, y: Any) -> Self:
        """Train the network.

        Raises:
            NetError: Program, settings and data do not match.
            ValueError: Scikit-learn refuses the data.
        """
        x, labels = validate_data(self, X, y, allow_nd=True)
        check_classification_targets(labels)
        self.classes_, t = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("a classifier needs two classes or more, and y has one class")
        self._fit(x, t, len(self.classes_), tuple(map(str, self.classes_)))
        return self

    def predict_proba(self, X: Any) -> Array:
        """Probabilities, (N, classes); of a loss of margins, such as `hinge`, the margins."""
        name, found = self._outputs(X)
        form = output_forms(self.network_.model, self.trained_, {})[name]
        return class_scores(found.reshape(len(found), -1), form)

    def predict(self, X: Any) -> Array:
        """The likeliest class of each sample, (N,)."""
        scores = self.predict_proba(X)
        chosen: Array = self.classes_[scores.argmax(axis=1)]
        return chosen

    def _allowed(self, outputs: int) -> tuple[int, ...]:
        return (1, 2) if outputs == 2 else (outputs,)


class NetRegressor(RegressorMixin, NetEstimator):  # type: ignore[misc]  # no types
    """A network as a regressor of scikit-learn; the arguments are those of `NetClassifier`.

    The program's `let`s `inputs` and `outputs` get the data's numbers. y is (N,), or (N, outputs).
    Targets are taken as they are: `TransformedTargetRegressor` scales them.
    """

    _loss = "mse"
    _answers = "outputs"

    def fit(self, X: Any, y: Any) -> Self:
        """Train the network.

        Raises:
            NetError: Program, settings and data do not match.
            ValueError: Scikit-learn refuses the data.
        """
        x, values = validate_data(self, X, y, allow_nd=True, multi_output=True, y_numeric=True)
        if values.ndim == 2 and values.shape[1] == 1:
            values = column_or_1d(values, warn=True)
        self._outputs_shape = values.shape[1:]
        t = values.reshape(len(values), -1).astype(np.float32)
        self._fit(x, t, t.shape[1])
        return self

    def predict(self, X: Any) -> Array:
        """The numbers of each sample, (N,), or (N, outputs) as y was."""
        _, found = self._outputs(X)
        return found.reshape(len(found), *self._outputs_shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
