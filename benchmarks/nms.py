"""Measure NMS on random boxes, of which every class has its share, and print a Markdown table.

python benchmarks/nms.py
"""

import statistics
import time

import numpy as np

from kpviewer.models.nms import nms
from kpviewer.structures import NmsKind, Thresholds

CASES = ((400, 1), (400, 20), (4000, 80))
"""Numbers of boxes and of classes."""
KINDS = (NmsKind.HARD, NmsKind.SOFT_LINEAR, NmsKind.SOFT_GAUSSIAN)
RUNS = 31
FLOOR = 0.02


def median_ms(boxes: int, classes: int, kind: NmsKind) -> float:
    """Return the median time of NMS, ms."""
    random = np.random.default_rng(0)
    corner, sides = random.uniform(0, 600, (boxes, 2)), random.uniform(20, 120, (boxes, 2))
    xyxy = np.concatenate([corner, corner + sides], 1).astype(np.float32)
    scores = random.uniform(FLOOR, 1, boxes).astype(np.float32)
    class_ids, thresholds = random.integers(0, classes, boxes), Thresholds(nms=kind)
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        nms(xyxy, scores, class_ids, thresholds, FLOOR)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def main() -> None:
    """Print the table."""
    print("| boxes | classes | " + " | ".join(f"{kind}, ms" for kind in KINDS) + " |")
    print("|---|---|" + "---|" * len(KINDS))
    for boxes, classes in CASES:
        cells = [f"{median_ms(boxes, classes, kind):.2f}" for kind in KINDS]
        print(f"| {boxes:,} | {classes} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
