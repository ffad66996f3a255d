"""Planes of images on the host, normalised ones for models that take floating point numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.models.spec import ModelSpec
from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray


class Planes:
    """Converter of letterboxed images to a network's input: (pixel / 255 - mean) / std.

    It gives the values of ``inputs.normalisation.Normalisation.in_one_pass``: one multiplication
    and addition, rounded once; pixels that are divided by 255 alone are rounded as by a division.

    Args:
        spec: description of the network, with the mean and std of pixels in [0, 1].
    """

    def __init__(self, spec: ModelSpec) -> None:
        mean, std = (np.array(each, np.float32) * np.float32(255) for each in (spec.mean, spec.std))
        self._scales, self._offsets = np.float32(1) / std, -mean / std
        self._is_plain = not mean.any() and bool((std == 255).all())
        levels = np.arange(256, dtype=np.float64)[:, None].repeat(3, 1)
        self._tables = self._normalised(levels).astype(np.float32).T.copy()  # (3, 256)

    def __call__(self, rows: NDArray[Any]) -> FloatArray:
        """Return (B, 3, h, w) float32 of (B, h, w, 3) RGB in [0, 255], uint8 or float32."""
        if rows.dtype != np.uint8:
            return np.ascontiguousarray(self._normalised(rows).transpose(0, 3, 1, 2), np.float32)
        planes = np.empty((len(rows), 3, *rows.shape[1:3]), np.float32)
        for image, own in zip(rows, planes, strict=True):
            for channel, table, plane in zip(cv2.split(image), self._tables, own, strict=True):
                cv2.LUT(channel, table, dst=plane)
        return planes

    def _normalised(self, values: NDArray[Any]) -> NDArray[Any]:
        """Normalise (..., 3) values in [0, 255]."""
        return values / 255 if self._is_plain else values * self._scales + self._offsets


def split(rows: NDArray[Any]) -> NDArray[Any]:
    """Return the planes of (B, h, w, 3) images: (B, 3, h, w) of the same type."""
    planes = np.empty((len(rows), 3, *rows.shape[1:3]), rows.dtype)
    for image, own in zip(rows, planes, strict=True):
        cv2.split(image, list(own))
    return planes
