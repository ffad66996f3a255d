"""Source whose frames are rotated or mirrored: the model, the window and files see them turned."""

from collections.abc import Callable
from dataclasses import replace

from kpviewer.sources.base import (
    OPEN_TIMEOUT_S,
    Allocate,
    Captured,
    FrameSource,
    Scratch,
    copy_into,
)
from kpviewer.sources.orientation import turned
from kpviewer.sources.turn import Turn
from kpviewer.structures import StreamInfo


class TurnedSource:
    """FrameSource over another one."""

    def __init__(self, source: FrameSource, turn_of: Callable[[StreamInfo], Turn]) -> None:
        self.original = source
        """Source that delivers the frames."""
        self._turn_of = turn_of
        self._turn = Turn()
        self._is_open_ahead = False
        self._scratch = Scratch()

    @property
    def info(self) -> StreamInfo:
        """Description of the source, with the size of its turned frames."""
        return self._described(self.original.info)

    @property
    def next_index(self) -> int:
        """Index of the frame that the next ``read`` returns."""
        return self.original.next_index

    @property
    def warning(self) -> str | None:
        """Problem for the user; None if there is none."""
        return self.original.warning

    @property
    def open_timeout_s(self) -> float:
        """Time limit for opening, s."""
        return float(getattr(self.original, "open_timeout_s", OPEN_TIMEOUT_S))

    @property
    def silence_s(self) -> float | None:
        """Seconds without data of a source that listens; None for others."""
        silence_s: float | None = getattr(self.original, "silence_s", None)
        return silence_s

    @property
    def usual_gap_s(self) -> float:
        """Approximate longest time between two frames of a source that listens; 0 for others."""
        return float(getattr(self.original, "usual_gap_s", 0.0))

    def open_ahead(self) -> None:
        """Do what the next ``open`` would do, so that it can't fail. Raises SourceError."""
        self.open()
        self._is_open_ahead = True

    def open(self) -> StreamInfo:
        """Open the source. Raises SourceError if that fails."""
        if self._is_open_ahead:
            self._is_open_ahead = False
            return self.info
        info = self.original.open()
        self._turn = self._turn_of(info)
        return self._described(info)

    def read(self, allocate: Allocate) -> Captured | None:
        """Read the next frame and turn it into a buffer; None at the end. May raise SourceError."""
        if self._turn == Turn():
            return self.original.read(allocate)
        captured = self.original.read(self._scratch.allocate)
        if captured is None:
            return None
        height, width = captured.bgr.shape[:2]
        true = captured.ground_truth
        return replace(
            captured,
            bgr=copy_into(turned(captured.bgr, self._turn.orientation), allocate),
            ground_truth=None if true is None else self._turn.ground_truth(true, (width, height)),
        )

    def seek(self, index: int) -> None:
        """Make frame ``index`` the next one. Raises SourceError if that isn't possible."""
        self.original.seek(index)

    def interrupt(self) -> None:
        """Cut a blocked call short, if the source supports that."""
        interrupt = getattr(self.original, "interrupt", None)
        if interrupt is not None:
            interrupt()

    def close(self) -> None:
        """Close the source."""
        self._is_open_ahead = False
        self.original.close()

    def _described(self, info: StreamInfo) -> StreamInfo:
        if self._turn == Turn():
            return info
        width, height = info.width, info.height
        if self._turn.swaps_sides:
            width, height = height, width
        return replace(info, width=width, height=height, turn=str(self._turn))
