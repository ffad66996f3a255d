"""Measure how long a warm start takes to its first image and its first detection.

    QT_QPA_PLATFORM=offscreen python benchmarks/start.py

Starts the demo several times, one after another, with torch if it is installed, and prints the
medians. Times count from the start of the process, as a user sees them, and not from the first line
of kpviewer. The first start fills the caches and isn't counted. Exits with 1 over the bar.
"""

import re
import statistics
import subprocess
import sys
import time

STARTS = 5
SHOWN_S = 12
"""Time after which a window closes, seconds."""
BARS_S = {"first image": 1.0, "first detection": 4.0}
_LINE = re.compile(r"Time to ([a-z ]+): ")


def start() -> dict[str, float]:
    """Start the demo once, and return the seconds to each line of its log."""
    command = [sys.executable, "-m", "kpviewer", "demo", "--log-level", "info"]
    began_s = time.perf_counter()
    seconds: dict[str, float] = {}
    with subprocess.Popen(
        [*command, "--seconds", str(SHOWN_S)], stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr or ():
            if found := _LINE.search(line):
                seconds[found[1]] = time.perf_counter() - began_s
            if set(BARS_S) <= set(seconds):
                process.terminate()
                break
    return seconds


def main() -> int:
    """Print medians and largest values; return 1 over a bar, or without a detection."""
    start()
    starts = [start() for _ in range(STARTS)]
    code = 0
    for name, bar_s in BARS_S.items():
        seconds = [each.get(name, float("inf")) for each in starts]
        median_s = statistics.median(seconds)
        code |= median_s > bar_s
        sys.stdout.write(
            f"{name}: median {median_s:.2f} s of {STARTS} starts, most {max(seconds):.2f} s, "
            f"bar {bar_s:.1f} s{', over it' if median_s > bar_s else ''}\n"
        )
    return code


if __name__ == "__main__":
    sys.exit(main())
