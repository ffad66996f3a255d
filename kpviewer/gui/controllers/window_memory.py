"""Remembers the user's changes in a window, and applies profiles to its widgets.

Once a second the window is compared with its last state: every difference is an edit, and goes to
the store. Nothing is written while a slider moves, and values of the command line are not
remembered.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from kpviewer.config.settings import Settings, WindowSettings, apply_changes
from kpviewer.errors import KpviewerError
from kpviewer.gui.controllers.shown_settings import AUTO, ShownSettings
from kpviewer.gui.language import tr
from kpviewer.gui.opening.model_names import shipped_models
from kpviewer.gui.opening.model_request import ModelRequest
from kpviewer.gui.options import NUMBERS, ViewerOptions
from kpviewer.gui.session.base import AnySession
from kpviewer.gui.settings.recent import (
    Recent,
    with_forgotten,
    with_model,
    with_source,
    without_models,
    without_sources,
)
from kpviewer.gui.settings.remembered import RememberedSettings, profile_model, with_camera_format
from kpviewer.gui.settings.store import Edit
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.shipped import DEFAULT_MODEL
from kpviewer.sources.naming import CameraRequest, is_camera

TICK_MS = 1000


class WindowMemory(QObject):
    """Link between a window and its settings store; ``close`` writes the last edits."""

    told = pyqtSignal(str, object)
    """Message for the user, and a function that undoes what it reports, or None."""
    thresholds_recalled = pyqtSignal(object)
    """Thresholds of the present model in the profile that was loaded."""
    model_recalled = pyqtSignal(str)
    """Model of the profile that was loaded, if it or its device differs from the present one."""

    def __init__(
        self,
        shown: ShownSettings,
        session: AnySession,
        remembered: RememberedSettings,
        options: ViewerOptions,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.shown, self._session, self._remembered = shown, session, remembered
        self.store = remembered.store
        self.started_with = ModelRequest(options.model, options.device, options.backend)
        """Model that the window began with."""
        self._shown_problem: str | None = None
        shown.begin(self.store.current, with_theme="theme" not in options.given)
        self._seen = self._read()
        session.model_changed.connect(self._on_model_changed)
        session.opened.connect(self._on_opened)
        self._after_paint = QTimer(self)
        self._after_paint.setSingleShot(True)
        self._after_paint.timeout.connect(self.note)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._on_tick)
        self._timer.start(TICK_MS)

    def note(self) -> bool:
        """Remember the edits since the last call; return whether there were any."""
        shown = self._read()
        if shown == self._seen:
            return False
        before, self._seen = self._seen, shown
        self.store.edit(partial(apply_changes, before, shown))
        for name, new in shown.thresholds.items():
            old = before.for_model(name)
            self._remembered.forget_named(x for x in NUMBERS if getattr(old, x) != getattr(new, x))
            if old.hidden != new.hidden:
                self._remembered.forget_named({"classes"})
        return True

    def note_after_paint(self) -> None:
        """Remember the edits once the window has shown them: the image follows a slider at once."""
        self._after_paint.start(0)

    def close(self, geometry: WindowSettings) -> None:
        """Remember the last edits and the window's geometry, and write them."""
        self._timer.stop()
        self._after_paint.stop()
        self.note()
        self.store.edit(lambda settings: replace(settings, window=geometry))
        self.store.flush()

    def recent_sources(self) -> Recent:
        """Return the recent sources for a menu."""
        return Recent(self.store.current.recent.sources, partial(self._forget, without_sources))

    def recent_models(self) -> Recent:
        """Return the recent models for a menu."""
        return Recent(self.store.current.recent.models, partial(self._forget, without_models))

    def keep_camera_format(self, camera_id: str, request: CameraRequest | None) -> None:
        """Remember the format of a camera; None forgets it."""
        self.store.edit(partial(with_camera_format, camera_id=camera_id, request=request))

    def save_profile(self, name: str) -> None:
        """Save the settings that the window shows, those of the command line included."""
        shown, current = self._read(), self.store.current
        thresholds = {**current.thresholds, **shown.thresholds}
        profile = replace(shown, camera=current.camera, thresholds=thresholds)
        save = partial(self.store.save_profile, name, profile)
        self._change_profile(name, save, tr("Saved profile {name}"))

    def delete_profile(self, name: str) -> None:
        """Delete a profile."""
        delete = partial(self.store.delete_profile, name)
        self._change_profile(name, delete, tr("Deleted profile {name}"))

    def load_profile(self, name: str) -> None:
        """Apply a profile to the window, and remember its settings."""
        self.note()
        done = tr("Loaded profile {name}").format(name=name)
        if self._try(lambda: self.store.load_profile(name), done):
            self._apply()

    def _change_profile(self, name: str, change: Callable[[], None], done: str) -> None:
        """Change a profile, and offer to restore the one of that name."""
        try:
            restore = self.store.restoring(name)
            change()
        except KpviewerError as error:
            self.told.emit(str(error), None)
            return
        restored = tr("Restored profile {name}").format(name=name)
        undo = None if restore is None else partial(self._try, restore, restored)
        self.told.emit(done.format(name=name), undo)

    def _forget(self, change: Edit) -> None:
        """Forget recent items, and offer to remember them again."""
        before = self.store.current
        self.store.edit(change)
        self.told.emit(tr("Recent items cleared."), partial(self._remember_again, before))

    def _remember_again(self, before: Settings) -> None:
        self.store.edit(partial(with_forgotten, before=before))
        self.told.emit(tr("Recent items restored."), None)

    def _try(self, act: Callable[[], None], done: str) -> bool:
        try:
            act()
        except KpviewerError as error:
            self.told.emit(str(error), None)
            return False
        self.told.emit(done, None)
        return True

    def _apply(self) -> None:
        session, settings = self._session, self.store.current
        self._remembered.forget_named()
        self.shown.show(settings)
        if session.engine is not None:
            spec = session.engine.spec
            self.thresholds_recalled.emit(self._remembered.thresholds(spec, session.thresholds))
        self._seen = self._read()
        model = profile_model(settings, DEFAULT_MODEL)
        if settings.model not in (None, model):
            text = tr("{name} isn't there any more. {other} is used.")
            self.told.emit(text.format(name=settings.model, other=model), None)
        choice = BackendChoice.parse(settings.backend or "")
        request = ModelRequest(model, settings.device or AUTO, choice)
        if request != self._asked:
            session.models.use(request.device, choice, insists=False)
            self.model_recalled.emit(request.model)

    def _read(self) -> Settings:
        return self.shown.read(self._asked)

    @property
    def _asked(self) -> ModelRequest:
        """Model that was asked for: one that is gone stays remembered while another runs."""
        current = self._session.models.current
        return self.started_with if current is None else current.request

    def _on_tick(self) -> None:
        if not self.note():
            self.store.flush()
        if self.store.problem is not None and self.store.problem != self._shown_problem:
            self._shown_problem = self.store.problem
            self.told.emit(self.store.problem, None)

    def _on_model_changed(self) -> None:
        # The thresholds of a new model are not an edit, but its choice may be one.
        self._seen = replace(self._seen, thresholds=self._read().thresholds)
        self.note()
        self._remembered.forget_named({"classes"})  # they were for the first model
        loaded = self._session.models.loaded
        if loaded is not None:
            shipped = frozenset(name for name, _ in shipped_models())
            self.store.edit(partial(with_model, name=loaded.model, shipped=shipped))

    def _on_opened(self) -> None:
        session = self._session
        text, info = session.source_text, session.info
        if text:
            self.store.edit(partial(with_source, text=text))
        if info is not None and info.is_live and (not text or is_camera(text)):
            self.store.edit(lambda settings: replace(settings, camera=info.name))
