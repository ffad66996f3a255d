"""Line that says what a model can find, once it has found nothing for a while."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from PyQt6.QtCore import QObject, QTimer

from kpviewer.gui.language import tr
from kpviewer.gui.main_window.bridge import Bridge
from kpviewer.gui.main_window.opener import Opener
from kpviewer.gui.opening.model_names import larger_input
from kpviewer.gui.views.panes import Panes
from kpviewer.gui.widgets.card_layout import Place
from kpviewer.gui.widgets.notice_line import FloatingNotice, Notice
from kpviewer.models.names.classes import shown_names
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.structures import FrameResult, Thresholds

AFTER_S = 5.0
"""Time without a detection after which the line appears, in seconds."""
LONGEST_STEP_S = 1.0
"""Longest time between two frames that counts; a longer one is a pause."""
LOWEST_SCORE = 0.05
"""Score from which on a candidate is worth lowering the confidence for."""
TICK_MS = 250
_NAMED = 4
"""Number of classes that the line names."""
_BOXES = (Task.DETECT, Task.DETECT_KEYPOINTS)


class Search:
    """Time for which a model has found nothing in a source, and its best candidate."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self.begin()

    def begin(self) -> None:
        """Begin anew, for another source or model."""
        self.empty_s = 0.0
        """Time without a detection, in seconds; pauses don't count."""
        self.best_score: float | None = None
        """Highest score of a shown class so far; None if there was no candidate."""
        self.has_found = False
        self._last_s: float | None = None

    def add(self, result: FrameResult) -> None:
        """Count a frame."""
        now_s, last_s = self._clock(), self._last_s
        self._last_s = now_s
        if len(result.detections):
            self.has_found = True
        elif last_s is not None and now_s - last_s <= LONGEST_STEP_S:
            self.empty_s += now_s - last_s
        best = best_score(result)
        if best is not None:
            self.best_score = max(best, self.best_score or 0.0)

    def note_pause(self) -> None:
        """Don't count the time until the next frame."""
        self._last_s = None

    @property
    def is_due(self) -> bool:
        """Whether the line should appear."""
        return not self.has_found and self.empty_s >= AFTER_S


class NothingFoundLine(QObject):
    """Shows the line over the image, until something is found or the user closes it."""

    def __init__(self, panes: Panes, opener: Opener, bridge: Bridge) -> None:
        super().__init__(panes.view)
        self._panes, self._opener, self._bridge = panes, opener, bridge
        self._session = opener.session
        self.search = Search()
        self.line = FloatingNotice(panes.view)
        panes.view.layout_of_cards.add(Place.ABOVE, self.line)
        self._is_closed = False
        """Whether the user closed the line of the present source."""
        self._session.source_changed.connect(self._on_source_changed)
        self._session.model_changed.connect(self._begin)
        panes.view.painted.connect(self._on_view_painted)
        self.line.pressed.connect(self._on_line_pressed)
        self.line.closed.connect(self._on_line_closed)
        timer = QTimer(self)
        timer.timeout.connect(self._show)
        timer.start(TICK_MS)

    def _on_source_changed(self) -> None:
        self._is_closed = False
        self._begin()

    def _begin(self) -> None:
        self.search.begin()
        self.line.show_notice(None)

    def _on_view_painted(self) -> None:
        result = self._panes.view.result()
        if result is None or result.spec is None or result.spec.task not in _BOXES:
            return
        is_image = result.frame.file is not None and result.frame.frame_in_file is None
        if not is_image:
            self.search.add(result)
        if self.search.has_found:
            self.line.show_notice(None)

    def _show(self) -> None:
        session, result = self._session, self._panes.view.result()
        is_playing = self._bridge.playback.is_playing
        if not is_playing:
            self.search.note_pause()
        if result is not None and len(result.detections):  # a slider of a paused image moved
            self.search.has_found = True
        engine = session.engine
        if result is not None and not result.has_model and self._panes.view.overlay_style.anonymise:
            text = tr("The image is hidden until the model is ready: Anonymise is on.")
            self.line.show_notice(Notice(text))
            return
        is_due = self.search.is_due and is_playing and not self._is_closed
        if not is_due or engine is None or session.models.loading is not None:
            self.line.show_notice(None)
            return
        loaded = session.models.loaded
        larger = larger_input(loaded.model, engine.spec) if loaded is not None else None
        lower = lower_score(self.search.best_score, session.thresholds)
        self.line.show_notice(notice_of(engine.spec, session.thresholds, lower, larger))

    def _on_line_pressed(self, key: str) -> None:
        session, engine = self._session, self._session.engine
        loaded = session.models.loaded
        if engine is None or loaded is None:
            return
        if key == "lower":
            score = lower_score(self.search.best_score, session.thresholds)
            if score is not None:
                self._bridge.use_thresholds(replace(session.thresholds, score=score))
        elif key == "larger":
            self._opener.choose_model(larger_input(loaded.model, engine.spec) or "")
        else:
            self._panes.top_bar.model.showMenu()

    def _on_line_closed(self) -> None:
        self._is_closed = True
        self.line.show_notice(None)


def best_score(result: FrameResult) -> float | None:
    """Return the highest score among the candidates; None if there is none.

    Only shown classes count, and none with a confidence of its own: the slider's isn't theirs.
    """
    scores, thresholds = result.candidates.scores, result.thresholds
    if thresholds is not None:
        classes = range(scores.shape[1]) if thresholds.classes is None else thresholds.classes
        led = [each for each in classes if each not in thresholds.class_scores]
        scores = scores[:, [each for each in led if each < scores.shape[1]]]
    return float(np.max(scores)) if scores.size else None


def lower_score(best: float | None, thresholds: Thresholds) -> float | None:
    """Return the confidence at which the best candidate would show; None if none is near."""
    if best is None or not LOWEST_SCORE <= best < thresholds.score:
        return None
    return math.floor(best * 100) / 100


def notice_of(
    spec: ModelSpec, thresholds: Thresholds, lower: float | None, larger: str | None
) -> Notice:
    """Return the words of the line."""
    links: list[tuple[str, str]] = []
    if lower is not None:
        links.append(("lower", tr("Lower confidence to {score:.2f}").format(score=lower)))
    if larger is not None:
        links.append(("larger", tr("Larger input")))
    links.append(("model", tr("Another model…")))
    shown = thresholds.classes
    every = enumerate(shown_names(spec.class_names))
    names = [name for number, name in every if shown is None or number in shown]
    return Notice(_words(names, is_all=len(names) == len(spec.class_names)), tuple(links))


def _words(names: Sequence[str], *, is_all: bool) -> str:
    """Return what a model can find, by its shown classes."""
    seconds = round(AFTER_S)
    if not names:
        return tr("Nothing found for {s} s: all classes are hidden.").format(s=seconds)
    if len(names) == 1 and is_all:
        text = tr("No {name} for {s} s: this model finds nothing else.")
        return text.format(name=names[0], s=seconds)
    listed = ", ".join(names[:_NAMED])
    if len(names) > _NAMED:
        listed = tr("{names} and {count} more").format(names=listed, count=len(names) - _NAMED)
    text = tr("Nothing found for {s} s. Shown classes: {names}.")
    if is_all:
        text = tr("Nothing found for {s} s: this model finds {names}.")
    return text.format(s=seconds, names=listed)
