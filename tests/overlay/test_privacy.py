from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtGui import QImage
from sample_results import detections, info, read_video, result

from kpviewer.metrics.frame_error import frame_error
from kpviewer.overlay import OverlayStyle, array_of, image_of, render
from kpviewer.overlay.privacy import CELLS, MARGIN, hide_boxes
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.recorder_options import RecorderOptions
from kpviewer.recording.segment import SegmentOptions
from kpviewer.recording.snapshot import save_snapshot
from kpviewer.recording.space import SpaceLimits
from kpviewer.structures import (
    Candidates,
    FrameResult,
    GroundTruth,
    ImageArray,
    SecondResult,
    Thresholds,
)

BOX = (60.0, 40.0, 120.0, 100.0)
INSIDE = (slice(28, 112), slice(48, 132))
"""The box with its margin of 12 px, in rows and columns."""
BLUR = OverlayStyle(boxes=False, labels=False, scores=False, anonymise=True)
PLAIN = replace(BLUR, anonymise=False)


def boxes(*xyxy: tuple[float, ...]) -> np.ndarray:
    return np.array(xyxy, np.float32).reshape(-1, 4)


def checkered(size_hw: tuple[int, int] = (144, 192)) -> ImageArray:
    """Return an image of black and white squares of 4 px, none of which may remain."""
    rows, columns = np.indices(size_hw) // 4
    return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)


def seen(*found: tuple[float, ...], bgr: ImageArray | None = None) -> FrameResult:
    return result(detections(found), bgr=checkered() if bgr is None else bgr)


def contrast(image: ImageArray) -> float:
    return float(image.astype(float).std())


def test_checks_vanish_in_the_box_and_its_margin_and_stay_outside():
    before = checkered()
    after = hide_boxes(before, boxes(BOX))
    assert MARGIN * 60 == 12
    assert contrast(before[INSIDE]) > 127
    assert contrast(after[INSIDE]) < 6
    outside = np.ones(before.shape[:2], bool)
    outside[INSIDE] = False
    assert (after[outside] == before[outside]).all()
    assert (before == checkered()).all()


def test_what_a_second_model_finds_is_hidden_too():
    found = detections([BOX])
    difference = frame_error(found, GroundTruth.empty())
    both = replace(seen(), second=SecondResult(Candidates.empty(), found, 1.0, difference))
    assert contrast(image_of(both, BLUR)[INSIDE]) < 6


def test_two_faces_of_the_same_coarse_colours_look_alike():
    rng = np.random.default_rng(0)
    cell = 84 // CELLS
    one = rng.integers(0, 256, (144, 192, 3), np.uint8)
    other = one.copy()
    for row in range(CELLS):  # the same pixels in another order, cell by cell
        for column in range(CELLS):
            top, left = 28 + row * cell, 48 + column * cell
            part = other[top : top + cell, left : left + cell]
            part[:] = rng.permutation(part.reshape(-1, 3)).reshape(part.shape)
    assert not (one == other).all()
    assert (hide_boxes(one, boxes(BOX)) == hide_boxes(other, boxes(BOX))).all()


def test_colours_by_hand():
    image = np.zeros((40, 40, 3), np.uint8)
    image[:, 20:] = (30, 60, 90)  # from the fourth cell on, as 40 px are six cells
    after = hide_boxes(image, boxes((0, 0, 40, 40)))
    edges = np.linspace(0, 40, 7).astype(int)
    middles = (edges[:-1] + edges[1:] - 1) / 2
    ramp = np.interp(np.arange(40), middles, [0, 0, 0, 1, 1, 1])
    expected = ramp[:, None] * [30, 60, 90]
    assert np.abs(after[7] - expected).max() <= 0.5001
    assert (after == after[:1]).all()


def test_large_box_keeps_no_more_than_a_small_one():
    after = hide_boxes(checkered((900, 1300)), boxes((300, 200, 1000, 700)))
    assert contrast(after[200:700, 300:1000]) < 6


