"""Style on top of Fusion: tooltips that wrap, and kpviewer's icons in dialogs.

It overrides what is called seldom: Python code in each stroke of the painter would wait for the
global lock.
"""

from typing import Any

from PyQt6.QtCore import QEvent, QObject
from PyQt6.QtGui import QIcon
from PyQt6.QtWidgets import QProxyStyle, QStyle, QStyleOption, QWidget

from kpviewer.gui.widgets.icons import icon

TIP_PX = 360
"""Largest width of a tooltip."""
_TIP = "QTipLabel"
"""Name of Qt's class of tooltips."""
_Icon = QStyle.StandardPixmap
_ICONS = {
    _Icon.SP_MessageBoxWarning: "warning",
    _Icon.SP_MessageBoxCritical: "warning",
    _Icon.SP_MessageBoxQuestion: "question",
    _Icon.SP_MessageBoxInformation: "question",
    _Icon.SP_DirIcon: "folder",
    _Icon.SP_DirOpenIcon: "folder",
    _Icon.SP_DirClosedIcon: "folder",
    _Icon.SP_DirLinkIcon: "folder",
    _Icon.SP_DirHomeIcon: "home",
    _Icon.SP_DesktopIcon: "device",
    _Icon.SP_ComputerIcon: "device",
    _Icon.SP_DriveHDIcon: "device",
    _Icon.SP_FileIcon: "document",
    _Icon.SP_FileLinkIcon: "document",
    _Icon.SP_FileDialogToParent: "arrow-up",
    _Icon.SP_FileDialogBack: "arrow-left",
    _Icon.SP_ArrowBack: "arrow-left",
    _Icon.SP_ArrowForward: "arrow-right",
    _Icon.SP_FileDialogNewFolder: "new-folder",
    _Icon.SP_FileDialogListView: "list",
    _Icon.SP_FileDialogDetailedView: "details",
}
_DIALOG_BUTTONS = range(_Icon.SP_DialogOkButton.value, _Icon.SP_DialogNoButton.value + 1)


class ChromeStyle(QProxyStyle):
    """Fusion with the tooltips and icons of the window."""

    def __init__(self) -> None:
        super().__init__("Fusion")
        self._wrapper = _TipWrapper(self)  # one of the tooltip's own would vanish with its wrapper

    def polish(self, target: Any) -> Any:
        """Make each tooltip wrap."""
        if isinstance(target, QWidget) and target.inherits(_TIP):
            target.setMaximumWidth(TIP_PX)
            target.installEventFilter(self._wrapper)
        return super().polish(target)

    def standardIcon(
        self,
        which: QStyle.StandardPixmap,
        option: QStyleOption | None = None,
        widget: QWidget | None = None,
    ) -> QIcon:
        """Return the icon of kpviewer's set; buttons of dialogs have none."""
        if which in _ICONS:
            return icon(_ICONS[which])
        if which.value in _DIALOG_BUTTONS:
            return QIcon()
        return super().standardIcon(which, option, widget)


class _TipWrapper(QObject):
    """Wraps the text of a tooltip that is wider than it may be."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Wrap when the tooltip appears, or gets another text."""
        changes = (QEvent.Type.Show, QEvent.Type.Resize)
        if event is not None and event.type() in changes:
            _wrap(watched)
        return False


def _wrap(label: Any) -> None:
    """Wrap the text of Qt's own label of tooltips."""
    if label.wordWrap() or label.sizeHint().width() <= TIP_PX:
        return
    label.setWordWrap(True)
    label.resize(TIP_PX, label.heightForWidth(TIP_PX))
    screen = label.screen()
    if screen is not None:
        over = label.geometry().bottom() - screen.availableGeometry().bottom()
        label.move(label.x(), label.y() - max(over, 0))
