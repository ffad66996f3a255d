"""Settings that the widgets show: read from them, and applied to them."""

from dataclasses import replace
from typing import Protocol

from kpviewer.config.settings import Settings
from kpviewer.gui.opening.model_request import ModelRequest
from kpviewer.gui.saving.choices import recordings_folder
from kpviewer.gui.saving.target import RecordingTarget
from kpviewer.gui.session.base import AnySession
from kpviewer.gui.settings.recent import remembered_model
from kpviewer.gui.settings.remembered import kept_display, kept_folder, kept_thresholds, style_of
from kpviewer.gui.views.panels.docks import PLACES
from kpviewer.gui.views.panes import AnyPanes
from kpviewer.gui.widgets.theme import ThemeChoice, ThemeManager

AUTO = "auto"
"""Device that is used if none is remembered."""


class IdleScan(Protocol):
    """Scan of a window's source."""

    runs_when_idle: bool
    """Whether a source that is paused is scanned without being asked."""


class ShownSettings:
    """Link between ``Settings`` and the widgets; the session sets the thresholds and the model."""

    def __init__(
        self,
        panes: AnyPanes,
        session: AnySession,
        saving: RecordingTarget,
        themes: ThemeManager,
        scan: IdleScan | None = None,
    ) -> None:
        self._panes, self._session, self._saving = panes, session, saving
        self._themes, self.scan = themes, scan
        self._usual_folder = recordings_folder()
        self._scans_when_idle: bool | None = None
        """Remembered choice of a window that doesn't scan."""

    @property
    def theme(self) -> ThemeChoice:
        """Theme that the user chose."""
        return self._themes.choice

    def set_theme(self, name: str | None) -> None:
        """Set the theme; None or an unknown name is the system's."""
        known = [choice.value for choice in ThemeChoice]
        self._themes.set_choice(ThemeChoice(name) if name in known else ThemeChoice.SYSTEM)

    def begin(self, settings: Settings, *, with_theme: bool) -> None:
        """Apply remembered settings to a new window, in addition to the command line."""
        if with_theme:
            self.set_theme(settings.theme)
        self._set_parts(settings)
        self._saving.take_choices(settings.recording, with_results=self._saving.with_results)

    def show(self, settings: Settings) -> None:
        """Apply the settings of a profile."""
        self.set_theme(settings.theme)
        self._set_parts(settings)
        self._saving.folder = kept_folder(settings.recording) or self._usual_folder
        self._saving.take_choices(settings.recording)

    def read(self, loaded: ModelRequest) -> Settings:
        """Return the settings that are shown, with ``loaded`` as the model; others are empty."""
        panes, session = self._panes, self._session
        theme = self._themes.choice
        panels = panes.docks.wanted().items()
        recording = self._saving.choices.to_table()
        if self._saving.folder != self._usual_folder:
            recording["folder"] = str(self._saving.folder)
        engine = session.engine
        thresholds = {}
        if engine is not None:
            lasting = panes.side_panel.classes.lasting()  # without a temporary choice of one
            shown = replace(session.thresholds, classes=lasting)
            thresholds[engine.spec.name] = kept_thresholds(engine.spec, shown)
        return Settings(
            model=remembered_model(loaded.model),
            device=loaded.device if loaded.device != AUTO else None,
            backend=str(loaded.choice) if loaded.choice is not None else None,
            theme=theme.value if theme is not ThemeChoice.SYSTEM else None,
            display=kept_display(panes.side_panel.display.style_of_overlay),
            panels={
                **{p.value: wanted for p, wanted in panels if wanted is not PLACES[p].is_shown},
                **panes.side_panel.choices(),
            },
            recording=recording,
            scans_when_idle=self._runs_scan_when_idle,
            thresholds=thresholds,
        )

    @property
    def _runs_scan_when_idle(self) -> bool | None:
        if self.scan is None:
            return self._scans_when_idle
        return True if self.scan.runs_when_idle else None

    def _set_parts(self, settings: Settings) -> None:
        self._panes.side_panel.display.set_style(style_of(settings.display))
        self._scans_when_idle = settings.scans_when_idle
        if self.scan is not None:
            self.scan.runs_when_idle = bool(settings.scans_when_idle)
        usual = {part: place.is_shown for part, place in PLACES.items()}
        wanted = {part: settings.panels.get(part, is_shown) for part, is_shown in usual.items()}
        self._panes.docks.set_all_wanted(wanted)
        self._panes.side_panel.set_choices(settings.panels)
