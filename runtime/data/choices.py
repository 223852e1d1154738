"""What a `train` block names -> what does it: functions by the names of the compiler's rows."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from ...compiler.training.data_terms import DATA
from ...compiler.training.terms import Term, TermDef
from .dataset import Dataset

Loader = Callable[..., Dataset]
Result = TypeVar("Result")

# name -> what opens it; arguments are those of `DATA`, those called `path` relative to `folder`.
LOADERS: dict[str, Loader] = {}


def with_defaults(
    choices: Mapping[str, TermDef], name: str, function: Callable[..., Result]
) -> Callable[..., Result]:
    """What does a choice, with the defaults that its row says and the function need not repeat."""
    if name not in choices:
        raise ValueError(f"`compiler/training/data_terms.py` has no row for `{name}`")
    return partial(function, **choices[name].defaults)


def loader(name: str) -> Callable[[Loader], Loader]:
    """Enter the decorated function into the table of loaders."""

    def register(function: Loader) -> Loader:
        LOADERS[name] = with_defaults(DATA, name, function)
        return function

    return register


def load(choice: Term, *, folder: str = "", known: Any = None) -> Dataset:
    """Open the data set that a `train` block names.

    Args:
        choice: A name in `LOADERS` and its arguments.
        folder: Where relative paths start: the program's folder.
        known: What a run knows of its table, with whose columns others are read: a `Known`.

    Raises:
        NetError: The files cannot be read (E001, E505, E521), their parts do not fit together
            (E522, E526, E527), they hold nothing (E525) or what is not a number (E524), Pillow is
            missing (E528), or an argument makes no sense (E532).
    """
    place = {"folder": folder} if "path" in DATA[choice.name].kinds else {}
    if known is not None and "missing" in DATA[choice.name].kinds:
        return LOADERS[choice.name](**choice.arguments, **place, known=known)
    return LOADERS[choice.name](**choice.arguments, **place)
