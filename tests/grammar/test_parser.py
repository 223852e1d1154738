"""The parser on good text: the tree that each construct gives."""

import pytest

from netc.grammar.ast import (
    Apply,
    Argument,
    Attribute,
    Binary,
    BindStatement,
    BlockStatement,
    Boolean,
    Branch,
    Call,
    Chain,
    ChainStatement,
    Choice,
    Clause,
    Comparison,
    Comprehension,
    DefaultStatement,
    Entry,
    Expression,
    For,
    FunctionStatement,
    Group,
    If,
    ImportStatement,
    Index,
    Item,
    Label,
    LanguageStatement,
    LetStatement,
    ListOf,
    MapOf,
    Module,
    Name,
    NameTarget,
    NetStatement,
    Number,
    OutputStatement,
    Parameter,
    Reference,
    Repeat,
    Shorthand,
    Size,
    Statement,
    Step,
    String,
    Template,
    TrainStatement,
    TupleOf,
    TupleTarget,
    Unary,
)
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source, Span

AT = Span(Source("", ""), 0, 0)  # spans take no part in equality


def program(text: str) -> Module:
    """The tree of a program."""
    return parse(Source("test.net", text))


def statement(text: str) -> Statement:
    """The tree of a program of one statement."""
    (only,) = program(text).statements
    return only


def value(text: str) -> Expression:
    """The tree of an expression."""
    found = statement(f"let x = {text}")
    assert isinstance(found, LetStatement)
    return found.value


def item(text: str) -> Item:
    """The tree of the last step of a chain."""
    found = statement(text)
    assert isinstance(found, ChainStatement)
    return found.chain.steps[-1].item


def num(number: int | float) -> Number:
    """A number."""
    return Number(number, span=AT)


def name(word: str) -> Name:
    """A name in an expression."""
    return Name(word, span=AT)


def ref(*parts: str | tuple[str | Expression, ...]) -> Reference:
    """A reference, by its dotted parts."""
    return Reference(label(*parts), span=AT)


def label(*parts: str | tuple[str | Expression, ...]) -> Label:
    """A label, by its dotted parts."""
    return Label(tuple((p,) if isinstance(p, str) else p for p in parts), span=AT)


def chain(*items: Item) -> Chain:
    """A chain without labels."""
    return Chain(tuple(Step(i, None, span=AT) for i in items), span=AT)


def branch(
    *items: Item, clauses: tuple[Clause, ...] = (), condition: Expression | None = None
) -> Branch:
    """A branch without labels."""
    return Branch(chain(*items), clauses, condition, span=AT)


def body(*items: Item) -> tuple[Statement, ...]:
    """A body of one chain."""
    return (ChainStatement(chain(*items), span=AT),)


def argument(word: str | None, argument_value: Expression) -> Argument:
    """An argument of a call."""
    return Argument(word, argument_value, span=AT)


def call(word: str, *values: Expression) -> Call:
    """A call with positional arguments."""
    return Call(word, tuple(argument(None, v) for v in values), span=AT, name_span=AT)


def binary(operator: str, left: Expression, right: Expression) -> Binary:
    """A binary operation."""
    return Binary(operator, left, right, span=AT)


def unary(operator: str, operand: Expression) -> Unary:
    """A unary operation."""
    return Unary(operator, operand, span=AT)


def compare(operators: str, *operands: Expression) -> Comparison:
    """A chain of comparisons, the operators separated by blanks."""
    return Comparison(tuple(operators.split()), operands, span=AT)


A, B, C, D = name("a"), name("b"), name("c"), name("d")


def clause(target: str, iterable: Expression, *conditions: Expression) -> Clause:
    """A clause of a comprehension."""
    return Clause(NameTarget(target, span=AT), iterable, conditions, span=AT)


