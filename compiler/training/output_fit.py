"""An output and its loss -> what the loss takes: the stable form of both together, or an error.

`SOFTMAX` with `cross_entropy` and `SIGMOID` with `binary_cross_entropy` are fused: the loss takes
the logits before them. Where the pair makes no sense, the error says what to do.
"""

from collections.abc import Container, Mapping

from ...grammar.diagnostics import Diagnostic, NetError, Pointer, did_you_mean, error, listing
from ...grammar.records import record
from ..ir.builder import Builder
from ..ir.graph import Graph, Value
from ..ir.types import HolderType, TensorType, author_size
from .averages import LossBuilder
from .class_losses import class_axis
from .endings import Ending, ending, replay
from .lossdef import BEFORE, INPUT_AS_TARGET, PER_CHANNEL, Doubt, Refusal
from .losses import LOSSES
from .terms import Term

DISSOLVED = Refusal("its classes are no longer an axis of the output: reshape before the `SOFTMAX`")


@record
class Fit:
    """An output as its loss takes it.

    Attributes:
        ending: How the output ends.
        axis: Where its classes lie.
        fused: Whether the loss takes what comes before the output's last layer.
    """

    ending: Ending
    axis: int
    fused: bool

    def value(self, build: Builder) -> Value:
        """What the loss takes: the output, or the logits before its last layer.

        Those are reshaped as the output is, by nodes that `build` appends.
        """
        return replay(build, self.ending) if self.fused else self.ending.output


def fit(graph: Graph, output: Value, term: Term, *, name: str = "output") -> Fit:
    """How an output and a loss fit together.

    Args:
        graph: The graph of the output, in any mode; appended nodes do no harm.
        output: The value that has the loss.
        term: The loss.
        name: The output's name, for messages.

    Raises:
        NetError: E132, they do not fit.
    """
    if isinstance(output.type, HolderType):
        message = f"the output `{name}` is {output.type}, and `{term.name}` takes tensors"
        raise error("E132", message, help="give losses to other outputs")
    found = ending(graph, output)
    verdict = LOSSES[term.name].verdict(found.kind)
    if isinstance(verdict, Refusal):
        raise _unfit(graph, found, term, name, verdict)
    axis = class_axis(output.type)
    if verdict == BEFORE and found.runs_over_an_axis:
        if found.axis is None:
            raise _unfit(graph, found, term, name, DISSOLVED)
        axis = found.axis
    _check_shape(graph, found, term, name, axis)
    _check_lists(found, term, name, axis)
    return Fit(found, axis, verdict == BEFORE)


def check_losses(graph: Graph, losses: Mapping[str, Term]) -> tuple[Diagnostic, ...]:
    """Warnings about pairs of outputs and losses that work, but not well: W110.

    Raises:
        NetError: E132, with a diagnostic for each output that does not fit its loss, or that is
            not there.
    """
    findings: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    for name, term in losses.items():
        try:
            found = fit(graph, named_output(graph, name, term), term, name=name)
            if input_as_target(term) is not None:
                compared_input(graph, name, term)
        except NetError as failure:
            findings += failure.diagnostics
            continue
        warnings += _doubts(graph, found, term, name)
    if findings:
        raise NetError(findings)
    return tuple(warnings)


def named_output(graph: Graph, name: str, term: Term) -> Value:
    """An output of the graph by name.

    Raises:
        NetError: E132, there is none.
    """
    if name in graph.outputs:
        return graph.outputs[name]
    names = ", ".join(f"`{known}`" for known in graph.outputs)
    help = did_you_mean(name, graph.outputs) or f"the outputs are {names}"
    raise error("E132", f"there is no output `{name}` for `{term.name}`", term.span, help=help)


def input_as_target(term: Term) -> str | None:
    """The input that a loss compares its output with; None where that is a target of its own."""
    name: str | None = term.arguments.get(INPUT_AS_TARGET)
    return name


def compared_input(graph: Graph, output: str, term: Term) -> Value:
    """The input that a loss compares an output with, where it names one.

    Raises:
        NetError: E132, there is no such input, or the loss does not take it for this output.
    """
    name = input_as_target(term) or ""
    if name not in graph.inputs:
        help = did_you_mean(name, graph.inputs) or f"the inputs are {listing(graph.inputs)}"
        message = f"there is no input `{name}` to compare the output `{output}` with"
        raise error("E132", message, term.span, help=help)
    found, value = graph.inputs[name], named_output(graph, output, term)
    accepted = target_types(graph, value, term, name=output)
    if found.type not in accepted:
        message = (
            f"the input `{name}` is {found.type}, which `{term.name}` does not take as a target"
        )
        help = "compare with an input of such a type"
        if value.type.dtype == found.type.dtype and value.type.size == found.type.size:
            help = f"end the output in `RESHAPE({author_size(found.type)})`"
        notes = (f"for the output `{output}` it takes {' or '.join(map(str, accepted))}",)
        raise error("E132", message, term.span, notes=notes, help=help)
    return found


def target_types(
    graph: Graph, output: Value, term: Term, *, name: str = "output"
) -> tuple[TensorType, ...]:
    """The types of targets that an output with a loss takes, the default first.

    Raises:
        NetError: E132, output and loss do not fit.
    """
    found = fit(graph, output, term, name=name)
    return LOSSES[term.name].target_types(output.type, axis=found.axis)


