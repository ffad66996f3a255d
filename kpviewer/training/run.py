"""One training run from configuration to weight file: what ``kpviewer train`` does."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from kpviewer.errors import PipelineError, RecordingError, WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.weights import ARCHITECTURES, find_weights, read_state, save_weights
from kpviewer.paths import make_folder
from kpviewer.training.config import TrainConfig
from kpviewer.training.distributed import World, joined_world
from kpviewer.training.epochs import with_steps
from kpviewer.training.families import make_objective
from kpviewer.training.loop import Trainer, read_checkpoint, save_checkpoint
from kpviewer.training.lr_finder import find_rate, write_curve
from kpviewer.training.objective import Objective
from kpviewer.training.progress import Progress

CHECKPOINT = "last.pt"

Validate = Callable[[Detector], Mapping[str, float]]
"""Scores of a detector on data that it isn't trained on, higher is better; the first one decides
which weights are the best. It may set thresholds in the detector's spec, which are saved."""
Show = Callable[[Detector], object]
"""Draws what a detector sees; called at each checkpoint."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What follows a run; called with the averaged weights of each checkpoint."""

    validate: Validate | None = None
    show: Show | None = None


def train(  # noqa: PLR0913 - what a run is, and what follows it
    config: TrainConfig,
    data_specs: Sequence[str],
    out_dir: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    validate: Validate | None = None,
    show: Show | None = None,
) -> Path:
    """Train; write ``OUT/NAME.safetensors`` beside ``last.pt``, ``log.csv`` and ``progress.png``.

    Where ``torchrun`` started this process and others, they train together, and the first writes.
    With ``validate``, the weights that score best are kept in ``OUT/NAME-best.safetensors``, and
    the scores of each checkpoint in ``OUT/scores.csv``.

    Returns:
        The weight file, which holds the moving average of the weights.

    Raises:
        DatasetError: if the family or the data can't be used.
        WeightsError: if the checkpoint, or the weights to start from, can't be used.
        PipelineError: if the device can't do what the configuration asks for.
    """
    with joined_world(_device_of(device)) as (world, own_device):
        objective = _objective_of(config, data_specs)
        if config.epochs:
            config = with_steps(config, objective, world.size)
            objective = _objective_of(config, data_specs)  # phases may be shares of the steps
        trainer = Trainer(objective, config, own_device, world)
        make_folder(out_dir, RecordingError)
        if resume:
            checkpoint = read_checkpoint(out_dir / CHECKPOINT) if world.is_first else None
            trainer.resume(world.told_by_first(checkpoint))
        keeper = _Keeper(trainer, objective.detector, config, out_dir, Callbacks(validate, show))
        if world.is_first:
            with Progress(config, objective.loss_names, out_dir, trainer.step) as progress:
                _run(trainer, keeper, progress, world)
        else:
            trainer.run(lambda _: None, lambda: bool(world.told_by_first(False)))
        weights = keeper.weights
        del trainer, keeper  # what processes share must not outlive their world
    return weights


def find_learning_rate(
    config: TrainConfig, data_specs: Sequence[str], out_dir: Path, *, device: str = "auto"
) -> float:
    """Try learning rates; write ``OUT/lr_finder.csv`` and ``OUT/lr_finder.png``, and no weights.

    Returns:
        A rate to begin with.

    Raises:
        DatasetError: if the family or the data can't be used.
        WeightsError: if the weights to start from can't be used.
        PipelineError: if no rate makes the loss fall, or several processes try.
    """
    with joined_world(_device_of(device)) as (world, own_device):
        if world.size > 1:
            raise PipelineError("Learning rates are tried in one process. Leave out torchrun.")
        objective = _objective_of(config, data_specs)
        curve = find_rate(objective, config, own_device)
    make_folder(out_dir, RecordingError)
    write_curve(curve, out_dir)
    return curve.suggestion


def _device_of(device: str) -> str:
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _objective_of(config: TrainConfig, data_specs: Sequence[str]) -> Objective:
    """Build what is trained, from the seed and the weights that the configuration names."""
    torch.manual_seed(config.seed)
    objective = make_objective(config, data_specs)
    if config.init:
        _start_from(objective.detector, config.init)
    return objective


def _run(trainer: Trainer, keeper: _Keeper, progress: Progress, world: World) -> None:
    """Train in the first process; the others do what it decides."""
    try:
        trainer.run(progress.report, lambda: bool(world.told_by_first(keeper.keep(progress))))
    except KeyboardInterrupt:
        keeper.save()
        raise


class _Keeper:
    """Writes what a run has come to: checkpoint, weights, scores, the best weights so far."""

    def __init__(
        self,
        trainer: Trainer,
        detector: Detector,
        config: TrainConfig,
        out_dir: Path,
        callbacks: Callbacks,
    ) -> None:
        self._trainer, self._detector = trainer, detector
        self._patience = config.patience
        self._callbacks = callbacks
        self._out_dir = out_dir
        self.weights = out_dir / f"{detector.spec.name}.safetensors"
        self._best_weights = out_dir / f"{detector.spec.name}-best.safetensors"

    def save(self) -> Detector:
        """Write checkpoint and weights; give the detector with the averaged weights."""
        save_checkpoint(self._trainer, self._out_dir / CHECKPOINT)
        averaged = ARCHITECTURES[self._detector.spec.architecture](self._detector.spec)
        averaged.network.load_state_dict(self._trainer.averaged.state_dict())
        save_weights(averaged, self.weights)
        return averaged

    def keep(self, progress: Progress) -> bool:
        """Save, score and plot; say whether to stop as the scores no longer get better."""
        averaged = self.save()
        done = False
        averaged.network.eval()
        if self._callbacks.validate is not None:
            waited = progress.add_scores(self._trainer.step, self._callbacks.validate(averaged))
            if averaged.spec != self._detector.spec:  # it was given a threshold
                save_weights(averaged, self.weights)
            if waited == 0:
                shutil.copyfile(self.weights, self._best_weights)
            done = 0 < self._patience <= waited
        if self._callbacks.show is not None:
            self._callbacks.show(averaged)
        progress.plot()
        return done


def _start_from(detector: Detector, name_or_path: str) -> None:
    """Copy what a model file has for this network; parts that it lacks stay random.

    Raises:
        WeightsError: if that is less than half of the smaller of file and network, in values.
    """
    wanted = detector.network.state_dict()
    given = read_state(find_weights(name_or_path))
    fits = {
        name: value
        for name, value in given.items()
        if name in wanted and value.shape == wanted[name].shape
    }
    taken, offered, needed = (
        sum(value.numel() for value in each.values()) for each in (fits, given, wanted)
    )
    if 2 * taken < min(offered, needed):
        raise WeightsError(
            f"{name_or_path} doesn't fit {detector.spec.architecture} with the classes and points "
            "of this run. Leave out init, or name weights of the same kind."
        )
    detector.network.load_state_dict(wanted | fits)
