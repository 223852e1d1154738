"""How long the command line takes to answer, and what checking a huge network costs in memory.

Prints a Markdown table. One process per run, medians of 15.
"""

import sys
from pathlib import Path

from measure import markdown, medians, netc, run

LENET = str(Path(__file__).resolve().parents[1] / "specs" / "lenet5.net")
# 40,000 x 40,000 weights: 6.4 GB in float32, none of which may be allocated.
HUGE = "INPUT(200x200) -> FC(40000, bias=no)"
HUGE_PARAMETERS = 1_600_000_000

CASES = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "import netc": [sys.executable, "-c", "import netc"],
    "netc --help": netc("--help"),
    "netc check, LeNet-5": netc("check", LENET),
    "netc check, 1.6 G parameters": netc("check", HUGE),
}


def main() -> None:
    """Measure every case and print the table."""
    counted = run([sys.executable, "-c", f"import netc; print(netc.compile({HUGE!r}).params)"])
    if int(counted.output) != HUGE_PARAMETERS:
        sys.exit(f"the huge network has {counted.output.strip()} parameters")
    rows = []
    for name, command in CASES.items():
        seconds, mebibytes = medians(command, repeat=15)
        rows.append([name, f"{1000 * seconds:.0f}", f"{mebibytes:.0f}"])
    print(markdown(["run", "ms", "peak MiB"], rows))


if __name__ == "__main__":
    main()
