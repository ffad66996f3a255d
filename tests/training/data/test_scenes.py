"""Scenes: boxes stay on their objects at every scale, mirrored, upside down and in grids."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.sources.opencv import cv2
from kpviewer.structures import GroundTruth
from kpviewer.training.data.samples import Sample
from kpviewer.training.data.scenes import (
    SceneOptions,
    SceneStream,
    compose,
    mirror_notes,
    object_shown,
    shown,
    stretched,
)

COLOURS = ((255, 0, 0), (0, 0, 255))


def blocks() -> Sample:
    """Return a black image, 100 wide and 80 high, with a red and a blue block: classes 0 and 1."""
    rgb = np.zeros((80, 100, 3), np.uint8)
    rgb[10:30, 20:50] = COLOURS[0]
    rgb[50:70, 60:70] = COLOURS[1]
    boxes = np.array([[20, 10, 50, 30], [60, 50, 70, 70]], np.float32)
    none = np.zeros((2, 0), np.bool_)
    points = np.zeros((2, 0, 2), np.float32)
    return Sample(rgb, boxes, np.array([0, 1]), points, none, np.zeros(2, np.bool_))


def empty_image(path: Path) -> AnnotatedImage:
    """Return an image of the data set without objects."""
    none = np.zeros((0, 0), np.bool_)
    return AnnotatedImage(path, (0, 0), GroundTruth.empty(), "", np.zeros(0, np.bool_), none, 0)


def found_box(rgb: np.ndarray, colour: tuple[int, ...]) -> np.ndarray | None:
    """Return the box (x1, y1, x2, y2) of pixels of a colour on black; None without any."""
    channel = int(np.argmax(colour))
    other = 2 - channel
    rows, columns = np.nonzero((rgb[..., channel] > 127) & (rgb[..., other] < 60))
    if len(rows) == 0:
        return None
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])


@pytest.mark.parametrize(
    "options",
    [
        SceneOptions(mirror=False, grid_share=0),
        SceneOptions(mirror=True, grid_share=0),
        SceneOptions(upside_down=True, grid_share=0),
        SceneOptions(zoom=(0.3, 4.0), grid_share=0),
    ],
)
def test_boxes_match_the_pixels(options):
    rng = np.random.default_rng(0)
    compared = 0
    for _ in range(60):
        sample = shown(blocks(), (96, 128), options, rng)
        assert sample.hw == (96, 128)
        for box, class_id in zip(sample.xyxy, sample.class_ids, strict=True):
            seen = found_box(sample.rgb, COLOURS[class_id])
            if seen is None:  # less than half a pixel of it is left
                assert (box[2:] - box[:2]).min() < 1
                continue
            # edges fall on any fraction of a pixel, and resampling blurs them by one
            assert np.abs(seen - box).max() <= 1.5
            compared += 1
    assert compared > 40


def test_images_are_mirrored_and_turned_upside_down():
    rng = np.random.default_rng(1)
    options = SceneOptions(zoom=(1.0, 1.0), grid_share=0, upside_down=True)
    sides = set()
    for _ in range(40):
        red, blue = shown(blocks(), (80, 100), options, rng).xyxy
        sides.add((bool(red[0] < blue[0]), bool(red[1] < blue[1])))
    assert len(sides) == 4


def test_classes_that_change_sides_in_mirrored_images_are_noted():
    (note,) = mirror_notes(("stop", "turn left", "TurnRight"))
    assert "'turn left' may look like 'TurnRight' there" in note
    for names in (("stop", "left"), ("l", "r"), ("Left", "left_", "middle"), ()):
        assert mirror_notes(names) == ()


def test_scales_cover_exactly_the_range():
    rng = np.random.default_rng(2)
    options = SceneOptions(zoom=(0.5, 1.0), grid_share=0)
    widths = [shown(blocks(), (80, 100), options, rng).xyxy[0] for _ in range(200)]
    sizes = np.array([box[2] - box[0] for box in widths]) / 30
    assert sizes.min() == pytest.approx(0.5, abs=0.02)
    assert sizes.max() == pytest.approx(1.0, abs=0.02)


def test_a_grid_shows_four_images_each_in_its_own_cell():
    rng = np.random.default_rng(3)
    options = SceneOptions(zoom=(0.9, 0.9), grid_share=1.0, mirror=False)
    sample = compose(blocks, (200, 240), options, rng)
    assert sample.hw == (200, 240)
    assert sorted(sample.class_ids.tolist()) == [0] * 4 + [1] * 4
    for box, class_id in zip(sample.xyxy, sample.class_ids, strict=True):
        centre = ((box[:2] + box[2:]) / 2).astype(int)
        assert sample.rgb[centre[1], centre[0]].tolist() == list(COLOURS[class_id])


def test_a_grid_of_objects_shows_one_whole_in_each_cell_at_the_scale_of_a_sample():
    rng = np.random.default_rng(6)
    options = SceneOptions(
        zoom=(1.0, 1.0), grid_share=1.0, grid_of_objects=True, mirror=False, colours=False
    )
    # fits 2.4 times as large: 72x48 and 24x48 px, which a cell of 72x57 px or more holds
    for _ in range(20):
        sample = compose(blocks, (192, 240), options, rng)
        sizes = [tuple(box[2:] - box[:2]) for box in sample.xyxy]
        wholes = [
            class_id
            for size, class_id in zip(sizes, sample.class_ids.tolist(), strict=True)
            if size == pytest.approx(((72, 48), (24, 48))[class_id], abs=0.01)
        ]
        assert len(wholes) >= 4
        for box, class_id in zip(sample.xyxy, sample.class_ids, strict=True):
            if (box[2:] - box[:2]).min() >= 3:
                centre = ((box[:2] + box[2:]) / 2).astype(int)
                assert sample.rgb[centre[1], centre[0]].tolist() == list(COLOURS[class_id])


def test_an_object_larger_than_its_cell_is_shown_smaller_and_whole():
    rng = np.random.default_rng(7)
    options = SceneOptions(zoom=(5.0, 5.0), mirror=False)
    seen = set()
    for _ in range(20):
        sample = object_shown(blocks(), (60, 60), 1.0, options, rng)
        sides = (sample.xyxy[:, 2:] - sample.xyxy[:, :2]).max(1)
        fills = np.isclose(sides, 60, atol=0.01)
        seen |= set(sample.class_ids[fills].tolist())
    assert seen == {0, 1}


def test_images_without_objects_are_part_of_a_grid_of_objects():
    empty = replace(blocks(), xyxy=np.zeros((0, 4), np.float32), class_ids=np.zeros(0, np.int64))
    empty = replace(empty, points_xy=np.zeros((0, 0, 2), np.float32), ignore=np.zeros(0, np.bool_))
    empty = replace(empty, labelled=np.zeros((0, 0), np.bool_))
    options = SceneOptions(grid_share=1.0, grid_of_objects=True)
    sample = compose(lambda: empty, (96, 96), options, np.random.default_rng(8))
    assert len(sample.xyxy) == 0
    assert sample.rgb.max() == 255


def test_wrong_options_are_refused():
    with pytest.raises(DatasetError, match=r"zoom"):
        SceneOptions(zoom=(2.0, 1.0))
    with pytest.raises(DatasetError, match="images"):
        SceneStream(AnnotationSet((), ("a",)), (64, 64), 0, SceneOptions())


@pytest.mark.parametrize("hw", [(300, 300), (100, 300), (80, 100), (77, 33)])
def test_a_stretched_image_has_the_inputs_proportions_and_boxes_stay(hw):
    sample = stretched(blocks(), hw)
    # whole pixels: half a one in a side of the smaller
    assert sample.hw[0] / sample.hw[1] == pytest.approx(hw[0] / hw[1], rel=0.5 / min(sample.hw))
    assert min(sample.hw[0] / 80, sample.hw[1] / 100) <= 1.01  # enlarged no more than needed
    for colour, box in zip(COLOURS, sample.xyxy, strict=True):
        found = found_box(sample.rgb, colour)
        assert found is not None
        assert np.abs(found - box).max() <= 1


def test_a_model_of_stretched_images_sees_all_of_them(tmp_path):
    path = tmp_path / "wide.png"
    cv2.imwrite(str(path), np.full((20, 200, 3), 255, np.uint8))
    image = empty_image(path)
    options = SceneOptions(zoom=(1.0, 1.0), grid_share=0, mirror=False, colours=False)
    data = AnnotationSet((image,), ())
    wide, tall = (
        next(iter(SceneStream(data, (64, 64), 0, options, stretch=stretch))).rgb
        for stretch in (False, True)
    )
    assert (wide > 200).mean() == pytest.approx(0.1, abs=0.03)  # the rest is grey
    assert (tall[2:-2, 2:-2] > 200).all()


@pytest.mark.parametrize("grid_share", [0, 1])
def test_proposals_follow_the_image_as_objects_do(grid_share):
    objects = blocks()
    sample = replace(objects, proposals_xyxy=objects.xyxy)
    options = SceneOptions(upside_down=True, grid_share=grid_share, rotation_deg=20)
    rng = np.random.default_rng(3)
    count = 0
    for _ in range(30):
        found = compose(lambda: sample, (96, 128), options, rng)
        large = ((found.xyxy[:, 2:] - found.xyxy[:, :2]) >= 5).all(1)
        np.testing.assert_array_equal(found.proposals_xyxy, found.xyxy[large])
        count += len(found.proposals_xyxy)
    assert count > 30


def test_proposals_are_stretched_with_the_image():
    objects = blocks()
    found = stretched(replace(objects, proposals_xyxy=objects.xyxy), (64, 64))
    np.testing.assert_array_equal(found.proposals_xyxy, found.xyxy)


def test_a_stream_reads_images_as_it_is_told(tmp_path):
    proposals = np.array([[20, 10, 50, 30]], np.float32)

    def load(item: AnnotatedImage) -> Sample:
        return replace(blocks(), proposals_xyxy=proposals)

    options = SceneOptions(zoom=(1, 1), mirror=False, grid_share=0, colours=False)
    data = AnnotationSet((empty_image(tmp_path),), ("red", "blue"))
    sample = next(iter(SceneStream(data, (80, 100), 0, options, load=load)))
    np.testing.assert_allclose(sample.proposals_xyxy, proposals, atol=1e-4)
