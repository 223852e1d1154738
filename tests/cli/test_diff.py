"""`netc diff`: exit statuses, words, JSON."""

import json
from pathlib import Path

from support.command_line import netc

BEFORE = "INPUT -> CONV(8) -> RELU -> POOL -> FC(10)"
AFTER = "INPUT -> CONV(16) -> BN -> RELU -> POOL -> FC(10)"


def test_equal(tmp_path: Path) -> None:
    """The same network in other words is no difference, and the status is 0."""
    found = netc(
        "diff", BEFORE, "INPUT(32x32x3)\n-> conv3-8 -> RELU -> POOL(2x2) -> fc-10", cwd=tmp_path
    )
    assert (found.status, found.out, found.err) == (0, "no difference\n", "")


def test_different(tmp_path: Path) -> None:
    """A line per change, then the counts; the status is 1."""
    found = netc("diff", BEFORE, AFTER, cwd=tmp_path)
    assert (found.status, found.err) == (1, "")
    assert found.out == (
        "changed  `conv1`: filters 8 -> 16; output 32x32x8 -> 32x32x16; parameters 224 -> 448\n"
        "added    `bn1`: BN after `conv1`, 32 parameters\n"
        "follows  `relu1`: output 32x32x8 -> 32x32x16\n"
        "follows  `pool1`: output 16x16x8 -> 16x16x16\n"
        "follows  `fc1`: parameters 20,490 -> 40,970\n"
        "\n"
        "             before      after  difference\n"
        "layers            5          6          +1\n"
        "parameters   20,714     41,450     +20,736\n"
        "MACs        241,664    483,328    +241,664\n"
        "FLOPs       507,914  1,048,586    +540,672\n"
    )


def test_json(tmp_path: Path) -> None:
    """Standard output is one JSON object and nothing else."""
    found = netc("diff", "--json", BEFORE, AFTER, cwd=tmp_path)
    assert (found.status, found.err) == (1, "")
    data = json.loads(found.out)
    assert not data["equal"]
    kinds = [change["change"] for change in data["changes"]]
    assert kinds == ["changed", "added", "follows", "follows", "follows"]
    first, added = data["changes"][:2]
    assert first["before"]["arguments"]["filters"] == 8
    assert first["after"]["output"] == "32x32x16"
    assert first["differences"][2] == {"what": "parameters", "before": 224, "after": 448}
    assert added["before"] is None
    assert added["after"]["inputs"] == ["conv1"]
    expected = {"before": 20714, "after": 41450, "difference": 20736}
    assert data["totals"]["parameters"] == expected


def test_json_of_equal_networks(tmp_path: Path) -> None:
    """Equal networks give JSON, too: without changes."""
    found = netc("diff", "--json", BEFORE, "-", cwd=tmp_path, stdin=BEFORE.encode())
    data = json.loads(found.out)
    assert (found.status, data["equal"], data["changes"]) == (0, True, [])


def test_errors_in_both(tmp_path: Path) -> None:
    """Errors of both programs are shown on standard error; the status is not that of a change."""
    found = netc("diff", "INPUT -> CONVV", "missing.net", cwd=tmp_path)
    assert (found.status, found.out) == (2, "")
    assert "error[E101]" in found.err
    assert "error[E001]" in found.err


def test_wrong_usage(tmp_path: Path) -> None:
    """One program is wrong usage."""
    assert netc("diff", BEFORE, cwd=tmp_path).status == 2
