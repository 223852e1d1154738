"""Statements, and the lowering of a whole module."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, NetError, Pointer, error
from ...grammar.files import read_source
from ...grammar.records import record
from ...grammar.source import Source, Span
from ..expressions.evaluate import Namespace
from ..expressions.names import Home, Let, Scope, labels_in
from ..expressions.recovery import GiveUp, Poisoned
from ..ir.graph import Graph
from .bindings import bind_chain, try_let
from .definitions import define_blocks, give_value, import_file, set_default
from .items import evaluate_in, label_text, lower_chain
from .outputs import output_statement
from .state import Lowering, Tensors

# What training knows is loaded for programs with a `train` block only: others start faster.
if TYPE_CHECKING:
    from ..training.recipe import Recipe

MAX_LAYERS = 10_000


@record
class Lowered:
    """A lowered module: its graph, what was warned of, what it defines, and how it is trained."""

    graph: Graph
    warnings: tuple[Diagnostic, ...]
    home: Home
    recipe: "Recipe | None"


class NotLowered(NetError):
    """The errors of a program, and what it defines; its graph as far as it was lowered."""

    def __init__(self, diagnostics: Sequence[Diagnostic], home: Home) -> None:
        super().__init__(diagnostics)
        self.home = home


class Library(NetError):
    """A file of blocks and values, to be imported: not a network, which may be what is meant."""

    def __init__(self, finding: Diagnostic, home: Home) -> None:
        super().__init__([finding])
        self.home = home
        self.warnings = tuple(home.warnings)

    @property
    def blocks(self) -> tuple[str, ...]:
        """The names of its blocks, without those of imports that have a name."""
        return tuple(name for name in self.home.blocks if "." not in name)

    @property
    def values(self) -> tuple[str, ...]:
        """The names of its values and functions."""
        values = self.home.lets.items()
        return tuple(name for name, value in values if not isinstance(value, Namespace))


def lower(
    module: ast.Module,
    *,
    name: str,
    max_layers: int = MAX_LAYERS,
    heads: Mapping[str, int] | None = None,
    traced: bool = False,
    read: Callable[[str], Source] = read_source,
) -> Lowered:
    """Lower a module.

    Args:
        module: The syntax tree.
        name: The network's name where no `net` statement gives one.
        max_layers: How many layers the expanded network may have.
        heads: Units of dense layers, by path, that state none and end the network; others get
            the hidden default. `pipeline.py` finds them with a first lowering.
        traced: Whether to note what each step did, as `Home.trace`.
        read: Reads an imported file by its path.

    Raises:
        NotLowered: The program is wrong; all that was found, at most 20 errors.
    """
    home = Home(module.source, graph=Graph(name), trace={} if traced else None, read=read)
    top = Scope("", None, labels_in(module.statements), home, lets=home.lets)
    state = Lowering(home.graph, top, max_layers, heads or {}, home.warnings)
    last: Tensors = ()
    with suppress(GiveUp):
        try_to(state, partial(define_blocks, module.statements, home))
        for statement in module.statements:
            rule = STATEMENTS[type(statement)]
            last = try_to(state, partial(rule, state, statement, top)) or last
    if state.errors:
        raise NotLowered(state.errors, home)
    outputs = state.graph.outputs
    if not last and not outputs:
        raise _without_chain(module, home)
    if not outputs:
        outputs.update(zip(_automatic_outputs(state.graph), last, strict=False))
    return Lowered(state.graph, tuple(state.warnings), home, _recipe(state))


def _recipe(state: Lowering) -> "Recipe | None":
    """The recipe of a `train` block, if there is one, checked against the network."""
    if state.training is None:
        return None
    # Loaded for programs with a `train` block only: others start faster.
    from ..training.factors import check_patterns
    from ..training.objective import check_names
    from ..training.recipe import settle

    recipe = settle(state.training, list(state.graph.outputs), span=state.training_span)
    check_names(state.graph, recipe.objective)
    for setting in ("lr_factors", "decay"):
        given = state.training.get(setting)
        if given is not None and given.places:
            check_patterns(given.value, list(state.graph.parameters), given.places.get)
    return recipe


def _automatic_outputs(graph: Graph) -> Iterator[str]:
    """`output`, `output2`, ..., without the names of inputs and weights."""
    names = (f"output{number}" if number > 1 else "output" for number in count(1))
    return (name for name in names if name not in graph.inputs and name not in graph.parameters)


def _without_chain(module: ast.Module, home: Home) -> NetError:
    """The error for a program without a network; a library gets its own."""
    span = module.statements[-1].span
    message = "a program without a chain is not a network"
    if not all(isinstance(statement, _OF_LIBRARIES) for statement in module.statements):
        return error("E003", message, span)
    advice = "`import` it into a program with a chain; `netc check` checks it as a library"
    return Library(Diagnostic("E003", message, span, help=advice), home)


def try_to(state: Lowering, lower_it: Callable[[], Tensors | None]) -> Tensors | None:
    """Lower something; an error is noted, so that what follows is looked at, too."""
    try:
        return lower_it()
    except NetError as failure:
        state.report(failure)
    except Poisoned:
        pass
    return None


def net_statement(state: Lowering, statement: ast.NetStatement, scope: Scope) -> None:
    """Name the network.

    Raises:
        NetError: E112, it has a name already.
    """
    name = label_text(statement.name, scope)
    if state.named is not None:
        also = [Pointer(state.named, "first given here")]
        raise error(
            "E112",
            f"the network is named twice, `{state.graph.name}` and `{name}`",
            statement.span,
            also=also,
            help="a file is one network: leave one `net` out, or make blocks of its parts",
        )
    state.graph.name, state.named = name, statement.span


def language_statement(state: Lowering, statement: ast.LanguageStatement, scope: Scope) -> None:
    """Refuse defaults of a version that this compiler does not know."""
    if statement.version != 1:
        message = f"language {statement.version} is unknown: this is language 1"
        raise error("E119", message, statement.span, help="write `language 1`")


def assert_statement(state: Lowering, statement: ast.AssertStatement, scope: Scope) -> None:
    """Assertions refer to the whole network: `analysis/assertions.py` checks them."""


def let_statement(state: Lowering, statement: Let, scope: Scope) -> None:
    """A value, or a function, of the file."""
    try_let(state, statement, scope)
    give_value(statement, scope.home)


def bind_statement(state: Lowering, statement: ast.BindStatement, scope: Scope) -> Tensors:
    """Name the tensors at a chain's end."""
    return bind_chain(state, statement, (), scope)


