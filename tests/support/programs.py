"""Random programs over the whole grammar, in random layout; they parse, and mean nothing."""

from collections.abc import Callable, Sequence
from random import Random

Pieces = list[str]

GLUE = "\0"  # between two tokens that must touch
LINE = "\n"  # between two tokens that must be on two lines
FILE = "file"  # the name of an import

_NAMES = ("a", "b", "x1", "maxpool", "avgpool", "RELU", "conv5", "fc", "fifteen_letters")
_NUMBERS = ("0", "3", "61_706", "5e-4", "0.01", "25.6M", "10k", "3x3", "224x224x3")
_WORDS = ('"s\\\\"', '"{b + 1}c\\{"', "yes", "no", "in")
_OPERATORS = "+ - * / // % ^ == != <= >= < > and or".split()
_COMMENTS = ("#", "# text", "#-> a", '# "q" ( [ {', "# caf\u00e9  ")


def random_program(random: Random) -> str:
    """A program of a few statements."""
    writer = _Writer(random)
    pieces: Pieces = ["import", '"blocks.net"', "as", FILE, LINE]
    for _ in range(random.randint(1, 4)):
        pieces += [*writer.statement(), LINE]
    return _spread(random, pieces)


class _Writer:
    """Writes constructs as tokens with `GLUE` and `LINE` between them."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.depth = 0

    def pick(self, *choices: Callable[[], Pieces]) -> Pieces:
        """One of the constructs; of the first two where nesting is deep already."""
        self.depth += 1
        found = self.random.choice(choices if self.depth < 5 else choices[:2])()
        self.depth -= 1
        return found

    def several(
        self, write: Callable[[], Pieces], *, least: int = 0, most: int = 3
    ) -> list[Pieces]:
        """Some of a construct."""
        return [write() for _ in range(self.random.randint(least, most))]

    def listed(self, items: Sequence[Pieces], *, close: str, comma: bool = False) -> Pieces:
        """Items with commas, perhaps one at the end, and the closing bracket."""
        pieces: Pieces = []
        for place, item in enumerate(items):
            pieces += [",", *item] if place else item
        if items and (comma or self.random.random() < 0.2):
            pieces.append(",")
        return [*pieces, close]

    def name(self) -> Pieces:
        """A name."""
        return [self.random.choice(_NAMES)]

    # Statements

    def statement(self) -> Pieces:
        """A statement of the top level."""
        return self.random.choice(
            [
                lambda: ["net", self.random.choice([*_NAMES, '"a net"'])],
                lambda: ["language", "1"],
                lambda: ["import", '"lib:x \\" # y.net"'],
                lambda: ["import", '"y.net"', "as", *self.name()],
                lambda: ["default", *self.name(), GLUE, "(", *self.arguments()],
                lambda: ["default", FILE, GLUE, ".", GLUE, "FC", GLUE, "(", *self.arguments()],
                self.block,
                self.train,
                lambda: ["output", *self.name()],
                lambda: ["output", *self.name(), "=", *self.chain()],
                lambda: ["assert", *self.expression()],
                *[self.inner] * 5,
            ]
        )()

    def inner(self) -> Pieces:
        """A statement that may stand in a body."""
        return self.random.choice(
            [
                lambda: ["let", *self.target(), "=", *self.expression()],
                self.function,
                lambda: [*self.target(), "=", *self.chain()],
                lambda: [*self.name(), *self.hole(), "=", *self.chain()],
                lambda: ["output", *self.name(), *self.pick(list, self.hole), "=", *self.chain()],
                self.chain,
            ]
        )()

    def target(self) -> Pieces:
        """A name, or several in parentheses."""
        return self.pick(
            self.name,
            self.name,
            lambda: ["(", *self.listed(self.several(self.target, least=2), close=")")],
        )

    def block(self) -> Pieces:
        """A block with parameters and inputs, or without."""
        head = ["block", *self.name()]
        if self.random.random() < 0.7:
            head += ["(", *self.listed(self.several(self.parameter), close="")]
            if self.random.random() < 0.5:
                head += [";", *self.listed(self.several(self.name, least=1), close="")]
            head = [*(piece for piece in head if piece), ")"]
        return [*head, *self.body()]

    def parameter(self) -> Pieces:
        """A parameter, perhaps with a default."""
        return [*self.name(), *self.pick(list, list, lambda: ["=", *self.expression()])]

    def function(self) -> Pieces:
        """A function."""
        parameters = self.listed(self.several(self.parameter), close=")")
        return ["let", *self.name(), GLUE, "(", *parameters, "=", *self.expression()]

    def train(self) -> Pieces:
        """A train block."""
        pieces = ["train", "{"]
        for entry in self.several(self.entry):
            pieces += [*entry, self.random.choice([",", LINE])]
        return [*pieces, "}"]

    def entry(self) -> Pieces:
        """A setting."""
        pairs = self.several(lambda: [*self.name(), ":", *self.expression()])
        return [
            *self.name(),
            "=",
            *self.pick(
                self.expression, self.expression, lambda: ["{", *self.listed(pairs, close="}")]
            ),
        ]

    # Chains

    def chain(self) -> Pieces:
        """A chain."""
        pieces = self.step()
        for _ in range(self.random.choice([0, 0, 1, 2, 5] if self.depth < 3 else [0, 0, 1])):
            pieces += ["->", *self.step()]
        return pieces

    def step(self) -> Pieces:
        """A step, perhaps with a label."""
        item = self.pick(
            lambda: [self.random.choice([*_NAMES, "in"])],
            lambda: [self.random.choice(["conv5-16", "conv3x3x3-8", "fc-120"])],
            self.call,
            self.call,
            self.inline,
            lambda: [*self.name(), *self.tail()],
            self.group,
            self.group,
            self.repeat,
            lambda: ["for", *self.target(), "in", *self.expression(), *self.body()],
            self.if_,
        )
        return [*item, *self.pick(list, list, lambda: ["as", *self.label()])]

    def call(self) -> Pieces:
        """A call, perhaps of what an import has."""
        name = self.pick(self.name, self.name, lambda: [FILE, GLUE, ".", GLUE, "Block"])
        return [*name, GLUE, "(", *self.arguments()]

    def inline(self) -> Pieces:
        """A call that opens no scope, perhaps without arguments."""
        return ["inline", *self.pick(self.name, self.call)]

    def group(self) -> Pieces:
        """Branches."""
        pieces = ["(", *self.branch()]
        for branch in self.several(self.branch):
            pieces += ["|", *branch]
        return [*pieces, ")"]

    def branch(self) -> Pieces:
        """A branch, perhaps for each item of a list, perhaps on a condition."""
        loop = lambda: ["for", *self.target(), "in", *self.expression(), "|"]  # noqa: E731
        test = lambda: ["if", *self.expression()]  # noqa: E731
        return [*self.pick(list, list, loop), *self.chain(), *self.pick(list, list, list, test)]

    def repeat(self) -> Pieces:
        """A repetition, or brackets that only group."""
        count = self.pick(
            list,
            lambda: ["*", "3"],
            lambda: ["*", *self.name()],
            lambda: ["*", "(", *self.expression(), ")"],
        )
        return ["[", *self.chain(), "]", *count]

    def if_(self) -> Pieces:
        """A selection, perhaps of several."""
        pieces = ["if", *self.expression(), *self.body()]
        return [*pieces, *self.pick(list, lambda: ["else", *self.body()], self._else_if)]

    def _else_if(self) -> Pieces:
        return ["else", *self.if_()]

    def body(self) -> Pieces:
        """Statements between braces."""
        self.depth += 2
        pieces: Pieces = ["{"]
        for place, statement in enumerate(
            self.several(self.inner, most=1 if self.depth > 4 else 2)
        ):
            pieces += [LINE, *statement] if place else statement
        self.depth -= 2
        return [*pieces, "}"]

    def label(self) -> Pieces:
        """A label."""
        return self.pick(
            lambda: [*self.name(), *self.tail()],
            lambda: [self.random.choice(['"any # label"', '"block {a}"', "0", "then", "l.0.in"])],
            lambda: ["{", *self.expression(), "}", *self.tail()],
        )

    def hole(self) -> Pieces:
        """A computed piece of a name."""
        return [GLUE, "{", *self.expression(), "}"]

    def tail(self) -> Pieces:
        """Further pieces of a computed name."""
        pieces: Pieces = []
        for _ in range(self.random.choice([0, 0, 1, 2])):
            hole = self.hole()
            part = [GLUE, ".", GLUE, self.random.choice(["w", "0", "1_0", "else"])]
            pieces += self.random.choice([hole, [*hole, GLUE, "b2"], part])
        return pieces

    # Expressions

    def expression(self) -> Pieces:
        """An expression."""
        return self.pick(
            self.value,
            self.value,
            self.flat,
            self.flat,
            lambda: [
                *["if", *self.expression(), "then", *self.expression()],
                *["else", *self.expression()],
            ],
        )

    def flat(self) -> Pieces:
        """Operands and operators."""
        pieces = self.signed()
        for _ in range(self.random.choice([1, 1, 2, 8] if self.depth < 3 else [1])):
            pieces += [self.random.choice(_OPERATORS), *self.signed()]
        return pieces

    def signed(self) -> Pieces:
        """An operand, perhaps with signs."""
        return [*self.random.choice([(), (), (), ("-",), ("not",), ("+", "-")]), *self.value()]

    def value(self) -> Pieces:
        """An operand."""
        return self.pick(
            self.name,
            lambda: [self.random.choice([*_NUMBERS, *_WORDS])],
            lambda: [*self.value(), ".", self.random.choice(["channels", "0", "12", "if"])],
            lambda: [*self.name(), GLUE, "[", *self.expression(), "]", GLUE, "[", "0", "]"],
            lambda: [*self.name(), GLUE, "[", *self.bound(), ":", *self.bound(), "]"],
            self.call,
            lambda: ["(", *self.expression(), ")"],
            lambda: ["(", *self.listed([self.expression()], close=")", comma=True)],
            lambda: ["(", *self.listed(self.several(self.expression, least=2), close=")")],
            lambda: ["[", *self.listed(self.several(self.expression, most=4), close="]")],
            self.comprehension,
        )

    def bound(self) -> Pieces:
        """A bound of a slice, perhaps none."""
        return self.pick(list, self.expression)

    def comprehension(self) -> Pieces:
        """A list with a rule for its items."""
        pieces = ["[", *self.expression()]
        for _ in range(self.random.choice([1, 1, 2])):
            pieces += ["for", *self.target(), "in", *self.expression()]
            pieces += self.pick(list, list, lambda: ["if", *self.expression()])
        return [*pieces, "]"]

    def arguments(self) -> Pieces:
        """The arguments of a call and its closing parenthesis."""
        keyword = lambda: [*self.name(), "=", *self.expression()]  # noqa: E731, it reads best here
        return self.listed(
            self.several(lambda: self.pick(self.expression, self.value, keyword)), close=")"
        )


def _spread(random: Random, pieces: Pieces) -> str:
    """The text of tokens, with blanks, line breaks and comments between them."""
    text = random.choice(["", "\n", "# first\n", "\n# first\n\n"])
    follows_line = True
    glued = True
    for piece in pieces:
        if piece == GLUE:
            glued = True
        elif piece == LINE:
            text += _comment(random) if random.random() < 0.2 else random.choice(["\n", "\r\n"])
            text += _space(random)
            follows_line = True
        else:
            if not glued and not follows_line:
                text += _gap(random, text[-1], piece[0])
            text += piece
            glued = follows_line = False
    return text


def _gap(random: Random, before: str, after: str) -> str:
    """White space between two tokens of a statement."""
    if (before in "(,=" and after not in "=(") or after in ",)]:;":
        return random.choice(["", " ", _space(random)])
    return random.choice([" ", " ", " ", "  ", _space(random)]) or " "


def _space(random: Random) -> str:
    """White space of any kind, perhaps with comments."""
    kind = random.randint(0, 15)
    if kind == 0:
        return _comment(random)
    if kind == 1:
        return "\n" + _comment(random) + _comment(random) + random.choice(["", "\n"])
    return ["\n", "\n    ", "\n\n\n", "\r\n\t"][kind - 2] if kind < 6 else ""


def _comment(random: Random) -> str:
    return random.choice(["", "  "]) + random.choice(_COMMENTS) + "\n"
