"""Preprocessing of images to a network's input, on the device that runs the network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.geometry import Letterbox
from kpviewer.models.normalisation import Normalisation
from kpviewer.models.spec import ModelSpec, Sampling
from kpviewer.sources.opencv import cv2
from kpviewer.sources.resizing import (
    resized,
    resized_antialiased,
    resized_in_float,
    resized_linearly,
)
from kpviewer.structures import FloatArray, ImageArray

Resizing: TypeAlias = Callable[[ImageArray, tuple[int, int]], ImageArray | FloatArray]
"""Resizes (H, W, 3) uint8 to a height and width."""


_RESIZING: Mapping[Sampling, Resizing] = {
    Sampling.SMOOTH: resized,
    Sampling.LINEAR: resized_linearly,
    Sampling.LINEAR_FLOAT: resized_in_float,
    Sampling.ANTIALIASED: resized_antialiased,
}


def resizing_of(spec: ModelSpec) -> Resizing:
    """Return the function that resizes images on the host as a model expects."""
    return _RESIZING[spec.sampling]


class Preprocessor:
    """Converter of BGR images to a network's input: resized, padded and normalised.

    Padding has the colour that the spec names, else the mean.

    Args:
        spec: description of the network.
        device: device that runs the network.
    """

    device: torch.device
    """Device that runs the network."""

    def __init__(self, spec: ModelSpec, device: torch.device) -> None:
        self.device = device
        self._normalise = Normalisation(spec, device)
        padding = spec.padding
        self._padding = self._normalise.mean
        if padding is not None:
            self._padding = torch.tensor(padding, dtype=torch.float32, device=device)
        self._resize = resizing_of(spec)
        self._is_smooth = spec.sampling in (Sampling.SMOOTH, Sampling.ANTIALIASED)
        self._blanks: dict[tuple[int, int], Tensor] = {}

    def letterboxed(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Resize and pad an image on the device.

        Args:
            bgr: (H, W, 3) uint8 image.
            box: where the image is in the input.

        Returns:
            (1, h, w, 3) RGB in [0, 255] on the device: uint8 on the CPU unless the spec asks for
            more, float32 elsewhere.
        """
        rows = self._resized(bgr, box.resized_hw)
        if box.resized_hw != box.input_hw:
            height, width = box.resized_hw
            canvas = self._blank(box.input_hw, rows.dtype).clone()
            canvas[box.top : box.top + height, box.left : box.left + width] = rows
            rows = canvas
        return rows[None]

    def normalised(self, rows: Tensor) -> Tensor:
        """Return the network's input for the result of ``letterboxed``.

        Returns:
            (1, 3, h, w) float32 RGB, channels last, on the same device.
        """
        return self._normalise.in_one_pass(rows.permute(0, 3, 1, 2))

    def _resized(self, bgr: ImageArray, size_hw: tuple[int, int]) -> Tensor:
        """Resize an image: (H, W, 3) BGR -> (h, w, 3) RGB on the device."""
        if self.device.type == "cpu":  # OpenCV takes a seventh of torch's time
            return torch.from_numpy(cv2.cvtColor(self._resize(bgr, size_hw), cv2.COLOR_BGR2RGB))
        image = torch.from_numpy(bgr).to(self.device, non_blocking=True).float()
        if (bgr.shape[0], bgr.shape[1]) != size_hw:
            planes = image.permute(2, 0, 1)[None]
            planes = functional.interpolate(
                planes, size_hw, mode="bilinear", antialias=self._is_smooth, align_corners=False
            )
            image = planes[0].permute(1, 2, 0)
        return image.flip(-1)

    def _blank(self, input_hw: tuple[int, int], dtype: torch.dtype) -> Tensor:
        """Return (h, w, 3) of the padding's colour; kept after the first call."""
        if input_hw not in self._blanks:
            colour = self._padding if dtype.is_floating_point else self._padding.round()
            self._blanks[input_hw] = colour.to(dtype).expand(*input_hw, 3).contiguous()
        return self._blanks[input_hw]
