"""Layers of PyTorch, Keras, Flax and others, applied to tensors -> the steps that they are here."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from .call_text import ForeignArgument, by_kind
from .calls import translated
from .extents import fit_input
from .flow import Flow
from .recipes import missing, own_name, remarks, stand_in
from .words import MERGES

# Arguments that say nothing about a network.
_IGNORED = frozenset("training train deterministic use_running_average rng key mask name".split())
_INPUTS = {
    0: "INPUT({})",
    1: "INPUT(128x{}, sequence)",
    2: "INPUT(32x32x{})",
    3: "INPUT(16x32x32x{})",
}


_MOST_LAYERS = 1000
_GLOBAL = {"MAXPOOL": "GMP", "AVGPOOL": "GAP"}
_WEIGHTED = frozenset("CONV UPCONV DWCONV FC LINEAR EMBED BN LN GN PRELU ATTENTION".split())
# Layers that keep the channels of their input.
_KEEPING = re.compile(r"(?:GAP|GMP|BN|LN|GN|RELU|MAXPOOL|AVGPOOL|POOL|DROPOUT|ADAPTIVEPOOL)\b")


class NotUnderstoodError(Exception):
    """A part of a program says more than this reader knows."""


class LackingError(Exception):
    """A program has a layer that netc has not, and for which nothing stands."""


@dataclass(frozen=True, slots=True)
class ForeignLayer:
    """A layer that is not applied yet: what it is called, with its module, and its arguments."""

    name: str
    arguments: tuple[ForeignArgument, ...] = ()


@dataclass(frozen=True, slots=True)
class ForeignTensor:
    """A tensor as a program sees it.

    Attributes:
        flow: Where it comes from.
        axes: How many axes it has beside the batch and the channels, where that is known.
        is_flat: Whether it was flattened by what needs no step before a dense layer.
    """

    flow: Flow
    axes: int | None = None
    is_flat: bool = False

    def behind(self, steps: str, axes: int | None) -> "ForeignTensor":
        """The tensor behind further steps."""
        if self.is_flat and self.axes != 0 and not steps.startswith(("FC(", "RESHAPE(", "DROPOUT")):
            steps = f"FLATTEN -> {steps}"
        return ForeignTensor(
            Flow(steps, (self.flow,)), axes, self.is_flat and steps.startswith("DROPOUT")
        )


@dataclass
class Layers:
    """Applies layers, and keeps what is to be said of the translation."""

    remarks: list[str] = field(default_factory=list)
    applied: dict[int, tuple[ForeignLayer, Flow]] = field(default_factory=dict)
    count: int = 0
    is_fitted: bool = False

    def knows(self, name: str) -> bool:
        """Whether a function of a tensor has a meaning of its own here."""
        return name.lower() in _SPECIAL or stand_in(name, ()) is not None

    def apply(self, step: ForeignLayer, x: ForeignTensor, *others: ForeignTensor) -> ForeignTensor:
        """A layer applied to a tensor, and to others where it takes several.

        Raises:
            LackingError: netc has no such layer.
            NotUnderstoodError: Its arguments are not understood.
        """
        self._check_count()
        arguments = [a for a in step.arguments if a.name not in _IGNORED]
        name = step.name.rpartition(".")[2]
        special = _SPECIAL.get(name) or _SPECIAL.get(name.lower())
        if special is not None:
            return special(x, arguments)
        row = own_name(name)
        if row is not None and row.name in MERGES:
            return self.merge(name, (x, *others))
        instead = stand_in(name, arguments)
        if row is None and instead is None:
            raise LackingError(missing(name, arguments) or f"`{name}` has no counterpart")
        layer = row.name if row else ""
        x = _with_input(x, step, layer if instead is None else "ATTENTION")
        if instead is not None:
            self._say(instead.remark)
            return x.behind(instead.steps, instead.axes)
        if layer == "FC" and not self.is_fitted and (width := _width(step)):
            self.is_fitted = True  # by the first dense layer
            fit_input(x.flow, width)
        is_dense = layer == "FC" and not x.is_flat and x.axes == 1  # at every position
        pad = "" if _pads_by_itself(step) else "valid"
        called = "LINEAR" if is_dense else name
        steps = translated(called, arguments, rank=x.axes or 2, pad=pad)
        if steps is None:
            raise NotUnderstoodError(name)
        if layer in _GLOBAL and arguments and arguments[0].text == "None":  # `i.size(2)`
            return x.behind(_GLOBAL[layer], 0)
        for remark in remarks(name, arguments).split("; ")[1:]:
            self._say(remark)
        axes = x.axes if is_dense else _axes_behind(x, layer, name)
        queries = (x, *others)
        if layer == "ATTENTION" and len({id(q.flow) for q in queries}) > 1:
            values = [*queries, queries[-1]][:3]
            return ForeignTensor(Flow(steps, tuple(q.flow for q in values)), axes)
        found = x.behind(steps, axes)
        if layer in _WEIGHTED:
            self._share(step, found.flow)
        return found

    def _share(self, step: ForeignLayer, flow: Flow) -> None:
        """A layer that is applied again keeps its weights."""
        _, first = self.applied.setdefault(id(step), (step, flow))
        call = re.match(r"(?:FLATTEN -> )?[A-Z]+(?:\(([^()]|\([^()]*\))*\))?", flow.step)
        if first is flow or call is None:
            return
        if " as " not in first.step:
            label = f"shared{sum(' as ' in flow.step for _, flow in self.applied.values()) + 1}"
            first.step = f"{call[0]} as {label}{first.step[call.end() :]}"
        label = first.step.partition(" as ")[2].split()[0]
        inner = f"{call[0][:-1]}, " if call[0].endswith(")") else f"{call[0]}("
        flow.step = f"{inner}share={label}){flow.step[call.end() :]}"

    def adjusted(self, x: ForeignTensor, sign: str, other: Any) -> ForeignTensor:
        """A tensor by a number, or with learned positions added."""
        known = isinstance(other, int | float) and sign in _SCALED
        scaled = _SCALED[sign](float(other)) if known and 1e-30 < abs(other) < 1e30 else None
        if scaled and scaled[1] > 0:
            turned = "NEG -> " if sign == "From" else ""
            steps = f"{turned}NORMALIZE(mean={scaled[0]:.6g}, std={scaled[1]:.6g})"
            return x.behind(steps, x.axes)
        if sign == "Add" and x.axes == 1:
            return x.behind("POSEMBED", 1)
        raise NotUnderstoodError("arithmetic of a tensor")

    def last(self, x: ForeignTensor) -> ForeignTensor:
        """The last state of a recurrent layer, of which `x` holds all."""
        return x.behind("SLICE(-1, axis=length)", 0) if x.axes == 1 else x

    def part(self, x: ForeignTensor, index: object) -> ForeignTensor:
        """`x[:, -1]`, a position of a sequence; `h[-1]` of a vector is the last layer's."""
        if isinstance(index, int):
            return self.last(x) if index == -1 or x.axes == 0 else _not_understood(x, ())
        places = index if isinstance(index, tuple) and x.axes == 1 else ()
        is_whole = all(place == slice(None) for place in (*places[:1], *places[2:]))
        if is_whole and len(places) > 1 and isinstance(places[1], int):
            return x.behind(f"SLICE({places[1]}, axis=length)", 0)
        raise NotUnderstoodError("an index")

    def merge(self, name: str, tensors: Sequence[ForeignTensor]) -> ForeignTensor:
        """Tensors that a layer merges."""
        row = own_name(name)
        if row is None or row.name not in MERGES or not tensors:
            raise NotUnderstoodError(name)
        self._check_count()
        if len(tensors) == 1:
            return tensors[0]
        axes = next((tensor.axes for tensor in tensors if tensor.axes is not None), None)
        return ForeignTensor(Flow(row.name, tuple(tensor.flow for tensor in tensors)), axes)

    def _check_count(self) -> None:
        self.count += 1
        if self.count > _MOST_LAYERS:
            raise NotUnderstoodError("too many layers")

    def _say(self, remark: str) -> None:
        if remark and remark not in self.remarks:
            self.remarks.append(remark)


