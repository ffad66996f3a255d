"""Process of one side: it loads the model, then runs a video for each line of its input.

Reads JSON lines with ``video``, ``draws`` and ``target``; answers each with ``seconds``, ``boxes``
and ``cpu_seconds``. Waiting, it uses no processor time.
"""

import json
import os
import sys
import time
from pathlib import Path

from benchmarks.rivals.sides import Asked, open_side

os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")


def main() -> None:
    """Serve until the input ends."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what the packages print is no answer
    name, model, confidence, iou = sys.argv[1:]
    side = open_side(name, Asked(Path(model), float(confidence), float(iou)))
    for line in sys.stdin:
        task = json.loads(line)
        target = Path(task["target"]) if task["target"] else None
        began_s, cpu_s = time.perf_counter(), time.process_time()
        boxes = side.run(Path(task["video"]), task["draws"], target)
        answer = {
            "seconds": time.perf_counter() - began_s,
            "cpu_seconds": time.process_time() - cpu_s,
            "boxes": boxes,
            "versions": side.versions,
        }
        answers.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
