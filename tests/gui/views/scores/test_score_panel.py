"""The section Score by itself: numbers of one model and of two, details, worst frames, suspects.

Each frame has an object at x = 0. Model A finds it in all frames but the last, and something at 300
in frame 1; model B finds it only in frames 0 and 1.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QPushButton, QScrollArea
from sample_results import objects

from kpviewer.gui.views.scores.charts import BarPlot, HeatTable
from kpviewer.gui.views.scores.details_panel import confusion_dialog
from kpviewer.gui.views.scores.frame_list import SUSPECTS, WORST
from kpviewer.gui.views.scores.score_panel import ScorePanel
from kpviewer.gui.views.scores.suspect_words import details, reason
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.scanning.columns import ScannedFrame, columns_of
from kpviewer.scanning.frame_errors import WorstBy
from kpviewer.scanning.ground_truth import ground_truth_columns
from kpviewer.scanning.scorer import Scorer
from kpviewer.scanning.scores import Recall, ScanScores
from kpviewer.scanning.selection import survivors
from kpviewer.scanning.signs import Kind
from kpviewer.scanning.suspects import Suspect
from kpviewer.structures import Candidates, FrameError, Thresholds

LEFT = Qt.MouseButton.LeftButton
FRAMES = 5
NAMES = ("cat", "dog")


def candidates(*found: tuple[float, int], shift: float = 0.0) -> Candidates:
    """Boxes of 20 px at some x, of score 0.9 for a class."""
    left = np.array([x + shift for x, _ in found], np.float32)
    scores = np.zeros((len(found), 2), np.float32)
    scores[np.arange(len(found)), [class_id for _, class_id in found]] = 0.9
    boxes = np.stack([left, left * 0, left + 20, left * 0 + 20], 1).reshape(-1, 4)
    return Candidates(boxes, scores, np.zeros((len(found), 0, 2), np.float32))


def scores(*frames: Candidates, thresholds: Thresholds | None = None, more: int = 0) -> ScanScores:
    """Scores of frames, of which each has a cat; ``more`` frames with one weren't scanned."""
    thresholds = thresholds or Thresholds()
    scanned = [ScannedFrame(index, index / 10, each) for index, each in enumerate(frames)]
    cat = objects([[0, 0, 20, 20]])
    truth = ground_truth_columns(dict.fromkeys(range(len(frames) + more), cat))
    found = survivors(columns_of(scanned, 2, 0, 0.05), thresholds)
    return Scorer().score([found], truth, thresholds)


def first(**more: object) -> ScanScores:
    frames = [candidates((0, 0), shift=float(index)) for index in range(FRAMES)]
    frames[1], frames[4] = candidates((1, 0), (300, 1)), candidates()
    return scores(*frames, **more)


def second() -> ScanScores:
    frames = [candidates((0, 0)) if index < 2 else candidates() for index in range(FRAMES)]
    return scores(*frames)


@pytest.fixture
def panel(qtbot) -> Iterator[ScorePanel]:
    panel = ScorePanel()
    page = QScrollArea()
    page.setWidget(panel)
    page.setWidgetResizable(True)
    qtbot.addWidget(page)
    panel.set_models(NAMES, (), None)
    page.resize(240, 900)
    page.show()
    yield panel
    page.close()


def rows(panel: ScorePanel) -> list[list[str]]:
    return [[item.text(column) for column in range(4)] for item in panel.frames.tree.rows()]


def test_numbers_of_one_model(panel):
    panel.show_scores(first(), None)
    # AP: recall 0.8 at precision 1, sampled at 81 of 101 recalls. IoUs are 1, 19/21, 18/22, 17/23:
    # (5 * 81 + 2 * 61 + 2 * 41 + 21) / 1010. F1: 2 * 4 / (5 + 5). Distances: 0, 1, 2 and 3 px.
    assert panel.summary.table.text() == "0.802 | 0.624 | 0.800 | 4 | 1 | 1 | 1.5 px"
    assert panel.summary.text().endswith("Scored all 5 frames")
    assert not panel.summary.score_all.isVisible()