def _pads_by_itself(step: ForeignLayer) -> bool:
    """Whether convolutions pad by default: Flax' and Haiku's do."""
    is_haiku = step.name.split(".")[0] in ("hk", "haiku")
    return is_haiku or any(argument.name == "features" for argument in step.arguments)


def _width(step: ForeignLayer) -> int | None:
    """How many features `nn.Linear(784, 10)` expects."""
    bare, given = by_kind(step.arguments)
    is_torch = step.name.endswith("Linear") and len(bare) > 1
    text = given.get("in_features") or (bare[0] if is_torch else "")
    return int(text) if text.isdigit() else None


def _axes_in(name: str) -> int | None:
    number = re.search(r"(?<=[a-z])([123])[dD]", name)
    return int(number[1]) if number else None


def _axes_behind(x: ForeignTensor, layer: str, name: str) -> int | None:
    """How many axes beside the channels are left behind a layer."""
    if layer in ("GAP", "GMP", "FC", "FLATTEN"):
        return 0
    if layer in ("EMBED", "ATTENTION"):
        return 1
    if layer in ("CONV", "UPCONV", "DWCONV", "MAXPOOL", "AVGPOOL", "POOL"):
        return _axes_in(name) or x.axes or 2
    return x.axes


def _with_input(x: ForeignTensor, step: ForeignLayer, layer: str) -> ForeignTensor:
    """The tensor; an input that is not settled yet is what its first layer expects."""
    if x.flow.inputs:
        _settle(x.flow, step, layer)
        return x
    plain = re.fullmatch(r"INPUT(?:\((?:(\d+)(?:x(\d+))?)?(?:,? ?dtype=\w+)?\))?", x.flow.step)
    axes = _axes_in(step.name) or {"CONV": 2, "FC": 0, "ATTENTION": 1, "LN": 1}.get(layer)
    if layer == "EMBED" and (plain or not x.flow.step):
        length = plain[1] if plain and plain[1] else "128"
        x.flow.step = f"INPUT({length}, dtype=int64)"
        return replace(x, axes=0)
    if plain and plain[2] and axes == 1:
        x.flow.step = f"INPUT({plain[1]}x{plain[2]}, sequence)"
        return replace(x, axes=1)
    if x.flow.step:
        return x
    guessed = _guessed(x, step, axes, layer)
    return _with_input(guessed, step, layer) if guessed.flow.step else guessed