@pytest.mark.parametrize(
    "box",
    [(-50, -50, 30, 30), (170, 120, 400, 300), (-9, -9, 999, 999)],
    ids=["top left", "bottom right", "all"],
)
def test_box_over_the_edge_of_the_image_is_hidden_where_it_is(box):
    after = hide_boxes(checkered(), boxes(box))
    left, top, right, bottom = np.clip(box, 0, (192, 144, 192, 144)).astype(int)
    assert contrast(after[top:bottom, left:right]) < 12


def test_box_of_few_pixels_is_hidden_too():
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)
    after = hide_boxes(image, boxes((8, 8, 11, 11)))
    assert not (after[8:11, 8:11] == image[8:11, 8:11]).all(axis=2).any()


def test_box_without_a_finite_place_hides_all_that_it_may_be_in():
    after = hide_boxes(checkered(), boxes((np.nan, np.nan, np.inf, np.inf)))
    assert contrast(after) < 6


def test_box_out_of_the_image_or_without_size_does_no_harm():
    after = hide_boxes(checkered(), boxes((500, 500, 600, 600), (50.0, 50, 50, 50), (9, 9, 1, 1)))
    assert (after == checkered()).all()


def test_every_detection_is_hidden():
    after = image_of(seen((8, 8, 40, 40), (100, 60, 140, 100)), BLUR)
    assert contrast(after[8:40, 8:40]) < 6
    assert contrast(after[60:100, 100:140]) < 6
    assert contrast(after[110:, :90]) > 127


def test_nothing_is_hidden_and_copied_without_blur_or_detections():
    for one, style in ((seen(BOX), PLAIN), (seen(), BLUR)):
        assert image_of(one, style) is one.frame.bgr


def test_image_that_no_model_has_seen_is_hidden_as_a_whole():
    unseen = replace(seen(), has_model=False)
    assert contrast(image_of(unseen, BLUR)) < 6
    assert image_of(unseen, PLAIN) is unseen.frame.bgr


def test_image_of_a_model_without_boxes_is_hidden_as_a_whole():
    assert contrast(image_of(seen(), replace(BLUR, bars=Thresholds()))) < 6


@pytest.mark.usefixtures("qapp")
def test_overlay_is_painted_over_what_is_hidden():
    after = render(seen(BOX), replace(BLUR, boxes=True))
    assert contrast(after[45:95, 65:115]) < 6
    assert contrast(after[:, 58:62]) > 20
    assert contrast(render(seen(BOX), PLAIN)[INSIDE]) > 127


@pytest.mark.usefixtures("qapp")
def test_snapshot_has_no_pixel_of_what_is_hidden(tmp_path):
    path = save_snapshot(seen(BOX), tmp_path, BLUR)
    assert contrast(array_of(QImage(str(path)))[INSIDE]) < 6


@pytest.mark.usefixtures("qapp")
def test_recording_has_no_frame_that_is_not_hidden(tmp_path):
    limits = SpaceLimits(measure=lambda _: 5_000_000_000)
    segment = SegmentOptions(limits=limits)
    options = RecorderOptions(stem="clip", style=BLUR, segment=segment, lossless=True)
    thread = RecorderThread(tmp_path, info(), options)
    thread.start()
    for index in range(12):
        found = replace(
            seen(*([BOX] if index > 3 else [])),  # the first were seen before the model came
            frame=replace(result(bgr=checkered()).frame, index=index, captured_ns=index * 10**8),
            has_model=index > 3,
        )
        thread.accept(found)
    path = thread.stop()
    assert path is not None
    frames = read_video(path).pixels
    assert len(frames) == 12
    for index, frame in enumerate(frames):
        assert contrast(frame[32:108, 52:128]) < 12, index  # the encoder rings at the edges
    assert contrast(frames[-1][116:, :]) > 100
    raw = seen(BOX).frame.bgr[32:108, 52:128].astype(float)
    pattern = (raw - raw.mean()) / raw.std()
    for frame in frames:
        assert abs(np.mean(frame[32:108, 52:128] * pattern)) < 1  # grey levels of 127
