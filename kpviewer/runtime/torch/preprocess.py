"""Preprocessing of images to a torch network's input: on the host, as for every other backend.

A captured graph does it on the GPU (``runtime.cuda``).
"""

import torch
from torch import Tensor

from kpviewer.geometry import Letterbox
from kpviewer.models.inputs.normalisation import Normalisation
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.letterboxing import Letterboxing
from kpviewer.structures import ImageArray


class Preprocessor:
    """Converter of BGR images to a network's input: resized, padded and normalised.

    Padding has the colour that the spec names, else the mean.
    """

    device: torch.device
    """Device that runs the network."""

    def __init__(self, spec: ModelSpec, device: torch.device) -> None:
        self.device = device
        self._normalise = Normalisation(spec, device)
        self._on_host = Letterboxing(spec)

    def letterboxed(self, bgr: ImageArray, box: Letterbox) -> Tensor:
        """Resize and pad an image, by OpenCV, which takes a seventh of torch's time.

        Returns:
            (1, h, w, 3) RGB in [0, 255] on the device, as of ``Letterboxing``; on the CPU in memory
            that the next call overwrites.
        """
        return torch.from_numpy(self._on_host(bgr, box)).to(self.device)

    def normalised(self, rows: Tensor) -> Tensor:
        """Return the network's input for the result of ``letterboxed``.

        Returns:
            (1, 3, h, w) float32 RGB, channels last, on the same device.
        """
        return self._normalise.in_one_pass(rows.permute(0, 3, 1, 2))
