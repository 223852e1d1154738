"""Operators whose derivative is several operators -> how lectures write them, in one box each.

In the formulas x is the first argument, y the result, and g the gradient that arrives.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from ..ir.graph import CONSTANT, Graph, Node, Value
from ..ops.opdef import OPS
from ..passes.gradient import Step


@dataclass(frozen=True, slots=True)
class Rule:
    """An operator as lectures write it.

    Attributes:
        value: The operator.
        gradients: Its derivative by each argument; None where the operators are shown themselves.
    """

    value: str
    gradients: tuple[str | None, ...]


Writer = Callable[[Graph, Node], Rule]


@dataclass(frozen=True, slots=True)
class RuleBox:
    """A derivative that is drawn as one box.

    Attributes:
        text: How lectures write it.
        members: The nodes that the box stands for.
        reads: What these take from elsewhere.
    """

    text: str
    members: frozenset[int]
    reads: tuple[Value, ...]


def rule_of(graph: Graph, node: Node) -> Rule | None:
    """How lectures write an operator; None where its own sign says it."""
    found = RULES.get(node.op_type)
    return None if found is None else found(graph, node)


def rule_boxes(
    graph: Graph, steps: Iterable[Step], left_out: AbstractSet[str]
) -> dict[int, RuleBox]:
    """The boxes on the way back, each by the node that yields its gradient.

    Args:
        graph: The forward and the backward graph.
        steps: What the rule of each node appended.
        left_out: Scopes that are drawn otherwise.
    """
    boxes: dict[int, RuleBox] = {}
    for step in steps:
        node = graph[step.node]
        rule = None if node.scope in left_out else rule_of(graph, node)
        for part, text in zip(step.parts, rule.gradients if rule else (), strict=False):
            if part is not None and text is not None and part.node in step.appended:
                boxes[part.node] = _box(graph, part, step.appended, text)
    return boxes


def _box(graph: Graph, part: Value, appended: range, text: str) -> RuleBox:
    """The box of all that one of a rule's gradients is computed by."""
    members: dict[int, None] = {}
    reads: dict[Value, None] = {}
    pending: list[Value | None] = [part]
    while pending:
        value = pending.pop()
        if value is None or value.node in members:
            continue
        if value.node in appended:
            members[value.node] = None
            pending.extend(graph[value.node].inputs)
        elif graph[value.node].op_type != CONSTANT:
            reads[value] = None
    return RuleBox(text, frozenset(members), tuple(reads))


def _number(graph: Graph, node: Node, position: int) -> float | None:
    """A constant argument that is a single number; None where it is none, or absent."""
    value = node.inputs[position] if position < len(node.inputs) else None
    if value is None or graph.producer(value).op_type != CONSTANT:
        return None
    held: Any = graph.producer(value).attributes["value"]
    while isinstance(held, Sequence) and len(held) == 1:
        held = held[0]
    return None if isinstance(held, Sequence) else float(held)


def is_filled(graph: Graph, value: Value | None) -> bool:
    """Whether a value is a constant, or one number repeated, such as a scale that is always 1."""
    if value is None:
        return False
    node = graph.producer(value)
    return node.op_type == CONSTANT or (
        node.op_type == "Expand" and is_filled(graph, node.inputs[0])
    )


def _attribute(node: Node, name: str) -> Any:
    return {**OPS[node.op_type].attributes, **node.attributes}[name]


def _spelled(number: float) -> str:
    return f"{number:.3g}"


def _times(number: float, rest: str) -> str:
    """A factor before a difference in brackets; both are left out where it is 1."""
    return rest if number == 1 else f"{_spelled(number)} ({rest})"


def _leaky(graph: Graph, node: Node) -> Rule:
    alpha = _attribute(node, "alpha")
    slope = _spelled(alpha)
    return Rule(f"x if x > 0, else {slope} x", (f"g if x > 0, else {slope} g",))


def _elu(graph: Graph, node: Node) -> Rule:
    alpha = _attribute(node, "alpha")
    low = _times(alpha, "exp x - 1")
    return Rule(f"x if x > 0, else {low}", (f"g if x > 0, else (y + {_spelled(alpha)}) g",))


def _selu(graph: Graph, node: Node) -> Rule:
    alpha, gamma = _attribute(node, "alpha"), _attribute(node, "gamma")
    scale, low = _spelled(gamma), _spelled(gamma * alpha)
    return Rule(
        f"{scale} x if x > 0, else {low} (exp x - 1)",
        (f"{scale} g if x > 0, else (y + {low}) g",),
    )


def _celu(graph: Graph, node: Node) -> Rule:
    alpha = _attribute(node, "alpha")
    over = "" if alpha == 1 else f" / {_spelled(alpha)}"
    inner = f"exp(x{over})" if over else "exp x"
    return Rule(
        f"x if x > 0, else {_times(alpha, f'{inner} - 1')}",
        (f"g if x > 0, else (y{over} + 1) g",),
    )


def _gelu(graph: Graph, node: Node) -> Rule:
    approximate = _attribute(node, "approximate")
    if approximate == "tanh":
        return Rule(
            "x/2 (1 + tanh u), u = √(2/π) (x + 0.0447 x³)",
            ("g (1 + t + x (1 - t²) du/dx) / 2, t = tanh u",),
        )
    return Rule("x Φ(x)", ("g (Φ(x) + x φ(x))",))


