"""`r.Basic(64)`: a call of what an import has, where other frameworks have calls of modules."""

import re

from ..diagnostics import NetError, error
from ..source import Span

# The names that imports give, with comments anywhere between their words.
_NAMED = re.compile(r'\bimport\s+"[^"\n]*"(?:\s|#[^\n]*+)*+as\s+(\w+)')
_IMPORTED = re.compile(r'^[ \t]*import\s+("[^"\n]*")', re.MULTILINE)


def check_imported(called: Span) -> None:
    """Refuse a call of a dotted name where no `import ... as` gives the part before the dot.

    The text is looked at and not the tree: what follows an error is parsed without what precedes.

    Raises:
        NetError: E011 for what belongs to another framework, or else E101.
    """
    text, name = called.source.text, called.text.partition(".")[0]
    if any(match[1] == name for match in _NAMED.finditer(text)):
        return
    from ..translation.statements import find_foreign  # for refusals only

    line = text.rfind("\n", 0, called.start) + 1
    foreign = find_foreign(called.source, line, called.end + 1)
    if foreign is not None:
        raise NetError([foreign])
    span = Span(called.source, called.start, called.start + len(name))
    path = match[1] if (match := _IMPORTED.search(text)) else '"lib:resnet.net"'
    help = f"name the file that has it: `import {path} as {name}`"
    raise error("E101", f"unknown name `{name}`", span, help=help)
