"""What a `train` block says -> the function of a file that trains, in PyTorch's own words."""

from collections.abc import Collection, Mapping, Sequence
from itertools import takewhile
from typing import Any, NamedTuple

from ...ir.graph import Graph
from ...model import Model
from ...training.descent import WEIGHT_DECAY
from ...training.lossdef import balances_classes, balances_yes
from ...training.output_fit import fit
from ...training.recipe import Recipe
from ...training.schedules import SCHEDULES
from ...training.terms import Term
from ...training.weights import regularized
from .code import (
    PRODUCT,
    Code,
    Group,
    Spelled,
    call,
    code,
    joined,
    keyword,
    laid_out,
    listed,
    option,
)
from .losses import LOSSES, weights_of_classes
from .names import plain_text, variable
from .schedules import first_rate, schedule_code


def training_text(model: Model) -> str:
    """The function `train`; empty where no program says how to train.

    Raises:
        NetError: E132, an output does not fit its loss.
    """
    recipe = model.recipe
    if recipe is None:
        return ""
    lines = ["def train(model, loader):", *_heading(recipe)]
    groups = _groups(model.graph, recipe)
    if len(groups) > 1:
        lines += laid_out("groups = ", listed([*map(_group, groups)]), indent=4)
    lines += laid_out("optimizer = ", _optimizer(recipe, groups), indent=4)
    rates = [first_rate(recipe) if each.lr is None else each.lr for each in groups]
    schedule = schedule_code(recipe, rates)
    if schedule is not None:
        lines += laid_out("scheduler = ", schedule, indent=4)
    warmup = recipe.schedule.arguments["warmup"]
    if warmup and SCHEDULES[recipe.schedule.name].follows:
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


def _heading(recipe: Recipe) -> list[str]:
    """What the caller's batches have to be."""
    settings = recipe.settings()
    names = ("data", "split", "preprocess", "targets", "augment", "batch", "last")
    plain = {"preprocess": "[]", "augment": "[]", "last": "keep"}
    batches = [f"{n} = {settings[n]}" for n in names if settings.get(n, "[]") != plain.get(n, "[]")]
    head = '    """Trains a network on the batches that `loader` yields."""'
    return [
        head,
        "    # The program asks for batches of:",
        *(f"    #   {plain_text(t)}" for t in batches),
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
        if not (balances_classes(term) or balances_yes(term)):
            continue
        target, value = variables.targets[output], graph.outputs[output]
        batches = f"(batch[{variables.given.index(target)}] for batch in loader)"
        classes = value.shape[fit(graph, value, term, name=output).axis]
        assert isinstance(classes, int)
        if balances_yes(term):
            axis = fit(graph, value, term, name=output).axis
            counted = call("balanced_pos_weight", code(batches), classes, axis)
        else:
            ignored = term.arguments["ignore_index"]
            counted = call("balanced_weights", code(batches), classes, ignored)
        lines += laid_out(f"{weights_of_classes(target)} = ", counted, indent=4)
    return lines


def _steps(graph: Graph, recipe: Recipe, scheduled: bool) -> list[str]:
    """The loop over the batches of an epoch."""
    inputs, given, targets = _variables(graph, recipe)
    outputs = {o: "y" if len(graph.outputs) == 1 else variable(f"y_{o}") for o in graph.outputs}
    follows = SCHEDULES[recipe.schedule.name].follows
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
        name, limit = CLIPPING[recipe.clip.name], recipe.clip.arguments["limit"]
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

# What penalties add up of each weight, and by what their strength is divided.
PENALTIES: Mapping[str, tuple[str, int]] = {
    "l1": ("w.abs().sum()", 1),
    "l2": ("w.square().sum()", 2),
}

# Functions of `torch.nn.utils`.
CLIPPING = {"norm": "clip_grad_norm_", "value": "clip_grad_value_"}


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
    lr = first_rate(recipe)
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


def _optimizer(recipe: Recipe, groups: Sequence[_Weights]) -> Code:
    term = recipe.optimizer
    name, defaults = OPTIMIZERS[term.name]
    arguments = dict(term.arguments)
    if "beta1" in arguments:
        arguments["betas"] = (arguments.pop("beta1"), arguments.pop("beta2"))
    alike = groups[0] if len(groups) == 1 else _Weights("", None, None)
    arguments["lr"] = first_rate(recipe) if alike.lr is None else alike.lr
    if alike.decay is not None:
        arguments[WEIGHT_DECAY] = alike.decay
    options = [option(n, arguments[n], default) for n, default in defaults.items()]
    rate = keyword("lr", arguments["lr"])
    weights = "groups" if len(groups) > 1 else "model.parameters()"
    return call(f"torch.optim.{name}", weights, rate, *options)


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
    summed, share = PENALTIES[term.name]
    strength = term.arguments["strength"] / share
    return Code((f"{strength!r} * sum({summed} for w in {_weights_name(term)})",), PRODUCT)
