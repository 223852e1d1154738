"""Notations of other languages and typos, a row each: a pattern, what to say of it, and the help.

The rows of `LINES` cover whole statements, those of `PIECES` and `SLIPS` a part of one.
"""
# ruff: noqa: RUF001, this file is about characters that are taken for others

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple
from unicodedata import normalize

from ..diagnostics import Diagnostic
from ..source import Source, Span
from .settings import corrected_setting
from .training_blocks import FITTED, fitted, train_block, with_equals
from .typeset import ARROWS

_REACH = 2000  # characters behind a place that are looked at
_NEAR, _AHEAD = 20, 200  # characters before and behind a slip's place

Help = str | Callable[[re.Match[str]], str]


class ForeignNotation(NamedTuple):
    """A pattern, and what to say where it covers the place at which the parser stopped.

    Attributes:
        pattern: What the text looks like there; it is compiled for programs that are refused only.
        message: What is wrong; `{0}` is the text, `{1}` its first group, and so on.
        help: What to do, written likewise, or from the match.
        code: The code of the diagnostic.
    """

    pattern: str
    message: str
    help: Help
    code: str = "E011"

    def diagnostic(self, source: Source, match: re.Match[str]) -> Diagnostic:
        """The diagnostic for a match."""
        groups = [(group or "").strip(" \t") for group in (match[0], *match.groups())]
        return Diagnostic(
            self.code,
            self.message.format(*groups, code=ord(match[0][0])),
            Span(source, match.start(), match.end()),
            help=self.help(match) if callable(self.help) else self.help.format(*groups),
        )


def line_at(source: Source, start: int, offset: int) -> Diagnostic | None:
    """What the line of an offset is in another language: a statement, or a comment from there."""
    begin = source.text.rfind("\n", 0, offset) + 1
    for notation, place in (*((line, begin) for line in LINES), (COMMENT, offset)):
        match = re.compile(notation.pattern).match(source.text, place)
        if match and match.start() <= offset <= match.end():
            found = notation.diagnostic(source, match)
            first = match.end() - len(match[0].lstrip())
            return replace(found, span=Span(source, first, match.end()))
    return None


def piece_at(source: Source, start: int, offset: int) -> Diagnostic | None:
    """The part of a statement at an offset that another language writes so."""
    line_end = source.text.find("\n", offset)
    end = min(len(source.text) if line_end < 0 else line_end, offset + _REACH)
    for piece in PIECES:
        for match in re.compile(piece.pattern).finditer(source.text, start, end):
            if match.start() <= offset <= match.end():
                return piece.diagnostic(source, match)
    return None


def slip_at(source: Source, offset: int, *, in_token: bool) -> Diagnostic | None:
    """The slip that covers an offset; a token is a good number, if it is one at all."""
    start = max(source.text.rfind("\n", 0, offset) + 1, offset - _NEAR)
    for slip in SLIPS:
        if in_token and slip.code == "E014":
            continue
        found = re.compile(slip.pattern).finditer(source.text, start, offset + _AHEAD)
        match = next((match for match in found if match.end() > offset), None)
        if match is not None and match.start() <= offset:
            return slip.diagnostic(source, match)
    return None


def _body(match: re.Match[str]) -> str:
    """The indented lines below a line that ends in a colon, as the body between braces."""
    lines = match.string[match.end() :].split("\n")[1:]
    body = takewhile(lambda line: line[:1] in (" ", "\t") and line.strip(), lines)
    return ", ".join(line.strip() for line in body) or "..."


def _named_output(match: re.Match[str]) -> str:
    """An output by the label at the end of its chain, or by any name."""
    chain = match[1].strip()
    before, _, label = chain.rpartition(" as ")
    is_named = before and re.fullmatch(r"\w+", label.strip())
    return f"write `output {f'{label.strip()} = {before}' if is_named else f'y = {chain}'}`"


_BODY = "a body is written in braces, not after a colon"
_LET = "write `let {1} = {2}`"
_MERGED: Mapping[str, str] = {"+": "ADD", "-": "SUB", "*": "MUL"}
_Row = tuple[str, Help] | tuple[str, str, Help]  # a code unless E011, a message, a help


def _table(rows: Mapping[str, _Row], *, before: str = "") -> tuple[ForeignNotation, ...]:
    """Notations by their patterns; `before` stands before each of them."""
    return tuple(
        ForeignNotation(before + pattern, message, help, *code)
        for pattern, (*code, message, help) in rows.items()
    )


