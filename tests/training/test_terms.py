"""What `train` blocks may call has a counterpart that does it, with the same arguments."""

import inspect
from collections.abc import Mapping
from typing import Any

import pytest

import netc
from netc.compiler.training.term_table import TERMS
from netc.runtime import data


def table(name: str) -> Mapping[str, Any]:
    """A table of the runtime."""
    found: Mapping[str, Any] = getattr(data, name)
    return found


@pytest.mark.parametrize(
    ("kind", "name"),
    [("data", "LOADERS"), ("preprocess", "PREPROCESSORS"), ("augment", "AUGMENTATIONS")],
)
def test_names_are_those_of_the_runtime(kind: str, name: str) -> None:
    """The compiler binds what the runtime does, no more and no less."""
    assert set(TERMS[kind]) == set(table(name))


@pytest.mark.parametrize("name", TERMS["data"])
def test_arguments_are_those_of_the_loaders(name: str) -> None:
    """Each loader takes the arguments that are bound, with the same defaults."""
    parameters = inspect.signature(table("LOADERS")[name]).parameters
    row = TERMS["data"][name]
    assert set(row.kinds) <= set(parameters)
    for argument, default in row.defaults.items():
        assert parameters[argument].default == default, argument


@pytest.mark.parametrize(
    ("kind", "name", "part"),
    [("preprocess", "PREPROCESSORS", "fit"), ("augment", "AUGMENTATIONS", "function")],
)
def test_arguments_are_those_of_what_changes_data(kind: str, name: str, part: str) -> None:
    """What is done to data takes the arguments that are bound, and needs no other."""
    for term, row in TERMS[kind].items():
        parameters = inspect.signature(getattr(table(name)[term], part)).parameters.values()
        keywords = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        assert set(row.kinds) == set(keywords), term
        given = {
            key: value for key, value in keywords.items() if value is not inspect.Parameter.empty
        }
        assert given.items() <= row.defaults.items(), term


def test_optimizers_from_python() -> None:
    """An optimizer of Python is that of a program, with defaults and a signature."""
    term = netc.SGD(lr=0.1, momentum=0.9, nesterov=True)
    assert (term.kind, term.name) == ("optimizer", "sgd")
    assert term.arguments == {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.0}
    assert netc.Adam().arguments["lr"] == 0.001
    names = {netc.AdamW().name, netc.RMSprop().name, netc.Adagrad().name}
    assert names == {"adamw", "rmsprop", "adagrad"}
    assert "weight_decay" in inspect.signature(netc.AdamW).parameters
    assert repr(netc.SGD) == "netc.SGD"


def test_a_wrong_argument_from_python() -> None:
    """The message shows the call as Python has it, with carets under the argument."""
    with pytest.raises(netc.NetError) as caught:
        netc.SGD(momentum=0.9, lr=-1)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message == "the `lr` of SGD must be a positive number, not `-1`"
    assert diagnostic.span is not None
    assert diagnostic.span.text == "lr=-1"
