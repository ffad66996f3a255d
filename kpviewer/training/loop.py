"""The training loop: steps, learning rate, moving average, checkpoints."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from kpviewer.errors import RecordingError, WeightsError
from kpviewer.models.names.tensors import with_current_names
from kpviewer.training.config import TrainConfig
from kpviewer.training.data.feed import batches_of
from kpviewer.training.distributed import ALONE, World
from kpviewer.training.memory import explain_out_of_memory
from kpviewer.training.objective import Objective
from kpviewer.training.schedule import rate_factor
from kpviewer.training.updates import Updater

_RANK_SEED = 7919
"""Difference between the seeds of processes that train together."""


@dataclass(frozen=True, slots=True)
class StepReport:
    """Result of one step, for a progress bar and a log."""

    step: int
    learning_rate: float
    losses: tuple[float, ...]
    """Parts of the loss, in the order of the objective's ``loss_names``."""


class Trainer:
    """Trains the network of an objective. Call ``run`` once, then use ``averaged``.

    Args:
        objective: network, samples and losses.
        config: configuration; its ``steps`` apply, not its ``epochs``.
        device: "cpu", "cuda" or "cuda:N".
        world: processes that train together; each has a trainer.

    Raises:
        PipelineError: if the device doesn't support the precision.
    """

    def __init__(
        self,
        objective: Objective,
        config: TrainConfig,
        device: str = "cpu",
        world: World = ALONE,
    ) -> None:
        self._objective, self._config = objective, config
        self._device = torch.device(device)
        self._seed = config.seed + _RANK_SEED * world.rank
        self._updater = Updater(objective, config, self._device, world)
        self._network = self._updater.network
        self._average = AveragedModel(
            self._network,
            multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        self._step = 0

    @property
    def averaged(self) -> nn.Module:
        """Network with the moving average of the weights."""
        module: nn.Module = self._average.module
        return module

    @property
    def step(self) -> int:
        """Number of steps done."""
        return self._step

    def run(
        self, report: Callable[[StepReport], None], checkpoint: Callable[[], bool] | None = None
    ) -> None:
        """Train to the last step of the configuration.

        Every ``save_every`` steps a new leg begins; its random numbers depend on the seed and the
        step alone. A resumed run therefore repeats what the uninterrupted run would have done.

        Args:
            report: called after each step.
            checkpoint: called after each leg and at the end; True ends the run. A resumed run
                calls it first where the one before may have been interrupted in it.

        Raises:
            PipelineError: if the loss is not a number, or a step doesn't fit into memory.
        """
        self._network.train()
        config, every = self._config, self._config.save_every
        if self._step and checkpoint is not None and self._is_due() and checkpoint():
            return
        for input_hw, end in zip(config.inputs_hw, _phase_ends(config), strict=True):
            while self._step < end:
                next_checkpoint = (self._step // every + 1) * every
                self._leg(input_hw, min(end, next_checkpoint), report)
                if checkpoint is not None and self._is_due() and checkpoint():
                    return

    def _is_due(self) -> bool:
        """Return whether the present step has a checkpoint."""
        return self._step % self._config.save_every == 0 or self._step == self._config.steps

    def state(self) -> dict[str, Any]:
        """Return the state that ``resume`` continues from."""
        average = self._average.state_dict()
        return {**self._updater.state(), "average": average, "step": self._step}

    def resume(self, state: dict[str, Any]) -> None:
        """Continue from a state that ``state`` returned.

        Raises:
            WeightsError: if it is the state of another model.
        """
        try:
            self._updater.resume(state)
            self._average.load_state_dict(with_current_names(state["average"]))
            self._step = int(state["step"])
        except Exception as error:  # a damaged state may fail torch in any way
            raise WeightsError(
                "A run resumes with the model and the classes that it began with, and this "
                "checkpoint has others. Give another folder to start anew."
            ) from error

    def _leg(
        self, input_hw: tuple[int, int], end: int, report: Callable[[StepReport], None]
    ) -> None:
        config, seed = self._config, self._seed * 1_000_003 + self._step
        torch.manual_seed(seed)
        with (
            _benchmarking(config.cudnn_benchmark and self._device.type == "cuda"),
            explain_out_of_memory(config.batch, input_hw, self._device),
        ):
            batches = batches_of(self._objective, config, input_hw, seed, self._device)
            try:
                while self._step < end:
                    rate = config.learning_rate * rate_factor(config, self._step)
                    losses = self._updater.update(batches, rate, self._step)
                    self._average.update_parameters(self._network)
                    self._step += 1
                    report(StepReport(self._step, rate, tuple(losses.tolist())))
            finally:
                # Its workers end with it; a plot in ``report`` may keep this stack frame alive.
                del batches


@contextmanager
def _benchmarking(enabled: bool) -> Iterator[None]:
    """Let cuDNN benchmark its algorithms inside; scoring, outside, meets each size only once."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = enabled
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def _phase_ends(config: TrainConfig) -> list[int]:
    """Return the last step of each input size."""
    total = sum(config.input_shares)
    ends, done = [], 0.0
    for share in config.input_shares:
        done += share
        ends.append(round(config.steps * done / total))
    return ends


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint that ``save_checkpoint`` wrote.

    Raises:
        WeightsError: if the file is missing or damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(
            f"Nothing to resume: {path} doesn't exist. Leave out --resume."
        ) from error
    except Exception as error:  # damaged bytes may fail torch's reader in any way
        raise _unreadable(path) from error
    if not isinstance(state, dict):
        raise _unreadable(path)
    return state


def _unreadable(path: Path) -> WeightsError:
    return WeightsError(f"{path} is not a readable checkpoint. Delete it to start again.")


def save_checkpoint(trainer: Trainer, path: Path, facts: Mapping[str, object]) -> None:
    """Write a checkpoint atomically: a run that is killed while saving keeps the previous one.

    Args:
        trainer: trainer whose state is saved.
        path: file of the checkpoint.
        facts: what else is kept of the run; see ``resuming``.

    Raises:
        RecordingError: if it can't be written.
    """
    partial = path.with_suffix(".part")
    try:
        with partial.open("wb") as file:  # torch itself opens no name outside UTF-8
            torch.save({**trainer.state(), **facts}, file)
        partial.replace(path)
    except (OSError, RuntimeError) as error:  # torch's error of a full disk doesn't say so
        with suppress(OSError):
            partial.unlink()  # it would take the room that is missing
        raise RecordingError(
            f"The checkpoint of step {trainer.step} can't be written to {path}. Make room there, "
            "or give another folder."
        ) from error
