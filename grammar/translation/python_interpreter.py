"""Programs of Python that build networks -> the tensors that leave them.

An interpreter of the few things that such programs do: it runs classes, functions, loops over
ranges and arithmetic on sizes, and follows tensors through layers. What it does not know is opaque.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from .call_text import ForeignArgument
from .python_layers import ForeignLayer, ForeignTensor, Layers, NotUnderstoodError, input_of
from .python_values import (
    BUILT_IN,
    MOST_ITEMS,
    Class,
    Instance,
    KerasModel,
    Method,
    Opaque,
    PythonFunction,
    PythonScope,
    as_python,
    built_in,
    compared,
    computed,
    modules,
    tensors,
    texts,
    unknown_size,
)
from .recipes import own_name

_MOST_STEPS = 20_000  # statements and expressions that are read
_DEEPEST = 150  # calls and expressions in one another: a third of what Python allows
CONTAINERS = frozenset("Sequential SequentialCell HybridSequential Chain serial".split())
_LISTS = frozenset("ModuleList LayerList".split())
_DICTS = frozenset("OrderedDict ModuleDict".split())
FORWARD = ("forward", "call", "__call__", "construct", "hybrid_forward")


class _Return(NotUnderstoodError):
    """What `return` leaves a function with; outside of one, it is not understood."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Interpreter:
    """Runs a program, statement by statement."""

    def __init__(self) -> None:
        self.layers = Layers()
        self.unknown: set[str] = set()  # names of sizes that the program does not say
        self.steps = 0
        self.depth = 0

    # Statements

    def run(self, body: Iterable[ast.stmt], scope: PythonScope) -> None:
        """Run statements."""
        for statement in body:
            self._count()
            rule = getattr(self, f"_run_{type(statement).__name__}", None)
            if rule is not None:
                rule(statement, scope)

    def run_program(self, module: ast.Module) -> PythonScope:
        """Run a program's own statements; loops and tests of training are left out."""
        scope = PythonScope()
        for statement in module.body:
            try:
                self.run([statement], scope)
            except NotUnderstoodError:
                if not isinstance(statement, ast.For | ast.While | ast.With | ast.Try | ast.If):
                    raise
        return scope

    def _count(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise NotUnderstoodError("too long")

    @contextmanager
    def _inside(self) -> Iterator[None]:
        """One level further in, of calls or expressions."""
        self._count()
        self.depth += 1
        try:
            if self.depth > _DEEPEST:
                raise NotUnderstoodError("too deep")
            yield
        finally:
            self.depth -= 1

    def _run_Assign(self, node: ast.Assign, scope: PythonScope) -> None:
        value = self.value(node.value, scope)
        for target in node.targets:
            self.bind(target, value, scope)

    def _run_AnnAssign(self, node: ast.AnnAssign, scope: PythonScope) -> None:
        if node.value is not None:
            self.bind(node.target, self.value(node.value, scope), scope)

    def _run_AugAssign(self, node: ast.AugAssign, scope: PythonScope) -> None:
        before, more = self.value(node.target, scope), self.value(node.value, scope)
        if isinstance(before, list) and isinstance(more, list | tuple):
            before.extend(more)
            _check_length(before)
            return
        self.bind(node.target, self._operate(node.op, before, more), scope)

    def _run_Return(self, node: ast.Return, scope: PythonScope) -> None:
        raise _Return(None if node.value is None else self.value(node.value, scope))

    def _run_For(self, node: ast.For, scope: PythonScope) -> None:
        for item in self._items(self.value(node.iter, scope)):
            self.bind(node.target, item, scope)
            self.run(node.body, scope)

    def _run_If(self, node: ast.If, scope: PythonScope) -> None:
        self.run(node.body if self._holds(node.test, scope) else node.orelse, scope)

    def _run_With(self, node: ast.With, scope: PythonScope) -> None:
        self.run(node.body, scope)

    def _run_FunctionDef(self, node: ast.FunctionDef, scope: PythonScope) -> None:
        scope.names[node.name] = PythonFunction(node, scope)

    def _run_ClassDef(self, node: ast.ClassDef, scope: PythonScope) -> None:
        methods: dict[str, ast.FunctionDef] = {}
        fields: dict[str, Any] = {}
        for base in node.bases:
            known = self.value(base, scope)
            if isinstance(known, Class):
                methods |= known.methods
                fields |= known.fields
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                methods[item.name] = item
            elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                fields[item.target.id] = item.value and self.value(item.value, scope)
            elif isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
                fields[item.targets[0].id] = self.value(item.value, scope)
        scope.names[node.name] = Class(node, scope, methods, fields)

    def _run_Expr(self, node: ast.Expr, scope: PythonScope) -> None:
        value = self.value(node.value, scope)
        if isinstance(value, KerasModel | ForeignTensor):
            scope.names[""] = value

    def bind(self, target: ast.expr, value: Any, scope: PythonScope) -> None:
        """Give a value to a name, an attribute, or several."""
        if isinstance(target, ast.Name):
            scope.names[target.id] = value
            if isinstance(value, ForeignTensor) and not value.flow.name:
                value.flow.name = target.id
        elif isinstance(target, ast.Attribute):
            owner = self.value(target.value, scope)
            if isinstance(owner, Instance):
                owner.attributes[target.attr] = value
        elif isinstance(target, ast.Tuple | ast.List):
            values = self._unpacked(value, len(target.elts))
            for each, item in zip(target.elts, values, strict=True):
                self.bind(each, item, scope)

    def _unpacked(self, value: Any, count: int) -> Sequence[Any]:
        """The parts of a value; of a recurrent layer's results, the first is the sequence."""
        if isinstance(value, list | tuple) and len(value) == count:
            return value
        if isinstance(value, ForeignTensor) and count > 0:
            return [value, *[self.layers.last(value)] * (count - 1)]
        if isinstance(value, Opaque):
            return [Opaque()] * count
        if isinstance(value, KerasModel):  # stax
            return [value] * count
        raise NotUnderstoodError("unpacking")

    # Expressions

    def value(self, node: ast.expr, scope: PythonScope) -> Any:
        """The value of an expression."""
        rule = getattr(self, f"_value_of_{type(node).__name__}", None)
        with self._inside():
            return Opaque() if rule is None else rule(node, scope)

    def _value_of_Constant(self, node: ast.Constant, scope: PythonScope) -> Any:
        return node.value

    def _value_of_Name(self, node: ast.Name, scope: PythonScope) -> Any:
        return scope.find(node.id)

    def _value_of_List(self, node: ast.List | ast.Tuple, scope: PythonScope) -> Any:
        items: list[Any] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                items += self._items(self.value(item.value, scope))
            else:
                items.append(self.value(item, scope))
        _check_length(items)
        return items if isinstance(node, ast.List) else tuple(items)

    _value_of_Tuple = _value_of_List

    def _value_of_Dict(self, node: ast.Dict, scope: PythonScope) -> Any:
        pairs = zip(node.keys, node.values, strict=True)
        found = [(self.value(k, scope), self.value(v, scope)) for k, v in pairs if k is not None]
        return as_python(dict, found)

    def _value_of_ListComp(self, node: ast.ListComp | ast.GeneratorExp, scope: PythonScope) -> Any:
        (loop,) = node.generators[:1]
        inner, found = PythonScope({}, scope), []
        for item in self._items(self.value(loop.iter, scope)):
            self.bind(loop.target, item, inner)
            if all(self._holds(test, inner) for test in loop.ifs):
                found.append(self.value(node.elt, inner))
        return found

    _value_of_GeneratorExp = _value_of_ListComp

    def _value_of_Attribute(self, node: ast.Attribute, scope: PythonScope) -> Any:
        owner = self.value(node.value, scope)
        if isinstance(owner, Instance):
            return self._member(owner, node.attr)
        if isinstance(owner, Class):
            return owner.fields.get(node.attr, Opaque())
        if isinstance(owner, Opaque):
            return Opaque(f"{owner.name}.{node.attr}" if owner.name else node.attr)
        return Method(owner, node.attr)

    def _member(self, owner: Instance, name: str) -> Any:
        if name in owner.attributes:
            return owner.attributes[name]
        if name in owner.kind.methods:
            return PythonFunction(owner.kind.methods[name], owner.kind.scope, owner)
        return owner.kind.fields.get(name, Opaque())

    def _value_of_Subscript(self, node: ast.Subscript, scope: PythonScope) -> Any:
        value, index = self.value(node.value, scope), self.value(node.slice, scope)
        if isinstance(value, ForeignTensor):
            return self.layers.part(value, index)
        if isinstance(value, list | tuple | dict | str):
            return as_python(operator.getitem, value, index)
        return Opaque()

    def _value_of_Slice(self, node: ast.Slice, scope: PythonScope) -> Any:
        parts = (node.lower, node.upper, node.step)
        values = [None if part is None else self.value(part, scope) for part in parts]
        return slice(*values) if all(isinstance(v, int | None) for v in values) else Opaque()

    def _value_of_BinOp(self, node: ast.BinOp, scope: PythonScope) -> Any:
        left, right = self.value(node.left, scope), self.value(node.right, scope)
        return self._operate(node.op, left, right)

    def _operate(self, sign: ast.operator, left: Any, right: Any) -> Any:
        merge = _MERGING.get(type(sign))
        if isinstance(left, ForeignTensor) and isinstance(right, ForeignTensor) and merge:
            return self.layers.merge(merge, (left, right))
        if isinstance(left, ForeignTensor):
            return self.layers.adjusted(left, type(sign).__name__, right)
        if isinstance(right, ForeignTensor):
            kind = type(sign).__name__
            return self.layers.adjusted(right, "From" if kind == "Sub" else kind, left)
        return computed(sign, left, right)

    def _value_of_UnaryOp(self, node: ast.UnaryOp, scope: PythonScope) -> Any:
        value = self.value(node.operand, scope)
        if isinstance(node.op, ast.Not):
            return Opaque() if isinstance(value, Opaque) else not value
        if isinstance(node.op, ast.USub) and isinstance(value, int | float):
            return -value
        return value

    def _value_of_Compare(self, node: ast.Compare, scope: PythonScope) -> Any:
        left, right = self.value(node.left, scope), self.value(node.comparators[0], scope)
        return Opaque() if len(node.ops) > 1 else compared(node.ops[0], left, right)

    def _value_of_BoolOp(self, node: ast.BoolOp, scope: PythonScope) -> Any:
        values = [self.value(value, scope) for value in node.values]
        if any(isinstance(value, Opaque) for value in values):
            return Opaque()
        is_and = isinstance(node.op, ast.And)
        return next((v for v in values if bool(v) != is_and), values[-1])

    def _value_of_IfExp(self, node: ast.IfExp, scope: PythonScope) -> Any:
        return self.value(node.body if self._holds(node.test, scope) else node.orelse, scope)

    def _value_of_Lambda(self, node: ast.Lambda, scope: PythonScope) -> Any:
        return PythonFunction(node, scope)

    def _holds(self, test: ast.expr, scope: PythonScope) -> bool:
        value = self.value(test, scope)
        if isinstance(value, Opaque):
            raise NotUnderstoodError("a condition")
        return bool(value)

    def _items(self, value: Any = None) -> list[Any]:
        if isinstance(value, list | tuple | dict):
            return list(value)
        if isinstance(value, KerasModel):
            return value.items
        raise NotUnderstoodError("a loop")

    # Calls

    def _value_of_Call(self, node: ast.Call, scope: PythonScope) -> Any:
        called = self.value(node.func, scope)
        given = self._value_of_List(ast.List(node.args, ast.Load()), scope)
        named = {k.arg: self.value(k.value, scope) for k in node.keywords if k.arg is not None}
        return self.call(called, given, named)

    def call(self, called: Any, given: list[Any], named: dict[str, Any]) -> Any:
        """The result of a call."""
        with self._inside():
            if isinstance(called, Opaque):
                return self._foreign(called.name, given, named)
            if isinstance(called, Class):
                return self._created(called, given, named)
            if isinstance(called, PythonFunction):
                return self._applied(called, given, named)
            if isinstance(called, Method):
                return self._method(called, given, named)
            return self._through(called, given, named)

    def _through(self, module: Any, given: list[Any], named: dict[str, Any]) -> Any:
        """A layer, several, or an object, applied to tensors."""
        if isinstance(module, Instance):
            name = next((name for name in FORWARD if name in module.kind.methods), None)
            if name is None:
                raise NotUnderstoodError("an object")
            return self.call(self._member(module, name), given, named)
        values = given or [v for k, v in named.items() if k in ("inputs", "x", "input")]
        if isinstance(module, ForeignLayer) and values:
            found = tensors(values)
            return self.layers.apply(module, *found) if found else Opaque()
        if isinstance(module, KerasModel) and values:
            x = values[0]
            for item in module.items:
                x = item if isinstance(item, ForeignTensor) else self.call(item, [x], {})
            return x
        raise NotUnderstoodError("a call")

    def _created(self, kind: Class, given: list[Any], named: dict[str, Any]) -> Instance:
        made = Instance(kind)
        if "__init__" not in kind.methods:  # a dataclass, as Flax' modules are
            made.attributes |= dict(zip(kind.fields, given, strict=False))
            made.attributes |= {n: value for n, value in named.items() if n in kind.fields}
        for start in ("__init__", "setup", "build"):
            if start in kind.methods:
                values = (given, named) if start == "__init__" else ([Opaque()], {})
                self._applied(PythonFunction(kind.methods[start], kind.scope, made), *values)
        return made

    def _applied(self, function: PythonFunction, given: list[Any], named: dict[str, Any]) -> Any:
        scope = PythonScope({}, function.scope)
        parameters = function.node.args
        names = [p.arg for p in (*parameters.posonlyargs, *parameters.args)]
        defaults = [self.value(value, function.scope) for value in parameters.defaults]
        scope.names |= dict(zip(names[len(names) - len(defaults) :], defaults, strict=True))
        for parameter, value in zip(parameters.kwonlyargs, parameters.kw_defaults, strict=True):
            scope.names[parameter.arg] = value and self.value(value, function.scope)
        bound = [] if function.bound is None else [function.bound]
        values = [*bound, *given]
        scope.names |= dict(zip(names, values, strict=False)) | named
        if parameters.vararg is not None:
            scope.names[parameters.vararg.arg] = values[len(names) :]
        if isinstance(function.node, ast.Lambda):
            return self.value(function.node.body, scope)
        try:
            self.run(function.node.body, scope)
        except _Return as result:
            return result.value
        return None

    def _method(self, method: Method, given: list[Any], named: dict[str, Any]) -> Any:
        """A method of a tensor, a list or a model."""
        value, name = method.value, method.name
        if isinstance(value, ForeignTensor):
            return self._foreign(name, [value, *given], named)
        if isinstance(value, list) and name in ("append", "extend", "add_module", "insert"):
            value.extend(given[-1:] if name != "extend" else self._items(*given[:1]))
            _check_length(value)
            return None
        if isinstance(value, dict) and name in ("items", "values", "keys"):
            return list(getattr(value, name)())
        if isinstance(value, KerasModel) and name in ("add", "append", "add_module"):
            value.items.extend(given if name == "add" else given[-1:])
            return None
        return Opaque()

    def _foreign(self, name: str, given: list[Any], named: dict[str, Any]) -> Any:
        """A call of a function or a class of a framework, or of Python."""
        last = name.rpartition(".")[2]
        if name in BUILT_IN:
            return built_in(name, given)
        made = _MADE.get(last)
        if made is not None:
            return made([*given, *named.values()])
        found = tensors([*given, *named.values()])
        if last in ("Model", "Functional") and found:
            outputs = named.get("outputs", given[-1] if given else None)
            return KerasModel(outputs=tuple(tensors([outputs])))
        row = own_name(name) if name else None
        if row is not None and row.name == "INPUT" and not found:
            return input_of(self._as_step(name, given, named))
        if found:
            return self._function_of(name, given, named, found)
        return self._as_step(name, given, named) if name else Opaque()

    def _function_of(
        self, name: str, given: list[Any], named: dict[str, Any], found: list[ForeignTensor]
    ) -> Any:
        """A function of tensors: `F.relu(x)`, `torch.cat([x, y], 1)`."""
        last = name.rpartition(".")[2]
        if last in _SIZES:
            return Opaque()
        if own_name(name) is None and not self.layers.knows(last):
            raise NotUnderstoodError(name)
        step = self._as_step(name, [v for v in given if not tensors([v])], named)
        return self.layers.apply(step, *found)

    def _as_step(self, name: str, given: list[Any], named: dict[str, Any]) -> ForeignLayer:
        values = [(None, value) for value in given] + list(named.items())
        self.unknown |= {n for _, value in values if (n := unknown_size(value))}
        arguments = ((key, texts(value)) for key, value in values)
        return ForeignLayer(
            name, tuple(ForeignArgument(k, text) for k, text in arguments if text is not None)
        )


def _repeated(given: list[Any]) -> KerasModel:
    """`nn.TransformerEncoder(layer, num_layers=6)`."""
    count = next((value for value in given if isinstance(value, int)), 1)
    layer = next((value for value in given if isinstance(value, ForeignLayer)), None)
    if layer is None:
        raise NotUnderstoodError("an encoder")
    return KerasModel([replace(layer) for _ in range(min(count, 100))])


def _check_length(items: list[Any]) -> None:
    if len(items) > MOST_ITEMS:
        raise NotUnderstoodError("a long list")


_SIZES = frozenset("size dim numel get_shape shape print".split())
_MADE: Mapping[str, Callable[[list[Any]], Any]] = {
    **dict.fromkeys(CONTAINERS, lambda given: KerasModel(modules(given))),
    **dict.fromkeys(_LISTS, modules),
    "TransformerEncoder": _repeated,
    **dict.fromkeys(_DICTS, lambda given: as_python(dict, *given[:1])),
}

_MERGING: Mapping[type[ast.operator], str] = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul"}
