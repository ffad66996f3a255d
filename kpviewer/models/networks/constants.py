"""Numbers as tensors on a device, without a copy from the host: a CUDA graph can't hold one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def constant(like: Tensor, *values: float) -> Tensor:
    """Return values as (N,), of the dtype and on the device of ``like``."""
    return torch.cat([like.new_full((1,), value) for value in values])
