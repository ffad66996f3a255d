"""Unexpected errors are logged and told, and the window lives on; else Qt ends the process.

PyQt aborts when a slot raises and no hook is set, and pyqtgraph sets one of its own on import, so
ours comes first.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
from collections import Counter
from collections.abc import Callable
from types import TracebackType

from PyQt6.QtCore import QMessageLogContext, QObject, QtMsgType, pyqtSignal, qInstallMessageHandler

from kpviewer.runtime.threads import ThreadError, set_thread_hook

LONGEST = 300
"""Characters of an error's text."""

_log = logging.getLogger("kpviewer")
_qt_log = logging.getLogger("kpviewer.qt")

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


class CrashHooks(QObject):
    """Hears what nobody caught; ``install_crash_hooks`` makes one."""

    told = pyqtSignal(str)
    """One line for the user; the signal may come from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[tuple[str, str]] = Counter()
        self.restore: Callable[[], None] = lambda: None
        """Puts back what was set before."""

    def on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log an error, and tell it; one that comes with every frame is not told each time."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        text = " ".join(str(error).split())[:LONGEST]
        self._seen[kind.__name__, text] += 1
        times = self._seen[kind.__name__, text]
        if times & (times - 1):  # told at the first, second, fourth, eighth …
            return
        line = f"Unexpected error: {kind.__name__}: {text}".removesuffix(": ") + "."
        if times > 1:
            line += f" ({times} times)"
        _log.error("%s Please report it; --log-level debug tells more.", line)
        _log.debug("It came from here:", exc_info=(kind, error, trace))
        self.told.emit(line)

    def on_thread_exception(self, given: ThreadError) -> None:
        """Do so for a thread that ended by an error."""
        if given.exc_type is not SystemExit:
            error = given.exc_value or given.exc_type()
            self.on_exception(given.exc_type, error, given.exc_traceback)


def install_crash_hooks() -> CrashHooks:
    """Set the hooks, before anything of Qt runs."""
    if sys.stderr is not None:
        faulthandler.enable()
    hooks = CrashHooks()
    own, sys.excepthook = sys.excepthook, hooks.on_exception
    of_threads = set_thread_hook(hooks.on_thread_exception)
    of_qt = qInstallMessageHandler(_on_qt_message)

    def restore() -> None:
        sys.excepthook = own
        set_thread_hook(of_threads)
        qInstallMessageHandler(of_qt)

    hooks.restore = restore
    return hooks


def _on_qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str | None) -> None:
    _qt_log.log(_LEVELS.get(kind, logging.WARNING), "%s", text)
