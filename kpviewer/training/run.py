"""One training run from recipe to weight file: what ``kpviewer train`` does."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.weights import ARCHITECTURES, find_weights, read_state, save_weights
from kpviewer.training.config import TrainConfig, load_config
from kpviewer.training.families import make_objective
from kpviewer.training.loop import StepReport, Trainer, read_checkpoint, save_checkpoint


def train_recipe(
    recipe: str,
    data_specs: Sequence[str],
    out_dir: Path,
    *,
    resume: bool = False,
    changes: list[str] | None = None,
    device: str = "auto",
) -> Path:
    """Train and write ``OUT/NAME.safetensors``, beside ``last.pt`` and ``log.csv``.

    Returns:
        The weight file, which holds the moving average of the weights.

    Raises:
        DatasetError: if the recipe or the data can't be used.
        WeightsError: if the checkpoint, or the weights to start from, can't be used.
    """
    config = load_config(recipe, changes)
    torch.manual_seed(config.seed)
    objective = make_objective(config, data_specs)
    detector = objective.detector
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if config.init:
        _start_from(detector, config.init)
    trainer = Trainer(objective, config, device)
    out_dir.mkdir(parents=True, exist_ok=True)
    checkpoint, weights = out_dir / "last.pt", out_dir / f"{detector.spec.name}.safetensors"
    if resume:
        trainer.resume(read_checkpoint(checkpoint))

    def save() -> None:
        save_checkpoint(trainer, checkpoint)
        averaged = ARCHITECTURES[detector.spec.architecture](detector.spec)
        averaged.network.load_state_dict(trainer.averaged.state_dict())
        save_weights(averaged, weights)

    with _Progress(config, objective.loss_names, out_dir / "log.csv", trainer.step) as progress:
        try:
            trainer.run(progress.report, save)
        except KeyboardInterrupt:
            save()
            raise
    return weights


def _start_from(detector: Detector, name_or_path: str) -> None:
    """Copy what a model file has for this network; parts that it lacks stay random.

    Raises:
        WeightsError: if it has less than half of this network's values.
    """
    wanted = detector.network.state_dict()
    given = read_state(find_weights(name_or_path))
    fits = {
        name: value
        for name, value in given.items()
        if name in wanted and value.shape == wanted[name].shape
    }
    taken = sum(value.numel() for value in fits.values())
    if 2 * taken < sum(value.numel() for value in wanted.values()):
        raise WeightsError(
            f"{name_or_path} doesn't fit {detector.spec.architecture} with the classes and points "
            "of this run. Leave out init, or name weights of the same kind."
        )
    detector.network.load_state_dict(wanted | fits)


class _Progress:
    """A progress bar and a CSV file of smoothed losses."""

    def __init__(self, config: TrainConfig, names: Sequence[str], log: Path, done: int) -> None:
        self._bar = tqdm(total=config.steps, initial=done, unit="step", mininterval=5)
        self._file = log.open("a" if done else "w", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        if not done:
            self._writer.writerow(["step", "learning_rate", *names])
        self._smooth = [0.0] * len(names)
        self._seen = 0

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.close()
        self._file.close()

    def report(self, step: StepReport) -> None:
        """Take one step in."""
        self._seen += 1
        weight = max(0.02, 1 / self._seen)
        self._smooth = [
            old + weight * (new - old) for old, new in zip(self._smooth, step.losses, strict=True)
        ]
        self._bar.update(1)
        if step.step % 50 == 0:
            shown = [f"{value:.4f}" for value in self._smooth]
            self._bar.set_postfix_str(" ".join(shown))
            self._writer.writerow([step.step, f"{step.learning_rate:.6f}", *shown])
            self._file.flush()
