"""Programs as networks, and findings as text."""

from collections.abc import Callable

import pytest

import netc


@pytest.fixture
def refusal() -> Callable[..., str]:
    """A function that calls another, which must raise a `NetError`, and returns its text."""

    def text_of(function: Callable[..., object], *arguments: object, **options: object) -> str:
        with pytest.raises(netc.NetError) as caught:
            function(*arguments, **options)
        return str(caught.value)

    return text_of
