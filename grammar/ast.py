"""The syntax tree of `.net`: frozen records, each with the span of the text that it came from.

Spans take no part in equality: two trees are equal when they say the same.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from .source import Source, Span


@dataclass(frozen=True, slots=True)
class Syntax:
    """Anything that is in a source text."""

    span: Span = field(compare=False, repr=False, kw_only=True)


# Expressions


@dataclass(frozen=True, slots=True)
class Number(Syntax):
    """`10`, `61_706`, `5e-4`, `25.6M`; decimal suffixes are already applied."""

    value: int | float


@dataclass(frozen=True, slots=True)
class Size(Syntax):
    """`3x3`, `224x224x3`."""

    extents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class String(Syntax):
    """`"text"`, escapes resolved."""

    value: str


@dataclass(frozen=True, slots=True)
class Boolean(Syntax):
    """`yes`, `no`."""

    value: bool


@dataclass(frozen=True, slots=True)
class Name(Syntax):
    """A word in an expression: a `let`, a choice such as `same`, a label; `in` is spelled `in`."""

    id: str


@dataclass(frozen=True, slots=True)
class TupleOf(Syntax):
    """`(a, b)`."""

    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class ListOf(Syntax):
    """`[a, b]`."""

    items: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Unary(Syntax):
    """`-a`, `+a`, `not a`."""

    operator: str
    operand: "Expression"


@dataclass(frozen=True, slots=True)
class Binary(Syntax):
    """`a + b`, `a and b`; `^` is a power and binds to the right."""

    operator: str
    left: "Expression"
    right: "Expression"


@dataclass(frozen=True, slots=True)
class Comparison(Syntax):
    """`a < b <= c`: operands are one more than operators."""

    operators: tuple[str, ...]
    operands: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Choice(Syntax):
    """`if condition then a else b`."""

    condition: "Expression"
    then: "Expression"
    otherwise: "Expression"


@dataclass(frozen=True, slots=True)
class Attribute(Syntax):
    """`in.channels`; the part after the dot may be an integer (`params(layer1.0)`)."""

    value: "Expression"
    name: str


@dataclass(frozen=True, slots=True)
class Index(Syntax):
    """`widths[0]`."""

    value: "Expression"
    index: "Expression"


@dataclass(frozen=True, slots=True)
class Argument(Syntax):
    """An argument of a call; `name` is None for a positional one."""

    name: str | None
    value: "Expression"


@dataclass(frozen=True, slots=True)
class Held(Syntax):
    """A value that Python gives where a program has an expression; its text is for messages."""

    value: Any


@dataclass(frozen=True, slots=True)
class Apply(Syntax):
    """`min(a, b)`, `params(conv1)`, `sgd(lr=0.1)`: a call in an expression."""

    function: str
    arguments: tuple[Argument, ...]


Expression = (
    Number | Size | String | Boolean | Name | TupleOf | ListOf | Unary | Binary | Comparison
    | Choice | Attribute | Index | Apply | Held
)  # fmt: skip


# Chains


@dataclass(frozen=True, slots=True)
class Label(Syntax):
    """`layer1.0`, `d{i}`, `"any text"`: dotted parts, each a sequence of literal text and holes.

    A quoted label is one part with one literal. `layer{i + 1}.conv` is
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


@dataclass(frozen=True, slots=True)
class Reference(Syntax):
    """A bare word as a step: a layer or block without arguments (`RELU`), a value, or `in`.

    Values may be dotted or computed (`layer1.0`, `d{i}`), hence a label.
    """

    label: Label


@dataclass(frozen=True, slots=True)
class Call(Syntax):
    """`CONV(3x3, 64)`; `name_span` covers the name alone."""

    name: str
    arguments: tuple[Argument, ...]
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Shorthand(Syntax):
    """`conv5-16`, `fc-120`: `kind` is `conv` or `fc`; `kernel` is None for `fc`."""

    kind: str
    kernel: tuple[int, ...] | None
    count: int


@dataclass(frozen=True, slots=True)
class Group(Syntax):
    """`( a | b | c )`: parallel branches; one branch alone only groups."""

    branches: tuple["Chain", ...]


