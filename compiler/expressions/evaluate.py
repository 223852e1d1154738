"""Compile-time expressions: syntax tree to integers, reals, sizes, lists, and choice words."""

import operator
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import Pointer, did_you_mean, error
from ...grammar.records import record
from ...grammar.source import Span
from ..ir.graph import Value
from .arguments import INFINITE, Quotient, Word, spell, whole
from .budget import Budget
from .checks import (
    asserted,
    described,
    in_range,
    items_of,
    number_of,
    too_large,
    too_long,
    truth_of,
    unfit,
)
from .functions import FUNCTIONS, LONGEST_LIST
from .recovery import POISON, Poisoned
from .tensor_attributes import TENSOR_ATTRIBUTES, tensor_attribute

CHARACTERS_PER_ITEM = 2  # of an expression, whose effort the budget counts in items


@record
class Environment:
    """What names mean in an expression.

    Attributes:
        names: Values of `let`s, parameters, and quantities, and tensors, which have extents; a
            value that is a `Lazy` is computed when it is read.
        labels: Functions of a label (`params(conv1)`), which get its text and the call.
        words: Whether an unknown name is a choice word, as it is among a layer's arguments.
        budget: How many items of lists may be computed.
        find: The tensor that a label names, or None; given a place, it warns of automatic names.
        calls: The functions of the program whose calls are being computed, outermost first.
        levels: How deep the expressions of those functions nest in all.
    """

    names: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, Callable[[str, ast.Apply], Any]] = field(default_factory=dict)
    words: bool = False
    budget: Budget = field(default_factory=Budget)
    find: Callable[[str, Span | None], Value | None] = lambda label, span: None
    calls: tuple[ast.FunctionStatement, ...] = ()
    levels: int = 0


NO_NAMES = Environment()
LITERALS = (ast.Number, ast.Size, ast.String, ast.Boolean)  # what they say depends on no name


@record
class Function:
    """A function that a program defines, what names mean where it does, and its levels."""

    statement: ast.FunctionStatement
    environment: Environment
    levels: int


@record
class Namespace:
    """What `import ... as` gives a name: a file's values and functions, and where it is given."""

    values: Mapping[str, Any]
    span: Span


@record
class Lazy:
    """A quantity that is computed only when an expression reads it."""

    compute: Callable[[], Any]


def evaluate(expression: ast.Expression, environment: Environment) -> Any:
    """The value of an expression.

    Raises:
        NetError: An unknown name, operands of the wrong kind, a division by zero, a number that
            is too large.
    """
    return RULES[type(expression)](expression, environment)


def label_text(expression: ast.Expression) -> str | None:
    """The label that an expression spells (`layer1.0.conv1`), or None where it spells none."""
    match expression:
        case ast.Name(id):
            return id
        case ast.String(value):
            return value
        case ast.Attribute(value, name):
            prefix = label_text(value)
            return None if prefix is None else f"{prefix}.{name}"
    return None


def _literal(expression: ast.Number | ast.String | ast.Boolean | ast.Held, _: Environment) -> Any:
    return expression.value


def _size(expression: ast.Size, _: Environment) -> tuple[int, ...]:
    return expression.extents


def _name(expression: ast.Name, environment: Environment) -> Any:
    if expression.id in environment.names:
        return _read(environment.names[expression.id], expression.id, expression.span)
    if environment.words:
        return Word(expression.id)
    known = [*environment.names, *FUNCTIONS] if expression.id != "in" else []
    raise error(
        "E101",
        f"unknown name `{expression.id}`",
        expression.span,
        help=_value_of(expression.id, environment, did_you_mean(expression.id, known)),
    )


def _read(value: Any, name: str, span: Span) -> Any:
    """What a name means, where that is a value."""
    if value is POISON:
        raise Poisoned
    if isinstance(value, Function):
        help = f"call it: `{name}({_signature(value)})`"
        raise error("E302", f"`{name}` is a function", span, help=help)
    if isinstance(value, Namespace):
        raise error("E302", f"`{name}` is an imported file, not a value", span)
    return value.compute() if isinstance(value, Lazy) else value


