"""The lanes as they are painted, and where the mouse goes on them."""

import numpy as np
import pytest
from gui.lanes import make_lanes
from PyQt6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PyQt6.QtGui import QColor, QImage, QPaintEvent, QRegion, QWheelEvent
from PyQt6.QtWidgets import QAbstractButton, QApplication, QWidget
from pytestqt.qtbot import QtBot

from kpviewer.gui.scanning.scan import ScanState
from kpviewer.gui.views.timeline.bar import TimelineBar
from kpviewer.gui.views.timeline.lane_image import GAP_PX, LANE_PX, LANES_PX
from kpviewer.gui.views.timeline.lane_strip import LaneStrip
from kpviewer.gui.views.timeline.lane_values import ScannedLanes
from kpviewer.gui.views.timeline.strip_painting import TOP_PX
from kpviewer.gui.widgets.theme import DARK, ThemeChoice
from kpviewer.structures import StreamInfo

pytestmark = [
    pytest.mark.qt_log_ignore("propagateSizeHints"),  # said of plain widgets alone
    pytest.mark.usefixtures("themes"),
]
LEFT = Qt.MouseButton.LeftButton
FOUND, SCORE, ERROR = (TOP_PX + lane * (LANE_PX + GAP_PX) for lane in range(3))
"""Upper edges of the lanes, px."""
BOTTOM = LANE_PX - 1


def make_bar(qtbot: QtBot, frames: int, width: int = 1000) -> TimelineBar:
    bar = TimelineBar()
    qtbot.addWidget(bar)
    bar.set_info(StreamInfo("film", 64, 48, 30.0, frames, is_live=False, is_seekable=True))
    bar.resize(width, bar.sizeHint().height())
    with qtbot.waitExposed(bar):
        bar.show()
    return bar


def column(image: QImage, strip: LaneStrip, index: int, top: int) -> list[int]:
    """Return the colours of a frame's column in one lane, from above."""
    x = int(strip.axis.x_of(index))
    return [image.pixel(x, top + row) for row in range(LANE_PX)]


