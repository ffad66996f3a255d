"""Export of a whole file from the window: a ``kpviewer process`` beside it, with its progress."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PyQt6.QtCore import QObject, QUrl
from PyQt6.QtGui import QDesktopServices

from kpviewer.gui.background.child_process import ChildEnd, ChildProcess
from kpviewer.gui.controllers.saving import Saving
from kpviewer.gui.language import tr
from kpviewer.gui.main_window.scan_targets import source_name
from kpviewer.gui.main_window.scores_link import NO_BOXES
from kpviewer.gui.saving.export_choices import (
    REPORT,
    ExportChoices,
    export_arguments,
    exportable,
    input_arguments,
    summary_of,
)
from kpviewer.gui.saving.folder_watch import names_of
from kpviewer.gui.session import Session
from kpviewer.gui.views.dialogs.export_dialog import ExportDialog
from kpviewer.gui.views.dialogs.questions import ask_to_close
from kpviewer.gui.views.panes import Panes
from kpviewer.gui.widgets.notice_line import Notice
from kpviewer.models.spec import Task
from kpviewer.overlay import OverlayStyle
from kpviewer.sources.naming import GENERATED
from kpviewer.sources.turn import Turn

_CANCEL, _SHOW = "cancel", "show"


class Exporter(QObject):
    """Asks what to export, runs it, and shows its progress; ``close`` ends it with the window.

    ``scan_file`` returns a scan of the source with the present model, None without one.
    """

    def __init__(
        self,
        panes: Panes,
        session: Session,
        saving: Saving,
        child: ChildProcess | None = None,
        scan_file: Callable[[], Path | None] = lambda: None,
    ) -> None:
        super().__init__(panes.docks)
        self._panes, self._session, self._saving = panes, session, saving
        self._child = child or ChildProcess(parent=self)
        self.line = panes.notices.add()
        """Line with the progress, or with the outcome."""
        self._name = ""
        self._frames = 0
        self._files: list[Path] = []
        self._last: ExportChoices | None = None
        self.dialog: ExportDialog | None = None
        """The dialog that was opened last."""
        self._scan_file = scan_file
        panes.side_panel.score.report_asked.connect(self.ask_for_report)
        self._child.progressed.connect(self._on_progressed)
        self._child.line_came.connect(self._on_line_came)
        self._child.ended.connect(self._on_ended)
        self.line.pressed.connect(self._on_link_pressed)
        self.line.closed.connect(self._on_closed)
        session.model_changed.connect(self._on_model_changed)
        session.source_changed.connect(self._on_source_changed)

    @property
    def is_running(self) -> bool:
        """Whether an export runs."""
        return self._child.is_running

    def ask_for_report(self) -> None:
        """Ask where to write a report on the scores alone."""
        self.ask((REPORT,))

    def ask(self, outputs: tuple[str, ...] = ()) -> None:
        """Ask what to export; say why if nothing can be.

        ``outputs`` are kinds of files to offer; empty: those of the last time.
        """
        session, say = self._session, self._panes.say
        engine, info = session.engine, session.info
        if self.is_running:
            say(tr("An export is already running. Wait for it, or cancel it."))
        elif info is None or session.source_name is None:
            say(tr("There is nothing to export yet. Open a video first."))
        elif self._source() is None or info.is_live:
            say(tr("Only files and folders can be exported. Record a live source instead."))
        elif engine is None:
            say(tr("The model isn't loaded yet. Try again in a moment."))
        elif session.thresholds.classes == frozenset():
            say(tr("No class is shown, so there is nothing to export. Show one first."))
        else:
            summary = summary_of(session.thresholds, engine.spec, self._style)
            last = self._last or ExportChoices(("video",), self._saving.folder)
            if outputs:
                last = replace(last, outputs=outputs)
            self.dialog = ExportDialog(
                self._panes.docks, session.source_name, summary, last, self._lacking()
            )
            self.dialog.chosen.connect(self.start)
            self.dialog.open()

    def start(self, choices: ExportChoices) -> None:
        """Export the present source with the present model and thresholds."""
        session, source, model = self._session, self._source(), self._session.models.current
        if source is None or model is None or self.is_running:
            return
        self._last = choices
        self._name, self._frames, self._files = session.source_name or source, 0, []
        turn = Turn.parse(session.info.turn if session.info is not None else "")
        arguments = export_arguments(choices, source, model, session.thresholds, self._style, turn)
        spec = "" if turn.is_mirrored else session.ground_truth.spec
        arguments[1:1] = input_arguments(choices, spec, self._scan_file())
        self._say_progress(tr("Starting the export of {name} …").format(name=self._name))
        self._child.start(arguments)

    def asks_before(self, close: Callable[[], object]) -> bool:
        """If an export runs, ask whether to cancel it and ``close``; return whether one runs."""
        if self.is_running:
            ask_to_close(self._panes.docks, self._name, close)
        return self.is_running

    def close(self) -> None:
        """End an export that runs; its files hold the frames until then."""
        self._child.close()

    def _lacking(self) -> dict[str, str]:
        """Return the kinds of files that can't be written, and why."""
        source, engine = self._source(), self._session.engine
        if engine is not None and engine.spec.task is Task.CLASSIFY:
            return {REPORT: tr(NO_BOXES)}
        if self._session.ground_truth.spec or source in GENERATED:
            return {}
        return {REPORT: tr("Open annotations of this source first.")}

    @property
    def _style(self) -> OverlayStyle:
        return self._panes.side_panel.display.style_of_overlay

    def _source(self) -> str | None:
        return exportable(source_name(self._session))

    def _on_model_changed(self) -> None:
        """Show what an open dialog exports now: the model may have been loading."""
        engine, thresholds = self._session.engine, self._session.thresholds
        if self.dialog is not None and self.dialog.isVisible() and engine is not None:
            self.dialog.show_summary(summary_of(thresholds, engine.spec, self._style))

    def _on_source_changed(self) -> None:
        """Close an open dialog: it names the source before, which may have been left slowly."""
        if self.dialog is not None and self.dialog.isVisible():
            self.dialog.reject()

    def _on_progressed(self, frames: int, total: int | None) -> None:
        self._frames = frames
        text = tr("Exporting {name} · {frames:,} frames")
        if frames == 1:
            text = tr("Exporting {name} · 1 frame")
        if total:
            text = tr("Exporting {name} · {frames:,} of {total:,} frames")
        text = text.format(name=self._name, frames=frames, total=total)
        self._say_progress(text, frames, total)

    def _on_line_came(self, line: str) -> None:
        if line.startswith('{"files"'):
            self._files = [Path(each) for each in json.loads(line)["files"]]

    def _on_ended(self, end: ChildEnd) -> None:
        if end.failure is not None:
            text = tr("{name} can't be exported. {reason}")
            self._say(text.format(name=self._name, reason=end.failure))
        elif end.was_cancelled and self._files:
            text = tr("Export cancelled: the files hold the first {frames:,} frames.")
            if self._frames == 1:
                text = tr("Export cancelled: the files hold the first frame.")
            self._say(text.format(frames=self._frames), shows_files=True)
        elif end.was_cancelled or not self._files:
            self.line.show_notice(None)
            self._panes.say(tr("Export cancelled."))
        else:
            text = tr("Saved {names}").format(names=names_of(self._files))
            self._say(text, shows_files=True)

    def _say_progress(self, text: str, done: int = 0, total: int | None = None) -> None:
        self.line.show_notice(Notice(text, ((_CANCEL, tr("Cancel")),), (done, total)))

    def _say(self, text: str, *, shows_files: bool = False) -> None:
        links = ((_SHOW, tr("Show")),) if shows_files else ()
        self.line.show_notice(Notice(text, links))

    def _on_link_pressed(self, key: str) -> None:
        if key == _CANCEL:
            self._child.cancel()
        elif self._files:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._files[0].parent)))

    def _on_closed(self) -> None:
        if not self.is_running:
            self.line.show_notice(None)
        else:
            self._child.cancel()
