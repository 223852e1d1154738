"""How compile time and memory grow with the number of layers, written out and as a repetition.

Prints a Markdown table. Each size is compiled in a separate process, which prints the seconds
that `netc.compile` took; the peak memory is the process's.
"""

import sys
from statistics import median

from measure import markdown, run

LAYERS = {"text": (1_000, 10_000, 100_000), "repetition": (1_000, 10_000, 100_000)}
PAIR = "CONV(3x3, 8) -> RELU"
REPEAT = 3

CHILD = """
import sys, time
import netc
pairs, form = int(sys.argv[1]), sys.argv[2]
pair = sys.argv[3]
body = f"[{pair}]*{pairs}" if form == "repetition" else " -> ".join([pair] * pairs)
text = f"INPUT(8x8x8) -> {body}"
start = time.perf_counter()
net = netc.compile(text, max_layers=200_000)
print(time.perf_counter() - start, net.params)
"""


def compiled(layers: int, form: str) -> tuple[float, float]:
    """The medians of seconds and of peak MiB for `layers` layers, the input among them."""
    pairs = layers // 2 - 1
    usages = [run([sys.executable, "-c", CHILD, str(pairs), form, PAIR]) for _ in range(REPEAT)]
    outputs = [usage.output.split() for usage in usages]
    if {int(params) for _, params in outputs} != {pairs * (3 * 3 * 8 * 8 + 8)}:
        sys.exit(f"{layers} layers, {form}: unexpected parameters {outputs[0][1]}")
    return median(float(s) for s, _ in outputs), median(u.mebibytes for u in usages)


def main() -> None:
    """Measure every size in both forms and print the table."""
    rows = []
    for form, sizes in LAYERS.items():
        for layers in sizes:
            seconds, mebibytes = compiled(layers, form)
            rows.append([f"{layers:,} layers, {form}", f"{seconds:.2f}", f"{mebibytes:.0f}"])
    print(markdown(["network", "s", "peak MiB"], rows))


if __name__ == "__main__":
    main()
