"""Report of ``process``: the page of ``eval`` on the frames of one source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpviewer.errors import DatasetError
from kpviewer.evaluation.frames import FramesCollector
from kpviewer.evaluation.report import Setting
from kpviewer.processing.names import REPORT_ENDING
from kpviewer.recording.files import free_stem, source_stem

if TYPE_CHECKING:
    from pathlib import Path

    from kpviewer.pipeline.protocols import InferenceEngine
    from kpviewer.structures import FrameResult, StreamInfo, Thresholds


class SourceReport:
    """Collector of one source's results; ``save`` writes the page.

    Args:
        engine: engine of the model.
        thresholds: thresholds of precision, recall and the worst frames.
        folder: folder that gets ``NAME_report``.
    """

    def __init__(self, engine: InferenceEngine, thresholds: Thresholds, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._frames = FramesCollector(engine.spec, thresholds)

    def accept(self, result: FrameResult) -> None:
        """Take a result."""
        self._frames.accept(result)

    def save(self, info: StreamInfo | None, stem: str | None = None) -> Path:
        """Write the page and return its path; main thread only.

        Args:
            info: description of the source; None if it was never open.
            stem: start of the folder's name; None: the source's name.

        Raises:
            DatasetError: if no frame had ground truth.
            RecordingError: if it can't be written.
        """
        if info is None or not len(self._frames):
            name = info.name if info is not None else "the source"
            raise DatasetError(
                f"No report: no frame of {name} has ground truth. "
                "Name its annotations with --ground-truth."
            )
        setting = Setting.of(self._engine, info.name)
        stem = free_stem(self._folder, stem or source_stem(info.name), [REPORT_ENDING])
        return self._frames.report(setting).save(self._folder / f"{stem}{REPORT_ENDING}")
