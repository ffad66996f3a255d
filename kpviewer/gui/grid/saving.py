"""Recordings and snapshots of a grid: each stream in files of its own, or the grid as one video."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PyQt6.QtCore import pyqtSignal

from kpviewer.gui.controllers.recording_setup import can_record, can_start, space_text
from kpviewer.gui.grid.mosaic_recording import NAME, MosaicRecording, mosaic_size
from kpviewer.gui.grid.mosaic_source import mosaic
from kpviewer.gui.grid.session import GridSession
from kpviewer.gui.grid.stream_recordings import StreamRecordings
from kpviewer.gui.grid.tile import Tile
from kpviewer.gui.language import tr
from kpviewer.gui.saving.target import RecordingTarget
from kpviewer.gui.session import Session
from kpviewer.gui.views.video.signs import RecordingState
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.files import free_stem, recording_stem
from kpviewer.recording.recorder import RecorderThread
from kpviewer.recording.snapshot import save_png
from kpviewer.runtime.process.abandoned import DISK_S, NoAnswerError, answer_within
from kpviewer.structures import ImageArray

_NAMED = 2
"""Number of messages of one moment that are shown in full."""


class GridSaving(RecordingTarget):
    """Starts and stops recordings of a grid, and writes snapshots; for the GUI thread."""

    stream_told = pyqtSignal(object, str)
    """Session and a message about its files."""

    def __init__(
        self, grid: GridSession, folder: Path | None, *, with_results: bool = False
    ) -> None:
        super().__init__(folder, with_results=with_results)
        self._grid = grid
        self.each = StreamRecordings(grid, self._on_told)
        """Recordings of the streams, each in files of its own."""
        self.mosaic = MosaicRecording()
        """Recording of the grid as one video."""
        self._given: Path | None = None
        """Folder of the command line, until its recording ends; None is the usual one."""
        self._messages: list[tuple[str, Path | None]] = []
        self._of_streams: dict[str, list[Session]] = {}
        """Streams that each of the messages is about."""
        grid.streams_changed.connect(self._follow)
        grid.opened.connect(self.each.join)

    def set_style(self, style: OverlayStyle) -> None:
        """Use this style in recordings and snapshots."""
        self._style = style
        self.mosaic.set_style(style)
        self._follow()

    def space_text(self) -> str:
        """Return the data rate of a recording and how long the disk lasts, for people."""
        if self.mosaic.recorder is not None or self.choices.streams == "grid":
            rate = self.mosaic.data_rate(self.choices, len(self._grid.sessions))
        else:
            rate = self.each.data_rate()
        return space_text(rate, self.watch.free_bytes(self.folder)) if rate else ""

    def state(self) -> RecordingState | None:
        """Return the state of what is being recorded; None if nothing is."""
        return self.mosaic.state() or self.each.state()

    def record_from_start(self, file: str) -> None:
        """Record as soon as a stream is open; files wait for that at their first frame.

        Args:
            file: empty: as chosen; a folder: each stream in it; a file: the grid as one video.
        """
        self.file_from_start = file
        self.each.expect()

    def recorders(self) -> list[RecorderThread]:
        """Return the running recordings."""
        recorder = self.mosaic.recorder
        return [*self.each.recorders(), *([recorder] if recorder is not None else [])]

    def stop_recording(self) -> None:
        """Stop the running recordings; their files are finished on threads."""
        self.mosaic.stop()
        self.each.stop()

    def save_snapshot(self, tiles: Sequence[Tile]) -> None:
        """Save the image of one tile with its results, or of several as they are shown."""
        if not any(tile.view.result() is not None for tile in tiles):
            self.told.emit(tr("There is no image to save yet."), None)
        elif len(tiles) == 1:
            self.each.savings[tiles[0].session].save_snapshot(tiles[0].view.result())
        else:
            views = [(tile.name, tile.view) for tile in tiles]
            streams = [(name, view.result(), view.current_result() is None) for name, view in views]
            image = mosaic(streams, mosaic_size(len(tiles)), self._style)
            self.save(partial(_save_image, image))

    def poll(self) -> None:
        """Report saved files, and start a recording that waits for a stream."""
        if self.file_from_start is not None and self._is_ready():
            self._start()
        if not self.recorders():
            self._given = None
        self._follow()
        self.each.poll()
        self._messages += self.mosaic.poll() + self._saved()
        self._messages += self.watch.poll(self.folder, self._files.silence_s)
        self._report()

    def close(self) -> None:
        """Finish all files, within time limits."""
        self.stop_recording()
        self.each.close()
        self._messages += self.mosaic.close() + self._close_files()
        self.watch.close()
        self._report()

    def _is_ready(self) -> bool:
        """Return whether a stream is open; result files begin with the names of classes."""
        return any(can_start(session, self.choices) for session in self._grid.sessions)

    def _start(self) -> None:
        if not any(can_record(session) for session in self._grid.sessions):
            self.told.emit(tr("There is no image to record yet."), None)
            return
        file, self.file_from_start = self.file_from_start or "", None
        is_file = _is_file(file)
        self._given = Path(file).expanduser() if file and not is_file else None
        folder = self._given or self.folder
        if is_file or self.choices.streams == "grid":
            sessions, style = self._grid.sessions, self._style
            self.each.stop()  # no file waits for a recording of its own
            self.mosaic.start(sessions, style, folder, self.choices, file if is_file else "")
            text, count = tr("Recording the grid to {folder}: {space}"), 1
        else:
            self._follow()
            count = self.each.start()
            text = tr("Recording 1 stream to {folder}: {space}")
            if count != 1:
                text = tr("Recording {count} streams to {folder}: {space}")
        target = Path(file).expanduser() if is_file else folder
        self.told.emit(text.format(count=count, folder=target, space=self.space_text()), None)

    def _follow(self) -> None:
        """Pass on what was chosen, and which streams there are."""
        self.each.follow(self._given or self.folder, self.choices, self._style)
        self.mosaic.follow(self._grid.sessions)

    def _on_told(self, session: Session, text: str, path: Path | None) -> None:
        self._of_streams.setdefault(text, []).append(session)
        self._messages.append((text, path))

    def _report(self) -> None:
        """Emit the messages of this moment as one; the tiles show those of a single stream."""
        for text, sessions in self._of_streams.items():
            if len(sessions) == 1:
                self.stream_told.emit(sessions[0], text)
        self._of_streams = {}
        texts = list(dict.fromkeys(text for text, _ in self._messages))
        paths = [path for _, path in self._messages if path is not None]
        self._messages = []
        more = len(texts) - _NAMED
        if more > 1:
            texts = [*texts[:_NAMED], tr("and {count} more, on the tiles").format(count=more)]
        if texts:
            self.told.emit(" · ".join(texts), paths[0] if paths else None)


def _is_file(name: str) -> bool:
    """Return whether a name with a suffix is of a file: it isn't if there is such a folder."""
    path = Path(name).expanduser()
    try:
        return bool(path.suffix) and not answer_within(DISK_S, path.is_dir, f"looking for {name}")
    except NoAnswerError:
        return True


def _save_image(image: ImageArray, folder: Path) -> Path:
    """Save an image of the grid, on a thread."""
    return save_png(image, folder, free_stem(folder, recording_stem(NAME), (".png",)))
