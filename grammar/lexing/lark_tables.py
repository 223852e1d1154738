"""What Lark makes of a grammar, as plain numbers and texts; the only file that imports it."""

from collections.abc import Sequence
from typing import Any

from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from .kept_tables import Tables


def make_tables(grammar: str, starts: Sequence[str]) -> Tables:
    """The tables of a grammar: its terminals, its rules and an LALR(1) automaton.

    Returns:
        terminals: Name and pattern, in the order in which Lark tries them.
        rules: Name of the nonterminal, number of parts, name of the builder's method, whether a
            lone part stands for the whole, and which parts are kept: (index, whether it is a list
            whose items are taken in its place); None where all are kept as they are.
        states: By state what to do at a terminal, or where a nonterminal leads: a state that is
            pushed, or -1 - i to reduce by rule i.
        starts: The first state by start rule.
    """
    options: dict[str, Any] = {"start": [*starts], "maybe_placeholders": False}
    lark = Lark(grammar, parser="lalr", lexer="contextual", **options)
    data, memo = lark.memo_serialize([TerminalDef, Rule])
    automaton = data["parser"]["parser"]
    rules = {place: each for place, each in memo.items() if each["__type__"] == "Rule"}
    number = {place: i for i, place in enumerate(rules)}
    symbols = automaton["tokens"]
    states = {
        state: {
            symbols[symbol]: -1 - number[target["@"]] if is_reduction else target
            for symbol, (is_reduction, target) in actions.items()
        }
        for state, actions in automaton["states"].items()
    }
    for end in automaton["end_states"].values():
        states[end]["$END"] = end
    lexer: Any = lark.parser.lexer
    return {
        "terminals": [(each.name, each.pattern.to_regexp()) for each in lexer.root_lexer.terminals],
        "rules": [_rule(each) for each in rules.values()],
        "states": states,
        "starts": automaton["start_states"],
    }


def _rule(rule: dict[str, Any]) -> tuple[Any, ...]:
    parts = rule["expansion"]
    kept = [
        (place, each["__type__"] == "NonTerminal" and each["name"].startswith("_"))
        for place, each in enumerate(parts)
        if not each.get("filter_out")
    ]
    is_plain = len(kept) == len(parts) and not any(is_list for _, is_list in kept)
    name = rule["origin"]["name"]
    is_single = rule["options"]["expand1"] and not rule["alias"]
    method = rule["alias"] or name
    return name, len(parts), method, is_single, None if is_plain else kept
