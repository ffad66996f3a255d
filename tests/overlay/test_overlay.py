import os
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest
from interpreter import python
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter, QTransform
from sample_results import GREY, detections, ground_truth, result

from kpviewer.geometry import bridged
from kpviewer.overlay import (
    Canvas,
    OverlayStyle,
    array_of,
    detection_at,
    ensure_gui_application,
    paint_overlay,
    place_labels,
    qimage_of,
    render,
)
from kpviewer.overlay.palette import class_color
from kpviewer.structures import Detections, ImageArray

pytestmark = pytest.mark.usefixtures("qapp")

BOX = (100.0, 100.0, 200.0, 180.0)
BARE = OverlayStyle(labels=False, scores=False)
BOUNDS = QRectF(0, 0, 640, 480)
SIZE_HW = (480, 640)
WHITE = (255, 255, 255)


def painted(found: Detections, style: OverlayStyle, **given: object) -> ImageArray:
    return render(result(found, size_hw=SIZE_HW, **given), style)


def bgr_of(class_id: int) -> tuple[int, ...]:
    return class_color(class_id)[::-1]


def plates(found: Detections, style: OverlayStyle, bounds: QRectF = BOUNDS) -> list[QRectF]:
    return [label.plate for label in place_labels(found.xyxy, found, style, bounds)]


# -- boxes, points, ground truth -------------------------------------------------------------


def test_box_edge_has_the_colour_of_its_class_with_a_dark_halo():
    image = painted(detections([BOX], class_ids=[2]), BARE)
    column = image[140]  # across the left edge at x = 100
    assert [tuple(pixel) for pixel in column[99:101]] == [bgr_of(2)] * 2
    assert (column[98] < GREY).all() and (column[101] < GREY).all()
    assert (column[97] == GREY).all() and (column[102] == GREY).all()


def test_stroke_is_two_pixels_wide_at_any_zoom():
    for zoom in (0.5, 1.0, 3.0):
        image = QImage(640, 640, QImage.Format.Format_BGR888)
        image.fill(QColor(GREY, GREY, GREY))
        painter = QPainter(image)
        to_view = QTransform.fromScale(zoom, zoom)
        paint_overlay(painter, detections([BOX]), None, BARE, to_view, QRectF(image.rect()))
        painter.end()
        row = array_of(image)[int(140 * zoom)]
        colored = np.flatnonzero((row == bgr_of(0)).all(axis=1))
        assert colored.tolist()[:2] == [100 * zoom - 1, 100 * zoom]
        assert len(colored) == 4


def outlined(*corners: tuple[float, float], masks: bool = False) -> Detections:
    """One object of class 1 with an outline, and the upright box around it."""
    xy = np.array([[*corners, *[corners[-1]] * masks]], np.float32)
    return replace(detections([(*xy[0].min(0), *xy[0].max(0))], class_ids=[1]), outlines_xy=xy)


@pytest.mark.parametrize("masks", [False, True])
def test_labels_of_outlines_begin_at_their_highest_corner(masks):
    """At the left of the upright box, they would stand nearer to a neighbour."""
    style = OverlayStyle()
    steep = outlined((100, 250), (280, 100), (300, 120), (120, 270), masks=masks)
    upright = outlined((300, 100), (300, 120), (100, 120), (100, 100))
    boxes = (replace(each, outlines_xy=None) for each in (upright, steep))
    usual = [plates(each, style)[0] for each in boxes]
    assert plates(upright, style) == usual[:1]
    (plate,) = plates(steep, style)
    assert plate.left() - usual[1].left() == pytest.approx(180)
    assert plate.top() == usual[1].top()