def _settle(flow: Flow, step: ForeignLayer, layer: str) -> None:
    """Give an input of unknown size the channels that a later layer expects of it."""
    while len(flow.inputs) == 1 and _KEEPING.match(flow.step):
        (flow,) = flow.inputs
    if flow.step == "INPUT" and layer in ("FC", "CONV"):
        asked = _guessed(ForeignTensor(Flow("")), step, 2, layer).flow.step
        flow.step = asked if not flow.inputs else flow.step


def _guessed(x: ForeignTensor, step: ForeignLayer, axes: int | None, layer: str) -> ForeignTensor:
    """An input by the sizes that the first layer says."""
    bare, given = by_kind(step.arguments)
    sizes = ("input_shape", "batch_input_shape", "input_dim")
    shape = next((given[name] for name in sizes if name in given), None)
    counts = ("in_channels", "in_features", "num_features", "embed_dim", "input_size", "d_model")
    width = next((given[name] for name in counts if name in given), (bare or [""])[0])
    last = step.name.rpartition(".")[2]
    torch = re.fullmatch(r"[A-Z].*[123]d|Linear|MultiheadAttention|LayerNorm|LSTM|GRU|RNN", last)
    is_torch = (torch and len(bare) > 1) or any(name in given for name in counts)
    if shape is not None:
        stated = ForeignLayer("Input", (ForeignArgument(None, shape),))
        return replace(input_of(stated, x.flow), is_flat=x.is_flat)
    if is_torch and width.isdigit() and axes is not None:
        form = "INPUT(1x1x{})" if layer == "UPCONV" and axes == 2 else _INPUTS[axes]
        x.flow.step = form.format(width)
        return replace(x, axes=axes)
    x.flow.step = {1: "INPUT(128x64, sequence)", 3: "INPUT(16x32x32x1)"}.get(axes or 0, "INPUT")
    return replace(x, axes=axes if axes in (1, 3) else None)


def input_of(step: ForeignLayer, flow: Flow | None = None) -> ForeignTensor:
    """The tensor of `Input(shape=(28, 28, 1))`."""
    flow = flow or Flow("")
    given = [argument for argument in step.arguments if argument.name not in _IGNORED]
    flow.step = translated(step.name.rpartition(".")[2], given) or "INPUT"
    extents = re.findall(r"\d+", flow.step.partition(",")[0])
    return ForeignTensor(flow, len(extents) - 1 if extents else None)


def _numbers(arguments: Sequence[ForeignArgument]) -> list[int]:
    kept = (None, "dim", "axis", "target_shape", "start_dim", "dims", "shape", "newshape")
    text = ",".join(argument.text for argument in arguments if argument.name in kept)
    return [int(number) for number in re.findall(r"-?\d+", text)]


