"""Start of the viewer: hooks, application, theme, window.

The window is shown before torch is imported: a thread loads the model while the video plays.
"""

import logging
import sys

from PyQt6.QtCore import QTimer
from PyQt6.QtWidgets import QApplication

from kpviewer.config.files import peek_settings, settings_path
from kpviewer.errors import RecordingError
from kpviewer.gui.app.open_window import OpenWindow
from kpviewer.gui.crash_hooks import CrashHooks, install_crash_hooks
from kpviewer.gui.interrupts import InterruptListener
from kpviewer.gui.language import install_language, language_for
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.settings.store import READ_S
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager
from kpviewer.overlay import drop_gui_application, ensure_font, use_utf8_locale
from kpviewer.runtime.process.abandoned import NoAnswerError, answer_within

_log = logging.getLogger(__name__)


def run_viewer(
    options: ViewerOptions,
    theme: ThemeChoice = ThemeChoice.SYSTEM,
    *,
    loaders: Loaders = LOADERS,
    ends_process: bool = True,
) -> int:
    """Open the window and run until it is closed.

    Returns:
        The exit code: 0; 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP; that of the error
        after ``options.seconds`` if the source had failed, or nothing was recorded.
    """
    drop_gui_application()  # left by a program that has drawn before
    hooks = install_crash_hooks()
    use_utf8_locale()
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
    windows = OpenWindow(options, themes, loaders)
    hooks.reported.connect(windows.say)
    listener = InterruptListener(windows.close)
    guard = listener.guard
    if ends_process:
        windows.closing.connect(guard.begin)
    windows.finishing.connect(lambda is_on: setattr(guard, "is_finishing", is_on))
    windows.open(options)
    if options.seconds is not None:
        QTimer.singleShot(round(options.seconds * 1000), windows.close)
    QApplication.exec()
    listener.close()
    if not ends_process:
        listener.restore_signals()
    if guard.signal is not None:
        return guard.exit_code
    failure = windows.failure
    if options.seconds is None:
        return 0
    if failure is None and options.record is not None and not windows.has_saved:
        failure = RecordingError(
            f"Nothing was recorded within {options.seconds:g} s: no image came, or it couldn't be "
            "written. Raise --seconds, or choose another folder."
        )
    if failure is not None:
        guard.code = failure.exit_code
        raise failure
    return 0