def test_rotated_boxes_are_painted_as_they_lie():
    image = painted(outlined((150, 50), (250, 150), (150, 250), (50, 150)), BARE)
    for x, y in ((200, 100), (200, 200), (100, 200), (100, 100)):  # the middles of the sides
        assert np.abs(image[y, x].astype(int) - bgr_of(1)).max() < 40, "smooth, so a little faint"
    assert (image[145:155, 145:155] == GREY).all(), "a box isn't filled"
    assert (image[55, 55] == GREY).all() and (image[50, 240] == GREY).all()
    assert (
        painted(outlined((150, 50), (250, 150), (150, 250), (50, 150)), replace(BARE, boxes=False))
        == GREY
    ).all()


def test_true_rotated_boxes_are_dashed_as_they_lie():
    diamond = (150, 50), (250, 150), (150, 250), (50, 150)
    truth = ground_truth((50, 50, 250, 250), (150, 150))
    truth = replace(truth, outlines_xy=np.array([diamond], np.float32))
    image = painted(detections(), replace(BARE, landmarks=False, verdicts=False), targets=truth)
    side = np.array([image[y + 1, y + 99] for y in range(56, 145)]).max(1)
    assert (side > 180).any() and (side < GREY).any(), "bright dashes on a dark line"
    assert (image[50, 55:140] == GREY).all(), "no upright box"


def test_true_masks_are_shown_beside_masks_alone():
    mask = (150, 50), (250, 150), (150, 250), (150, 250), (50, 150)
    truth = ground_truth((50, 50, 250, 250), (150, 150))
    truth = replace(truth, outlines_xy=np.array([mask], np.float32))
    style = replace(BARE, landmarks=False, verdicts=False)
    for corners, has_box in ((5, False), (4, True), (None, True)):
        outlines = None if corners is None else np.zeros((0, corners, 2), np.float32)
        image = painted(replace(detections(), outlines_xy=outlines), style, targets=truth)
        assert (image[50:56, 70:130] != GREY).any() == has_box
        assert (image[90:110, 90:110] != GREY).any() != has_box


def test_bridges_between_the_parts_of_a_mask_are_not_painted():
    parts = [np.array([[left, 50], [left + 60, 50], [left + 60, 250], [left, 250]], np.float64)
             for left in (50, 210)]  # fmt: skip
    outlines = bridged(parts)[None].astype(np.float32)
    found = replace(detections([(50, 50, 270, 250)]), outlines_xy=outlines)
    truth = replace(ground_truth((50, 50, 270, 250), (150, 150)), outlines_xy=outlines)
    image = painted(found, replace(BARE, landmarks=False, verdicts=False), targets=truth)
    assert (image[40:260, 120:200] == GREY).all()
    assert (image[100, [80, 240]] != GREY).any(1).all(), "both parts are tinted"


def test_masks_are_tinted():
    corners = (50, 50), (250, 50), (250, 150), (150, 100), (50, 150)
    image = painted(outlined(*corners, masks=True), BARE)
    inside, share = image[75, 150].astype(float), 80 / 255
    assert inside == pytest.approx(GREY + share * (np.array(bgr_of(1)) - GREY), abs=2)
    assert (image[140, 150] == GREY).all(), "in the box, not in the mask"


def test_the_selected_outline_is_thicker():
    found = outlined((150, 50), (250, 150), (150, 250), (50, 150))
    plain, chosen = (painted(found, replace(BARE, selected=which)) for which in (None, 0))
    assert (chosen != GREY).sum() > 1.3 * (plain != GREY).sum()


def test_strokes_grow_with_large_images():
    found = detections([(200, 200, 800, 700)])
    image = render(result(found, size_hw=(960, 1280)), BARE)
    assert (image[400] == bgr_of(0)).all(axis=1).sum() == 2 * 4


def test_frame_itself_stays_clean():
    one = result(detections([BOX]), size_hw=SIZE_HW)
    render(one, OverlayStyle())
    assert (one.frame.bgr == GREY).all()


def test_image_without_detections_comes_back_unchanged():
    rng = np.random.default_rng(0)
    bgr = rng.integers(0, 256, (31, 13, 3), np.uint8)  # rows that Qt would pad
    assert (render(result(bgr=bgr), OverlayStyle()) == bgr).all()


