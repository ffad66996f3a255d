"""Scan file of ``process``: where it lies, what it has, and what is still to be scanned."""

from __future__ import annotations

from pathlib import Path

from kpviewer.errors import ScanError
from kpviewer.pipeline.pipeline import Pipeline
from kpviewer.pipeline.protocols import InferenceEngine, content_hash
from kpviewer.processing.names import stem_of
from kpviewer.recording.files import candidates
from kpviewer.scanning.cache import cached_path, forget, scans_folder, trim_cache
from kpviewer.scanning.engine import ScanLookup, ScannedEngine
from kpviewer.scanning.fingerprint import fingerprint_of, is_turned_otherwise
from kpviewer.scanning.header import ScanHeader, header_for
from kpviewer.scanning.scan_file import SUFFIX, ScanReader, open_scan, read_to_end
from kpviewer.scanning.scan_writer import ScanWriter
from kpviewer.scanning.sink import ScanSink
from kpviewer.structures import FrameResult, StreamInfo, Thresholds


def engine_with_scans(
    source: str | None,
    engine: InferenceEngine,
    from_scan: Path | None,
    scan: SourceScan | None,
    thresholds: Thresholds | None,
    turn: str = "",
) -> tuple[InferenceEngine, str | None]:
    """Return an engine that takes candidates from scans where they have the frame, and a note.

    Args:
        source: source as a user names it.
        engine: engine for the other frames.
        from_scan: scan to read; None: none.
        scan: scan to continue; None: none.
        thresholds: thresholds of other files that are written; None: none are.
        turn: how the frames are rotated and mirrored (``StreamInfo.turn``).

    Raises:
        ScanError: if a scan is damaged, of another source or model, or doesn't keep the scores
            that the thresholds need.
    """
    note = None
    if from_scan is not None:
        header = open_scan(from_scan).header
        assert header is not None
        _check_fits(header, from_scan, *_identity(source, engine, turn))
        _check_floor(header, from_scan, thresholds)
        lookup = ScanLookup(from_scan)
        engine = ScannedEngine(engine, lookup)
        if not lookup.is_complete:
            note = (
                f"{from_scan.name} ends after {lookup.frames} frames; the model runs on later ones"
            )
    return engine if scan is None else scan.continued(engine, thresholds), note


