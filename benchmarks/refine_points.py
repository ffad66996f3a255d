"""Train the landmark refiner of face-ssd on windows that are cut out of single images.

    python benchmarks/refine_points.py face-ssd.safetensors --data coco:FILE --out FILE

The recipe ``face-refiner`` cuts windows out of mosaics, in which faces are small. Here an image is
as large as the model sees it, and a window costs a hundredth. Only faces whose five landmarks
people have labelled are used; all weights but the refiner's stay as they are. The loss is weighted
like NME, by the inverse distance between the eyes.
"""

import dataclasses
import math
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from tqdm import trange

from kpviewer.annotations.derived.classes import align_classes
from kpviewer.annotations.spec import read_annotations
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.networks.points.refiner import WINDOW, PointRefiner, frames_of, to_window
from kpviewer.models.spec import ModelSpec
from kpviewer.models.weights import load_model, save_weights
from kpviewer.sources.images.source import load_image
from kpviewer.sources.opencv import cv2
from kpviewer.training.losses.refining import shaken

BATCH, WARMUP, EMA, BETA = 128, 50, 0.999, 0.01
LEAST_SHAKE = 0.3
"""Least share of the errors of ``shaken``: a detector's are mostly smaller."""
VARIED_SHARES = np.array([0.2, 0.5, 0.15, 0.1, 0.12])
LEVELS = np.arange(256, dtype=np.float32)


class Face(NamedTuple):
    """A face with five labelled landmarks."""

    rgb: np.ndarray
    """Image; one that is larger than the model's input is reduced to it."""
    points_xy: np.ndarray
    """(5, 2) px of the image."""


def faces_of(data: str, spec: ModelSpec) -> list[Face]:
    """Read the faces whose landmarks people have labelled."""
    found = []
    for image in align_classes(read_annotations(data), spec.class_names).images:
        truth = image.targets
        rows = truth.keypoints_visible.all(1) & ~truth.difficult & ~image.pseudo
        if not rows.any():
            continue
        rgb = cv2.cvtColor(load_image(image.path), cv2.COLOR_BGR2RGB)
        box, scale = letterbox_of(spec, rgb.shape[:2]), np.ones(2, np.float32)
        if box.scale_x < 1:
            height, width = box.resized_hw
            rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
            scale = np.array([box.scale_x, box.scale_y], np.float32)
        found += [Face(rgb, points * scale) for points in truth.keypoints_xy[rows]]
    return found