def test_scores_of_a_model_go_with_its_classes(panel):
    panel.show_scores(first(), None)
    panel.set_models(("face", "hand", "car"), (), None)
    assert panel.curves.isHidden() and panel.summary.table.isHidden()
    panel.curves.classes.setCurrentIndex(3)
    panel.curves.show_score(0.4)  # of a class that the former model didn't have
    for fold in panel.details.folds:
        fold.heading.click()


def test_one_of_a_thing_is_not_counted_in_the_plural(panel):
    panel.show_scores(scores(candidates((0, 0))), None)
    assert panel.summary.text().endswith("Scored the only frame")
    error = replace(FrameError(1.25, 0.1, "box diagonal", 0.9, 1, 2, 3), keypoints_not_predicted=1)
    panel.summary.show_error(error, has_ground_truth=True, has_model=True)
    assert ", 1 keypoint not predicted" in panel.summary.text()


def test_scores_without_a_match_name_no_worst_frame_of_others(panel):
    panel.show_scores(first(), None)
    tips = [each.toolTip() for each in panel.summary.table.findChildren(Label)]
    assert any("worst frame 3.0 px" in tip for tip in tips)
    panel.show_scores(scores(candidates()), None)
    tips = [each.toolTip() for each in panel.summary.table.findChildren(Label)]
    assert not any("worst frame" in tip for tip in tips)


def test_recall_is_shown_by_size_if_objects_differ_in_it(panel):
    one_size = first()
    panel.show_scores(one_size, None)
    assert "Recall" not in panel.summary.text()
    sizes = (Recall(3, 12), Recall(0, 0), Recall(1000, 1250))
    panel.show_scores(replace(one_size, by_size=sizes), None)
    assert "Recall: small 0.250 (12) · large 0.800 (1,250)" in panel.summary.text()
    its = replace(second(), by_size=(Recall(6, 12), Recall(0, 0), Recall(1250, 1250)))
    panel.show_scores(replace(one_size, by_size=sizes), its)
    assert "Recall A: small 0.250" in panel.summary.text()
    assert "Recall B: small 0.500" in panel.summary.text()


def test_numbers_of_two_models_with_the_better_one_in_bold(panel):
    panel.set_models(NAMES, (), NAMES)
    panel.show_scores(first(), second())
    table = panel.summary.table
    assert table.text().startswith("0.802 | 0.406 | ")
    bold = [cell.text() for cell in table.findChildren(Label) if cell.font().bold()]
    assert bold == ["0.802", "0.624", "0.800", "4", "1", "0", "0.0"]
    assert "A is better: AP +0.396" in panel.summary.text()
    panel.show_scores(second(), first())
    assert "B is better: AP +0.396" in panel.summary.text()
    panel.show_scores(first(), first())
    assert "A and B are equally good." in panel.summary.text()
    further = scores(*(candidates((2, 0)) for _ in range(FRAMES)))
    panel.show_scores(further, scores(*(candidates((1, 0)) for _ in range(FRAMES))))
    assert "B is better: AP .5:.95 +0.200" in panel.summary.text()  # 18 / 22, 19 / 21


def test_models_that_cover_different_frames_are_not_ranked(panel):
    its = scores(candidates((0, 0)), candidates((0, 0)), more=FRAMES - 2)
    panel.show_scores(first(), its)
    assert "Score all to compare" in panel.summary.text()
    cells = panel.summary.table.findChildren(Label)
    assert not [cell.text() for cell in cells if cell.font().bold()]
    assert "Scored all 5 frames, B 2" in panel.summary.text()
    assert panel.summary.score_all.isVisible()