def _unchanged(x: ForeignTensor, arguments: Sequence[ForeignArgument]) -> ForeignTensor:
    return x


def _detached(x: ForeignTensor, arguments: Sequence[ForeignArgument]) -> ForeignTensor:
    return x.behind("DETACH", x.axes)


def _flattened(x: ForeignTensor, arguments: Sequence[ForeignArgument]) -> ForeignTensor:
    return replace(x, is_flat=True)


def _viewed(x: ForeignTensor, arguments: Sequence[ForeignArgument]) -> ForeignTensor:
    """`x.view(-1, 784)` flattens, `x.view(-1, 64, 7, 7)` is a shape, the channels first."""
    sizes = _without_batch(arguments)
    if len(sizes) < 2:
        return _flattened(x, arguments)
    if x.axes == 0 and set(sizes[1:]) == {"1"}:
        return x  # a vector aligns with the channels of an image
    if not all(size.isdigit() for size in sizes):
        raise NotUnderstoodError("a shape")
    return x.behind(f"RESHAPE({'x'.join([*sizes[1:], sizes[0]])})", len(sizes) - 1)


def _transposed(x: ForeignTensor, arguments: Sequence[ForeignArgument]) -> ForeignTensor:
    """Of a sequence, channels to the front or back: its layout says nothing here."""
    is_layout = set(_numbers(arguments)) <= {0, 1, 2, -1} and x.axes == 1
    return x if is_layout else _not_understood(x, arguments)


def _keras_reshaped(x: ForeignTensor, arguments: Sequence[ForeignArgument]) -> ForeignTensor:
    """Keras' `Reshape((7, 7, 64))`, the channels last."""
    sizes = [str(number) for number in _numbers(arguments)]
    if "-1" in sizes:
        return _flattened(x, arguments) if len(sizes) == 1 else _not_understood(x, arguments)
    return x.behind(f"RESHAPE({'x'.join(sizes)})", len(sizes) - 1)


def _unflattened(x: ForeignTensor, arguments: Sequence[ForeignArgument]) -> ForeignTensor:
    """`nn.Unflatten(1, (64, 7, 7))`."""
    return _viewed(x, [ForeignArgument(None, "-1"), *arguments[1:]])


def _without_batch(arguments: Sequence[ForeignArgument]) -> list[str]:
    """The extents of a shape behind the batch."""
    parts = [part for a in arguments for part in a.text.strip("()[] ").split(",") if part.strip()]
    return [part.strip() for part in parts[1:]]


def _averaged(x: ForeignTensor, arguments: Sequence[ForeignArgument]) -> ForeignTensor:
    """`x.mean([2, 3])` and `x.mean(dim=1)` of a sequence."""
    over = {number % ((x.axes or 2) + 2) for number in _numbers(arguments)}
    spatial = set(range(2, 4)) if (x.axes or 2) == 2 else {1}
    if over != spatial and over != {1, 2}:
        raise NotUnderstoodError("mean")
    return x.behind("GAP", 0)


def _not_understood(x: ForeignTensor, arguments: Sequence[ForeignArgument]) -> ForeignTensor:
    raise NotUnderstoodError("a shape")


_SAME = "contiguous squeeze to float cuda cpu clone half type".split()
# What arithmetic with a number is as (x - mean) / std.
_SCALED: Mapping[str, Callable[[float], tuple[float, float]]] = {
    "Add": lambda c: (-c, 1),
    "Sub": lambda c: (c, 1),
    "Mult": lambda c: (0, 1 / c),
    "Div": lambda c: (0, c),
    "From": lambda c: (-c, 1),  # 1 - x, of the negated x
}
_OTHER = "chunk split einsum matmul bmm".split()
_SPECIAL: Mapping[str, Callable[[ForeignTensor, Sequence[ForeignArgument]], ForeignTensor]] = {
    **dict.fromkeys(("flatten", "ravel"), _flattened),
    **dict.fromkeys(("view", "reshape"), _viewed),
    "Reshape": _keras_reshaped,
    "unflatten": _unflattened,
    **dict.fromkeys(("permute", "transpose", "swapaxes"), _transposed),
    **dict.fromkeys(("mean", "reduce_mean"), _averaged),
    **dict.fromkeys(_SAME, _unchanged),
    **dict.fromkeys(("detach", "stop_gradient"), _detached),
    **dict.fromkeys(_OTHER, _not_understood),
}
