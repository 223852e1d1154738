"""Calls as other frameworks write them -> the same calls in netc's words, text to text."""

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from .call_text import ForeignArgument, arguments_of, by_kind, is_number, listed, unquoted
from .recipes import has_no_counterpart, own_name, renamed
from .words import (
    ACTIVATION_LAYERS,
    COUNT_KEYWORDS,
    COUNTED,
    DROP,
    INFERRED,
    INTERPOLATIONS,
    LETTERS,
    MERGES,
    OUR_KEYWORDS,
    OUR_LAYERS,
    OUR_VALUES,
    OWN,
    PER_AXIS,
    VALUED,
    WINDOWED,
    OurLayer,
)

_SIZED_NAME = re.compile(r"[A-Za-z_.]+?_?(\d+x\d+)")  # `conv3x3`
FRAMEWORKS = frozenset(
    "nn f k l m tf torch keras layers functional np jax flax optim"
    " gluon mx mxnet slim contrib linen eqx equinox hk haiku snt tfa tfl tflearn chainer links"
    " F L paddle torchvision ops mlx sym lasagne caffe".split()
)
_BATCH = frozenset("None none -1 N B ? batch batch_size bs".split())


def translated(
    name: str,
    arguments: Sequence[ForeignArgument],
    *,
    rank: int = 2,
    pad: str = "",
    starts: bool = False,
    flows: bool = False,
) -> str | None:
    """A call in netc's words, as steps of a chain; None where nothing is known of it.

    Args:
        name: What is called: a foreign layer, or one of netc's own.
        arguments: As the author wrote them.
        rank: How many spatial axes the input has, which says what a kernel of one number is.
        pad: What a convolution without padding has; netc's own default where it is empty.
        starts: Whether nothing meets the call, so that its first argument may be what does.
        flows: Whether a tensor meets the call, beside those that a merge names.
    """
    row = own_name(name)
    if row is None:
        return None
    row = row._replace(name=name) if name == "LINEAR" else row  # at every position, not FC
    if row.name in MERGES:
        return _merged(row.name, arguments, flows=flows)
    kernel = _SIZED_NAME.fullmatch(name)
    if kernel is not None:
        arguments = [*arguments, ForeignArgument("kernel", kernel[1])]
    module, _, last = name.rpartition(".")
    if module and module.split(".")[0].lower() not in FRAMEWORKS and module != "self":
        return f"{module} -> {translated(last, arguments, rank=rank)}"
    valued = [a for a in arguments if a.name in VALUED and _is_value(a.text)]
    if valued:
        rest = [argument for argument in arguments if argument not in valued]
        return f"{valued[0].text} -> {translated(last, rest, rank=rank, pad=pad)}"
    arguments = _in_our_terms(name, row, arguments, rank)
    positional, _ = by_kind(arguments)
    if positional and (starts or _takes_value(name, row)):
        value = positional[0] if _is_value(positional[0]) else _started(positional[0])
        if value is not None:
            rest = [argument for argument in arguments if argument.text is not positional[0]]
            return f"{value} -> {translated(last, rest, rank=rank)}"
    call = _filled(name, row, arguments, rank)
    if pad and row.name == "CONV" and not row.before:
        call.given.setdefault("pad", pad)
    return call.spelled(row)


def _in_our_terms(
    name: str, row: OurLayer, arguments: Sequence[ForeignArgument], rank: int
) -> Sequence[ForeignArgument]:
    """The arguments that say something in netc, each of one thing."""
    arguments = renamed(name, [_unquoted_number(argument) for argument in arguments])
    if {"scale", "center"} <= {a.name for a in arguments if OUR_VALUES.get(a.text) == "no"}:
        arguments = [*arguments, ForeignArgument("affine", "no")]
    said = [a for a in arguments if a.name == "padding_mode" or not has_no_counterpart(row.name, a)]
    return [part for argument in said for part in _parts(argument, row, rank, said)]


