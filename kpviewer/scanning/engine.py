"""Engine that takes candidates from a scan, and runs a model only on frames that it lacks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path

from kpviewer.errors import ScanError
from kpviewer.pipeline.protocols import EngineResult, InferenceEngine, infer_all, spare_on_cpu
from kpviewer.pipeline.wrapping import WrappingEngine
from kpviewer.scanning.columns import CandidateColumns
from kpviewer.scanning.scan_file import open_scan, read_to_end
from kpviewer.structures import Candidates, Frame, ImageArray
from kpviewer.system.paths import shortened

_KEPT = 128
"""Number of frames that may be asked for again: more than a batch has."""


class ScanLookup:
    """Candidates of frames in a scan file, asked for in ascending order; memory stays bounded.

    Frames that are added later aren't found.

    Raises:
        ScanError: if the file isn't a scan.
    """

    def __init__(self, path: Path) -> None:
        reader = read_to_end(open_scan(path))  # a damaged one is refused before anything is written
        self._parts, self._name = self._read(path), shortened(path.name)
        self._ready: OrderedDict[int, Candidates] = OrderedDict()
        self.frames = reader.frames
        """Number of frames in the file."""
        self.last_index = reader.last_index
        """Index of the last of them; -1 without any."""
        assert reader.header is not None
        self.floor = reader.header.floor
        """Lowest score that the scan keeps."""
        self.is_complete = reader.is_complete
        """Whether the source was scanned to its end."""
        self._reached = -1

    def find(self, index: int) -> Candidates | None:
        """Return the candidates of a frame; None if the scan lacks it.

        Raises:
            ScanError: if the file was replaced or damaged meanwhile.
        """
        while self._reached < min(index, self.last_index):
            found = next(self._parts, None)
            if found is None:
                raise ScanError(f"{self._name} was cut while it was read. Scan again.")
            self._reached, candidates = found
            if self._reached >= index:
                self._ready[self._reached] = candidates
            while len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        return self._ready.get(index)

    @staticmethod
    def _read(path: Path) -> Iterator[tuple[int, Candidates]]:
        reader = open_scan(path)
        while chunks := reader.read_new(max_bytes=1):
            for chunk in chunks:
                columns: CandidateColumns = chunk.columns
                for row, index in enumerate(columns.frame_index.tolist()):
                    yield index, columns.candidates(row)


class ScannedEngine(WrappingEngine):
    """Engine that looks candidates up, and runs another on the frames that a scan lacks."""

    def __init__(self, engine: InferenceEngine, lookup: ScanLookup) -> None:
        self._engine, self._lookup = engine, lookup

    @property
    def engine(self) -> InferenceEngine:
        """Engine of the frames that the scan lacks."""
        return self._engine

    @property
    def floor(self) -> float:
        """Lowest score that the candidates of all frames have."""
        inside = self._engine.floor if isinstance(self._engine, ScannedEngine) else 0.0
        return max(self._lookup.floor, inside)

    def on_cpu(self) -> ScannedEngine | None:
        """Return the same engine on the CPU; None if there is none."""
        spare = spare_on_cpu(self._engine)
        return None if spare is None else ScannedEngine(spare, self._lookup)

    def infer(self, bgr: ImageArray) -> EngineResult:
        """Run the model on an image that isn't known to be a frame."""
        return self._engine.infer(bgr)

    def infer_frames(self, frames: Sequence[Frame]) -> list[EngineResult]:
        """Return the candidates of each frame, in order; times are 0 for those of the scan."""
        found = [self._lookup.find(frame.index) for frame in frames]
        lacking = [frame for frame, known in zip(frames, found, strict=True) if known is None]
        new = iter(infer_all(self._engine, lacking))
        return [next(new) if known is None else (known, (0.0, 0.0, 0.0)) for known in found]