def test_landmark_can_be_hidden():
    found = detections([BOX], points=[[(150, 140)]])
    assert (painted(found, replace(BARE, boxes=False, landmarks=False)) == GREY).all()


def test_landmarks_of_the_hovered_detection_are_bigger():
    found = detections([BOX], points=[[(150, 140)]])
    style = replace(BARE, boxes=False)
    plain, hovered = (painted(found, replace(style, hovered=which)) for which in (None, 0))
    assert (hovered != GREY).sum() > 1.5 * (plain != GREY).sum()


def test_skeleton_joins_its_points_and_ignores_pairs_that_the_model_lacks():
    found = detections([BOX], points=[[(110, 140.5), (190, 140.5)]])
    style = replace(BARE, boxes=False, skeleton=((0, 1), (0, 7), (-9, 1), (0, -1)))
    assert tuple(painted(found, style)[140, 150]) == bgr_of(0)
    assert (painted(found, replace(style, skeleton=()))[140, 150] == GREY).all()


def gaps_in_top_edge(image: ImageArray, y: int) -> int:
    bright = image[y, 100:200].max(axis=1) > 200
    return int((np.diff(bright.astype(int)) == -1).sum())


def test_ground_truth_is_dashed_and_predictions_are_solid():
    style = replace(BARE, landmarks=False)
    predicted = painted(detections([BOX]), style)
    true = painted(detections(), style, targets=ground_truth(BOX, (150, 140)))
    assert gaps_in_top_edge(predicted, 100) == 0
    assert gaps_in_top_edge(true, 100) > 5


def test_ground_truth_has_no_class_colour():
    style = replace(BARE, landmarks=False)
    true = painted(detections(), style, targets=ground_truth(BOX, (150, 140)))
    assert np.ptp(true.astype(int), axis=2).max() <= 8  # grey, or a dark halo


def test_ground_truth_waits_for_a_model():
    one = result(size_hw=SIZE_HW, targets=ground_truth(BOX, (150, 140)))
    assert (render(replace(one, has_model=False), BARE) == GREY).all()


def test_ground_truth_can_be_hidden():
    targets = ground_truth(BOX, (150, 140))
    assert (painted(detections(), replace(BARE, ground_truth=False), targets=targets) == GREY).all()


def test_points_and_boxes_without_a_finite_place_do_no_harm():
    found = detections([(np.nan, 0, np.inf, 50)], points=[[(np.nan, 3)]])
    assert painted(found, OverlayStyle()).shape == (480, 640, 3)


def test_painter_comes_back_as_it_was():
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    before = (painter.pen(), painter.hasClipping(), painter.font())
    paint_overlay(painter, detections([BOX]), None, OverlayStyle(), QTransform(), BOUNDS)
    assert (painter.pen(), painter.hasClipping(), painter.font()) == before
    painter.end()


def test_smoothed_landmarks_are_painted_where_they_are_wanted_and_known():
    found = detections([BOX], points=[[(120.5, 140.5)]])
    smoothed = replace(found, smoothed_xy=np.array([[[160.5, 140.5]]], np.float32))
    style = replace(BARE, boxes=False)
    for one, smooth, x in ((smoothed, True, 160), (smoothed, False, 120), (found, True, 120)):
        image = painted(one, replace(style, smooth_landmarks=smooth))
        assert tuple(image[140, x]) == WHITE
        assert (image[140, 280 - x] == GREY).all()


def test_trail_is_painted_where_it_is_wanted():
    trail = np.array([[20, 300.5], [220, 300.5]], np.float32)
    found = replace(detections([BOX]), track_ids=np.array([3]), trails=(trail,))
    assert (painted(found, replace(BARE, tracks=True))[300, 30:210] != GREY).any(axis=1).all()
    assert (painted(found, BARE)[300, 30:210] == GREY).all()


