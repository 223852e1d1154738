"""Who computes the same work: our engines, and PyTorch in several ways."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ...compiler.passes.set_mode import set_mode
from ...compiler.training.objective import LOSS
from ..arrays.held import one_by_one
from ..engines.engine import engine_named
from ..kerneldef import Array
from ..training.stepper import Stepper, scalars
from .work import Work


def stays() -> None:
    """What needs no restart: the same work is computed each time."""


@dataclass(frozen=True)
class Task:
    """The work, prepared.

    Attributes:
        compute: Computes it once, and returns what comes of it, arrays or tensors by name.
        restart: Goes back to the first step of training, so that all contenders compute the same:
            where a network knows its batch by heart, gradients underflow, which takes longer.
    """

    compute: Callable[[], Mapping[str, Any]]
    restart: Callable[[], None] = stays


PYTORCH = "pytorch"
# What makes glibc keep memory rather than to give each large array back to the system.
KEEPS_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
    "MALLOC_TOP_PAD_": str(2**28),
}


@dataclass(frozen=True)
class Contender:
    """One way to compute the work, in a separate process.

    Attributes:
        name: What tables call it.
        engine: `numpy`, `onnxruntime` or `pytorch`.
        channels_last: Whether images lie with the channels innermost; PyTorch only.
        environment: What its process has in its environment besides ours.
    """

    name: str
    engine: str
    channels_last: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def available(self) -> bool:
        """Whether its package is installed."""
        return self.engine == "numpy" or find_spec(MODULES[self.engine]) is not None

    def applies_to(self, work: Work) -> bool:
        """Whether it differs from others on the work: channels can be last in images only."""
        return not self.channels_last or any(value.type.rank == 4 for value in _convolved(work))

    def load(self) -> None:
        """Import what it computes with.

        Raises:
            NetError: E502, it is not installed.
        """
        _LOADERS[self.engine]()

    def open(self, work: Work) -> Task:
        """Prepare the work to be computed again and again."""
        return _OPENERS[self.engine](self, work)


def _convolved(work: Work) -> list[Any]:
    return [node.inputs[0] for node in work.graph.records if node.op_type in IMAGES]


IMAGES = {"Conv", "ConvTranspose", "MaxPool", "AveragePool"}
MODULES = {"onnxruntime": "onnxruntime", PYTORCH: "torch"}

CONTENDERS: Mapping[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("numpy", "numpy"),
        Contender("onnxruntime", "onnxruntime"),
        Contender("PyTorch", PYTORCH),
        Contender("PyTorch channels_last", PYTORCH, channels_last=True),
        Contender("PyTorch keep", PYTORCH, environment=KEEPS_MEMORY),
        Contender(
            "PyTorch channels_last keep", PYTORCH, channels_last=True, environment=KEEPS_MEMORY
        ),
    )
}


def _open_engine(contender: Contender, work: Work) -> Task:
    """An engine of ours, as `Network.run` and `Network.train` use it, or the exported model."""
    if not work.step and contender.engine == "onnxruntime":
        return _open_exported(work)
    if not work.step:
        settled = set_mode(work.graph, training=False)
        run = engine_named(contender.engine).open(settled, weights=work.state)
        return Task(lambda: run(work.inputs, work.state))
    stepper = Stepper(work.train_step(), work.state, engine=contender.engine)
    rates = work.rates
    taken = 0

    def advance() -> Mapping[str, Array]:
        nonlocal taken
        given = scalars(stepper.step.graph, taken, *rates)
        taken += 1
        return stepper.advance({**work.feeds, **given})

    def restart() -> None:
        nonlocal taken
        taken = 0
        stepper.restart(work.state)

    return Task(advance, restart)


def _open_exported(work: Work) -> Task:
    """The model as `Network.export` writes it: onnxruntime folds and lays out constant weights."""
    from ...compiler.emit.onnx import export
    from ..engines.session import Session

    with TemporaryDirectory() as folder:
        path = str(Path(folder, "model.onnx"))
        export(work.graph, work.state, path)
        session = Session(path)
    outputs = dict(zip(work.graph.outputs, session.outputs, strict=True))

    def forward() -> Mapping[str, Array]:
        found = session.run(work.inputs)
        return {name: found[output] for name, output in outputs.items()}

    return Task(forward)


def _open_pytorch(contender: Contender, work: Work) -> Task:
    """PyTorch, eager."""
    import torch

    from .torch_network import TorchNetwork
    from .torch_training import TorchStep

    options = {"channels_last": contender.channels_last}
    if work.step:
        recipe = work.recipe
        update = (recipe.optimizer, *work.rates)
        step = TorchStep(work.graph, recipe.objective, update, work.state, work.symbols, **options)
        fed = {name: step.network.laid(torch.tensor(a)) for name, a in work.feeds.items()}
        return Task(lambda: step(fed), partial(step.restart, work.state))
    graph = set_mode(work.graph, training=False)
    network = TorchNetwork(graph, work.state, work.symbols, training=False, **options)
    fed = {name: network.laid(torch.tensor(a)) for name, a in work.inputs.items()}

    def forward() -> Mapping[str, Any]:
        with torch.inference_mode():
            return network(fed)

    return Task(forward)


def _load_numpy() -> None:
    """NumPy is there already."""


def _load_onnxruntime() -> None:
    from ...compiler.emit import onnx  # noqa: F401 - what writes its models
    from ..engines.session import version

    version()


def _load_pytorch() -> None:
    import torch

    from . import torch_training  # noqa: F401 - loaded before memory is measured

    # The first optimizer loads a compiler, whether it is used or not.
    torch.optim.SGD([torch.zeros(1, requires_grad=True)]).step()


_LOADERS: Mapping[str, Callable[[], None]] = {
    "numpy": _load_numpy,
    "onnxruntime": _load_onnxruntime,
    PYTORCH: _load_pytorch,
}
_OPENERS: Mapping[str, Callable[[Contender, Work], Task]] = {
    "numpy": _open_engine,
    "onnxruntime": _open_engine,
    PYTORCH: _open_pytorch,
}


def compared(work: Work, results: Mapping[str, Any]) -> dict[str, Array]:
    """What contenders must agree on: the loss of a step, and all outputs otherwise."""
    names = [LOSS] if work.step else list(work.graph.outputs)
    found = one_by_one({name: results[name] for name in names})
    return {name: _array(result) for name, result in found.items()}


def _array(result: Any) -> Array:
    """A copy of an array or a tensor, which the next call may overwrite."""
    return np.array(result.numpy() if hasattr(result, "numpy") else result)
