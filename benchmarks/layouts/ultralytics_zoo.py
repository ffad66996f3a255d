"""Exports of Ultralytics' package with random weights, and its own ``predict`` on them."""

import copy
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.layouts.common import (
    CONFIDENCE,
    IOU,
    MAX_DETECTIONS,
    Network,
    Result,
    calibrate,
    letterbox,
    spread,
)

os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")

SIZE = 320
DYNAMIC_SIZE = (256, 320)
"""Height and width that images of 4:3 get, in steps of the stride, where sizes are open."""
OLD_RT_DETR = "rtdetr-l-2-old"
EXPORTS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "v5nu-2": ("yolov5n.yaml", 2, {}),
    "v5nu-80": ("yolov5n.yaml", 80, {}),
    "v8n-2": ("yolov8n.yaml", 2, {}),
    "v8n-3": ("yolov8n.yaml", 3, {}),
    "v8n-80": ("yolov8n.yaml", 80, {}),
    "v8n-1": ("yolov8n.yaml", 1, {}),
    "v9t-5": ("yolov9t.yaml", 5, {}),
    "v10n-2": ("yolov10n.yaml", 2, {}),
    "v10n-5": ("yolov10n.yaml", 5, {}),
    "11n-2": ("yolo11n.yaml", 2, {}),
    "11n-80": ("yolo11n.yaml", 80, {}),
    "12n-3": ("yolo12n.yaml", 3, {}),
    "26n-2": ("yolo26n.yaml", 2, {}),
    "26n-80": ("yolo26n.yaml", 80, {}),
    "26n-2-many": ("yolo26n.yaml", 2, {"nms": False}),
    "v8n-2-nms": ("yolov8n.yaml", 2, {"nms": True}),
    "v8n-3-nms": ("yolov8n.yaml", 3, {"nms": True}),
    "v8n-80-nms": ("yolov8n.yaml", 80, {"nms": True}),
    "11n-2-nms-half": ("yolo11n.yaml", 2, {"nms": True, "half": True}),
    "11n-2-nms-dynamic": ("yolo11n.yaml", 2, {"nms": True, "dynamic": True}),
    "11n-3-dynamic": ("yolo11n.yaml", 3, {"dynamic": True}),
    "11n-3-half": ("yolo11n.yaml", 3, {"half": True}),
    "11n-3-batch2": ("yolo11n.yaml", 3, {"batch": 2}),
    "11n-3-wide": ("yolo11n.yaml", 3, {"imgsz": (192, 320)}),
    "11n-3-320-256": ("yolo11n.yaml", 3, {"imgsz": (320, 256)}),
    "v8n-pose": ("yolov8n-pose.yaml", 1, {}),
    "v8n-pose-nms": ("yolov8n-pose.yaml", 1, {"nms": True}),
    "11n-pose": ("yolo11n-pose.yaml", 1, {}),
    "11n-pose-nms": ("yolo11n-pose.yaml", 1, {"nms": True}),
    "11n-pose-2": ("yolo11n-pose.yaml", 2, {}),
    "26n-pose": ("yolo26n-pose.yaml", 1, {}),
    "v8n-seg-3": ("yolov8n-seg.yaml", 3, {}),
    "v8n-seg-3-nms": ("yolov8n-seg.yaml", 3, {"nms": True}),
    "11n-seg-80": ("yolo11n-seg.yaml", 80, {}),
    "26n-seg-3": ("yolo26n-seg.yaml", 3, {}),
    "v8n-obb-3": ("yolov8n-obb.yaml", 3, {}),
    "v8n-obb-3-nms": ("yolov8n-obb.yaml", 3, {"nms": True}),
    "11n-obb-15": ("yolo11n-obb.yaml", 15, {}),
    "26n-obb-3": ("yolo26n-obb.yaml", 3, {}),
    "rtdetr-l-2": ("rtdetr-l.yaml", 2, {"imgsz": 160}),
    "rtdetr-l-5": ("rtdetr-l.yaml", 5, {"imgsz": 160}),
    OLD_RT_DETR: ("rtdetr-l.yaml", 2, {"imgsz": 160}),
}


def networks(images: Mapping[str, np.ndarray]) -> Iterator[Network]:
    """Yield all exports; ``images`` calibrate their weights."""
    for name, (yaml, classes, options) in EXPORTS.items():

        def write(path: Path, yaml: str = yaml, n: int = classes, o: dict = options) -> None:
            export(path, random_model(yaml, n, images, o), o)

        yield Network(f"ultralytics-{name}", write, predict)


