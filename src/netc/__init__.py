"""netc: a small language for neural networks, and its compiler.

`compile(text)` and `load(path)` make a `Network`, whose methods count, draw, run, train, measure
and export it; `load_onnx` makes one of any exporter's model, `diff` compares two. What is wrong
with a program is a `NetError` with `Diagnostic`s. `netc.data` holds data sets for Python,
`netc.callbacks` what follows a run, `netc.records` the classes that methods return, `netc.show`
pictures of what is inside, and `netc.sklearn` estimators for scikit-learn.

Everything here is loaded on first use: `import netc` alone imports no other package.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

_HOMES = {
    "Adagrad": "optimizers",
    "Adam": "optimizers",
    "AdamW": "optimizers",
    "Diagnostic": "grammar.diagnostics",
    "Graph": "compiler.ir.graph",
    "NetError": "grammar.diagnostics",
    "Network": "network",
    "RMSprop": "optimizers",
    "SGD": "optimizers",
    "TensorSpec": "tensor_specs",
    "compile": "loading",
    "diff": "comparison.compare",
    "load": "loading",
    "load_onnx": "loading",
    "load_weights": "runtime.weights.files",
    "save_weights": "runtime.weights.files",
    "threads": "choices",
}

_MODULES = ("callbacks", "data", "records", "show")

__all__ = [*_HOMES, *_MODULES, "__version__"]

if TYPE_CHECKING:
    from . import callbacks as callbacks
    from . import data as data
    from . import records as records
    from . import show as show
    from .choices import threads as threads
    from .comparison.compare import diff as diff
    from .compiler.ir.graph import Graph as Graph
    from .grammar.diagnostics import Diagnostic as Diagnostic
    from .grammar.diagnostics import NetError as NetError
    from .loading import compile as compile
    from .loading import load as load
    from .loading import load_onnx as load_onnx
    from .network import Network as Network
    from .optimizers import SGD as SGD
    from .optimizers import Adagrad as Adagrad
    from .optimizers import Adam as Adam
    from .optimizers import AdamW as AdamW
    from .optimizers import RMSprop as RMSprop
    from .runtime.weights.files import load_weights as load_weights
    from .runtime.weights.files import save_weights as save_weights
    from .tensor_specs import TensorSpec as TensorSpec


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f".{name}", __name__)
    if name not in _HOMES:
        raise AttributeError(f"module 'netc' has no attribute {name!r}")
    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext netc` calls in a notebook: cells may begin with `%%net [name]`."""
    import_module(".notebook", __name__).register(shell)


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
