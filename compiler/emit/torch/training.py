"""What a `train` block says -> the function of a file that trains, in PyTorch's own words."""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import takewhile
from math import exp
from typing import Any, NamedTuple

from ...ir.graph import Graph
from ...model import Model
from ...training.descent import WEIGHT_DECAY
from ...training.lossdef import CLASS_WEIGHTS, weighs_classes_alike
from ...training.output_fit import Fit, fit
from ...training.recipe import Recipe
from ...training.schedules import SCHEDULES as SCHEDULE_ROWS
from ...training.terms import Term
from ...training.weights import regularized
from .code import (
    PRODUCT,
    SUM,
    Code,
    Group,
    Spelled,
    call,
    code,
    joined,
    keyword,
    laid_out,
    listed,
    method,
    option,
)
from .names import plain_text, variable

LossRow = Callable[[Term, Fit, str, str], Code]


def training_text(model: Model) -> str:
    """The function `train`; empty where no program says how to train.

    Raises:
        NetError: E132, an output does not fit its loss.
    """
    recipe = model.recipe
    if recipe is None:
        return ""
    lines = ["def train(model, loader):", *_told(recipe)]
    groups = _groups(model.graph, recipe)
    if len(groups) > 1:
        lines += laid_out("groups = ", listed([*map(_group, groups)]), indent=4)
    lines += laid_out("optimizer = ", _optimizer(recipe, groups), indent=4)
    schedule = _schedule(recipe, groups)
    if schedule is not None:
        lines += laid_out("scheduler = ", schedule, indent=4)
    warmup = recipe.schedule.arguments["warmup"]
    if warmup and SCHEDULE_ROWS[recipe.schedule.name].follows:
        lines.append(f"    # warmup = {warmup}: raise `lr` in `optimizer.param_groups` before.")
    if recipe.momentum is not None:
        momentum = recipe.settings()["momentum"]
        lines.append(f"    # momentum = {momentum}: set `momentum` in `optimizer.param_groups`.")
    lines += _penalized(model.graph, recipe)
    lines += _balanced(model.graph, recipe)
    if recipe.ema is not None:
        follow = call("torch.optim.swa_utils.get_ema_multi_avg_fn", recipe.ema)
        average = call("torch.optim.swa_utils.AveragedModel", "model", multi_avg_fn=follow)
        lines += laid_out("average = ", average, indent=4)
    lines += ["    batches = 0"] if recipe.accumulate > 1 else []
    lines += ["    model.train()", f"    for _ in range({recipe.epochs}):"]
    lines += _steps(model.graph, recipe, schedule is not None)
    if recipe.ema is not None:
        lines.append("    model.load_state_dict(average.module.state_dict())")
    return "\n".join(lines) + "\n"


def _told(recipe: Recipe) -> list[str]:
    """What the caller's batches have to be."""
    settings = recipe.settings()
    names = ("data", "split", "preprocess", "targets", "augment", "batch", "last")
    plain = {"preprocess": "[]", "augment": "[]", "last": "keep"}
    told = [f"{n} = {settings[n]}" for n in names if settings.get(n, "[]") != plain.get(n, "[]")]
    head = '    """Trains a network on the batches that `loader` yields."""'
    return [
        head,
        "    # The program asks for batches of:",
        *(f"    #   {plain_text(t)}" for t in told),
    ]


class _Variables(NamedTuple):
    """What the loop calls arrays: a batch's in their order, and each output's target."""

    inputs: list[str]
    given: list[str]
    targets: dict[str, str]


def _variables(graph: Graph, recipe: Recipe) -> _Variables:
    targets = recipe.objective.target_names()
    inputs = ["x"] if len(graph.inputs) == 1 else list(map(variable, graph.inputs))
    names = {o: "t" if len(targets) == 1 else variable(f"t_{o}") for o in targets}
    of = dict(zip(graph.inputs, inputs, strict=True))
    compared = {o: of[name] for o, name in recipe.objective.inputs_as_targets().items()}
    return _Variables(inputs, [*inputs, *names.values()], {**names, **compared})


