"""All that a `train` block says, with defaults for what it leaves out, as one record."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from ...grammar.diagnostics import Diagnostic, NetError, Pointer, did_you_mean, listing, pointers
from ...grammar.parsing.literals import write_key
from ...grammar.records import record
from ...grammar.source import Span
from .data_terms import AUGMENT, PREPROCESS
from .descent import WEIGHT_DECAY, Descent
from .factors import Factors
from .lossdef import Values
from .losses import LOSSES
from .objective import Objective
from .optimizers import MOMENTUM, OPTIMIZERS
from .schedules import NOTHING_YET, SCHEDULES, Followed, Position, value_at
from .settings import GivenSetting
from .term_table import spell_term, spell_value
from .terms import Term

ADAM = OPTIMIZERS.term("adam")
CONSTANT_SCHEDULE = SCHEDULES.term("constant")


@record
class Recipe:
    """How a network is trained.

    Attributes:
        loss: The loss of each output that has one, by the output's name.
        weights: What each loss is multiplied by; 1 where it is left out.
        data: The data set; None where it comes from Python.
        validation: Data for validation, in place of a share; None where there are none.
        test: Data for the test part, likewise.
        split: The shares of training, validation and test data.
        fold: Which of how many folds is the test part, counted from 1; None where `split` says.
        preprocess: What is fitted on the training data and done to all, in order.
        targets: What is done to the targets of outputs before their losses, by the output's name.
        augment: What is done to the training data by chance, in order.
        metrics: What is measured after each epoch besides the loss; what suits it where there are
            none.
        regularize: Penalties on the weights.
        clip: How gradients are clipped; None where they are not.
        optimizer: How weights follow their gradients.
        lr_factors: What the learning rate of weights is multiplied by, by pattern.
        decay: What the optimizer's weight decay is multiplied by, by pattern, or `weights`: of
            biases, and the scales and shifts of normalizations, by 0.
        schedule: Of the learning rate.
        momentum: The schedule of the momentum; None where it stays.
        per: What schedules count where they do not say so themselves: `step` or `epoch`.
        ema: How much of the weights' moving averages, which are what is measured and kept, stays
            at each step; None where the weights themselves are.
        batch: Samples of a batch; None for all.
        accumulate: How many batches' gradients are averaged for a step of the optimizer.
        sync_bn: Whether batch normalization is by all ranks' samples, where several share a batch.
        last: What becomes of a last batch that is short: `keep` or `drop`.
        epochs: How often all training data is seen.
        seed: Of initial weights, splits, order, augmentation and noise.
        span: The block; None where there is none.
    """

    loss: Mapping[str, Term]
    weights: Mapping[str, float] = field(default_factory=dict)
    data: Term | None = None
    validation: Term | None = None
    test: Term | None = None
    split: tuple[float, ...] = (0.8, 0.1, 0.1)
    fold: tuple[int, int] | None = None
    preprocess: tuple[Term, ...] = ()
    targets: Mapping[str, Term] = field(default_factory=dict)
    augment: tuple[Term, ...] = ()
    metrics: tuple[str, ...] = ()
    regularize: tuple[Term, ...] = ()
    clip: Term | None = None
    optimizer: Term = ADAM
    lr_factors: Factors = field(default_factory=dict)
    decay: Factors | str = field(default_factory=dict)
    schedule: Term = CONSTANT_SCHEDULE
    momentum: Term | None = None
    per: str = "step"
    ema: float | None = None
    batch: int | None = 32
    accumulate: int = 1
    sync_bn: bool = False
    last: str = "keep"
    epochs: int = 10
    seed: int = 0
    span: Span | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name} = {text}" for name, text in self.settings().items())
        return f"<Recipe: {shown}>"

    @property
    def objective(self) -> Objective:
        """What training minimises."""
        return Objective(self.loss, self.weights, self.regularize)

    @property
    def descent(self) -> Descent:
        """How weights follow their gradients."""
        by_momentum = self.momentum is not None
        return Descent(
            *(self.optimizer, self.clip, by_momentum, self.accumulate, self.ema),
            *(self.lr_factors, self.decay),
        )

    def rates(
        self, step: int, *, steps_per_epoch: int, followed: Followed = NOTHING_YET
    ) -> tuple[float, float]:
        """The learning rate and the momentum of a batch, counted from 0 through all epochs.

        Args:
            step: The number of the batch.
            steps_per_epoch: How many batches an epoch has.
            followed: The results of the epochs before, for schedules that look at it.
        """
        at = Position(step, steps_per_epoch, self.epochs, self.accumulate, followed)
        arguments = self.optimizer.arguments
        lr = value_at(self.schedule, arguments["lr"], at)
        momentum = float(arguments.get(MOMENTUM, 0.0))
        if self.momentum is not None:
            momentum = value_at(self.momentum, momentum, at)
        return lr, momentum

    def settings(self) -> dict[str, str]:
        """Every setting as a program spells it; what is None is left out."""
        rows: dict[str, str | None] = {
            "data": None if self.data is None else spell_term(self.data),
            "validation": None if self.validation is None else spell_term(self.validation),
            "test": None if self.test is None else spell_term(self.test),
            "split": spell_value(self.split),
            "fold": None if self.fold is None else "({}, {})".format(*self.fold),
            "preprocess": _listed(self.preprocess),
            "targets": _mapped({n: spell_term(term) for n, term in self.targets.items()}) or None,
            "augment": _listed(self.augment),
            "loss": _mapped({name: spell_term(term) for name, term in self.loss.items()}),
            "weights": _mapped({n: repr(w) for n, w in self.weights.items()}) or None,
            "metrics": f"[{', '.join(map(write_key, self.metrics))}]" if self.metrics else None,
            "regularize": _listed(self.regularize),
            "clip": None if self.clip is None else spell_term(self.clip),
            "optimizer": spell_term(self.optimizer),
            "lr_factors": _mapped({n: repr(f) for n, f in self.lr_factors.items()}) or None,
            "decay": self.decay
            if isinstance(self.decay, str)
            else _mapped({n: repr(f) for n, f in self.decay.items()}) or None,
            "schedule": spell_term(self.schedule),
            "momentum": None if self.momentum is None else spell_term(self.momentum),
            "per": self.per,
            "ema": None if self.ema is None else repr(self.ema),
            "batch": "all" if self.batch is None else str(self.batch),
            "accumulate": None if self.accumulate == 1 else str(self.accumulate),
            "sync_bn": "yes" if self.sync_bn else None,
            "last": self.last,
            "epochs": str(self.epochs),
            "seed": str(self.seed),
        }
        return {name: text for name, text in rows.items() if text is not None}


def _listed(terms: Sequence[Term]) -> str:
    return f"[{', '.join(map(spell_term, terms))}]"


def _mapped(texts: Mapping[str, str]) -> str:
    named = (f"{write_key(name)}: {text}" for name, text in texts.items())
    return f"{{{', '.join(named)}}}" if texts else ""


def settle(
    given: Mapping[str, GivenSetting],
    outputs: Sequence[str],
    *,
    base: Recipe | None = None,
    span: Span | None = None,
) -> Recipe:
    """A recipe of settings, of what they leave out, and checked as a whole.

    Args:
        given: Settings by name.
        outputs: The names of the network's outputs.
        base: What the settings change; the defaults where it is None.
        span: What to blame for what is missing: the block.

    Raises:
        NetError: Settings contradict each other (E126, E125), or losses and weights do not go with
            the outputs (E127); all that was found.
    """
    recipe = merge(given, outputs, base=base, span=span)
    check(recipe, given, outputs)
    return recipe


def merge(
    given: Mapping[str, GivenSetting],
    outputs: Sequence[str],
    *,
    base: Recipe | None = None,
    span: Span | None = None,
) -> Recipe:
    """As `settle`, without checking the recipe as a whole.

    Raises:
        NetError: E127, it is not said which of several outputs has the loss.
    """
    values: dict[str, Any] = {name: found.value for name, found in given.items()}
    loss = given.get("loss")
    if "targets" in values:
        values["targets"] = _each_target(given["targets"], outputs)
    if base is None:
        return Recipe(**{**values, "loss": _losses(loss, outputs, span)}, span=span)
    if loss is not None:
        values["loss"] = _losses(loss, outputs, span)
    return _counted_per(replace(base, **values), given)


def check(recipe: Recipe, given: Mapping[str, GivenSetting], outputs: Sequence[str]) -> None:
    """Check a recipe as a whole; `given` shows where it names outputs.

    Raises:
        NetError: As `settle` does.
    """
    findings = [*_outputs_named(recipe, given, outputs)]
    findings += [finding for rule in RECIPE_CHECKS for finding in rule(recipe)]
    if findings:
        raise NetError(findings)


def _losses(
    given: GivenSetting | None, outputs: Sequence[str], span: Span | None
) -> dict[str, Term]:
    """The loss of each output that has one."""
    if given is not None and isinstance(given.value, Mapping):
        return dict(given.value)
    term = given.value if given else LOSSES.term("cross_entropy")
    if len(outputs) == 1:
        return {outputs[0]: term}
    each = _mapped(dict.fromkeys(outputs, term.name))
    what = f"one loss, `{term.name}`," if given else "no loss"
    raise NetError(
        [
            Diagnostic(
                "E127",
                f"the network has {len(outputs)} outputs, but `train` gives {what}",
                given.span if given else span,
                help=f"give each its own, or some of them: `loss = {each}`",
            )
        ]
    )


def _each_target(given: GivenSetting, outputs: Sequence[str]) -> dict[str, Term]:
    """What is done to targets, by the output's name; `none` where nothing is."""
    if isinstance(given.value, Mapping):
        return dict(given.value)
    if given.value is None or len(outputs) == 1:
        return {} if given.value is None else {outputs[0]: given.value}
    message = f"the network has {len(outputs)} outputs, and `targets` names none of them"
    help = f"name those that it is about: `targets = {{{outputs[0]}: {given.value.name}}}`"
    raise NetError([Diagnostic("E127", message, given.span, help=help)])


