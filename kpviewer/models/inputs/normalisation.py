"""Normalisation of colours: the one definition of what a network's input values are."""

import torch
from torch import Tensor

from kpviewer.models.spec import ModelSpec


class Normalisation:
    """Converter of RGB pixels in [0, 255] to input values: (pixel / 255 - mean) / std."""

    mean: Tensor
    """(3,) float32 mean colour in [0, 255], which padding has."""

    def __init__(self, spec: ModelSpec, device: torch.device) -> None:
        self.mean = torch.tensor(spec.mean, device=device) * 255
        std = torch.tensor(spec.std, device=device) * 255
        self._means, self._stds = self.mean[:, None, None], std[:, None, None]
        self._scales = (1 / std)[:, None, None]
        self._offsets = (-self.mean / std)[:, None, None]
        self._is_plain = not any(spec.mean) and all(each == 1 for each in spec.std)

    def __call__(self, planes: Tensor) -> Tensor:
        """Normalise (B, 3, H, W) pixels of any dtype; return float32 of the same shape."""
        return (planes - self._means) / self._stds

    def pixels(self, images: Tensor) -> Tensor:
        """Return the (B, 3, H, W) uint8 pixels of normalised images, which were whole levels."""
        return (images * self._stds + self._means).round().clamp(0, 255).to(torch.uint8)

    def in_one_pass(self, planes: Tensor) -> Tensor:
        """Normalise (B, 3, H, W) pixels, for inference.

        One multiplication and addition per value; it differs from a call by rounding alone.
        Pixels that are divided by 255 alone, as most makers do, are rounded as theirs: networks in
        half precision tell the difference.
        """
        if self._is_plain:
            return planes.float() / 255
        return torch.addcmul(self._offsets, planes.float(), self._scales)
