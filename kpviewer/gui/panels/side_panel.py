"""Panel on the right in three tabs: detection, evaluation, view."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import QFrame, QScrollArea, QStackedWidget, QVBoxLayout, QWidget

from kpviewer.gui.comparing.panel import ComparePanel
from kpviewer.gui.evaluating.curves_panel import CurvesPanel
from kpviewer.gui.evaluating.error_panel import ErrorPanel
from kpviewer.gui.evaluating.worst_frames import WorstFrames
from kpviewer.gui.language import tr
from kpviewer.gui.panels.class_list import ClassList
from kpviewer.gui.panels.display_panel import DisplayPanel
from kpviewer.gui.panels.thresholds_panel import ThresholdsPanel
from kpviewer.gui.saving.panel import RecordingPanel
from kpviewer.gui.widgets.buttons import SegmentedControl
from kpviewer.gui.widgets.plain_text import Label

WIDTH, WIDEST = 296, 480
DETECT, EVALUATE, VIEW = range(3)
"""Tabs of the panel."""


class SidePanel(QFrame):
    """Panel of sections, in tabs that scroll."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("sidePanel")
        self.setAccessibleName(tr("Side panel"))
        self.thresholds = ThresholdsPanel()
        self.classes = ClassList()
        self.error = ErrorPanel()
        self.compare = ComparePanel()
        self.curves = CurvesPanel()
        self.worst = WorstFrames()
        self.display = DisplayPanel()
        self.recording = RecordingPanel()
        self._no_classes = Label(tr("Loading the model's classes …"))
        self._no_classes.setProperty("kind", "secondary")
        self.tabs = SegmentedControl(
            tr("Panel"),
            (tr("Detect"), tr("Evaluate"), tr("View")),
            (
                tr("Thresholds and classes"),
                tr("Against the ground truth"),
                tr("What is drawn over the image"),
            ),
        )
        self.pages = tuple(Page() for _ in range(3))
        stack = QStackedWidget()
        for page in self.pages:
            stack.addWidget(page)
        self.tabs.chosen.connect(stack.setCurrentIndex)
        self._stack = stack
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(0)
        tab_row = QVBoxLayout()
        tab_row.setContentsMargins(12, 0, 12, 0)
        tab_row.addWidget(self.tabs)
        column.addLayout(tab_row)
        column.addWidget(stack, 1)
        self.pages[DETECT].add_section(tr("Thresholds"), self.thresholds)
        self.pages[DETECT].add_section(tr("Classes"), self.classes, self._no_classes)
        self.pages[EVALUATE].add_section(tr("Error against ground truth"), self.error)
        self.pages[EVALUATE].add_section(tr("Difference of two models"), self.compare)
        self._evaluated = (
            self.pages[EVALUATE].add_section(tr("Curves of the frames so far"), self.curves),
            self.pages[EVALUATE].add_section(tr("Worst frames so far"), self.worst),
        )
        self.pages[VIEW].add_section(tr("Overlay"), self.display)
        self.pages[VIEW].add_section(tr("Recording"), self.recording)
        self.setMinimumWidth(WIDTH)
        self.setMaximumWidth(WIDEST)

    def sizeHint(self) -> QSize:
        """Return the smallest width: the image takes the rest."""
        return QSize(WIDTH, super().sizeHint().height())

    def tab(self) -> int:
        """Return the tab that is shown: DETECT, EVALUATE or VIEW."""
        return self._stack.currentIndex()

    def set_tab(self, tab: int) -> None:
        """Show DETECT, EVALUATE or VIEW."""
        self.tabs.set_index(tab)
        self._stack.setCurrentIndex(tab)

    def set_class_names(self, names: tuple[str, ...], shown: frozenset[int] | None) -> None:
        """List the classes of a model."""
        self.classes.set_classes(names, shown)
        self._no_classes.setVisible(not names)

    def show_evaluated(self, *, has_frames: bool) -> None:
        """Show or hide curves and worst frames: they need frames with ground truth."""
        for section in self._evaluated:
            section.setVisible(has_frames)


class Page(QScrollArea):
    """Sections of one tab, in a column that scrolls if there is little room."""

    def __init__(self) -> None:
        super().__init__()
        sections = QWidget()
        sections.setObjectName("sections")
        self._column = QVBoxLayout(sections)
        self._column.setContentsMargins(12, 12, 12, 12)
        self._column.setSpacing(12)
        self._column.addStretch(1)
        self.setWidget(sections)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def add_section(self, title: str, *widgets: QWidget) -> QWidget:
        """Add widgets under a heading, below a hairline unless it is the first section.

        Returns:
            The section, to hide or show it.
        """
        section = QWidget()
        column = QVBoxLayout(section)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        heading = Label(title)
        heading.setProperty("kind", "heading")
        head = (heading,) if self._column.count() == 1 else (rule(), heading)
        for widget in (*head, *widgets):
            column.addWidget(widget)
        self._column.insertWidget(self._column.count() - 1, section)  # before the stretch
        return section


def rule() -> QFrame:
    """Return a hairline to separate groups."""
    line = QFrame()
    line.setObjectName("rule")
    return line