def test_the_rest_is_scored_on_demand_unless_the_source_can_not_be_scanned(qtbot, panel):
    panel.show_scores(first(more=1198), None)
    assert "Scored 5 of 1,203 frames" in panel.summary.text()
    with qtbot.waitSignal(panel.summary.score_all_asked):
        qtbot.mouseClick(panel.summary.score_all, LEFT)
    panel.summary.set_scan(is_running=True)
    assert not panel.summary.score_all.isEnabled()
    panel.summary.set_scan(is_running=False, hindrance="Live sources can't be scanned.")
    assert not panel.summary.score_all.isEnabled()
    assert panel.summary.score_all.toolTip() == "Live sources can't be scanned."
    panel.summary.set_scan(is_running=False, is_complete=True)  # the rest can't be read
    assert not panel.summary.score_all.isVisible()


def test_without_ground_truth_the_reason_and_two_ways_out_are_shown(qtbot, panel):
    panel.summary.show_error(None, has_ground_truth=False, has_model=True)
    assert "No annotations of this source" in panel.summary.text()
    panel.summary.show_reason("labels.csv shares no class with the model.")
    assert panel.summary.text() == "labels.csv shares no class with the model."
    assert not panel.curves.isVisible()
    assert not panel.report.isVisible()
    for button, signal in (
        (panel.summary.open_annotations, panel.summary.annotations_asked),
        (panel.summary.play_demo, panel.summary.demo_asked),
    ):
        with qtbot.waitSignal(signal):
            qtbot.mouseClick(button, LEFT)
    panel.summary.show_error(None, has_ground_truth=True, has_model=False)
    assert panel.summary.text() == "Shown once a model is loaded."
    assert not panel.summary.open_annotations.isVisible()


def test_error_of_the_frame_counts_keypoints_that_were_not_predicted(panel):
    error = FrameError(1.25, 0.1, "box diagonal", 0.9, 1, 2, 3)
    panel.summary.show_error(error, has_ground_truth=True, has_model=True)
    assert panel.summary.text() == "This frame: 1.2 px, ✓ 1 ○ 2 × 3"
    error = replace(error, keypoints_not_predicted=3)
    panel.summary.show_error(error, has_ground_truth=True, has_model=True)
    assert panel.summary.text().endswith("3 keypoints not predicted")


def test_curves_of_both_models_and_a_mark_on_each(panel):
    panel.set_models(NAMES, (), ("DOG", "Cat"))
    its = second()
    panel.show_scores(first(), its)
    curves = panel.curves
    assert curves.f1.point() == pytest.approx((0.5, 0.8))
    assert curves.f1.curve(1)[1].max() == pytest.approx(2 * 2 / 7)
    panel.curves.classes.setCurrentIndex(1)
    panel.curves.classes.activated.emit(1)
    assert curves.class_id == 0
    # the cat is class 1 of the second model, which never found one
    assert len(curves.f1.curve(1)[0]) == 0
    panel.show_scores(first(), None)
    assert len(curves.precision_recall.curve(1)[0]) == 0


def test_details_are_filled_when_they_are_opened(panel):
    panel.show_scores(first(), None)
    assert panel.details.rows() == []
    panel.details.folds[0].heading.setChecked(True)
    assert sorted(panel.details.rows()) == [
        ["cat", "0.80", "5", "1", "0"],
        ["dog", "–", "0", "0", "1"],
    ]
    panel.details.folds[1].heading.setChecked(True)
    panel.details.folds[2].heading.setChecked(True)
    assert panel.details.errors.counts().sum() == 4
    one_class = ScorePanel()
    one_class.set_models(("cat",), (), None)
    one_class.show_scores(first(), None)
    assert one_class.details.table.parentWidget().isHidden()


def test_confusion_tells_what_each_cell_means(qtbot):
    table = HeatTable(cell_px=20)
    qtbot.addWidget(table)
    table.show_counts(np.array([[7, 2, 1], [0, 9, 0], [3, 4, 0]]), NAMES)
    left = table.width() - 3 * 20

    def at(row: int, column: int) -> str:
        return table.text_at(QPoint(left + column * 20 + 5, left + row * 20 + 5))

    assert at(0, 0) == "7 × cat detected correctly"
    assert at(0, 1) == "2 × cat detected as dog"
    assert at(0, 2) == "1 × cat missed"
    assert at(2, 1) == "4 × dog: false alarm"
    assert at(2, 2) == ""
    assert table.text_at(QPoint(1, 1)) == ""
    assert table.grab().width() == table.width()


