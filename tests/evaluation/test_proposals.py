"""Scores of proposals, worked out by hand, and the command that prints them."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sample_results import objects

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.cli.main import main
from kpviewer.evaluation.proposals import score_proposals
from kpviewer.sources.opencv import cv2


def image(boxes, class_ids, difficult=()) -> AnnotatedImage:
    count = len(boxes)
    truth = objects(boxes, class_ids, [index in difficult for index in range(count)])
    none = np.zeros((count, 0), np.bool_)
    return AnnotatedImage(Path("x.png"), (0, 0), truth, "", np.zeros(count, np.bool_), none, 0)


def test_the_best_overlap_of_each_object_counts_and_classes_weigh_alike():
    images = [image([[0, 0, 10, 10], [20, 0, 30, 10]], [0, 0]), image([[0, 0, 10, 10]], [1])]
    proposals = [
        np.array([[0, 0, 10, 6], [0, 0, 10, 2], [100, 100, 110, 110]], np.float32),  # 0.6 and 0
        np.array([[0, 0, 10, 8]], np.float32),  # 0.8
    ]
    scores = score_proposals(images, proposals, ("ace", "king"))
    assert scores.per_image == 2
    assert scores.recall(0.5) == pytest.approx(2 / 3)
    assert scores.recall(0.7) == pytest.approx(1 / 3)
    assert scores.mean_best_overlap == pytest.approx((0.3 + 0.8) / 2)


def test_difficult_objects_do_not_count():
    images = [image([[0, 0, 10, 10], [20, 0, 30, 10]], [0, 0], difficult=[1])]
    scores = score_proposals(images, [np.array([[0, 0, 10, 10]], np.float32)], ("ace",))
    assert scores.recall(0.5) == 1


def test_without_proposals_nothing_is_found_and_without_objects_there_is_no_score():
    none = np.zeros((0, 4), np.float32)
    assert score_proposals([image([[0, 0, 9, 9]], [0])], [none], ("ace",)).recall(0.5) == 0
    empty = score_proposals([image([], [])], [none], ("ace",))
    assert (empty.recall(0.5), empty.mean_best_overlap) == (None, None)
    assert empty.table().to_text().splitlines()[-1].split() == ["all", "0", "-", "-", "-"]


@pytest.fixture
def coco(tmp_path):
    """A COCO file of one image with a red block, which is its only object."""
    bgr = np.full((48, 64, 3), 128, np.uint8)
    bgr[10:30, 20:50] = (0, 0, 255)
    cv2.imwrite(str(tmp_path / "0.png"), bgr)
    path = tmp_path / "data.json"
    path.write_text(json.dumps({
        "images": [{"id": 1, "file_name": "0.png", "width": 64, "height": 48}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [20, 10, 30, 20],
                         "area": 600, "iscrowd": 0}],
        "categories": [{"id": 1, "name": "block"}],
    }))  # fmt: skip
    return path


def run(*arguments: object) -> str:
    result = CliRunner().invoke(main, ["proposals", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_searches_once_and_prints_the_recall(coco, tmp_path):
    arguments = ("--data", f"coco:{coco}", "--folder", tmp_path / "kept", "--workers", 0)
    first, second = run(*arguments), run(*arguments)
    assert "1 searched, " in first
    assert f"0 searched; the proposals are in {tmp_path / 'kept'}" in second
    assert [line.split()[:3] for line in second.splitlines()[-2:]] == [
        ["block", "1", "1.000"],
        ["all", "1", "1.000"],
    ]


def test_the_scores_are_written_as_json(coco, tmp_path):
    text = run("--data", f"coco:{coco}", "--workers", 0, "--json", "-")
    values = json.loads(text)
    assert values["recall"]["0.5"] == 1
    assert values["searched"] == 1
    assert values["mean_best_overlap"] > 0.9
