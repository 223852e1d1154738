"""Labelled examples of malformed text: what to say where the parser stops as it does on them."""

from typing import NamedTuple


class MalformedExample(NamedTuple):
    """Malformed texts that deserve one message.

    Attributes:
        code: The code of the diagnostic.
        message: What is wrong; `{found}` is the unexpected text.
        help: How to fix it.
        texts: Each stops the parser at the token that the message is about.
        any_token: Whether the message holds for any token in that place.
        behind: Whether to point behind the token before, where something is missing.
    """

    code: str
    message: str
    help: str
    texts: tuple[str, ...]
    any_token: bool = False
    behind: bool = False


def _missing(message: str, help: str, *texts: str) -> MalformedExample:
    """Something is missing, no matter what comes instead."""
    return MalformedExample("E011", message, help, texts, any_token=True)


_ITEMS = ("a", "in", "a(8)", "conv3-8", "(a | b)", "[a]", "[a]*2", "for i in x { a }", "if a { b }")

NO_NAME = "no name after the `as` of an import"
NAMED = 'write one word, as in `import "lib:resnet.net" as r`'
NO_MEMBER = "a name ends in `.`"
MEMBER = "write a name after the dot"

EXAMPLES = (
    # Chains
    MalformedExample(
        "E011",
        "a chain cannot start with `->`",
        "name the value to continue from, as in `x -> ...`, or join it to the chain before",
        ("-> FC", "x = -> FC", "block A { -> FC }", "INPUT -> ( -> FC )", "INPUT -> [ -> FC ]"),
    ),
    MalformedExample(
        "E021",
        "an empty group",
        "a branch that does nothing is written `ID`",
        ("( )", "INPUT -> ( )"),
    ),
    MalformedExample(
        "E021",
        "an empty branch",
        "a branch that does nothing is written `ID`",
        ("( | a )", "INPUT -> ( | a )", "( a | )", "( a | | b )"),
    ),
    MalformedExample(
        "E021",
        "an empty branch",
        "a branch that does nothing is written `ID`",
        ("( for a in b | )",),
    ),
    MalformedExample(
        "E011",
        "a branch for each item of a list is written behind `|`",
        "write `( for r in rates | CONV(3x3, dilation=r) )`",
        ("( for a in [1] b )", "( for a in b b )", "( for a in b )"),
    ),
    MalformedExample(
        "E011",
        "a condition ends its branch",
        "write `( a | b if c )`, or the step `if c { b } else { d }` where there is a choice",
        ("( a if b { c } )", "( a if b else c )", "( a if 1 { c } )", "( a if 1 else c )"),
    ),
    MalformedExample(
        "E021", "an empty repetition", "write the steps between the brackets", ("[ ]",)
    ),
    MalformedExample(
        "E022",
        "no count after `*`",
        "write how often, as in `[...]*2`; a computed count takes parentheses, `[...]*(n - 1)`",
        ("[a]*", "[a]* -> b"),
        any_token=True,
        behind=True,
    ),
    MalformedExample(
        "E011",
        "a chain inside a call or an expression",
        "bind the chain to a separate name without `let`, as in `x = ...`, and use the name",
        ("FC(a -> b)", "FC(a(8) -> b)", "let y = [a -> b]", "FC(n=a -> b)", "let x = a(8) -> b"),
    ),
    _missing(
        "no label after `as`",
        "a label is a name such as `conv1`, dotted parts, or a string",
        *(f"{item} as" for item in _ITEMS),
        *(f"a -> {item} as" for item in _ITEMS),
    ),
    _missing(
        "a label ends in `.`",
        "write a name or an integer after the dot",
        "a as b.",
        "a as b.0.",
        "a.",
        "a.b.",
    ),
    _missing(
        "no block after `inline`",
        "it stands before the name of a block, whose layers are then named as if written there",
        "inline",
        "a -> inline -> b",
    ),
    _missing(NO_MEMBER, MEMBER, "FC(a.)", "let x = a.", "let x = a(1).", "let x = a[1]."),
    # `for` and `if`
    _missing("no name after `for`", "write `for x in list { ... }`", "for"),
    _missing("no `in` after the names of `for`", "write `for x in list { ... }`", "for i x"),
    MalformedExample(
        "E011",
        "a string has no prefix",
        'braces are computed in every string: write `"block{i}"`',
        ('let s = f"a"',),
    ),
    MalformedExample(
        "E011",
        "`then` does not belong in a chain",
        "in a chain, `if` takes braces: `if c { CONV } else { ID }`",
        ("if a then b",),
    ),
    MalformedExample(
        "E011",
        "braces in an expression",
        "in an expression, write `if c then a else b`",
        ("let x = if a { b }",),
    ),
    MalformedExample(
        "E011",
        "an `if` in an expression without `else`",
        "write `if c then a else b`",
        ("let x = if a then b", "FC(if a then b)"),
        behind=True,
    ),
    MalformedExample(
        "E011",
        "an `else` without its `if`",
        "write `if c { ... } else { ... }`",
        ("else { b }", "a else { b }", "a(8) else { b }"),
    ),
    _missing("no braces after `else`", "write `else { ... }`", "if a { b } else c"),
    MalformedExample(
        "E011",
        "several values for each item of a list stand in parentheses",
        "write `[(i, c) for ...]`",
        ("let x = [a, b for c in d]", "let x = [1, 2 for c in d]"),
    ),
    MalformedExample(
        "E011",
        "a list with `for` ends with its conditions",
        "join lists with `+`, as in `[...] + [...]`",
        (
            "let x = [a for c in d, e]",
            "let x = [a for c in [1], e]",
            "let x = [a for c in d if 1, e]",
        ),
    ),
    MalformedExample(
        "E011",
        "a computed label in an expression is a string",
        'put it in quotes, as in `"c{a}"`; extents belong to names that are written out',
        (
            "let x = c{1}",
            "assert c{1}",
            "assert 1 == c{1}",
            "FC(c{1})",
            "FC(a=c{1})",
            "let x = f(c{1})",
            "let x = f(a=c{1})",
            "let x = [c{1}]",
        ),
    ),
    MalformedExample(
        "E011",
        "a slice has no step",
        "write `[list[i] for i in range(0, 2, 2)]`; `reversed` turns a list around",
        ("let x = a[::2]", "let x = a[1:2:3]", "let x = a[1::2]", "let x = a[:2:2]"),
    ),
    MalformedExample(
        "E011",
        "no index between brackets",
        "indices start at 0; -1 is the last",
        ("let x = a[]",),
    ),
    MalformedExample(
        "E011",
        "an index is one number",
        "a list of lists is indexed twice, as in `[[1, 2]][0][1]`",
        ("let x = a[1, 2]", "let x = a[:, 2]", "let x = a[1:2, 3]", "let x = a[1:, 2]"),
    ),
    MalformedExample(
        "E011",
        "a list stands in brackets",
        "write `[16, 32]`",
        ("let x = {1}", "FC({1})", "FC(a={1})", "for i in {1} { a }", "let x = f({1})"),
    ),
    MalformedExample(
        "E011",
        "a chain for each item of a list is not written behind it",
        "write `for i in range(2) { CONV(3x3, 8) }` as a step",
        ("[a for i in b]", "[a(8) for i in b]", "[a -> b for i in c]"),
    ),
    # Statements
    MalformedExample(
        "E011",
        "only a name stands on the left of `=`",
        "write `let f(x) = ...` for a function of numbers, and `x = ...` for a tensor",
        ("f(x) = x", "f() = 1"),
    ),
    _missing("no `=` after a function", "write `let name(x) = value`", "let f(x) x", "let f() x"),
    _missing("no name after `let`", "write `let name = value`", "let", "let 5"),
    _missing(
        "no `=` after the name of a `let`",
        "write `let name = value`, or `let name(x) = value`",
        "let x 5",
        "let x",
    ),
    _missing("no name after `net`", "write `net LeNet5`", "net"),
    _missing("no version after `language`", "write `language 1`", "language x"),
    _missing("no path after `import`", 'write `import "blocks.net"`', "import blocks"),
    _missing(NO_NAME, NAMED, 'import "a" as', 'import "a" as 3'),
    MalformedExample(
        "E011",
        "the name of an import is one word",
        NAMED,
        ('import "a" as b.c', 'import "a" as b(', 'import "a" as b{1}'),
    ),
    _missing("no layer after `default`", "write `default CONV(bias=no)`", "default", "default r."),
    _missing(
        "no arguments after the layer of `default`",
        "write `default CONV(bias=no)`",
        "default CONV",
        "default r.CONV",
    ),
    _missing("no name after `output`", "write `output logits`", "output"),
    _missing("no condition after `assert`", "write `assert params == 61_706`", "assert"),
    _missing("no name after `block`", "write `block Name(c) { ... }`", "block"),
    _missing("no body after the name of a block", "write `block Name { ... }`", "block A -> b"),
    _missing(
        "no body after the parameters of a block",
        "write `block Name(c) { ... }`",
        "block A(c) -> b",
    ),
    MalformedExample(
        "E011",
        "`{found}` inside braces",
        "only a `let`, a binding, an output or a chain may stand here; close the braces first",
        tuple(
            f"block A {{ {statement} }}"
            for statement in (
                "net A",
                "language 1",
                'import "a"',
                "default A(1)",
                "block B { a }",
                "assert a",
                "train { }",
            )
        ),
    ),
    _missing("no `=` after a setting", "write `name = value`", "train { a 5 }"),
    MalformedExample(
        "E011",
        "`{found}` is not a setting",
        "a setting of `train` is written `name = value`",
        ("train { 5 }", "train { a = 1 -> }", "train { -> }", "train { (a) }"),
    ),
    _missing("no `:` after a name", "write `{name: value}`", "train { a = {b 5} }"),
)
