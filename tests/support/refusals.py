"""What netc says where it refuses."""

from collections.abc import Callable

import pytest

import netc


def failure_of(
    function: Callable[..., object], *arguments: object, **options: object
) -> netc.NetError:
    """The error that a call must end in."""
    with pytest.raises(netc.NetError) as caught:
        function(*arguments, **options)
    return caught.value


def refusal(function: Callable[..., object], *arguments: object, **options: object) -> str:
    """The same as text."""
    return str(failure_of(function, *arguments, **options))