def _balanced(graph: Graph, recipe: Recipe) -> list[str]:
    """Weights of classes that are counted before the first step."""
    variables = _variables(graph, recipe)
    lines: list[str] = []
    for output, term in recipe.loss.items():
        if not weighs_classes_alike(term):
            continue
        target, value = variables.targets[output], graph.outputs[output]
        batches = f"(batch[{variables.given.index(target)}] for batch in loader)"
        classes = value.shape[fit(graph, value, term, name=output).axis]
        assert isinstance(classes, int)
        counted = call("balanced_weights", code(batches), classes, term.arguments["ignore_index"])
        lines += laid_out(f"{_weights_of(target)} = ", counted, indent=4)
    return lines


def _weights_of(target: str) -> str:
    return f"weights_of_{target}"


def _steps(graph: Graph, recipe: Recipe, scheduled: bool) -> list[str]:
    """The loop over the batches of an epoch."""
    inputs, given, targets = _variables(graph, recipe)
    outputs = {o: "y" if len(graph.outputs) == 1 else variable(f"y_{o}") for o in graph.outputs}
    follows = SCHEDULE_ROWS[recipe.schedule.name].follows
    lines = ["        losses = []"] if follows else []
    lines.append(f"        for {', '.join(given)} in loader:")
    results = [outputs[o] if o in recipe.loss else "_" for o in graph.outputs]
    lines.append(f"            {', '.join(results)} = model({', '.join(inputs)})")
    terms = []
    for output, term in recipe.loss.items():
        found = fit(graph, graph.outputs[output], term, name=output)
        target = targets.get(output, "")
        value = LOSSES[term.name](term, found, outputs[output], target)
        weight = recipe.weights.get(output, 1.0)
        terms.append(value if weight == 1.0 else joined("*", PRODUCT, code(weight), value))
    lines += laid_out("loss = ", terms[0], indent=12)
    for term_code in terms[1:]:
        lines += laid_out("loss += ", term_code, indent=12)
    for regularizer in recipe.regularize:
        lines += laid_out("loss += ", _penalty(regularizer), indent=12)
    by_step = scheduled and not follows and recipe.schedule.arguments["per"] == "step"
    lines += [f"            {line}" for line in _descent(recipe, by_step)]
    if follows:
        lines += ["            losses.append(loss.item())", _FOLLOWED]
    elif scheduled and not by_step:
        lines.append("        scheduler.step()")
    return lines


# What `plateau` looks at here, where `loader` yields no validation data.
_FOLLOWED = "        scheduler.step(sum(losses) / len(losses))  # or the loss of validation data"


def _descent(recipe: Recipe, scheduled: bool) -> list[str]:
    """From the loss of a batch to new weights."""
    step = ["optimizer.step()"]
    if recipe.clip is not None:
        name, limit = f"clip_grad_{recipe.clip.name}_", recipe.clip.arguments["limit"]
        step.insert(0, f"nn.utils.{name}(model.parameters(), {limit!r})")
    after = ["average.update_parameters(model)"] if recipe.ema is not None else []
    after += ["scheduler.step()"] if scheduled else []
    if recipe.accumulate == 1:
        return ["optimizer.zero_grad()", "loss.backward()", *step, *after]
    return [
        f"(loss / {recipe.accumulate}).backward()",
        "batches += 1",
        f"if batches % {recipe.accumulate} == 0:",
        *(f"    {line}" for line in (*step, "optimizer.zero_grad()", *after)),
    ]


def _classes_first(found: Fit, output: str) -> Code:
    """An output with its classes on the second axis, as logarithms of probabilities if fused."""
    y = code(output)
    if found.fused:
        y = method(method(y, "clamp", code("min=1e-38")), "log")
    return y if found.axis == 1 else method(y, "movedim", found.axis, 1)


