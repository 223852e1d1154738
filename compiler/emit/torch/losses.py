"""The losses of a `train` block -> expressions of PyTorch, a row for each."""

from collections.abc import Callable, Mapping
from typing import Any

from ...training.lossdef import CLASS_WEIGHTS, balances_classes, balances_yes
from ...training.output_fit import Fit
from ...training.terms import Term
from .code import PRODUCT, SUM, Code, call, code, joined, keyword, listed, method, option

LossRow = Callable[[Term, Fit, str, str], Code]


def weights_of_classes(target: str) -> str:
    """What the file calls the weights of classes that are counted in a target."""
    return f"weights_of_{target}"


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
    if balances_classes(term):
        return [keyword("weight", method(code(weights_of_classes(target)), "to", code(output)))]
    return _weights("weight", term.arguments[CLASS_WEIGHTS], output)


def _kl_divergence(term: Term, found: Fit, output: str, target: str) -> Code:
    y = code(output)
    y = method(y, "log") if found.fused else method(y, "log_softmax", found.axis)
    return call("F.kl_div", y, target, reduction='"batchmean"')


def _binary_cross_entropy(term: Term, found: Fit, output: str, target: str) -> Code:
    y, name = code(output), "F.binary_cross_entropy"
    if balances_yes(term):
        counted = method(code(weights_of_classes(target)), "to", code(output))
        weights = [keyword("pos_weight", _along_channels(counted, _later(found)))]
    else:
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
    return [keyword(name, _along_channels(weights, axes if several else 0))]


def _along_channels(weights: Code, axes: int) -> Code:
    """Numbers for channels, with a number of axes after them."""
    return method(weights, "reshape", -1, *(1,) * axes) if axes else weights


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