def _parts(
    argument: ForeignArgument, row: OurLayer, rank: int, others: Sequence[ForeignArgument]
) -> Sequence[ForeignArgument]:
    """`3x3x32` and `32x3x3` as the kernel and the filters of an image's convolution.

    Beside a number, which is the filters, the third extent is the input's channels.
    """
    size = re.fullmatch(r"(\d+)x(\d+)x(\d+)", argument.text)
    if size is None or rank != 2 or row.name not in ("CONV", "UPCONV", "LOCAL"):
        return (argument,)
    first, middle, last = size.groups()
    is_first = middle == last != first  # PyTorch's order
    kernel, count = (f"{middle}x{last}", first) if is_first else (f"{first}x{middle}", last)
    has_filters = any(
        (other.name is None and other.text.isdigit())
        or _keyword(row.name, other.name or "") == "filters"
        for other in others
    )
    return (
        ForeignArgument(None, kernel),
        *(() if has_filters else (ForeignArgument("filters", count),)),
    )


def _unquoted_number(argument: ForeignArgument) -> ForeignArgument:
    """A number or a size that is written as a string."""
    value = unquoted(argument.text)
    return argument._replace(text=value) if re.fullmatch(r"\d+(?:x\d+)*", value) else argument


def _is_value(text: str) -> bool:
    """Whether an argument names a tensor, and is not a word for a choice."""
    known = (
        text in OUR_VALUES or _activation(text) or text in ("same", "valid", "max", "avg", "None")
    )
    return re.fullmatch(r"[A-Za-z_]\w*", text) is not None and not known


def _started(text: str) -> str | None:
    """The chain of a layer that is called on a layer: `INPUT(4)`, `RELU(INPUT(4))`."""
    call = re.fullmatch(r"([A-Za-z_][\w.]*)\((.*)\)", text, re.DOTALL)
    row = own_name(call[1]) if call else None
    if call is None or row is None:
        return None
    chain = translated(call[1], arguments_of(call[2]), starts=True)
    return chain if chain and chain.startswith("INPUT") else None


def _takes_value(name: str, row: OurLayer) -> bool:
    """`F.relu(x)` and `relu(x)` take a value; netc's layers take none, nor do PyTorch's."""
    module, _, last = name.rpartition(".")
    return bool(row.name) and last.islower() and module not in ("nn", "layers")


def _order(
    name: str, row: OurLayer, positional: Sequence[str], named: Container[str]
) -> Sequence[str]:
    """The keyword of each positional argument, by the habits of those who write the name so."""
    order = row.positional.split()
    words = [text for text in positional if _activation(text) and text not in OUR_VALUES]
    if words and len(positional) > 1:
        kept = iter(_order(name, row, [t for t in positional if t not in words], named))
        return ["activation" if text in words else next(kept, DROP) for text in positional]
    if row.name in ("CONV", "UPCONV", "LOCAL"):
        if "kernel" in named and len(positional) == 2:
            return order
        return _convolution_order(name, order, positional)
    if order == ["kernel", "stride", "pad"]:
        rest = iter(order)
        modes = ("max", "avg", "stochastic", "lp", "MAX", "AVE", "AVG", "average", "mean")
        return ["mode" if unquoted(t) in modes else next(rest, DROP) for t in positional]
    if row.name in ("FC", "LINEAR") and len(positional) == 1 and order[0] == DROP:
        return order[1:]
    if row.name in ("GN", "ATTENTION") and len(positional) == 1:
        return [next(keyword for keyword in order if keyword != DROP)]
    if row.name == "ATTENTION" and "MultiHead" in name:
        return ["heads"]  # Keras'; PyTorch's `MultiheadAttention` has the width in front
    if row.name == "UPSAMPLE":
        is_mode = [unquoted(text) in INTERPOLATIONS for text in positional]
        rest = iter(["factor"] if is_mode.count(False) == 1 else [DROP, "factor"])
        return ["mode" if one else next(rest, DROP) for one in is_mode]
    if row.name == "RELU" and not name.isupper() and positional:
        return ["ceiling"]  # Keras'
    if row.name in ACTIVATION_LAYERS and not name.isupper():
        return [DROP] * len(positional)  # PyTorch's and Keras' axis
    return order


