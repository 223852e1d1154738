"""Calls in expressions: functions of the language, of the program, and of labels."""

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...grammar import ast
from ...grammar.diagnostics import NetError, Pointer, did_you_mean, error
from ...grammar.limits import MAX_CALL_LEVELS
from ...grammar.source import Span
from .arguments import Keyword, Quotient, Word, WordCall, spell
from .budget import MOST_REMEMBERED
from .checks import asserted, in_range, too_large, too_long, unfit
from .evaluate import (
    RULES,
    Environment,
    Function,
    Namespace,
    effort,
    evaluate,
    label_text,
    member,
    with_names,
)
from .functions import FUNCTIONS, LONGEST_LIST, WALKING, TooLong, taken
from .recovery import POISON, Poisoned

MOST_CALLS_SHOWN = 4  # around an error
_PLAIN = frozenset({bool, int, float, str, Quotient, Word})  # equal ones are the same


def apply(expression: ast.Apply, environment: Environment) -> Any:
    """The value of a call: the program's own functions go before the language's.

    Raises:
        NetError: E101, there is no function of that name; what the function raises.
    """
    own = _own(expression, environment)
    if own is POISON:
        raise Poisoned
    if isinstance(own, Function):
        return _call(own, expression, environment)
    if expression.function in environment.labels:
        return _label_function(expression, environment)
    function = FUNCTIONS.get(expression.function)
    if function is None and environment.words:
        return WordCall(expression.function, tuple(_arguments(expression, environment)))
    if function is None:
        raise unknown_function(expression.function, environment, expression.span)
    positional = [a for a in expression.arguments if a.name is None]
    if len(positional) < len(expression.arguments):
        help = taken(expression.function)
        raise unfit(f"`{expression.function}` takes no keywords", expression, help)
    values = [evaluate(a.value, environment) for a in positional]
    try:
        if sum(len(value) for value in values if isinstance(value, list | tuple)) > LONGEST_LIST:
            raise TooLong
        if expression.function in WALKING:
            for value in values:
                environment.budget.spend(value, expression)
        return environment.budget.spend(in_range(function(*values), expression), expression)
    except TooLong:
        raise too_long(expression) from None
    except OverflowError:
        raise too_large(expression) from None
    except (TypeError, ValueError, ArithmeticError):
        shown = ", ".join(spell(value) for value in values)
        message = f"`{expression.function}` cannot take ({shown})"
        raise unfit(message, expression, taken(expression.function)) from None


def unknown_function(name: str, environment: Environment, span: Span) -> NetError:
    """The error for a call of what is no function, with the nearest one."""
    if name in environment.names:
        help = f"write `{name}` for the value"
        return error("E101", f"`{name}` is a value, not a function", span, help=help)
    own = (each for each, value in environment.names.items() if isinstance(value, Function))
    near = asserted(name) or did_you_mean(name, [*FUNCTIONS, *environment.labels, *own])
    return error("E101", f"unknown function `{name}`", span, help=near)


def _own(expression: ast.Apply, environment: Environment) -> Any:
    """What the program means by the name of a call, that of an import included, or None."""
    file, dot, _ = expression.function.partition(".")
    namespace = environment.names.get(file)
    if dot and isinstance(namespace, Namespace):
        start = expression.span.start
        name = Span(expression.span.source, start, start + len(expression.function))
        own = member(namespace, expression.function, name)
        is_block = environment.words and isinstance(own, Word)
        if own is not POISON and not is_block and not isinstance(own, Function):
            message = f"`{expression.function}` is a value, not a function"
            raise error("E101", message, name)
        return own
    return environment.names.get(expression.function)


def _arguments(expression: ast.Apply, environment: Environment) -> Iterator[Any]:
    """The values of a call's arguments, those with names as `Keyword`s."""
    for argument in expression.arguments:
        value = evaluate(argument.value, environment)
        yield value if argument.name is None else Keyword(argument.name, value)