def test_trails_fade_to_the_oldest_in_the_colours_of_their_classes():
    x = np.arange(20.0, 221.0, 10)
    trails = tuple(np.stack([x, np.full_like(x, y)], 1).astype(np.float32) for y in (300.5, 350.5))
    short = np.array([[20, 400.5]], np.float32)
    found = replace(
        detections([BOX] * 3, class_ids=[0, 2, 1]),
        track_ids=np.arange(3),
        trails=(*trails, short),
    )
    image = painted(found, replace(BARE, tracks=True)).astype(int)
    for y, class_id in ((300, 0), (350, 2)):
        assert (np.abs(image[y, 218] - bgr_of(class_id)) < 40).all()
        changes = np.abs(image[y, 25:216:10] - GREY).sum(1)
        assert (np.diff(changes) >= 0).all() and changes[0] < changes[-1] / 2
    assert (image[400] == GREY).all()


@pytest.mark.parametrize("field", ["lines", "dots", "letters"])
def test_sizes_grow_what_they_are_of(field):
    found = detections([BOX], points=[[(300, 300)]])
    plain, large = (painted(found, replace(OverlayStyle(), **{field: k})) for k in (1.0, 2.0))
    box, dot = (slice(120, 175), slice(90, 110)), (slice(290, 310), slice(290, 310))
    label = (slice(60, 96), slice(90, 260))
    for name, part in (("lines", box), ("dots", dot), ("letters", label)):
        grown = (large[part] != GREY).sum() > 1.2 * (plain[part] != GREY).sum()
        assert grown == (name == field), name


def test_selected_box_is_thicker():
    plain, selected = (painted(detections([BOX]), replace(BARE, selected=k)) for k in (None, 0))
    assert (selected[140, 90:110] != GREY).sum() > (plain[140, 90:110] != GREY).sum()


# -- labels ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (OverlayStyle(("face",)), "face 0.90"),
        (OverlayStyle(("face",), scores=False), "face"),
        (OverlayStyle(("face",), labels=False), "0.90"),
        (OverlayStyle(()), "class 0 0.90"),
        (OverlayStyle(("face",), numbers=True), "0 face 0.90"),
        (OverlayStyle(("face",), tracks=True), "face #5 0.90"),
    ],
    ids=["name and score", "name", "score", "unnamed class", "index", "track"],
)
def test_label_has_the_parts_of_the_style(style, expected):
    found = replace(detections([BOX]), track_ids=np.array([5]))
    assert [label.text for label in place_labels(found.xyxy, found, style, BOUNDS)] == [expected]


def test_label_is_one_line_whatever_its_name_has():
    assert OverlayStyle(("two\nlines\t",)).text(0, 0.5) == "two lines 0.50"


def test_no_label_without_names_and_scores():
    assert plates(detections([BOX]), BARE) == []


def test_label_stands_above_its_box():
    (plate,) = plates(detections([BOX]), OverlayStyle())
    assert plate.bottom() <= 99 and plate.bottom() > 95
    assert plate.left() == pytest.approx(98)


def test_label_goes_below_a_box_at_the_top_edge():
    (plate,) = plates(detections([(100, 0, 200, 80)]), OverlayStyle())
    assert plate.top() >= 81


def test_label_goes_inside_a_box_that_fills_the_image():
    (plate,) = plates(detections([(0, 0, 640, 480)]), OverlayStyle())
    assert plate.top() < 10


@pytest.mark.parametrize("x", [-300.0, -50.0, 0.0, 300.0, 600.0, 635.0])
@pytest.mark.parametrize("y", [-100.0, 0.0, 3.0, 200.0, 400.0, 475.0])
def test_label_is_kept_inside_the_image(x, y):
    found = detections([(x, y, x + 400, y + 120)])
    placed = plates(found, OverlayStyle(("a class with a long name",)))
    assert len(placed) == 1 and BOUNDS.contains(placed[0])


