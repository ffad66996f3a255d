"""Label the faces of a folder of images with YuNet, as COCO keypoints: a teacher for more data.

    python benchmarks/label_faces.py IMAGES --yunet yunet.onnx --source NAME --out FILE

The detector runs at the size of the image and at twice that. Faces with a score of at least
0.7 become objects with ``pseudo`` = 1; lower scores become ignore regions.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from kpviewer.geometry import iou_matrix
from kpviewer.sources.opencv import cv2

OBJECT_SCORE, IGNORED_SCORE = 0.7, 0.3


def detect(bgr: np.ndarray, yunet: str, factor: float) -> np.ndarray:
    """Return rows of YuNet: x, y, w, h, five points (viewer's left first), score; px of ``bgr``."""
    scaled = cv2.resize(bgr, None, fx=factor, fy=factor)
    height, width = scaled.shape[:2]
    detector = cv2.FaceDetectorYN.create(yunet, "", (width, height), IGNORED_SCORE, 0.3, 200)
    _, rows = detector.detect(scaled)
    if rows is None:
        return np.zeros((0, 15), np.float32)
    rows[:, :14] /= factor
    return rows


def annotations_of(bgr: np.ndarray, yunet: str) -> list[dict[str, Any]]:
    """Return the faces of one image: the best detection of both sizes for each."""
    rows = np.concatenate([detect(bgr, yunet, factor) for factor in (1.0, 2.0)])
    rows = rows[np.argsort(-rows[:, 14])]
    height, width = bgr.shape[:2]
    xyxy = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], 1)
    xyxy = np.clip(xyxy, 0, [width, height, width, height]).astype(np.float32)
    overlap = iou_matrix(xyxy, xyxy)
    kept: list[int] = []
    for index in range(len(rows)):
        if all(overlap[index, other] < 0.3 for other in kept):
            kept.append(index)
    return [_annotation(xyxy[index], rows[index], (height, width)) for index in kept]


def _annotation(xyxy: np.ndarray, row: np.ndarray, hw: tuple[int, int]) -> dict[str, Any]:
    points = row[4:14].reshape(5, 2)
    inside = ((points >= 0) & (points < [hw[1], hw[0]])).all(1)
    is_object = bool(row[14] >= OBJECT_SCORE)
    sides = xyxy[2:] - xyxy[:2]
    keypoints = [
        value
        for (x, y), seen in zip(points, inside, strict=True)
        for value in (
            (round(float(x), 1), round(float(y), 1), 2) if seen and is_object else (0, 0, 0)
        )
    ]
    return {
        "category_id": 1,
        "bbox": [round(float(value), 1) for value in (*xyxy[:2], *sides)],
        "area": round(float(sides.prod()), 1),
        "iscrowd": int(not is_object),
        "keypoints": keypoints,
        "num_keypoints": int(inside.sum()) if is_object else 0,
        "pseudo": 1,
    }


def main() -> None:
    """Read the arguments and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("images", type=Path)
    parser.add_argument("--yunet", required=True)
    parser.add_argument("--source", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    images, annotations = [], []
    for path in sorted(options.images.iterdir()):
        bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        if bgr is None:
            continue
        number = len(images) + 1
        size = {"width": bgr.shape[1], "height": bgr.shape[0]}
        images.append({"id": number, "file_name": path.name, "source": options.source, **size})
        for annotation in annotations_of(bgr, options.yunet):
            annotations.append({"id": len(annotations) + 1, "image_id": number, **annotation})
    names = ["left_eye", "right_eye", "nose", "left_mouth", "right_mouth"]
    category = {"id": 1, "name": "face", "keypoints": names, "skeleton": []}
    document = {"images": images, "annotations": annotations, "categories": [category]}
    options.out.write_text(json.dumps(document), encoding="utf-8")
    faces = sum(not annotation["iscrowd"] for annotation in annotations)
    print(f"{len(images)} images, {faces} faces, {len(annotations) - faces} ignore regions")


if __name__ == "__main__":
    main()
