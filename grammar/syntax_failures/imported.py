"""`r.Basic(64)`: a call of what an import has, where other frameworks have calls of modules."""

import re

from ..diagnostics import NetError, error
from ..lexing.lexer import tokens
from ..source import Span

_IMPORT = re.compile(r"\bimport\b")
_IMPORTED = re.compile(r'^[ \t]*import\s+("[^"\n]*")', re.MULTILINE)
_NAMED = ["STRING", "_AS", "NAME"]  # what follows `import`


def imported_names(text: str) -> frozenset[str]:
    """The names that the imports of a text give.

    They are looked for in the text: what follows an error is parsed without what precedes it.
    """
    found: set[str] = set()
    end = 0
    for match in _IMPORT.finditer(text):
        following: list[str] = []
        # What one import is followed by is not read again for the next.
        for token in tokens(text, match.end()) if match.start() >= end else ():
            end = token.end_pos
            if token.type == "COMMENT":
                continue
            following.append(token.type)
            if following == _NAMED:
                found.add(token.value)
            if following != _NAMED[: len(following)] or len(following) == len(_NAMED):
                break
    return frozenset(found)


def check_imported(called: Span, imports: frozenset[str]) -> None:
    """Refuse a call of a dotted name where no `import ... as` gives the part before the dot.

    Raises:
        NetError: E011 for what belongs to another framework, or else E101.
    """
    text, name = called.source.text, called.text.partition(".")[0]
    if name in imports:
        return
    imported = _IMPORTED.search(text)
    from ..translation.calls import FRAMEWORKS  # for refusals only
    from ..translation.statements import find_foreign

    if imported is None or name in FRAMEWORKS:
        line = text.rfind("\n", 0, called.start) + 1
        foreign = find_foreign(called.source, line, called.end + 1)
        if foreign is not None:
            raise NetError([foreign])
    span = Span(called.source, called.start, called.start + len(name))
    path = imported[1] if imported else '"lib:resnet.net"'
    help = f"name the file that has it: `import {path} as {name}`"
    raise error("E101", f"unknown name `{name}`", span, help=help)