EXPRESSIONS = {
    "[a for a in b]": Comprehension(A, (clause("a", B),), span=AT),
    "[a + b for a in c if a > b if d for b in a]": Comprehension(
        binary("+", A, B), (clause("a", C, compare(">", A, B), D), clause("b", A)), span=AT
    ),
    "[if a then b else c for a in if b then c else d]": Comprehension(
        Choice(A, B, C, span=AT), (clause("a", Choice(B, C, D, span=AT)),), span=AT
    ),
    '"a{b}c{d + 1}"': Template(("a", B, "c", binary("+", D, num(1))), span=AT),
    '"{a}{b}"': Template((A, B), span=AT),
    r'"\{a\} \"\\"': String('{a} "\\', span=AT),
    r'"\{{a}"': Template(("{", A), span=AT),
    "a - b - c": binary("-", binary("-", A, B), C),
    "a + b * c": binary("+", A, binary("*", B, C)),
    "(a + b) * c": binary("*", binary("+", A, B), C),
    "a // b % c / d": binary("/", binary("%", binary("//", A, B), C), D),
    "-2^2": unary("-", binary("^", num(2), num(2))),
    "2^3^2": binary("^", num(2), binary("^", num(3), num(2))),
    "2^-1 * a": binary("*", binary("^", num(2), unary("-", num(1))), A),
    "-a * b": binary("*", unary("-", A), B),
    "a - -b": binary("-", A, unary("-", B)),
    "a < b <= c": compare("< <=", A, B, C),
    "(a < b) == c": compare("==", compare("<", A, B), C),
    "a + 1 < b": compare("<", binary("+", A, num(1)), B),
    "not a == b": unary("not", compare("==", A, B)),
    "not not a": unary("not", unary("not", A)),
    "a or b and not c": binary("or", A, binary("and", B, unary("not", C))),
    "a and b or c": binary("or", binary("and", A, B), C),
    "if a then b else c + d": Choice(A, B, binary("+", C, D), span=AT),
    "if a then b else if c then d else a": Choice(A, B, Choice(C, D, A, span=AT), span=AT),
    "a[0][b]": Index(Index(A, num(0), span=AT), B, span=AT),
    "in.channels": Attribute(name("in"), "channels", span=AT),
    "layer1.0.conv": Attribute(Attribute(name("layer1"), "0", span=AT), "conv", span=AT),
    "a.in": Attribute(A, "in", span=AT),
    "min(a, k=b)": Apply("min", (argument(None, A), argument("k", B)), span=AT),
    "(a, b)": TupleOf((A, B), span=AT),
    "(a,)": TupleOf((A,), span=AT),
    "[]": ListOf((), span=AT),
    "[a, (b, c),]": ListOf((A, TupleOf((B, C), span=AT)), span=AT),
    "61_706": num(61706),
    "0.01": num(0.01),
    "5e-4": num(5e-4),
    "10k": num(10_000),
    "25.6M": num(25_600_000),
    "1.5G": num(1_500_000_000),
    "2T": num(2 * 10**12),
    "0.0001k": num(0.1),
    "9223372036854775807": num(2**63 - 1),
    "224x224x3": Size((224, 224, 3), span=AT),
    "yes": Boolean(True, span=AT),
    "no": Boolean(False, span=AT),
    r'"a \" \\ # b"': String('a " \\ # b', span=AT),
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expressions(text: str) -> None:
    """Each expression has the tree that the table of precedences says."""
    assert value(text) == EXPRESSIONS[text]


@pytest.mark.parametrize("text", ["25.6M", "10k", "61_706"])
def test_whole_amounts_are_integers(text: str) -> None:
    """A suffix on a whole amount gives an integer, not a float that happens to be whole."""
    number = value(text)
    assert isinstance(number, Number)
    assert isinstance(number.value, int)


ITEMS = {
    "a -> RELU": ref("RELU"),
    "in": ref("in"),
    "layer1.0": ref("layer1", "0"),
    "layer1.0.1": ref("layer1", "0", "1"),
    "d{i}": ref(("d", name("i"))),
    "a -> d{i + 1}_x": ref(("d", binary("+", name("i"), num(1)), "_x")),
    "d{a}{b}": ref(("d", A, B)),
    "a -> layer{i}.0": ref(("layer", name("i")), "0"),
    "layer.{i}.conv": ref("layer", (name("i"),), "conv"),
    "CONV(3x3, 8)": call("CONV", Size((3, 3), span=AT), num(8)),
    "ID()": call("ID"),
    "a -> conv5-16": Shorthand("conv", (5, 5), 16, span=AT),
    "a -> conv3x5-64": Shorthand("conv", (3, 5), 64, span=AT),
    "a -> fc-120": Shorthand("fc", None, 120, span=AT),
    "a -> maxpool": ref("maxpool"),
    "( a | b -> c )": Group((branch(ref("a")), branch(ref("b"), ref("c"))), span=AT),
    "( a | b -> c if d )": Group(
        (branch(ref("a")), branch(ref("b"), ref("c"), condition=D)), span=AT
    ),
    "( for a in b | for c in d | b -> c if d | for i in b {} )": Group(
        (
            branch(ref("b"), ref("c"), clauses=(clause("a", B), clause("c", D)), condition=D),
            branch(For(NameTarget("i", span=AT), B, (), span=AT)),
        ),
        span=AT,
    ),
    "[a]": Repeat(chain(ref("a")), None, span=AT),
    "[a -> b]*3": Repeat(chain(ref("a"), ref("b")), num(3), span=AT),
    "[a]*n": Repeat(chain(ref("a")), name("n"), span=AT),
    "[a]*(n - 1)": Repeat(chain(ref("a")), binary("-", name("n"), num(1)), span=AT),
    "for i in c{ d{i} }": For(NameTarget("i", span=AT), C, body(ref(("d", name("i")))), span=AT),
    "for (i, (a, b)) in c {}": For(
        TupleTarget(
            (
                NameTarget("i", span=AT),
                TupleTarget((NameTarget("a", span=AT), NameTarget("b", span=AT)), span=AT),
            ),
            span=AT,
        ),
        C,
        (),
        span=AT,
    ),
    "if a { b }": If(A, body(ref("b")), None, span=AT),
    "if a{b}else{c}": If(A, body(ref("b")), body(ref("c")), span=AT),
    "if a { b } else if c { d }": If(
        A, body(ref("b")), body(If(C, body(ref("d")), None, span=AT)), span=AT
    ),
}


@pytest.mark.parametrize("text", ITEMS)
def test_items(text: str) -> None:
    """Each kind of step has its tree."""
    assert item(text) == ITEMS[text]


LABELS = {
    "conv1": label("conv1"),
    "layer1.0": label("layer1", "0"),
    "block.output.dense": label("block", "output", "dense"),
    "0": label("0"),
    "{i}": label((name("i"),)),
    "layer{i + 1}.{k}_a.0": label(
        ("layer", binary("+", name("i"), num(1))), (name("k"), "_a"), "0"
    ),
    '"any text, quoted"': label("any text, quoted"),
    '"block {i}.a"': label(("block ", name("i"), ".a")),
}


@pytest.mark.parametrize("text", LABELS)
def test_labels(text: str) -> None:
    """Labels are dotted parts of words, integers and holes, or a string."""
    found = statement(f"a -> b as {text} -> c")
    assert isinstance(found, ChainStatement)
    assert [step.label for step in found.chain.steps] == [None, LABELS[text], None]


STATEMENTS = {
    "net LeNet5": NetStatement(label("LeNet5"), span=AT),
    'net "ResNet-{n}"': NetStatement(label(("ResNet-", name("n"))), span=AT),
    "let f() = a": FunctionStatement("f", (), A, span=AT, name_span=AT),
    "let f(a, d=8) = a * d": FunctionStatement(
        "f",
        (Parameter("a", None, span=AT), Parameter("d", num(8), span=AT)),
        binary("*", A, D),
        span=AT,
        name_span=AT,
    ),
    'net "LeNet 5"': NetStatement(label("LeNet 5"), span=AT),
    "language 1": LanguageStatement(1, span=AT),
    'import "lib:resnet.net"': ImportStatement("lib:resnet.net", None, span=AT),
    'import "a.net" as a': ImportStatement("a.net", NameTarget("a", span=AT), span=AT),
    "default CONV(bias=no)": DefaultStatement(
        "CONV", (argument("bias", Boolean(False, span=AT)),), span=AT, name_span=AT
    ),
    "block A { a }": BlockStatement("A", (), (), body(ref("a")), span=AT, name_span=AT),
    "block A(c, n=2; skip, x) { a }": BlockStatement(
        "A",
        (Parameter("c", None, span=AT), Parameter("n", num(2), span=AT)),
        (NameTarget("skip", span=AT), NameTarget("x", span=AT)),
        body(ref("a")),
        span=AT,
        name_span=AT,
    ),
    "block A(; x, y) { a }": BlockStatement(
        "A",
        (),
        (NameTarget("x", span=AT), NameTarget("y", span=AT)),
        body(ref("a")),
        span=AT,
        name_span=AT,
    ),
    "output a": OutputStatement(label("a"), None, span=AT),
    "output a{i}b": OutputStatement(label(("a", name("i"), "b")), None, span=AT),
    "a{i} = b": BindStatement(label(("a", name("i"))), chain(ref("b")), span=AT),
    "output a = b -> c": OutputStatement(label("a"), chain(ref("b"), ref("c")), span=AT),
    "x = a": BindStatement(NameTarget("x", span=AT), chain(ref("a")), span=AT),
    "(x, y) = a -> SPLIT(2)": BindStatement(
        TupleTarget((NameTarget("x", span=AT), NameTarget("y", span=AT)), span=AT),
        chain(ref("a"), call("SPLIT", num(2))),
        span=AT,
    ),
    "train {\n  lr = 0.1, batch = all\n  loss = {a: mse, b: mae}\n}": TrainStatement(
        (
            Entry("lr", num(0.1), span=AT),
            Entry("batch", name("all"), span=AT),
            Entry(
                "loss",
                MapOf((argument("a", name("mse")), argument("b", name("mae"))), span=AT),
                span=AT,
            ),
        ),
        span=AT,
    ),
}


@pytest.mark.parametrize("text", STATEMENTS)
def test_statements(text: str) -> None:
    """Each kind of statement has its tree."""
    assert statement(text) == STATEMENTS[text]