def member(namespace: Namespace, dotted: str, span: Span) -> Any:
    """What a file that an import names has under a name.

    Raises:
        NetError: E101, it has nothing of that name.
    """
    file, _, name = dotted.partition(".")
    if name in namespace.values:
        return namespace.values[name]
    near = did_you_mean(dotted, [f"{file}.{known}" for known in namespace.values])
    here = [Pointer(namespace.span, "imported here")]
    message = f"`{file}` has no value or function `{name}`"
    raise error("E101", message, span, also=here, help=near)


def _value_of(name: str, environment: Environment, near: str | None) -> str | None:
    """Help for a name without a value: that of a label is a tensor, which has a shape."""
    if name == "in":
        return NO_INPUT
    if name in NOTHING:
        return "there is no empty value: leave it out, or write a number such as `0`"
    if near := asserted(name) or near:
        return near
    if not environment.labels:
        return f"give it a value above, such as `let {name} = 3`"
    is_label = environment.find(name, None) is not None
    return f"write `shape({name})` for its size" if is_label else None


NO_INPUT = "`in` is the input of a block, and is known in blocks that a tensor is led to"
NOTHING = frozenset({"none", "None", "null", "nil"})


def _tuple(expression: ast.TupleOf, environment: Environment) -> tuple[Any, ...]:
    items = tuple(evaluate(item, environment) for item in expression.items)
    environment.budget.spend(items, expression)
    return items


def _list(expression: ast.ListOf, environment: Environment) -> list[Any]:
    items = [evaluate(item, environment) for item in expression.items]
    environment.budget.spend(items, expression)
    return items


def _comprehension(expression: ast.Comprehension, environment: Environment) -> list[Any]:
    work = effort(expression)
    found: list[Any] = []
    for turn in _turns(expression.clauses, environment, work, expression):
        found.append(evaluate(expression.item, turn))
        if len(found) > LONGEST_LIST:
            raise too_long(expression)
    environment.budget.spend(found, expression)
    return found


def _turns(
    clauses: Sequence[ast.Clause],
    environment: Environment,
    effort: int,
    blame: ast.Expression,
) -> Iterator[Environment]:
    """What names mean in each turn of nested clauses whose conditions hold."""
    if not clauses:
        yield environment
        return
    clause, *inner = clauses
    for item in items_of(evaluate(clause.iterable, environment), clause.iterable):
        environment.budget.work(effort, blame)
        own = {name.id: value for name, value in unpacked(clause.target, item, clause.iterable)}
        turn = with_names(environment, own)
        if all(truth_of(evaluate(test, turn), test) for test in clause.conditions):
            yield from _turns(inner, turn, effort, blame)


def with_names(environment: Environment, names: dict[str, Any], **others: Any) -> Environment:
    """What names mean where some have values of their own."""
    around: Any = environment.names  # ChainMap wants what can change, and only reads it
    return replace(environment, names=ChainMap(names, around), **others)


def unpacked(
    target: ast.Target, value: Any, walked: ast.Expression | None = None
) -> Iterator[tuple[ast.NameTarget, Any]]:
    """The names of a target, each with what it gets of a value, an item of the list walked.

    Raises:
        NetError: E302, there are more or fewer values than names.
    """
    if isinstance(target, ast.NameTarget):
        yield target, value
        return
    items = value if isinstance(value, list | tuple) else None
    if items is None or len(items) != len(target.items):
        count = 1 if items is None else len(items)
        found = {0: "no values", 1: "one value"}.get(count, f"{count} values")
        message = f"{len(target.items)} names, but {found}"
        help = _names_for(target, items or ())
        if items is None and walked is not None and len(target.items) == 2:
            help = f"`enumerate({walked.span.text})` counts the items"
        raise error("E302", message, target.span, help=help)
    for inner, item in zip(target.items, items, strict=True):
        yield from unpacked(inner, item)


