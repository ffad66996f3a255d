"""Occlusion of faces by masks, dark glasses and patches, as by hands or microphones."""

from dataclasses import replace

import numpy as np

from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, ImageArray
from kpviewer.training.data.samples import Sample

LEFT_EYE, RIGHT_EYE, NOSE, LEFT_MOUTH, RIGHT_MOUTH = range(5)


def occlude_faces(sample: Sample, rng: np.random.Generator, chance: float) -> Sample:
    """Cover some faces, each with probability ``chance``, by a mask, dark glasses or a patch.

    Points keep their labels: people label a mouth behind a mask too.
    """
    rgb = sample.rgb
    chosen = (rng.random(len(sample.xyxy)) < chance) & ~sample.ignore & sample.labelled.all(1)
    if not chosen.any():
        return sample
    rgb = rgb.copy()
    for box, points in zip(sample.xyxy[chosen], sample.points_xy[chosen], strict=True):
        kind = rng.random()
        if kind < 0.5:
            _paint(rgb, _mask_outline(box, points, rng), rng)
        elif kind < 0.7:
            _dark_glasses(rgb, points, rng)
        else:
            _paint(rgb, _patch_outline(box, rng), rng)
    return replace(sample, rgb=rgb)


def _mask_outline(box: FloatArray, points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw the outline of a surgical mask or scarf, from the nose over the cheeks to the chin."""
    eyes = (points[LEFT_EYE] + points[RIGHT_EYE]) / 2
    mouth = (points[LEFT_MOUTH] + points[RIGHT_MOUTH]) / 2
    down, across = mouth - eyes, (points[RIGHT_EYE] - points[LEFT_EYE])
    top = eyes + down * rng.uniform(0.25, 0.6)
    wide = rng.uniform(0.8, 1.05)
    chin = eyes + down * rng.uniform(1.55, 1.9)
    return np.array(
        [
            top,
            top + across * wide + down * rng.uniform(-0.1, 0.2),
            mouth + across * wide * 0.85,
            chin + across * 0.35,
            chin - across * 0.35,
            mouth - across * wide * 0.85,
            top - across * wide + down * rng.uniform(-0.1, 0.2),
        ],
        np.float32,
    )


def _patch_outline(box: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Draw the outline of a rotated rectangle over about a quarter of the box."""
    side = box[2:] - box[:2]
    centre = box[:2] + side * rng.uniform(0.1, 0.9, 2)
    half = side * rng.uniform(0.12, 0.35, 2)
    angle = rng.uniform(0, np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    return np.asarray(corners @ turn.T + centre, np.float32)


def _paint(rgb: ImageArray, outline: FloatArray, rng: np.random.Generator) -> None:
    """Fill an outline with a cloth-like colour: shaded from top to bottom, a little noisy."""
    corner = np.floor(outline.min(0)).astype(int).clip(0)
    end = np.ceil(outline.max(0)).astype(int) + 1
    region = rgb[corner[1] : end[1], corner[0] : end[0]]
    if region.size == 0:
        return
    height, width = region.shape[:2]
    cover = np.zeros((height, width), np.uint8)
    cv2.fillPoly(cover, [np.round(outline - corner).astype(np.int32)], 255)
    alpha = np.asarray(cv2.GaussianBlur(cover, (3, 3), 0))[..., None] / 255.0
    colour = rng.uniform(0, 255, 3) if rng.random() < 0.5 else rng.uniform(20, 245)
    shade = np.linspace(rng.uniform(0.7, 1.2), rng.uniform(0.5, 1.1), height)[:, None, None]
    cloth = np.ones((height, width, 3)) * colour * shade + rng.normal(0, 6, (height, width, 1))
    region[:] = np.clip(region * (1 - alpha) + cloth * alpha, 0, 255).astype(np.uint8)


def _dark_glasses(rgb: ImageArray, points: FloatArray, rng: np.random.Generator) -> None:
    """Paint two dark lenses and a bridge over the eyes."""
    across = points[RIGHT_EYE] - points[LEFT_EYE]
    distance = float(np.linalg.norm(across))
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    colour = tuple(float(value) for value in rng.uniform(0, 60, 3))
    axes = (max(1, round(distance * 0.36)), max(1, round(distance * rng.uniform(0.22, 0.32))))
    for eye in (points[LEFT_EYE], points[RIGHT_EYE]):
        centre = (round(float(eye[0])), round(float(eye[1])))
        cv2.ellipse(rgb, centre, axes, angle, 0, 360, colour, -1, cv2.LINE_AA)
    ends = [tuple(int(v) for v in points[index]) for index in (LEFT_EYE, RIGHT_EYE)]
    cv2.line(rgb, ends[0], ends[1], colour, max(1, round(distance * 0.08)), cv2.LINE_AA)