def _cross_entropy(term: Term, found: Fit, output: str, target: str) -> Code:
    options = [
        option("ignore_index", term.arguments["ignore_index"], -100),
        option("label_smoothing", term.arguments["label_smoothing"], 0.0),
        *_class_weights(term, output, target),
    ]
    return call("F.cross_entropy", _classes_first(found, output), target, *options)


def _negative_log_likelihood(term: Term, found: Fit, output: str, target: str) -> Code:
    ignored = option("ignore_index", term.arguments["ignore_index"], -100)
    weights = _class_weights(term, output, target)
    return call("F.nll_loss", _classes_first(found, output), target, ignored, *weights)


def _class_weights(term: Term, output: str, target: str) -> list[Code]:
    """Weights of classes as an argument, where they have some."""
    if weighs_classes_alike(term):
        return [keyword("weight", method(code(_weights_of(target)), "to", code(output)))]
    return _weights("weight", term.arguments[CLASS_WEIGHTS], output)


def _kl_divergence(term: Term, found: Fit, output: str, target: str) -> Code:
    y = code(output)
    y = method(y, "log") if found.fused else method(y, "log_softmax", found.axis)
    return call("F.kl_div", y, target, reduction='"batchmean"')


def _binary_cross_entropy(term: Term, found: Fit, output: str, target: str) -> Code:
    y, name = code(output), "F.binary_cross_entropy"
    weights = _weights("pos_weight", term.arguments["pos_weight"], output, _later(found))
    if weights and found.fused:
        y = method(y, "logit")
    name += "_with_logits" if weights or not found.fused else ""
    return call(name, y, _alike(found, target, output), *weights)


def _weights(name: str, numbers: Any, output: str, axes: int = 0) -> list[Code]:
    """Weights as an argument, a tensor like the output; none where all weigh the same.

    `axes` says how many axes of the output follow that of the channels.
    """
    if numbers in (None, 1.0):
        return []
    several = isinstance(numbers, tuple)
    weights = method(code(output), "new_tensor", listed(numbers) if several else numbers)
    if several and axes:
        weights = method(weights, "reshape", -1, *(1,) * axes)
    return [keyword(name, weights)]


def _later(found: Fit) -> int:
    """How many axes of an output follow that of the classes."""
    return found.ending.output.type.rank - 1 - found.axis


def _focal(term: Term, found: Fit, output: str, target: str) -> Code:
    y = method(code(output), "logit") if found.fused else code(output)
    options = [term.arguments[name] for name in ("gamma", "alpha")]
    return call("focal_loss", y, _alike(found, target, output), *options)


def _dice(term: Term, found: Fit, output: str, target: str) -> Code:
    smooth = term.arguments["smooth"]
    return call("dice_loss", output, _alike(found, target, output), found.axis, smooth)


def _alike(found: Fit, target: str, output: str) -> Code:
    """A target of the output's shape, which may lack the axis of a single channel."""
    shape = found.ending.output.type.shape
    if len(shape) < 2 or shape[found.axis] != 1:
        return code(target)
    return method(method(code(target), "reshape_as", output), "to", f"{output}.dtype")


def _of_numbers(name: str, *options: tuple[str, Any]) -> LossRow:
    def write(term: Term, found: Fit, output: str, target: str) -> Code:
        given = [option(n, term.arguments[n], default) for n, default in options]
        return call(name, output, _alike(found, target, output), *given)

    return write


def _mean_squared_error(term: Term, found: Fit, output: str, target: str) -> Code:
    if not term.arguments["half"]:
        return _of_numbers("F.mse_loss")(term, found, output, target)
    summed = call("F.mse_loss", output, _alike(found, target, output), reduction='"sum"')
    return joined("/", PRODUCT, summed, code(f"(2 * len({output}))"))


def _log_cosh(term: Term, found: Fit, output: str, target: str) -> Code:
    error = joined("-", SUM, code(output), _alike(found, target, output))
    return method(method(method(error, "cosh"), "log"), "mean")


