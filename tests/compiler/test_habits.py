"""Programs as people bring them from elsewhere: following the help leads to one that compiles."""

import re
from pathlib import Path

import pytest
from support.advice import places
from support.refusals import refusal

import netc

TABLE = Path(__file__).with_name("habits.txt")
PROGRAMS = [text.strip("\n") for text in TABLE.read_text(encoding="utf-8").split("\n====\n")]
MOST_PROGRAMS = 400  # that are tried for one
_CODE = re.compile(r"`([^`]+)`")


def followed(program: str) -> str | None:
    """A program that the helps lead to, each put in the place of what it is about."""
    waiting, seen = [program], {program}
    while waiting and len(seen) < MOST_PROGRAMS:
        current = waiting.pop(0)
        try:
            netc.compile(current)
        except netc.NetError as failure:
            found = failure.diagnostics[0]
        else:
            return current
        if found.help is None or found.span is None:
            continue
        removed = [""] if found.help.startswith("remove the line") else []
        for code in [*removed, *_CODE.findall(found.help)]:
            for start, end in places(current, found.span.start, found.span.end):
                following = current[:start] + code + current[end:]
                if code.startswith("let "):
                    following = f"{code}\n{current}"
                if following not in seen:
                    seen.add(following)
                    waiting.append(following)
    return None


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda text: text[:60])
def test_following_the_help_leads_to_a_program(program: str) -> None:
    """Written with the habits of Keras, PyTorch, Caffe or a whiteboard, and mended by its helps."""
    assert followed(program) is not None, refusal(netc.compile, program)
