"""The syntax tree of `.net`: frozen records, each with the span of the text that it came from.

Spans take no part in equality: two trees are equal when they say the same.
"""

from dataclasses import field
from typing import Any, NamedTuple

from .records import record
from .source import Source, Span


@record
class Syntax:
    """Anything that is in a source text."""

    span: Span = field(compare=False, repr=False, kw_only=True)


# Expressions


@record
class Number(Syntax):
    """`10`, `61_706`, `5e-4`, `25.6M`; decimal suffixes are already applied."""

    value: int | float


@record
class Size(Syntax):
    """`3x3`, `224x224x3`."""

    extents: tuple[int, ...]


@record
class String(Syntax):
    """`"text"`, escapes resolved."""

    value: str


@record
class Template(Syntax):
    """`"block{i + 1}"`: literal text, escapes resolved, and computed parts."""

    parts: tuple["str | Expression", ...]


@record
class Boolean(Syntax):
    """`yes`, `no`."""

    value: bool


@record
class Name(Syntax):
    """A word in an expression: a `let`, a choice such as `same`, a label; `in` is spelled `in`."""

    id: str


@record
class TupleOf(Syntax):
    """`(a, b)`."""

    items: tuple["Expression", ...]


@record
class ListOf(Syntax):
    """`[a, b]`."""

    items: tuple["Expression", ...]


@record
class Clause(Syntax):
    """`for (i, c) in enumerate(widths) if c > 8`, with any number of conditions."""

    target: "Target"
    iterable: "Expression"
    conditions: tuple["Expression", ...]


@record
class Comprehension(Syntax):
    """`[c // 2 for c in widths if c > 8]`; a later clause turns within an earlier one."""

    item: "Expression"
    clauses: tuple[Clause, ...]


@record
class Unary(Syntax):
    """`-a`, `+a`, `not a`."""

    operator: str
    operand: "Expression"


@record
class Binary(Syntax):
    """`a + b`, `a and b`; `^` is a power and binds to the right."""

    operator: str
    left: "Expression"
    right: "Expression"


@record
class Comparison(Syntax):
    """`a < b <= c`: operands are one more than operators."""

    operators: tuple[str, ...]
    operands: tuple["Expression", ...]


@record
class Choice(Syntax):
    """`if condition then a else b`."""

    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"


@record
class Attribute(Syntax):
    """`in.channels`; the part after the dot may be an integer (`params(layer1.0)`)."""

    value: "Expression"
    name: str


@record
class Index(Syntax):
    """`widths[0]`."""

    value: "Expression"
    index: "Expression"


@record
class Slice(Syntax):
    """`widths[1:]`, `widths[:-1]`; a bound is None where none is written."""

    value: "Expression"
    start: "Expression | None"
    stop: "Expression | None"


@record
class Argument(Syntax):
    """An argument of a call; `name` is None for a positional one."""

    name: str | None
    value: "Expression"


@record
class Held(Syntax):
    """A value that Python gives where a program has an expression; its text is for messages."""

    value: Any


@record
class Apply(Syntax):
    """`min(a, b)`, `r.width(8)`, `sgd(lr=0.1)`: a call in an expression."""

    function: str
    arguments: tuple[Argument, ...]


Expression = (
    Number | Size | String | Template | Boolean | Name | TupleOf | ListOf | Comprehension | Unary
    | Binary | Comparison | Choice | Attribute | Index | Slice | Apply | Held
)  # fmt: skip


# Chains


@record
class Label(Syntax):
    """`layer1.0`, `d{i}`, `"any text"`: dotted parts, each a sequence of literal text and holes.

    A quoted label is one part. `layer{i + 1}.conv` is
    `(("layer", <i + 1>), ("conv",))`.
    """

    parts: tuple[tuple["str | Expression", ...], ...]

    @property
    def literal(self) -> str | None:
        """The label as text, or None where a part is computed."""
        texts: list[str] = []
        for part in self.parts:
            pieces = [piece for piece in part if isinstance(piece, str)]
            if len(pieces) < len(part):
                return None
            texts.append("".join(pieces))
        return ".".join(texts)


@record
class Reference(Syntax):
    """A bare word as a step: a layer or block without arguments (`RELU`), a value, or `in`.

    Values may be dotted or computed (`layer1.0`, `d{i}`), hence a label.
    """

    label: Label


@record
class Call(Syntax):
    """`CONV(3x3, 64)`, `r.Basic(64)`; `name_span` covers the name alone.

    `inline Stem(64)`, `inline Stem` is one that opens no scope.
    """

    name: str
    arguments: tuple[Argument, ...]
    name_span: Span = field(compare=False, repr=False)
    is_inline: bool = False


@record
class Shorthand(Syntax):
    """`conv5-16`, `fc-120`: `kind` is `conv` or `fc`; `kernel` is None for `fc`."""

    kind: str
    kernel: tuple[int, ...] | None
    count: int


