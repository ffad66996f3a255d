"""Reading of damaged files in processes that may hang, take memory or be killed (Linux, macOS)."""

import json
import os
import resource
import select
import shutil
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

from benchmarks.fuzz_readers.readers import READERS
from kpviewer.errors import KpviewerError

FINE = ("read", "refused")
_WALL_FACTOR = 6
"""Ratio of allowed wall-clock time to allowed CPU time: a machine may be busy."""
_SAFETY_FACTOR = 2
"""Ratio of a process's address space to the allowed memory."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Outcome of one damaged file."""

    index: int
    kind: str
    """"read", "refused", or the finding: "uncaught", "hang", "memory", "killed", "unwritten"."""
    detail: str
    seconds: float
    megabytes: float
    """Growth of the process's memory."""


def write_damaged(name: str, index: int, seed: int, folder: Path) -> Path:
    """Write one damaged file of a reader; it depends only on name, index and seed."""
    return READERS[name].write(folder, Random(f"{name} {seed} {index}"))


def read_damaged(name: str, path: Path) -> tuple[str, str]:
    """Read a file; return the outcome and the message."""
    try:
        READERS[name].read(path)
    except KpviewerError as error:
        lines = str(error).splitlines()
        if len(lines) > 2 or len(str(error)) > 1_000:
            return "uncaught", f"a message of {len(lines)} lines, {len(str(error))} characters"
        return "refused", str(error)
    except BaseException as error:
        frames = traceback.extract_tb(error.__traceback__)[-4:]
        places = " < ".join(f"{Path(each.filename).name}:{each.lineno}" for each in frames[::-1])
        return "uncaught", f"{type(error).__name__}: {str(error)[:150]} at {places}"
    return "read", ""


def run(name: str, count: int, seed: int, seconds: float, megabytes: float) -> Iterator[Finding]:
    """Read ``count`` damaged files with a reader, in processes that are replaced if they end."""
    start = 0
    while start < count:
        for finding in _run_process(name, start, count, (seed, seconds, megabytes)):
            yield finding
            start = finding.index + 1


def _run_process(
    name: str, start: int, count: int, limits: tuple[int, float, float]
) -> Iterator[Finding]:
    seed, seconds, megabytes = limits
    receiving, sending = os.pipe()
    folder = Path(tempfile.mkdtemp(prefix="kpviewer-fuzz-"))
    child = os.fork()
    if child == 0:
        os.close(receiving)
        _work(name, range(start, count), (seed, megabytes), folder, sending)
    os.close(sending)
    index, ended = start, False
    try:
        with os.fdopen(receiving, "rb") as pipe:
            while index < count and not ended:
                ready, _, _ = select.select([pipe], [], [], _WALL_FACTOR * seconds)
                line = pipe.readline() if ready else None
                if line:
                    values = json.loads(line)
                    kind = values[0]
                    if kind in FINE and values[3] > seconds and index != start:
                        kind = "hang"
                    elif kind in FINE and values[2] > megabytes:
                        kind = "memory"
                    yield Finding(index, kind, *values[1:2], values[3], values[2])
                else:
                    ended = True
                    kind = "hang" if line is None else "killed"
                    yield Finding(index, kind, f"the process was {kind}", seconds, 0.0)
                index += 1
    finally:
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        shutil.rmtree(folder, ignore_errors=True)


def _work(name: str, indices: range, limits: tuple[int, float], folder: Path, sending: int) -> None:
    """Read file after file and report each on a line; never returns."""
    seed, megabytes = limits
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    warnings.simplefilter("ignore")
    for index in indices:
        inside = folder / str(index)
        inside.mkdir()
        try:
            path = write_damaged(name, index, seed, inside)
        except Exception:
            _report(
                sending, "unwritten", traceback.format_exc()[-600:].replace(chr(10), " "), 0.0, 0.0
            )
            continue
        before, size = _memory("VmRSS"), _memory("VmSize")
        if size and index != indices.start:  # the first one imports libraries
            most = int((size + _SAFETY_FACTOR * megabytes) * 2**20)
            resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))
        _forget_peak()
        began = time.process_time()
        kind, detail = read_damaged(name, path)
        taken = time.process_time() - began
        grown = max(0.0, _memory("VmHWM") - before)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        shutil.rmtree(inside, ignore_errors=True)
        _report(sending, kind, detail[:600], grown, taken)
    os._exit(0)


def _report(sending: int, kind: str, detail: str, grown: float, taken: float) -> None:
    os.write(sending, json.dumps([kind, detail, grown, taken]).encode() + b"\n")


def _memory(entry: str) -> float:
    """Return an entry of the process's status in MB; 0 if the system has none."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith(entry + ":"):
                return int(line.split()[1]) / 1024
    return 0.0


def _forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