LINES = _table(
    {
        r"for\s+(.+?)\s+in\s+([^:\n]+?)\s*:[ \t]*([^\n#]*)": (
            _BODY,
            lambda m: f"write `for {m[1]} in {m[2]} {{ {m[3].strip() or _body(m)} }}`",
        ),
        r"(?:training|Train|TRAIN|fit|trainer|compile)\s*(?=\{)": (
            "settings of training stand in a `train` block",
            "write `train `",
        ),
        r"train\s*\((.*)\)": (
            "`train` is a block of settings",
            lambda m: f"write `{train_block(m[1])}`",
        ),
        FITTED: ("training is a block of settings", fitted),
        (
            r"(?:print|\w+\.(?:summary|eval|backward|zero_grad|step|save|predict|evaluate))"
            r"[ \t]*\(.*\)[ \t]*(?=\n|#|$)"
        ): (
            "a program describes a network, and calls no methods",
            "remove the line; the commands train, run and summarize a network",
        ),
        r"([A-Za-z_]\w*)\s*([-+*])=\s*([^\n#]+?)[ \t]*(?=\n|#|$)": (
            "a name is bound once, and tensors are merged by a layer",
            lambda m: f"write `{m[1]}2 = ( {m[1]} | {m[3]} ) -> {_MERGED[m[2]]}`",
        ),
        r"net\s+(\w+)\s*\{": (
            "the statements of a network stand in no braces",
            "write `net {1}` on its own line, and the chain below it",
        ),
        r"output\s*(?:=\s*)?(?=[A-Za-z(])([^=\n#]*?->[^\n#]*)": (
            "an output has a name",
            _named_output,
        ),
        r"(?:let\s+|const\s+|var\s+)?(\w+)\s*:\s*\w+\s*=\s*([^\n#]+)": (
            "names have no types",
            _LET,
        ),
        r"(?:const|var|val|int|float|define|set)\s+(\w+)\s*=?\s*([\d\[(][^\n#]*)": (
            "numbers are named by `let`",
            _LET,
        ),
        r"(?:let\s+)?(\w+)\s*=\s*lambda\s+([^:\n]*?)\s*:\s*([^\n#]+)": (
            "a function has its parameters behind its name",
            "write `let {1}({2}) = {3}`",
        ),
        r"let\s+(\w+)\s*(?:==|:=|<-)\s*([^\n#]+)": ("a name is given its value by `=`", _LET),
        r"(?:import\s+\w+\s+)?from\s+(\"[^\"\n]*\")(?:\s+import\s+\w+)?[ \t]*(?=\n|#|$)": (
            "an import takes all blocks of a file",
            "write `import {1}`",
        ),
        r"net[ \t]+(\w+(?:[-. \t:]+\w+)+)[ \t]*(?=\n|#|$)": (
            "a name of more than one word stands in quotes",
            'write `net "{1}"`',
        ),
        r"(?:include|use|require|load)\s*\(?[ \t]*(\"[^\"\n]*\")\)?": (
            "another file is imported",
            "write `import {1}`",
        ),
        r"(?:network|model|name)\s*:?\s+\"?(\w+)\"?[ \t]*(?=\n|$)": (
            "a network's name follows `net`",
            "write `net {1}`",
        ),
        r"(?i:class_?weights?)\s*=\s*\{[^{}]*\}": (
            "classes have no weights",
            lambda m: corrected_setting("class_weight", None, "") or "",
        ),
        r"(?:el)?if\s+(.+?)\s*:[ \t]*(?=\n|#|$)": (
            _BODY,
            lambda m: f"write `if {m[1]} {{ {_body(m)} }}`",
        ),
        r"else\s*:[ \t]*(?=\n|#|$)": (_BODY, lambda m: f"write `else {{ {_body(m)} }}`"),
        r"train\s*:[ \t]*(?=\n|#|$)": (
            "settings are written in braces, not after a colon",
            lambda m: f"write `{train_block(with_equals(_body(m)))}`",
        ),
        r"(?:block|net)\s+(\w+.*?)\s*:[ \t]*(?=\n|#|$)": (
            _BODY,
            lambda m: f"write `block {m[1]} {{ {_body(m)} }}`",
        ),
        r"(?:def|function|fn)\s+(\w+)\s*\(.*?\).*?(?=\n|$)": (
            "a part of a network is a block, not a function",
            lambda m: f"write `block {m[1].capitalize()}(c) {{ CONV(3x3, c) -> RELU }}`",
        ),
        r"class\s+(\w+).*?(?=\n|$)": (
            "a network is a chain of layers, not a class",
            "write `net {1}`, and a chain such as `INPUT(28x28) -> FC(10)` below it",
        ),
        r"return\s+(\w+)[ \t]*(?=\n|$)": ("an output is named, not returned", "write `output {1}`"),
        r"(?:import\s+[A-Za-z_]|from\s+\S+\s+import\b).*?(?=\n|$)": (
            "layers need no import",
            'remove the line; `import "blocks.net"` imports a file of blocks',
        ),
    },
    before=r"[ \t]*",
)
_STROKES = re.compile(r"""^[/*%<!"'-]+|[*/>"'-]+$""")
COMMENT = ForeignNotation(
    r"(?://|/\*|--\s|<!--|\"\"\"|'''|(?<![^\n])%).*?(?=\n|$)",
    "a comment starts with `#`",
    lambda m: f"write `# {_STROKES.sub('', m[0]).strip()}`",
)


