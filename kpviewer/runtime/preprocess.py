"""From a camera's picture to a network's input, on the device that runs the network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.errors import PipelineError
from kpviewer.geometry import Letterbox
from kpviewer.models.spec import ModelSpec, Resize


def letterbox_of(spec: ModelSpec, source_hw: tuple[int, int]) -> Letterbox:
    """Say where a picture of ``source_hw`` px lies in the model's input.

    Raises:
        PipelineError: if the model wants a resize that isn't built yet.
    """
    if spec.resize is not Resize.LETTERBOX:
        raise PipelineError(
            f"{spec.name} wants resize {spec.resize.value!r}; this version knows 'letterbox'. "
            "Update kpviewer."
        )
    return Letterbox.fit(source_hw, spec.input_hw, spec.stride)


class Preprocessor:
    """Resizes, pads, turns BGR into RGB and normalises. Padding has the mean colour."""

    def __init__(self, spec: ModelSpec, device: torch.device) -> None:
        # on BGR channels, so that the flip to RGB comes last, on the small picture
        mean = torch.tensor(spec.mean[::-1], device=device).view(1, 3, 1, 1) * 255
        std = torch.tensor(spec.std[::-1], device=device).view(1, 3, 1, 1) * 255
        self._gain, self._shift = 1 / std, -mean / std

    def __call__(self, picture: Tensor, box: Letterbox) -> Tensor:
        """Prepare one picture.

        Args:
            picture: (H, W, 3) uint8 BGR, on the device.
            box: where it lies in the input.

        Returns:
            (1, 3, h, w) float32 RGB, channels last, on the same device.
        """
        planes = picture.permute(2, 0, 1)[None]  # (1, 3, H, W), channels last in memory
        if not picture.is_cpu:  # the CPU alone resizes uint8, and faster than float
            planes = planes.float()
        if tuple(planes.shape[2:]) != box.resized_hw:
            planes = functional.interpolate(
                planes, box.resized_hw, mode="bilinear", antialias=True, align_corners=False
            )
        normal = torch.addcmul(self._shift, planes.float(), self._gain)
        right = box.input_hw[1] - box.left - box.resized_hw[1]
        bottom = box.input_hw[0] - box.top - box.resized_hw[0]
        padded = functional.pad(normal, (box.left, right, box.top, bottom))
        return padded.flip(1).contiguous(memory_format=torch.channels_last)