def _names_for(target: ast.TupleTarget, items: Sequence[Any]) -> str | None:
    """The help for as many names as there are items, if these are few."""
    names = [inner.span.text for inner in target.items]
    names += [f"x{number}" for number in range(len(names) + 1, len(items) + 1)]
    is_plain = 1 < len(items) <= MOST_NAMES
    shown = ", ".join(names[: len(items)])
    return f"write as many names, as in `({shown})`" if is_plain else None


MOST_NAMES = 8  # that a help writes out


def _template(expression: ast.Template, environment: Environment) -> str:
    text = "".join(text_of(part, environment) for part in expression.parts)
    environment.budget.work(len(text), expression)
    return text


def text_of(piece: str | ast.Expression, environment: Environment) -> str:
    """A piece of a label or a string as text.

    Raises:
        NetError: E302, it computes what is neither a word nor an integer.
    """
    if isinstance(piece, str):
        return piece
    value = evaluate(piece, environment)
    if isinstance(value, bool) or not isinstance(value, int | str):
        message = f"a label or a string consists of words and integers, not `{spell(value)}`"
        raise error("E302", message, piece.span)
    return str(value)


def _unary(expression: ast.Unary, environment: Environment) -> Any:
    operand = evaluate(expression.operand, environment)
    if expression.operator == "not":
        return not truth_of(operand, expression.operand)
    if isinstance(operand, Word) and operand == INFINITE and expression.operator == "-":
        return Word(f"-{INFINITE}")
    number = number_of(operand, expression.operand)
    return _quotient(-number, number) if expression.operator == "-" else number


def _binary(expression: ast.Binary, environment: Environment) -> Any:
    if expression.operator in ("and", "or"):
        left = truth_of(evaluate(expression.left, environment), expression.left)
        if left == (expression.operator == "or"):
            return left
        return truth_of(evaluate(expression.right, environment), expression.right)
    left = evaluate(expression.left, environment)
    right = evaluate(expression.right, environment)
    if expression.operator == "+" and isinstance(left, list) and isinstance(right, list):
        return environment.budget.spend(left + right, expression)
    a, b = number_of(left, expression.left), number_of(right, expression.right)
    try:
        result = in_range(_ARITHMETIC[expression.operator](a, b), expression)
    except ZeroDivisionError:
        raise error("E303", "division by zero", expression.right.span) from None
    except OverflowError:
        raise too_large(expression) from None
    except ValueError:
        message = f"the negative number `{spell(a)}` has no real power of exponent `{spell(b)}`"
        help = "fractional powers take numbers from 0 on"
        raise unfit(message, expression, help) from None
    return _quotient(result, a, b)


def _quotient(result: Any, *operands: Any) -> Any:
    """The result, marked as a quotient where it is real although no operand was written so."""
    if isinstance(result, float) and all(isinstance(x, int | Quotient) for x in operands):
        return Quotient(result)
    return result


def _power(base: float, exponent: float) -> Any:
    """`base ^ exponent`, refused before an integer power grows beyond any use."""
    integers = isinstance(base, int) and isinstance(exponent, int)
    if integers and exponent * max(abs(int(base)).bit_length() - 1, 0) > 64:
        raise OverflowError
    result = base**exponent
    if isinstance(result, complex):
        raise ValueError
    return result


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "^": _power,
}

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _comparison(expression: ast.Comparison, environment: Environment) -> bool:
    values = [evaluate(operand, environment) for operand in expression.operands]
    for i, sign in enumerate(expression.operators):
        if sign in _ORDER:
            left = number_of(values[i], expression.operands[i])
            right = number_of(values[i + 1], expression.operands[i + 1])
            holds = _ORDER[sign](left, right)
        else:
            environment.budget.spend(values[i], expression.operands[i])
            holds = (values[i] == values[i + 1]) == (sign == "==")
        if not holds:
            return False
    return True


def _choice(expression: ast.Choice, environment: Environment) -> Any:
    condition = truth_of(evaluate(expression.condition, environment), expression.condition)
    return evaluate(expression.then if condition else expression.otherwise, environment)


