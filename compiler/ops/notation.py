"""How lectures write operators, and their derivatives where these are several operators.

In the formulas x is the first argument, y the result, and g the gradient that arrives.
"""

from ..ir.graph import CONSTANT, Graph, Node, Value
from .opdef import Notation, NotationRule


def single_number(graph: Graph, node: Node, position: int) -> float | None:
    """A constant argument that is a single number; None where there is none."""
    value = node.inputs[position] if position < len(node.inputs) else None
    if value is None or graph.producer(value).op_type != CONSTANT:
        return None
    number = graph.producer(value).attributes["value"].number()
    return None if number is None else float(number)


def is_filled(graph: Graph, value: Value | None) -> bool:
    """Whether a value is a constant, or one number repeated, such as a scale that is always 1."""
    if value is None:
        return False
    node = graph.producer(value)
    return node.op_type == CONSTANT or (
        node.op_type == "Expand" and is_filled(graph, node.inputs[0])
    )


def _spelled(number: float) -> str:
    return f"{number:.3g}"


def _times(number: float, rest: str) -> str:
    """A factor before a difference in brackets; both are left out where it is 1."""
    return rest if number == 1 else f"{_spelled(number)} ({rest})"


def leaky_relu(graph: Graph, node: Node) -> Notation:
    """LeakyRelu, by its slope."""
    alpha = node.attributes["alpha"]
    slope = _spelled(alpha)
    return Notation(f"x if x > 0, else {slope} x", (f"g if x > 0, else {slope} g",))


def elu(graph: Graph, node: Node) -> Notation:
    """Elu, by alpha."""
    alpha = node.attributes["alpha"]
    low = _times(alpha, "exp x - 1")
    return Notation(f"x if x > 0, else {low}", (f"g if x > 0, else (y + {_spelled(alpha)}) g",))


def selu(graph: Graph, node: Node) -> Notation:
    """Selu, with its two constants."""
    alpha, gamma = node.attributes["alpha"], node.attributes["gamma"]
    scale, low = _spelled(gamma), _spelled(gamma * alpha)
    return Notation(
        f"{scale} x if x > 0, else {low} (exp x - 1)",
        (f"{scale} g if x > 0, else (y + {low}) g",),
    )


def celu(graph: Graph, node: Node) -> Notation:
    """Celu, by alpha."""
    alpha = node.attributes["alpha"]
    over = "" if alpha == 1 else f" / {_spelled(alpha)}"
    inner = f"exp(x{over})" if over else "exp x"
    return Notation(
        f"x if x > 0, else {_times(alpha, f'{inner} - 1')}",
        (f"g if x > 0, else (y{over} + 1) g",),
    )


def gelu(graph: Graph, node: Node) -> Notation:
    """Gelu: exact, or by tanh."""
    approximate = node.attributes["approximate"]
    if approximate == "tanh":
        return Notation(
            "x/2 (1 + tanh u), u = √(2/π) (x + 0.0447 x³)",
            ("g (1 + t + x (1 - t²) du/dx) / 2, t = tanh u",),
        )
    return Notation("x Φ(x)", ("g (Φ(x) + x φ(x))",))


def hard_sigmoid(graph: Graph, node: Node) -> Notation:
    """HardSigmoid, by its slope and its value at 0."""
    alpha, beta = node.attributes["alpha"], node.attributes["beta"]
    slope = _spelled(alpha)
    line = f"{slope} x + {_spelled(beta)}"
    return Notation(f"clip({line}, 0 to 1)", (f"{slope} g if 0 < y < 1, else 0",))


def clip(graph: Graph, node: Node) -> Notation:
    """Clip, by the bounds that it has."""
    low, high = single_number(graph, node, 1), single_number(graph, node, 2)
    if low is None and high is None:
        return Notation("clip", (None,))
    bounds = [f"{_spelled(low)} ≤ " if low is not None else "", "x"]
    bounds += [f" ≤ {_spelled(high)}" if high is not None else ""]
    value = "x" if high is None else f"min({_spelled(high)}, x)"
    value = value if low is None else f"max({_spelled(low)}, {value})"
    return Notation(value, (f"g if {''.join(bounds)}, else 0",))


def fixed(value: str, *gradients: str | None) -> NotationRule:
    """An operator whose formula depends on no argument."""
    return lambda _graph, _node: Notation(value, gradients)


def conv(graph: Graph, node: Node) -> Notation:
    """Both gradients are convolutions again, that by x a transposed one."""
    return Notation(f"w * x{_shift(node)}", ("w * g, transposed", "x * g", "∑ g"))


def transposed_conv(graph: Graph, node: Node) -> Notation:
    """Both gradients are convolutions."""
    return Notation(f"w * x, transposed{_shift(node)}", ("w * g", "g * x", "∑ g"))


def _shift(node: Node) -> str:
    return " + b" if node.optional(2) is not None else ""


def lp_pool(graph: Graph, node: Node) -> Notation:
    """LpPool, by p."""
    p = node.attributes["p"]
    slope = "g x / y" if p == 2 else f"g sign x (|x| / y)^{p - 1}"
    return Notation(f"{p}-norm in each window", (slope,))


def of_several(value: str, gradient: str) -> NotationRule:
    """An operator on any number of arguments that are treated alike."""
    return lambda _graph, node: Notation(value, (gradient,) * len(node.inputs))


def normalization(graph: Graph, node: Node) -> Notation:
    """By statistics of the input itself, which the gradient goes through; w and b may be fixed."""
    z = "z = (x - mean) / std"
    if is_filled(graph, node.inputs[1]):
        return Notation("(x - mean) / std", (f"(g - mean g - z mean g z) / std, {z}",))
    return Notation(f"w z + b, {z}", ("(h - mean h - z mean h z) / std, h = w g", "∑ g z", "∑ g"))


def batch_normalization(graph: Graph, node: Node) -> Notation:
    """By given statistics, as in inference."""
    if is_filled(graph, node.inputs[1]):
        return Notation("(x - mean) / std", ("g / std",))
    return Notation("w z + b, z = (x - mean) / std", ("w g / std", "∑ g z", "∑ g"))


AT_MAXIMUM = "g at the maximum"
