"""Fixtures: the shipped model, and images labelled with its own detections."""

import json
from pathlib import Path

import pytest

import kpviewer as kp
from kpviewer.sources.opencv import cv2


@pytest.fixture(scope="session")
def model() -> kp.Model:
    """Return the shipped face model on torch and fp32, because benchmarking takes seconds."""
    return kp.load("face-ssd", device="cpu", backend="torch", precision="fp32")


@pytest.fixture(scope="session")
def labels(model: kp.Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a COCO file of three images with the model's detections."""
    folder = tmp_path_factory.mktemp("labelled")
    images, annotations = [], []
    for result in kp.stream("demo", model):
        number = result.frame.index
        height, width = result.frame.bgr.shape[:2]
        cv2.imwrite(str(folder / f"{number}.png"), result.frame.bgr)
        images.append(
            {"id": number, "file_name": f"{number}.png", "width": width, "height": height}
        )
        for (x1, y1, x2, y2), points in zip(
            result.detections.xyxy.tolist(), result.detections.keypoints_xy.tolist(), strict=True
        ):
            annotations.append({
                "id": len(annotations) + 1, "image_id": number, "category_id": 1, "iscrowd": 0,
                "bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1),
                "keypoints": [value for x, y in points for value in (x, y, 2)],
            })  # fmt: skip
        if number == 2:
            break
    category = {"id": 1, "name": "face", "keypoints": model.spec.keypoint_names}
    content = {"images": images, "annotations": annotations, "categories": [category]}
    (folder / "labels.json").write_text(json.dumps(content))
    return folder / "labels.json"