def block_statement(state: Lowering, statement: ast.BlockStatement, scope: Scope) -> None:
    """Blocks are entered before any statement is lowered."""


def default_statement(state: Lowering, statement: ast.DefaultStatement, scope: Scope) -> None:
    """New defaults for a layer, from here on."""
    set_default(statement, scope)


def import_statement(state: Lowering, statement: ast.ImportStatement, scope: Scope) -> None:
    """Another file's `let`s and blocks; without them errors of the rest would say nothing new."""
    try:
        if statement.name is not None:
            state.claim(statement.name.id, statement.name.span)
        import_file(statement, scope.home)
    except NetError as failure:
        state.report(failure)
        raise GiveUp from None


def train_statement(state: Lowering, statement: ast.TrainStatement, scope: Scope) -> None:
    """Read how the network is trained; the outputs, which losses refer to, come later."""
    from ..training.settings import read_settings  # for programs with a `train` block only

    keyword = state.training_span
    if keyword is not None:
        first = Pointer(keyword, "first given here")
        message, help = "a second `train` block", "put all settings into one"
        raise error("E123", message, _keyword(statement), also=[first], help=help)
    state.training_span = _keyword(statement)
    state.training = read_settings(statement.entries, partial(evaluate_in, scope, words=True))


def _keyword(statement: ast.TrainStatement) -> Span:
    """The word `train`, which stands for the block."""
    start = statement.span.start
    return Span(statement.span.source, start, start + len("train"))


def output_of_program(state: Lowering, statement: ast.OutputStatement, scope: Scope) -> Tensors:
    """An output of the top level, whose chain starts itself."""
    return output_statement(state, statement, (), scope)


def chain_statement(state: Lowering, statement: ast.ChainStatement, scope: Scope) -> Tensors:
    """Lower a chain that stands alone."""
    return lower_chain(state, statement.chain, (), scope)


_OF_LIBRARIES = (
    ast.BlockStatement,
    ast.DefaultStatement,
    ast.FunctionStatement,
    ast.ImportStatement,
    ast.LanguageStatement,
    ast.LetStatement,
)

STATEMENTS: Mapping[type, Callable[[Lowering, Any, Scope], Tensors | None]] = {
    ast.NetStatement: net_statement,
    ast.LanguageStatement: language_statement,
    ast.AssertStatement: assert_statement,
    ast.LetStatement: let_statement,
    ast.FunctionStatement: let_statement,
    ast.BindStatement: bind_statement,
    ast.BlockStatement: block_statement,
    ast.ChainStatement: chain_statement,
    ast.DefaultStatement: default_statement,
    ast.ImportStatement: import_statement,
    ast.OutputStatement: output_of_program,
    ast.TrainStatement: train_statement,
}
