"""What every kind of network shares: results, images, random weights with spread scores."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

CONFIDENCE, IOU, MAX_DETECTIONS = 0.25, 0.7, 300
IMAGE_SIZES = {
    "wide": (640, 480),
    "small": (500, 375),
    "odd": (333, 517),
    "square": (320, 320),
    "large": (1280, 720),
}
"""Width and height, px. In "square" most inputs need no resizing, so only the decoding counts; in
"large" the way of shrinking counts, too."""
BEST_SCORE = 0.92
OBJECTS = 60
"""Raw predictions over the confidence threshold, before NMS."""


@dataclass
class Result:
    """The detections in one image, in its pixels."""

    boxes: list[list[float]] | None
    """Corners; None for a model of keypoints alone."""
    scores: list[float]
    classes: list[int]
    keypoints: list[list[list[float]]] = field(default_factory=list)
    """x, y and confidence of each; NaN where the maker gives none."""
    rotated: list[list[float]] = field(default_factory=list)
    """Centre, width, height and angle in radians of oriented boxes."""


@dataclass(frozen=True)
class Network:
    """An export, and the code of its maker.

    Attributes:
        name: name of the file, without its suffix.
        write: exports it to a path.
        predict: runs the maker's code on (H, W, 3) uint8 BGR.
        opens: what ``kpviewer.load`` gets, with FOLDER for that of the files; empty for the file.
    """

    name: str
    write: Callable[[Path], None]
    predict: Callable[[Path, np.ndarray], Result]
    opens: str = ""


def make_images(source: Path, folder: Path) -> dict[str, np.ndarray]:
    """Cut the test images from a photograph, once."""
    folder.mkdir(parents=True, exist_ok=True)
    images = {}
    for name, (width, height) in IMAGE_SIZES.items():
        path = folder / f"{name}.png"
        if not path.exists():
            cv2.imwrite(str(path), _cut(cv2.imread(str(source)), width, height))
        images[name] = cv2.imread(str(path))
    return images


def _cut(image: np.ndarray, width: int, height: int) -> np.ndarray:
    scale = max(width / image.shape[1], height / image.shape[0])
    size = (math.ceil(image.shape[1] * scale), math.ceil(image.shape[0] * scale))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)[:height, :width]


def write_results(path: Path, opens: str, results: Mapping[str, Result]) -> None:
    """Write the results of one network by image, and what ``kpviewer.load`` gets."""
    path.parent.mkdir(parents=True, exist_ok=True)
    by_image = {name: asdict(each) for name, each in results.items()}
    path.write_text(json.dumps({"opens": opens, "images": by_image}))


def read_results(path: Path) -> tuple[str, dict[str, Result]]:
    """Read what ``write_results`` wrote."""
    content = json.loads(path.read_text())
    return content["opens"], {name: Result(**each) for name, each in content["images"].items()}


def calibrate(model: nn.Module, run: Callable[[], Any]) -> None:
    """Set the running statistics of all batch norms from one forward pass."""
    norms = [each for each in model.modules() if isinstance(each, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        run()
    for norm in norms:
        norm.eval()
        norm.momentum = 0.1


def spread(
    layers: Iterable[nn.Module],
    run: Callable[[], Any],
    columns: slice,
    axis: int = 1,
    images: int = 1,
) -> None:
    """Scale and shift the last layers of classes, so that scores spread from 0 to 0.92.

    Args:
        layers: convolutions or linear layers that give logits.
        run: a forward pass through them.
        columns: their outputs that are logits of classes.
        axis: axis of their outputs that holds the columns.
        images: how many the pass is over.
    """
    layers, seen = list(layers), []
    hooks = [each.register_forward_hook(lambda _m, _i, out: seen.append(out)) for each in layers]
    with torch.no_grad():
        run()
    for hook in hooks:
        hook.remove()
    logits = [each.movedim(axis, 0)[columns].amax(0).flatten() for each in seen]
    ranked = torch.cat(logits).sort(descending=True).values
    low, high = _logit(CONFIDENCE), _logit(BEST_SCORE)
    gain = (high - low) / float(ranked[0] - ranked[min(OBJECTS * images, len(ranked) - 1)])
    shift = high - gain * float(ranked[0])
    with torch.no_grad():
        for layer in layers:
            layer.weight[columns] *= gain
            layer.bias[columns] = layer.bias[columns] * gain + shift


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def letterbox(
    image: np.ndarray, size: int | tuple[int, int], padding: int = 114, centred: bool = True
) -> tuple[np.ndarray, float, tuple[int, int]]:
    """Fit an image into an input: the padded image, its scale, and left and top padding.

    Centred as Ultralytics does, otherwise at the top left with sides rounded down, as YOLOX,
    insightface and OpenMMLab do.
    """
    height, width = image.shape[:2]
    input_height, input_width = (size, size) if isinstance(size, int) else size
    scale = min(input_height / height, input_width / width)
    rounded = round if centred else int
    new_width, new_height = rounded(width * scale), rounded(height * scale)
    left, top = (input_width - new_width) / 2, (input_height - new_height) / 2
    corner = (round(left - 0.1), round(top - 0.1)) if centred else (0, 0)
    canvas = np.full((input_height, input_width, 3), padding, np.uint8)
    resized = cv2.resize(image, (new_width, new_height))
    canvas[corner[1] : corner[1] + new_height, corner[0] : corner[0] + new_width] = resized
    return canvas, scale, corner
