"""Mixed precision: autocast of the forward pass, and scaling of gradients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from kpviewer.errors import PipelineError

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