def test_one_bad_frame_of_a_hundred_thousand_is_seen(qtbot):
    bar, lanes = make_bar(qtbot, 100_000), make_lanes(100_000)
    lanes.error_px[60_000] = 3.0
    lanes.missed[60_000] = 1
    lanes.found[60_000] = 1
    bar.show_lanes(lanes)
    image = bar.strip.grab().toImage()
    bad, good = (column(image, bar.strip, index, ERROR) for index in (60_000, 59_000))
    assert QColor(bad[0]).lightness() > QColor(good[0]).lightness() + 100
    assert bad[LANE_PX // 4] == good[BOTTOM]  # its bar is higher than that of all others
    assert good[LANE_PX // 4] != good[BOTTOM]
    bad, good = (column(image, bar.strip, index, FOUND) for index in (60_000, 59_000))
    assert len(set(good)) == 1  # a full bar
    assert bad[0] != good[0]
    assert bad[BOTTOM] == good[BOTTOM]


def test_scores_have_a_height_and_a_strength(qtbot):
    bar, lanes = make_bar(qtbot, 100), make_lanes(100)
    lanes.heat[:50] = 0
    lanes.heat[:50, 0] = 1
    bar.show_lanes(lanes)
    image = bar.strip.grab().toImage()
    low, high = (column(image, bar.strip, index, SCORE) for index in (20, 80))
    assert low[0] == low[3] == high[0] == high[BOTTOM] != low[BOTTOM]
    assert QColor(high[3]).lightness() > QColor(low[BOTTOM]).lightness()  # two scores, not one


def test_scores_below_the_confidence_are_paler(qtbot):
    bar = make_bar(qtbot, 100)
    shades = []
    for threshold in (0.5, 0.9):
        bar.show_lanes(make_lanes(100), threshold)
        image = bar.strip.grab().toImage()
        shades.append(QColor(column(image, bar.strip, 40, SCORE)[3]).lightness())
    assert shades[0] > shades[1] + 50


def test_times_of_scanned_frames_are_the_true_ones(qtbot):
    bar, lanes = make_bar(qtbot, 100), make_lanes(100)
    lanes.position_s[7] = 2.5
    bar.show_lanes(lanes)
    assert bar.texts_of(7)[0] == "frame 7 · 00:02.5"


def test_frames_that_were_not_scanned_are_hatched(qtbot):
    bar = make_bar(qtbot, 100)
    bar.show_lanes(make_lanes(100, scanned=50, found=0))
    strip, image = bar.strip, bar.strip.grab().toImage()
    row, hints = FOUND + 3, 150
    left, middle, right = (round(strip.axis.x_of(index)) for index in (1, 50, 99))
    assert len({image.pixel(x, row) for x in range(left, middle - 5)}) == 1
    assert len({image.pixel(x, row) for x in range(middle + hints, right)}) == 2


def test_lane_asks_for_no_annotations_that_are_still_to_be_compared():
    lanes = make_lanes(10, error_px=None)
    assert ScannedLanes(lanes, lack="needs annotations").hints[2] == "needs annotations"
    assert ScannedLanes(lanes).hints[2] == ""


@pytest.mark.parametrize(
    ("lanes", "hints"),
    [
        (make_lanes(10, scanned=0), ("scan or play to fill", "", "")),
        (make_lanes(10, error_px=None), ("", "", "needs annotations")),
        (make_lanes(10), ("", "", "")),
    ],
)
def test_empty_lanes_say_how_they_are_filled(qtbot, lanes, hints):
    bar = make_bar(qtbot, 10)
    bar.show_lanes(lanes, lack="needs annotations")
    assert bar.strip.words.hints == hints


@pytest.mark.parametrize("width", [310, 479, 480, 700, 1000])
@pytest.mark.parametrize("is_live", [False, True])
def test_no_button_is_squeezed_in_a_narrow_bar(qtbot, width, is_live):
    bar, parent = make_bar(qtbot, 10_000), QWidget()
    if is_live:
        bar.set_info(StreamInfo("cam", 64, 48, 30.0, None, is_live=True, is_seekable=False))
    else:
        bar.scan.show_state(ScanState())
    qtbot.addWidget(parent)
    parent.resize(1000, 200)
    bar.setParent(parent)  # a window would be as wide as its buttons
    bar.show()
    with qtbot.waitExposed(parent):
        parent.show()
    bar.resize(width, bar.sizeHint().height())
    bar.resize(width, bar.sizeHint().height())  # in the arrangement for the width
    buttons = [each for each in bar.findChildren(QAbstractButton) if each.isVisible()]
    assert len(buttons) > 6
    for each in buttons:
        assert each.width() >= each.minimumSizeHint().width(), each.accessibleName()
        assert bar.rect().contains(each.mapTo(bar, each.rect().bottomRight()))


def test_the_play_head_crosses_out_no_text_in_a_lane(qtbot):
    bar = make_bar(qtbot, 1000)
    bar.show_lanes(make_lanes(1000, error_px=None), lack="needs annotations")
    images = []
    for index in (20, 60):  # both below the text
        bar.show_position(index, None)
        images.append(bar.strip.grab().toImage())
    text, empty = (
        [column(image, bar.strip, 20, lane)[4:12] for image in images] for lane in (ERROR, SCORE)
    )
    assert text[0] == text[1]
    assert empty[0] != empty[1]


def test_the_play_head_is_at_its_frame_and_leaves_no_trace(qtbot):
    bar = make_bar(qtbot, 200)
    bar.show_lanes(make_lanes(200))
    accent = QColor(DARK.accent).rgb()
    for index in (0, 50, 199):
        bar.show_position(index, None)
        image = bar.strip.grab().toImage()
        lit = [x for x in range(image.width()) if image.pixel(x, ERROR + 5) == accent]
        assert lit == [round(bar.strip.axis.x_of(index)) - 1, round(bar.strip.axis.x_of(index))]


class PaintSpy(QObject):
    """Collector of the regions that a widget paints."""

    def __init__(self) -> None:
        super().__init__()
        self.region = QRegion()

    def eventFilter(self, _widget: QObject | None, event: QEvent | None) -> bool:
        if isinstance(event, QPaintEvent):
            self.region += event.region()
        return False


def test_playing_paints_only_where_the_play_head_was_and_is(qtbot):
    bar, spy = make_bar(qtbot, 200), PaintSpy()
    bar.strip.installEventFilter(spy)
    bar.strip.update()
    qtbot.waitUntil(lambda: not spy.region.isEmpty())
    QApplication.processEvents()
    spy.region = QRegion()
    bar.strip.show_index(120)
    qtbot.waitUntil(lambda: not spy.region.isEmpty())
    for index in (0, 120):
        assert spy.region.contains(QPoint(round(bar.strip.axis.x_of(index)), ERROR))
    assert not spy.region.contains(QPoint(round(bar.strip.axis.x_of(60)), ERROR))


def test_playing_paints_the_kept_lanes_again(qtbot, monkeypatch):
    bar = make_bar(qtbot, 200)
    bar.show_lanes(make_lanes(200))
    bar.strip.grab()
    monkeypatch.setattr("kpviewer.gui.views.timeline.lane_strip.lanes_image", None)  # would fail
    bar.show_position(7, None)
    bar.strip.grab()


def test_another_theme_has_its_own_lanes(qtbot, themes):
    bar = make_bar(qtbot, 100)
    bar.show_lanes(make_lanes(100))
    assert QColor(column(bar.strip.grab().toImage(), bar.strip, 40, ERROR)[4]).lightness() < 60
    themes.set_choice(ThemeChoice.LIGHT)
    image = bar.strip.grab().toImage()
    assert QColor(column(image, bar.strip, 40, ERROR)[4]).lightness() > 200  # the ground
    assert QColor(column(image, bar.strip, 40, FOUND)[4]).lightness() < 150  # a bar


def test_press_and_drag_seek(qtbot):
    bar = make_bar(qtbot, 500)
    sought: list[int] = []
    bar.sought.connect(sought.append)
    points = [QPoint(int(bar.strip.axis.x_of(index)), FOUND + 4) for index in (100, 101, 400)]
    qtbot.mousePress(bar.strip, LEFT, pos=points[0])
    bar.show_position(3, None)  # a frame that was under way doesn't tear the head away
    assert bar.strip.index == sought[0]
    qtbot.mouseMove(bar.strip, points[2])
    qtbot.mouseRelease(bar.strip, LEFT, pos=points[2])
    assert sought == [bar.strip.frame_at(QPointF(point)) for point in (points[0], points[2])]
    assert bar.strip.index == sought[-1]
    bar.show_position(3, None)
    assert bar.strip.index == 3


def test_a_click_beside_a_sign_goes_to_its_frame(qtbot):
    bar = make_bar(qtbot, 100_000)
    bar.strip.set_signs((20_000,), (70_007,))
    sought: list[int] = []
    bar.sought.connect(sought.append)
    for index in (20_000, 70_007):
        at = QPoint(round(bar.strip.axis.x_of(index)) + 3, TOP_PX + LANES_PX + 3)
        qtbot.mouseClick(bar.strip, LEFT, pos=at)
    assert sought == [20_000, 70_007]
    on_lane = QPoint(round(bar.strip.axis.x_of(20_000)) + 3, ERROR)
    assert bar.strip.frame_at(QPointF(on_lane)) not in (20_000, 70_007)


def test_signs_and_ends_of_the_loop_are_painted(qtbot):
    bar = make_bar(qtbot, 100)
    bare = bar.strip.grab().toImage()
    bar.strip.set_signs((20,), ())
    marked = bar.strip.grab().toImage()
    x, y = round(bar.strip.axis.x_of(20)), TOP_PX + LANES_PX + 5
    assert QColor(marked.pixel(x, y)).lightness() > 200
    assert marked.pixel(x, ERROR) == bare.pixel(x, ERROR)
    bar.strip.set_signs((), (20,))
    assert bar.strip.grab().toImage() not in (bare, marked)
    bar.strip.set_ab((40, 60))
    looped = bar.strip.grab().toImage()
    for index in (40, 60):
        assert QColor(looped.pixel(round(bar.strip.axis.x_of(index)), ERROR)).lightness() > 200


def test_the_wheel_zooms_and_a_double_click_shows_all(qtbot):
    bar = make_bar(qtbot, 1000)
    bar.show_lanes(make_lanes(1000, scanned=500))
    strip = bar.strip
    middle = QPointF(strip.axis.x_of(500), 20.0)
    wheel(strip, middle, 480)
    assert strip.axis.is_zoomed
    assert strip.frame_at(middle) == 500
    image = strip.grab().toImage()
    assert image.pixel(round(strip.axis.left_px) + 2, 0) != image.pixel(round(middle.x()), 0)
    qtbot.mouseDClick(strip, LEFT, pos=middle.toPoint())
    assert not strip.axis.is_zoomed


def wheel(strip: LaneStrip, position: QPointF, turn: int) -> None:
    none = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier
    event = QWheelEvent(
        position,
        QPointF(strip.mapToGlobal(position.toPoint())),
        QPoint(0, 0),
        QPoint(0, turn),
        *none,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(strip, event)


def test_texts_of_a_frame_say_what_was_found(qtbot):
    bar, lanes = make_bar(qtbot, 100), make_lanes(100, scanned=50)
    lanes.missed[7], lanes.false_alarms[7] = 1, 2
    lanes.error_px[8] = np.nan
    bar.show_lanes(lanes)
    bar.strip.set_signs((7,), (7,))
    assert bar.texts_of(7) == [
        "frame 7 · 00:00.2",
        "found 2 · best score 0.80",
        "error 1.0 px · missed 1 · false alarms 2",
        "marked",
        "one of the worst frames",
    ]
    assert bar.texts_of(8)[2] == "no mistakes"
    assert bar.texts_of(60) == ["frame 60 · 00:02.0"]


def test_the_difference_of_two_models_stands_where_there_is_no_ground_truth(qtbot):
    bar, lanes = make_bar(qtbot, 100), make_lanes(100, error_px=None)
    lanes.difference_px[:] = 3.0
    lanes.disagreements[:] = 1
    bar.show_lanes(lanes)
    assert bar.strip.words.labels == ("found", "score", "A–B")
    assert bar.texts_of(7)[2] == "A–B 3.0 px · found by one model only: 1"


def test_a_drag_is_over_with_its_source(qtbot, themes):
    strip = LaneStrip()
    qtbot.addWidget(strip)
    strip.resize(400, strip.height())
    strip.set_count(100)
    qtbot.mousePress(strip, Qt.MouseButton.LeftButton, pos=QPoint(300, ERROR))
    strip.set_count(50)  # while the button is held: its release reaches no disabled widget
    strip.show_index(7)
    assert strip.index == 7