def _attribute(expression: ast.Attribute, environment: Environment) -> Any:
    if isinstance(expression.value, ast.Name):
        found = environment.names.get(expression.value.id)
        if isinstance(found, Namespace):
            dotted = f"{expression.value.id}.{expression.name}"
            return _read(member(found, dotted, expression.span), dotted, expression.span)
    tensor = _labelled(expression, environment)
    if tensor is not None:
        return tensor_attribute(tensor, expression)
    value = evaluate(expression.value, environment)
    if isinstance(value, Word):
        label = f"{value}.{expression.name}"
        if expression.name in TENSOR_ATTRIBUTES and environment.find(label, None) is None:
            help = NO_INPUT if value == "in" else None
            raise error("E101", f"unknown name `{value}`", expression.value.span, help=help)
        return Word(label)
    if isinstance(value, Value):
        return tensor_attribute(value, expression)
    raise unfit(f"{described(value)} has no `.{expression.name}`", expression)


def _labelled(expression: ast.Attribute, environment: Environment) -> Value | None:
    """The tensor before the dot where that is a label and no other name.

    Among arguments, a word after the dot that a tensor does not have belongs to a longer label.
    """
    label = label_text(expression.value)
    if label is None or label in environment.names:
        return None
    tensor = environment.find(label, None)
    whole = environment.find(label_text(expression) or label, None) if environment.words else None
    if tensor is POISON and whole in (None, POISON):
        raise Poisoned
    if tensor is None or whole or (environment.words and expression.name not in TENSOR_ATTRIBUTES):
        return None
    return environment.find(label, expression.value.span)


def _index(expression: ast.Index, environment: Environment) -> Any:
    items = _indexed(expression.value, environment)
    index = _position(expression.index, environment)
    if not -len(items) <= index < len(items):
        message = f"index {index} is outside a list of {len(items)}"
        help = f"indices are {-len(items)} to {len(items) - 1}" if items else None
        raise error("E303", message, expression.index.span, help=help)
    return items[index]


def _slice(expression: ast.Slice, environment: Environment) -> Any:
    """Some items of a list, in order: bounds beyond its ends mean its ends."""
    items = _indexed(expression.value, environment)
    start, stop = (
        None if bound is None else _position(bound, environment)
        for bound in (expression.start, expression.stop)
    )
    return environment.budget.spend(items[start:stop], expression)


def _indexed(expression: ast.Expression, environment: Environment) -> Sequence[Any]:
    """A value that has items."""
    items = evaluate(expression, environment)
    if not isinstance(items, list | tuple):
        raise unfit(f"cannot index {described(items)}", expression)
    return items


def _position(expression: ast.Expression, environment: Environment) -> int:
    """An index, or a bound of a slice."""
    index = whole(evaluate(expression, environment))
    if not isinstance(index, int) or isinstance(index, bool):
        raise unfit(f"an index must be an integer, not {described(index)}", expression)
    return index


def effort(expression: ast.Expression) -> int:
    """How much work it is to compute an expression once: its text is longer than its tree."""
    return 4 + (expression.span.end - expression.span.start) // CHARACTERS_PER_ITEM


def _signature(function: Function) -> str:
    return ", ".join(parameter.name for parameter in function.statement.parameters)


# `calls.py` adds the rule of calls.
RULES: dict[type, Callable[[Any, Environment], Any]] = {
    ast.Number: _literal,
    ast.String: _literal,
    ast.Boolean: _literal,
    ast.Held: _literal,
    ast.Template: _template,
    ast.Size: _size,
    ast.Name: _name,
    ast.TupleOf: _tuple,
    ast.ListOf: _list,
    ast.Comprehension: _comprehension,
    ast.Unary: _unary,
    ast.Binary: _binary,
    ast.Comparison: _comparison,
    ast.Choice: _choice,
    ast.Attribute: _attribute,
    ast.Index: _index,
    ast.Slice: _slice,
}
