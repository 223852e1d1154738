"""What can appear in a place: sets of token types, and their names in words."""

_SIGNS = {
    "EQUAL": "`=`",
    "COMMA": "`,`",
    "COLON": "`:`",
    "RPAR": "`)`",
    "RSQB": "`]`",
    "RBRACE": "`}`",
    "LBRACE": "`{`",
    "VBAR": "`|`",
    "_ARROW": "`->`",
    "CALL_LPAR": "`(`",
    "IN": "`in`",
    "_THEN": "`then`",
    "_ELSE": "`else`",
    "STRING": "a string",
    "INT": "an integer",
    "WORD": "a word",
    "NAME": "a name",
    "STAR": "`*`",
}
STEP_STARTS = {"NAME", "LPAR", "LSQB", "FOR", "IF", "IN", "SHORTHAND"}
VALUE_STARTS = {
    "NAME",
    "INT",
    "NUMBER",
    "SIZE",
    "STRING",
    "YES",
    "NO",
    "LPAR",
    "LSQB",
    "ADDOP",
    "NOT",
}
OPERATORS = {"STAR", "SLASH", "DSLASH", "PCT", "CARET", "ADDOP", "CMP", "AND", "OR"}


# Families, the widest first: what must all be there, what to call it, and what it makes needless.
_FAMILIES = (
    ({"LET"}, "a new statement", STEP_STARTS),
    (VALUE_STARTS, "a value", VALUE_STARTS | {"IF", "IN"}),
    (STEP_STARTS - {"IN"}, "a step", STEP_STARTS),
    (OPERATORS, "an operator", OPERATORS),
)


def described(expected: frozenset[str]) -> str:
    """A set of token types in words, or nothing for one that has none.

    Large families go by one name, and signs one by one.
    """
    words = []
    rest = set(expected)
    for family, name, covered in _FAMILIES:
        if rest >= family:
            words.append(name)
            rest -= covered
    words += [sign for name, sign in _SIGNS.items() if name in rest]
    if not words:
        return ""
    return "expected " + (
        words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
    )