def test_confusion_writes_counts_of_three_digits_in_its_small_cells(qtbot, themes):
    shown = set()
    for count in (198, 187):  # both fill their cell with the full tint
        table = HeatTable(cell_px=22)
        qtbot.addWidget(table)
        table.show_counts(np.array([[count, 0, 0], [0, 9, 0], [0, 0, 0]]), NAMES)
        cell = table.grab().toImage().copy(table.width() - 66, table.height() - 66, 21, 21)
        shown.add(bytes(cell.bits().asarray(cell.sizeInBytes())))
    assert len(shown) == 2


def test_large_confusion_table_leaves_out_classes_that_do_not_occur(qtbot, panel):
    counts = np.array([[7, 0, 2, 0], [0] * 4, [0, 0, 5, 0], [0] * 4])
    dialog = confusion_dialog(panel, replace(first(), confusion=counts), ("cat", "cow", "dog"))
    qtbot.addWidget(dialog)
    table = dialog.findChild(HeatTable)
    last = table.text_at(QPoint(table.width() - 50, table.height() - 90))
    assert last == "2 × cat detected as dog"
    assert "0.5" in dialog.windowTitle()
    assert dialog.width() > table.width()


def test_histogram_puts_the_largest_percent_into_its_last_bar(qtbot):
    plot = BarPlot("errors")
    qtbot.addWidget(plot)
    plot.show_values(np.array([*np.linspace(0, 1, 1000), 1e6], np.float32))
    assert plot.counts().sum() == 1001
    assert plot.counts()[0] == pytest.approx(1000 / 24, abs=2)
    plot.show_values(np.zeros(0, np.float32))
    assert plot.counts().sum() == 0
    assert plot.grab().height() == plot.height()


def test_worst_frames_by_each_measure(qtbot, panel):
    panel.show_scores(first(), None)
    panel.frames.kinds.choose(0)
    assert rows(panel)[0] == ["3  00:00.3", "3.0", "0", "0"]
    panel.frames.kinds.choose(3)
    assert panel.frames.by is WorstBy.MISTAKES
    assert [row[0].split()[0] for row in rows(panel)] == ["1", "4"]
    panel.frames.kinds.choose(1)
    assert rows(panel) == []
    panel.frames.kinds.choose(0)
    item = panel.frames.tree.rows()[1]
    place = panel.frames.tree.visualItemRect(item).center()
    with qtbot.waitSignal(panel.frames.sought) as sought:
        qtbot.mouseClick(panel.frames.tree.viewport(), LEFT, pos=place)
    assert sought.args == [2]
    panel.frames.show_frame(2)
    assert item.isSelected()
    panel.frames.set_can_seek(can_seek=False)
    qtbot.mouseClick(panel.frames.tree.viewport(), LEFT, pos=place)
    assert "can't go back" in panel.frames.tree.toolTip()


def test_frames_of_a_model_without_landmarks_are_ranked_by_mistakes_at_first(panel):
    panel.set_models(("car",), (), None)
    panel.show_scores(first(), None)
    assert panel.frames.by is WorstBy.MISTAKES
    assert [row[0].split()[0] for row in rows(panel)] == ["1", "4"]
    panel.set_models(("face",), ("left eye", "right eye"), None)
    assert panel.frames.by is WorstBy.DISTANCE
    panel.frames.kinds.choose(2)
    panel.set_models(("car",), (), None)
    assert panel.frames.by is WorstBy.OVERLAP  # the user's choice


GONE = Suspect(12, 1.2, Kind.GONE, 0.9, 0, {"frames": 2, "run": 3})
NEAR = Suspect(7, None, Kind.NEAR, 0.4, 1, {"score": 0.51, "threshold": 0.5, "run": 1})


