"""Choices of data as a `train` block makes them."""

from collections.abc import Callable
from typing import Any

import pytest

from netc.compiler.training.terms import Term


@pytest.fixture
def term() -> Callable[..., Term]:
    """A choice by its name and arguments."""

    def made(name: str, **arguments: Any) -> Term:
        return Term("data", name, arguments)

    return made
