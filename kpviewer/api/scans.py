"""Scan files in a program or a notebook."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from kpviewer.errors import InputError, ScanError
from kpviewer.models.selection import select
from kpviewer.models.spec import ModelSpec
from kpviewer.models.tables import shown
from kpviewer.runtime.thresholds import ThresholdArguments, thresholds_with
from kpviewer.scanning.header import ScanHeader
from kpviewer.scanning.scan_file import chunks_of, open_scan, read_to_end
from kpviewer.structures import Detections, Thresholds
from kpviewer.system.paths import named_path, shortened


@dataclass(frozen=True, slots=True, eq=False)
class ScanFrame:
    """One frame of a scan."""

    index: int
    """Frame number in the source, from 0."""
    position_s: float | None
    """Media time in seconds; None if the source has none."""
    file: str | None
    """File that the frame comes from, relative to the opened folder; None if there is no file."""
    detections: Detections
    """Detections at the chosen thresholds."""


class Scan:
    """What a model found in every frame of a source; ``read_scan`` opens one.

    ``len`` is the number of frames. Frames are read from the file as they are asked for.
    """

    def __init__(self, path: Path) -> None:
        reader = read_to_end(open_scan(path))
        assert reader.header is not None
        self.path = path
        self.header: ScanHeader = reader.header
        """Model, source and floor."""
        self.is_complete = reader.is_complete
        """Whether the source was scanned to its end."""
        self._frames = reader.frames

    @property
    def spec(self) -> ModelSpec:
        """Description of the model."""
        return self.header.spec

    def __len__(self) -> int:
        """Return the number of frames."""
        return self._frames

    def __repr__(self) -> str:
        """Return source, model and number of frames."""
        head = self.header
        return f"<Scan of {head.source} with {self.spec.name}, {len(self)} frames>"

    def frames(self, **thresholds: Unpack[ThresholdArguments]) -> Iterator[ScanFrame]:
        """Select detections in all frames, in order.

        Args:
            **thresholds: fields of ``Thresholds`` that replace the model's own, as a ``Model``
                takes them: ``score``, ``iou``, ``nms``, ``classes`` and so on.

        Returns:
            Iterator of the frames.

        Raises:
            InputError: if a threshold has the wrong type or value, or is below the scan's floor.
            ScanError: while iterating, if the file was replaced by another scan, or can't be read.
        """
        chosen = thresholds_with(self.spec, thresholds)
        least = chosen.least_score
        if least < self.header.floor:
            raise InputError(
                f"This scan keeps scores of at least {self.header.floor:g}, got {least:g}. "
                "Use a higher score."
            )
        return self._selected(chosen)

    def _selected(self, thresholds: Thresholds) -> Iterator[ScanFrame]:
        """Yield the frames that the file had when it was opened; it may grow."""
        reader, left = open_scan(self.path), len(self)
        if reader.header != self.header:
            raise ScanError(
                f"{shortened(self.path.name)} was replaced since it was opened. Open it again."
            )
        for chunk in chunks_of(reader):
            columns = chunk.columns
            for row, index in enumerate(columns.frame_index[:left].tolist()):
                position_s = float(columns.position_s[row])
                yield ScanFrame(
                    index,
                    None if math.isnan(position_s) else position_s,
                    (chunk.files[row] or None) if chunk.files else None,
                    select(columns.candidates(row), thresholds),
                )
            left -= min(left, len(columns))


def read_scan(path: str | Path) -> Scan:
    """Open a scan file, which ``kpviewer process --scan`` or the window wrote.

    Args:
        path: file that ends in ``.kpv``.

    Returns:
        The scan; the file is checked to its end.

    Raises:
        InputError: if ``path`` isn't a path.
        ScanError: if it is missing, damaged or no scan.
    """
    if not isinstance(path, str | Path):
        raise InputError(f"A scan must be a path, got {shown(path)}.")
    return Scan(named_path(path, ScanError).absolute())  # read again when the folder may be another
