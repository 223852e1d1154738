"""Notations of other languages, a row each: a pattern, what to say of it, and the help.

The rows of `LINES` cover whole statements, those of `PIECES` a part of one.
"""

import re
from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import NamedTuple

from .settings import corrected_setting
from .training_blocks import FITTED, fitted, train_block, with_equals

_STROKES = re.compile(r"""^[/*%<!"'-]+|[*/>"'-]+$""")


class ForeignLine(NamedTuple):
    """A pattern of a line, and what to say about it.

    Attributes:
        pattern: What the line looks like.
        message: What is wrong.
        help: What to write, from the match.
    """

    pattern: re.Pattern[str]
    message: str
    help: Callable[[re.Match[str]], str]


LINES = (
    ForeignLine(
        re.compile(r"[ \t]*for\s+(.+?)\s+in\s+([^:\n]+?)\s*:[ \t]*([^\n#]*)"),
        "a body is written in braces, not after a colon",
        lambda m: f"write `for {m[1]} in {m[2]} {{ {m[3].strip() or _body(m)} }}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*(?:training|Train|TRAIN|fit|trainer|compile)\s*(?=\{)"),
        "settings of training stand in a `train` block",
        lambda m: "write `train `",
    ),
    ForeignLine(
        re.compile(r"[ \t]*train\s*\((.*)\)"),
        "`train` is a block of settings",
        lambda m: f"write `{train_block(m[1])}`",
    ),
    ForeignLine(
        FITTED,
        "training is a block of settings",
        fitted,
    ),
    ForeignLine(
        re.compile(
            r"[ \t]*(?:print|\w+\.(?:summary|eval|backward|zero_grad|step|save|predict|evaluate))"
            r"[ \t]*\(.*\)[ \t]*(?=\n|#|$)"
        ),
        "a program describes a network, and calls no methods",
        lambda m: "remove the line; the commands train, run and summarize a network",
    ),
    ForeignLine(
        re.compile(r"[ \t]*([A-Za-z_]\w*)\s*([-+*])=\s*([^\n#]+?)[ \t]*(?=\n|#|$)"),
        "a name is bound once, and tensors are merged by a layer",
        lambda m: f"write `{m[1]}2 = ( {m[1]} | {m[3]} ) -> {_MERGED[m[2]]}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*net\s+(\w+)\s*\{"),
        "the statements of a network stand in no braces",
        lambda m: f"write `net {m[1]}` on its own line, and the chain below it",
    ),
    ForeignLine(
        re.compile(r"[ \t]*output\s*(?:=\s*)?(?=[A-Za-z(])([^=\n#]*?->[^\n#]*)"),
        "an output has a name",
        lambda m: f"write `{_named_output(m[1].strip())}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*(?:let\s+|const\s+|var\s+)?(\w+)\s*:\s*\w+\s*=\s*([^\n#]+)"),
        "names have no types",
        lambda m: f"write `let {m[1]} = {m[2].strip()}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*(?:const|var|val|int|float|define|set)\s+(\w+)\s*=?\s*([\d\[(][^\n#]*)"),
        "numbers are named by `let`",
        lambda m: f"write `let {m[1]} = {m[2].strip()}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*let\s+(\w+)\s*(?:==|:=|<-)\s*([^\n#]+)"),
        "a name is given its value by `=`",
        lambda m: f"write `let {m[1]} = {m[2].strip()}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*import\s+\w+\s+from\s+(\"[^\"\n]*\")[ \t]*(?=\n|#|$)"),
        "an import takes all blocks of a file",
        lambda m: f"write `import {m[1]}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*(?:network|model|name)\s*:?\s+\"?(\w+)\"?[ \t]*(?=\n|$)"),
        "a network's name follows `net`",
        lambda m: f"write `net {m[1]}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*class_?weights?\s*=\s*\{[^{}]*\}", re.I),
        "classes have no weights",
        lambda m: corrected_setting("class_weight", None, "") or "",
    ),
    ForeignLine(
        re.compile(r"[ \t]*(?:el)?if\s+(.+?)\s*:[ \t]*(?=\n|#|$)"),
        "a body is written in braces, not after a colon",
        lambda m: f"write `if {m[1]} {{ {_body(m)} }}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*else\s*:[ \t]*(?=\n|#|$)"),
        "a body is written in braces, not after a colon",
        lambda m: f"write `else {{ {_body(m)} }}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*train\s*:[ \t]*(?=\n|#|$)"),
        "settings are written in braces, not after a colon",
        lambda m: f"write `{train_block(with_equals(_body(m)))}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*(?:block|net)\s+(\w+.*?)\s*:[ \t]*(?=\n|#|$)"),
        "a body is written in braces, not after a colon",
        lambda m: f"write `block {m[1]} {{ {_body(m)} }}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*(?:def|function|fn)\s+(\w+)\s*\(.*?\).*?(?=\n|$)"),
        "a part of a network is a block, not a function",
        lambda m: f"write `block {m[1].capitalize()}(c) {{ CONV(3x3, c) -> RELU }}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*class\s+(\w+).*?(?=\n|$)"),
        "a network is a chain of layers, not a class",
        lambda m: f"write `net {m[1]}`, and a chain such as `INPUT(28x28) -> FC(10)` below it",
    ),
    ForeignLine(
        re.compile(r"[ \t]*return\s+(\w+)[ \t]*(?=\n|$)"),
        "an output is named, not returned",
        lambda m: f"write `output {m[1]}`",
    ),
    ForeignLine(
        re.compile(r"[ \t]*(?:import\s+[A-Za-z_]|from\s+\S+\s+import\b).*?(?=\n|$)"),
        "layers need no import",
        lambda m: 'remove the line; `import "blocks.net"` imports a file of blocks',
    ),
    ForeignLine(
        re.compile(r"(?://|/\*|--\s|<!--|\"\"\"|'''|(?<![^\n])%).*?(?=\n|$)"),
        "a comment starts with `#`",
        lambda m: f"write `# {_STROKES.sub('', m[0]).strip()}`",
    ),
)