PIECES = _table(
    {
        r"\bINPUT\(\s*(\d+(?:\s+\d+){1,3})\s*\)": (
            "the extents of a size are joined by `x`",
            lambda m: f"write `INPUT({'x'.join(m[1].split())})`",
        ),
        r"\bINPUT\(\s*[?*:]\s*,\s*(\d+(?:\s*,\s*\d+)*)\s*\)": (
            "the batch is never written",
            lambda m: f"write `INPUT({'x'.join(re.findall(r'[0-9]+', m[1]))})`",
        ),
        r"\breturn\b[ \t]*(?=[A-Za-z(\[])": (
            "a block yields what its last chain yields",
            "remove `return`",
        ),
        r"->[ \t]*output[ \t]+(\w+)": (
            "an output is a separate statement",
            "write `as {1}_` there, and `output {1} = {1}_` on a line below",
        ),
        (
            r"\bas\s+(?!\w+\s*(?:->|\||[)\]},#]|$))(\w+(?:[ -][a-z\d]\w*)+)"
            r"(?=\s*(?:->|\||[)\]}#]|$))"
        ): (
            "a label is one word",
            lambda m: f"write `as {re.sub('[ -]', '_', m[1])}`",
        ),
        r"for\s+(\w+)\s*(?:=|in|from)\s*(\d+)\s*(?:to|:|,)\s*(\d+)": (
            "a `for` takes a list",
            lambda m: f"write `for {m[1]} in range({m[2]}, {int(m[3]) + 1})`",
        ),
        r"\b(?:repeat|times|loop)\s+(\d+)\s*\{([^{}]*)\}": (
            "a repetition is a chain in brackets, then `*` and how often",
            "write `[{2}]*{1}`",
        ),
        r"for\s*\([^()]*?<\s*=?\s*(\w+)[^()]*\)": (
            "a `for` takes a list",
            "write `for i in range({1})`",
        ),
        r"(?<=[(,\s])(\w+)\s*->\s*(\d+)(?=\s*[,)])": (
            "the size of a layer's input is inferred",
            "write `{2}`",
        ),
        r"(\d+)\s*\.\.\.?\s*(\d+)": (
            "a range is a function",
            lambda m: f"write `range({m[1]}, {int(m[2]) + 1})`",
        ),
        r"(\d+(?:\.\d+)?)\s*%(?!\s*\d)": (
            "a percentage is written as a fraction",
            lambda m: f"write `{float(m[1]) / 100:g}`",
        ),
        (  # a `|` that stands in no parentheses yet
            r"[\[{]((?:[^()\[\]{}\n|]|\((?:[^()\n]|\([^()\n]*\))*\))*+\|[^\[\]{}\n]*)[\]}]"
        ): (
            "the branches of a group stand in parentheses",
            "write `( {1} )`",
        ),
        r"\.{3}|…|\\[lcdv]?dots\b": (
            "a chain leaves out no steps",
            "write the steps, or repeat them, as in `[CONV -> RELU]*3`",
        ),
        r":=": ("a chain is bound with `=`", "write `=`"),
        r"\belif\b\s*([^{}\n]*[^{}\s])(?=\s*\{)": (
            "`elif` is not a word of the language",
            "write `else if {1}`",
        ),
        r"\bwhile\b[^{}\n]*": (
            "nothing is repeated while a condition holds",
            "`[...]*3` repeats a chain, and `for i in range(3) {{ ... }}` counts",
        ),
        (
            r"\bas\s+(?:f\"(?P<text>[^\"\n]+)\""
            r"|\"(?P<a>\w*?)(?:%d)?\"\s*[+%]\s*(?:str\()?(?P<b>\w+)\)?"
            r"|(?P<c>\w+)(?:\[|\$\{?|\()(?P<d>\w+)(?:\]|\}|\))?)"
        ): (
            "the computed part of a label stands in braces",
            lambda m: f"write `as {_computed(m)}`",
        ),
        r"(?<![\w.\"])([a-z]\w*)\[([a-z]\w*)\]\s*(?==[^=]|->)": (
            "the computed part of a name stands in braces",
            "write `{1}{{{2}}}`",
        ),
        r"(?<=[(,])\s*([a-z]\w*)\s+x\s+([a-z]\w*)": (
            "computed extents stand in a tuple",
            "write `({1}, {2})`",
        ),
        (
            r"(?<![\w.)\]])([\w.]+|\([^()\n]*\))\s+if\s+([^\n{}]+?)"
            r"\s+else\s+([\w.]+|\([^()\n]*\))"
        ): (
            "a choice starts with its condition",
            "write `if {2} then {1} else {3}`",
        ),
        r"([^\s=(,:?][^=(,:?\n]*?)\s*\?\s*([^:?\n]+?)\s*:\s*([\w.]+)": (
            "a choice is written in words",
            "write `if {1} then {2} else {3}`",
        ),
        r"\[\s*([^\[\]\n]+?)\s+for\s+(\w+)\s*\]": (
            "a list is computed from another one",
            "write `[{1} for {2} in range(3)]`",
        ),
        (
            r"\[\s*for\s+(\w+)\s+in\s+(\[[^\[\]\n]*\]|[\w.]+(?:\([^()\n]*\))?)"
            r"\s*[:{]?\s*(\w*)\s*\}?\s*\]"
        ): (
            "what a list holds stands before its `for`",
            lambda m: f"write `[{m[3] or m[1]} for {m[1]} in {m[2]}]`",
        ),
        (
            r"\[\s*(\w+)\s+if\s+([^\n\[\]]+?)\s+for\s+(\w+)\s+in"
            r"\s+(\[[^\[\]\n]*\]|[\w.]+(?:\([^()\n]*\))?)\s*\]"
        ): (
            "the condition of a list stands at its end",
            "write `[{1} for {3} in {4} if {2}]`",
        ),
        r"[({]\s*([^(){}\n]+?\s+for\s+\w+\s+in\s+[^(){}|\n]+?)\s*[)}]": (
            "a list stands in brackets",
            "write `[{1}]`",
        ),
        r"\bif\s+([^:{}\n]+?)\s*:\s*([^:{}\n]+?)\s+else\s*:?\s*([\w.]+)": (
            "a choice is written in words",
            "write `if {1} then {2} else {3}`",
        ),
        r"(?<![\w.])([0-9]+)\.(?![0-9.\w])": (
            "`{0}` needs a digit behind its decimal point",
            "write `{1}`, or `{1}.0` for a real number",
        ),
        r"(?<![\w.])([A-Za-z_]\w*)\s*([-+*])\s*([A-Za-z_]\w*)(?!\w*\()": (
            "tensors are merged by a layer",
            lambda m: f"write `( {m[1]} | {m[3]} ) -> {_MERGED[m[2]]}`",
        ),
        r"[(\[]\s*([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)+)\s*[)\]]\s*->": (
            "`|` stands between the branches of a group",
            lambda m: f"write `( {' | '.join(part.strip() for part in m[1].split(','))} ) ->`",
        ),
        r"\b(FC|fc|DENSE|dense|CONV|conv)(\d*)-(\d+)\b": (
            "the tables' shorthand is in small letters, such as `conv5-16`",
            lambda m: f"write `{_shorthand(m)}`",
        ),
        r"(?<=[\w)\]])\s*(>>?|\|>)\s*(?=[A-Za-z(\[])": ("steps are joined by `->`", "write `->`"),
        r"(?<![\w\"\[])([A-Za-z_]\w*)\s*:\s*((?:\([^()\n]*\)|[^,}\n:()])+)": (
            "a setting is written with `=`",
            "write `{1} = {2}`",
        ),
    }
)