def target_type(
    graph: Graph,
    output: Value,
    term: Term,
    *,
    rank: int | None = None,
    real: bool = False,
    name: str = "output",
    what: str | None = None,
) -> TensorType:
    """The type of target that data of a rank, real numbers or integers, can be fed as.

    Integers are fed to targets of real numbers, too. Without a rank, the loss's default. `what`
    is what messages call the data.

    Raises:
        NetError: E132, output and loss do not fit; E133, no target of that rank does.
    """
    accepted = target_types(graph, output, term, name=name)
    if rank is None:
        return accepted[0]
    for type in accepted:
        if type.rank == rank and (type.dtype.is_float or not real):
            return type
    numbers = "real numbers" if real else "integers"
    forms = " or ".join(map(str, accepted))
    axes = "1 axis" if rank == 1 else f"{rank} axes"
    raise error(
        "E133",
        f"{what or f'the target of `{name}`'} has {numbers} on {axes}, which `{term.name}` does not"
        " take",
        notes=(f"it takes {forms}",),
        help="give class indices as integers, one for each position"
        + (": `0` and not `0.0`, `t.astype(int)`;" if real else ",")
        + " or numbers in the output's shape",
    )


def each_loss(
    build: Builder,
    outputs: Mapping[str, Value],
    targets: Mapping[str, Value],
    losses: Mapping[str, Term],
    complete: Container[str] = (),
) -> dict[str, Value]:
    """The losses of several outputs, each a scalar, by the output's name.

    Args:
        build: A builder on the graph that holds outputs and targets.
        outputs: Values by the output's name.
        targets: The target of each output whose loss compares, by the output's name, of one of
            the types that `target_types` names.
        losses: The loss of each output that has one.
        complete: The outputs of whose targets nothing is to be left out.

    The operators of a loss have their own scope, which ends in the output's name.

    Raises:
        NetError: E132, an output does not fit its loss.
    """
    found: dict[str, Value] = {}
    scope = build.scope
    for name, term in losses.items():
        build.scope = f"{scope}.{name}"
        if isinstance(build, LossBuilder):
            build.complete = name in complete
        taken = fit(build.graph, outputs[name], term, name=name)
        found[name] = LOSSES[term.name].build(
            build, taken.value(build), targets.get(name), term, axis=taken.axis
        )
    build.scope = scope
    return found


def total_loss(
    build: Builder, losses: Mapping[str, Value], weights: Mapping[str, float] | None = None
) -> Value:
    """The sum of losses, each multiplied by its weight, 1 where that is left out."""
    terms = []
    for name, value in losses.items():
        weight = (weights or {}).get(name, 1.0)
        weighed = weight != 1.0
        factor = build.constant(float(weight), value.dtype) if weighed else None
        terms.append(value if factor is None else build.Mul(factor, value))
    return terms[0] if len(terms) == 1 else build.Sum(*terms)


def _check_shape(graph: Graph, found: Ending, term: Term, name: str, axis: int) -> None:
    """Refuse outputs that no target fits: no real numbers, no classes, or only one."""
    type = found.output.type
    row = LOSSES[term.name]
    counted = row.targets.task == "classes" or any(
        not target.dtype.is_float for target in row.target_types(type)[:1]
    )
    if not type.dtype.is_float:
        what, advice = f"holds {type.dtype.value}", "a loss takes real numbers"
    elif counted and type.rank < 2:
        what, advice = "has no channels", "end in `FC`, with a unit for each class"
    elif counted and not isinstance(type.shape[axis], int):
        what, advice = "has as many channels as its input", "give the channels as a number"
    elif counted and type.shape[axis] == 1:
        what = "has one channel"
        advice = (
            "the probability of a single class is always 1: use `binary_cross_entropy`, or a"
            " channel for each class"
        )
    else:
        return
    raise _unfit(graph, found, term, name, Refusal(advice), f"{what}: {author_size(type)}")


def _check_lists(found: Ending, term: Term, name: str, axis: int) -> None:
    """Refuse weights that are not one for each channel.

    Raises:
        NetError: E132.
    """
    shape = found.output.type.shape
    channels = shape[axis] if len(shape) > 1 else 1
    for argument in PER_CHANNEL:
        given = term.arguments.get(argument)
        if isinstance(given, tuple) and len(given) != channels:
            lists = f"`{argument}` lists {len(given)} numbers"
            message = f"{lists}, and the output `{name}` has {channels} channels"
            raise error("E132", message, term.span, help="give one number for each channel")


def _unfit(
    graph: Graph, found: Ending, term: Term, name: str, refusal: Refusal, what: str = ""
) -> NetError:
    """That an output and its loss do not fit."""
    where = f"the output `{name}` {what or f'ends in `{found.layer(graph)}`'}"
    return NetError(
        [_about("E132", f"{where}, which `{term.name}` does not take", graph, found, term, refusal)]
    )


def _doubts(graph: Graph, found: Fit, term: Term, name: str) -> list[Diagnostic]:
    """A warning about a pair that works, but not well."""
    doubt = LOSSES[term.name].verdict(found.ending.kind)
    if not isinstance(doubt, Doubt):
        return []
    layer = found.ending.layer(graph)
    message = f"`{term.name}` on `{layer}` learns slowly where the output `{name}` is wrong"
    return [_about("W110", message, graph, found.ending, term, doubt)]


def _about(
    code: str, message: str, graph: Graph, found: Ending, term: Term, advice: Refusal | Doubt
) -> Diagnostic:
    """A finding that points at the loss and at the output's last layer, where they are written."""
    layer = graph[found.node].span
    if term.span is None:
        return Diagnostic(code, message, layer, help=advice.help)
    also = () if layer is None else (Pointer(layer, "the output's last layer"),)
    return Diagnostic(code, message, term.span, also=also, help=advice.help)