def _call(function: Function, expression: ast.Apply, environment: Environment) -> Any:
    """The value of a function of the program for a call's arguments."""
    statement = function.statement
    if any(each is statement for each in environment.calls):
        names = [each.name for each in environment.calls]
        cycle = " -> ".join([*names[names.index(statement.name) :], statement.name])
        help = "compute a list with `for` in brackets instead"
        message = f"a function cannot call itself: {cycle}"
        raise error("E116", message, expression.span, help=help)
    levels = environment.levels + function.levels
    if levels > MAX_CALL_LEVELS:
        message = f"functions that call functions nest more than {MAX_CALL_LEVELS} levels deep"
        raise error("E402", message, expression.span, help="compute a part with a `let` before")
    environment.budget.work(effort(statement.value), expression)
    given = _given(function, expression, environment)
    calls = (*environment.calls, statement)
    inner = with_names(function.environment, given, calls=calls, levels=levels)
    for parameter in statement.parameters:
        if parameter.name in given:
            continue
        if parameter.default is None:
            raise error(
                "E105",
                f"`{statement.name}` needs `{parameter.name}`",
                expression.span,
                also=[Pointer(parameter.span, "which has no default")],
                help=f"give it a value, as in `{_with(expression, parameter.name)}`",
            )
        given[parameter.name] = evaluate(parameter.default, inner)
    remembered = environment.budget.remembered
    key = _likeness(function, given)
    if key in remembered:
        return remembered[key][1]
    try:
        value = evaluate(statement.value, inner)
    except NetError as failure:
        raise in_call(failure, expression.span, statement.name) from None
    if key is not None and len(remembered) < MOST_REMEMBERED:
        remembered[key] = function, value
    return value


def _likeness(function: Function, given: Mapping[str, Any]) -> Hashable | None:
    """What calls of a function that yield the same have alike; None where an argument is a list."""
    if not all(type(value) in _PLAIN for value in given.values()):
        return None
    return id(function), tuple((name, type(v), v) for name, v in given.items())


def _given(function: Function, expression: ast.Apply, environment: Environment) -> dict[str, Any]:
    """The arguments of a call by the names of a function's parameters."""
    name = function.statement.name
    parameters = [parameter.name for parameter in function.statement.parameters]
    free = iter(parameters)
    given: dict[str, Any] = {}
    for argument in expression.arguments:
        place = next(free, None) if argument.name is None else argument.name
        if place is None:
            message = f"`{name}` takes {at_most(len(parameters))}"
            raise error("E104", message, argument.span, help=_called(function))
        if place not in parameters:
            near = did_you_mean(place, parameters) or _called(function)
            raise error("E102", f"`{name}` has no argument `{place}`", argument.span, help=near)
        if place in given:
            message = f"`{name}` is given `{place}` twice"
            raise error("E106", message, argument.span, help=_called(function))
        given[place] = evaluate(argument.value, environment)
    return given


def _called(function: Function) -> str:
    """The help that says how a function of the program is called."""
    names = [f"`{parameter.name}`" for parameter in function.statement.parameters]
    if not names:
        return f"write `{function.statement.name}()`"
    return f"its parameter{' is' if len(names) == 1 else 's are'} {', '.join(names)}"


def _with(expression: ast.Apply, name: str) -> str:
    """A call with one more argument."""
    text = expression.span.text.rpartition(")")[0]
    return f"{text}{', ' if expression.arguments else ''}{name}=16)"


def at_most(count: int) -> str:
    """How many arguments something takes, in words."""
    if not count:
        return "no arguments"
    return f"at most {count} arguments" if count > 1 else "one argument"


def in_call(failure: NetError, call: Span, name: str) -> NetError:
    """An error with a pointer to the call, or calls, of what it happened in."""
    first, *rest = failure.diagnostics
    here = Pointer(call, f"in this call of `{name}`")
    if first.span == call or len(first.also) >= MOST_CALLS_SHOWN or here in first.also:
        return failure
    return NetError([replace(first, also=(*first.also, here)), *rest])


def _label_function(expression: ast.Apply, environment: Environment) -> Any:
    arguments = expression.arguments
    only = arguments[0].value if len(arguments) == 1 else None
    label = None if only is None else label_text(only)
    if isinstance(only, ast.Template):
        label = evaluate(only, environment)
    if label is None or arguments[0].name is not None:
        raise unfit(f"`{expression.function}` takes one label", expression)
    return environment.labels[expression.function](label, expression)


RULES[ast.Apply] = apply