def random_model(
    yaml: str, classes: int, images: Mapping[str, np.ndarray], options: dict[str, Any]
) -> Any:
    """Build a network of a seed's weights with spread scores."""
    from ultralytics import RTDETR, YOLO

    torch.manual_seed(7)
    model = (RTDETR if "rtdetr" in yaml else YOLO)(yaml)
    config = {**copy.deepcopy(model.model.yaml), "nc": classes}
    arguments, task = model.model.args, model.model.task
    model.model = type(model.model)(config, nc=classes, verbose=False)
    model.model.args, model.model.task = arguments, task
    model.model.names = {index: f"kind {index}" for index in range(classes)}
    network = model.model.eval()
    size = DYNAMIC_SIZE if "dynamic" in options else options.get("imgsz", SIZE)
    views = np.stack([letterbox(each, size)[0] for each in images.values()])[..., ::-1]
    batch = torch.from_numpy(views.copy()).permute(0, 3, 1, 2) / 255
    calibrate(network, lambda: network(batch))
    _spread_head(network, batch)
    return model


def _spread_head(network: Any, batch: torch.Tensor) -> None:
    head = network.model[-1]
    if hasattr(head, "dec_score_head"):
        for branch in [head.enc_bbox_head, *head.dec_bbox_head]:
            torch.nn.init.normal_(branch.layers[-1].weight, std=0.05)
        spread([head.dec_score_head[-1]], lambda: network(batch), slice(None), 2, len(batch))
        return
    for boxes, scores in (("cv2", "cv3"), ("one2one_cv2", "one2one_cv3")):
        if getattr(head, boxes, None) is None:
            continue
        for branch in getattr(head, boxes):
            if head.reg_max > 1:
                branch[-1].weight.data *= 5
                branch[-1].bias.data -= 0.3 * torch.arange(head.reg_max).repeat(4)  # smaller boxes
            else:  # distances themselves, which must not be negative
                branch[-1].weight.data *= 0.3
        layers = [each[-1] for each in getattr(head, scores)]
        spread(layers, lambda: network(batch), slice(None), images=len(batch))


def export(path: Path, model: Any, options: dict[str, Any]) -> None:
    """Write a model as ONNX by its own ``export``."""
    from ultralytics.nn.modules import head

    usual = head.RTDETRDecoder.postprocess
    if path.stem.endswith(OLD_RT_DETR):  # the layout before ultralytics PR 24403
        head.RTDETRDecoder.postprocess = lambda _self, boxes, scores: torch.cat([boxes, scores], -1)
    model.model.pt_path = str(path.with_suffix(".pt"))
    try:
        model.export(format="onnx", **{"imgsz": SIZE, "device": "cpu", "verbose": False, **options})
    finally:
        head.RTDETRDecoder.postprocess = usual
    if path.stem.endswith(OLD_RT_DETR):
        _make_old(path)


def _make_old(path: Path) -> None:
    """Leave out the entry that older versions didn't write."""
    import onnx

    graph = onnx.load(path)
    kept = [each for each in graph.metadata_props if each.key != "head"]
    del graph.metadata_props[:]
    graph.metadata_props.extend(kept)
    onnx.save(graph, path)


def predict(path: Path, image: np.ndarray) -> Result:
    """Run Ultralytics' own ``predict`` on an export."""
    from ultralytics import RTDETR, YOLO

    if path.stem.endswith(OLD_RT_DETR):
        return _predict_old_rt_detr(path, image)
    model = RTDETR(str(path)) if "rtdetr" in path.stem else YOLO(str(path), task=_task(path))
    limits = {"conf": CONFIDENCE, "iou": IOU, "max_det": MAX_DETECTIONS}
    if "dynamic" in path.stem:  # otherwise 640, whatever the file says
        limits["imgsz"] = SIZE
    return _result(model.predict(image, verbose=False, device="cpu", **limits)[0])


def _task(path: Path) -> str:
    tasks = {"pose": "pose", "seg": "segment", "obb": "obb"}
    return next((task for part, task in tasks.items() if f"-{part}" in path.stem), "detect")


def _result(found: Any) -> Result:
    boxes = found.boxes if found.obb is None else found.obb
    rotated = [] if found.obb is None else found.obb.xywhr.tolist()
    keypoints = [] if found.keypoints is None else found.keypoints.data.tolist()
    classes = boxes.cls.int().tolist()
    return Result(boxes.xyxy.tolist(), boxes.conf.tolist(), classes, keypoints, rotated)


def _predict_old_rt_detr(path: Path, image: np.ndarray) -> Result:
    """Decode as ``RTDETRPredictor.postprocess`` did up to ultralytics 8.4.40."""
    import cv2
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    height, width = session.get_inputs()[0].shape[2:]
    planes = cv2.resize(image, (width, height))[..., ::-1].transpose(2, 0, 1)[None]
    rows = session.run(None, {"images": planes.astype(np.float32) / 255})[0][0]
    centres, sizes = rows[:, :2], rows[:, 2:4]
    corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], 1)
    corners *= np.array(image.shape[1::-1] * 2)
    scores = rows[:, 4:]
    kept = np.flatnonzero(scores.max(1) > CONFIDENCE)
    best = kept[np.argsort(-scores[kept].max(1))]
    return Result(
        corners[best].tolist(), scores[best].max(1).tolist(), scores[best].argmax(1).tolist()
    )
