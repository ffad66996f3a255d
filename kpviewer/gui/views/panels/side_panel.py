"""Panel on the right: one column of sections by intention, which fold."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from functools import partial

from PyQt6.QtCore import QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QApplication, QFrame, QScrollArea, QWidget

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.views.panels.class_list import ClassList
from kpviewer.gui.views.panels.compare_panel import ComparePanel
from kpviewer.gui.views.panels.display_panel import DisplayPanel
from kpviewer.gui.views.panels.thresholds_panel import ThresholdsPanel
from kpviewer.gui.views.scores.score_panel import ScorePanel
from kpviewer.gui.widgets.layouts import column_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.gui.widgets.section import Section, rule
from kpviewer.models.names.classes import shown_names
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.overlay import OverlayStyle
from kpviewer.structures import Thresholds

WIDTH, WIDEST = 240, 480


class Intent(StrEnum):
    """Sections of the panel, by their names in the settings."""

    FIND = "find"
    ACT = "act"
    LOOK = "look"
    SCORE = "score"


_SECTIONS = {
    Intent.FIND: (tr_noop("Find"), tr_noop("Thresholds and classes"), True),
    Intent.ACT: (tr_noop("Act"), tr_noop("Track, anonymise, smooth"), True),
    Intent.LOOK: (tr_noop("Look"), tr_noop("What is drawn over the image"), False),
    Intent.SCORE: (
        tr_noop("Score"),
        tr_noop("Against the ground truth, or another model"),
        False,
    ),
}
"""Title, tooltip, and whether the section is open by default."""


class SidePanel(QFrame):
    """Column of sections that scrolls if there is little room."""

    thresholds_edited = pyqtSignal()
    """Emitted after edits of thresholds or classes; ``edited_thresholds`` has the new values."""
    unfolded = pyqtSignal(object)
    """Emitted with the Intent of a section that has opened."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sidePanel")
        self.setAccessibleName(tr("Side panel"))
        self.thresholds = ThresholdsPanel()
        self.classes = ClassList()
        self.score = ScorePanel()
        self.compare = ComparePanel()
        self.display = DisplayPanel(self)
        for panel in (self.thresholds, self.classes):
            panel.changed.connect(self.thresholds_edited)
        self._no_classes = Label(kind="secondary", wraps=True)
        self._choices: dict[Intent, bool] = {}
        self.sections = {
            intent: Section(tr(title), tr(tip), is_open=is_open)
            for intent, (title, tip, is_open) in _SECTIONS.items()
        }
        self.page = self._lay_out()
        for intent, section in self.sections.items():
            section.toggled.connect(partial(self._note_choice, intent))
            section.opened.connect(partial(self.unfolded.emit, intent))
        self.setMinimumWidth(WIDTH)
        self.setMaximumWidth(WIDEST)
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._on_application_focus_changed)

    def sizeHint(self) -> QSize:
        """Return the smallest width: the image takes the rest."""
        return QSize(WIDTH, super().sizeHint().height())

    def open(self, intent: Intent) -> None:
        """Open a section, and scroll to it."""
        section = self.sections[intent]
        section.set_open(is_open=True)
        # its place is known once the layout has made room for it
        QTimer.singleShot(0, lambda: self.page.ensureWidgetVisible(section, 0, 0))

    def offer_score(self) -> None:
        """Open the section Score, unless the user has folded or opened it by hand."""
        section = self.sections[Intent.SCORE]
        if Intent.SCORE not in self._choices and not section.is_open:
            section.set_open(is_open=True)

    def choices(self) -> dict[str, bool]:
        """Return which sections the user has opened (True) or folded, if that isn't usual.

        Score also opens by itself, so each choice of the user about it counts.
        """
        return {
            intent.value: is_open
            for intent, is_open in self._choices.items()
            if intent is Intent.SCORE or is_open is not _SECTIONS[intent][2]
        }

    def set_choices(self, choices: Mapping[str, bool]) -> None:
        """Open and fold the sections as in ``choices``; others as by default."""
        self._choices = {intent: choices[intent] for intent in Intent if intent in choices}
        for intent, section in self.sections.items():
            section.set_open(is_open=self._choices.get(intent, _SECTIONS[intent][2]))

    def show_model(self, spec: ModelSpec, thresholds: Thresholds) -> None:
        """Show what a model offers, and its present thresholds."""
        has_scores = spec.keypoint_threshold is not None
        self.thresholds.set_defaults(spec.thresholds, has_keypoint_scores=has_scores)
        self.display.set_model(spec)
        self.show_thresholds(spec, thresholds)

    def show_thresholds(self, spec: ModelSpec, thresholds: Thresholds) -> None:
        """Show thresholds and classes of a model."""
        self.thresholds.set_thresholds(thresholds)
        self.set_class_names(spec.class_names, thresholds.classes)
        self.classes.set_own_scores(thresholds.class_scores)

    def edited_thresholds(self) -> Thresholds:
        """Return the thresholds that are set, with the shown classes."""
        classes = self.classes
        return replace(
            self.thresholds.thresholds,
            classes=classes.shown(),
            class_scores=classes.own_scores(),
        )

    def overlay_style(self, spec: ModelSpec | None, thresholds: Thresholds) -> OverlayStyle:
        """Return the style of the overlay for a model at its present thresholds."""
        style = replace(self.display.style_of_overlay, shown=thresholds.classes)
        is_classifier = spec is not None and spec.task is Task.CLASSIFY
        return replace(style, bars=thresholds) if is_classifier else style

    def set_class_names(self, names: tuple[str, ...], shown: frozenset[int] | None) -> None:
        """List the classes of a model."""
        self.classes.set_classes(shown_names(names), shown)
        self._no_classes.setVisible(not names)

    def show_found(self, count: int | None, *, is_loading: bool) -> None:
        """Show the number of detections; None until a model, which may be loading, was run."""
        text = "" if count is None else tr("{count} found").format(count=count)
        self.sections[Intent.FIND].set_summary(text)
        waits = tr("Loading the model's classes …")
        self._no_classes.setText(waits if is_loading else tr("No model. Choose one above."))

    def show_average_precision(self, value: float | None) -> None:
        """Show average precision at the heading of the scores; None without any."""
        text = "" if value is None else f"AP {value:.3f}"
        self.sections[Intent.SCORE].set_summary(text)

    def _note_choice(self, intent: Intent, is_open: bool) -> None:
        self._choices[intent] = is_open

    def _on_application_focus_changed(self, _before: QWidget | None, now: QWidget | None) -> None:
        """Scroll to what a key gave the focus: the page does so only for its own widgets."""
        is_inside = now is not None and self.page.isAncestorOf(now)
        if is_inside and QApplication.mouseButtons() == Qt.MouseButton.NoButton:
            self.page.ensureWidgetVisible(now, 0, 0)

    def _lay_out(self) -> QScrollArea:
        """Put each part at its place while it is empty: a move styles all that is in it again."""
        page, holder = QScrollArea(), QWidget()
        holder.setObjectName("sections")
        page.setWidgetResizable(True)
        page.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        page.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        column_of(page, into=self)
        page.setWidget(holder)
        column = column_of(gap=0, into=holder)

        def placed(intent: Intent) -> Section:
            column.addWidget(self.sections[intent])
            column.addWidget(rule())
            return self.sections[intent]

        find = placed(Intent.FIND)
        find.add(self.thresholds)
        find.add(self.classes, self._no_classes)
        placed(Intent.ACT).add(self.display.act)
        placed(Intent.LOOK).add(self.display.look)
        score = placed(Intent.SCORE)
        score.add(self.compare, title=tr("Difference of two models"))
        score.add(self.score)
        column.addStretch(1)
        return page
