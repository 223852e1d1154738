"""Whole programs of PyTorch, Keras and Caffe -> the chain that says the same here.

A program of Python is answered once, with its chain, in place of an error on each of its lines.
"""

import re
from collections.abc import Iterator, Mapping, Sequence

from .diagnostics import Diagnostic
from .foreign import Argument, arguments_of, closing, missing, own_name, split_arguments, translated
from .source import Source, Span

_PYTHON = re.compile(
    r"^[ \t]*(?:import\s+[A-Za-z_]|from\s+\S+\s+import\b|class\s+\w+\s*[(:]|def\s+\w+\s*\()"
    r"|(?:^|=)[ \t]*(?:\w+\.)*Sequential\(|^[ \t]*\w+\.add\(|^layers?\s*\{",
    re.M,
)
_SEQUENTIAL = re.compile(r"\bSequential\(")
_ADDED = re.compile(r"^[ \t]*\w+\.add\(", re.M)
_BOUND = re.compile(r"^[ \t]*self\.(\w+)[ \t]*=[ \t]*(?=[\w.]+\()", re.M)
_FORWARD = re.compile(r"^([ \t]*)def\s+(?:forward|call|__call__)\s*\(.*\).*:[ \t]*\n", re.M)
_ASSIGNED = re.compile(r"^[ \t]*(?:\w+[ \t]*=|return)[ \t]*(?=[\w.]+\()", re.M)
_PROTOTXT = re.compile(r"^layers?\s*\{", re.M)
_CALLED = re.compile(r"([A-Za-z_][\w.]*)\(")

# What makes a data flow more than one chain: sums, concatenations, loops, several inputs.
_BRANCHING = re.compile(
    r"\+=|\w[ \t]*\)?[ \t]+[-+*][ \t]+\w"
    r"|\b(?:cat|concat|concatenate|Concatenate|stack|add|Add|mul)\("
    r"|^[ \t]*(?:for|if|while)\b.*:|\bdef\s+(?:forward|call|__call__)\s*\(\s*self\s*,\s*\w+\s*,",
    re.M,
)
_MERGES = (
    "write a chain for each line, such as `y = x -> CONV(3x3, 8)`, and merge tensors by a layer:"
    " `( x | y ) -> ADD`, or `CONCAT`"
)

# Methods of a tensor, and functions, that only give it another shape: FC flattens by itself.
_RESHAPES = frozenset({"view", "flatten", "reshape", "size", "squeeze", "contiguous"})
PAD = "valid"  # the default of PyTorch, Keras and Caffe
_INPUTS = {"FC": "INPUT({})", "CONV": "INPUT(32x32x{})"}
_LONGEST = 100_000  # characters of a program that are looked at


def foreign_program(source: Source) -> Diagnostic | None:
    """What to say of a program of another framework, or None where it is none."""
    text = source.text
    match = _PYTHON.search(text)
    if match is None or len(text) > _LONGEST:
        return None
    first = re.compile(r"\S.*").search(text, match.start())
    if first is not None and _branches(text):
        span = Span(source, first.start(), first.end())
        return Diagnostic("E011", "this is a program of another framework", span, help=_MERGES)
    lacking = _lacking(text)
    if first is not None and lacking is not None:
        span = Span(source, first.start(), first.end())
        return Diagnostic("E011", "this is a program of another framework", span, help=lacking)
    steps = [step for read in (_caffe, _sequence, _module, _functional) for step in read(text)]
    if not steps or first is None:
        return None
    chain = " -> ".join(steps)
    if not chain.startswith("INPUT"):
        chain = f"{_input_of(text)} -> {chain}"
    return Diagnostic(
        "E011",
        "this is a program of another framework",
        Span(source, first.start(), first.end()),
        help=f"write `{chain}`",
    )


def _branches(text: str) -> bool:
    """Whether the layers of a program do not form one chain."""
    forward = _FORWARD.search(text)
    flow = re.sub(r"#[^\n]*", "", text[forward.start() if forward else 0 :])
    if forward is None and ("class " in text or _SEQUENTIAL.search(text) or _PROTOTXT.search(text)):
        return False
    inputs = re.findall(r"=[ \t]*(?:\w+\.)*Input\(", flow)
    return _BRANCHING.search(flow) is not None or len(inputs) > 1


def _lacking(text: str) -> str | None:
    """What to do without a layer that netc has not, if a program has one."""
    names = re.findall(r"(?<!class )\b([A-Za-z_][\w.]*)\(", text)
    joins = ("Sequential", "ModuleList", "Chain")
    return next((found for n in names if not n.endswith(joins) and (found := missing(n))), None)


def _input_of(text: str) -> str:
    """An input for the first layer that says how many features or channels it takes."""
    shape = re.search(r"input_shape\s*=\s*([(\[][^)\]]*[)\]])|input_dim\s*=\s*(\d+)", text)
    if shape is not None:
        return translated("Input", [Argument(None, shape[1] or shape[2])]) or "INPUT"
    for call in re.finditer(r"(?:Linear|Conv([123])d)\(\s*(?:in_\w+\s*=\s*)?(\d+)\s*,", text):
        axes = {"1": "INPUT(128x{}, sequence)", "3": "INPUT(16x32x32x{})"}
        form = axes.get(call[1], _INPUTS["CONV" if call[1] else "FC"])
        return form.format(call[2])
    return "INPUT"