def _counted_per(recipe: Recipe, given: Mapping[str, GivenSetting]) -> Recipe:
    """The recipe with a new `per` said to the schedules that were there before."""
    if "per" not in given:
        return recipe
    changed: dict[str, Any] = {}
    for name in ("schedule", MOMENTUM):
        term: Term | None = getattr(recipe, name)
        if term is not None and name not in given:
            changed[name] = replace(term, arguments={**term.arguments, "per": recipe.per})
    return replace(recipe, **changed)


def _outputs_named(
    recipe: Recipe, given: Mapping[str, GivenSetting], outputs: Sequence[str]
) -> Iterator[Diagnostic]:
    """Losses of outputs that are not there, and weights of outputs without a loss."""
    tables = (
        ("loss", recipe.loss, outputs),
        ("weights", recipe.weights, tuple(recipe.loss)),
        ("targets", recipe.targets, tuple(recipe.loss)),
    )
    for setting, mapping, known in tables:
        for name in mapping:
            if name in known:
                continue
            found = given.get(setting)
            place = found.places.get(name) if found else None
            what = "there is no output" if name not in outputs else "no loss is given for"
            names = ", ".join(f"`{output}`" for output in known)
            having = "outputs" if setting == "loss" else "outputs with a loss"
            help = did_you_mean(name, known) or f"the {having}: {names}"
            yield Diagnostic("E127", f"{what} `{name}`", place, help=help)


