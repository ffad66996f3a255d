"""Start of the viewer: hooks, application, theme, window.

The window is shown before torch is imported: a thread loads the model while the video plays.
"""

from __future__ import annotations

import logging
import sys
import time

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from kpviewer.config_files import peek_settings, settings_path
from kpviewer.gui.crash_hooks import CrashHooks, install_crash_hooks
from kpviewer.gui.interrupts import InterruptListener
from kpviewer.gui.language import install_language, language_for
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.opening.own_loaders import LOADERS
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings.store import READ_S
from kpviewer.gui.startup_log import StartupLog
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager
from kpviewer.overlay import drop_gui_application, ensure_font
from kpviewer.runtime.abandoned import NoAnswerError, answer_within

_log = logging.getLogger(__name__)


def run_viewer(
    options: ViewerOptions,
    theme: ThemeChoice = ThemeChoice.SYSTEM,
    *,
    loaders: Loaders = LOADERS,
    ends_process: bool = True,
) -> int:
    """Open the window and run until it is closed.

    Args:
        options: what to open, and how.
        theme: theme of the window.
        loaders: functions that open sources and load engines.
        ends_process: whether the process ends with the window. If not, signals and hooks are
            restored.

    Returns:
        The exit code: 0; 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP; that of the error
        if the source had failed after ``options.seconds``.
    """
    drop_gui_application()  # left by a program that has drawn before
    hooks = install_crash_hooks()
    present = QApplication.instance()
    application = present if isinstance(present, QApplication) else QApplication(sys.argv[:1])
    application.setApplicationName("kpviewer")
    application.setDesktopFileName("kpviewer")
    ensure_font()
    install_language(language_for(_asked_language(options)))
    # The window is deleted before the application: Qt crashes in the other order.
    try:
        themes = ThemeManager(application, theme)
        return _show(themes, options, loaders, hooks, ends_process=ends_process)
    finally:
        if not ends_process:
            hooks.restore()


def _asked_language(options: ViewerOptions) -> str | None:
    if options.language is not None or options.settings_folder is None:
        return options.language
    path = settings_path(options.settings_folder)
    try:
        return answer_within(READ_S, lambda: peek_settings(path).language, f"reading {path}")
    except NoAnswerError:
        return None


def _show(
    themes: ThemeManager,
    options: ViewerOptions,
    loaders: Loaders,
    hooks: CrashHooks,
    *,
    ends_process: bool,
) -> int:
    window = MainWindow(options, themes, loaders)
    hooks.reported.connect(window.status_bar.show_message)
    StartupLog(window.view, options.started_s or time.monotonic())
    listener = InterruptListener(window.close)
    guard = listener.guard
    if ends_process:
        window.closing.connect(guard.begin)
    window.finishing.connect(lambda is_on: setattr(guard, "is_finishing", is_on))
    if options.fullscreen:
        window.set_fullscreen(True)
    # The source is opened once the empty window is on the screen.
    window.view.appeared.connect(lambda: QTimer.singleShot(0, lambda: window.begin(options)))
    window.show()
    window.view.setFocus()
    if options.seconds is not None:
        QTimer.singleShot(round(options.seconds * 1000), window.close)
    QApplication.exec()
    listener.close()
    if not ends_process:
        listener.restore_signals()
    if guard.signal is not None:
        return guard.exit_code
    failure = window.session.failure
    if options.seconds is not None and failure is not None:
        guard.code = failure.exit_code
        raise failure
    return 0
