"""Changes of light, sharpness and noise, from torchvision, on composed images."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from kpviewer.sources.opencv import cv2


class Darken(nn.Module):
    """Darkens images by gamma and gain, like a webcam in a badly lit room."""

    def forward(self, image: Tensor) -> Tensor:
        """Transform (3, H, W) uint8 -> the same."""
        gamma = float(torch.empty(()).uniform_(0.6, 2.2))
        gain = float(torch.empty(()).uniform_(0.3, 1.0))
        darker: Tensor = v2.functional.adjust_gamma(image, gamma, gain)
        return darker


class SensorNoise(nn.Module):
    """Adds Gaussian noise, the same in the three channels or not."""

    def forward(self, image: Tensor) -> Tensor:
        """Transform (3, H, W) uint8 -> the same."""
        sigma = float(torch.empty(()).uniform_(2, 18))
        noise = torch.randn(image.shape if torch.rand(()) < 0.5 else image.shape[1:]) * sigma
        return (image + noise).clamp(0, 255).to(torch.uint8)


class Recompress(nn.Module):
    """Compresses images as JPEG at a low quality, by OpenCV: torchvision's is deprecated."""

    def forward(self, image: Tensor) -> Tensor:
        """Transform (3, H, W) uint8 -> the same."""
        quality = int(torch.randint(25, 91, ()))
        rgb = image.permute(1, 2, 0).contiguous().numpy()
        _, coded = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])
        decoded = cv2.imdecode(coded, cv2.IMREAD_COLOR)
        return torch.from_numpy(np.asarray(decoded, np.uint8)).permute(2, 0, 1)


def photometric() -> v2.Transform:
    """Return the chain for training: (3, H, W) uint8 -> the same."""
    return v2.Compose(
        [
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.5)], p=0.7),
            v2.RandomApply([v2.ColorJitter(hue=0.08)], p=0.15),
            v2.RandomApply([Darken()], p=0.2),
            v2.RandomGrayscale(0.1),
            v2.RandomApply([v2.GaussianBlur((5, 5), (0.4, 2.0))], p=0.15),
            v2.RandomApply([SensorNoise()], p=0.2),
            v2.RandomApply([Recompress()], p=0.3),
        ]
    )
