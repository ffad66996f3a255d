"""Hooks that log and report unexpected errors; without them Qt ends the process.

PyQt aborts if a slot raises and no hook is set. Importing pyqtgraph sets a hook: install ours
before.
"""

import faulthandler
import logging
import sys
from collections import Counter
from collections.abc import Callable
from types import TracebackType

from PyQt6.QtCore import QMessageLogContext, QObject, QtMsgType, pyqtSignal, qInstallMessageHandler

from kpviewer.runtime.process.threads import ThreadError, set_thread_hook

MAX_CHARS = 300
"""Maximum length of an error's text."""

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
    """Receiver of uncaught exceptions; ``install_crash_hooks`` makes one."""

    reported = pyqtSignal(str)
    """Emitted with one line for the user, from any thread."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[tuple[str, str]] = Counter()
        self.restore: Callable[[], None] = lambda: None
        """Function that restores the previous hooks."""

    def on_exception(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Log and report an error; one that is repeated is reported ever more rarely."""
        if issubclass(kind, KeyboardInterrupt):
            sys.__excepthook__(kind, error, trace)
            return
        text = " ".join(str(error).split())[:MAX_CHARS]
        self._seen[kind.__name__, text] += 1
        times = self._seen[kind.__name__, text]
        if times & (times - 1):  # reported at the first, second, fourth, eighth …
            return
        line = f"Unexpected error: {kind.__name__}: {text}".removesuffix(": ") + "."
        if times > 1:
            line += f" ({times} times)"
        _log.error("%s Please report it; --log-level debug shows more.", line)
        _log.debug("Traceback:", exc_info=(kind, error, trace))
        self.reported.emit(line)

    def on_thread_exception(self, given: ThreadError) -> None:
        """Log and report the error that ended a thread."""
        if given.exc_type is not SystemExit:
            error = given.exc_value or given.exc_type()
            self.on_exception(given.exc_type, error, given.exc_traceback)


def install_crash_hooks() -> CrashHooks:
    """Install the hooks. Call it before any Qt code runs."""
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
