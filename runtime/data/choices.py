"""What a `train` block names: a choice with its arguments, and the table of what opens data."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from .dataset import Dataset

Loader = Callable[..., Dataset]
Registered = TypeVar("Registered", bound=Loader)


class Choice(Protocol):
    """A name with all its arguments bound, such as a `Term`."""

    @property
    def name(self) -> str:
        """Which row of the table."""

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Every argument by name."""


# name -> what opens it; arguments are keywords, those called `path` are relative to `folder`.
LOADERS: dict[str, Loader] = {}
_IN_FILES: set[str] = set()


def loader(name: str, *, files: bool = False) -> Callable[[Registered], Registered]:
    """Enter the decorated function into the table of loaders.

    Args:
        name: The name in the language.
        files: Whether it takes `folder=`, which relative paths start from.
    """

    def register(function: Registered) -> Registered:
        if name in LOADERS:
            raise ValueError(f"loader {name} is defined twice")
        LOADERS[name] = function
        if files:
            _IN_FILES.add(name)
        return function

    return register


def load(choice: Choice, *, folder: str = "") -> Dataset:
    """Open the data set that a `train` block names.

    Args:
        choice: A name in `LOADERS` and its arguments.
        folder: Where relative paths start: the program's folder.

    Raises:
        NetError: The files cannot be read (E001, E505, E521), their parts do not fit together
            (E522, E526, E527), they hold nothing (E525) or what is not a number (E524), Pillow is
            missing (E528), or an argument makes no sense (E532).
    """
    place = {"folder": folder} if choice.name in _IN_FILES else {}
    return LOADERS[choice.name](**choice.arguments, **place)
