"""The keys of ``kpviewer eval --json``, which are stable: programs read them."""

import pytest
from evaluation.test_eval import BrightBoxEngine, labels
from evaluation.test_eval_labels import ColourEngine
from evaluation.test_eval_points import dots
from evaluation.test_point_reading import dot_reader
from evaluation.test_single_scores import BlockEngine, blocks
from training.coloured_blocks import BLOCK_NAMES, write_blocks

from kpviewer.annotations.spec import read_annotations
from kpviewer.evaluation.evaluator import evaluate
from kpviewer.evaluation.kind import EvaluationOptions

__all__ = ["blocks", "dots", "labels"]  # fixtures

RUN = {"model", "data", "device", "engine", "backend", "precision", "threads", "input_hw", "notes"}
NME = {f"nme.{key}" for key in ("mean", "median", "p90", "objects", "normaliser", "not_predicted")}
BOX_GROUP = NME | {
    "images", "objects", "ap50", "ap", "ap50_by_class.NAME",
    "at_0.1_false_positives_per_image.recall", "at_0.1_false_positives_per_image.score",
    "negatives.images", "negatives.clean", "negatives.clean_share",
}  # fmt: skip
POINT_GROUP = NME | {
    "objects", "mean_px", "root_mse_px", "bias", "bias_by_point.NAME", "pck_0.2", "pck_unit",
    "pck_0.2_by_point.NAME",
}  # fmt: skip
LOCALISATION = {"hits", "spurious", "missed", "precision", "recall", "f1", "mean_px", "p95_px"}
TIMES = {"mean", "p50", "p95"}


def under(key: str, names: set[str]) -> set[str]:
    return {f"{key}.{name}" for name in names}


CALIBRATED = {"calibration.expected_error", "calibration.bins[].score", "calibration.bins[].hits"}
BOXES = (
    RUN | CALIBRATED | under("ms_per_frame", TIMES) | under("overall", BOX_GROUP)
    | under("by_class.NAME", {"objects", "ap50", "voc_area", "voc_11_points",
                              "precision", "recall", "f1"})
    | under("by_size.SIZE", {"objects", "ap"})
    | {"nms_iou", "overlaps", "score_threshold", "calibration.bins[].detections",
       "confusion.names", "confusion.counts"}
)  # fmt: skip
BY_PLACE = (
    {"within_px", "largest_px", "confusion.names", "confusion.counts"}
    | under("by_class.NAME", LOCALISATION)
    | under("total", LOCALISATION)
)
SINGLE = {"pictures", "accuracy", "mean_iou"}
LABELS = (
    RUN | CALIBRATED | under("ms_per_frame", TIMES)
    | {"calibration.bins[].decisions", "threshold", "pictures", "accuracy_multi", "f1", "map"}
    | under("best_threshold", {"f1", "accuracy_multi"})
    | under("classes.NAME", {"positives", "average_precision", "precision", "recall", "f1"})
)  # fmt: skip
SOURCES = under("by_source.SOURCE", BOX_GROUP)
POINTS = (
    RUN | under("ms_per_object", TIMES) | under("overall", POINT_GROUP)
    | under("by_source.SOURCE", POINT_GROUP)
)  # fmt: skip
SOURCE_NAMES = ("first", "second", "source 0", "source 1")
PLACEHOLDERS = {
    **dict.fromkeys(("face", "dot", *BLOCK_NAMES), "NAME"),
    **dict.fromkeys(SOURCE_NAMES, "SOURCE"),
    **dict.fromkeys(("small", "medium", "large"), "SIZE"),
}


def keys(value: object) -> set[str]:
    """Return the paths of all values; names of classes, keypoints and sources are replaced."""
    if isinstance(value, dict) and value:
        inner = {PLACEHOLDERS.get(key, key): keys(each) for key, each in value.items()}
        return {f"{key}.{path}".rstrip(".") for key, paths in inner.items() for path in paths}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return {f"[].{path}" for path in keys(value[0])}
    return {""}


def keys_of(model: object, spec: str, within_px: float | None = None) -> set[str]:
    options = EvaluationOptions("cpu", within_px=within_px)
    report = evaluate(model, read_annotations(spec), options)  # type: ignore[arg-type]
    return {path.replace(".[]", "[]") for path in keys(report.to_json())}


@pytest.mark.parametrize("within_px", [None, 3.0])
def test_of_detectors(labels, within_px):
    places = under("by_place", BY_PLACE) if within_px else set()
    assert keys_of(BrightBoxEngine(), f"coco:{labels}", within_px) == BOXES | SOURCES | places


def test_of_single_object_models(blocks):
    single = under("single_object", SINGLE | under("by_class.NAME", SINGLE))
    assert keys_of(BlockEngine(), blocks) == BOXES | single | {"by_source"}


def test_of_multi_label_models(tmp_path):
    folder = write_blocks(tmp_path / "blocks", [["blue"], ["green"], ["red"], []])
    assert keys_of(ColourEngine(), f"voc:{folder}") == LABELS


def test_of_point_models(dots):
    assert keys_of(dot_reader(1.25), f"coco:{dots}") == POINTS
