"""Frozen dataclasses that are cheap to define, for modules that define many of them."""

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, field, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def record(cls: type[T]) -> type[T]:
    """What `dataclass(frozen=True, slots=True)` makes of a class, in a fifth of the time.

    That compiles six methods for each class, and half of what `netc check` took went into it. Here
    `__init__` alone is compiled.
    """
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # else `dataclass` writes the signature, which takes long
    made = dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    compared = [each.name for each in fields(made) if each.compare]  # type: ignore[arg-type]
    shown = [each.name for each in fields(made) if each.repr]  # type: ignore[arg-type]
    key: Callable[[Any], Any] = attrgetter(*compared) if compared else lambda self: ()

    def equal(self: T, other: object) -> bool:
        return key(self) == key(other) if self.__class__ is other.__class__ else NotImplemented

    def hashed(self: T) -> int:
        return hash(key(self))

    def text(self: T) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in shown)
        return f"{self.__class__.__qualname__}({values})"

    methods = {"__init__": _init_of(made), "__eq__": equal, "__hash__": hashed, "__repr__": text}
    for name, method in {**methods, **_FROZEN}.items():
        if cls.__dict__.get(name) is None:  # a class that defines `__eq__` has the hash None
            setattr(made, name, method)
    return made


def _init_of(made: type) -> Callable[..., None]:
    """`__init__`, which fills the slots by their descriptors."""
    known: dict[str, Any] = {}
    positional: list[str] = []
    named: list[str] = []
    body: list[str] = []
    for each in fields(made):
        name = parameter = value = each.name
        if each.default is not MISSING:
            known[f"default_{name}"] = each.default
            parameter = f"{name}=default_{name}"
        elif each.default_factory is not MISSING:
            known[f"default_{name}"], known[f"make_{name}"] = MISSING, each.default_factory
            parameter = f"{name}=default_{name}"
            value = f"make_{name}() if {name} is default_{name} else {name}"
        if each.init:
            (named if each.kw_only else positional).append(parameter)
            known[f"set_{name}"] = getattr(made, name).__set__
            body.append(f"  set_{name}(self, {value})")
    if hasattr(made, "__post_init__"):
        body.append("  self.__post_init__()")
    parameters = ", ".join(["self", *positional, *(["*", *named] if named else [])])
    exec("\n".join([f"def __init__({parameters}):", *(body or ["  pass"])]), known)
    init: Callable[..., None] = known["__init__"]
    return init


def _refuse(self: object, name: str, value: object = None) -> NoReturn:
    raise FrozenInstanceError(f"cannot change field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in fields(self)]


def _restore(self: Any, state: list[Any]) -> None:
    for each, value in zip(fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


_FROZEN = {
    "__setattr__": _refuse,
    "__delattr__": _refuse,
    "__getstate__": _state,
    "__setstate__": _restore,
}
