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


def help_of(function: Callable[..., object], *arguments: object, **options: object) -> str:
    """The help of the first thing that is wrong."""
    return failure_of(function, *arguments, **options).diagnostics[0].help or ""


def codes_of(function: Callable[..., object], *arguments: object, **options: object) -> list[str]:
    """The codes of all that is wrong."""
    return [found.code for found in failure_of(function, *arguments, **options).diagnostics]
