"""The training loop: steps, learning rate, moving average, checkpoints. No command line here."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.training.config import TrainConfig
from kpviewer.training.objective import Objective, PhasedObjective


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step, for a progress bar and a log."""

    step: int
    learning_rate: float
    losses: tuple[float, ...]
    """In the order of the objective's ``loss_names``."""


class Trainer:
    """Trains what an objective asks for. Call ``run`` once, then take ``averaged``."""

    def __init__(self, objective: Objective, config: TrainConfig, device: str = "cpu") -> None:
        self._objective, self._config = objective, config
        self._device = torch.device(device)
        network = objective.detector.network.to(self._device)
        self._network = network.to(memory_format=torch.channels_last)
        decayed = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
        )
        self._average = AveragedModel(
            self._network,
            multi_avg_fn=get_ema_multi_avg_fn(config.ema_decay),  # type: ignore[no-untyped-call]
            use_buffers=True,
        )
        self._step = 0

    @property
    def averaged(self) -> nn.Module:
        """The moving average of the network."""
        module: nn.Module = self._average.module
        return module

    @property
    def step(self) -> int:
        """Steps done."""
        return self._step

    def run(
        self, report: Callable[[StepReport], None], checkpoint: Callable[[], bool] | None = None
    ) -> None:
        """Train to the last step of the configuration.

        Every ``save_every`` steps a new leg begins, with chances of its own drawn from the seed and
        the step: a run that is resumed from a checkpoint does what it would have done.

        Args:
            report: called after each step.
            checkpoint: called after each leg and at the end; True ends the run.

        Raises:
            PipelineError: if the loss is no longer a number.
        """
        self._network.train()
        config = self._config
        for size, end in zip(config.inputs, _phase_ends(config), strict=True):
            while self._step < end:
                self._leg(_height_width(size), min(end, self._next_checkpoint()), report)
                is_due = self._step % config.save_every == 0 or self._step == config.steps
                if checkpoint is not None and is_due and checkpoint():
                    return

    def _next_checkpoint(self) -> int:
        return (self._step // self._config.save_every + 1) * self._config.save_every

    def state(self) -> dict[str, Any]:
        """Everything that ``resume`` needs."""
        return {
            "network": self._network.state_dict(),
            "average": self._average.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "step": self._step,
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Continue from what ``state`` gave."""
        self._network.load_state_dict(state["network"])
        self._average.load_state_dict(state["average"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._step = int(state["step"])
        if isinstance(self._objective, PhasedObjective):
            self._objective.begin_at(self._step)

    def _leg(
        self, input_hw: tuple[int, int], end: int, report: Callable[[StepReport], None]
    ) -> None:
        seed = self._config.seed * 1_000_003 + self._step
        torch.manual_seed(seed)
        batches = self._batches(input_hw, seed)
        while self._step < end:
            rate = self._set_rate()
            losses = self._update(next(batches))
            self._step += 1
            report(StepReport(self._step, rate, tuple(float(part) for part in losses)))

    def _batches(self, input_hw: tuple[int, int], seed: int) -> Iterator[Any]:
        workers = self._config.workers
        loader = DataLoader(
            self._objective.dataset(input_hw, seed),
            batch_size=self._config.batch,
            num_workers=workers,
            collate_fn=self._objective.collate,
            pin_memory=self._device.type == "cuda",
            prefetch_factor=4 if workers else None,
            worker_init_fn=_single_thread if workers else None,
        )
        return iter(loader)

    def _set_rate(self) -> float:
        """Linear warm-up, then half a cosine to 1 % of the peak."""
        config = self._config
        warm = min(1.0, (self._step + 1) / max(1, config.warmup_steps))
        cosine = 0.5 + 0.5 * math.cos(math.pi * self._step / config.steps)
        rate = config.learning_rate * warm * (0.01 + 0.99 * cosine)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        return rate

    def _update(self, batch: Any) -> list[Tensor]:
        """Take one step; return the parts of the loss.

        Args:
            batch: a named tuple of tensors, pictures first.
        """
        moved = type(batch)(*(tensor.to(self._device, non_blocking=True) for tensor in batch))
        losses = self._objective.losses(self._network, moved, self._normalised(moved[0]))
        total = torch.stack(list(losses)).sum()
        if not torch.isfinite(total):
            raise PipelineError(
                f"The loss is not a number at step {self._step}. Lower learning_rate "
                "(--set learning_rate=1e-3) and start again from the last checkpoint."
            )
        self._optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._network.parameters(), self._config.clip_norm)
        self._optimizer.step()
        self._average.update_parameters(self._network)
        return [part.detach() for part in losses]

    def _normalised(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) uint8 -> float, as the network wants it."""
        spec = self._objective.detector.spec
        mean = torch.tensor(spec.mean, device=images.device).view(3, 1, 1) * 255
        std = torch.tensor(spec.std, device=images.device).view(3, 1, 1) * 255
        return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _height_width(size: Any) -> tuple[int, int]:
    """Read an input size of a recipe: a side, or [height, width]."""
    height, width = (size, size) if isinstance(size, int) else size
    return int(height), int(width)


def _phase_ends(config: TrainConfig) -> list[int]:
    """Last step of each input size."""
    total = sum(config.input_shares)
    ends, done = [], 0.0
    for share in config.input_shares:
        done += share
        ends.append(round(config.steps * done / total))
    return ends


def _single_thread(worker: int) -> None:
    """A worker composes pictures one by one: more threads would only take the trainer's cores."""
    torch.set_num_threads(1)
    if hasattr(os, "nice"):
        os.nice(1)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read what ``save_checkpoint`` wrote.

    Raises:
        WeightsError: if the file is missing or damaged.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise WeightsError(
            f"Nothing to resume: {path} doesn't exist. Leave out --resume."
        ) from error
    except (OSError, EOFError, RuntimeError, UnpicklingError) as error:
        raise WeightsError(f"{path} is no checkpoint that can be read. Train anew.") from error
    return state


def save_checkpoint(trainer: Trainer, path: Path) -> None:
    """Write a checkpoint in one piece: a run that is killed while it saves keeps the last one."""
    partial = path.with_suffix(".part")
    torch.save(trainer.state(), partial)
    partial.replace(path)