def _pointer(term: Term | None, text: str) -> tuple[Pointer, ...]:
    return pointers(None if term is None else term.span, text)


_DECAYS_UNASKED = "`adamw` decays by default: remove `l2`, or write `weight_decay=0`"


def _decays_twice(recipe: Recipe) -> Iterator[Diagnostic]:
    """`l2` is `weight_decay` by another name."""
    decay = recipe.optimizer.arguments.get("weight_decay", 0.0)
    for term in recipe.regularize:
        if term.name == "l2" and decay:
            yield Diagnostic(
                "E126",
                f"`l2` and the optimizer's `weight_decay={decay}` both shrink the weights",
                term.span,
                also=_pointer(recipe.optimizer, "the optimizer"),
                help=_DECAYS_UNASKED
                if recipe.optimizer.name == "adamw"
                else "remove one: `l2` leaves biases alone, `weight_decay` does not",
            )


def _decays_by_patterns(recipe: Recipe) -> Iterator[Diagnostic]:
    """What scales a weight decay needs one."""
    if recipe.decay and not recipe.optimizer.arguments.get(WEIGHT_DECAY):
        message = "`decay` has no effect: the optimizer's `weight_decay` is 0"
        help = f"write `{recipe.optimizer.name}(weight_decay=0.01)`"
        yield Diagnostic("E126", message, recipe.optimizer.span, help=help)


def _nesterov_without_momentum(recipe: Recipe) -> Iterator[Diagnostic]:
    """Nesterov's momentum needs one."""
    arguments = recipe.optimizer.arguments
    if arguments.get("nesterov") and not arguments[MOMENTUM] and recipe.momentum is None:
        message = "`nesterov=yes` needs a nonzero momentum"
        help = "write `sgd(lr=0.1, momentum=0.9, nesterov=yes)`"
        yield Diagnostic("E126", message, recipe.optimizer.span, help=help)


def _momentum_scheduled(recipe: Recipe) -> Iterator[Diagnostic]:
    """A schedule of the momentum goes with an optimizer that has one, and stays in its range."""
    term, optimizer = recipe.momentum, recipe.optimizer
    if term is None:
        return
    if not OPTIMIZERS[optimizer.name].has_momentum:
        having = " and ".join(f"`{n}`" for n, row in OPTIMIZERS.items() if row.has_momentum)
        message = f"`{optimizer.name}` has no momentum to schedule"
        also = _pointer(optimizer, "the optimizer")
        yield Diagnostic("E126", message, term.span, also=also, help=f"{having} have one")
    elif SCHEDULES[term.name].starts_itself:
        ends = [term.arguments["start"], term.arguments["end"]]
        if max(ends) >= 1:
            message = f"a momentum must be below 1, but `{term.name}` reaches {max(ends)}"
            help = f"stay below 1, as in `momentum = {term.name}({min(*ends, 0.9)}, 0.99)`"
            yield Diagnostic("E125", message, term.span, help=help)
        else:
            yield from _other_start(recipe, MOMENTUM, term)
    elif not optimizer.arguments[MOMENTUM]:
        message = f"`{term.name}` has no effect: the momentum is 0"
        also = _pointer(optimizer, "the optimizer")
        help = f"give it a starting value: `{optimizer.name}(momentum=0.9)`"
        yield Diagnostic("E126", message, term.span, also=also, help=help)