def _computed(match: re.Match[str]) -> str:
    """A label with a computed part, as other languages put texts together."""
    if match["text"]:
        return match["text"]
    return f"{match['a'] or match['c'] or ''}{{{match['b'] or match['d']}}}"


def _shorthand(match: re.Match[str]) -> str:
    if match[2]:
        return f"CONV({match[2]}x{match[2]}, {match[3]})"
    return f"{'FC' if match[1].lower() in ('fc', 'dense') else 'CONV'}({match[3]})"


_INVISIBLE = "\u00a0\u2000-\u200f\u2028-\u202f\u2060\u3000\ufeff\x00-\x08\x0b\x0e-\x1f\x7f\x85"
_ARROW = "`{0}` is not the language's arrow"
_NO_NUMBER = "`{0}` is not a number"
_NO_OPERATOR = "`{0}` is not an operator of the language"


def _sized(match: re.Match[str]) -> str:
    return f"write `{re.sub(r'[^0-9]+', 'x', match[0]).strip('x')}`"


def _parted(match: re.Match[str]) -> str:
    line = match.string[match.string.rfind("\n", 0, match.start()) + 1 : match.start()]
    is_in_call = line.count("(") > line.count(")")
    return "write `,`" if is_in_call else "start the next statement on a new line"


SLIPS = _table(
    {
        r"[0-9]+\s*(?:×\s*[0-9]+\s*)*×\s*[0-9]+": ("E010", "`×` does not join sizes", _sized),
        r"×": ("E010", "`×` is not part of the language", "write `x` in a size, as in `3x3`"),
        rf"[{ARROWS}]": ("E010", _ARROW, "write `->`"),
        r"[–—−]>?": ("E010", "`{0}` is not the language's minus sign", "write `-`, or `->`"),
        r"=>": ("E011", _ARROW, "write `->`"),
        r"-->|>>": ("E011", _ARROW, "write `->`"),
        r"(?<![\w.])([0-9][0-9_.]*)K(?!\w)": (
            "E014",
            _NO_NUMBER,
            "the suffix for a thousand is a lower-case `k`: `{1}k`",
        ),
        r"(?<![\w.])([0-9][0-9_.]*)([mgt])(?!\w)": (
            "E014",
            _NO_NUMBER,
            lambda m: f"the suffix is a capital: `{m[1]}{m[2].upper()}`",
        ),
        r"(?<![\w.])[0-9]+(?:X[0-9]+)+(?!\w)": ("E014", "`{0}` is not a size", _sized),
        r"(?<![\w.])[0-9]+(?:x\w+)+(?!\w)": (
            "E014",
            "`{0}` is not a size: a literal size holds numbers only",
            lambda m: f"write the extents as a tuple: `({', '.join(m[0].split('x'))})`",
        ),
        r"(?<![\w.])(?:[0-9][0-9_]*_(?!\w)|[0-9]+__[0-9_]+)": (
            "E014",
            _NO_NUMBER,
            "a `_` stands between two digits",
        ),
        r"(?<![\w.])[0-9][0-9_.]*[^\W\d]\w*": (
            "E014",
            "`{0}` is neither a number nor a name",
            "a number ends in a digit or in `k`, `M`, `G`, `T`; a name starts with a letter",
        ),
        r"(?<![\w.)\]}])\.[0-9]+": (
            "E011",
            "`{0}` needs a digit before its decimal point",
            "write `0{0}`",
        ),
        r"[\uff01-\uff5e]+": (
            "E010",
            "`{0}` is not in plain characters",
            lambda m: f"write `{normalize('NFKC', m[0])}`",
        ),
        r"&&?": ("E010", _NO_OPERATOR, "write `and`"),
        r"!(?!=)": ("E010", _NO_OPERATOR, "write `not`"),
        r"\*\*": ("E011", _NO_OPERATOR, "write `^` for a power"),
        r"[‘’“”'`]": ("E010", "`{0}` does not quote a string", 'write `"..."`'),
        r";": ("E010", "`;` does not end a statement", _parted),
        r"\\([*_\[\]<>#|])": ("E010", "`{0}` is Markdown's spelling", "write `{1}`"),
        r"\\": ("E010", "`\\` is not part of the language", "a statement may span lines as it is"),
        rf"[{_INVISIBLE}]": (
            "E010",
            "the invisible character U+{code:04X}",
            "replace it with a space",
        ),
    }
)
