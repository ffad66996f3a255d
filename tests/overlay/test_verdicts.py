"""Painted marks of matched and missed objects and of false alarms."""

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QImage, QPainter, QTransform
from sample_results import GREY, detections, ground_truth, result

from kpviewer.metrics.frame_error import frame_error
from kpviewer.overlay import OverlayStyle, array_of, paint_verdicts, place_labels, render
from kpviewer.overlay.badges import COLORS, Verdict
from kpviewer.overlay.palette import contrast_ratio, text_color
from kpviewer.overlay.verdicts import verdicts_of
from kpviewer.structures import Detections, GroundTruth, ImageArray, padded

pytestmark = pytest.mark.usefixtures("qapp")

BOX = (100.0, 100.0, 200.0, 180.0)
FAR = (300.0, 200.0, 380.0, 260.0)
BARE = OverlayStyle(labels=False, scores=False, landmarks=False)
SIZE_HW = (480, 640)
GROUND_TRUTH = ground_truth(BOX, (150, 140))


def painted(
    found: Detections, targets: GroundTruth | None, style: OverlayStyle = BARE
) -> ImageArray:
    seen = result(found, size_hw=SIZE_HW, targets=targets)
    error = None if targets is None else frame_error(found, targets)
    return render(replace(seen, error=error), style)


def shows(image: ImageArray, verdict: Verdict, box: tuple[float, ...]) -> bool:
    """Return whether the colour of a verdict is at the lower right corner of a box."""
    x, y = round(box[2]), round(box[3])
    near = image[y - 8 : y + 9, x - 8 : x + 9]
    return int((near == COLORS[verdict][::-1]).all(axis=-1).sum()) > 30


def legend_of(image: ImageArray) -> ImageArray:
    return image[-40:, 320:]


@pytest.mark.parametrize(
    ("found", "box", "verdict"),
    [
        (detections([BOX]), BOX, Verdict.MATCHED),
        (detections(), BOX, Verdict.MISSED),
        (detections([FAR]), FAR, Verdict.FALSE_ALARM),
    ],
)
def test_each_verdict_has_its_badge_at_the_corner(found, box, verdict):
    image = painted(found, GROUND_TRUTH)
    for each in Verdict:
        assert shows(image, each, box) is (each is verdict)


def test_object_that_is_taken_for_another_class_has_both_badges():
    near = (BOX[0] - 3, BOX[1] - 2, BOX[2] + 4, BOX[3] + 5)
    image = painted(detections([near], class_ids=[1]), GROUND_TRUTH)
    assert shows(image, Verdict.MISSED, BOX)
    above = (*BOX[:3], BOX[3] - 18)
    assert shows(image, Verdict.FALSE_ALARM, above)


def test_verdicts_differ_by_shape_without_colour():
    signs = []
    for found, box in (
        (detections([BOX]), BOX),
        (detections(), BOX),
        (detections([FAR]), FAR),
    ):
        x, y = round(box[2]), round(box[3])
        badge = painted(found, GROUND_TRUTH)[y - 4 : y + 5, x - 4 : x + 5].astype(int)
        ground = np.median(badge.reshape(-1, 3), axis=0)
        signs.append((np.abs(badge - ground).sum(axis=-1) > 200).tobytes())
    assert len(set(signs)) == 3


def test_verdicts_have_no_hue_and_so_no_colour_of_a_class():
    assert max(max(color) - min(color) for color in COLORS.values()) <= 8
    found = detections([BOX, FAR])
    image = painted(found, GROUND_TRUTH, replace(BARE, boxes=False)).astype(int)
    assert np.ptp(image, axis=2).max() <= 8


def test_missed_object_has_the_name_of_its_class_where_there_are_several():
    style = replace(BARE, labels=True)
    named, alone = (
        painted(detections(), GROUND_TRUTH, replace(style, class_names=names))
        for names in (("ace", "king"), ("ace",))
    )
    name = (slice(172, 189), slice(150, 190))
    assert (named[name] == 255).mean() > 0.3
    assert (alone[name] == 255).mean() < 0.2


def test_name_of_a_missed_object_at_the_left_edge_stands_beside_its_badge():
    box = (2.0, 100.0, 20.0, 180.0)
    style = replace(BARE, labels=True, class_names=("ace", "king"))
    image = painted(detections(), ground_truth(box, (10, 140)), style)
    assert shows(image, Verdict.MISSED, box)
    assert (image[172:189, 32:54] == 255).mean() > 0.3
    assert (image[182:189, :6] == GREY).all(), "no half of a name at the left"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_signs_stand_out_from_their_badges(verdict):
    assert contrast_ratio(COLORS[verdict], text_color(COLORS[verdict])) >= 4.5


def test_legend_comes_with_the_ground_truth_alone():
    assert (legend_of(painted(detections([BOX]), GROUND_TRUTH)) != GREY).any()
    assert (legend_of(painted(detections([BOX]), None)) == GREY).all()


@pytest.mark.parametrize("field", ["verdicts", "ground_truth"])
def test_verdicts_can_be_hidden(field):
    image = painted(detections([BOX]), GROUND_TRUTH, replace(BARE, **{field: False}))
    assert not shows(image, Verdict.MATCHED, BOX)
    assert (legend_of(image) == GREY).all()


def test_frame_that_no_model_has_seen_has_no_verdict():
    image = render(result(detections(), size_hw=SIZE_HW, targets=GROUND_TRUTH), BARE)
    assert not shows(image, Verdict.MISSED, BOX)