def _rate_scheduled(recipe: Recipe) -> Iterator[Diagnostic]:
    """A schedule that says where it starts leaves nothing to the optimizer's `lr`."""
    if SCHEDULES[recipe.schedule.name].starts_itself:
        yield from _other_start(recipe, "lr", recipe.schedule)


def _other_start(recipe: Recipe, name: str, term: Term) -> Iterator[Diagnostic]:
    """A value of the optimizer's, given with another than the schedule starts with."""
    optimizer = recipe.optimizer
    value, start = optimizer.arguments[name], term.arguments["start"]
    default = OPTIMIZERS[optimizer.name].defaults[name]
    if value not in (start, default):
        yield Diagnostic(
            "E126",
            f"`{term.name}` starts with {start}, and `{optimizer.name}` says `{name}={value}`",
            term.span,
            also=_pointer(optimizer, "the optimizer"),
            help=f"leave `{name}` out: `{term.name}` sets it",
        )


def _targets_are_numbers(recipe: Recipe) -> Iterator[Diagnostic]:
    """Only targets that data give, and that are numbers, have another unit."""
    for output, term in recipe.targets.items():
        loss = recipe.loss.get(output)
        if loss is None:
            continue
        if not PREPROCESS[term.name].shifts:
            known = listing([name for name, row in PREPROCESS.items() if row.shifts])
            message = f"`{term.name}` of targets cannot be undone"
            yield Diagnostic("E126", message, term.span, help=f"choose one of {known}")
        elif output not in recipe.objective.target_names():
            message = f"`{loss.name}` compares `{output}` with no target of the data"
            yield Diagnostic("E126", message, term.span, help="use `preprocess` for inputs")
        elif LOSSES[loss.name].targets.task != "numbers":
            message = f"`targets` is for numbers, and `{loss.name}` is not about these"
            help = "leave it out, or choose a loss such as `mse`"
            yield Diagnostic("E126", message, term.span, also=_pointer(loss, "the loss"), help=help)


def _mixtures_are_taken(recipe: Recipe) -> Iterator[Diagnostic]:
    """Mixed samples have targets that are several at once, and are mixed after all else."""
    mixing = [term for term in recipe.augment if AUGMENT[term.name].mixes]
    for term in mixing[:1]:
        for output, loss in recipe.loss.items():
            if LOSSES[loss.name].targets.values is Values.SIDES:
                message = f"`{term.name}` mixes targets, of which `{loss.name}` takes one side only"
                help = f"leave it out, or choose a loss such as `{_taking_mixtures(loss)}`"
                also = _pointer(loss, f"the loss of `{output}`")
                yield Diagnostic("E126", message, term.span, also=also, help=help)
    if mixing and recipe.batch == 1:
        message = f"`{mixing[0].name}` mixes samples of a batch, and `batch` is 1"
        help = "take larger batches, such as `batch = 32`"
        yield Diagnostic("E126", message, mixing[0].span, help=help)
    last = recipe.augment[len(recipe.augment) - len(mixing) :]
    if list(last) != mixing:
        kept = [term for term in recipe.augment if not AUGMENT[term.name].mixes]
        help = f"write `augment = {_listed([*kept, *mixing])}`"
        message = f"`{mixing[0].name}` mixes samples as they are after all other augmentations"
        yield Diagnostic("E126", message, mixing[0].span, help=help)


def _taking_mixtures(loss: Term) -> str:
    return "cross_entropy" if loss.name == "hinge" else "binary_cross_entropy"


def _tested_twice(recipe: Recipe) -> Iterator[Diagnostic]:
    """A fold is the test part in place of one that is given."""
    if recipe.fold is not None and recipe.test is not None:
        message = "`fold` takes the test part from the data, and `test` gives another"
        yield Diagnostic("E126", message, recipe.test.span, help="leave `test` out")


RECIPE_CHECKS: tuple[Callable[[Recipe], Iterator[Diagnostic]], ...] = (
    _tested_twice,
    _decays_twice,
    _decays_by_patterns,
    _targets_are_numbers,
    _mixtures_are_taken,
    _nesterov_without_momentum,
    _rate_scheduled,
    _momentum_scheduled,
)
