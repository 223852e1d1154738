"""The table of optimizers: a weight and its gradient -> their new values, in ordinary operators.

The formulas are PyTorch's. An optimizer is one function: its keyword-only signature is its
parameter list, to which the table adds `lr` and, where it has one, `momentum`; these two come as
values of the graph, so that they can change from step to step.
"""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY

from ...grammar.records import record
from ..expressions.arguments import Flag, Nonnegative, PositiveReal, Rate, kind_of
from ..ir.builder import Builder
from ..ir.graph import Value
from ..ir.types import DType
from .terms import Term, TermDef, TermTable

Slots = dict[str, Value]
UpdateRule = Callable[..., tuple[Value, Slots]]

MOMENTUM = "momentum"


@record
class Update:
    """What an optimizer's rule gets.

    Attributes:
        build: A builder on the graph of the training step.
        weight: The weight.
        gradient: The loss's gradient with respect to it.
        slots: The optimizer's tensors of the weight's shape, by name; zeros before the first step.
        lr: The learning rate, a scalar of the weight's element type.
        momentum: The momentum, likewise.
        step: The number of the step, from 0, a scalar of int64.
    """

    build: Builder
    weight: Value
    gradient: Value
    slots: Mapping[str, Value]
    lr: Value
    momentum: Value
    step: Value

    def number(self, number: float) -> Value:
        """A constant of the weight's element type."""
        return self.build.constant(float(number), self.weight.dtype)

    def scaled(self, x: Value, factor: float) -> Value:
        """X times a number."""
        return x if factor == 1 else self.build.Mul(x, self.number(factor))

    def mixed(self, average: Value, x: Value, keep: float) -> Value:
        """Keep times a running average plus 1 - keep times x."""
        return self.build.Add(self.scaled(average, keep), self.scaled(x, 1 - keep))

    def decayed(self, weight_decay: float) -> Value:
        """The gradient plus weight_decay times the weight."""
        if not weight_decay:
            return self.gradient
        return self.build.Add(self.gradient, self.scaled(self.weight, weight_decay))

    def correction(self, beta: float) -> Value:
        """1 - beta^(step + 1), in float64: the difference of numbers so close needs the digits."""
        build = self.build
        counted = build.Cast(build.Add(self.step, build.index_constant(1)), to=DType.FLOAT64)
        power = build.Pow(build.constant(beta, DType.FLOAT64), counted)
        corrected = build.Sub(build.constant(1.0, DType.FLOAT64), power)
        return build.Cast(corrected, to=self.weight.dtype)

    def descended(self, direction: Value, rate: Value | None = None) -> Value:
        """The weight minus the learning rate times a direction."""
        build = self.build
        return build.Sub(self.weight, build.Mul(rate or self.lr, direction))


@record
class OptimizerDef(TermDef):
    """A row of the table of optimizers.

    Its function is `function(update, **arguments)`, the new weight and the new slots by name; of
    the arguments, `lr` and `momentum` are none of its own.

    Attributes:
        asked_by: The slots, each with the argument that asks for it, or None where it is always
            there.
    """

    _: KW_ONLY
    asked_by: Mapping[str, str | None]

    @property
    def has_momentum(self) -> bool:
        """Whether it has a momentum, which can be scheduled."""
        return MOMENTUM in self.kinds

    def slots(self, term: Term, by_momentum: bool = False) -> tuple[str, ...]:
        """The names of the tensors that it keeps for each weight.

        Args:
            term: The optimizer's arguments.
            by_momentum: Whether momentum is scheduled, so that it is kept even where it starts
                at 0.
        """
        arguments = self.settled(term.arguments)
        asked = {name for name, value in arguments.items() if value}
        if by_momentum and self.has_momentum:
            asked.add(MOMENTUM)
        return tuple(slot for slot, by in self.asked_by.items() if by is None or by in asked)

    def update(
        self,
        build: Builder,
        weight: Value,
        gradient: Value,
        slots: Mapping[str, Value],
        scalars: Mapping[str, Value],
        term: Term,
    ) -> tuple[Value, Slots]:
        """The new weight, and the new values of the slots by name.

        Args:
            build: A builder on the graph that holds what follows.
            weight: The weight.
            gradient: Of its type.
            slots: The tensors that `slots` names, of its type.
            scalars: `step` (int64, from 0), `lr` and `momentum`.
            term: The optimizer's arguments.
        """
        lr, momentum = (
            scalars[name]
            if scalars[name].dtype == weight.dtype
            else build.Cast(scalars[name], to=weight.dtype)
            for name in ("lr", MOMENTUM)
        )
        arguments = self.settled(term.arguments)
        own = {n: v for n, v in arguments.items() if n not in ("lr", MOMENTUM)}
        state = Update(build, weight, gradient, slots, lr, momentum, scalars["step"])
        updated: tuple[Value, Slots] = self.function(state, **own)
        return updated


OPTIMIZERS = TermTable("optimizer", "optimizer", OptimizerDef)


def optimizer(
    name: str, *, lr: float, slots: Mapping[str, str | None], momentum: float | None = None
) -> Callable[[UpdateRule], UpdateRule]:
    """Enter the decorated function into the table of optimizers."""
    kinds, defaults = {"lr": kind_of(PositiveReal)}, {"lr": lr}
    if momentum is not None:
        kinds[MOMENTUM], defaults[MOMENTUM] = kind_of(Rate), momentum
    return OPTIMIZERS.enter(name, first=(kinds, defaults), numbers=tuple(defaults), asked_by=slots)