def test_difficult_objects_are_neither_missed_nor_false():
    hard = replace(GROUND_TRUTH, difficult=np.ones(1, np.bool_))
    assert not len(verdicts_of(detections(), hard).kinds)
    assert not len(verdicts_of(detections([BOX]), hard).kinds)


def test_hidden_classes_are_not_missed():
    hidden, shown = (
        verdicts_of(detections(), GROUND_TRUTH, frozenset({class_id})) for class_id in (1, 0)
    )
    assert not len(hidden.kinds)
    assert shown.kinds.tolist() == [Verdict.MISSED]


def test_badge_of_a_box_that_leaves_the_view_stays_in_it():
    image = QImage(160, 140, QImage.Format.Format_BGR888)  # the box ends at 200, 180
    image.fill(0x808080)
    painter = QPainter(image)
    seen = result(detections([BOX]), size_hw=SIZE_HW, targets=GROUND_TRUTH)
    seen = replace(seen, error=frame_error(seen.detections, GROUND_TRUTH))
    paint_verdicts(painter, seen, BARE, QTransform(), QRectF(image.rect()))
    painter.end()
    assert shows(array_of(image), Verdict.MATCHED, (0, 0, 151, 131))


def in_view(bounds: QRectF) -> ImageArray:
    """Return a view of 700x400 px with an image in these bounds, and nothing but verdicts."""
    canvas = QImage(700, 400, QImage.Format.Format_BGR888)
    canvas.fill(0x808080)
    painter = QPainter(canvas)
    seen = result(detections([BOX]), size_hw=SIZE_HW, targets=GROUND_TRUTH)
    seen = replace(seen, error=frame_error(seen.detections, GROUND_TRUTH))
    paint_verdicts(painter, seen, BARE, QTransform(), bounds, QRectF(canvas.rect()))
    painter.end()
    return array_of(canvas)


def test_legend_stands_below_an_image_that_leaves_room():
    image = in_view(QRectF(0, 0, 700, 200))
    assert (image[200:340] == GREY).all()
    assert (image[340:, 350:] != GREY).any()


def test_legend_stands_on_an_image_that_leaves_too_little_room():
    image = in_view(QRectF(12, 0, 676, 400))
    assert (image[340:, 680:] == GREY).all()
    assert (image[340:, 660:680] != GREY).any()


def test_legend_hides_no_badge():
    corner = (480.0, 400.0, 560.0, 460.0)
    image = painted(detections(), ground_truth(corner, (520, 430)))
    assert shows(image, Verdict.MISSED, corner)
    assert (legend_of(image)[:, -60:] != GREY).any()


def test_frames_of_rotated_boxes_lie_as_these_do():
    diamond = np.array([[[150, 50], [250, 150], [150, 250], [50, 150]]], np.float32)
    found = replace(detections([(50, 50, 250, 250)]), outlines_xy=diamond)
    away = ground_truth((400, 300, 440, 340), (420, 320))  # upright, and missed
    seen = verdicts_of(found, away)
    assert seen.outlines_xy[0].tolist() == diamond[0].tolist()
    assert seen.outlines_xy[1].tolist() == [[400, 300], [440, 300], [440, 340], [400, 340]]
    one = replace(result(found, size_hw=(480, 640), targets=away), error=frame_error(found, away))
    image = render(one, OverlayStyle(("a",), labels=False, scores=False))
    assert (image[54, 60:130] == GREY).all(), "no frame along the upright box"


def test_missed_masks_have_frames_of_boxes_beside_boxes():
    truth = ground_truth((400, 300, 440, 340), (420, 320))
    mask = np.array([[[400, 300], [440, 300], [420, 340], [410, 330], [405, 320]]], np.float32)
    truth = replace(truth, outlines_xy=mask)
    found = detections([(50, 50, 250, 250)])
    assert verdicts_of(found, truth).outlines_xy is None
    found = replace(found, outlines_xy=np.zeros((1, 64, 2), np.float32))
    assert verdicts_of(found, truth).outlines_xy[1, :5].tolist() == mask[0].tolist()


@pytest.mark.parametrize("corners", [4, 64])
def test_badges_of_outlines_stand_at_their_lowest_corner(corners):
    """At the corner of the upright box, they would be those of a neighbour."""
    leaning = np.array([[[150, 50], [250, 150], [150, 250], [50, 150]]], np.float32)
    leaning = padded(leaning, corners)
    found = replace(detections([(50, 50, 250, 250)]), outlines_xy=leaning)
    image = painted(found, ground_truth((400, 300, 440, 340), (420, 320)))
    assert shows(image, Verdict.FALSE_ALARM, (50, 50, 150, 250))
    assert not shows(image, Verdict.FALSE_ALARM, (50, 50, 250, 250))
    assert shows(image, Verdict.MISSED, (400, 300, 440, 340)), "the upright one's own corner"


def test_frames_of_neighbours_run_below_labels():
    around, small = (60, 60, 400, 300), (50, 150, 130, 200)
    found, style = detections([around, small]), OverlayStyle(("cell",), landmarks=False)
    bounds = QRectF(0, 0, SIZE_HW[1], SIZE_HW[0])
    label = place_labels(found.xyxy, found, style, bounds)[1].plate.toAlignedRect()
    assert label.left() < 60 < label.right()
    area = slice(label.top(), label.bottom()), slice(label.left() + 1, label.right())
    judged = painted(found, GROUND_TRUTH, style)
    np.testing.assert_array_equal(
        judged[area], painted(found, GROUND_TRUTH, replace(style, verdicts=False))[area]
    )