def test_label_wider_than_the_image_is_shortened():
    bounds = QRectF(0, 0, 60, 100)
    found = detections([(10, 40, 50, 90)])
    (label,) = place_labels(found.xyxy, found, OverlayStyle(("a very long name",)), bounds)
    assert bounds.contains(label.plate) and label.text.endswith("…")


def test_box_out_of_view_has_no_label():
    assert plates(detections([(700, 100, 800, 200)]), OverlayStyle()) == []


def test_colliding_label_moves_to_another_place():
    above, other = plates(detections([BOX, BOX], scores=[0.9, 0.8]), OverlayStyle())
    assert above.bottom() < 100 and other.top() > 180


def test_labels_that_find_no_room_give_way_to_higher_scores():
    found = detections([BOX] * 5, scores=[0.9, 0.8, 0.7, 0.6, 0.5])
    labels = place_labels(found.xyxy, found, OverlayStyle(), BOUNDS)
    assert [label.text[-4:] for label in labels] == ["0.90", "0.80", "0.70"]
    for index, one in enumerate(labels):
        assert not any(one.plate.intersects(other.plate) for other in labels[:index])


def test_text_is_painted_on_its_plate():
    found = detections([BOX])
    image = painted(found, OverlayStyle(("face",)))
    (plate,) = plates(found, OverlayStyle(("face",)))
    inside = image[int(plate.top()) + 1 : int(plate.bottom()), 100 : int(plate.right()) - 1]
    assert (inside == bgr_of(0)).all(axis=2).mean() > 0.5  # the plate
    assert (inside < 60).all(axis=2).sum() > 10  # letters


# -- images and threads ------------------------------------------------------------------------


@pytest.mark.parametrize("width", [1, 13, 16, 641])
def test_image_survives_the_way_through_qt(width):
    bgr = np.random.default_rng(width).integers(0, 256, (7, width, 3), np.uint8)
    assert (array_of(qimage_of(bgr)) == bgr).all()
    assert qimage_of(bgr).pixelColor(0, 6).getRgb()[:3] == tuple(bgr[6, 0, ::-1])


def test_image_with_gaps_between_its_rows_is_read_right():
    bgr = np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8)[2:9, 3:16]
    assert (array_of(qimage_of(bgr)) == bgr).all()


def test_image_keeps_its_array_alive():
    image = qimage_of(np.full((64, 64, 3), 77, np.uint8))
    np.full((64, 64, 3), 200, np.uint8)
    assert (array_of(image) == 77).all()


def test_empty_image_is_refused():
    with pytest.raises(ValueError, match="must have pixels"):
        array_of(QImage())


def test_canvas_paints_each_frame_as_if_it_were_the_first():
    canvas = Canvas()
    busy = result(detections([BOX], points=[[(150, 140)]]), size_hw=SIZE_HW)
    odd = result(detections([(3, 3, 40, 30)]), size_hw=(61, 77))
    for one in (busy, result(detections([]), size_hw=SIZE_HW), odd, busy):
        assert (canvas.paint(one, OverlayStyle())[..., :3] == render(one, OverlayStyle())).all()
        assert (one.frame.bgr == GREY).all()


def test_render_in_another_thread_gives_the_same_image():
    one = result(detections([BOX], points=[[(150, 140)]]), size_hw=SIZE_HW)
    found: list[ImageArray] = []
    thread = threading.Thread(target=lambda: found.append(render(one, OverlayStyle(("face",)))))
    thread.start()
    thread.join()
    assert (found[0] == render(one, OverlayStyle(("face",)))).all()


def test_existing_application_is_kept(qapp):
    ensure_gui_application()
    assert type(qapp).__name__ == "QApplication"


