"""Detectors of torchvision, exported as its documentation shows: one image of (3, H, W) in."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn

from benchmarks.layouts import decoding
from benchmarks.layouts.common import CONFIDENCE, Network, Result, calibrate, spread

SIZE = 320
CLASSES = 4
"""With the background."""
NAMES = (
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "ssdlite320_mobilenet_v3_large",
    "retinanet_resnet50_fpn",
    "fcos_resnet50_fpn",
)


def networks(images: Mapping[str, np.ndarray]) -> Iterator[Network]:
    """Yield each detector with a fixed input, and two that take images of any size."""
    image = images["small"]
    for name in NAMES:
        yield _network(name, image, is_dynamic=False)
    for name in NAMES[:2]:
        yield _network(name, image, is_dynamic=True)


def _network(name: str, image: np.ndarray, is_dynamic: bool) -> Network:
    def write(path: Path) -> None:
        _export(path, _random(name, image), is_dynamic)

    def predict(path: Path, image: np.ndarray) -> Result:
        return _predict(path, image, is_dynamic)

    short = name.split("_", maxsplit=1)[0]
    return Network(f"torchvision-{short}" + ("-dynamic" if is_dynamic else ""), write, predict)


def _random(name: str, image: np.ndarray) -> Any:
    from torchvision.models import get_model

    torch.manual_seed(7)
    sizes = {"min_size": SIZE, "max_size": SIZE} if "resnet50" in name else {}
    options = {"score_thresh": 0.05, **sizes} if "rcnn" not in name else {"box_score_thresh": 0.05}
    model = get_model(
        name, weights=None, weights_backbone=None, num_classes=CLASSES, **options
    ).eval()
    resized = cv2.resize(image, (SIZE, SIZE))[..., ::-1]
    planes = torch.from_numpy(decoding.planes(resized, 0, 255)[0])
    batch = [planes]
    calibrate(model, lambda: model([planes, planes.flip(1), planes.flip(2), planes.mT]))
    if "fcos" in name:  # its untrained boxes have no area
        model.head.regression_head.bbox_reg.weight.data *= 20
        model.head.regression_head.bbox_reg.bias.data += 2
    layers, columns = _class_layers(model), slice(None)
    if "resnet50" not in name:  # softmax over the classes and a background, which gets 0
        columns = (torch.arange(layers[0].weight.shape[0]) % CLASSES != 0).nonzero()[:, 0]
        for layer in layers:
            layer.weight.data[::CLASSES] = 0
            layer.bias.data[::CLASSES] = 0
    spread(layers, lambda: model(batch), columns)
    return model


def _class_layers(model: Any) -> list[nn.Module]:
    if hasattr(model, "roi_heads"):
        return [model.roi_heads.box_predictor.cls_score]
    head = model.head.classification_head
    if hasattr(head, "cls_logits"):
        return [head.cls_logits]
    return [each[-1] for each in head.module_list]


def _export(path: Path, model: Any, is_dynamic: bool) -> None:
    axes = {"image": {1: "height", 2: "width"}} if is_dynamic else None
    boxes_first = "roi_heads" in dict(model.named_children())
    outputs = ("boxes", "labels", "scores") if boxes_first else ("boxes", "scores", "labels")
    torch.onnx.export(
        model,
        ([torch.rand(3, SIZE, SIZE)],),
        str(path),
        input_names=["image"],
        output_names=list(outputs),
        dynamic_axes=axes,
        opset_version=17,
        dynamo=False,
    )


def _predict(path: Path, image: np.ndarray, is_dynamic: bool) -> Result:
    """Run an export; for a fixed one the image is stretched, a convention of this script."""
    seen = image if is_dynamic else cv2.resize(image, (SIZE, SIZE))
    outputs = decoding.run(path, {"image": decoding.planes(seen[..., ::-1], 0, 255)[0]})
    boxes = outputs[0] * np.tile(np.array(image.shape[1::-1]) / np.array(seen.shape[1::-1]), 2)
    labels, scores = outputs[1:] if outputs[1].dtype == np.int64 else outputs[:0:-1]
    kept = scores > CONFIDENCE
    return Result(boxes[kept].tolist(), scores[kept].tolist(), labels[kept].tolist())
