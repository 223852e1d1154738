"""Records are frozen dataclasses with slots, and behave as those of the standard library."""

import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest

from netc.grammar.records import record

Decorator = Callable[[type], type]


def _classes(decorate: Decorator) -> tuple[type, type, type]:
    """A record, one that inherits from it, and one with its own text and without fields."""

    @decorate
    class Base:
        place: int = field(compare=False, repr=False, kw_only=True)

    @decorate
    class Call(Base):
        name: str
        arguments: tuple[Any, ...] = ()
        note: str = field(default="", compare=False, repr=False)

    @decorate
    class Empty:
        def __repr__(self) -> str:
            return "nothing"

    return Base, Call, Empty


OURS = _classes(record)
THEIRS = _classes(dataclass(frozen=True, slots=True))
CALLS: list[Callable[[type], Any]] = [
    lambda call: call("a", place=1),
    lambda call: call("a", (1, 2), place=2),
    lambda call: call("a", note="n", place=3),
    lambda call: call(name="b", arguments=(1, 2), place=4),
]


@pytest.mark.parametrize("first", CALLS)
@pytest.mark.parametrize("second", CALLS)
def test_equality_and_hashes(first: Any, second: Any) -> None:
    """The fields that compare decide, of objects of one class."""
    ours, theirs = ((first(call), second(call)) for _, call, _ in (OURS, THEIRS))
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])
    assert (hash(ours[0]) == hash(ours[1])) == (ours[0] == ours[1])
    assert ours[0] != theirs[0]


@pytest.mark.parametrize("make", CALLS)
def test_what_else_dataclasses_do(make: Any) -> None:
    """Text, replacement, copies, patterns and fields."""
    ours, theirs = (make(call) for _, call, _ in (OURS, THEIRS))
    assert repr(ours) == repr(theirs)
    assert repr(replace(ours, name="c")) == repr(replace(theirs, name="c"))
    assert replace(ours, name="c").place == ours.place
    assert copy.deepcopy(ours) == ours == copy.copy(ours)
    assert copy.copy(ours).place == ours.place
    assert type(ours).__match_args__ == type(theirs).__match_args__
    assert [each.name for each in fields(ours)] == [each.name for each in fields(theirs)]
    assert not hasattr(ours, "__dict__")


@pytest.mark.parametrize("made", [OURS, THEIRS])
def test_nothing_changes_or_is_left_out(made: tuple[type, type, type]) -> None:
    """A field is neither set nor deleted, and those without defaults are asked for."""
    _, call, empty = made
    one = call("a", place=1)
    with pytest.raises(FrozenInstanceError):
        one.name = "b"
    with pytest.raises(FrozenInstanceError):
        del one.name
    with pytest.raises(TypeError):
        call("a")
    with pytest.raises(TypeError):
        call("a", (), "", 1)
    assert empty() == empty()
    assert repr(empty()) == "nothing"


@pytest.mark.parametrize("decorate", [record, dataclass(frozen=True, slots=True)])
def test_what_classes_say_themselves(decorate: Decorator) -> None:
    """Factories make defaults, `__post_init__` fills fields, and methods of the class stay."""

    @decorate
    class Bound:
        names: list[str] = field(default_factory=list)
        text: str = field(init=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "text", " ".join(self.names))

        def __hash__(self) -> int:
            return len(self.names)

    made: Any = Bound
    one, other = made(), made()
    one.names.append("a")
    assert other.names == []
    assert made(["a", "b"]).text == "a b"
    assert hash(made(["a", "b"])) == 2
    assert made(["a"]) == one
    with pytest.raises(TypeError):
        made([], "a")


def test_syntax_can_be_pickled() -> None:
    """Trees go to other processes."""
    from netc.grammar import ast
    from netc.grammar.source import Source, Span

    source = Source("x", "RELU")
    number = ast.Number(3, span=Span(source, 0, 1))
    assert pickle.loads(pickle.dumps(number)) == number
