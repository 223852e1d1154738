"""How long the shipped specs take: all of them in one `netc check`, and ResNet-152 alone.

Prints a Markdown table. One process per run, medians of 5, in processor time, which other processes
on the machine hardly change.
"""

import sys
from statistics import median

from measure import markdown, netc, run

from netc.sources import zoo

REPEAT = 5

CHILD = """
import sys, time
import netc
start = time.process_time()
netc.load("zoo:" + sys.argv[1])
print(time.process_time() - start)
"""


def main() -> None:
    """Measure and print the table."""
    paths = [str(path) for path in zoo().values()]
    whole = [run(netc("check", *paths)) for _ in range(REPEAT)]
    alone = [run([sys.executable, "-c", CHILD, "resnet152"]) for _ in range(REPEAT)]
    rows = [
        [
            f"netc check, {len(paths)} specs",
            f"{median(u.processor for u in whole):.2f}",
            f"{median(u.mebibytes for u in whole):.0f}",
        ],
        [
            "compile ResNet-152",
            f"{median(float(u.output) for u in alone):.2f}",
            f"{median(u.mebibytes for u in alone):.0f}",
        ],
    ]
    print(markdown(["run", "processor s", "peak MiB"], rows))


if __name__ == "__main__":
    main()
