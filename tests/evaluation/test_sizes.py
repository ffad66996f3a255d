"""Scores by the size of objects: as pycocotools prints them for the same file."""

import json
from pathlib import Path

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from sample_results import detections

from kpviewer.annotations.spec import read_annotations
from kpviewer.evaluation.detection_scores import SizeScore, size_note, size_scores
from kpviewer.structures import Detections

IMAGES = 12


def write_set(folder: Path, *, with_areas: bool) -> Path:
    """Write boxes of all sizes whose masks fill part of them, some of another size than the box."""
    rng = np.random.default_rng(7)
    images, annotations = [], []
    for image in range(1, IMAGES + 1):
        (folder / f"{image}.jpg").touch()
        images.append({"id": image, "file_name": f"{image}.jpg", "width": 640, "height": 480})
        for side in rng.uniform(12, 200, 6).tolist():
            left, top = rng.uniform(0, 260, 2).tolist()
            area = side * side * rng.uniform(0.3, 1.0)
            annotations.append({
                "id": len(annotations) + 1, "image_id": image, "category_id": 1,
                "bbox": [left, top, side, side], "iscrowd": 0, "area": area,
            })  # fmt: skip
    for each in [] if with_areas else annotations:
        del each["area"]
    path = folder / "instances.json"
    categories = [{"id": 1, "name": "cell"}]
    document = {"images": images, "annotations": annotations, "categories": categories}
    path.write_text(json.dumps(document))
    return path


def found_in(path: Path) -> list[Detections]:
    """Return shaken boxes of two objects of three in each image."""
    rng = np.random.default_rng(8)
    document = json.loads(path.read_text())
    seen = []
    for image in range(1, IMAGES + 1):
        boxes = [each["bbox"] for each in document["annotations"] if each["image_id"] == image]
        xywh = np.array(boxes)[rng.uniform(size=len(boxes)) < 0.67] + rng.normal(0, 3)
        xyxy = np.concatenate([xywh[:, :2], xywh[:, :2] + xywh[:, 2:]], axis=1)
        count = len(xyxy)
        seen.append(detections(xyxy, np.sort(rng.uniform(0.1, 1, count))[::-1]))
    return seen


def test_sizes_are_those_of_the_masks_as_in_coco(tmp_path):
    path = write_set(tmp_path, with_areas=True)
    seen = found_in(path)
    given, results = COCO(str(path)), []
    for image, found in enumerate(seen, 1):
        corners = found.xyxy.astype(np.float64)
        for (left, top, right, bottom), score in zip(corners, found.scores, strict=True):
            box = [left, top, right - left, bottom - top]
            results.append(
                {"image_id": image, "category_id": 1, "bbox": box, "score": float(score)}
            )
    evaluation = COCOeval(given, given.loadRes(results), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    scores = size_scores(seen, read_annotations(f"coco:{path}"))
    assert [score.ap for score in scores.values()] == pytest.approx(evaluation.stats[3:6].tolist())
    areas = [each["area"] for each in json.loads(path.read_text())["annotations"]]
    small, large = (sum(area < 32**2 for area in areas), sum(area > 96**2 for area in areas))
    counts = [score.objects for score in scores.values()]
    assert counts == [small, len(areas) - small - large, large]


def test_boxes_stand_for_masks_that_are_not_stated(tmp_path):
    path = write_set(tmp_path, with_areas=False)
    scores = size_scores(found_in(path), read_annotations(f"coco:{path}"))
    boxes = [each["bbox"] for each in json.loads(path.read_text())["annotations"]]
    assert scores["large"].objects == sum(width * height > 96**2 for *_, width, height in boxes)


def test_sizes_are_named_only_if_there_are_several():
    none, all_small = SizeScore(0, None), {"small": SizeScore(3, 0.5), "medium": SizeScore(0, None)}
    assert size_note({**all_small, "large": none}) == ""
    text = size_note({**all_small, "large": SizeScore(1200, 0.25)})
    assert text == "AP@[.5:.95] by size (objects): small 0.500 (3), large 0.250 (1,200)"