PAINT_WITHOUT_FONTS = """
import numpy as np
from PyQt6.QtGui import QFont, QFontMetricsF
from kpviewer.overlay import ensure_gui_application
ensure_gui_application()
metrics = QFontMetricsF(QFont())
print(metrics.inFont("a"), metrics.horizontalAdvance("i") < metrics.horizontalAdvance("m"))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="fontconfig is Linux's")
def test_labels_can_be_read_where_the_system_has_no_font(tmp_path):
    (tmp_path / "fonts.conf").write_text(f"<fontconfig><dir>{tmp_path}</dir></fontconfig>")
    environment = {**os.environ, "FONTCONFIG_FILE": str(tmp_path / "fonts.conf")}
    assert python(PAINT_WITHOUT_FONTS, environment).split() == ["True", "True"]


# -- hit test ----------------------------------------------------------------------------------


def test_pointer_finds_the_smallest_box_around_it():
    found = detections([(0, 0, 300, 300), BOX])
    assert detection_at(found, 150, 150) == 1
    assert detection_at(found, 20, 20) == 0
    assert detection_at(found, 400, 400) is None
    assert detection_at(detections(), 1, 1) is None


def test_pointer_finds_the_outline_around_it():
    found = detections([(0, 0, 100, 100), (0, 0, 90, 90)])
    corners = [[(0, 0), (100, 0), (100, 100)], [(0, 0), (0, 90), (90, 90)]]
    found = replace(found, outlines_xy=np.array(corners, np.float32))
    assert [detection_at(found, x, y) for x, y in ((80, 10), (10, 80), (95, 20))] == [0, 1, 0]
    assert detection_at(found, 10, 98) == 0, "the box alone is around it"


# -- confidence of landmarks -------------------------------------------------------------------


def strength(score: float, **given: float) -> float:
    """Return how far the middle of a mark is from grey to white, by the score of its point."""
    found = detections([BOX], points=[[(150.5, 140.5)]], point_scores=[[score]], **given)
    pixel = painted(found, replace(BARE, boxes=False))[140, 150].astype(float)
    return float(np.abs(pixel - GREY).sum() / (3 * (255 - GREY)))


def test_landmark_fades_in_from_half_the_threshold_to_the_threshold():
    assert [strength(score) for score in (0.0, 0.2, 0.25)] == [0, 0, 0]
    assert strength(0.5) == strength(0.9) == 1
    assert 0 < strength(0.32) < strength(0.4) < strength(0.46) < 1
    assert strength(0.4, keypoint_threshold=0.4) == 1
    assert strength(0.1, keypoint_threshold=0.9) == 0
    assert strength(0.0, keypoint_threshold=0.0) == 1


def test_landmark_without_a_score_is_drawn_at_any_threshold():
    found = detections([BOX], points=[[(150.5, 140.5)]], keypoint_threshold=1.0)
    assert tuple(painted(found, replace(BARE, boxes=False))[140, 150]) == WHITE


def test_skeleton_ends_at_landmarks_that_are_not_drawn():
    ends = [(110, 140.5), (150, 140.5), (190, 140.5)]
    found = detections([BOX], points=[ends], point_scores=[[0.9, 0.9, 0.1]])
    image = painted(found, replace(BARE, boxes=False, skeleton=((0, 1), (1, 2))))
    assert tuple(image[140, 130]) == bgr_of(0)
    assert (image[135:146, 156:200] == GREY).all()


def test_line_is_as_faint_as_its_fainter_end():
    ends = [(110.5, 140.5), (190, 140.5)]
    found = detections([BOX], points=[ends], point_scores=[[0.9, 0.4]])
    image = painted(found, replace(BARE, boxes=False, skeleton=((0, 1),)))
    assert tuple(image[140, 110]) == WHITE
    middle = image[140, 150]
    assert tuple(middle) != bgr_of(0)
    assert not (middle == GREY).all()


def test_labels_after_a_faint_landmark_are_painted_in_full():
    points = {"points": [[(150, 140)]], "point_scores": [[0.3]]}
    faint = painted(detections([BOX], **points), OverlayStyle(("face",), landmarks=True))
    none = painted(detections([BOX], **points), OverlayStyle(("face",), landmarks=False))
    assert (faint[:130] == none[:130]).all()
