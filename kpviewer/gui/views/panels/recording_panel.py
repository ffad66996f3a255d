"""Panel for recordings: videos, results, encoder, quality, pre-roll, folder and free space."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtGui import QShowEvent
from PyQt6.QtWidgets import QComboBox, QWidget

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.saving.choices import EVERY, PREROLLS_S, STREAMS, VIDEOS, RecordingChoices
from kpviewer.gui.widgets.buttons import CheckBox, PathButton, SegmentedControl
from kpviewer.gui.widgets.layouts import boxed, column_of, grid_of
from kpviewer.gui.widgets.plain_text import Label, plain_tip
from kpviewer.recording.codecs import CODECS, Quality

_VIDEOS = (
    (tr_noop("Annotated"), tr_noop("Video with the overlay as it is shown")),
    (tr_noop("Raw"), tr_noop("Video without the overlay; anonymised areas stay hidden")),
    (tr_noop("Both"), tr_noop("Two videos of the same frames")),
)
"""Texts and tips, in the order of VIDEOS."""
_RESULTS = (
    ("jsonl", "JSONL", tr_noop("One JSON line per frame")),
    ("csv", "CSV", tr_noop("One row per detection")),
    ("coco", "COCO", tr_noop("COCO result list")),
    ("voc", "VOC", tr_noop("Folder of frames with Pascal VOC XML, for LabelImg")),
    ("yolo", "YOLO", tr_noop("Folder of frames with YOLO text, for X-AnyLabeling")),
)
_QUALITIES = (
    (tr_noop("Small"), tr_noop("Small files")),
    (tr_noop("Good"), tr_noop("Good images")),
    (tr_noop("Best"), tr_noop("Close to the source, in large files")),
)
"""Texts and tips, in the order of Quality."""
_STREAMS = (
    (tr_noop("Each stream"), tr_noop("Each stream in files of its own, with its results")),
    (tr_noop("The grid"), tr_noop("All streams as they are shown, in one video")),
)
"""Texts and tips, in the order of STREAMS."""
_COLUMNS = 3
_ROW_PX = 28
"""Height of a control, on which its label is centred."""


class RecordingPanel(QWidget):
    """Edits RecordingChoices."""

    changed = pyqtSignal()
    """The user changed ``choices``."""
    shown = pyqtSignal()
    """Emitted when the panel appears."""

    def __init__(self) -> None:
        super().__init__()
        self.choices = RecordingChoices()
        """Choices that are set."""
        self._folder = Path()
        self._has_streams = False
        self._rows: dict[QWidget, Label] = {}
        """Label of each row."""
        self.streams = self._segments(tr("Streams"), _STREAMS)
        self.videos = self._segments(tr("Video"), _VIDEOS)
        self.results = {kind: CheckBox(text, tr(tip)) for kind, text, tip in _RESULTS}
        for box in self.results.values():
            box.toggled.connect(self._on_edited)
        self.sound = CheckBox(tr("Sound"), tr("Videos of a file get its sound"))
        self.sound.toggled.connect(self._on_edited)
        self.codec = QComboBox()
        self.codec.setAccessibleName(tr("Encoder"))
        self.codec.setToolTip(tr("Encoders that work on this machine"))
        self.codec.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.set_codecs(())
        self.codec.activated.connect(self._on_edited)
        self.quality = self._segments(tr("Quality"), _QUALITIES)
        prerolls = tuple(
            (f"{each} s", tr("Start {seconds} s before you press record").format(seconds=each))
            if each
            else (tr("Off"), tr("Start when you press record"))
            for each in PREROLLS_S
        )
        self.preroll = self._segments(tr("Pre-roll"), prerolls)
        share = tr("VOC and YOLO get only this share of the frames")
        every = tuple(
            (tr("1 of {count}").format(count=each), share)
            if each > 1
            else (tr("All"), tr("VOC and YOLO get every frame"))
            for each in EVERY
        )
        self.every = self._segments(tr("Frames"), every)
        self.folder = PathButton(self._folder)
        self.folder.setAccessibleName(tr("Folder for recordings"))
        self.folder.setToolTip(tr("Folder for recordings and snapshots"))
        self.space = Label(kind="secondary", wraps=True, name=tr("Space"))
        self._fields: dict[str, tuple[SegmentedControl, Sequence[Any]]] = {
            "streams": (self.streams, STREAMS),
            "videos": (self.videos, tuple(VIDEOS)),
            "quality": (self.quality, tuple(Quality)),
            "preroll_s": (self.preroll, PREROLLS_S),
            "every": (self.every, EVERY),
        }
        """Control and values of fields of RecordingChoices."""
        self._lay_out()
        self.set_choices(self.choices)

    def set_choices(self, choices: RecordingChoices) -> None:
        """Show choices, without emitting ``changed``."""
        self.choices = choices
        for field, (control, values) in self._fields.items():
            control.set_index(values.index(getattr(choices, field)))
        for kind, box in self.results.items():
            with QSignalBlocker(box):
                box.setChecked(kind in choices.results)
        with QSignalBlocker(self.sound):
            self.sound.setChecked(choices.sound)
        self.codec.setCurrentIndex(max(self.codec.findData(choices.codec), 0))
        self._show_used()

    def offer_streams(self) -> None:
        """Offer to record a grid of streams as one video."""
        self._has_streams = True
        self._show_used()

    def set_codecs(self, names: tuple[str, ...]) -> None:
        """List the encoders that work on this machine; the chosen one stays in the list."""
        chosen = self.choices.codec
        listed = [*names, *([chosen] if chosen is not None and chosen not in names else [])]
        with QSignalBlocker(self.codec):
            self.codec.clear()
            self.codec.addItem(tr("Automatic"), None)
            for name in listed:
                self.codec.addItem(CODECS[name].label, name)
            self.codec.setCurrentIndex(max(self.codec.findData(chosen), 0))

    def show_folder(self, folder: Path) -> None:
        """Show the folder for recordings; a long path is shortened at its beginning."""
        if folder != self._folder:
            self._folder = folder
            self.folder.setToolTip(plain_tip(str(folder)))
            self.folder.set_path(folder)

    def show_space(self, text: str) -> None:
        """Show the data rate of a recording and how long the disk lasts."""
        if text != self.space.text():
            self.space.setText(text)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Emit ``shown``."""
        super().showEvent(event)
        self.shown.emit()

    def _lay_out(self) -> None:
        results, grid = grid_of(8, 0), grid_of(12, 6)
        for index, box in enumerate(self.results.values()):
            results.addWidget(box, index // _COLUMNS, index % _COLUMNS)
        boxes = boxed(results)
        grid.setColumnStretch(1, 1)
        rows = (
            (tr("Streams"), self.streams),
            (tr("Video"), self.videos),
            ("", self.sound),
            (tr("Results"), boxes),
            (tr("Frames"), self.every),
            (tr("Encoder"), self.codec),
            (tr("Quality"), self.quality),
            (tr("Pre-roll"), self.preroll),
            (tr("Folder"), self.folder),
        )
        for row, (name, item) in enumerate(rows):
            label = Label(name)
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(item, row, 1)
            label.setMinimumHeight(_ROW_PX)
            self._rows[item] = label
        self._of_streams = (self.videos, self.sound, boxes, self.preroll)
        column_of(grid, self.space, gap=8, into=self)

    def _segments(self, name: str, choices: Sequence[tuple[str, str]]) -> SegmentedControl:
        control = SegmentedControl(name, [(tr(text), tr(tip)) for text, tip in choices])
        control.chosen.connect(self._on_edited)
        return control

    def _show_used(self) -> None:
        """Show the rows that apply: a grid in one video has no results, for example."""
        is_grid = self._has_streams and self.choices.streams == "grid"
        is_set = bool(self.choices.results & {"voc", "yolo"}) and not is_grid
        is_used: dict[QWidget, bool] = {self.streams: self._has_streams, self.every: is_set}
        is_used |= dict.fromkeys(self._of_streams, not is_grid)
        for item, is_shown in is_used.items():
            for widget in (item, self._rows[item]):
                widget.setVisible(is_shown)

    def _on_edited(self) -> None:
        self.choices = replace(
            self.choices,
            results=frozenset(kind for kind, box in self.results.items() if box.isChecked()),
            codec=self.codec.currentData(),
            sound=self.sound.isChecked(),
            **{field: values[control.index()] for field, (control, values) in self._fields.items()},
        )
        self._show_used()
        self.changed.emit()
