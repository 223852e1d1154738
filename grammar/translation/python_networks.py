"""The network that a program of Python builds -> netc's program."""

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

from .flow import Flow, spelled
from .python_interpreter import CONTAINERS, FORWARD, Interpreter
from .python_layers import ForeignLayer, ForeignTensor, LackingError, NotUnderstoodError
from .python_values import Class, Instance, KerasModel, PythonFunction, PythonScope, sample, tensors

_LONGEST = 12_000  # characters of a translation
_IMAGES = frozenset("x inputs input img image images inp tokens features data src batch z".split())


class Translation(NamedTuple):
    """A program in netc's words.

    Attributes:
        code: The program.
        said: What is to be said of it.
    """

    code: str
    remarks: tuple[str, ...] = ()

    @property
    def help(self) -> str:
        """What to write, and what is not the same."""
        return "; ".join([f"write `{self.code}`", *self.remarks])


def python_network(text: str) -> Translation | None:
    """The translation of a program of Python; None where it is none, or is not understood.

    Raises:
        LackingError: It has a layer that netc has not.
    """
    tree = _parsed(text, "exec")
    if not isinstance(tree, ast.Module):
        return None
    interpreter = Interpreter()
    try:
        scope = interpreter.run_program(tree)
    except NotUnderstoodError:
        return None
    for candidate in _candidates(scope):
        found = _translation(interpreter, candidate, text)
        if found is not None:
            return found
    return None


def python_chain(text: str, *, starts: bool) -> Translation | None:
    """The steps of `Sequential(...)`, behind an input of their own where they start a chain.

    Raises:
        LackingError: It has a layer that netc has not.
    """
    tree = _parsed(text, "eval")
    if not isinstance(tree, ast.Expression):
        return None
    interpreter = Interpreter()
    try:
        model = interpreter.value(tree.body, PythonScope())
        if not isinstance(model, KerasModel):
            return None
        x = ForeignTensor(Flow("" if starts else "x"), is_flat=not starts)
        code = spelled([y.flow for y in tensors([interpreter.call(model, [x], {})])])
    except NotUnderstoodError:
        return None
    return Translation(
        code if starts else code.removeprefix("x -> "), (*interpreter.layers.remarks,)
    )


def contained(name: str, call: str, *, starts: bool) -> Translation | None:
    """The steps of a call of `Sequential`, or None where it is of something else."""
    if name.rpartition(".")[2] not in CONTAINERS:
        return None
    try:
        return python_chain(call, starts=starts)
    except LackingError:
        return None


def _parsed(text: str, mode: str) -> ast.AST | None:
    text = re.sub(r"\w+\s*=>\s*(?=\w)", "", text)  # Flux writes `Dense(784 => 10)`
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip() if mode == "eval" else text, mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _candidates(scope: PythonScope) -> Iterator[Any]:
    """What may be the network: what the program makes, its functions, its classes."""
    values = list(reversed(scope.names.values()))
    yield from (v for v in values if isinstance(v, KerasModel) and v.outputs)
    yield from (v for v in values if isinstance(v, KerasModel) and v.items)
    yield from (v for v in values if isinstance(v, Instance))
    yield from (v for v in values if isinstance(v, PythonFunction) and not v.node.args.args)
    yield from (v for v in values if isinstance(v, Class))
    yield from (v for v in values if isinstance(v, PythonFunction) and v.node.args.args)
    yield from (v for v in values if isinstance(v, ForeignTensor))


def _translation(interpreter: Interpreter, candidate: Any, text: str) -> Translation | None:
    """What a candidate builds, or None where it builds no network."""
    sampled: dict[str, Any] = {}
    try:
        outputs = _outputs(interpreter, candidate, sampled)
        flows = list(dict.fromkeys(tensor.flow for tensor in outputs))
        code = spelled(flows) if any(flow.inputs for flow in flows) else ""
    except NotUnderstoodError:
        return None
    if not code or len(code) > _LONGEST:
        return None
    widths = re.search(r"(Conv\([^=]*?)?\b(\d+)\s*=>", text)
    if widths is not None and code.startswith("INPUT ->"):
        code = code.replace("INPUT", f"INPUT({'32x32x' if widths[1] else ''}{widths[2]})", 1)
    remarks = list(interpreter.layers.remarks)
    names = [name for name in interpreter.unknown if re.search(rf"\b{name}\b", code)]
    lets = [f"let {name} = {_spelled(sample(name))}" for name in sorted(names)]
    shown = [f"`{name}`" for name, value in sampled.items() if isinstance(value, int)]
    if shown:
        values = ", ".join(f"{name} is {sampled[name.strip('`')]}" for name in shown)
        remarks.insert(0, f"here {values}")
    return Translation("\n".join([*lets, code]), tuple(remarks))


def _spelled(value: Any) -> str:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else "64"


def _outputs(interpreter: Interpreter, made: Any, sampled: dict[str, Any]) -> list[ForeignTensor]:
    """The tensors that leave a network."""
    if isinstance(made, Class):
        start = made.methods.get("__init__")
        names = _required(start) if start else [n for n, v in made.fields.items() if v is None]
        sampled |= {name: sample(name) for name in names}
        made = interpreter.call(made, [], dict(sampled))
    if isinstance(made, PythonFunction):
        given = {n: _argument(n) for n in _required(made.node)}
        sampled |= {n: v for n, v in given.items() if not isinstance(v, ForeignTensor)}
        made = interpreter.call(made, [], given)
    if isinstance(made, KerasModel) and made.outputs:
        return list(made.outputs)
    if isinstance(made, Instance) and not any(name in made.kind.methods for name in FORWARD):
        made = KerasModel(
            [v for v in made.attributes.values() if isinstance(v, ForeignLayer | KerasModel)]
        )
    if isinstance(made, KerasModel):
        return tensors([interpreter.call(made, [ForeignTensor(Flow("", name="x"))], {})])
    if isinstance(made, Instance):
        name = next((name for name in FORWARD if name in made.kind.methods), "")
        names = _required(made.kind.methods[name])
        given = {
            n: ForeignTensor(Flow("", name=n)) for n in names if n not in ("training", "train")
        }
        return tensors([interpreter.call(made, list(given.values()), {})])
    return tensors([made])


def _required(node: ast.FunctionDef | ast.Lambda) -> list[str]:
    """The parameters of a function that have no defaults, `self` left out."""
    names = [parameter.arg for parameter in (*node.args.posonlyargs, *node.args.args)]
    names = names[: len(names) - len(node.args.defaults)]
    return [name for name in names if name not in ("self", "cls", "F", "key", "rng")]


def _argument(name: str) -> Any:
    is_tensor = name in _IMAGES or name.endswith(("_input", "_inputs", "_tensor"))
    return ForeignTensor(Flow("", name=name)) if is_tensor else sample(name)
