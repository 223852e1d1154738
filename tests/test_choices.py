"""The choices that public signatures list are those that are accepted when the program runs."""

from typing import get_args

import numpy as np
import pytest

import netc
from netc import choices
from netc.compiler.emit import dot, formats
from netc.runtime.engines.engine import ENGINES
from netc.runtime.training.job import PARTS


def test_literal_types_list_the_choices() -> None:
    """The choices in public signatures are those that are accepted when the program runs."""
    assert get_args(choices.EngineName) == tuple(ENGINES)
    assert set(choices.PARTS) == set(get_args(choices.PartName)) == set(PARTS)
    assert set(get_args(choices.Direction)) == set(dot.CHOICES["direction"])
    assert set(get_args(choices.ThemeName)) == set(dot.CHOICES["theme"])
    assert get_args(choices.Format) == formats.FORMATS


def test_unknown_choices_are_refused_all_the_same() -> None:
    """A choice that no literal type lists raises a `NetError`, never a foreign exception."""
    net = netc.compile("INPUT(2) -> FC(1)")
    state, x = net.initialize(), np.zeros((1, 2), "float32")
    for wrong in ({"engine": "tpu"}, {"device": "tpu"}, {"dtype": "float16"}):
        with pytest.raises(netc.NetError):
            net.run(x, state, **wrong)  # type: ignore[arg-type]  # a wrong choice on purpose
    for wrong in ({"style": "x"}, {"direction": "x"}, {"theme": "x"}, {"format": "x"}):
        with pytest.raises(netc.NetError):
            net.draw("x.svg", **wrong)  # type: ignore[arg-type]  # a wrong choice on purpose