def _convolution_order(name: str, order: Sequence[str], positional: Sequence[str]) -> Sequence[str]:
    """Sizes are kernels; of bare numbers, Keras has filters first, PyTorch the input's channels."""
    sizes = [text for text in positional if len(_extents(text)) > 1]
    if sizes:
        counts = [int(text) for text in positional if text.isdigit()][:2]
        is_in_front = len(counts) == 2 and counts[0] < counts[1]  # the input's channels
        rest = iter((DROP, "filters") if is_in_front else ("filters", "stride", "pad"))
        if name[-1:] == "d" and len(positional) > 2 and positional.index(sizes[0]) == 2:
            return order
        return ["kernel" if text is sizes[0] else next(rest, DROP) for text in positional]
    plain = re.search(r"\d[dD]$", name) is None and all(map(is_number, positional))
    numbers = [float(text) for text in positional] if plain else []
    if len(numbers) == 2:
        return ("kernel", "filters") if numbers[0] <= numbers[1] else ("filters", "kernel")
    if len(numbers) == 3 and numbers[0] == numbers[1] < numbers[2]:
        return ("kernel", DROP, "filters")  # rows, columns, filters
    if name[-1:] != "D" and len(positional) > 2:
        return order
    return OUR_LAYERS["convolution"].positional.split()


def _keyword(layer: str, name: str) -> str:
    if layer in OWN.get(name, ()):
        return name
    if name == COUNT_KEYWORDS.get(layer):
        return name
    if layer in INFERRED.get(name, ()):
        return DROP
    if layer in WINDOWED and name.lower() in LETTERS:
        name = LETTERS[name.lower()]
    found = OUR_KEYWORDS.get(name, name)
    return COUNT_KEYWORDS.get(layer, "size") if found == "count" else found


_NONE: Mapping[str, str] = {"bias": "no", "pad": "valid"}  # what nothing is of an argument


