"""The tables of `net.lark`: terminals, rules and an automaton; made by Lark when there are none."""

import sys
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from .kept_tables import Tables, kept_tables

StartRule = Literal["start", "setting"]  # a program, or a setting's value alone

_GRAMMAR = Path(__file__).parents[1] / "net.lark"
_MAKER = Path(__file__).with_name("lark_tables.py")


@cache
def tables() -> Tables:
    """What `lark_tables.py` makes of the grammar; Lark is loaded only to make it."""
    grammar, maker = (path.read_text(encoding="utf-8") for path in (_GRAMMAR, _MAKER))

    def make() -> Tables:
        from .lark_tables import make_tables  # which loads Lark

        return make_tables(grammar, get_args(StartRule))

    return kept_tables(grammar, maker, sys.version, make=make)
