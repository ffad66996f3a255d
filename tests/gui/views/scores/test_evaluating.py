"""The section Score as a user works with it, over a source whose ground truth is known.

The fake engine sees a box of 0.9 at x = the image's number and one of 0.4 five px beside it; the
ground truth stays at x = 0. Of the frames 0 to 5, four match, and frame 3 is their worst.
"""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FAKE_SPEC, FakeSource
from PyQt6.QtCore import Qt
from sample_results import objects

from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.scanning.scan import ScanState
from kpviewer.gui.views.panels.side_panel import Intent
from kpviewer.gui.views.scores.frame_list import SUSPECTS
from kpviewer.gui.views.scores.score_summary import NO_GROUND_TRUTH
from kpviewer.gui.widgets.theme import LIGHT
from kpviewer.structures import GroundTruth

LEFT = Qt.MouseButton.LeftButton
Key = Qt.Key
FRAMES = 6
F1_OVER_04 = 4 / 6
"""4 matches, 2 false alarms, 2 misses; under a confidence of 0.4, 6 more false alarms."""


def ground_truth_at_zero(class_id: int = 0) -> GroundTruth:
    return objects([[0, 0, 10, 10]], [class_id])


def shown_index(window: MainWindow) -> int | None:
    result = window.view.result()
    return result.frame.index if result is not None and len(result.candidates) else None


def go_to_start(qtbot, window: MainWindow) -> None:
    """Wait for the model, pause, and show the first frame."""
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    qtbot.keyClick(window, Key.Key_Period)
    qtbot.waitUntil(lambda: not window.bridge.playback.is_playing)
    qtbot.keyClick(window, Key.Key_Home)
    qtbot.waitUntil(lambda: shown_index(window) == 0)


def numbers(window: MainWindow) -> list[str]:
    """What is written above the curves."""
    return window.side_panel.score.summary.text().split(" | ")


@pytest.fixture
def window(qtbot, open_window) -> MainWindow:
    """A window with Score open that has shown each of the frames, and shows the last."""
    window = open_window(FakeSource(FRAMES, ground_truth=ground_truth_at_zero()))
    window.side_panel.open(Intent.SCORE)
    go_to_start(qtbot, window)
    for index in range(1, FRAMES):
        qtbot.keyClick(window, Key.Key_Period)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index)
    qtbot.waitUntil(lambda: numbers(window)[-1] == "Scored all 6 frames")
    qtbot.waitUntil(lambda: len(rows(window)) == 6)
    point = pytest.approx((0.3, 8 / 18))
    qtbot.waitUntil(lambda: window.side_panel.score.curves.f1.point() == point)
    return window


def rows(window: MainWindow) -> list[list[str]]:
    """What is written in the list of worst frames."""
    return [
        [item.text(column) for column in range(4)]
        for item in window.side_panel.score.frames.tree.rows()
    ]


def test_curves_are_those_of_the_frames_by_hand(window):
    confidence, f1 = window.side_panel.score.curves.f1.curve()
    assert f1[confidence > 0.4 + 1e-6][:500] == pytest.approx(F1_OVER_04)
    assert f1[confidence < 0.4] == pytest.approx(8 / 18)
    assert f1[confidence > 0.9 + 1e-6] == pytest.approx(0)
    recall, precision = window.side_panel.score.curves.precision_recall.curve()
    drawn = {
        (round(float(r), 3), round(float(p), 3)) for r, p in zip(recall, precision, strict=True)
    }
    assert {(0.667, 0.667), (0.667, 0.333)} <= drawn


def test_confidence_moves_the_point_along_the_same_curve(qtbot, window):
    curves = window.side_panel.score.curves
    before = curves.f1.curve()[1]
    assert curves.f1.point() == pytest.approx((0.3, 8 / 18))
    slider = window.side_panel.thresholds.confidence.slider
    for _ in range(20):
        qtbot.keyClick(slider, Key.Key_Right)
    qtbot.waitUntil(lambda: curves.f1.point() == pytest.approx((0.5, F1_OVER_04)))
    assert curves.precision_recall.point() == pytest.approx((4 / 6, 4 / 6))
    assert "precision 0.67  recall 0.67  F1 0.67" in curves.text()
    assert np.array_equal(curves.f1.curve()[1], before)


def test_overlap_setting_changes_the_curve(qtbot, window):
    curves = window.side_panel.score.curves
    box = window.side_panel.thresholds.iou.box
    box.selectAll()
    qtbot.keyClicks(box, "0.1")  # under 1/7: the boxes of 0.4 give way
    qtbot.keyClick(box, Key.Key_Return)
    qtbot.waitUntil(lambda: curves.f1.curve()[1][0] == pytest.approx(F1_OVER_04))


