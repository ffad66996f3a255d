"""Bar at the top: source, model, recording and commands."""

from PyQt6.QtCore import QEvent, QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QMenu, QSizePolicy, QWidget

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr
from kpviewer.gui.views.panels.recording_panel import RecordingPanel
from kpviewer.gui.views.video.signs import RecordingState, set_state
from kpviewer.gui.widgets.buttons import ToolButton
from kpviewer.gui.widgets.layouts import FILL, column_of, row_of
from kpviewer.gui.widgets.plain_text import shortened, without_mnemonic

_GAP_PX = 4


class Popup(QFrame):
    """Window without a frame around one widget."""

    def __init__(self, content: QWidget, width_px: int, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setObjectName("popup")
        column_of(content, margins=12, into=self)
        self.setFixedWidth(width_px)

    def open_below(self, button: QWidget) -> None:
        """Show the window below a button, its right edge at the button's, inside the screen."""
        self._fit()
        corner = button.mapToGlobal(QPoint(button.width(), button.height() + _GAP_PX))
        left, top = corner.x() - self.width(), corner.y()
        screen = button.screen()
        if screen is not None:
            room = screen.availableGeometry()
            left = max(min(left, room.right() - self.width()), room.left())
            top = max(min(top, room.bottom() - self.height()), room.top())
        self.move(left, top)
        self.show()

    def event(self, event: QEvent | None) -> bool:
        """Fit the height when the contents change."""
        is_handled = super().event(event)
        if event is not None and event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return is_handled

    def _fit(self) -> None:
        layout = self.layout()
        if layout is not None:
            layout.activate()
            height = layout.totalHeightForWidth(self.width())
            self.resize(self.width(), max(height, layout.totalSizeHint().height()))


HEIGHT = 40
RECORD_PX = 104
"""Least width of the record button, with room for the time of a recording."""
PICKER_LEAST_PX = 88
POPUP_PX = 360
"""Width of the options of recordings."""


class Picker(ToolButton):
    """Button with a menu; its text is the current choice."""

    def __init__(self, icon: str, name: str, tip: str) -> None:
        super().__init__(icon, name, tip)
        self.setProperty("kind", "picker")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setPopupMode(ToolButton.ToolButtonPopupMode.InstantPopup)
        self.popup = QMenu(self)
        self.setMenu(self.popup)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._name = name
        self._choice: str | None = None

    def set_choice(self, text: str) -> None:
        """Show the current choice; a long name loses its middle."""
        if self._choice == text:
            return
        self._choice = text
        self.setAccessibleName(f"{self._name}: {text}")
        self.updateGeometry()
        self._elide()

    def sizeHint(self) -> QSize:
        """Return the size that shows the whole choice."""
        metrics, hint = self.fontMetrics(), super().sizeHint()
        missing = metrics.horizontalAdvance(self._whole()) - metrics.horizontalAdvance(self.text())
        return QSize(hint.width() + missing, hint.height())

    def minimumSizeHint(self) -> QSize:
        """Return a smaller size: the rest of the bar needs its room."""
        return QSize(PICKER_LEAST_PX, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit the text."""
        super().resizeEvent(event)
        self._elide()

    def _whole(self) -> str:
        return f" {shortened(self._choice or '')}  ▾"

    def _elide(self) -> None:
        metrics, whole = self.fontMetrics(), self._whole()
        lost = super().sizeHint().width() - metrics.horizontalAdvance(self.text())
        room = self.width() - lost - metrics.horizontalAdvance("  ▾")
        if metrics.horizontalAdvance(whole) > self.width() - lost:
            name = shortened(self._choice or "")
            elided = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, max(room, 0))
            whole = f" {elided}  ▾"
        self.setText(without_mnemonic(whole))


class TopBar(QFrame):
    """Pickers on the left, buttons on the right."""

    asked = pyqtSignal(object)
    """Emitted with the Act of a button."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("topBar")
        self.source = Picker(
            "camera", tr("Source"), tooltip(Act.OPEN_FILE, tr("Source: camera, file, stream"))
        )
        self.model = Picker("model", tr("Model"), tooltip(Act.OPEN_MODEL, tr("Detection model")))
        self.record = ToolButton("record", tr("Record"), tooltip(Act.RECORD), checkable=True)
        self.record.setObjectName("record")
        self.record.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.record.clicked.connect(lambda: self.asked.emit(Act.RECORD))
        self.recording = RecordingPanel()
        """Options of recordings, in the window below ``record_options``."""
        self._popup = Popup(self.recording, POPUP_PX, self)
        self.recording.folder.clicked.connect(self._popup.hide)  # its dialog would be below
        self.record_options = ToolButton(
            "chevron-down", tr("Recording options"), tr("What to record, and where")
        )
        self.record_options.setProperty("extent", "narrow")  # one with the record button
        self.record_options.clicked.connect(self.open_recording_options)
        self.export = self._button("export", Act.EXPORT)
        self.export.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.export.setText(f" {tr('Export')}")
        self.snapshot = self._button("snapshot", Act.SNAPSHOT)
        self.fullscreen = self._button("fullscreen", Act.FULLSCREEN)
        self.panel = self._button("panel", Act.PANEL)
        self.settings = ToolButton("more", tr("Settings"), tr("Theme, panels, keys, profiles"))
        self.settings.setPopupMode(ToolButton.ToolButtonPopupMode.InstantPopup)
        self.settings_menu = QMenu(self.settings)
        self.settings.setMenu(self.settings_menu)
        recording = row_of(self.record, self.record_options, gap=0)
        buttons = (self.export, self.snapshot, self.fullscreen, self.panel, self.settings)
        parts = (self.source, self.model, FILL, recording, 4, *buttons)
        row_of(*parts, gap=4, margins=(8, 5, 12, 5), into=self)
        self.setFixedHeight(HEIGHT)
        self.show_recording(None)

    def open_recording_options(self) -> None:
        """Show the options of recordings, below their button."""
        self._popup.open_below(self.record_options)

    def set_can_save(self, can_save: bool) -> None:
        """Enable recording and snapshots only while there is an image."""
        text = "{what}" if can_save else tr("There is no image to save: {what}")
        record, snapshot = (
            text.format(what=tr(act.value.text)) for act in (Act.RECORD, Act.SNAPSHOT)
        )
        self.record.setEnabled(can_save or self.record.isChecked())
        self.snapshot.setEnabled(can_save)
        self.export.setEnabled(can_save)
        if not self.record.isChecked():
            self.record.setToolTip(tooltip(Act.RECORD, record))
        self.snapshot.setToolTip(tooltip(Act.SNAPSHOT, snapshot))

    def show_recording(self, state: RecordingState | None) -> None:
        """Show the state of the recording; None if none is running."""
        self.record.setChecked(state is not None)
        self.record.set_icon_name("record" if state is None else "stop")
        label = tr("Record")
        if state is not None:
            label = f"REC {state.text()}" if state.is_growing else state.text()
            self.record.setToolTip(tooltip(Act.RECORD, tr("Stop recording")))
        self.record.setText(f" {label}")
        set_state(self.record, state)
        wanted = max(RECORD_PX, self.record.sizeHint().width())  # long names of others give way
        self.record.setMinimumWidth(0 if state is None else wanted)

    def _button(self, icon: str, act: Act) -> ToolButton:
        button = ToolButton(icon, tr(act.value.text), tooltip(act))
        button.clicked.connect(lambda: self.asked.emit(act))
        return button
