"""predictions.png of a training run: the same few images with ground truth and predictions."""

import json
from pathlib import Path

import numpy as np
import pytest
from annotations.samples import image as annotated
from click.testing import CliRunner
from evaluation.test_point_reading import dot_reader
from evaluation.test_point_reading import image as dots
from PIL import Image
from training.coloured_blocks import write_blocks

from kpviewer.cli.main import main
from kpviewer.cli.train import IMAGE, prediction_images
from kpviewer.evaluation.checkpoints import chosen, grid
from kpviewer.models.networks.ssd.light_ssd import build_light_ssd
from kpviewer.overlay.panels import SIDE_PX
from kpviewer.sources.opencv import cv2
from kpviewer.training.config import TrainConfig
from kpviewer.training.families.registry import make_objective


def test_images_are_spread_over_those_with_objects():
    images = [annotated(f"{row}.png", (0,) if row % 2 else (), row) for row in range(100)]
    rows = [image.image_id for image in chosen(images, 5)]
    assert rows == [1, 21, 41, 61, 81]
    assert [image.image_id for image in chosen(images[:1], 5)] == [
        0
    ]  # empty images if there are no others
    assert chosen([annotated("film.mp4")]) == []


def test_every_tile_is_complete_in_the_grid():
    shades = range(100, 106)
    tiles = [np.full((20 + 5 * row, 30, 3), shade, np.uint8) for row, shade in enumerate(shades)]
    canvas = grid(tiles)
    for tile, shade in zip(tiles, shades, strict=True):
        rows, columns = np.nonzero(canvas[..., 0] == shade)
        assert len(rows) == tile.shape[0] * tile.shape[1]
        assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == tile.shape[:2]
    assert grid([]).ndim == 3


def dotted(folder: Path, shade: int) -> str:
    """Write three images of dots with a shaded corner; return the specification of the set."""
    (folder / "images").mkdir(parents=True)
    images, annotations = [], []
    for number in range(3):
        pixels = dots(Path())
        pixels[0, 0] = shade
        cv2.imwrite(str(folder / "images" / f"{number}.png"), pixels)
        images.append({"id": number, "file_name": f"{number}.png", "width": 96, "height": 64})
        box = {"bbox": [10, 10, 24, 20], "keypoints": [20, 20, 2]}
        annotations.append({"id": number, "image_id": number, "category_id": 1, **box})
    category = {"id": 1, "name": "dot", "keypoints": ["dot"]}
    document = {"images": images, "annotations": annotations, "categories": [category]}
    (folder / "labels.json").write_text(json.dumps(document))
    return f"coco:{folder / 'labels.json'}"


@pytest.fixture
def data(tmp_path: Path) -> str:
    return dotted(tmp_path, 0)


@pytest.mark.parametrize("build", [lambda: dot_reader(1.25), build_light_ssd])
def test_detectors_of_points_and_of_boxes_are_drawn(data, tmp_path, qapp, build):
    show = prediction_images(data, tmp_path, "cpu")
    assert show is not None
    detector = build()
    detector.network.eval()
    show(detector)
    first = np.asarray(Image.open(tmp_path / IMAGE))
    assert first.shape[0] > 250 and first.shape[1] > 3 * 420
    # the dots are black and white; boxes and marks have soft edges
    assert len(np.unique(first)) > 20
    show(detector)
    assert (np.asarray(Image.open(tmp_path / IMAGE)) == first).all()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("kind", ["multilabel", "single"])
def test_models_of_whole_images_have_the_ground_truth_under_each(tmp_path, qapp, kind):
    names = [["blue"], ["red"], [], ["red", "green"]]
    spec = f"voc:{write_blocks(tmp_path / 'blocks', names)}"
    show = prediction_images(spec, tmp_path, "cpu")
    assert show is not None
    model = {"multilabel": "multilabel-light", "single": "single-object-light"}[kind]
    config = TrainConfig(family=kind, model=model, inputs=(64,), input_shares=(1.0,))
    detector = make_objective(config, [spec]).detector
    detector.network.eval()
    show(detector)
    drawn = np.asarray(Image.open(tmp_path / IMAGE))
    # images with exactly one object, or with any; a panel of text makes them higher than wide
    shown = {"multilabel": 3, "single": 2}[kind]
    assert drawn.shape[1] == shown * (SIDE_PX + 8) + 8
    assert drawn.shape[0] > SIDE_PX + 16 + 20
    assert (drawn[SIDE_PX + 8 :] > 200).any()  # bright text on the dark panel


def test_a_run_checks_its_data_and_draws_its_predictions(data, tmp_path, qapp):
    labels = tmp_path / "labels.json"
    labels.write_text(labels.read_text().replace("[10, 10, 24, 20]", "[10, 10, 0, 20]", 1))
    words = ["train", "head-centre", "--data", data, "--out", str(tmp_path / "out")]
    small = {"model": "points-mobilenet", "pretrained": "", "steps": 1, "batch": 2, "workers": 0,
             "inputs": [32], "input_shares": [1], "frozen_steps": 0, "crop": "box"}  # fmt: skip
    for key, value in small.items():
        words += ["--set", f"{key}={json.dumps(value)}"]
    refused = CliRunner().invoke(main, words)
    assert refused.exit_code == 5
    assert "box has no area" in refused.output and "--skip-bad" in refused.output
    assert not (tmp_path / "out").exists()
    words += ["--skip-bad", "--val", dotted(tmp_path / "val", 50)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    assert "Skipped: 0 images, and 1 objects" in done.output
    assert (tmp_path / "out" / IMAGE).is_file()
    assert "-mean px" in (tmp_path / "out" / "scores.csv").read_text()
