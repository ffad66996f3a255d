"""Memory that a model takes to detect: the peak of a process of its own, which does nothing else.

Run as a program (``python -m kpviewer.history.memory WEIGHTS IMAGE``), it prints that peak.
"""

import re
import subprocess
import sys
from pathlib import Path

from kpviewer.errors import PipelineError
from kpviewer.models.weights import load_model
from kpviewer.runtime.executor import Executor
from kpviewer.sources.images.source import load_image

_STATUS = Path("/proc/self/status")
_TIMEOUT_S = 600.0


def inference_bytes(weights: Path, image: Path) -> int | None:
    """Return the memory of a model and one image on the CPU, bytes; None where it isn't known.

    It is the peak of the resident memory of a child process, Python and torch included.

    Raises:
        PipelineError: if the process fails.
    """
    words = [sys.executable, "-m", __name__, str(weights), str(image)]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise PipelineError(
            f"The memory of {weights.name} can't be measured: {error}. Is enough memory free?"
        ) from error
    answer = done.stdout.strip()
    return int(answer) if answer.isdecimal() else None


def peak_bytes() -> int | None:
    """Return the largest resident memory of this process so far; None where it isn't known.

    On Linux, ``ru_maxrss`` would include the memory of the process that started this one.
    """
    if _STATUS.is_file():
        found = re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text(encoding="ascii"))
        return int(found[1]) * 1024 if found else None
    if sys.platform != "darwin":
        return None
    import resource  # noqa: PLC0415 - Windows has none

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _measured(weights: str, image: str) -> str:
    """Return the memory as text; empty where it isn't known."""
    bgr = load_image(Path(image))
    if bgr is not None:
        Executor(load_model(weights), "cpu", "fp32", "torch").infer(bgr)
    return str(peak_bytes() or "")


if __name__ == "__main__":
    sys.stdout.write(_measured(*sys.argv[1:]))