class SourceScan:
    """Scan of one source: a sink for its results, which begins or continues the file.

    Args:
        source: source as a user names it.
        engine: engine of the model.
        file: file to write; None: ``STEM.kpv`` in ``folder``, or the next free name.
        folder: folder of a file that isn't named.
        turn: how the frames are rotated and mirrored (``StreamInfo.turn``).
        stem: name without suffix of a file that isn't named; None: the source's.

    Raises:
        ScanError: if the source is live, or the file is damaged or of another source or model.
    """

    def __init__(
        self,
        source: str | None,
        engine: InferenceEngine,
        file: Path | None,
        folder: Path,
        turn: str = "",
        stem: str | None = None,
    ) -> None:
        self._engine = engine
        self._fingerprint, self._model_hash = _identity(source, engine, turn)
        self._before: ScanReader | None
        if file is not None:
            self.path, self._before = file, self._fitting(file)
        else:
            self.path, self._before = self._own_or_free(folder, stem or stem_of(source))
        if self.path.parent == scans_folder():
            trim_cache(keep=[self.path])
        self._sink: ScanSink | None = None
        self.frames_skipped = 0
        """Number of frames that needn't be read, because the file has them."""

    def _fitting(self, path: Path) -> ScanReader | None:
        """Return a reader of a scan to continue; None if there is none.

        One in the cache that can't be continued is removed: nobody chose its name, and nobody
        would find it to remove it.
        """
        is_cached = path.parent == scans_folder()
        try:
            before = _read(path)
        except ScanError:
            if not is_cached or not forget(path):
                raise
            return None
        try:
            if before is not None and before.header is not None:
                _check_fits(before.header, path, self._fingerprint, self._model_hash)
        except ScanError as error:
            if not is_cached:
                raise
            if path != cached_path(self._fingerprint, self._model_hash):
                raise ScanError(
                    "The source or the model has changed since it was opened. Open it again."
                ) from error
            if not forget(path):
                raise
            return None
        return before

    def _own_or_free(self, folder: Path, stem: str) -> tuple[Path, ScanReader | None]:
        """Return the scan of this source and model in a folder, or the first free name."""
        for path in candidates(folder, stem, SUFFIX):
            try:
                before = _read(path)
            except ScanError:  # some other file
                continue
            header = before.header if before is not None else None
            if header is None or header.fits(self._fingerprint, self._model_hash):
                return path, before
        raise ScanError(f"{folder} has too many files named {stem}{SUFFIX}. Choose another folder.")

    @property
    def frames_before(self) -> int:
        """Number of frames that the file had."""
        return self._before.frames if self._before is not None else 0

    @property
    def is_complete(self) -> bool:
        """Whether the file had every frame."""
        return self._before is not None and self._before.is_complete

    @property
    def notes(self) -> list[str]:
        """Sentences for the user on what the file lacks, and why."""
        if self._sink is None or not self._sink.skipped:
            return []
        return [
            f"{self.path.name} lacks {self._sink.skipped} candidates whose coordinates aren't "
            "finite numbers"
        ]

    def continued(self, engine: InferenceEngine, thresholds: Thresholds | None) -> InferenceEngine:
        """Return an engine that takes the frames of the file from it.

        Args:
            engine: engine for the other frames.
            thresholds: thresholds of files that are written beside the scan; None: none are.

        Raises:
            ScanError: if the file doesn't keep the scores that the thresholds need.
        """
        header = self._before.header if self._before is not None else None
        if not self.frames_before or header is None:
            return engine
        _check_floor(header, self.path, thresholds)
        return ScannedEngine(engine, ScanLookup(self.path))

    def resume(self, pipeline: Pipeline, *, is_alone: bool) -> str:
        """Begin at the first missing frame if no other file needs those before; return a note."""
        assert self._before is not None
        if is_alone:
            pipeline.seek(self._before.last_index + 1)
            self.frames_skipped = self.frames_before
        header = self._before.header
        count = header.frame_count if header is not None else None
        total = f" of {count}" if count is not None else ""
        return f"continuing {self.path} after {self.frames_before}{total} frames"

    def begin(self, info: StreamInfo) -> None:
        """Open the file for the results of an open source, after its first frame.

        Raises:
            KpviewerError: if it can't be written, or another program writes it.
        """
        before = self._before
        if before is not None and before.header is not None:
            writer, header = ScanWriter(self.path, after=before), before.header
        else:
            header = header_for(info, self._fingerprint, self._engine, self._model_hash)
            writer = ScanWriter(self.path, header, before)
        self._sink = ScanSink(writer, header, before.last_index if before is not None else -1)

    def accept(self, result: FrameResult) -> None:
        """Write the candidates of a frame, unless the file has them."""
        if self._sink is not None and not self.is_complete:
            self._sink.accept(result)

    def close(self, info: StreamInfo | None, *, is_complete: bool) -> None:
        """Finish the file.

        Raises:
            KpviewerError: if it can't be written.
        """
        if self._sink is None and is_complete and info is not None and self.frames_before:
            self.begin(info)  # there was no frame after those that the file had
        if self._sink is not None:
            self._sink.close(is_complete=is_complete and not self.is_complete)


def _read(path: Path) -> ScanReader | None:
    """Return a reader that has read a file to its end; None if there is no file.

    Raises:
        ScanError: if it isn't a scan.
    """
    return read_to_end(ScanReader(path)) if path.exists() else None


def _identity(source: str | None, engine: InferenceEngine, turn: str) -> tuple[str, str]:
    """Return the fingerprint of a source and the hash of a model.

    Raises:
        ScanError: if either has none.
    """
    fingerprint = fingerprint_of(source, turn)
    if fingerprint is None:
        raise ScanError(
            "Only files, folders and the demos can be scanned. Record a live source first."
        )
    model_hash = content_hash(engine)
    if model_hash is None:
        raise ScanError(
            f"{engine.spec.name} can't be used for a scan: its file has changed or can't be read "
            "any more. Open the model again."
        )
    return fingerprint, model_hash


def _check_fits(header: ScanHeader, path: Path, fingerprint: str, model_hash: str) -> None:
    if header.model_hash != model_hash:
        raise ScanError(
            f"{path.name} was made with another model ({header.model}). Name another file."
        )
    if is_turned_otherwise(header.fingerprint, fingerprint):
        raise ScanError(
            f"{path.name} is a scan of frames that are rotated or mirrored otherwise. Scan again, "
            "or name another file."
        )
    if header.fingerprint != fingerprint:
        raise ScanError(
            f"{path.name} is a scan of another source ({header.source}). Name another file."
        )


def _check_floor(header: ScanHeader, path: Path, thresholds: Thresholds | None) -> None:
    if thresholds is not None and thresholds.least_score < header.floor:
        raise ScanError(
            f"{path.name} keeps scores of at least {header.floor:g}, got --conf "
            f"{thresholds.least_score:g}. Raise --conf, or leave out the scan."
        )
