"""What the tests of data share: refusals as text, and choices as a `train` block makes them."""

from collections.abc import Callable
from typing import Any

import pytest

import netc
from netc.compiler.training.terms import Term


@pytest.fixture
def refusal() -> Callable[..., str]:
    """A function that calls another, which must raise a `NetError`, and returns its text."""

    def text_of(function: Callable[..., object], *arguments: object, **options: object) -> str:
        with pytest.raises(netc.NetError) as caught:
            function(*arguments, **options)
        return str(caught.value)

    return text_of


@pytest.fixture
def term() -> Callable[..., Term]:
    """A choice by its name and arguments."""

    def made(name: str, **arguments: Any) -> Term:
        return Term("data", name, arguments)

    return made