@record
class Branch(Syntax):
    """`CONV(3x3)`, `for r in rates | CONV(3x3, dilation=r)`, `ID if stride == 1`.

    It is there once, or once for each turn of its clauses, where its condition holds.
    """

    chain: "Chain"
    clauses: tuple[Clause, ...] = ()
    condition: Expression | None = None

    @property
    def is_computed(self) -> bool:
        """Whether how often it is there depends on values."""
        return bool(self.clauses) or self.condition is not None


@record
class Group(Syntax):
    """`( a | b | c )`: parallel branches; one branch alone only groups."""

    branches: tuple[Branch, ...]

    @property
    def is_computed(self) -> bool:
        """Whether the number of branches depends on values."""
        return any(branch.is_computed for branch in self.branches)


@record
class Repeat(Syntax):
    """`[chain]*n`; `count` is None for `[chain]`, which only groups."""

    chain: "Chain"
    count: Expression | None


@record
class For(Syntax):
    """`for (i, c) in enumerate(widths) { ... }`."""

    target: "Target"
    iterable: Expression
    body: tuple["Statement", ...]


@record
class If(Syntax):
    """`if c { ... } else { ... }`; `otherwise` is None without `else`; `else if` nests."""

    condition: Expression
    then: tuple["Statement", ...]
    otherwise: tuple["Statement", ...] | None


@record
class Step(Syntax):
    """One step of a chain, with its label if it has one."""

    item: "Item"
    label: Label | None


@record
class Chain(Syntax):
    """`a -> b -> c`."""

    steps: tuple[Step, ...]


Item = Reference | Call | Shorthand | Group | Repeat | For | If


# Statements


@record
class NameTarget(Syntax):
    """The name that a `let`, a binding, or a `for` gives."""

    id: str


@record
class TupleTarget(Syntax):
    """`(a, (b, c))`."""

    items: tuple["Target", ...]


Target = NameTarget | TupleTarget


@record
class NetStatement(Syntax):
    """`net LeNet5`, `net "ResNet-{depth}"`."""

    name: Label


@record
class LanguageStatement(Syntax):
    """`language 1`."""

    version: int


@record
class ImportStatement(Syntax):
    """`import "blocks.net"`, `import "blocks.net" as b`; `name` is None without `as`."""

    path: str
    name: NameTarget | None


@record
class DefaultStatement(Syntax):
    """`default CONV(3x3, bias=no)`, `default r.CONV(init=he)`; `name_span` covers the layer."""

    name: str
    arguments: tuple[Argument, ...]
    name_span: Span = field(compare=False, repr=False)


@record
class Parameter(Syntax):
    """A parameter of a block or a function, with its default if it has one."""

    name: str
    default: Expression | None


@record
class BlockStatement(Syntax):
    """`block Up(c; skip, x) { ... }`; `inputs` is empty where the block has only `in`."""

    name: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[NameTarget, ...]
    body: tuple["Statement", ...]
    name_span: Span = field(compare=False, repr=False)


@record
class OutputStatement(Syntax):
    """`output logits = x`, `output p{i} = x`; `chain` is None for `output logits`."""

    name: Label
    chain: Chain | None


@record
class AssertStatement(Syntax):
    """`assert params == 61_706`."""

    condition: Expression


@record
class MapOf(Syntax):
    """`{cls: 1, box: 0.5}`, in `train` only."""

    items: tuple[Argument, ...]


@record
class Entry(Syntax):
    """A line of a `train` block."""

    name: str
    value: Expression | MapOf


@record
class TrainStatement(Syntax):
    """`train { ... }`."""

    entries: tuple[Entry, ...]


@record
class LetStatement(Syntax):
    """`let widths = [64, 128]`."""

    target: Target
    value: Expression


@record
class FunctionStatement(Syntax):
    """`let divisible(v, d=8) = ceil(v / d) * d`."""

    name: str
    parameters: tuple[Parameter, ...]
    value: Expression
    name_span: Span = field(compare=False, repr=False)


@record
class BindStatement(Syntax):
    """`x = chain`, `(a, b) = chain`, `x{i} = chain`."""

    target: Target | Label
    chain: Chain


@record
class ChainStatement(Syntax):
    """A chain that stands alone."""

    chain: Chain


Statement = (
    NetStatement | LanguageStatement | ImportStatement | DefaultStatement | BlockStatement
    | OutputStatement | AssertStatement | TrainStatement | LetStatement | FunctionStatement
    | BindStatement | ChainStatement
)  # fmt: skip


@record
class Comment(Syntax):
    """`# text`: on its own line it belongs to what follows, else to what precedes it."""

    text: str
    own_line: bool


class Token(NamedTuple):
    """A piece of text and its place; its type is its terminal in `net.lark`."""

    type: str
    value: str
    start_pos: int
    end_pos: int


@record
class Module:
    """A whole source text; its tokens, in order, include the comments."""

    source: Source = field(compare=False, repr=False)
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...]
    tokens: tuple[Token, ...] = field(compare=False, repr=False)
