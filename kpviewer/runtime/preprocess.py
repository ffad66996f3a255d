"""From a camera's image to a network's input, on the device that runs the network."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.geometry import Letterbox
from kpviewer.models.spec import ModelSpec, Resize
from kpviewer.sources.opencv import cv2
from kpviewer.sources.resizing import resized
from kpviewer.structures import ImageArray


@lru_cache
def letterbox_of(spec: ModelSpec, source_hw: tuple[int, int]) -> Letterbox:
    """Say where an image of ``source_hw`` px lies in the model's input."""
    if spec.resize is Resize.STRETCH:
        return Letterbox.stretch(source_hw, spec.input_hw)
    if spec.resize is Resize.AREA and spec.stride is not None:
        return Letterbox.fit_area(source_hw, spec.input_hw, spec.stride)
    return Letterbox.fit(source_hw, spec.input_hw, spec.stride)


class Preprocessor:
    """Resizes, pads, turns BGR into RGB and normalises. Padding has the mean colour."""

    def __init__(self, spec: ModelSpec, device: torch.device) -> None:
        self._mean = torch.tensor(spec.mean, device=device) * 255
        std = torch.tensor(spec.std, device=device) * 255
        self._scale = (1 / std)[:, None, None]
        self._offset = (-self._mean / std)[:, None, None]
        self._device = device
        self._blanks: dict[tuple[int, int], Tensor] = {}

    def letterboxed(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Bring an image to its place in the input, and to the device.

        Args:
            bgr: (H, W, 3) uint8.
            box: where it lies in the input.

        Returns:
            (1, h, w, 3) RGB in [0, 255] on the device: uint8 on the CPU, float32 elsewhere.
        """
        rows = self._resized(bgr, box.resized_hw)
        if box.resized_hw != box.input_hw:
            height, width = box.resized_hw
            canvas = self._blank(box.input_hw, rows.dtype).clone()
            canvas[box.top : box.top + height, box.left : box.left + width] = rows
            rows = canvas
        return rows[None]

    def normalised(self, rows: Tensor) -> Tensor:
        """Make the input of the network of what ``letterboxed`` gave.

        Returns:
            (1, 3, h, w) float32 RGB, channels last, on the same device.
        """
        planes = rows.permute(0, 3, 1, 2).float()
        return torch.addcmul(self._offset, planes, self._scale)

    def _resized(self, bgr: ImageArray, size_hw: tuple[int, int]) -> Tensor:
        """(H, W, 3) BGR -> (h, w, 3) RGB on the device."""
        if self._device.type == "cpu":  # OpenCV takes a seventh of torch's time
            return torch.from_numpy(cv2.cvtColor(resized(bgr, size_hw), cv2.COLOR_BGR2RGB))
        image = torch.from_numpy(bgr).to(self._device, non_blocking=True).float()
        if (bgr.shape[0], bgr.shape[1]) != size_hw:
            planes = image.permute(2, 0, 1)[None]
            planes = functional.interpolate(
                planes, size_hw, mode="bilinear", antialias=True, align_corners=False
            )
            image = planes[0].permute(1, 2, 0)
        return image.flip(-1)

    def _blank(self, input_hw: tuple[int, int], dtype: torch.dtype) -> Tensor:
        """(h, w, 3) of the mean colour, kept after the first call."""
        if input_hw not in self._blanks:
            mean = self._mean if dtype.is_floating_point else self._mean.round()
            self._blanks[input_hw] = mean.to(dtype).expand(*input_hw, 3).contiguous()
        return self._blanks[input_hw]