@optimizer("sgd", lr=0.01, momentum=0.0, slots={MOMENTUM: MOMENTUM})
def sgd(
    update: Update, *, nesterov: Flag = False, weight_decay: Nonnegative = 0.0
) -> tuple[Value, Slots]:
    """Stochastic gradient descent, PyTorch's `SGD`.

    g = dL/dw + weight_decay w;  v' = momentum v + g;  w' = w - lr v', or, with Nesterov's
    momentum, w' = w - lr (g + momentum v'); without momentum w' = w - lr g.
    """
    build = update.build
    g = update.decayed(weight_decay)
    if MOMENTUM not in update.slots:
        return update.descended(g), {}
    velocity = build.Add(build.Mul(update.momentum, update.slots[MOMENTUM]), g)
    ahead = build.Add(g, build.Mul(update.momentum, velocity)) if nesterov else velocity
    return update.descended(ahead), {MOMENTUM: velocity}


@optimizer("adam", lr=0.001, slots={"exp_avg": None, "exp_avg_sq": None})
def adam(
    update: Update,
    *,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Nonnegative = 1e-8,
    weight_decay: Nonnegative = 0.0,
) -> tuple[Value, Slots]:
    """Adam (Kingma and Ba 2015, algorithm 1), PyTorch's `Adam`.

    g = dL/dw + weight_decay w;  m' = beta1 m + (1 - beta1) g;  v' = beta2 v + (1 - beta2) g^2;
    w' = w - lr / (1 - beta1^t) m' / (sqrt(v') / sqrt(1 - beta2^t) + eps), t = step + 1.
    """
    direction, rate, slots = _moments(update, update.decayed(weight_decay), beta1, beta2, eps)
    return update.descended(direction, rate), slots


@optimizer("adamw", lr=0.001, slots={"exp_avg": None, "exp_avg_sq": None})
def adamw(
    update: Update,
    *,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Nonnegative = 1e-8,
    weight_decay: Nonnegative = 0.01,
) -> tuple[Value, Slots]:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), PyTorch's `AdamW`.

    As `adam` with g = dL/dw, from (1 - lr weight_decay) w instead of w.
    """
    build = update.build
    direction, rate, slots = _moments(update, update.gradient, beta1, beta2, eps)
    shrunk = update.weight
    if weight_decay:
        kept = build.Sub(update.number(1.0), update.scaled(update.lr, weight_decay))
        shrunk = build.Mul(kept, update.weight)
    return build.Sub(shrunk, build.Mul(rate, direction)), slots


def _moments(
    update: Update, g: Value, beta1: float, beta2: float, eps: float
) -> tuple[Value, Value, Slots]:
    """Adam's direction, its rate with the first moment's correction, and the new moments."""
    build = update.build
    mean = update.mixed(update.slots["exp_avg"], g, beta1)
    square = update.mixed(update.slots["exp_avg_sq"], build.Mul(g, g), beta2)
    root = build.Div(build.Sqrt(square), build.Sqrt(update.correction(beta2)))
    direction = build.Div(mean, build.Add(root, update.number(eps)))
    rate = build.Div(update.lr, update.correction(beta1))
    return direction, rate, {"exp_avg": mean, "exp_avg_sq": square}


@optimizer(
    "rmsprop",
    lr=0.01,
    momentum=0.0,
    slots={"square_avg": None, "grad_avg": "centered", MOMENTUM: MOMENTUM},
)
def rmsprop(
    update: Update,
    *,
    alpha: Rate = 0.99,
    eps: Nonnegative = 1e-8,
    weight_decay: Nonnegative = 0.0,
    centered: Flag = False,
) -> tuple[Value, Slots]:
    """RMSprop (Hinton's lecture 6e), PyTorch's `RMSprop`.

    g = dL/dw + weight_decay w;  s' = alpha s + (1 - alpha) g^2;  d = g / (sqrt(s') + eps);
    w' = w - lr d, or, with momentum, b' = momentum b + d and w' = w - lr b'. With `centered`,
    a' = alpha a + (1 - alpha) g, and s' - a'^2 is below the root.
    """
    build = update.build
    g = update.decayed(weight_decay)
    square = update.mixed(update.slots["square_avg"], build.Mul(g, g), alpha)
    slots, below = {"square_avg": square}, square
    if centered:
        slots["grad_avg"] = mean = update.mixed(update.slots["grad_avg"], g, alpha)
        below = build.Sub(square, build.Mul(mean, mean))
    direction = build.Div(g, build.Add(build.Sqrt(below), update.number(eps)))
    if MOMENTUM in update.slots:
        velocity = build.Mul(update.momentum, update.slots[MOMENTUM])
        slots[MOMENTUM] = direction = build.Add(velocity, direction)
    return update.descended(direction), slots


@optimizer("adagrad", lr=0.01, slots={"sum": None})
def adagrad(
    update: Update,
    *,
    lr_decay: Nonnegative = 0.0,
    eps: Nonnegative = 1e-10,
    weight_decay: Nonnegative = 0.0,
) -> tuple[Value, Slots]:
    """AdaGrad (Duchi et al. 2011), PyTorch's `Adagrad`.

    g = dL/dw + weight_decay w;  s' = s + g^2;  w' = w - lr / (1 + lr_decay t) g / (sqrt(s') + eps),
    t = step.
    """
    build = update.build
    g = update.decayed(weight_decay)
    total = build.Add(update.slots["sum"], build.Mul(g, g))
    direction = build.Div(g, build.Add(build.Sqrt(total), update.number(eps)))
    rate = update.lr
    if lr_decay:
        passed = build.Cast(update.step, to=update.weight.dtype)
        rate = build.Div(rate, build.Add(update.number(1.0), update.scaled(passed, lr_decay)))
    return update.descended(direction, rate), {"sum": total}