def _steps(call: str) -> list[str]:
    """The steps of one call, such as `nn.Conv2d(1, 32, 3)`."""
    match = _CALLED.match(call.strip())
    if match is None:
        return []
    name, inner = match[1], call.strip()[match.end() : -1]
    if name.endswith("Sequential"):
        return _listed(inner)
    pad = "" if re.search(r"\bfeatures\s*=", inner) else PAD  # Flax pads
    steps = translated(name, arguments_of(inner), pad=pad)
    return [] if steps is None else [steps]


def _listed(inner: str) -> list[str]:
    """The steps of all calls between the parentheses of `Sequential(...)`."""
    inner = inner.strip()
    if inner[:1] in "[(" and closing(inner, 0) == len(inner.rstrip(",").rstrip()) - 1:
        inner = inner.rstrip(", \n\t")[1:-1]
    calls = (re.sub(r"#[^\n]*", "", part).strip() for part in split_arguments(inner))
    return [step for call in calls for step in _steps(call)]


def _sequence(text: str) -> Iterator[str]:
    """`Sequential([...])`, and the layers that `model.add(...)` adds."""
    if _FORWARD.search(text):
        return
    for match in _SEQUENTIAL.finditer(text):
        end = closing(text, match.end() - 1)
        if end > 0:
            yield from _listed(text[match.end() : end])
    for match in _ADDED.finditer(text):
        end = closing(text, match.end() - 1)
        if end > 0:
            yield from _listed(text[match.end() : end])


def _module(text: str) -> Iterator[str]:
    """A class whose `forward` applies layers that `__init__` binds."""
    forward = _FORWARD.search(text)
    bound: dict[str, list[str]] = {}
    for match in _BOUND.finditer(text):
        opening = text.index("(", match.end())
        end = closing(text, opening)
        if end > 0:
            bound[match[1]] = _steps(text[match.end() : end + 1])
    if forward is None:
        if "class " in text:
            yield from (step for steps in bound.values() for step in steps)
        return
    for match in _ASSIGNED.finditer(text, forward.end()):
        line = text[match.end() :].split("\n", 1)[0]
        yield from _applied(line.strip(), bound)


def _applied(expression: str, bound: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """The steps of `self.pool(F.relu(self.conv1(x)))`, the innermost first."""
    match = _CALLED.match(expression)
    if match is None:
        return
    end = closing(expression, match.end() - 1)
    inner = split_arguments(expression[match.end() : end]) if end > 0 else []
    name = match[1]
    if end > 0 and expression[end + 1 : end + 2] == "(":  # `nn.Dense(10)(x)`
        value = expression[end + 2 : closing(expression, end + 1)]
        yield from _applied(value.strip(), bound)
        yield from _steps(expression[: end + 1])
        return
    if inner:
        yield from _applied(inner[0].strip(), bound)
    last = name.rsplit(".", 1)[-1]
    if name.startswith("self.") and last in bound:
        yield from bound[last]
    elif last not in _RESHAPES and own_name(name) is not None:
        rest = arguments_of(", ".join(inner[1:]))
        steps = translated(last, rest, pad=PAD)
        if steps is not None:
            yield steps
    tail = expression[end + 1 :]
    if tail.startswith("."):  # a method of the result: `conv(x).relu()`
        yield from _applied(tail[1:], bound)


def _functional(text: str) -> Iterator[str]:
    """Keras' functional form: `x = Dense(10)(x)`."""
    if _FORWARD.search(text) or _SEQUENTIAL.search(text) or "class " in text:
        return
    for match in _ASSIGNED.finditer(text):
        opening = text.find("(", match.end())
        end = closing(text, opening)
        name = text[match.end() : opening]
        is_applied = end > 0 and text[end + 1 : end + 2] == "("
        row = own_name(name)
        if end > 0 and row is not None and (is_applied or row.name == "INPUT"):
            yield from _steps(text[match.end() : end + 1])
        elif end > 0 and row is not None and "." in name:  # TensorFlow 1: `tf.layers.dense(x, 10)`
            yield from _applied(text[match.end() : end + 1], {})


def _caffe(text: str) -> Iterator[str]:
    """The layers of a prototxt."""
    for match in _PROTOTXT.finditer(text):
        end = closing(text, match.end() - 1)
        body = text[match.end() : end] if end > 0 else ""
        kind = re.search(r'\btype\s*:\s*"?(\w+)"?', body)
        if kind is None or own_name(kind[1]) is None:
            continue
        pairs = re.findall(r"\b(\w+)\s*:\s*([\w.]+)", body)
        kept = {"num_output", "kernel_size", "stride", "pad", "pool", "dropout_ratio", "group"}
        arguments = [Argument(name, value) for name, value in pairs if name in kept]
        dims = re.findall(r"\bdim\s*:\s*(\d+)", body)
        if dims:
            arguments = [Argument(None, f"({', '.join(dims)})")]
        steps = translated(kind[1], arguments, pad=PAD)
        if steps is not None:
            yield steps
