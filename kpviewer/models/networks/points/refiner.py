"""Refinement of keypoints from the pixels around them, in an upright window of constant scale.

A detector's feature maps locate an object's points roughly. A small network on the pixels
themselves, in a window aligned by the rough points, locates them better, as every object is upright
and at the same scale.

Sources: refinement of points from their first estimate, Sun et al. 2013, "Deep Convolutional
Network Cascade for Facial Point Detection" (CVPR), section 3; windows aligned by the points of the
stage before, Kowalski et al. 2017, Deep Alignment Network (arXiv:1706.01789), section 3.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from kpviewer.models.networks.backbones.light import ConvUnit, start_small
from kpviewer.models.networks.boxes import size_wh

WINDOW = 64
"""Side of the window, px."""


class PointRefiner(nn.Module):
    """Network that refines K rough points.

    Args:
        template: (x, y) of each of the K points of a mean object, in units of half a window from
            its centre: (-1, -1) is the top left corner, (1, 1) the bottom right one.
        widths: channels of the convolutions, each but the last with stride 2.
        hidden: units between the last map and the points.
    """

    template: Tensor
    """(K, 2) points of the mean object, window units."""

    def __init__(
        self,
        template: Sequence[tuple[float, float]],
        widths: tuple[int, ...] = (16, 24, 48, 64, 64),
        hidden: int = 128,
    ) -> None:
        super().__init__()
        self.register_buffer("template", torch.tensor(template), persistent=False)
        inputs = (3, *widths)
        last = len(widths) - 1
        self.units = nn.Sequential(
            *(
                ConvUnit(inputs[row], width, stride=1 if row == last else 2)
                for row, width in enumerate(widths)
            )
        )
        side = WINDOW >> last
        self.hidden = nn.Linear(widths[-1] * side * side, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.shifts = nn.Linear(hidden, 2 * len(template))
        start_small(self.shifts)

    def forward(self, images: Tensor, points_xy: Tensor) -> Tensor:
        """Refine points.

        Args:
            images: (B, 3, H, W) normalised images.
            points_xy: (B, R, K, 2) rough points, input px.

        Returns:
            (B, R, K, 2) points, input px.
        """
        frames = frames_of(points_xy, self.template.to(points_xy.dtype))
        windows = windows_of(images, frames)
        points_w = self.read(windows.flatten(0, 1)).reshape(points_xy.shape)
        return from_window(points_w.to(frames.dtype), frames)

    def read(self, windows: Tensor) -> Tensor:
        """(N, 3, WINDOW, WINDOW) pixels -> (N, K, 2) points, window units."""
        features = self.units(windows).flatten(1)
        shifts: Tensor = self.shifts(functional.relu(self.norm(self.hidden(features))))
        return self.template + shifts.reshape(windows.shape[0], *self.template.shape)


def frames_of(points_xy: Tensor, template: Tensor) -> Tensor:
    """Return the least-squares similarity from the template to each object's points.

    Args:
        points_xy: (..., K, 2) points, px.
        template: (K, 2) points, window units.

    Returns:
        (..., 4) frames a, b, x, y of the map (u, v) -> (a u - b v + x, b u + a v + y), px per unit.

    Source: Umeyama 1991, "Least-squares estimation of transformation parameters between two point
    patterns" (IEEE TPAMI 13(4)), in two dimensions, where a rotation and a scale are one complex
    factor.
    """
    centre_w = template.mean(0)
    centre = points_xy.mean(-2)
    arms = template - centre_w
    away = points_xy - centre[..., None, :]
    power = arms.square().sum()
    a = (arms * away).sum((-2, -1)) / power
    b = (arms[:, 0] * away[..., 1] - arms[:, 1] * away[..., 0]).sum(-1) / power
    x = centre[..., 0] - a * centre_w[0] + b * centre_w[1]
    y = centre[..., 1] - b * centre_w[0] - a * centre_w[1]
    return torch.stack([a, b, x, y], -1)


def from_window(points_w: Tensor, frames: Tensor) -> Tensor:
    """Convert (..., K, 2) window units to (..., K, 2) px, by (..., 4) frames."""
    a, b, x, y = frames[..., None, :].unbind(-1)
    u, v = points_w.unbind(-1)
    return torch.stack([a * u - b * v + x, b * u + a * v + y], -1)


def to_window(points_xy: Tensor, frames: Tensor) -> Tensor:
    """Convert (..., K, 2) px to (..., K, 2) window units, by (..., 4) frames of a size above 0."""
    a, b, x, y = frames[..., None, :].unbind(-1)
    dx, dy = (points_xy - torch.stack([x, y], -1)).unbind(-1)
    power = a.square() + b.square()
    return torch.stack([(a * dx + b * dy) / power, (a * dy - b * dx) / power], -1)


def windows_of(images: Tensor, frames: Tensor) -> Tensor:
    """Resample the window of each frame.

    Args:
        images: (B, 3, H, W) images.
        frames: (B, R, 4) frames, px of the images.

    Returns:
        (B, R, 3, WINDOW, WINDOW) float32; 0, the mean colour, outside of the image.
    """
    batch, count = frames.shape[:2]
    steps = (torch.arange(WINDOW, device=frames.device, dtype=frames.dtype) + 0.5) / WINDOW
    steps = steps * 2 - 1
    scale = 2 / size_wh((images.shape[2], images.shape[3]), frames)
    a, b, x, y = frames[:, :, None].unbind(-1)  # (B, R, 1) each
    right, down, centre = (
        torch.stack(pair, -1) * scale for pair in ((a, b), (-b, a), (x, y))
    )  # (B, R, 1, 2) each
    # x and y lie side by side in a row: OpenVINO is slow to interleave maps, or to repeat pairs
    columns = (steps[:, None] * right + (centre - 1)).flatten(2)  # (B, R, 2 * WINDOW)
    rows = down.expand(-1, -1, WINDOW, -1).flatten(2)
    grid = columns[:, :, None] + steps[:, None] * rows[:, :, None]
    grid = grid.reshape(batch, count * WINDOW, WINDOW, 2)
    seen = functional.grid_sample(
        images.float(), grid, padding_mode="zeros", align_corners=False
    )  # (B, 3, R * WINDOW, WINDOW)
    return seen.reshape(batch, 3, count, WINDOW, WINDOW).transpose(1, 2)