def test_best_confidence_is_set_by_a_click(qtbot, window):
    panel = window.side_panel
    assert "0.650" in panel.score.curves.use_best.text()  # the middle of 0.401 to 0.9
    qtbot.mouseClick(panel.score.curves.use_best, LEFT)
    assert panel.thresholds.confidence.value() == pytest.approx(0.65)
    assert window.session.thresholds.score == pytest.approx(0.65)
    assert len(window.view.result().detections) == 1
    qtbot.waitUntil(lambda: panel.score.curves.f1.point()[1] == pytest.approx(F1_OVER_04))


def test_click_on_a_worst_frame_shows_it(qtbot, window):
    window.side_panel.score.frames.kinds.choose(0)
    qtbot.waitUntil(lambda: len(rows(window)) == 4)
    assert [row[0].split()[0] for row in rows(window)] == ["3", "2", "1", "0"]
    assert rows(window)[0][1:] == ["3.0", "0", "1"]
    worst = window.side_panel.score.frames
    tree = worst.tree
    place = tree.visualItemRect(worst.tree.rows()[1]).center()
    qtbot.mouseClick(tree.viewport(), LEFT, pos=place)
    qtbot.waitUntil(lambda: shown_index(window) == 2)
    assert not window.bridge.playback.is_playing
    qtbot.waitUntil(worst.tree.rows()[1].isSelected)


def test_frames_can_be_ranked_by_their_mistakes(qtbot, window):
    qtbot.waitUntil(lambda: len(rows(window)) == 6)  # at first: the model has no landmarks
    assert rows(window)[0][2:] == ["1", "2"]
    assert rows(window)[0][0].split()[0] == "4"
    window.side_panel.score.frames.kinds.choose(1)
    qtbot.waitUntil(lambda: rows(window) == [])  # no landmarks


def test_worst_frames_follow_the_confidence(qtbot, window):
    window.side_panel.score.frames.kinds.choose(0)
    window.side_panel.thresholds.confidence.box.setValue(0.95)
    qtbot.waitUntil(lambda: rows(window) == [])


def test_mean_is_that_of_all_frames(qtbot, window):
    # AP: the first 4 of 6 are found without a false alarm, at 67 of 101 recalls
    table = window.side_panel.score.summary.table
    ap, _, f1, *counts, distance = table.text().split(" | ")
    assert (f1, counts, distance) == ("0.444", ["4", "2", "8"], "1.5 px")
    assert ap == "0.663"
    assert window.side_panel.sections[Intent.SCORE].heading.summary.text() == f"AP {ap}"


def test_frame_counts_once_however_often_it_is_shown(qtbot, window):
    for key, index in ((Key.Key_Comma, 4), (Key.Key_Period, 5)):
        qtbot.keyClick(window, key)
        qtbot.waitUntil(lambda index=index: shown_index(window) == index)
    assert numbers(window)[-1] == "Scored all 6 frames"


def test_another_source_starts_again(qtbot, open_window):
    sources = {
        "fake": FakeSource(300, ground_truth=ground_truth_at_zero()),
        "other": FakeSource(300),
    }
    window = open_window(open_source=lambda text, _ground_truth: sources[text])
    window.side_panel.open(Intent.SCORE)
    qtbot.waitUntil(window.side_panel.score.curves.isVisible)
    window.opener.choose_source("other")
    qtbot.waitUntil(lambda: not window.side_panel.score.curves.isVisible())
    qtbot.waitUntil(lambda: numbers(window) == [NO_GROUND_TRUTH])


def test_without_ground_truth_the_section_shows_what_is_needed(qtbot, open_window):
    asked = []
    window = open_window(
        open_source=lambda text, _ground_truth: asked.append(text) or FakeSource(300)
    )
    window.side_panel.open(Intent.SCORE)
    panel = window.side_panel
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    assert panel.score.summary.isVisible()
    assert not panel.score.curves.isVisible()
    assert panel.score.frames.mode == SUSPECTS
    qtbot.waitUntil(panel.score.summary.open_annotations.isVisible)
    qtbot.mouseClick(panel.score.summary.play_demo, LEFT)
    qtbot.waitUntil(lambda: asked[-1] == "demo")


def test_annotations_that_can_not_be_used_are_named_with_a_way_out(qtbot, open_window, tmp_path):
    labels = tmp_path / "labels.json"
    labels.write_text("{")
    window = open_window(named=str(tmp_path))
    window.side_panel.open(Intent.SCORE)
    qtbot.waitUntil(lambda: shown_index(window) is not None)
    window.opener.use_ground_truth(f"coco:{labels}")
    qtbot.waitUntil(lambda: "labels.json" in numbers(window)[0])
    assert window.side_panel.score.summary.open_annotations.isVisible()


