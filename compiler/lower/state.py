"""What a lowering knows while it runs: the graph so far, names and their places, limits."""

import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...grammar import ast
from ...grammar.diagnostics import Diagnostic, NetError, Pointer, did_you_mean, error
from ...grammar.limits import MAX_NESTING
from ...grammar.records import record
from ...grammar.source import Span
from ..expressions.evaluate import NO_INPUT, Namespace
from ..expressions.names import Block, Scope, automatic_name_used
from ..expressions.recovery import POISON, GiveUp, Poisoned
from ..ir.graph import Graph, Layer, Turn, Value
from ..layers.layerdef import LAYERS
from .built import Built
from .evaluated_call import EvaluatedCall

if TYPE_CHECKING:
    from ..training.settings import GivenSetting

Tensors = tuple[Value, ...]

Frame = Callable[[NetError], NetError]

STEPS_PER_LAYER = 4
MOST_ERRORS = 20
MOST_TRIALS = 200
FATAL = frozenset({"E401", "E402"})
LONGEST_PATH = 1_000  # characters


@record
class Site:
    """The place of a step.

    Attributes:
        current: What comes in.
        scope: What names mean here, and how layers are named.
        label: The step's label.
        starts: Whether the step may start a chain.
        after_computed: Whether what comes in are branches whose number is computed, so that a
            merge may meet one tensor alone.
    """

    current: Tensors
    scope: Scope
    label: ast.Label | None
    starts: bool
    after_computed: bool = False


@record
class Caller:
    """A call of a block that lowering is in, and what it says to all layers in it.

    Each call repeats what those around it say, so that a layer asks the innermost alone.

    Attributes:
        spelling: The block's name.
        blocks: The identities of its block and of those around it.
        is_inline: Whether it opens no scope.
        frozen: Whether weights are not trained.
        imports: Where those calls stand that are of imports, and the imports' names, outermost
            first: their `default`s reach all layers.
        shared: A scope and the one whose weights it uses, as the outermost call says that shares
            any; None where no call does.
    """

    spelling: str
    blocks: frozenset[int]
    is_inline: bool
    imports: tuple[tuple[Scope, str], ...]
    frozen: bool
    shared: tuple[str, str] | None