def _named_output(chain: str) -> str:
    """An output by the label at the end of its chain, or by any name."""
    before, _, label = chain.rpartition(" as ")
    is_named = before and re.fullmatch(r"\w+", label.strip())
    return f"output {label.strip()} = {before}" if is_named else f"output y = {chain}"


_MERGED: Mapping[str, str] = {"+": "ADD", "-": "SUB", "*": "MUL"}


def _body(match: re.Match[str]) -> str:
    """The indented lines below a line that ends in a colon, as the body between braces."""
    lines = match.string[match.end() :].split("\n")[1:]
    body = takewhile(lambda line: line[:1] in (" ", "\t") and line.strip(), lines)
    return ", ".join(line.strip() for line in body) or "..."


PIECES = (
    ForeignLine(
        re.compile(r"\bINPUT\(\s*(\d+(?:\s+\d+){1,3})\s*\)"),
        "the extents of a size are joined by `x`",
        lambda m: f"write `INPUT({'x'.join(m[1].split())})`",
    ),
    ForeignLine(
        re.compile(r"\bINPUT\(\s*[?*:]\s*,\s*(\d+(?:\s*,\s*\d+)*)\s*\)"),
        "the batch is never written",
        lambda m: f"write `INPUT({'x'.join(re.findall(r'[0-9]+', m[1]))})`",
    ),
    ForeignLine(
        re.compile(r"\breturn\b[ \t]*(?=[A-Za-z(\[])"),
        "a block yields what its last chain yields",
        lambda m: "remove `return`",
    ),
    ForeignLine(
        re.compile(r"->[ \t]*output[ \t]+(\w+)"),
        "an output is a statement of its own",
        lambda m: f"write `as {m[1]}_` there, and `output {m[1]} = {m[1]}_` on a line below",
    ),
    ForeignLine(
        re.compile(
            r"\bas\s+(?!\w+\s*(?:->|\||[)\]},#]|$))(\w+(?:[ -][a-z\d]\w*)+)"
            r"(?=\s*(?:->|\||[)\]}#]|$))"
        ),
        "a label is one word",
        lambda m: f"write `as {re.sub('[ -]', '_', m[1])}`",
    ),
    ForeignLine(
        re.compile(r"for\s+(\w+)\s*(?:=|in|from)\s*(\d+)\s*(?:to|:|,)\s*(\d+)"),
        "a `for` takes a list",
        lambda m: f"write `for {m[1]} in range({m[2]}, {int(m[3]) + 1})`",
    ),
    ForeignLine(
        re.compile(r"\b(?:repeat|times|loop)\s+(\d+)\s*\{([^{}]*)\}"),
        "a repetition is a chain in brackets, then `*` and how often",
        lambda m: f"write `[{m[2].strip()}]*{m[1]}`",
    ),
    ForeignLine(
        re.compile(r"for\s*\([^()]*?<\s*=?\s*(\w+)[^()]*\)"),
        "a `for` takes a list",
        lambda m: f"write `for i in range({m[1]})`",
    ),
    ForeignLine(
        re.compile(r"(?<=[(,\s])(\w+)\s*->\s*(\d+)(?=\s*[,)])"),
        "the size of a layer's input is inferred",
        lambda m: f"write `{m[2]}`",
    ),
    ForeignLine(
        re.compile(r"(\d+)\s*\.\.\.?\s*(\d+)"),
        "a range is a function",
        lambda m: f"write `range({m[1]}, {int(m[2]) + 1})`",
    ),
    ForeignLine(
        re.compile(r"(\d+(?:\.\d+)?)\s*%(?!\s*\d)"),
        "a percentage is written as a fraction",
        lambda m: f"write `{float(m[1]) / 100:g}`",
    ),
    ForeignLine(
        re.compile(r"[\[{]([^\[\]{}\n]*\|[^\[\]{}\n]*)[\]}]"),
        "the branches of a group stand in parentheses",
        lambda m: f"write `( {m[1].strip()} )`",
    ),
    ForeignLine(
        re.compile(r"\.{3}|…|\\[lcdv]?dots\b"),
        "a chain leaves out no steps",
        lambda m: "write the steps, or repeat them, as in `[CONV -> RELU]*3`",
    ),
    ForeignLine(re.compile(r":="), "a chain is bound with `=`", lambda m: "write `=`"),
    ForeignLine(
        re.compile(r"(?<![\w.])([A-Za-z_]\w*)\s*([-+*])\s*([A-Za-z_]\w*)(?!\w*\()"),
        "tensors are merged by a layer",
        lambda m: f"write `( {m[1]} | {m[3]} ) -> {_MERGED[m[2]]}`",
    ),
    ForeignLine(
        re.compile(r"[(\[]\s*([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)+)\s*[)\]]\s*->"),
        "`|` stands between the branches of a group",
        lambda m: f"write `( {' | '.join(part.strip() for part in m[1].split(','))} ) ->`",
    ),
    ForeignLine(
        re.compile(r"\b(FC|fc|DENSE|dense|CONV|conv)(\d*)-(\d+)\b"),
        "the tables' shorthand is in small letters, such as `conv5-16`",
        lambda m: f"write `{_shorthand(m)}`",
    ),
    ForeignLine(
        re.compile(r"(?<=[\w)\]])\s*(>>?|\|>)\s*(?=[A-Za-z(\[])"),
        "steps are joined by `->`",
        lambda m: "write `->`",
    ),
    ForeignLine(
        re.compile(r"\b(\w+)\s*:\s*((?:\([^()\n]*\)|[^,}\n:()])+)"),
        "a setting is written with `=`",
        lambda m: f"write `{m[1]} = {m[2].strip()}`",
    ),
)


def _shorthand(match: re.Match[str]) -> str:
    if match[2]:
        return f"CONV({match[2]}x{match[2]}, {match[3]})"
    return f"{'FC' if match[1].lower() in ('fc', 'dense') else 'CONV'}({match[3]})"
