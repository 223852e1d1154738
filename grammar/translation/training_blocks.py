"""Settings of training that stand outside a `train` block, or are written with colons in one."""

import re
from collections.abc import Sequence

from ..diagnostics import Diagnostic
from ..source import Source, Span
from .call_text import arguments_of, closing
from .settings import corrected_setting

FITTED = r"(?:\w+\.(?:compile|fit|train)|compile|fit)\((.*)\)"
_FITTED = re.compile(r"[ \t]*" + FITTED)
_OURS = "data|split|preprocess|augment|loss|regularize|optimizer|schedule|batch|epochs|seed"
_SETTING = re.compile(r"[ \t]*(([A-Za-z_]\w*)\s*=(?!=)\s*[^\n#]+)")
_ONE_BLOCK = "remove the line: one block holds all settings"
_MOST_LINES = 20  # settings that stand below each other
_LONGEST = 2000  # characters of calls that are looked at


def _setting(text: str, offset: int) -> tuple[re.Match[str], str] | None:
    """A setting of training on the line at an offset, ours or another's, and what to do with it."""
    match = _SETTING.match(text, text.rfind("\n", 0, offset) + 1)
    if match is None or _in_train(text, match.start()):
        return None
    name, value = match[2], match[1].partition("=")[2].strip()
    if name in _OURS.split("|"):
        return match, f"write `train {{ {match[1].strip()} }}`"
    help = corrected_setting(name, _number(value), value)
    if help is None:
        return None
    return match, re.sub(r"^write `(.*?)`", r"write `train { \1 }`", help)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _in_train(text: str, offset: int) -> bool:
    return re.search(r"\btrain\s*\{[^}]*\Z", text[:offset]) is not None


def train_block(arguments: str) -> str:
    """The settings of `model.fit(x, y, epochs=3)` as a block; a rate goes to its optimizer."""
    settings: dict[str, str] = {}
    for name, text in arguments_of(arguments):
        value = text.strip("\"'")
        ours = f"{name} = {value}" if name in _OURS.split("|") else None
        if ours is None and name is not None:
            found = re.match("write `(.*?)`", corrected_setting(name, _number(value), value) or "")
            ours = found[1] if found else None
        if ours is not None:
            key, _, value = ours.partition(" = ")
            settings[key] = _with_rate(settings.get(key), value)
    inside = ", ".join(f"{name} = {value}" for name, value in settings.items())
    return f"train {{ {inside or '...'} }}"


def fitted(match: re.Match[str]) -> str:
    """What `model.compile(...)` and `model.fit(...)` say together, at the first of them."""
    if re.search(r"^[ \t]*train\s*\{", match.string[: match.start()], re.MULTILINE):
        return _ONE_BLOCK
    calls = [*match.re.finditer(match.string, max(match.start() - _LONGEST, 0))]
    if any(call.start() < match.start() for call in calls):
        return _ONE_BLOCK
    arguments = ", ".join(call[1].strip().rstrip(",") for call in calls)
    return f"write `{train_block(arguments)}`"


def _with_rate(optimizer: str | None, value: str) -> str:
    """A bare optimizer and the rate that was given apart from it, in one."""
    bare, rated = (optimizer, value) if value.startswith("sgd(") else (value, optimizer or "")
    if bare is None or not rated.startswith("sgd(") or not bare.isidentifier():
        return value
    return bare.lower() + rated.removeprefix("sgd")


def misplaced_setting(source: Source, offset: int) -> str | None:
    """Help for a setting of training that stands alone, such as `optimizer = adam`."""
    if match := _FITTED.match(source.text, offset):
        return fitted(match)
    found = _settings_around(source.text, offset)
    if found is None:
        return None
    above, help = found
    return help if above[0].end() >= offset else _ONE_BLOCK


def with_colons(source: Source, start: int, offset: int) -> Diagnostic | None:
    """A `train` block whose settings are written with colons."""
    text = source.text
    opening = text.rfind("{", 0, offset + 1)
    end = closing(text, opening) if opening >= 0 else -1
    word = re.search(r"\btrain\s*\Z", text[:opening]) if end >= offset else None
    body = text[opening + 1 : end]
    colons = len(re.findall(r"\w\s*:\s*[^:]", body))
    if word is None or "{" in body or colons < 2:  # a single one is reported where it stands
        return None
    written = re.sub(r",?[ \t]*\n", ",", with_equals(body).strip())
    span = Span(source, word.start(), end + 1)
    return Diagnostic(
        "E011", "a setting is written with `=`", span, help=f"write `{train_block(written)}`"
    )


def with_equals(body: str) -> str:
    """Settings with `=` in place of colons."""
    return re.sub(r"(?m)(^|,)\s*[\"']?(\w+)[\"']?\s*:", r"\1 \2 =", body)


def misplaced(source: Source, start: int, offset: int) -> Diagnostic | None:
    """Settings of training outside a `train` block, those above and below included."""
    found = _settings_around(source.text, offset)
    if found is None or not found[0][0].start() <= offset <= found[0][-1].end():
        return None
    matches, help = found
    span = Span(source, matches[0].start(1), matches[-1].end(1))
    message = "a setting of training stands in a `train` block"
    return Diagnostic("E011", message, span, help=help)


def _settings_around(text: str, offset: int) -> tuple[Sequence[re.Match[str]], str] | None:
    """The setting at an offset with those above and below it, and what to do with them."""
    found = _setting(text, offset)
    if found is None:
        return None
    matches = [found[0]]
    while len(matches) < _MOST_LINES and (above := _block_setting(text, matches[0].start() - 1)):
        matches.insert(0, above)
    while len(matches) < _MOST_LINES and (below := _block_setting(text, matches[-1].end() + 1)):
        matches.append(below)
    if len(matches) == 1 or not found[1].startswith("write `"):
        return found[:1], found[1]
    return matches, f"write `{train_block(', '.join(match[1].strip() for match in matches))}`"


def _block_setting(text: str, offset: int) -> re.Match[str] | None:
    """The setting on the line at an offset, if it is one that a `train` block holds."""
    found = _setting(text, offset) if 0 <= offset < len(text) else None
    return found[0] if found is not None and found[1].startswith("write `") else None
