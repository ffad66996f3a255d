"""Pausing of the window until its image no longer changes."""

from PyQt6.QtCore import Qt
from pytestqt.qtbot import QtBot

from kpviewer.gui.main_window import MainWindow
from kpviewer.pipeline_status import PipelineState


def pause(qtbot: QtBot, window: MainWindow) -> int:
    """Pause with Space, wait until the image no longer changes, and return its index.

    A frame that was under way may still come after the pause. So the one that is shown is asked
    for once more: it is the only frame that is owed then, and the last to come.
    """
    qtbot.keyClick(window, Qt.Key.Key_Space)
    pipeline = window.session.pipeline
    assert pipeline is not None
    qtbot.waitUntil(lambda: pipeline.status().state is PipelineState.PAUSED)
    qtbot.waitUntil(lambda: not window.bridge.playback.is_playing)
    before = window.view.result()
    assert before is not None
    window.transport.sought.emit(before.frame.index)

    def has_come_again() -> bool:
        now = window.view.result()
        return (
            now is not None
            and now.frame.index == before.frame.index
            and now.frame.captured_ns > before.frame.captured_ns
        )

    qtbot.waitUntil(has_come_again)
    return before.frame.index
