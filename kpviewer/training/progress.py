"""Progress of a run: a progress bar, CSV files, a plot of them, and TensorBoard."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from tqdm import tqdm

from kpviewer.training.board import Board
from kpviewer.training.config import TrainConfig
from kpviewer.training.loop import StepReport

LOG, SCORES, PLOT = "log.csv", "scores.csv", "progress.png"
_SMOOTHING = 0.02
_PLOT_EVERY_S = 60.0


class Progress:
    """Writes the progress of one run; files of a resumed run are continued.

    Raises:
        PipelineError: if TensorBoard is switched on and not installed.
    """

    def __init__(
        self, config: TrainConfig, loss_names: Sequence[str], out_dir: Path, done: int
    ) -> None:
        self._out_dir = out_dir
        self._loss_names, self._every = tuple(loss_names), config.log_every
        self._board = Board(config.tensorboard, out_dir, done)
        self._bar = tqdm(total=config.steps, initial=done, unit="step", mininterval=5)
        self._smooth = [0.0] * len(loss_names)
        self._seen = 0
        self._steps = config.steps
        self._next_plot_s = time.monotonic() + _PLOT_EVERY_S
        if not done:
            (out_dir / SCORES).unlink(missing_ok=True)
            _write(out_dir / LOG, ["step", "learning_rate", *loss_names], mode="w")
        for name in (LOG, SCORES):
            _cut(out_dir / name, done)
        rows = _read(out_dir / SCORES)[1]
        self.scored_step = int(rows[-1][0]) if rows else 0
        """Step of the last scores."""
        scores = [row[1] for row in rows]
        self._best = max(scores, default=float("-inf"))
        self._waited = len(scores) - 1 - scores.index(self._best) if scores else 0

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.close()
        self._board.close()

    def print(self, sentences: Sequence[str]) -> None:
        """Print sentences above the progress bar."""
        for sentence in sentences:
            self._bar.write(sentence)

    def report(self, step: StepReport) -> None:
        """Add one step."""
        self._seen += 1
        weight = max(_SMOOTHING, 1 / self._seen)
        self._smooth = [
            old + weight * (new - old) for old, new in zip(self._smooth, step.losses, strict=True)
        ]
        self._bar.update(1)
        if step.step % self._every == 0 or step.step == self._steps:
            shown = [f"{value:.4f}" for value in self._smooth]
            named = zip(self._loss_names, shown, strict=True)
            self._bar.set_postfix_str(", ".join(" ".join(pair) for pair in named))
            losses = dict(zip(self._loss_names, self._smooth, strict=True))
            self._board.add("loss", losses, step.step)
            self._board.add("run", {"learning_rate": step.learning_rate}, step.step)
            _write(self._out_dir / LOG, [step.step, f"{step.learning_rate:.6g}", *shown])
            if time.monotonic() > self._next_plot_s:
                self.plot()
                self._next_plot_s = time.monotonic() + _PLOT_EVERY_S

    def are_best(self, scores: Mapping[str, float]) -> bool:
        """Return whether scores are better than those of the checkpoints before."""
        return next(iter(scores.values())) > self._best

    def add_scores(self, step: int, scores: Mapping[str, float]) -> int:
        """Add the scores of a checkpoint.

        Args:
            step: step of the checkpoint.
            scores: scores by name, the same names each time; the first one decides.

        Returns:
            Number of checkpoints since the best score; 0: this one is the best.
        """
        path = self._out_dir / SCORES
        if not path.exists():
            _write(path, ["step", *scores])
        _write(path, [step, *(f"{value:.5f}" for value in scores.values())])
        self._board.add("score", scores, step)
        self._bar.write(f"step {step}: " + ", ".join(f"{k} {v:.4f}" for k, v in scores.items()))
        self._waited = 0 if self.are_best(scores) else self._waited + 1
        self._best = max(self._best, next(iter(scores.values())))
        self.scored_step = step
        return self._waited

    def plot(self) -> None:
        """Draw losses, learning rate and scores by step."""
        names, rows = _read(self._out_dir / LOG)
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        score_names, score_rows = _read(self._out_dir / SCORES)
        figure = Figure(figsize=(7, 7 if score_rows else 5))
        # fixed margins: to compute them takes matplotlib longer than to draw
        figure.subplots_adjust(left=0.15, right=0.98, top=0.98, bottom=0.09, hspace=0.1)
        panels = figure.subplots(3 if score_rows else 2, sharex=True)
        for name, values in zip(names[2:], columns[2:], strict=True):
            panels[0].plot(columns[0], values, label=name, marker="" if len(rows) > 1 else "o")
        panels[0].set(ylabel="loss", yscale="log")
        panels[1].plot(columns[0], columns[1])
        panels[1].set(ylabel="learning rate")
        if score_rows:
            steps, *scores = zip(*score_rows, strict=True)
            for name, values in zip(score_names[1:], scores, strict=True):
                panels[2].plot(steps, values, marker="o", label=name)
            panels[2].set(ylabel="score")
        for panel in panels:
            panel.grid(color="0.9")
            if panel.get_legend_handles_labels()[0]:
                panel.legend(frameon=False)
        panels[-1].set(xlabel="step")
        figure.savefig(self._out_dir / PLOT, dpi=110)


def _write(path: Path, row: Sequence[object], mode: str = "a") -> None:
    with path.open(mode, newline="", encoding="utf-8") as file:
        csv.writer(file).writerow(row)


def _cut(path: Path, done: int) -> None:
    """Remove lines that an interrupted run wrote in part, or of steps after ``done``."""
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            names, *rows = list(csv.reader(file)) or [[]]
        kept = (row for row in rows if len(row) == len(names) and float(row[0]) <= done)
        partial = path.with_suffix(".part")
        with partial.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([names, *kept])
        partial.replace(path)


def _read(path: Path) -> tuple[list[str], list[list[float]]]:
    """Read names and rows of a CSV file of numbers; return nothing if there is no file."""
    if not path.exists():
        return [], []
    with path.open(newline="", encoding="utf-8") as file:
        names, *rows = list(csv.reader(file)) or [[]]
    return names, [[float(cell) for cell in row] for row in rows]
