"""Optimizers that are given from Python."""

import inspect

from support.refusals import failure_of

import netc


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
    (diagnostic,) = failure_of(netc.SGD, momentum=0.9, lr=-1).diagnostics
    assert diagnostic.message == "the `lr` of SGD must be a positive number, not `-1`"
    assert diagnostic.span is not None
    assert diagnostic.span.text == "lr=-1"
