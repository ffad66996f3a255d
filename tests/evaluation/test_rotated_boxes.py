"""Evaluation of rotated boxes: as they lie where model and data have some."""

from pathlib import Path

import numpy as np
import pytest
from evaluation.test_eval import BrightBoxEngine

from kpviewer.annotations.spec import read_annotations
from kpviewer.evaluation.evaluator import evaluate
from kpviewer.evaluation.kind import EvaluationOptions
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.sources.opencv import cv2
from kpviewer.structures import Candidates, FloatArray, padded

SIDE = 64
FALLING = np.array([[10, 4], [60, 54], [54, 60], [4, 10]], np.float32)
RISING = FALLING * np.float32([1, -1]) + np.float32([0, SIDE])  # the same upright box
NOTE = "Overlaps compare "


class OneBoxEngine(BrightBoxEngine):
    """Model that finds one box in every image: rotated, or the upright box around it."""

    spec = ModelSpec("one", "none", Task.DETECT, ("ship",), (SIDE, SIDE), keypoint_names=())

    def __init__(self, corners: FloatArray, *, is_rotated: bool) -> None:
        box = np.concatenate([corners.min(0), corners.max(0)])[None]
        points = np.zeros((1, 0, 2), np.float32)
        outlines = corners[None] if is_rotated else None
        self._found = Candidates(box, np.ones((1, 1), np.float32), points, outlines_xy=outlines)

    def infer(self, bgr):
        return self._found, None


def labelled(folder: Path, corners: FloatArray | None) -> Path:
    for name in ("images", "labels"):
        (folder / name).mkdir()
    cv2.imwrite(str(folder / "images/a.png"), np.zeros((SIDE, SIDE, 3), np.uint8))
    shares = FALLING / SIDE if corners is None else corners / SIDE
    centre, sides = (shares.max(0) + shares.min(0)) / 2, np.ptp(shares, axis=0)
    values = [*centre, *sides] if corners is None else shares.ravel()
    (folder / "labels/a.txt").write_text("0 " + " ".join(map(str, values)))
    (folder / "classes.txt").write_text("ship")
    return folder


@pytest.mark.parametrize(
    ("true", "found", "is_rotated", "ap50", "note"),
    [
        (FALLING, FALLING, True, 1, "rotated boxes."),
        (FALLING, RISING, True, 0, "rotated boxes."),
        (
            FALLING,
            RISING,
            False,
            1,
            "upright boxes: the model predicts upright boxes, the data have rotated boxes.",
        ),
        (
            None,
            RISING,
            True,
            1,
            "upright boxes: the model predicts rotated boxes, the data have upright boxes.",
        ),
        (None, RISING, False, 1, None),
    ],
)
def test_overlaps_are_those_of_rotated_boxes_if_both_are(
    tmp_path, true, found, is_rotated, ap50, note
):
    data = read_annotations(f"yolo:{labelled(tmp_path, true)}")
    engine = OneBoxEngine(found, is_rotated=is_rotated)
    report = evaluate(engine, data, EvaluationOptions("ships", warm_up=False))
    scores = report.to_json()
    assert scores["overall"]["ap50"] == pytest.approx(ap50)
    assert scores["confusion"]["counts"][0][0] == ap50
    are_compared = is_rotated and true is not None
    assert scores["overlaps"] == ("rotated boxes" if are_compared else "upright boxes")
    text = report.tables()[0].note
    assert text.count(NOTE) == (note is not None)
    assert note is None or NOTE + note in text


@pytest.mark.parametrize(("found", "ap50"), [(FALLING, 1), (RISING, 0)])
def test_labels_of_four_corners_are_masks_beside_masks(tmp_path, found, ap50):
    data = read_annotations(f"yolo:{labelled(tmp_path, FALLING)}")
    engine = OneBoxEngine(padded(found[None], 64)[0], is_rotated=True)
    report = evaluate(engine, data, EvaluationOptions("ships", warm_up=False))
    assert report.to_json()["overall"]["ap50"] == pytest.approx(ap50)
    assert report.to_json()["overlaps"] == "masks"
    assert NOTE + "masks." in report.tables()[0].note
