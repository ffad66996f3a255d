"""Notices what the user changes in a window, and puts remembered settings into its widgets.

Once a second the window is compared with how it was: what differs was edited, wherever in the
window, and goes to the store. So nothing is written while a slider moves, and what the command
line said is not remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PyQt6.QtCore import QObject, QPoint, QRect, QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QGuiApplication

from kpviewer.config import Settings, WindowSettings, carry
from kpviewer.errors import KpviewerError
from kpviewer.gui.language import tr
from kpviewer.gui.menus import shipped_models
from kpviewer.gui.opening.model_loading import ModelRequest
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.panels.docks import PLACES
from kpviewer.gui.saving.folders import recordings_folder
from kpviewer.gui.settings.recall import (
    Recall,
    kept_display,
    kept_thresholds,
    profile_model,
    style_of,
    with_camera_format,
)
from kpviewer.gui.settings.recent import (
    Recent,
    remembered_model,
    with_model,
    with_source,
    without_models,
    without_sources,
)
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.naming import CameraRequest, is_camera

if TYPE_CHECKING:
    from kpviewer.gui.main_window import MainWindow

TICK_MS = 1000
AUTO = "auto"
"""The device where none is remembered."""


class WindowMemory(QObject):
    """Between a window and its store; ``close`` writes what is left."""

    told = pyqtSignal(str)
    """A message for the user."""

    def __init__(
        self, window: MainWindow, recall: Recall, options: ViewerOptions, themes: ThemeManager
    ) -> None:
        super().__init__(window)
        self._window, self._themes, self._recall = window, themes, recall
        self.store = recall.store
        self._started_with = ModelRequest(options.model, options.device)
        self._told: str | None = None
        current = self.store.current
        if "theme" not in options.given:
            self.set_theme(current.theme)
        self._set_size(current.window)
        self._set_parts(current)
        saving = window.saving
        saving.take_choices(current.recording, with_results=saving.with_results)
        self._seen = self._shown()
        window.session.model_changed.connect(self._on_model_changed)
        window.session.opened.connect(self._on_opened)
        for panel in (window.side_panel.thresholds, window.side_panel.classes):
            panel.changed.connect(self.note)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start(TICK_MS)

    def note(self) -> bool:
        """Remember what was edited since the last time; False if nothing was."""
        shown = self._shown()
        if shown == self._seen:
            return False
        before, self._seen = self._seen, shown
        self.store.edit(partial(carry, before, shown))
        for name, new in shown.thresholds.items():
            old = before.for_model(name)
            numbers = ("score", "iou", "nms", "sigma")
            self._recall.drop_named(x for x in numbers if getattr(old, x) != getattr(new, x))
            if old.hidden != new.hidden:
                self._recall.drop_named({"classes"})
        return True

    def close(self) -> None:
        """Remember the last edits and the window's size, and write them."""
        self._timer.stop()
        self.note()
        window = self._window
        full = Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen
        is_full = bool(window.windowState() & full)
        size = window.normalGeometry().size() if is_full else window.size()
        place = window.normalGeometry().topLeft() if is_full else window.pos()
        kept = WindowSettings(
            size.width(),
            size.height(),
            window.isMaximized(),
            left_px=place.x(),
            top_px=place.y(),
            docks=window.docks.state(),
        )
        self.store.edit(lambda settings: replace(settings, window=kept))
        self.store.flush()

    def recent_sources(self) -> Recent:
        """What the menu of sources offers."""
        clear = partial(self.store.edit, without_sources)
        return Recent(self.store.current.recent.sources, clear)

    def recent_models(self) -> Recent:
        """What the menu of models offers."""
        return Recent(self.store.current.recent.models, partial(self.store.edit, without_models))

    def keep_camera_format(self, camera_id: str, request: CameraRequest | None) -> None:
        """Remember what a camera is asked for; None is nothing in particular."""
        self.store.edit(partial(with_camera_format, camera_id=camera_id, request=request))

    # -- what the menu asks for --------------------------------------------------------------

    def set_theme(self, name: str | None) -> None:
        """Take a theme; None or an unknown name is the system's."""
        known = [choice.value for choice in ThemeChoice]
        self._themes.set_choice(ThemeChoice(name) if name in known else ThemeChoice.SYSTEM)

    @property
    def theme(self) -> ThemeChoice:
        """The theme that is asked for."""
        return self._themes.choice

    def save_profile(self, name: str) -> None:
        """Save what the window shows, what the command line asked for included."""
        shown, current = self._shown(), self.store.current
        thresholds = {**current.thresholds, **shown.thresholds}
        profile = replace(shown, camera=current.camera, thresholds=thresholds)
        done = tr("Saved profile {name}").format(name=name)
        self._try(lambda: self.store.save_profile(name, profile), done)

    def delete_profile(self, name: str) -> None:
        """Delete a profile."""
        done = tr("Deleted profile {name}").format(name=name)
        self._try(lambda: self.store.delete_profile(name), done)

    def load_profile(self, name: str) -> None:
        """Put a profile into the window, and remember it."""
        self.note()
        done = tr("Loaded profile {name}").format(name=name)
        if self._try(lambda: self.store.load_profile(name), done):
            self._apply()

    def _try(self, act: Callable[[], None], done: str) -> bool:
        try:
            act()
        except KpviewerError as error:
            self.told.emit(str(error))
            return False
        self.told.emit(done)
        return True

    # -- from the settings to the window -----------------------------------------------------

    def _apply(self) -> None:
        window, session, settings = self._window, self._window.session, self.store.current
        self._recall.drop_named()
        self.set_theme(settings.theme)
        self._set_parts(settings)
        folder = settings.recording.get("folder")
        window.saving.folder = recordings_folder() if folder is None else Path(str(folder))
        window.saving.take_choices(settings.recording)
        if session.engine is not None:
            spec = session.engine.spec
            window.bridge.use_thresholds(self._recall.thresholds(spec, session.thresholds))
        self._seen = self._shown()
        model = profile_model(settings, DEFAULT_MODEL)
        wanted = ModelRequest(model, settings.device or AUTO)
        if wanted != (session.models.loaded or self._started_with):
            session.models.use_device(wanted.device)
            window.choose_model(wanted.model)

    def _set_parts(self, settings: Settings) -> None:
        self._window.side_panel.display.set_style(style_of(settings.display))
        usual = {part: place.is_shown for part, place in PLACES.items()}
        wanted = {part: settings.panels.get(part, is_shown) for part, is_shown in usual.items()}
        self._window.docks.set_all_wanted(wanted)

    def _set_size(self, wanted: WindowSettings) -> None:
        window, screen = self._window, QGuiApplication.primaryScreen()
        if wanted.width_px is not None and wanted.height_px is not None and screen is not None:
            size = QSize(wanted.width_px, wanted.height_px)
            window.resize(size.boundedTo(screen.availableSize()))
        if wanted.left_px is not None and wanted.top_px is not None:
            place = QRect(QPoint(wanted.left_px, wanted.top_px), window.size())
            if any(
                each.availableGeometry().intersects(place) for each in QGuiApplication.screens()
            ):
                window.move(place.topLeft())  # else that screen is gone
        if wanted.docks is not None:
            window.docks.restore(wanted.docks)
        if wanted.is_maximized:
            window.setWindowState(window.windowState() | Qt.WindowState.WindowMaximized)

    # -- from the window to the settings -----------------------------------------------------

    def _shown(self) -> Settings:
        """Give the window's present settings; what is not the window's own is empty."""
        window, session = self._window, self._window.session
        loaded = session.models.loaded or self._started_with
        theme = self._themes.choice
        panels = window.docks.wanted().items()
        recording = window.saving.choices.to_table()
        if window.saving.folder != recordings_folder():
            recording["folder"] = str(window.saving.folder)
        engine = session.engine
        thresholds = {}
        if engine is not None:
            lasting = window.side_panel.classes.lasting()  # one alone is so for a while
            shown = replace(session.thresholds, classes=lasting)
            thresholds[engine.spec.name] = kept_thresholds(engine.spec, shown)
        return Settings(
            model=remembered_model(loaded.model),
            device=loaded.device if loaded.device != AUTO else None,
            theme=theme.value if theme is not ThemeChoice.SYSTEM else None,
            display=kept_display(window.side_panel.display.style_of_overlay),
            panels={p.value: wanted for p, wanted in panels if wanted is not PLACES[p].is_shown},
            recording=recording,
            thresholds=thresholds,
        )

    def _on_tick(self) -> None:
        if not self.note():
            self.store.flush()
        if self.store.problem is not None and self.store.problem != self._told:
            self._told = self.store.problem
            self.told.emit(self.store.problem)

    def _on_model_changed(self) -> None:
        # The thresholds of a model that has just come are no edit, but the model may be one.
        self._seen = replace(self._seen, thresholds=self._shown().thresholds)
        self.note()
        self._recall.drop_named({"classes"})  # they were for the first model
        loaded = self._window.session.models.loaded
        if loaded is not None:
            shipped = frozenset(name for name, _ in shipped_models())
            self.store.edit(partial(with_model, name=loaded.model, shipped=shipped))

    def _on_opened(self) -> None:
        session = self._window.session
        text, info = session.source_text, session.info
        if text:
            self.store.edit(partial(with_source, text=text))
        if info is not None and info.is_live and (not text or is_camera(text)):
            self.store.edit(lambda settings: replace(settings, camera=info.name))