@dataclass
class _Call:
    """A call as it is put together."""

    name: str
    rank: int
    given: dict[str, str] = field(default_factory=dict)
    sizes: list[str] = field(default_factory=list)
    batch_norm: bool = False
    activation: str = ""
    dropout: str = ""
    label: str = ""
    padding_mode: str = ""

    def give(self, keyword: str, text: str) -> None:
        """Take an argument."""
        value = unquoted(text)
        if value in ("None", "none", "null"):
            value = _NONE.get(keyword, value)
        if keyword == DROP or (value in ("None", "none", "null") and keyword != "size"):
            return
        take = getattr(self, f"_take_{keyword}", None)  # it says something else than its value
        if take is not None:
            take(value)
        else:
            self.given[keyword] = self._value(keyword, value)

    def _take_activation(self, value: str) -> None:
        self.activation = _activation(value) or ""

    def _take_dropout(self, value: str) -> None:
        if self.name in OWN["dropout"]:
            self.given["dropout"] = value
        else:
            self.dropout = _rate(value)

    def _take_bn(self, value: str) -> None:
        self.batch_norm = OUR_VALUES.get(value, value) == "yes"

    def _take_name(self, value: str) -> None:
        self.label = value

    def _take_trainable(self, value: str) -> None:
        if OUR_VALUES.get(value, value) == "no":
            self.given["frozen"] = "yes"

    def _take_momentum(self, value: str) -> None:
        kept = is_number(value) and float(value) >= 0.5  # Keras: the part that is kept
        self.given["momentum"] = f"{1 - float(value):.6g}" if kept else value

    def _take_keep(self, value: str) -> None:
        self.given["rate"] = f"{1 - float(value):.6g}" if is_number(value) else value

    def _take_ceiling(self, value: str) -> None:
        self.name = "RELU6" if is_number(value) and float(value) == 6 else self.name

    def _take_normalized(self, value: str) -> None:
        self.given |= {"axes": "all"} if len(_extents(value)) > 1 else {}

    def _take_align(self, value: str) -> None:
        self.given["align"] = OUR_VALUES.get(value, value)
        self.given.setdefault("mode", "linear")

    def _take_size(self, value: str) -> None:
        self.sizes += [value] if self.name in OWN["size"] else []

    def _take_padding_mode(self, value: str) -> None:
        self.padding_mode = {"reflect": "reflect", "replicate": "edge"}.get(value, "")

    def _take_units(self, value: str) -> None:
        if self.name in ACTIVATION_LAYERS:
            value = _whole(value)
        self.given["units"] = self._value("units", value)

    def _value(self, keyword: str, text: str) -> str:
        text = OUR_VALUES.get(text, text)
        if keyword == "kernel":
            return _per_axis(text, self.rank)
        if keyword in PER_AXIS:
            return self._sides(text) or _per_axis(text, 1)
        if keyword in COUNTED:
            return _whole(text)
        return _rate(text) if keyword == "rate" else text

    def _sides(self, text: str) -> str | None:
        """Different amounts on the sides of each axis, (before, after) of an axis as a pair.

        Keras gives a pair for each axis, PyTorch the pairs of all axes in a row, the last first;
        netc has the sides before all axes, and those after.
        """
        sides = _extents(text)
        if self.name not in ("PAD", "CROP"):
            return None
        if self.rank == 1 and len(sides) == 2 and self.name == "PAD":
            return f"({', '.join(sides)}), axis=length"
        pairs = [_extents(side) for side in sides]
        if len(sides) in (4, 6):
            pairs = [sides[place : place + 2] for place in range(len(sides) - 2, -1, -2)]
        if any(len(pair) != 2 for pair in pairs) or len(pairs) < 2:
            return None
        before, after = (", ".join(pair[i] for pair in pairs) for i in (0, 1))
        return f"(({before}), ({after}))"

    def spelled(self, row: OurLayer) -> str | None:
        """The steps of the chain."""
        steps = [*self._padded(), *([row.before] if row.before else [])]
        after = self._pointwise() if "{" in row.after else {}
        units = self.given.pop("units", None) if self.name in ACTIVATION_LAYERS else None
        if units is not None:
            steps.append(f"FC({units})")
        if self.name:
            steps.append(self._step())
        if row.after and not (row.after in ACTIVATION_LAYERS and self.activation):
            steps.append(row.after.format(**after))
        if self.batch_norm:
            steps.append("BN")
        if self.activation:
            steps.append(self.activation)
        if self.dropout:
            steps.append(f"DROPOUT({self.dropout})")
        return " -> ".join(steps) or None

    def _padded(self) -> list[str]:
        """The padding that precedes a convolution which pads otherwise than with zeros."""
        pad = self.given.get("pad", "valid")
        kernel, dilation = self.given.get("kernel", "3"), self.given.get("dilation", "1")
        if self.name not in WINDOWED:
            return []
        if self.padding_mode and pad != "valid":
            self.given["pad"] = "valid"
            if pad == "same":
                pad = "x".join(str((int(k) - 1) // 2) for k in re.findall(r"\d+", kernel))
            return [f"PAD({pad}, {self.padding_mode})"]
        if pad == "causal" and kernel.isdigit() and dilation.isdigit():
            self.given["pad"] = "valid"
            return [f"PAD(({(int(kernel) - 1) * int(dilation)}, 0), axis=length)"]
        return []

    def _pointwise(self) -> dict[str, str]:
        """The filters of a separable convolution, whose second part alone has a bias."""
        filters = self.given.pop("filters", "32")
        without = ", bias=no" if self.given.get("bias") == "no" else ""
        self.given["bias"] = "no"
        return {"filters": filters + without}

    def _step(self) -> str:
        name, given = self.name, dict(self.given)
        inside: list[str] = []
        if self.sizes:
            size = _joined(self.sizes, image=name == "INPUT")
            if name == "ADAPTIVEPOOL" and set(re.findall(r"\d+", size)) == {"1"}:
                return "GMP" if given.get("mode") == "max" else "GAP"
            inside += [size] if size else []
        kernel = given.pop("kernel", None)
        if kernel is not None and kernel.isdigit():
            given = {"kernel": kernel, **given}
        elif kernel is not None:
            inside.append(kernel)
        for keyword in ("filters", "units", "groups", "heads", "vocabulary", "width", "factor"):
            if keyword in given and (keyword != "groups" or name == "GN"):
                inside.append(given.pop(keyword))
        if name == "PAD" and "pad" in given:
            inside.append(given.pop("pad"))
        for keyword in ("rate", "slope", "mode"):
            if keyword in given:
                inside.append(given.pop(keyword))
        inside += [f"{keyword}={text}" for keyword, text in given.items()]
        label = f" as {self.label}" if self.label else ""
        return f"{name}({', '.join(inside)}){label}" if inside else f"{name}{label}"


def _filled(name: str, row: OurLayer, arguments: Sequence[ForeignArgument], rank: int) -> _Call:
    """The call with its arguments, those by position first."""
    axes = re.search(r"(?<=[A-Za-z])([123])[dD](?=transpose|$)", name, re.I)
    call = _Call(row.name, int(axes[1]) if axes else rank)
    call.given |= [row.given] if row.given else []
    positional, _ = by_kind(arguments)
    named = {_keyword(row.name, argument.name) for argument in arguments if argument.name}
    order = _order(name, row, positional, named)
    for keyword, text in zip(order, positional, strict=False):
        call.give(keyword, text)
    for argument in arguments:
        if argument.name is not None:
            call.give(_keyword(row.name, argument.name), argument.text)
    return call


def _merged(name: str, arguments: Sequence[ForeignArgument], *, flows: bool) -> str | None:
    """`ADD(x, y)`, `Add([x, y])` and `torch.cat([x, y], dim=1)`: branches that meet the merge."""
    values: list[str] = []
    for argument in arguments:
        text = argument.text.strip()
        if argument.name is not None or text.lstrip("-").isdigit():
            continue
        values += [text] if (items := listed(text)) is None else items
    if not values:
        return name
    branches = [_branch(value) for value in values]
    if not all(re.fullmatch(r"[A-Za-z_][\w.]*(\(.*\))?", branch) for branch in branches):
        return None
    computed = [branch for branch in branches if "(" in branch or branch == "ID"]
    if len(branches) == 1 or (flows and not computed):
        branches.append("ID")
    return f"( {' | '.join(branches)} ) -> {name}"


def _branch(value: str) -> str:
    """A branch of a merge, of another framework's layers in netc's words."""
    call = re.fullmatch(r"([A-Za-z_][\w.]*)\((.*)\)", value, re.DOTALL)
    if call is None or call[1].isupper() or own_name(call[1]) is None:
        return value
    return translated(call[1], arguments_of(call[2])) or value


def applied(layer: str, value: str) -> str:
    """`CONV(3x3, 16)(x)` and `Add()([x, y])`: what is applied to, before what is applied."""
    value = value.strip()
    names = [value] if (items := listed(value)) is None else items
    if not names:
        return layer
    start = f"( {' | '.join(names)} )" if len(names) > 1 else names[0]
    return f"{start} -> {layer}"


def _joined(sizes: Sequence[str], *, image: bool) -> str:
    """Extents as one size: without the batch, and the channels of an image last."""
    texts = [part for size in sizes for part in _extents(size)]
    extents = [text for text in texts if text not in _BATCH]
    if image and len(extents) == 3 and extents[0] in ("1", "3") and extents[2] not in ("1", "3"):
        extents = [*extents[1:], extents[0]]
    if image and len(extents) == 4 and all(text.isdigit() for text in extents):
        extents = extents[1:]  # a batch that is a number
        return _joined(extents, image=image)
    if all(text.isdigit() for text in extents):
        return "x".join(extents)
    return f"({', '.join(extents)})" if extents else ""


def _extents(text: str) -> list[str]:
    items = listed(text)
    if items is not None:
        return items
    return text.split("x") if _size(text) else [text]


def _per_axis(text: str, rank: int) -> str:
    """A size: `3` is 3x3 on two axes, `(3, 3)` is 3x3, and what is the same on all axes, one."""
    extents = _extents(text)
    if len(extents) > 1 and all(extent.isdigit() for extent in extents):
        same = len(set(extents)) == 1 and rank == 1
        return extents[0] if same else "x".join(extents)
    if len(extents) == 1 and extents[0].isdigit() and rank > 1:
        return "x".join(extents * rank)
    return extents[0] if len(extents) == 1 else text


def _whole(text: str) -> str:
    """`10.0` and `1e3` as whole numbers."""
    if is_number(text) and float(text).is_integer() and abs(float(text)) < 1e15:
        return str(int(float(text)))
    return text


def _rate(text: str) -> str:
    """A rate; of a percentage its hundredth."""
    if is_number(text) and 1 < float(text) < 100:
        return f"{float(text) / 100:g}"
    return text


def _activation(text: str) -> str | None:
    """The layer of an activation by its name: `relu`, `"relu"`, `nn.ReLU()`, `tf.nn.relu`."""
    bare = re.sub(r"\(.*\)$", "", unquoted(text), flags=re.S)
    row = own_name(bare) if re.fullmatch(r"[A-Za-z_][\w.]*", bare) else None
    activations = ACTIVATION_LAYERS | {"LRELU", "PRELU", "ELU", "CELU", "GELU"}
    return row.name if row is not None and row.name in activations else None


def _size(text: str) -> bool:
    return re.fullmatch(r"(?:\d+|[A-Z])(?:x(?:\d+|[A-Z]))+", text.strip()) is not None
