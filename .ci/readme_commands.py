"""README.md in, one of its two commands out.

CI runs what the reader is told to run, so both commands are read from the README, each from a
fenced block of its own, which holds one line:

    ```sh install
    ```sh test

`readme_commands.py install` prints the first, `readme_commands.py test` the second. A README that
does not hold exactly one command of each kind is an error.
"""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
KINDS = ("install", "test")
BLOCK = re.compile(r"^```sh[ \t]+(?P<kind>\w+)[ \t]*\n(?P<body>.*?)^```[ \t]*$", re.M | re.S)


def commands(text: str) -> dict[str, str]:
    """The command of each kind.

    Raises:
        ValueError: A kind is missing, unknown or there twice, or a block is not one line.
    """
    found: dict[str, str] = {}
    for match in BLOCK.finditer(text):
        kind, lines = match["kind"], match["body"].strip().splitlines()
        if kind not in KINDS:
            raise ValueError(f"block `sh {kind}` is none of {', '.join(KINDS)}")
        if kind in found:
            raise ValueError(f"two blocks `sh {kind}`")
        if len(lines) != 1 or lines[0].startswith("$"):
            raise ValueError(f"block `sh {kind}` is not one command on one line")
        found[kind] = lines[0]
    if missing := [kind for kind in KINDS if kind not in found]:
        raise ValueError(f"no block `sh {missing[0]}`")
    return found


def main(arguments: list[str]) -> int:
    """Print the command that the only argument names; 2 is wrong usage, 1 a wrong README."""
    if len(arguments) != 1 or arguments[0] not in KINDS:
        print(f"usage: readme_commands.py {'|'.join(KINDS)}", file=sys.stderr)
        return 2
    try:
        print(commands(README.read_text(encoding="utf-8"))[arguments[0]])
    except ValueError as problem:
        print(f"README.md: {problem}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
