"""The tables of data, preprocessing and augmentation agree with what `train` blocks accept."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from netc.compiler.training.data_terms import AUGMENT, DATA, PREPROCESS
from netc.compiler.training.terms import TermDef
from netc.runtime.data import AUGMENTATIONS, LOADERS, PREPROCESSORS

# What the runtime gives by itself, and no program says.
INTERNAL = {"folder", "parts", "pictures", "chance"}
FUNCTIONS: dict[str, tuple[TermDef, Callable[..., Any]]] = {
    **{f"data {name}": (row, LOADERS[name]) for name, row in DATA.items()},
    **{f"preprocess {name}": (row, PREPROCESSORS[name].fit) for name, row in PREPROCESS.items()},
    **{f"augment {name}": (row, AUGMENTATIONS[name].function) for name, row in AUGMENT.items()},
}


def test_the_names_are_the_same() -> None:
    """Whatever a program may name, the runtime does, and the other way round."""
    assert list(DATA) == [name for name in DATA if name in LOADERS]
    assert set(DATA) == set(LOADERS)
    assert set(PREPROCESS) == set(PREPROCESSORS)
    assert set(AUGMENT) == set(AUGMENTATIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_arguments_are_the_same(name: str) -> None:
    """Arguments and defaults of a choice are those of the function behind it."""
    row, function = FUNCTIONS[name]
    parameters = {
        parameter.name: parameter.default
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name not in INTERNAL
    }
    assert set(parameters) == set(row.kinds)
    given = {
        key: value for key, value in parameters.items() if value is not inspect.Parameter.empty
    }
    assert given == dict(row.defaults)