def test_second_model_is_scored_too(qtbot, open_window):
    window = open_window(
        FakeSource(FRAMES, ground_truth=ground_truth_at_zero()), compare="fake@fp32"
    )
    window.side_panel.open(Intent.SCORE)
    table = window.side_panel.score.summary.table
    qtbot.waitUntil(lambda: len(table.text().split(" | ")) == 14)
    assert len(window.side_panel.score.curves.f1.curve(1)[0])


def test_source_that_can_not_be_scanned_says_so_at_score_all(qtbot, open_window):
    window = open_window(FakeSource(300, ground_truth=ground_truth_at_zero()))
    window.side_panel.open(Intent.SCORE)
    state = ScanState(hindrance="Only files can be scanned.")
    window.scanning.scan.state_changed.emit(state)
    summary = window.side_panel.score.summary
    assert (summary.score_all.isEnabled(), summary.score_all.toolTip()) == (
        False,
        "Only files can be scanned.",
    )


def test_frames_of_a_live_source_can_not_be_shown_again(qtbot, open_window):
    source = FakeSource(live=True, ground_truth=ground_truth_at_zero())
    window = open_window(source)
    window.side_panel.open(Intent.SCORE)
    qtbot.waitUntil(lambda: window.session.engine is not None)
    source.give(1)
    qtbot.waitUntil(lambda: shown_index(window) == 0 or source.give(1))
    worst = window.side_panel.score.frames
    qtbot.waitUntil(lambda: "can't go back" in worst.tree.toolTip())


@pytest.mark.parametrize("size", [(1024, 700), (1600, 1000)])
def test_nothing_is_wider_than_the_panel(qtbot, window, size):
    window.resize(*size)
    panel = window.side_panel
    for intent in Intent:
        panel.open(intent)
    content, viewport = panel.page.widget(), panel.page.viewport()
    assert content.minimumSizeHint().width() <= viewport.width() <= panel.width() == 240


def test_curves_take_the_theme(window):
    window.side_panel.score.set_theme(LIGHT)
    assert window.side_panel.score.curves.grab().width() > 0


# -- thresholds of single classes ----------------------------------------------------------------


@pytest.fixture
def two_classes(qtbot, open_window, engine) -> MainWindow:
    """A paused window with a model of two classes; what it sees are things."""
    engine.spec = replace(FAKE_SPEC, class_names=("thing", "other"))
    infer = engine.infer

    def infer_two(bgr):
        found, timings = infer(bgr)
        return replace(found, scores=np.pad(found.scores, ((0, 0), (0, 1)))), timings

    engine.infer = infer_two
    window = open_window(FakeSource(FRAMES, ground_truth=ground_truth_at_zero()))
    go_to_start(qtbot, window)
    return window


def test_own_confidence_of_a_class_is_typed_on_demand_and_reset(qtbot, two_classes):
    window, classes = two_classes, two_classes.side_panel.classes
    assert classes.own_score_box(0) is None
    assert len(window.view.result().detections) == 2
    qtbot.mouseClick(classes.own_switch, LEFT)
    box = classes.own_score_box(0)
    assert box.text() == "default"
    assert not classes.own_reset.isEnabled()
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "0.6")
    qtbot.keyClick(box, Key.Key_Return)
    assert len(window.view.result().detections) == 1
    assert dict(window.session.thresholds.class_scores) == {0: 0.6}
    qtbot.mouseClick(classes.own_reset, LEFT)
    assert len(window.view.result().detections) == 2
    assert classes.own_score_box(0).text() == "default"


def test_own_confidence_stays_when_the_fields_are_put_away(qtbot, two_classes):
    classes = two_classes.side_panel.classes
    qtbot.mouseClick(classes.own_switch, LEFT)
    classes.own_score_box(0).setValue(0.6)
    qtbot.mouseClick(classes.own_switch, LEFT)
    assert classes.own_score_box(0) is None
    assert classes.own_scores() == {0: 0.6}
    two_classes.side_panel.thresholds.confidence.box.setValue(0.95)
    assert len(two_classes.view.result().detections) == 1


def test_best_of_one_class_becomes_its_own_confidence(qtbot, two_classes):
    window, curves = two_classes, two_classes.side_panel.score.curves
    window.side_panel.open(Intent.SCORE)
    qtbot.waitUntil(curves.use_best.isEnabled)
    curves.classes.setFocus()
    qtbot.keyClick(curves.classes, Key.Key_Down)
    assert curves.class_id == 0
    qtbot.waitUntil(curves.use_best.isEnabled)
    qtbot.mouseClick(curves.use_best, LEFT)
    own = dict(window.session.thresholds.class_scores)
    assert set(own) == {0}
    assert own[0] > 0.4
    assert window.session.thresholds.score == pytest.approx(0.3)
    qtbot.waitUntil(lambda: curves.f1.point()[0] == pytest.approx(own[0]))
    qtbot.keyClick(curves.classes, Key.Key_Down)
    qtbot.waitUntil(lambda: not curves.use_best.isEnabled())  # no true object of the other class
