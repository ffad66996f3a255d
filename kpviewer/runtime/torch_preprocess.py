"""Preprocessing of images to a torch network's input, on the device that runs the network."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from kpviewer.geometry import Letterbox
from kpviewer.models.normalisation import Normalisation
from kpviewer.models.spec import ModelSpec, Sampling
from kpviewer.runtime.letterboxing import Letterboxing, padding_of
from kpviewer.structures import ImageArray


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
        self._on_host = Letterboxing(spec)
        self._padding = torch.from_numpy(padding_of(spec)).to(device)
        self._is_smooth = spec.sampling in (Sampling.SMOOTH, Sampling.ANTIALIASED)
        self._blanks: dict[tuple[int, int], Tensor] = {}

    def letterboxed(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Resize and pad an image on the device.

        Args:
            bgr: (H, W, 3) uint8 image.
            box: where the image is in the input.

        Returns:
            (1, h, w, 3) RGB in [0, 255] on the device: on the CPU as of ``Letterboxing``, in memory
            that the next call overwrites; float32 elsewhere.
        """
        if self.device.type == "cpu":  # OpenCV takes a seventh of torch's time
            return torch.from_numpy(self._on_host(bgr, box))
        rows = self._resized(bgr, box.resized_hw)
        if box.resized_hw != box.input_hw:
            height, width = box.resized_hw
            canvas = self._blank(box.input_hw).clone()
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
        """Resize an image on a GPU: (H, W, 3) BGR -> (h, w, 3) RGB."""
        image = torch.from_numpy(bgr).to(self.device, non_blocking=True).float()
        if (bgr.shape[0], bgr.shape[1]) != size_hw:
            planes = image.permute(2, 0, 1)[None]
            planes = functional.interpolate(
                planes, size_hw, mode="bilinear", antialias=self._is_smooth, align_corners=False
            )
            image = planes[0].permute(1, 2, 0)
        return image.flip(-1)

    def _blank(self, input_hw: tuple[int, int]) -> Tensor:
        """Return (h, w, 3) of the padding's colour; kept after the first call."""
        if input_hw not in self._blanks:
            self._blanks[input_hw] = self._padding.expand(*input_hw, 3).contiguous()
        return self._blanks[input_hw]
