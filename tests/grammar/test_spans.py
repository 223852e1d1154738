"""The parser on good text: where statements end, what spans cover, which comments are kept."""

import dataclasses
from collections.abc import Iterator

import pytest

from netc.grammar.ast import (
    BlockStatement,
    DefaultStatement,
    Module,
    OutputStatement,
    Syntax,
)
from netc.grammar.parsing.parser import parse
from netc.grammar.source import Source


def program(text: str) -> Module:
    """The tree of a program."""
    return parse(Source("test.net", text))


def test_statements_end_at_a_line_break() -> None:
    """What could be a call, an index or a repetition on one line is two statements on two."""
    trees = program("x = a\n(b | c) -> ADD\nlet n = b\n[a]*n\n(c | d)").statements
    assert [type(tree).__name__ for tree in trees] == [
        "BindStatement",
        "ChainStatement",
        "LetStatement",
        "ChainStatement",
        "ChainStatement",
    ]


def test_a_statement_spans_lines() -> None:
    """Line breaks, blank lines and comments inside of a statement are white space."""
    text = "a\n\n  -> CONV(3x3, # kernel\n     8)\n# between\n  -> b"
    assert program(text).statements == program("a -> CONV(3x3, 8) -> b").statements


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
def test_line_endings(ending: str) -> None:
    """Text with Windows line ends parses as any other."""
    assert program(f"net A # c{ending}a -> b{ending}") == program("net A # c\na -> b")


def test_comments() -> None:
    """Comments are kept with their place, and know whether they have a line of their own."""
    text = '# first\nnet A  # "trailing"\n  # indented\na -> b #'
    found = [(c.text, c.own_line, c.span.text) for c in program(text).comments]
    assert found == [
        ("# first", True, "# first"),
        ('# "trailing"', False, '# "trailing"'),
        ("# indented", True, "# indented"),
        ("#", False, "#"),
    ]


SPANS = """net A
let n = (1 + 2) * -k[0].x
block Up(c, d=1; x) {
  ( a as l.0 | [b]*(n - 1) ) -> if c { d{i} } else { e } as "q"
}
(p, q) = x -> CONV(3x3, k=min(1, (2, 3))) -> conv5-16
train { loss = {a: mse}, lr = if yes then 1k else "s" }
output o = p"""


def nodes(tree: object) -> Iterator[Syntax]:
    """Every node of a tree."""
    if isinstance(tree, Syntax):
        yield tree
    if isinstance(tree, tuple):
        for part in tree:
            yield from nodes(part)
    elif dataclasses.is_dataclass(tree):
        for field in dataclasses.fields(tree):
            if field.name != "source" and not field.name.endswith("span"):
                yield from nodes(getattr(tree, field.name))


def test_spans() -> None:
    """Every node's span covers its text and nothing else, parentheses of an expression included."""
    found = [(type(node).__name__, node.span.text) for node in nodes(program(SPANS))]
    for expected in [
        ("NetStatement", "net A"),
        ("Binary", "(1 + 2) * -k[0].x"),
        ("Binary", "(1 + 2)"),
        ("Unary", "-k[0].x"),
        ("Attribute", "k[0].x"),
        ("Index", "k[0]"),
        ("Parameter", "c"),
        ("Parameter", "d=1"),
        ("Step", "a as l.0"),
        ("Label", "l.0"),
        ("Group", "( a as l.0 | [b]*(n - 1) )"),
        ("Repeat", "[b]*(n - 1)"),
        ("Step", 'if c { d{i} } else { e } as "q"'),
        ("If", "if c { d{i} } else { e }"),
        ("Reference", "d{i}"),
        ("Label", '"q"'),
        ("TupleTarget", "(p, q)"),
        ("Call", "CONV(3x3, k=min(1, (2, 3)))"),
        ("Argument", "k=min(1, (2, 3))"),
        ("Apply", "min(1, (2, 3))"),
        ("TupleOf", "(2, 3)"),
        ("Shorthand", "conv5-16"),
        ("MapOf", "{a: mse}"),
        ("Entry", 'lr = if yes then 1k else "s"'),
        ("Choice", 'if yes then 1k else "s"'),
        ("OutputStatement", "output o = p"),
    ]:
        assert expected in found
    for kind, text in found:
        assert text == text.strip(), kind
        assert text, kind