@dataclass(eq=False)
class Lowering:
    """The state of one lowering.

    Attributes:
        graph: What was lowered so far.
        top: The module's outermost scope.
        max_layers: How many layers the expanded network may have.
        heads: Units, by path, of the last dense layers that state none.
        places: Where each name was given.
        scopes: Paths that others start with: of blocks, and of turns of repetitions.
        yields: The paths of blocks' calls, by the block's identity and the tensor that comes of it.
        calls: The calls of blocks that lowering is in, outermost first.
        turns: The turns of repetitions that lowering is in, outermost first.
        frames: What those calls and turns add to an error, outermost first.
        repetitions: How many repetitions were entered.
        steps: How many turns and calls were taken, layers or not.
        depth: How many chains lowering is in, blocks' and those of brackets.
        errors: What was found; lowering continues past a bad layer.
        trials: How many fixes of errors may still be tried.
        firsts: The paths of what shares its weights with later turns, by repetition and place.
        met: How many of these were met, by repetition, place and turn.
        built: What layers appended, by what like calls share.
        overlaid: Defaults of a file with those for an import of it, by the identities of both.
        evaluated: Calls that mean the same wherever they stand, by the identity of their syntax.
        training: The settings of the `train` block; None where there is none so far.
        training_span: Where it stands.
        named: Where the network is named.
    """

    graph: Graph
    top: Scope
    max_layers: int
    heads: Mapping[str, int]
    warnings: list[Diagnostic] = field(default_factory=list)
    places: dict[str, Span] = field(default_factory=dict)
    scopes: set[str] = field(default_factory=set)
    yields: dict[tuple[int, Value], str] = field(default_factory=dict)
    calls: tuple[Caller, ...] = ()
    turns: tuple[Turn, ...] = ()
    frames: tuple[Frame, ...] = ()
    repetitions: int = 0
    steps: int = 0
    depth: int = 0
    errors: list[Diagnostic] = field(default_factory=list)
    trials: int = MOST_TRIALS
    firsts: dict[Hashable, str] = field(default_factory=dict)
    met: dict[Hashable, int] = field(default_factory=dict)
    built: dict[Hashable, Built] = field(default_factory=dict)
    overlaid: dict[tuple[int, int], Mapping[str, Any]] = field(default_factory=dict)
    evaluated: dict[int, EvaluatedCall] = field(default_factory=dict)
    training: "Mapping[str, GivenSetting] | None" = None
    training_span: Span | None = None
    named: Span | None = None

    def report(self, failure: NetError) -> None:
        """Note an error, with what the calls and turns around it have to say.

        Raises:
            GiveUp: There are errors enough, or a limit is passed.
        """
        for frame in reversed(self.frames):
            failure = frame(failure)
        known = {_without_turn(diagnostic) for diagnostic in self.errors}
        self.errors += [d for d in failure.diagnostics if _without_turn(d) not in known]
        fatal = any(diagnostic.code in FATAL for diagnostic in failure.diagnostics)
        if fatal or len(self.errors) >= MOST_ERRORS:
            raise GiveUp

    def poison(self, path: str) -> None:
        """Let a name stand for what was not computed, so that uses of it are not reported."""
        self.graph.labels.setdefault(path, POISON)

    def find_layer(self, label: str, *, scope: Scope, span: Span) -> Layer | None:
        """The layer that a label names here, or that yields the value that it names, or None."""
        for region in scope.outwards():
            name = region.prefix + label
            if (path := self._producing_path(name, region, label)) is not None:
                layer = self.graph.layers[path]
                if path == name and not layer.labelled:
                    self.warnings.append(automatic_name_used(label, layer, span))
                return layer
        return None

    def _producing_path(self, name: str, region: Scope, label: str) -> str | None:
        """The path of the layer that a full name, or a region's own, stands for, or None.

        Raises:
            Poisoned: The name stands for what was not computed.
        """
        if name in self.graph.layers:
            return name
        value = self.graph.labels.get(name, region.bindings.get(label))
        if value is None:
            return None
        if value is POISON:
            raise Poisoned
        return self.graph.producer(value).scope

    def defaults(self, layer: str, scope: Scope) -> Mapping[str, Any]:
        """Arguments of a layer that `default` statements set for what stands in a scope.

        Those for an import go before those of its file. The same object where the same hold.
        """
        values = scope.defaults(layer)
        for around, name in reversed(self.calls[-1].imports if self.calls else ()):
            if reaching := around.defaults(f"{name}.{layer}"):
                key = id(values), id(reaching)
                values = self.overlaid.setdefault(key, {**values, **reaching})
        return values

    def shared_path(self, path: str) -> str | None:
        """The path whose weights a layer uses because a block around it shares them, or None."""
        if not self.calls or self.calls[-1].shared is None:
            return None
        scope, source = self.calls[-1].shared
        return source + path.removeprefix(scope)

    def resolve_path(self, label: str, scope: Scope, span: Span, block: Block | None = None) -> str:
        """The full path of the layer that a label names here, or that yields its value.

        With `block` it is the path of a call of that block.

        Raises:
            NetError: There is none.
        """
        for region in scope.outwards():
            name = region.prefix + label
            if block is not None and (call := self._call_of(block, name)) is not None:
                return call
            path = name if name in self.scopes else self._producing_path(name, region, label)
            if path is not None:
                layer = self.graph.layers.get(path)
                if path == name and layer is not None and not layer.labelled:
                    self.warnings.append(automatic_name_used(label, layer, span))
                return path
        raise self.unknown(label, scope, span, may_call=False)

    def first_turn(self, path: str, span: Span) -> str | None:
        """Whose weights a layer or a block uses that shares them among the turns of a repetition.

        None for what has them itself, in the first turn. Of several calls at one place, as of two
        calls of a block, each has its own.

        Raises:
            NetError: E117, there is no repetition around it.
        """
        if not self.turns:
            message = "`share=yes` shares weights among the turns of a repetition, and none is here"
            help = "name the layer whose weights it uses, or write it in brackets with a count"
            raise error("E117", message, span, help=help)
        turn = self.turns[-1]
        place = turn.serial, span.source.name, span.start
        count = self.met[*place, turn.index] = self.met.get((*place, turn.index), 0) + 1
        first = self.firsts.setdefault((*place, count), path)
        return None if first == path else self.shared_path(first) or first

    def _call_of(self, block: Block, name: str) -> str | None:
        """The path of the call of a block that yields a full name's value, or None."""
        value = self.graph.labels.get(name)
        return None if value is None else self.yields.get((id(block.statement), value))

    def spend(self, span: Span) -> None:
        """Count a turn or a call, so that no program runs on without adding layers.

        Raises:
            NetError: There were too many.
        """
        self.steps += 1
        if self.steps > STEPS_PER_LAYER * self.max_layers:
            raise error("E401", f"more than {self.steps - 1:_} turns and calls are taken", span)

    def enter(self, span: Span) -> None:
        """Count a chain within chains, so that no program exhausts Python's stack.

        Raises:
            NetError: Brackets and calls of blocks nest too deep.
        """
        if self.depth > MAX_NESTING:
            raise error(
                "E402",
                f"steps nested more than {MAX_NESTING} levels deep",
                span,
                notes=["each call of a block within a block adds a level of nesting"],
            )
        self.depth += 1

    def fitting_path(self, path: str, span: Span) -> str:
        """The path itself, where it is not too long: each layer keeps its own.

        Raises:
            NetError: It is.
        """
        if len(path) > LONGEST_PATH:
            message = f"a name of more than {LONGEST_PATH:_} characters: `{path[:30]}...`"
            raise error("E403", message, span)
        return path

    def claim(self, path: str, span: Span) -> str:
        """The path itself, which from here on is taken: nothing else may have it.

        Raises:
            NetError: It is too long, or something has it already.
        """
        self.fitting_path(path, span)
        if path in self.places:
            earlier = Pointer(self.places[path], "first given here")
            raise error(
                "E112",
                f"the name `{path}` is given twice",
                span,
                also=[] if self.places[path] == span else [earlier],
                help=self._how_to_differ(path, span),
            )
        if path in self.graph.parameters:
            weight = self.graph.producer(self.graph.parameters[path])
            raise error(
                "E112",
                f"the name `{path}` is that of a weight",
                span,
                also=[] if weight.span is None else [Pointer(weight.span, "of this layer")],
                help="choose another name",
            )
        self.places[path] = span
        self.scopes.add(path.rpartition(".")[0])
        return path

    def _how_to_differ(self, path: str, span: Span) -> str:
        """What to do about a name that is given a second time."""
        layer = self.graph.layers.get(path)
        if self.places[path] == span and "{" in span.text:
            return "use a label that differs in each turn, such as `l{i}` in `for i in ...`"
        if layer is not None and not layer.labelled:
            return "that name is an automatic one: label the layer that has it"
        if _binds(span, self.places[path]):
            return f"the label suffices: leave out `{path.rpartition('.')[2]} =`"
        if self.turns:
            return "label the repetition, so that each turn has its own scope"
        if self.calls and self.calls[-1].is_inline:
            return "call the block without `inline`, so that each call has its own scope"
        if rest := _BOUND.match(span.source.text, span.end):
            return f"a value keeps its name: write `{span.text}2{rest[0].rstrip()}`"
        return "labels within a scope must differ"

    def unknown(self, name: str, scope: Scope, span: Span, *, may_call: bool = True) -> NetError:
        """The error for a word that is neither a layer nor a value, with the nearest one.

        A label, which is not called, is near to other labels alone.

        Raises:
            Poisoned: An error kept the program from giving that name.
        """
        if scope.home.lacks(name):
            raise Poisoned
        file, dot, member = name.partition(".")
        namespace = scope.visible_names().get(file)
        if dot and isinstance(namespace, Namespace):
            blocks = [block for block in scope.home.blocks if block.startswith(f"{file}.")]
            here = [Pointer(namespace.span, "imported here")]
            message, near = f"`{file}` has no block `{member}`", did_you_mean(name, blocks)
            return error("E101", message, span, also=here, help=near)
        values = [label for label in self.graph.labels if label.startswith(scope.prefix)]
        layer = self.graph.layers.get(scope.prefix + name)
        if layer is not None and layer.span is not None and len(layer.outputs) > 1:
            names = ", ".join("abcdefgh"[: len(layer.outputs)])
            message = f"`{name}` names a layer of {len(layer.outputs)} tensors, not one tensor"
            help = f"name each of them, as in `({names}) = ... -> {layer.span.text}`"
            return error("E113", message, span, help=help)
        known = [*LAYERS, *scope.home.blocks] if may_call else []
        near = NO_INPUT if name == "in" else self.outside(name, scope)
        near = near or did_you_mean(name, [*known, *values])
        kind = "layer" if name.isupper() else "layer or value"
        return error("E101", f"unknown {kind} `{name}`", span, help=near or _unbound(name, span))

    def outside(self, name: str, scope: Scope) -> str | None:
        """The help where a block reads a tensor that has a name around it, and is not led to it."""
        *_, whole = scope.outwards()
        around = whole.path.split(".")[:-1] if whole.prefix else []
        if not whole.prefix or not any(
            ".".join([*around[:depth], name]) in self.graph.labels
            for depth in range(len(around) + 1)
        ):
            return None
        block = scope.home.blocks.get(self.calls[-1].spelling) if self.calls else None
        if block is None:
            return None
        statement = block.statement
        parameters = ", ".join(parameter.span.text for parameter in statement.parameters)
        tensors = ", ".join([*([i.span.text for i in statement.inputs] or ["x"]), name])
        header = f"`block {statement.name}({parameters}; {tensors}) {{ ... }}`"
        return f"a block sees no tensors around it: declare it, {header}, and lead it to the block"

    def too_many_layers(self, span: Span, count: int) -> NetError:
        """The error for a network beyond the limit."""
        return error(
            "E401",
            f"the network has at least {count:_} layers, but the limit is {self.max_layers:_}",
            span,
            help="`--max-layers` raises the limit",
        )


def _without_turn(diagnostic: Diagnostic) -> tuple[object, ...]:
    """What an error says, in whatever turn of a repetition it happened."""
    return diagnostic.code, diagnostic.message, diagnostic.span, diagnostic.also


def _unbound(name: str, span: Span) -> str | None:
    """Help for a word that starts a chain, where a value is meant."""
    text = span.source.text
    if "{" in span.text:  # a computed name
        return None
    starts = not text[max(span.start - 100, 0) : span.start].rstrip().endswith("->")
    if not starts or not name.islower() or not _FLOWS.match(text, span.end):
        return None
    return f"bind it above, as in `{name} = INPUT`; in a block, `in` is the input"


_FLOWS = re.compile(r"\s*->")
_BOUND = re.compile(r"\s*=[^\n#]*")  # what follows a name that a chain is bound to


def _binds(span: Span, entered: Span) -> bool:
    """Whether a name binds what was entered before it, as `x` in `x = ... as x` does."""
    before = span.source is entered.source and span.start < entered.start
    return before and span.source.text[span.end :].lstrip().startswith("=")
