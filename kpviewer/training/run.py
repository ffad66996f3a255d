"""One training run from configuration to weight file, as of ``kpviewer train``."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch

from kpviewer.errors import DatasetError, PipelineError, RecordingError, WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.files.catalogue import find_weights
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.unfilled import unfilled
from kpviewer.models.weights import read_state, save_weights
from kpviewer.system.locks import lock
from kpviewer.system.paths import make_folder, named_path
from kpviewer.training.config import TrainConfig
from kpviewer.training.data.feed import worker_notes
from kpviewer.training.distributed import World, joined_world
from kpviewer.training.families.registry import make_objective
from kpviewer.training.loop import Trainer, read_checkpoint, save_checkpoint
from kpviewer.training.lr_finder import find_rate, write_curve
from kpviewer.training.objective import Objective
from kpviewer.training.progress import Progress
from kpviewer.training.resuming import (
    CHECKPOINT,
    check_folder,
    check_names,
    names_of,
    resumed_notes,
    settings_of,
)
from kpviewer.training.schedule import with_steps

Validate = Callable[[Detector], Mapping[str, float]]
"""Function that scores a detector on data that it isn't trained on.

Higher is better; the first score decides which weights are the best. The function may set
thresholds in the detector's spec, which are saved.
"""
Check = Callable[[Detector], object]
"""Function that raises DatasetError if a detector, trained or not, can't be scored."""
Show = Callable[[Detector], object]
"""Function that draws the predictions of a detector; called at each checkpoint."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """Functions that are called with the averaged weights of each checkpoint."""

    validate: Validate | None = None
    show: Show | None = None
    patience: int = 0
    """Number of checkpoints without a better score that end the run; 0: scores end none."""


def train(  # noqa: PLR0913 - keywords of the public function
    config: TrainConfig,
    data_specs: Sequence[str],
    out_dir: Path,
    *,
    resume: bool = False,
    device: str = "auto",
    validate: Validate | None = None,
    check: Check | None = None,
    show: Show | None = None,
    val_spec: str | None = None,
) -> Path:
    """Train; write ``OUT/NAME.safetensors`` beside ``last.pt``, ``log.csv`` and ``progress.png``.

    Processes that ``torchrun`` started train together, and the first one writes. With ``validate``,
    ``OUT/NAME-best.safetensors`` keeps the weights that score best, and ``OUT/scores.csv`` the
    scores of each checkpoint; ``check`` is called with the detector before the first step.
    ``val_spec`` names the data of ``validate``: a run that continues with others says so.

    Returns:
        The weight file, with the moving average of the weights.

    Raises:
        DatasetError: if the family or the data can't be used.
        WeightsError: if the checkpoint, or the weights to start from, can't be used.
        PipelineError: if the device doesn't support the configuration.
        RecordingError: if the folder can't be written, or holds a run and ``resume`` is false.
    """
    check_folder(out_dir, resume=resume)
    objective = _objective_of(config, data_specs)
    if check is not None:
        check(objective.detector)
    make_folder(out_dir, RecordingError)
    with joined_world(_device_of(device)) as (world, own_device), _locked(out_dir, world):
        if config.epochs:
            config = with_steps(config, objective, world.size)
            objective = _objective_of(config, data_specs)  # phases may be shares of the steps
        trainer = Trainer(objective, config, own_device, world)
        names, settings = names_of(objective.detector), settings_of(config, data_specs, val_spec)
        notes = list(objective.notes)
        if resume:
            checkpoint = read_checkpoint(out_dir / CHECKPOINT) if world.is_first else None
            checkpoint = world.broadcast_from_first(checkpoint)
            check_names(checkpoint, names)
            trainer.resume(checkpoint)
            notes += resumed_notes(checkpoint, settings)
        facts = {"names": names, "settings": settings}
        callbacks = Callbacks(validate, show, config.patience)
        keeper = _Keeper(trainer, objective.detector, facts, out_dir, callbacks)
        if world.is_first:
            with Progress(config, objective.loss_names, out_dir, trainer.step) as progress:
                progress.print([*notes, *worker_notes(config)])
                _run(trainer, keeper, progress, world)
        else:
            trainer.run(lambda _: None, lambda: bool(world.broadcast_from_first(False)))
        weights = keeper.weights
        del trainer, keeper  # shared objects must not outlive the process group
    return weights


@contextmanager
def _locked(folder: Path, world: World) -> Iterator[None]:
    """Keep other runs out of a folder, where the system can lock folders.

    Raises:
        RecordingError: if a run is in progress there.
    """
    descriptor = None
    with suppress(OSError):  # Windows opens no folder
        descriptor = os.open(folder, os.O_RDONLY) if world.is_first else None
    try:
        if descriptor is not None and not lock(descriptor):
            raise RecordingError(
                f"Another training writes to {folder}. Wait for its end, or give another folder."
            )
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def find_learning_rate(
    config: TrainConfig,
    data_specs: Sequence[str],
    out_dir: Path,
    *,
    device: str = "auto",
    check: Check | None = None,
) -> float:
    """Try learning rates; write ``OUT/lr_finder.csv`` and ``OUT/lr_finder.png``, and no weights.

    ``check`` is called with the detector before the first step.

    Returns:
        The suggested learning rate.

    Raises:
        DatasetError: if the family or the data can't be used.
        WeightsError: if the weights to start from can't be used.
        PipelineError: if no rate makes the loss fall, or there are several processes.
    """
    with joined_world(_device_of(device)) as (world, own_device):
        if world.size > 1:
            raise PipelineError("The learning-rate finder runs in one process. Leave out torchrun.")
        objective = _objective_of(config, data_specs)
        if check is not None:
            check(objective.detector)
        curve = find_rate(objective, config, own_device)
    make_folder(out_dir, RecordingError)
    write_curve(curve, out_dir)
    return curve.suggestion


def _device_of(device: str) -> str:
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"


def _objective_of(config: TrainConfig, data_specs: Sequence[str]) -> Objective:
    """Build the objective, with the seed and the initial weights of the configuration."""
    torch.manual_seed(config.seed)
    objective = make_objective(config, data_specs)
    for input_hw in config.inputs_hw:  # each is refused now, not when the run comes to it
        objective.dataset(input_hw, config.seed)
    if config.init:
        _start_from(objective.detector, config.init)
    return objective


def _run(trainer: Trainer, keeper: _Keeper, progress: Progress, world: World) -> None:
    """Train in the first process, which decides for all when to stop."""
    try:
        trainer.run(
            progress.report, lambda: bool(world.broadcast_from_first(keeper.keep(progress)))
        )
    except KeyboardInterrupt:
        keeper.save()
        progress.print([f"Saved at step {trainer.step} in {keeper.folder}. --resume continues."])
        raise


class _Keeper:
    """Writes the state of a run: checkpoint, weights, scores, the best weights."""

    def __init__(
        self,
        trainer: Trainer,
        detector: Detector,
        facts: Mapping[str, object],
        out_dir: Path,
        callbacks: Callbacks,
    ) -> None:
        self._trainer, self._detector, self._facts = trainer, detector, facts
        self._callbacks = callbacks
        self.folder = out_dir
        name = detector.spec.name
        if named_path(f"{name}-best.safetensors", DatasetError).name != f"{name}-best.safetensors":
            raise DatasetError(f"A model's name is its file's, without folders, got {name!r}.")
        self.weights = out_dir / f"{name}.safetensors"
        self._best_weights = out_dir / f"{name}-best.safetensors"
        if self.weights.exists() and not (out_dir / CHECKPOINT).exists():
            raise RecordingError(
                f"{self.weights} exists, and this run would replace it. Give another folder."
            )

    def save(self) -> Detector:
        """Write checkpoint and weights; return the detector with the averaged weights."""
        save_checkpoint(self._trainer, self.folder / CHECKPOINT, self._facts)
        averaged = unfilled(ARCHITECTURES[self._detector.spec.architecture], self._detector.spec)
        averaged.network.load_state_dict(self._trainer.averaged.state_dict())
        save_weights(averaged, self.weights)
        return averaged

    def keep(self, progress: Progress) -> bool:
        """Save, score and plot; return whether to stop because the scores no longer improve.

        A score is added last, so that a run that is killed before repeats all of it.
        """
        if progress.scored_step == self._trainer.step:
            return False
        averaged = self.save()
        done = False
        averaged.network.eval()
        if self._callbacks.validate is not None:
            scores = self._callbacks.validate(averaged)
            if averaged.spec != self._detector.spec:  # validation set a threshold
                save_weights(averaged, self.weights)
            if progress.are_best(scores):
                save_weights(averaged, self._best_weights)
            waited = progress.add_scores(self._trainer.step, scores)
            done = 0 < self._callbacks.patience <= waited
        if self._callbacks.show is not None:
            self._callbacks.show(averaged)
        progress.plot()
        return done


def _start_from(detector: Detector, name_or_path: str) -> None:
    """Copy the tensors of a model file that fit this network; the others stay random.

    Raises:
        WeightsError: if they hold less than half of the values of the smaller of file and network.
    """
    own = detector.network.state_dict()
    given = read_state(find_weights(name_or_path))
    fits = {
        name: value
        for name, value in given.items()
        if name in own and value.shape == own[name].shape
    }
    taken, offered, needed = (
        sum(value.numel() for value in each.values()) for each in (fits, given, own)
    )
    if 2 * taken < min(offered, needed):
        raise WeightsError(
            f"{name_or_path} doesn't fit {detector.spec.architecture} with the classes and points "
            "of this run. Leave out init, or name weights of the same kind."
        )
    detector.network.load_state_dict(own | fits)
