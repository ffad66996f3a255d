"""Top of the section Score: the numbers, what they cover, and what is needed without them."""

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.views.scores.score_table import ScoreTable
from kpviewer.gui.widgets.buttons import PushButton
from kpviewer.gui.widgets.layouts import column_of, row_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.scanning.scores import ScanScores
from kpviewer.structures import FrameError

NO_GROUND_TRUTH = tr_noop("No annotations of this source: nothing to compare with.")
NO_MODEL = tr_noop("Shown once a model is loaded.")


class ScoreSummary(QWidget):
    """Numbers of everything scored so far, and of the frame on the screen."""

    score_all_asked = pyqtSignal()
    annotations_asked = pyqtSignal()
    demo_asked = pyqtSignal()

    def __init__(self) -> None:
        super().__init__()
        self.table = ScoreTable()
        self._hint = Label(kind="small", wraps=True, name=tr("Which model is better"))
        self._sizes = Label(kind="small", wraps=True, name=tr("Recall by size"))
        self._sizes.setToolTip(
            tr("Share of the objects that were found: below 32 × 32 px, up to 96 × 96, and above")
        )
        self._now = Label(kind="small", wraps=True, name=tr("Error of this frame"))
        self._coverage = Label(kind="small", wraps=True, name=tr("Scored frames"))
        self.score_all = PushButton(tr("Score all"))
        self.score_all.setToolTip(tr("Scan the rest of the source, then score every frame"))
        self.score_all.clicked.connect(self.score_all_asked)
        self._reason = Label(kind="small", wraps=True, name=tr("Why there are no scores"))
        self._offers = QWidget()
        self.open_annotations = PushButton(tr("Open annotations…"))
        self.open_annotations.setToolTip(tr("A table, or a file or folder of labels"))
        self.open_annotations.clicked.connect(self.annotations_asked)
        self.play_demo = PushButton(tr("Play the demo"))
        self.play_demo.setToolTip(tr("A video with ground truth for every frame"))
        self.play_demo.clicked.connect(self.demo_asked)
        column_of(self.open_annotations, self.play_demo, gap=4, into=self._offers)
        covered = row_of(self._coverage, self.score_all, gap=8, grows=self._coverage)
        numbers = (self.table, self._hint, self._sizes, self._now, covered)
        column_of(*numbers, self._reason, self._offers, gap=6, into=self)
        self._has_ground_truth, self._has_model, self._why = False, False, ""
        self._hindrance, self._is_scanning, self._is_scanned = "", False, False
        self._scores: tuple[ScanScores | None, ScanScores | None] = (None, None)
        self._show()

    def show_scores(self, first: ScanScores | None, second: ScanScores | None) -> None:
        """Show the scores of one model or two; None without ground truth or frames."""
        self._scores = (first, second)
        if first is not None:
            self.table.show_scores(first, second)
            self._coverage.setText(_coverage(first, second))
            self._hint.setText(_hint(first, second) if second is not None else "")
            texts = [_by_size(first)]
            if second is not None:
                texts = [_by_size(first, " A"), _by_size(second, " B")]
            self._sizes.setText("\n".join(filter(None, texts)))
        self._show()

    def show_error(
        self, error: FrameError | None, *, has_ground_truth: bool, has_model: bool
    ) -> None:
        """Show the error of the frame on the screen."""
        text = "" if error is None else _frame_text(error)
        if text != self._now.text():
            self._now.setText(text)
            self._now.setVisible(bool(text))
        if (has_ground_truth, has_model) != (self._has_ground_truth, self._has_model):
            self._has_ground_truth, self._has_model = has_ground_truth, has_model
            self._show()

    def show_reason(self, text: str) -> None:
        """Show why there is no ground truth; "" for the usual text."""
        if text != self._why:
            self._why = text
            self._show()

    def set_scan(self, *, is_running: bool, is_complete: bool = False, hindrance: str = "") -> None:
        """Show whether the source is scanned now or was, and why it can't be, if it can't."""
        if (is_running, is_complete, hindrance) != (
            self._is_scanning,
            self._is_scanned,
            self._hindrance,
        ):
            self._is_scanning, self._is_scanned = is_running, is_complete
            self._hindrance = hindrance
            self._show()

    def text(self) -> str:
        """Return all shown text, for tests and screen readers."""
        labels = (self._hint, self._sizes, self._now, self._coverage, self._reason)
        shown = [label.text() for label in labels if not label.isHidden()]
        numbers = [self.table.text()] if self._scores[0] is not None else []
        return " | ".join([*numbers, *shown])

    def _show(self) -> None:
        """Show what belongs to the present state."""
        first, second = self._scores
        has_scores = first is not None
        self.table.setVisible(has_scores)
        self._now.setVisible(bool(self._now.text()))
        self._coverage.setVisible(has_scores)
        self._hint.setVisible(second is not None)
        self._sizes.setVisible(has_scores and bool(self._sizes.text()))
        lacks_model = self._has_ground_truth and not self._has_model
        is_empty = not has_scores and not self._has_ground_truth
        self._reason.setText(tr(NO_MODEL) if lacks_model else self._why or tr(NO_GROUND_TRUTH))
        self._reason.setVisible(lacks_model or is_empty)
        self._offers.setVisible(is_empty)
        is_partial = any(
            each is not None and each.scored < each.with_ground_truth for each in self._scores
        )
        # What a whole scan lacks can't be read.
        self.score_all.setVisible(is_partial and not self._is_scanned)
        self.score_all.setEnabled(not self._is_scanning and not self._hindrance)
        self.score_all.setText(tr("Scoring …") if self._is_scanning else tr("Score all"))
        tip = tr("Scan the rest of the source, then score every frame")
        self.score_all.setToolTip(self._hindrance or tip)


