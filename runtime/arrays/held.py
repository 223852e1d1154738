"""Values that networks take and yield -> the arrays that they are or hold."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from ..kerneldef import Array


def one_by_one(values: Mapping[str, Any]) -> dict[str, Array]:
    """Arrays by name; those of a list by its name and their place: `y[0]`."""
    return dict(_named(values.items()))


def _named(values: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Array]]:
    for name, value in values:
        if isinstance(value, list):
            yield from _named((f"{name}[{place}]", each) for place, each in enumerate(value))
        elif value is not None:
            yield name, value


def in_each(change: Callable[[Array], Array], value: Any) -> Any:
    """A value with each of its arrays changed."""
    if isinstance(value, list):
        return [in_each(change, each) for each in value]
    return None if value is None else change(value)