def window_of(rgb: np.ndarray, frame: np.ndarray, border: tuple[float, ...]) -> np.ndarray:
    """Resample a window, as ``point_refiner.windows_of`` does, to (WINDOW, WINDOW, 3)."""
    a, b, x, y = frame.astype(np.float64)
    step, first = 2 / WINDOW, 1 / WINDOW - 1
    matrix = np.array(
        [
            [a * step, -b * step, (a - b) * first + x - 0.5],
            [b * step, a * step, (a + b) * first + y - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(
        cv2.warpAffine(rgb, matrix, (WINDOW, WINDOW), flags=flags, borderValue=border)
    )


def varied(rgb: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur, light, decolour, shade from a side and cover windows: (5,) shares of them."""
    blurred, lit, grey, shaded, covered = rng.random(5) < shares
    if blurred:
        side = int(WINDOW * rng.uniform(0.3, 0.9))
        small = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA)
        rgb = cv2.resize(small, (WINDOW, WINDOW), interpolation=cv2.INTER_LINEAR)
    if lit:
        levels = (LEVELS - 128) * rng.uniform(0.6, 1.6) + 128 + rng.uniform(-35, 35)
        rgb = cv2.LUT(rgb, levels.clip(0, 255).astype(np.uint8))
    if grey:
        rgb = cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if shaded:
        gain = np.linspace(rng.uniform(0.3, 1), rng.uniform(0.6, 1.3), WINDOW)[:, None]
        rgb = (rgb * gain).clip(0, 255).astype(np.uint8)
    if covered:
        x, y = rng.integers(0, WINDOW - 8, 2)
        rgb[y : y + rng.integers(6, 24), x : x + rng.integers(6, 40)] = rng.uniform(0, 255, 3)
    return rgb


def batch_of(
    faces: list[Face],
    refiner: PointRefiner,
    spec: ModelSpec,
    shares: np.ndarray,
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Return windows (BATCH, 3, WINDOW, WINDOW), normalised, and their points, window units."""
    drawn = [faces[row] for row in rng.integers(len(faces), size=BATCH)]
    points = torch.from_numpy(np.stack([face.points_xy for face in drawn]))
    exact = frames_of(points, refiner.template)
    share = torch.from_numpy(rng.uniform(LEAST_SHAKE, 1, (BATCH, 1)).astype(np.float32))
    frames = torch.lerp(exact, shaken(exact), share)
    target = to_window(points, frames)
    mean, std = (np.array(each, np.float32) * 255 for each in (spec.mean, spec.std))
    windows = np.stack(
        [
            varied(window_of(face.rgb, frame, tuple(mean.tolist())), shares, rng)
            for face, frame in zip(drawn, frames.numpy(), strict=True)
        ]
    )
    mirrored = rng.random(BATCH) < 0.5
    windows[mirrored] = windows[mirrored, :, ::-1]
    swapped = target[:, list(spec.mirrored_keypoints)] * torch.tensor([-1.0, 1.0])
    target = torch.where(torch.from_numpy(mirrored)[:, None, None], swapped, target)
    normal = torch.from_numpy((windows - mean) / std)
    return normal.permute(0, 3, 1, 2).contiguous(), target


def loss_of(found: Tensor, target: Tensor) -> Tensor:
    """Compute smooth L1 of (N, 5, 2) points; faces with close eyes weigh up to twice as much."""
    eyes = (target[:, 0] - target[:, 1]).norm(dim=-1)
    weights = (0.72 / eyes).clamp(0.8, 2)  # 0.72 in the template
    errors = functional.smooth_l1_loss(found, target, beta=BETA, reduction="none")
    return (errors.mean((1, 2)) * weights).mean()


@click.command
@click.argument("model", type=click.Path(exists=True, path_type=Path))
@click.option("--data", required=True, metavar="SPEC", help="Data, such as coco:FILE.")
@click.option("--steps", default=3000, show_default=True)
@click.option("--rate", default=2e-3, show_default=True, help="Highest learning rate.")
@click.option("--variation", default=1.0, show_default=True, help="Factor of VARIED_SHARES.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(model: Path, data: str, steps: int, rate: float, variation: float, out: Path) -> None:
    """Train, and write the model with the average of the refiner's weights."""
    detector, rng = load_model(model), np.random.default_rng(0)
    refiner = detector.network.point_refiner
    assert isinstance(refiner, PointRefiner)
    faces = faces_of(data, detector.spec)
    refiner.requires_grad_(True).train()
    optimiser = torch.optim.AdamW(refiner.parameters(), lr=rate, weight_decay=0.02)
    average = {name: value.clone() for name, value in refiner.state_dict().items()}
    for step in trange(steps):
        cosine = 0.5 + 0.5 * math.cos(math.pi * step / steps)
        optimiser.param_groups[0]["lr"] = rate * min(1, (step + 1) / WARMUP) * cosine
        shares = variation * VARIED_SHARES
        windows, target = batch_of(faces, refiner, detector.spec, shares, rng)
        loss = loss_of(refiner.read(windows), target)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(refiner.parameters(), 10.0)
        optimiser.step()
        share = 1 - min(EMA, (step + 1) / (step + 10))
        for name, value in refiner.state_dict().items():
            if value.is_floating_point():
                average[name].lerp_(value, share)
    refiner.load_state_dict(average)
    refiner.eval()
    save_weights(detector, out, dataclasses.replace(detector.spec, activation_ranges=()))


if __name__ == "__main__":
    main()