def test_suspects_are_listed_without_ground_truth(qtbot, panel):
    panel.show_suspects([GONE, NEAR])
    assert panel.frames.mode == SUSPECTS
    assert [row[0] for row in rows(panel)] == [
        "cat gone for 2 frames\n12  00:01.2",
        "dog 0.51, threshold 0.50\n7",
    ]
    tree = panel.frames.tree
    height = tree.visualItemRect(tree.rows()[0]).height()
    assert height > 2 * tree.fontMetrics().height(), "the reason is cut beside the frame"
    panel.frames.reasons.choose(6)
    assert len(rows(panel)) == 1
    panel.frames.reasons.choose(0)
    panel.show_scores(first(), None)
    assert panel.frames.mode == WORST, "ground truth says more"
    qtbot.mouseClick(panel.frames.modes.buttons()[SUSPECTS], LEFT)
    panel.show_scores(first(), None)
    assert panel.frames.mode == SUSPECTS, "the user has chosen"
    assert len(rows(panel)) == 2
    panel.frames.set_files({7: "b/\n7.png"}.get)
    panel.show_suspects([NEAR])
    assert rows(panel)[0][0] == "dog 0.51, threshold 0.50\nb/ 7.png"
    assert panel.grab().width() > 0


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        (Kind.GONE, {"frames": 1}, "cat gone for 1 frame"),
        (Kind.BRIEF, {"score": 0.9}, "cat for 1 frame only"),
        (Kind.BOX_JUMP, {"share": 0.343}, "cat jumps by 34% of its size"),
        (Kind.LANDMARK_JUMP, {"share": 0.2, "point": 1}, "nose jumps by 20% of the box"),
        (Kind.COUNT, {"before": 4, "after": 0}, "4 objects, then 0"),
        (Kind.COUNT, {"before": 1, "after": 3}, "1 object, then 3"),
        (
            Kind.DISAGREEMENT,
            {"both": 2, "only_a": 1, "only_b": 0},
            "Both 2 · only A 1 · only B 0",
        ),
        (Kind.OUTSIDE, {"points": 2}, "landmarks outside the box: 2"),
        (Kind.SHAPE, {}, "landmarks in unusual places"),
    ],
)
def test_each_reason_has_words(kind, values, words):
    suspect = Suspect(0, 0.0, kind, 0.5, 0, {**values, "run": 2})
    assert reason(suspect, NAMES, ("eye", "nose")) == words
    assert details(suspect) == "Suspicion 0.50, 2 suspicious frames in a row"


def test_report_is_asked_for(qtbot, panel):
    panel.show_scores(first(), None)
    with qtbot.waitSignal(panel.report_asked):
        qtbot.mouseClick(panel.report, LEFT)
    assert isinstance(panel.report, QPushButton)


def test_nothing_is_wider_than_a_narrow_panel(panel, themes):
    panel.set_models(NAMES, (), NAMES)
    panel.summary.show_error(first().errors.error(0), has_ground_truth=True, has_model=True)
    panel.show_scores(first(more=12_000), second())
    for fold in range(3):
        panel.details.folds[fold].heading.setChecked(True)
    assert panel.minimumSizeHint().width() <= 208


@pytest.mark.parametrize("mode", [WORST, SUSPECTS])
def test_names_of_files_that_differ_at_their_ends_look_different(panel, qtbot, mode):
    panel.show_scores(first(), None)
    qtbot.mouseClick(panel.frames.modes.buttons()[mode], LEFT)
    looks = []
    for end in ("1", "2"):
        panel.frames.set_files(lambda _, end=end: f"a_camera_in_the_entrance_hall_00000{end}.jpg")
        panel.show_scores(first(), None)
        panel.show_suspects([GONE, NEAR])
        looks.append(panel.frames.tree.grab().toImage())
    assert looks[0] != looks[1]
