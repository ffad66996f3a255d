"""The window that is open: of one source, or a grid of several; either may ask for the other."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal
from PyQt6.QtWidgets import QApplication

from kpviewer.errors import KpviewerError
from kpviewer.gui.controllers.any_window import AnyWindow
from kpviewer.gui.controllers.opener import is_source
from kpviewer.gui.language import tr
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.opening.model_names import short_name
from kpviewer.gui.options import NUMBERS, ViewerOptions
from kpviewer.gui.saving.export_choices import words_of_classes
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.gui.views.video.video_view import VideoView
from kpviewer.gui.widgets.notice_line import Notice
from kpviewer.gui.widgets.theme import ThemeManager
from kpviewer.runtime.process.garbage import without_collection

_log = logging.getLogger(__name__)


class StartupLog(QObject):
    """Logger that observes a view until the first detection is painted."""

    def __init__(self, view: VideoView, started_s: float) -> None:
        super().__init__(view)
        self._view = view
        self._started_s = started_s
        self._has_image = False
        view.appeared.connect(self._on_appeared)
        view.painted.connect(self._on_painted)

    def _on_appeared(self) -> None:
        _log.info("Time to window: %.2f s", self._elapsed_s())

    def _on_painted(self) -> None:
        if not self._has_image:
            self._has_image = True
            _log.info("Time to first image: %.2f s", self._elapsed_s())
        result = self._view.result()
        if result is not None and len(result.detections):
            _log.info("Time to first detection: %.2f s", self._elapsed_s())
            self._view.painted.disconnect(self._on_painted)

    def _elapsed_s(self) -> float:
        return time.monotonic() - self._started_s


class OpenWindow(QObject):
    """The window that is open: of one source, or of a grid. Either may ask for the other."""

    closing = pyqtSignal()
    """Emitted before the last window closes."""
    finishing = pyqtSignal(bool)
    """Emitted with whether the files of recordings are being finished."""

    def __init__(self, options: ViewerOptions, themes: ThemeManager, loaders: Loaders) -> None:
        super().__init__()
        self._options, self._themes, self._loaders = options, themes, loaders
        self.window: AnyWindow | None = None
        """The window that is open; None before ``open``."""
        self.has_saved = False
        """Whether a recording or a snapshot was saved."""
        self._remembered: RememberedSettings | None = None
        """Settings of the windows, the edits that no file has included."""
        self._is_replacing = self._is_over = False
        self._told: tuple[list[str], Path | None] = ([], None)
        """Messages about the files of the window that is replaced, and the last file."""

    @property
    def failure(self) -> KpviewerError | None:
        """Error of the source; of a grid, that of a stream if all have failed."""
        return self.window.session.failure if self.window is not None else None

    def say(self, text: str) -> None:
        """Show a message in the window."""
        if self.window is not None:
            self.window.panes.say(text)

    def close(self) -> None:
        """Close the window; open no other in its place."""
        self._is_over = True
        if self.window is not None and not self._is_replacing:
            self.window.close()

    def open(self, options: ViewerOptions, also: Sequence[str] = ()) -> AnyWindow:
        """Open the window of one source, or a grid for several, in place of the present one.

        The source is opened once the empty window is on the screen.

        Args:
            options: options of the window.
            also: names that a grid opens besides, such as of a model.

        Returns:
            The window.
        """
        is_grid = len(options.sources) > 1
        window = self._make_grid(options, also) if is_grid else self._make_single(options)
        self.window, self._remembered = window, window.remembered
        window.closing.connect(self._on_closing)
        window.finishing.connect(self.finishing)
        window.saving.told.connect(self._on_told)
        if options.fullscreen:
            window.set_fullscreen(True)
        window.show()
        window.view.setFocus()
        return window

    def _make_single(self, options: ViewerOptions) -> MainWindow:
        with without_collection():
            window = MainWindow(options, self._themes, self._loaders, self._remembered)
        window.several_asked.connect(self._on_several_asked)
        StartupLog(window.view, options.started_s or time.monotonic())
        window.view.appeared.connect(lambda: QTimer.singleShot(0, lambda: window.begin(options)))
        return window

    def _make_grid(self, options: ViewerOptions, also: Sequence[str]) -> AnyWindow:
        from kpviewer.gui.grid.window import GridWindow  # noqa: PLC0415 - most windows have no grid

        window = GridWindow(options, self._themes, self._loaders, self._remembered)
        window.alone_asked.connect(self._on_alone_asked)
        window.view.appeared.connect(lambda: QTimer.singleShot(0, window.begin))
        models = window.session.models

        def open_also() -> None:  # once a model runs: it continues if another one fails
            models.engine_loaded.disconnect(open_also)
            models.failed.disconnect(open_also)
            window.opener.open(also)

        if also:
            models.engine_loaded.connect(open_also)
            models.failed.connect(open_also)
        return window

    def _on_several_asked(self, names: list[str]) -> None:
        sources = [name for name in names if is_source(name)]
        self._replace(sources, also=[name for name in names if name not in sources])

    def _on_alone_asked(self, source: str, all_sources: list[str]) -> None:
        self._replace([source], all_sources)

    def _replace(
        self, sources: list[str], way_back: Sequence[str] = (), also: Sequence[str] = ()
    ) -> None:
        """Close the window, which finishes its recordings and frees its cameras; open another."""
        before = self.window
        if before is None:
            return
        if isinstance(before, MainWindow):  # a grid exports and compares nothing
            if before.exporter.is_running:
                self.say(tr("An export is already running. Wait for it, or cancel it."))
                return
            self._options = replace(self._options, compare=before.compare.text)
        options = continued(self._options, before, sources)
        self._is_replacing, self._told = True, ([], None)
        QApplication.setQuitOnLastWindowClosed(False)
        before.close()
        QTimer.singleShot(0, lambda: self._open_next(options, before, way_back, also))

    def _open_next(
        self,
        options: ViewerOptions,
        before: AnyWindow,
        way_back: Sequence[str],
        also: Sequence[str],
    ) -> None:
        self._is_replacing = False
        if self._is_over:  # --seconds or Ctrl-C came due while files were finished
            QApplication.quit()
            return
        window = self.open(options, also)
        texts, saved = self._told
        if options.sources and options.compare and isinstance(before, MainWindow):
            text = tr("{name} is compared with again once a single source is open.")
            texts.append(text.format(name=short_name(options.compare)))
        if texts:
            window.panes.status_bar.show_message(" · ".join(texts), saved)
        if len(way_back) > 1:
            self._offer_grid(list(way_back))
        QApplication.setQuitOnLastWindowClosed(True)
        before.deleteLater()

    def _offer_grid(self, sources: list[str]) -> None:
        """Offer to return to the grid that a source was opened from."""
        assert self.window is not None
        line = self.window.panes.notices.add()
        link = tr("Back to {count} streams").format(count=len(sources))
        line.show_notice(Notice(tr("Opened alone."), (("back", link),)))
        line.pressed.connect(lambda _key: self._replace(sources))
        line.closed.connect(lambda: line.show_notice(None))

    def _on_told(self, text: str, saved: Path | None) -> None:
        if self._is_replacing:
            texts, last = self._told
            self._told = [*texts, text], saved or last
        self.has_saved = self.has_saved or saved is not None

    def _on_closing(self) -> None:
        if not self._is_replacing:
            self.closing.emit()


def continued(options: ViewerOptions, window: AnyWindow, sources: Sequence[str]) -> ViewerOptions:
    """Return the options of a window that replaces another one, for other sources.

    It continues with the model of that window, or the one that loads, its thresholds, and what it
    records, or shall record from the start. Annotations of the command line are used for their
    own source only.
    """
    session, saving = window.session, window.saving
    engine, classes = session.engine, session.thresholds.classes
    numbers = {
        name: getattr(session.thresholds, name)
        for name in NUMBERS
        if getattr(options, name) is not None
    }
    models = session.models
    loaded = models.loaded
    request = models.asked if loaded is None or models.loading is not None else loaded
    if loaded is not None or request != window.memory.started_with:
        options = replace(
            options,
            model=request.model,
            device=request.device,
            backend=request.choice,
            can_change_backend=request.choice != options.backend,
            given=options.given | {"model", "device"},
        )
    if options.classes and engine is not None:
        words = () if classes is None else words_of_classes(classes, engine.spec.class_names)
        options = replace(options, classes=words)
    is_single = len(sources) == 1
    return replace(
        options,
        source=sources[0] if is_single else None,
        sources=() if is_single else tuple(sources),
        record=saving.file_from_start,
        folder=saving.folder,
        with_results=saving.with_results,
        ground_truth=options.ground_truth if (*sources,) == (options.source,) else None,
        fullscreen=window.isFullScreen(),
        **numbers,
    )