@dataclass(frozen=True, slots=True)
class Repeat(Syntax):
    """`[chain]*n`; `count` is None for `[chain]`, which only groups."""

    chain: "Chain"
    count: Expression | None


@dataclass(frozen=True, slots=True)
class For(Syntax):
    """`for (i, c) in enumerate(widths) { ... }`."""

    target: "Target"
    iterable: Expression
    body: tuple["Statement", ...]


@dataclass(frozen=True, slots=True)
class If(Syntax):
    """`if c { ... } else { ... }`; `otherwise` is None without `else`; `else if` nests."""

    condition: Expression
    then: tuple["Statement", ...]
    otherwise: tuple["Statement", ...] | None


@dataclass(frozen=True, slots=True)
class Step(Syntax):
    """One step of a chain, with its label if it has one."""

    item: "Item"
    label: Label | None


@dataclass(frozen=True, slots=True)
class Chain(Syntax):
    """`a -> b -> c`."""

    steps: tuple[Step, ...]


Item = Reference | Call | Shorthand | Group | Repeat | For | If


# Statements


@dataclass(frozen=True, slots=True)
class NameTarget(Syntax):
    """The name that a `let`, a binding, or a `for` gives."""

    id: str


@dataclass(frozen=True, slots=True)
class TupleTarget(Syntax):
    """`(a, (b, c))`."""

    items: tuple["Target", ...]


Target = NameTarget | TupleTarget


@dataclass(frozen=True, slots=True)
class NetStatement(Syntax):
    """`net LeNet5`."""

    name: str


@dataclass(frozen=True, slots=True)
class LanguageStatement(Syntax):
    """`language 1`."""

    version: int


@dataclass(frozen=True, slots=True)
class ImportStatement(Syntax):
    """`import "blocks.net"`."""

    path: str


@dataclass(frozen=True, slots=True)
class DefaultStatement(Syntax):
    """`default CONV(3x3, bias=no)`."""

    name: str
    arguments: tuple[Argument, ...]
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Parameter(Syntax):
    """A parameter of a block, with its default if it has one."""

    name: str
    default: Expression | None


@dataclass(frozen=True, slots=True)
class BlockStatement(Syntax):
    """`block Up(c; skip, x) { ... }`; `inputs` is empty where the block has only `in`."""

    name: str
    parameters: tuple[Parameter, ...]
    inputs: tuple[NameTarget, ...]
    body: tuple["Statement", ...]
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class OutputStatement(Syntax):
    """`output logits = x`; `chain` is None for `output logits`."""

    name: str
    chain: Chain | None
    name_span: Span = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class AssertStatement(Syntax):
    """`assert params == 61_706`."""

    condition: Expression


@dataclass(frozen=True, slots=True)
class MapOf(Syntax):
    """`{cls: 1, box: 0.5}`, in `train` only."""

    items: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Entry(Syntax):
    """A line of a `train` block."""

    name: str
    value: Expression | MapOf


@dataclass(frozen=True, slots=True)
class TrainStatement(Syntax):
    """`train { ... }`."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class LetStatement(Syntax):
    """`let widths = [64, 128]`."""

    target: Target
    value: Expression


@dataclass(frozen=True, slots=True)
class BindStatement(Syntax):
    """`x = chain`, `(a, b) = chain`."""

    target: Target
    chain: Chain


@dataclass(frozen=True, slots=True)
class ChainStatement(Syntax):
    """A chain that stands alone."""

    chain: Chain


Statement = (
    NetStatement | LanguageStatement | ImportStatement | DefaultStatement | BlockStatement
    | OutputStatement | AssertStatement | TrainStatement | LetStatement | BindStatement
    | ChainStatement
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Comment(Syntax):
    """`# text`: on its own line it belongs to what follows, else to what precedes it."""

    text: str
    own_line: bool


class Token(Protocol):
    """A string that has a place, and a type: its terminal in `net.lark`."""

    type: str
    value: str
    start_pos: int
    end_pos: int

    def __str__(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Module:
    """A whole source text; its tokens, in order, include the comments."""

    source: Source = field(compare=False, repr=False)
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...]
    tokens: tuple[Token, ...] = field(compare=False, repr=False)