def test_spans_of_names() -> None:
    """A default, a block and an output know where their name alone stands."""
    text = "default A(1)\nblock B(c) { D(2) }\noutput E = a"
    default, block, output = program(text).statements
    assert isinstance(default, DefaultStatement)
    assert isinstance(block, BlockStatement)
    assert isinstance(output, OutputStatement)
    spans = [default.name_span, block.name_span, output.name.span]
    assert [span.text for span in spans] == ["A", "B", "E"]


def test_a_parse_leaves_nothing_behind() -> None:
    """Two parses of one text are equal, comments included."""
    assert program("a # x") == program("a # x")


CONTRACT = """language 1
net ResNet18
import "blocks.net"
let widths = [64, 128, 256, 512]
default CONV(3x3, pad=same, bias=no) # new defaults

block Basic(c, stride=1) {
  ( CONV(3x3, c, stride=stride) as conv1 -> BN as bn1 -> RELU -> CONV(3x3, c) as conv2 -> BN as bn2
  | if stride != 1 or in.channels != c { CONV(1x1, c, stride=stride) as downsample.0
      -> BN as downsample.1 } else { ID }
  ) -> ADD -> RELU
}

x = INPUT(224x224x3)
  -> CONV(7x7, 64, stride=2, pad=3) as conv1 -> BN as bn1 -> RELU -> POOL(3x3, stride=2, pad=1)
  -> for (i, c) in enumerate(widths) {
       Basic(c, stride=if i == 0 then 1 else 2) as 0 -> Basic(c) as 1
     } as layer{i + 1}
  -> GAP -> FC(1000, bias=yes) as fc

output logits = x
assert params == 11_689_512
assert shape(fc) == 1000
train {
  data       = digits
  split      = (0.8, 0.1, 0.1)
  preprocess = [mean_subtract, whiten(pca)]
  augment    = [flip(horizontal), crop(28x28), noise(0.05)]
  optimizer  = sgd(lr=0.1, momentum=linear(0.9, 0.999), nesterov=yes)
  loss = {cls: cross_entropy, box: huber}
  batch = all
}
"""


def test_the_programs_of_the_contract() -> None:
    """The programs that the description of the language shows parse, statement by statement."""
    kinds = [type(tree).__name__.removesuffix("Statement") for tree in program(CONTRACT).statements]
    expected = "Language Net Import Let Default Block Bind Output Assert Assert Train"
    assert kinds == expected.split()


@pytest.mark.parametrize(
    "text",
    [
        "INPUT -> [CONV -> RELU -> POOL]*2 -> FC -> RELU -> FC",
        "INPUT(32x32x3) -> CONV(5x5, 32) -> RELU -> POOL -> FC(10)",
        "INPUT(128x64, sequence) -> CONV(16, kernel=3)",
        "INPUT(1024, dtype=int64) -> EMBED(50_257, 768)",
        "INPUT((H, W, 3)) -> CONV((k, k), c)",
        "( d4 | bottom ) -> Up(512)",
        "( skip | UPCONV(2x2, 64) ) -> CONCAT",
        "x -> SPLIT(2) -> ( ID | CONV -> RELU ) -> CONCAT",
        "( ID | GAP -> FC(c) -> SIGMOID ) -> MUL",
        "INPUT(2) -> FC(2, weight=[[-2, 2], [2, -2]], bias_value=[-1, -1])",
        'x -> op("Name", axis=1)',
        "x -> [Basic(64)]*2 as layer1 -> [Basic(c)]*(n - 1)",
        "x -> for (i, (c, n)) in enumerate([(64, 3), (128, 4)]) { A(c) as block.output.dense }",
        "block Up(c; skip, x) { ( skip | UPCONV(c) ) -> CONCAT }\n( d4 | ID ) -> Up(512)",
        "x -> conv5-16 -> maxpool -> conv3-64 -> avgpool -> fc-120",
        "block A {\n  let n = 2\n  y = in -> CONV\n  if n > 1 { in -> d{n} } else if yes { y }\n}",
        "assert params(layer1.0) < 10k and receptive_field(conv1) == (3, 3)",
        "block A { a }",
        "train {}",
    ],
)
def test_programs(text: str) -> None:
    """Everyday programs parse."""
    assert program(text).statements
