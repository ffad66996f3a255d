"""Score a grid keypoint detector on generated strip scenes that training never draws.

    python benchmarks/score_strip.py --model strip-grid --scenes 1000

Half of the scenes are horizontal, half vertical. Their seeds are distinct from those of training.
"""

import time
from dataclasses import replace

import click
import numpy as np

from kpviewer.evaluation.localisation import localisation_rows
from kpviewer.evaluation.text import text_table
from kpviewer.metrics.localisation import localisation_table
from kpviewer.models.loading import open_model
from kpviewer.models.selection import select
from kpviewer.runtime.executor import Executor
from kpviewer.sources.synthetic.strip.scenes import scene_for_test

SIZES = ((320, 1920), (1920, 320))


@click.command()
@click.option("--model", default="strip-grid", show_default=True)
@click.option("--scenes", type=click.IntRange(2), default=1000, show_default=True)
@click.option("--engine", default="auto", show_default=True)
def main(model: str, scenes: int, engine: str) -> None:
    """Print the scores of each class and the time for one image."""
    runner = Executor(open_model(model), "cpu", backend=engine)
    for size in SIZES:
        runner.warm_up(size)
    thresholds = replace(runner.spec.thresholds, classes=None)
    seen, ground_truths, times_ms = [], [], []
    for number in range(scenes):
        bgr, ground_truth = scene_for_test(number, SIZES[number % 2])
        began = time.perf_counter()
        candidates, _ = runner.infer(bgr)
        times_ms.append((time.perf_counter() - began) * 1e3)
        seen.append(select(candidates, thresholds))
        ground_truths.append(ground_truth)
    table = localisation_table(seen, ground_truths, runner.spec.class_names)
    print(text_table(localisation_rows(table)))
    p50, p95 = np.percentile(times_ms, (50, 95))
    where = f"{runner.device_name}, {runner.backend}"
    print(f"{p50:.1f} ms an image (95 % under {p95:.1f}) on {where}")


if __name__ == "__main__":
    main()
