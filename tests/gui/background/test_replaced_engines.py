"""Engines that were replaced are freed, and not by the window's thread."""

import threading

from kpviewer.gui.background.loader import ReplacedEngines


class Engine:
    """Engine that notes who frees it."""

    def __init__(self, freed_by: list[threading.Thread]) -> None:
        self._freed_by = freed_by

    def __del__(self) -> None:
        self._freed_by.append(threading.current_thread())


def test_replaced_engine_is_freed_by_another_thread(qtbot, monkeypatch):
    monkeypatch.setattr("kpviewer.gui.background.loader.REST_MS", 0)
    freed_by: list[threading.Thread] = []
    replaced = ReplacedEngines()
    replaced.add(Engine(freed_by))
    qtbot.waitUntil(lambda: len(freed_by) == 1)
    replaced.close()
    freed_by[0].join()
    assert freed_by[0] is not threading.main_thread()