def _hinge(term: Term, found: Fit, output: str, target: str) -> Code:
    margin = option("margin", term.arguments["margin"], 1.0)
    if found.ending.output.type.shape[found.axis] != 1:
        return call("F.multi_margin_loss", _classes_first(found, output), target, margin)
    side = call("torch.where", code(f"{target} > 0"), 1.0, -1.0)
    short = joined(
        "-",
        SUM,
        code(term.arguments["margin"]),
        joined("*", PRODUCT, method(side, "reshape_as", output), code(output)),
    )
    return method(method(short, "clamp", code("min=0")), "mean")


LOSSES: Mapping[str, LossRow] = {
    "cross_entropy": _cross_entropy,
    "nll": _negative_log_likelihood,
    "kl_divergence": _kl_divergence,
    "binary_cross_entropy": _binary_cross_entropy,
    "mse": _mean_squared_error,
    "mae": _of_numbers("F.l1_loss"),
    "huber": _of_numbers("F.huber_loss", ("delta", 1.0)),
    "log_cosh": _log_cosh,
    "hinge": _hinge,
    "focal": _focal,
    "dice": _dice,
    "minimize": lambda term, found, output, target: method(code(output), "mean"),
}

# Our optimizers' names in PyTorch, and the defaults of the arguments that both have.
OPTIMIZERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "sgd": ("SGD", {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0}),
    "adam": ("Adam", {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.0}),
    "adamw": ("AdamW", {"betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}),
    "rmsprop": (
        "RMSprop",
        {"alpha": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.0, "centered": False},
    ),
    "adagrad": ("Adagrad", {"lr_decay": 0.0, "weight_decay": 0.0, "eps": 1e-10}),
}


class _Weights(NamedTuple):
    """Weights whose learning rate and decay are multiplied by the same factors.

    Attributes:
        chosen: Which, as an expression.
        lr, decay: Their own, or None where those of the optimizer hold.
    """

    chosen: str
    lr: float | None
    decay: float | None


def _groups(graph: Graph, recipe: Recipe) -> list[_Weights]:
    """The weights that are trained, by their factors; a single group where all are alike."""
    descent, weights = recipe.descent, regularized(graph)
    names: dict[tuple[float, float], set[str]] = {}
    for name in regularized(graph, biases=True):
        names.setdefault(descent.of(name, is_weight=name in weights), set()).add(name)
    lr = _first_rate(recipe)
    decay = recipe.optimizer.arguments[WEIGHT_DECAY]
    return [
        _Weights(
            _expression(graph, chosen),
            None if rate == 1 else lr * rate,
            None if share == 1 or not decay else decay * share,
        )
        for (rate, share), chosen in names.items()
    ]


def _group(weights: _Weights) -> Code:
    named = {"lr": weights.lr, "weight_decay": weights.decay}
    given: dict[str, Spelled] = {"params": code(weights.chosen)}
    given |= {name: value for name, value in named.items() if value is not None}
    items = tuple(Code((f'"{name}": ', *code(value).parts)) for name, value in given.items())
    return Code((Group(items, "{}", "list"),))


def _first_rate(recipe: Recipe) -> float:
    """The optimizer's own learning rate, which the schedule multiplies."""
    if recipe.schedule.name == "linear":
        return float(recipe.schedule.arguments["start"] or 1.0)
    return float(recipe.optimizer.arguments["lr"])


def _optimizer(recipe: Recipe, groups: Sequence[_Weights]) -> Code:
    term = recipe.optimizer
    name, defaults = OPTIMIZERS[term.name]
    arguments = dict(term.arguments)
    if "beta1" in arguments:
        arguments["betas"] = (arguments.pop("beta1"), arguments.pop("beta2"))
    alike = groups[0] if len(groups) == 1 else _Weights("", None, None)
    arguments["lr"] = _first_rate(recipe) if alike.lr is None else alike.lr
    if alike.decay is not None:
        arguments[WEIGHT_DECAY] = alike.decay
    options = [option(n, arguments[n], default) for n, default in defaults.items()]
    rate = keyword("lr", arguments["lr"])
    weights = "groups" if len(groups) > 1 else "model.parameters()"
    return call(f"torch.optim.{name}", weights, rate, *options)


def _schedule(recipe: Recipe, groups: Sequence[_Weights]) -> Code | None:
    """The schedule, a warm-up before it."""
    arguments = recipe.schedule.arguments
    warmup = arguments["warmup"]
    whole = str(recipe.epochs)
    if arguments["per"] == "step":
        whole = f"{recipe.epochs} * len(loader)"
        whole += f" // {recipe.accumulate}" if recipe.accumulate > 1 else ""
    total = f"{whole} - {warmup}" if warmup else whole
    schedule = SCHEDULES[recipe.schedule.name](recipe, total)
    if recipe.schedule.name == "one_cycle" and recipe.lr_factors:
        rates = [_first_rate(recipe) if each.lr is None else each.lr for each in groups]
        schedule = _one_cycle(recipe, total, listed(rates))
    elif recipe.lr_factors and recipe.schedule.arguments.get("end"):
        schedule = _shared(recipe, total) or schedule
    if not warmup or SCHEDULE_ROWS[recipe.schedule.name].follows:
        return schedule
    factor = code(f"1 / {warmup + 1}")
    rising = _scheduler("LinearLR", start_factor=factor, total_iters=warmup)
    after = schedule or _scheduler("ConstantLR", factor=1.0)
    return _scheduler("SequentialLR", listed([rising, after]), milestones=code(f"[{warmup}]"))


def _scheduler(name: str, *arguments: Any, **named: Any) -> Code:
    return call(f"torch.optim.lr_scheduler.{name}", "optimizer", *arguments, **named)


def _linear(recipe: Recipe, total: str) -> Code:
    start, end = (recipe.schedule.arguments[name] for name in ("start", "end"))
    first, slope = (1.0, (end - start) / start) if start else (0.0, end)
    return _scheduler("LambdaLR", code(f"lambda n: {first} + {slope!r} * n / max({total} - 1, 1)"))


def _one_cycle(recipe: Recipe, total: str, rates: Code) -> Code:
    return _scheduler(
        "OneCycleLR",
        rates,
        keyword("total_steps", code(total)),
        option("pct_start", recipe.schedule.arguments["rise"], 0.3),
        option("div_factor", recipe.schedule.arguments["below"], 25.0),
        option("final_div_factor", recipe.schedule.arguments["fall"], 1e4),
        keyword("cycle_momentum", False),
    )


def _shared(recipe: Recipe, total: str) -> Code | None:
    """A cosine that ends at a share of each group's own rate."""
    if recipe.schedule.name != "cosine":
        return None
    share = recipe.schedule.arguments["end"] / recipe.optimizer.arguments["lr"]
    falling = f"{share!r} + {(1 - share) / 2!r} * (1 + math.cos(math.pi * n / ({total})))"
    return _scheduler("LambdaLR", code(f"lambda n: {falling}"))


def _polynomial(recipe: Recipe, total: str) -> Code:
    power, end = (recipe.schedule.arguments[name] for name in ("power", "end"))
    if not end:
        return _scheduler("PolynomialLR", code(total), option("power", power, 1.0))
    share = end / recipe.optimizer.arguments["lr"]
    falling = f"{share!r} + {1 - share!r} * (1 - n / ({total})) ** {power!r}"
    return _scheduler("LambdaLR", code(f"lambda n: {falling}"))


SCHEDULES: Mapping[str, Callable[[Recipe, str], Code | None]] = {
    "constant": lambda recipe, total: None,
    "step": lambda recipe, total: _scheduler(
        "StepLR",
        recipe.schedule.arguments["every"],
        option("gamma", recipe.schedule.arguments["factor"], 0.1),
    ),
    "inverse": lambda recipe, total: _scheduler(
        "LambdaLR", code(f"lambda n: 1 / (n + {recipe.schedule.arguments['k']})")
    ),
    "exponential": lambda recipe, total: _scheduler(
        "ExponentialLR", keyword("gamma", exp(-recipe.schedule.arguments["k"]))
    ),
    "cosine": lambda recipe, total: _scheduler(
        "CosineAnnealingLR",
        code(total),
        option("eta_min", recipe.schedule.arguments["end"], 0.0),
    ),
    "plateau": lambda recipe, total: _scheduler(
        "ReduceLROnPlateau",
        option("factor", recipe.schedule.arguments["factor"], 0.1),
        option("patience", recipe.schedule.arguments["patience"], 10),
        option("threshold", recipe.schedule.arguments["threshold"], 1e-4),
        option("cooldown", recipe.schedule.arguments["cooldown"], 0),
        option("min_lr", recipe.schedule.arguments["end"], 0.0),
    ),
    "linear": _linear,
    "polynomial": _polynomial,
    "multistep": lambda recipe, total: _scheduler(
        "MultiStepLR",
        listed([int(n) for n in recipe.schedule.arguments["at"]]),
        option("gamma", recipe.schedule.arguments["factor"], 0.1),
    ),
    "restarts": lambda recipe, total: _scheduler(
        "CosineAnnealingWarmRestarts",
        recipe.schedule.arguments["every"],
        option("T_mult", recipe.schedule.arguments["factor"], 1),
        option("eta_min", recipe.schedule.arguments["end"], 0.0),
    ),
    "one_cycle": lambda recipe, total: _one_cycle(
        recipe, total, code(recipe.optimizer.arguments["lr"])
    ),
}


def _penalized(graph: Graph, recipe: Recipe) -> list[str]:
    """The weights that penalties are about."""
    lines: list[str] = []
    for term in recipe.regularize:
        name = _weights_name(term)
        chosen = set(regularized(graph, biases=term.arguments["biases"]))
        line = f"    {name} = {_expression(graph, chosen)}"
        if line not in lines:
            lines.append(line)
    return lines


def _weights_name(term: Term) -> str:
    return "parameters" if term.arguments["biases"] else "weights"


def _expression(graph: Graph, chosen: set[str]) -> str:
    """Parameters as an expression: all, those with several axes, or by name."""
    learned = {
        name: value.type.rank
        for name, value in graph.parameters.items()
        if graph.producer(value).attributes["trainable"]
    }
    if chosen == set(learned):
        return "list(model.parameters())"
    if chosen == {name for name, rank in learned.items() if rank > 1}:
        return "[w for w in model.parameters() if w.dim() > 1]"
    if chosen == {name for name, rank in learned.items() if rank <= 1}:
        return "[w for w in model.parameters() if w.dim() <= 1]"
    for starts in (True, False):
        scope = _scope(chosen if starts else set(learned) - chosen)
        if scope and chosen == {n for n in learned if n.startswith(scope) is starts}:
            test = f'n.startswith("{scope}")' if starts else f'not n.startswith("{scope}")'
            return f"[w for n, w in model.named_parameters() if {test}]"
    left = sorted(set(learned) - chosen)
    suffixes = sorted({name.rpartition(".")[2] for name in left})
    if not any(name.rpartition(".")[2] in suffixes for name in chosen):
        names = ", ".join(f'"{suffix}"' for suffix in suffixes)
        return f"[w for n, w in model.named_parameters() if not n.endswith(({names},))]"
    return f"[model.get_parameter(n) for n in {sorted(chosen)!r}]".replace("'", '"')


def _scope(names: Collection[str]) -> str:
    """What names begin with, up to a dot; nothing where they have none in common."""
    parts = [name.split(".")[:-1] for name in names]
    shared = takewhile(lambda level: len(set(level)) == 1, zip(*parts, strict=False))
    return "".join(f"{level[0]}." for level in shared)


def _penalty(term: Term) -> Code:
    """A penalty on the weights."""
    strength, weights = term.arguments["strength"], _weights_name(term)
    if term.name == "l1":
        return Code((f"{strength!r} * sum(w.abs().sum() for w in {weights})",), PRODUCT)
    return Code((f"{strength / 2!r} * sum(w.square().sum() for w in {weights})",), PRODUCT)
