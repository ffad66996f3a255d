"""Read thousands of damaged files with every reader: each must be read, or refused with a message.

    python -m benchmarks.fuzz_readers                          # all readers, 2,000 files each
    python -m benchmarks.fuzz_readers weights onnx-toml --count 200 --seed 7

A *finding* is an exception that isn't a ``KpviewerError``, a file that takes over 10 s of processor
time (the first of a process also imports libraries), or one that takes over 2 GB of memory. Files
are read in forked processes, which require Linux or macOS; memory is measured on Linux.
``--only INDEX`` repeats one file of a reader and keeps it.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

import click

from benchmarks.fuzz_readers.readers import READERS
from benchmarks.fuzz_readers.running import FINE, read_damaged, run, write_damaged


@click.command
@click.argument("names", nargs=-1)
@click.option("--count", default=2_000, show_default=True, help="Damaged files for each reader.")
@click.option("--seed", default=0, show_default=True, help="Of the damage.")
@click.option("--seconds", default=10.0, show_default=True, help="That one file may take.")
@click.option("--megabytes", default=2_048.0, show_default=True, help="That one file may take.")
@click.option("--only", type=int, help="Write and read one file in this process; keep it.")
def main(
    names: tuple[str, ...],
    count: int,
    seed: int,
    seconds: float,
    megabytes: float,
    only: int | None,
) -> None:
    """Fuzz the readers NAMES, by default all; exit with 1 if there are findings."""
    unknown = sorted(set(names) - set(READERS))
    if unknown:
        raise click.BadParameter(f"no reader {unknown[0]!r}; there are {', '.join(READERS)}")
    if only is not None:
        path = write_damaged(names[0], only, seed, Path(tempfile.mkdtemp()))
        print(path, *read_damaged(names[0], path))
        return
    found = 0
    for name in names or READERS:
        kinds: Counter[str] = Counter()
        slowest = largest = 0.0
        slowest_at = 0
        for finding in run(name, count, seed, seconds, megabytes):
            kinds[finding.kind] += 1
            if finding.seconds > slowest:
                slowest, slowest_at = finding.seconds, finding.index
            largest = max(largest, finding.megabytes)
            if finding.kind not in FINE:
                found += 1
                print(
                    f"  {name} --only {finding.index}: {finding.kind}: {finding.detail}", flush=True
                )
        text = ", ".join(f"{number:,} {kind}" for kind, number in sorted(kinds.items()))
        print(
            f"{name}: {text}; slowest {slowest:.1f} s (--only {slowest_at}), most {largest:.0f} MB",
            flush=True,
        )
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
