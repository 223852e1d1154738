"""The figures of how short networks are: what counts, and that the documentation has them."""

import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "specs.md"
PYTHON = '''
"""A file."""
from torch import nn
from .parts import Block, unused

WIDTH = 64  # features
OTHER = 1


@wrapped
def net(width: int = WIDTH) -> nn.Module:
    """A network."""
    # made of
    return nn.Sequential(Block(width))
'''
PARTS = """
class Block(nn.Module):
    pass


unused = 1
"""


@pytest.fixture
def brevity(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The program that counts."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import brevity

    return brevity


def test_what_is_read_counts(brevity: ModuleType, tmp_path: Path) -> None:
    """Neither docstrings, comments, decorators and annotations, nor what the network lacks."""
    (tmp_path / "parts.py").write_text(PARTS)
    (tmp_path / "net.py").write_text(PYTHON)
    found = brevity.of_function(brevity.File(tmp_path, tmp_path / "net.py"), "net")
    definition = "def net ( width : = WIDTH ) -> :".split()
    returned = "return nn . Sequential ( Block ( width ) )".split()
    parts = "class Block ( nn . Module ) : pass".split()
    assert found.tokens == len([*definition, *returned, *parts, "WIDTH", "=", "64"])
    assert found.lines == 1 + 1 + 2 + 1


def test_a_spec_has_its_part_of_the_library(brevity: ModuleType) -> None:
    """ResNet-18 takes basic blocks, and no bottlenecks."""
    own, library = brevity.of_spec("resnet18")
    whole = (ROOT / "specs" / "lib" / "resnet.net").read_text(encoding="utf-8")
    text = (ROOT / "specs" / "resnet" / "resnet18.net").read_text(encoding="utf-8")
    stated = [line for line in text.splitlines() if line and not line.startswith("#")]
    taken = whole[whole.index("block Shortcut") : whole.index("# Four times")].splitlines()
    held = whole[whole.index("block Basics") : whole.index("# With a dilation")].splitlines()
    assert own.lines == len(stated)
    assert library.lines == 1 + sum(1 for line in (*taken, *held) if line and line[0] != "#")


def test_the_page_has_what_is_counted(brevity: ModuleType, update_golden: bool) -> None:
    """The columns that need no other package; `--update-golden` writes those of netc."""
    page = PAGE.read_text(encoding="utf-8")
    for name in {*brevity.NETWORKS, *brevity.BY_HAND}:
        row = f"| {' | '.join(brevity.of_netc(name))} |"
        page = re.sub(rf"^\| {name} (\|[^|]*){{3}}\|", row, page, flags=re.MULTILINE)
    if update_golden:
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page
    for row in brevity.by_hand():
        assert f"| {' | '.join(row)} |" in page
    for name in brevity.NETWORKS:
        assert f"\n| {name} |" in page
