"""Switches of the overlay: what is done with detections, what is drawn, and how large."""

from dataclasses import replace
from typing import Any

from PyQt6.QtCore import QObject, QSignalBlocker, pyqtSignal
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.widgets.buttons import CheckBox, SegmentedControl
from kpviewer.gui.widgets.layouts import boxed, column_of, grid_of
from kpviewer.gui.widgets.plain_text import Label
from kpviewer.models.spec import ModelSpec
from kpviewer.overlay import OverlayStyle

_LOOK = (
    ("boxes", tr_noop("Boxes"), tr_noop("Draw the boxes")),
    ("landmarks", tr_noop("Landmarks"), tr_noop("Draw the landmarks")),
    ("labels", tr_noop("Names"), tr_noop("Write the class names")),
    ("scores", tr_noop("Confidence"), tr_noop("Write the confidence")),
    (
        "numbers",
        tr_noop("Number"),
        tr_noop("Write each detection's number in the list, from 0"),
    ),
    ("ground_truth", tr_noop("Ground truth"), tr_noop("Draw the ground truth, dashed")),
    (
        "verdicts",
        tr_noop("Hits, misses, false alarms"),
        tr_noop("With annotations: mark matched and missed objects, and false alarms"),
    ),
)
"""Field of OverlayStyle, text and tip of the switches of what is drawn."""
_ACT = (
    (
        "tracks",
        tr_noop("Track"),
        tr_noop("An ID that stays with each object, and its trail"),
        tr_noop("Give each object an ID that stays with it, and draw its trail"),
    ),
    (
        "anonymise",
        tr_noop("Anonymise"),
        tr_noop("Hides what is found: here, in snapshots and in recordings"),
        tr_noop(
            "Hide all objects of the shown classes: here, in snapshots and in recordings. "
            "Objects that the model misses stay visible."
        ),
    ),
    (
        "smooth_landmarks",
        tr_noop("Smooth landmarks"),
        tr_noop("On the screen; errors and files keep the raw ones"),
        tr_noop("Draw landmarks smoothed over time; errors and files keep the raw ones"),
    ),
)
"""Field of OverlayStyle, text, line of explanation and tip of the switches that do something."""
_WIDE = {"verdicts"}
"""Switches that take a row of their own; they follow pairs of others."""
_INDENT_PX = 24
"""Indent of an explanation: it begins below the text of its switch."""
_SIZES = (
    (
        "lines",
        tr_noop("Lines"),
        (0.5, 1.0, 2.0),
        (tr_noop("Thin"), tr_noop("Medium"), tr_noop("Thick")),
    ),
    (
        "dots",
        tr_noop("Landmarks"),
        (0.67, 1.0, 1.5),
        (tr_noop("Small"), tr_noop("Medium"), tr_noop("Large")),
    ),
    (
        "letters",
        tr_noop("Text"),
        (0.83, 1.0, 1.5),
        (tr_noop("Small"), tr_noop("Medium"), tr_noop("Large")),
    ),
)
"""Field of OverlayStyle, its label, its values and their labels."""


class DisplayPanel(QObject):
    """Two widgets that edit an OverlayStyle; its names and skeleton are the model's."""

    changed = pyqtSignal()
    """Emitted after edits by the user; ``style_of_overlay`` has the new value."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.style_of_overlay = OverlayStyle()
        """Style that is set."""
        self.switches: dict[str, CheckBox] = {}
        self.sizes: dict[str, SegmentedControl] = {}
        """Controls by the field of OverlayStyle that they edit."""
        self.act = self._lay_out_act()
        """Widget of what is done with the detections: tracking, anonymising, smoothing."""
        self.look = self._lay_out_look()
        """Widget of what is drawn, and how large."""

    def set_model(self, spec: ModelSpec) -> None:
        """Set the class names and the skeleton of a model; only landmarks can be smoothed."""
        self.style_of_overlay = self.style_of_overlay.of_model(spec)
        self.switches["smooth_landmarks"].setEnabled(bool(spec.keypoint_names))

    def set_style(self, style: OverlayStyle) -> None:
        """Set switches and sizes as an edit by the user does; names and skeleton stay."""
        for field, box in self.switches.items():
            with QSignalBlocker(box):
                box.setChecked(getattr(style, field))
        for field, _name, values, _texts in _SIZES:
            wanted = getattr(style, field)
            nearest = min(values, key=lambda value: abs(value - wanted))
            self.sizes[field].set_index(values.index(nearest))
        self._on_edited()

    def _lay_out_act(self) -> QWidget:
        column = column_of(gap=0)
        for field, text, explanation, tip in _ACT:
            column.addWidget(self._add_switch(field, tr(text), tr(tip)))
            line = Label(tr(explanation), "small", wraps=True)
            line.setContentsMargins(_INDENT_PX, 0, 0, 4)
            column.addWidget(line)
        return boxed(column)

    def _lay_out_look(self) -> QWidget:
        grid = grid_of(12, 0)
        cell = 0
        for field, text, tip in _LOOK:
            columns = 2 if field in _WIDE else 1
            box = self._add_switch(field, tr(text), tr(tip))
            grid.addWidget(box, cell // 2, cell % 2, 1, columns)
            cell += columns
        for field, english, values, sizes in _SIZES:
            name, texts = tr(english), tuple(tr(size) for size in sizes)
            control = SegmentedControl(name, [(text, f"{name}: {text.lower()}") for text in texts])
            control.set_index(values.index(getattr(self.style_of_overlay, field)))
            control.chosen.connect(self._on_edited)
            self.sizes[field] = control
            caption = Label(name)
            caption.setContentsMargins(0, 8, 0, 4)
            grid.addWidget(caption, grid.rowCount(), 0, 1, 2)
            grid.addWidget(control, grid.rowCount(), 0, 1, 2)
        return boxed(grid)

    def _add_switch(self, field: str, text: str, tip: str) -> CheckBox:
        box = CheckBox(text, tip)
        box.setChecked(getattr(self.style_of_overlay, field))
        box.toggled.connect(self._on_edited)
        self.switches[field] = box
        return box

    def _on_edited(self) -> None:
        values: dict[str, Any] = {field: box.isChecked() for field, box in self.switches.items()}
        for field, _name, choices, _texts in _SIZES:
            values[field] = choices[self.sizes[field].index()]
        self.style_of_overlay = replace(self.style_of_overlay, **values)
        self.changed.emit()
