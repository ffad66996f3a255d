"""Steps of the optimiser: gradients of one batch or several, in one process or several."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from kpviewer.errors import DatasetError, PipelineError
from kpviewer.models.inputs.normalisation import Normalisation
from kpviewer.models.names.tensors import with_current_names
from kpviewer.training.config import TrainConfig
from kpviewer.training.distributed import ALONE, World
from kpviewer.training.objective import Objective


class LossError(PipelineError):
    """Error: a loss is infinite or not a number."""


class Updater:
    """Owner of the network in training and of its optimiser.

    Raises:
        PipelineError: if the device doesn't support the precision.
    """

    def __init__(
        self,
        objective: Objective,
        config: TrainConfig,
        device: torch.device,
        world: World = ALONE,
    ) -> None:
        self._objective, self._config, self._device = objective, config, device
        self._world = world
        self._normalise = Normalisation(objective.detector.spec, device)
        network = objective.detector.network.to(device)
        self.network = network.to(memory_format=torch.channels_last)
        self._precision = Precision(config.precision, device)
        decayed = [p for p in network.parameters() if p.ndim > 1]
        others = [p for p in network.parameters() if p.ndim <= 1]
        self._optimizer = torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": others, "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            # On a CPU, a step of the light SSD takes 1.9 ms instead of 4.9.
            fused=True if device.type == "cpu" else None,
        )
        self._losses: nn.Module = _Losses(objective, self.network)
        if world.size > 1:
            # parts of a network may be frozen, or unused by a batch
            self._losses = DistributedDataParallel(self._losses, find_unused_parameters=True)

    def update(self, batches: Iterator[Any], rate: float, step: int) -> Tensor:
        """Take one step.

        Args:
            batches: iterator of named tuples of tensors, images first; ``config.accumulate`` of
                them are used.
            rate: learning rate.
            step: number of steps taken before.

        Returns:
            (L,) parts of the loss, means over batches and processes, in the objective's order.

        Raises:
            LossError: if the loss is no longer a number, in any process.
            DatasetError: if the batch is too small for batch normalisation.
        """
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.zero_grad(set_to_none=True)
        count, parts = self._config.accumulate, []
        for number in range(count):
            self._objective.begin_at(step)
            with self._gradients_kept(number < count - 1):
                losses = self._forward(next(batches))
                self._precision.backward(losses.sum() / count)
            parts.append(losses.detach())
        mean = self._world.mean(torch.stack(parts).mean(0))
        if not torch.isfinite(mean).all():
            raise LossError(
                f"The loss is not a number at step {step}. Lower learning_rate "
                "(--set learning_rate=1e-3) and start again from the last checkpoint."
            )
        self._precision.step(self._optimizer, self.network.parameters(), self._config.clip_norm)
        return mean

    def _gradients_kept(self, kept: bool) -> Any:
        """Delay the averaging of gradients over processes, which happens once a step."""
        is_shared = isinstance(self._losses, DistributedDataParallel)
        return self._losses.no_sync() if kept and is_shared else nullcontext()  # type: ignore[operator]

    def _forward(self, batch: Any) -> Tensor:
        moved = type(batch)(*(tensor.to(self._device, non_blocking=True) for tensor in batch))
        images = self._normalise(moved[0]).contiguous(memory_format=torch.channels_last)
        with self._precision.autocast():
            try:
                losses: Tensor = self._losses(moved, images)
            except ValueError as error:
                if "more than 1 value per channel" not in str(error):
                    raise
                height, width = images.shape[-2:]
                raise DatasetError(
                    f"A batch of {len(images)} at {width}x{height} px is too little for batch "
                    "normalisation: its smallest map has one cell. Set batch=2 or larger inputs."
                ) from error
        return losses

    def state(self) -> dict[str, Any]:
        """Return the state that ``resume`` continues from."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "precision": self._precision.state(),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Continue from a state that ``state`` returned."""
        self.network.load_state_dict(with_current_names(state["network"]))
        self._optimizer.load_state_dict(state["optimizer"])
        self._precision.resume(state.get("precision", {}))


class _Losses(nn.Module):
    """Network and losses as one module.

    Objectives call parts of their network without its ``forward``; DistributedDataParallel wouldn't
    notice if it wrapped the network alone.
    """

    def __init__(self, objective: Objective, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._objective = objective

    def forward(self, batch: Any, images: Tensor) -> Tensor:
        """Compute the (L,) parts of the loss."""
        losses = self._objective.losses(self.network, batch, images)
        parts = torch.stack([part.float() for part in losses])
        if not parts.requires_grad:  # no gradient here; other processes wait for one
            learning = next(p for p in self.network.parameters() if p.requires_grad)
            parts = parts + 0 * learning.sum()
        return parts


_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """Runs forward passes in a precision, and takes the steps of the optimiser.

    In fp16, small gradients would become 0. Losses are scaled up before the backward pass, and
    gradients down after it (Micikevicius et al. 2018, arXiv:1710.03740). A step whose scaled
    gradients overflow is skipped, and the scale lowered.

    Raises:
        PipelineError: if the device doesn't support it.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        if name == "fp16" and device.type != "cuda":
            raise PipelineError(
                f"precision fp16 requires CUDA, got device {device.type}. Set bf16 or fp32."
            )
        self._type, self._device = _TYPES.get(name), device
        self._scaler = torch.amp.GradScaler(device.type, enabled=name == "fp16")

    def autocast(self) -> torch.autocast:
        """Return a context that computes in the precision, but delicate losses in fp32."""
        return torch.autocast(self._device.type, self._type, enabled=self._type is not None)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a scalar."""
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]

    def step(
        self, optimizer: torch.optim.Optimizer, parameters: Iterable[Tensor], clip_norm: float
    ) -> None:
        """Clip the gradients to a norm and let the optimiser use them."""
        self._scaler.unscale_(optimizer)
        nn.utils.clip_grad_norm_(parameters, clip_norm)
        self._scaler.step(optimizer)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """Return the state that ``resume`` continues from: the scale, in fp16."""
        return self._scaler.state_dict()

    def resume(self, state: dict[str, Any]) -> None:
        """Continue with a scale; checkpoints of another precision have none."""
        if state and self._scaler.is_enabled():
            self._scaler.load_state_dict(state)