def _hard_sigmoid(graph: Graph, node: Node) -> Rule:
    alpha, beta = _attribute(node, "alpha"), _attribute(node, "beta")
    slope = _spelled(alpha)
    line = f"{slope} x + {_spelled(beta)}"
    return Rule(f"clip({line}, 0 to 1)", (f"{slope} g if 0 < y < 1, else 0",))


def _clip(graph: Graph, node: Node) -> Rule:
    low, high = _number(graph, node, 1), _number(graph, node, 2)
    if low is None and high is None:
        return Rule("clip", (None,))
    bounds = [f"{_spelled(low)} ≤ " if low is not None else "", "x"]
    bounds += [f" ≤ {_spelled(high)}" if high is not None else ""]
    value = "x" if high is None else f"min({_spelled(high)}, x)"
    value = value if low is None else f"max({_spelled(low)}, {value})"
    return Rule(value, (f"g if {''.join(bounds)}, else 0",))


def _fixed(value: str, *gradients: str | None) -> Writer:
    """An operator whose formula depends on no argument."""
    return lambda _graph, _node: Rule(value, gradients)


def _conv(graph: Graph, node: Node) -> Rule:
    """Both gradients are convolutions again, that by x a transposed one."""
    return Rule(f"w * x{_shift(node)}", ("w * g, transposed", "x * g", "∑ g"))


def _transposed_conv(graph: Graph, node: Node) -> Rule:
    return Rule(f"w * x, transposed{_shift(node)}", ("w * g", "g * x", "∑ g"))


def _shift(node: Node) -> str:
    return " + b" if len(node.inputs) > 2 and node.inputs[2] is not None else ""


def _lp_pool(graph: Graph, node: Node) -> Rule:
    p = _attribute(node, "p")
    slope = "g x / y" if p == 2 else f"g sign x (|x| / y)^{p - 1}"
    return Rule(f"{p}-norm in each window", (slope,))


def _of_several(value: str, gradient: str) -> Writer:
    """An operator on any number of arguments that are treated alike."""
    return lambda _graph, node: Rule(value, (gradient,) * len(node.inputs))


def _normalization(graph: Graph, node: Node) -> Rule:
    """By statistics of the input itself, which the gradient goes through; w and b may be fixed."""
    z = "z = (x - mean) / std"
    if is_filled(graph, node.inputs[1]):
        return Rule("(x - mean) / std", (f"(g - mean g - z mean g z) / std, {z}",))
    return Rule(f"w z + b, {z}", ("(h - mean h - z mean h z) / std, h = w g", "∑ g z", "∑ g"))


def _batch_normalization(graph: Graph, node: Node) -> Rule:
    """By given statistics, as in inference."""
    if is_filled(graph, node.inputs[1]):
        return Rule("(x - mean) / std", ("g / std",))
    return Rule("w z + b, z = (x - mean) / std", ("w g / std", "∑ g z", "∑ g"))


AT_MAXIMUM = "g at the maximum"

RULES: Mapping[str, Writer] = {
    "Abs": _fixed("|x|", "g sign x"),
    "AveragePool": _fixed("mean in each window", "g / n in each window"),
    "BatchNormalization": _batch_normalization,
    "Celu": _celu,
    "Clip": _clip,
    "Conv": _conv,
    "ConvTranspose": _transposed_conv,
    "Elu": _elu,
    "Gather": _fixed("x[i]", "∑ g at each i"),
    "Gelu": _gelu,
    "GlobalAveragePool": _fixed("mean", "g / n"),
    "GlobalMaxPool": _fixed("max", AT_MAXIMUM),
    "GroupNormalization": _normalization,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _fixed(
        "x clip(x/6 + 1/2, 0 to 1)", "(x/3 + 1/2) g if |x| < 3, else g if x > 0, else 0"
    ),
    "InstanceNormalization": _normalization,
    "LayerNormalization": _normalization,
    "LeakyRelu": _leaky,
    "LpPool": _lp_pool,
    "Max": _of_several("max", "g where it is the largest"),
    "MaxPool": _fixed("max in each window", "g at each maximum"),
    "Mean": _of_several("mean", "g / n"),
    "Min": _of_several("min", "g where it is the smallest"),
    "Mish": _fixed("x t, t = tanh log(1 + exp x)", "(t + x (1 - t²) sigmoid x) g"),
    "PRelu": _fixed("x if x > 0, else a x", "g if x > 0, else a g", "∑ g min(0, x)"),
    "ReduceMax": _fixed("max", AT_MAXIMUM),
    "ReduceMean": _fixed("mean", "g / n"),
    "ReduceMin": _fixed("min", "g at the minimum"),
    "ReduceProd": _fixed("product", "g y / x"),
    "ReduceSum": _fixed("∑", "g for each x"),
    "Relu": _fixed("max(0, x)", "g if x > 0, else 0"),
    "Selu": _selu,
    "Softplus": _fixed("log(1 + exp x)", "g sigmoid x"),
    "Softsign": _fixed("x / (1 + |x|)", "g / (1 + |x|)²"),
}
