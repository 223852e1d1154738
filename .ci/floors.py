"""pyproject.toml in, its lower bounds as pins out.

`floors.py EXTRA...` prints `lark==1.1.9` for `lark>=1.1.9`, and so for every dependency and extra.
Requirements without `>=` (the linters, and `netc` with its own extras) are left out.
"""

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
FLOOR = re.compile(r"(?P<name>[\w.-]+)(?P<extras>\[[^]]*\])?>=(?P<version>[\w.]+)")


def floors(requirements: list[str]) -> list[str]:
    """The pin of every requirement that has a lower bound."""
    matches = [FLOOR.match(requirement.replace(" ", "")) for requirement in requirements]
    return [f"{m['name']}{m['extras'] or ''}=={m['version']}" for m in matches if m]


def main(extras: list[str]) -> None:
    """Print the pins of the dependencies and of the extras."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    requirements = list(project["dependencies"])
    for extra in extras:
        requirements += project["optional-dependencies"][extra]
    print("\n".join(floors(requirements)))


if __name__ == "__main__":
    main(sys.argv[1:])
