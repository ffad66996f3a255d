"""Unexpected errors are logged and the window lives on; without this Qt ends the process.

PyQt aborts when a slot raises and no hook is set, and pyqtgraph sets one of its own on import, so
ours comes first.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
from types import TracebackType

from PyQt6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler

_log = logging.getLogger("kpviewer")
_qt_log = logging.getLogger("kpviewer.qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def install_crash_hooks() -> None:
    """Set the hooks, before anything of Qt runs."""
    if sys.stderr is not None:
        faulthandler.enable()
    sys.excepthook = _on_exception
    qInstallMessageHandler(_on_qt_message)


def _on_exception(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    _log.error(
        "Unexpected error: %s: %s. Please report it; --log-level debug tells more.",
        kind.__name__,
        error,
    )
    _log.debug("It came from here:", exc_info=(kind, error, trace))


def _on_qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str | None) -> None:
    _qt_log.log(_LEVELS.get(kind, logging.WARNING), "%s", text)