def _frame_text(error: FrameError) -> str:
    """Return the error of one frame in words."""
    text = tr("This frame: {distance}, ✓ {matched} ○ {missed} × {false}").format(
        distance="–" if error.mean_px is None else f"{error.mean_px:.1f} px",
        matched=error.matched,
        missed=error.false_negatives,
        false=error.false_positives,
    )
    if error.keypoints_not_predicted:
        count = error.keypoints_not_predicted
        more = tr("1 keypoint not predicted") if count == 1 else tr("{n} keypoints not predicted")
        text = f"{text}, {more.format(n=count)}"
    return text


def _by_size(scores: ScanScores, model: str = "") -> str:
    """Return the recall of small, medium and large objects; empty if all are of one size.

    ``model`` names which of two models it is of.
    """
    names = (tr("small"), tr("medium"), tr("large"))
    known = [each for each in zip(names, scores.by_size, strict=True) if each[1].objects]
    shares = (f"{name} {found / total:.3f} ({total:,})" for name, (found, total) in known)
    head = tr("Recall{model}:").format(model=model)
    return f"{head} {' · '.join(shares)}" if len(known) > 1 else ""


def _coverage(first: ScanScores, second: ScanScores | None) -> str:
    """Return how much of the ground truth the scores cover."""
    total = first.with_ground_truth
    if first.scored < total:
        text = tr("Scored {n:,} of {total:,} frames").format(n=first.scored, total=total)
    else:
        text = tr("Scored the only frame") if total == 1 else tr("Scored all {n:,} frames")
        text = text.format(n=total)
    if second is not None and second.scored != first.scored:
        text = tr("{text}, B {n:,}").format(text=text, n=second.scored)
    if first.thresholds.score < first.floor:
        note = tr(", from confidence {score:g}").format(score=first.floor)
        text += note
    return text


def _hint(first: ScanScores, second: ScanScores) -> str:
    """Return which of two models is better, by average precision."""
    if first.scored != second.scored:
        return tr("Score all to compare: A and B cover different frames.")
    for name, at in (("AP", "ap50"), ("AP .5:.95", "ap")):
        mine, its = getattr(first.precision, at), getattr(second.precision, at)
        if mine is None or its is None:
            return ""
        gap = round(its, 3) - round(mine, 3)
        if gap:
            text = tr("B is better: {name} +{gap:.3f}")
            if gap < 0:
                text = tr("A is better: {name} +{gap:.3f}")
            return text.format(name=name, gap=abs(gap))
    return tr("A and B are equally good.")
