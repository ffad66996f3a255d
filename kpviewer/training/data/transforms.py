"""Changes of light, sharpness and noise, most from torchvision, on composed images."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, ImageArray
from kpviewer.training.data.samples import Sample
from kpviewer.training.ranges import Share

STRONG_CONTRAST = (1.2, 2.2)
"""Range of the factor of strong contrast; values beyond 0 and 255 are clipped."""


@dataclass(frozen=True, slots=True)
class LightOptions:
    """Shares of the images whose light or colours change; the defaults are mild."""

    grey_share: Share = 0.1
    tint_share: Share = 0.0
    """Share of images with a colour cast, as by lamps or a wrong white balance."""
    contrast_share: Share = 0.0
    """Share of images with strong contrast, whose light and dark parts are clipped."""
    side_light_share: Share = 0.0
    """Share of the objects of which one side is dark and the other light."""


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


class Tint(nn.Module):
    """Multiplies each channel by a factor of its own."""

    def forward(self, image: Tensor) -> Tensor:
        """Transform (3, H, W) uint8 -> the same."""
        gains = torch.empty(3, 1, 1).uniform_(0.6, 1.3)
        return (image * gains).clamp(0, 255).to(torch.uint8)


def photometric(light: LightOptions | None = None) -> v2.Transform:
    """Return the chain for training: (3, H, W) uint8 -> the same."""
    light = light or LightOptions()
    contrast = v2.ColorJitter(contrast=STRONG_CONTRAST)
    # a change that is off isn't in the chain, and so takes no random numbers
    extra = ((light.tint_share, Tint()), (light.contrast_share, contrast))
    return v2.Compose(
        [
            *(v2.RandomApply([change], p=share) for share, change in extra if share),
            v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.5)], p=0.7),
            v2.RandomApply([v2.ColorJitter(hue=0.08)], p=0.15),
            v2.RandomApply([Darken()], p=0.2),
            v2.RandomGrayscale(light.grey_share),
            v2.RandomApply([v2.GaussianBlur((5, 5), (0.4, 2.0))], p=0.15),
            v2.RandomApply([SensorNoise()], p=0.2),
            v2.RandomApply([Recompress()], p=0.3),
        ]
    )


def light_from_side(sample: Sample, rng: np.random.Generator, share: float) -> Sample:
    """Light some objects, each with probability ``share``, from a random side."""
    if not share:
        return sample
    chosen = (rng.random(len(sample.xyxy)) < share) & ~sample.ignore
    if not chosen.any():
        return sample
    rgb = sample.rgb.copy()
    for box in sample.xyxy[chosen]:
        _shade(rgb, box, rng)
    return replace(sample, rgb=rgb)


def _shade(rgb: ImageArray, box: FloatArray, rng: np.random.Generator) -> None:
    """Multiply an object and its surroundings by a smooth step; it fades out at twice the box."""
    centre, half = (box[:2] + box[2:]) / 2, np.maximum(box[2:] - box[:2], 1) / 2
    left, top = np.floor(centre - 2 * half).astype(int).clip(0)
    right, bottom = np.ceil(centre + 2 * half).astype(int)
    region = rgb[top:bottom, left:right]
    rows, columns = np.mgrid[top : top + region.shape[0], left : left + region.shape[1]] + 0.5
    x, y = (columns - centre[0]) / half[0], (rows - centre[1]) / half[1]  # -1 to 1 in the box
    angle = rng.uniform(0, 2 * math.pi)
    depth = x * math.cos(angle) + y * math.sin(angle) - rng.uniform(-0.4, 0.4)
    dark = 0.5 + 0.5 * np.tanh(depth / rng.uniform(0.1, 0.8))
    gain = rng.uniform(-0.95, -0.5) * dark + rng.uniform(0, 0.7) * (1 - dark)
    near = np.clip(2 - np.hypot(x, y), 0, 1)
    region[:] = np.clip(region * (1 + near * gain)[..., None], 0, 255).astype(np.uint8)
