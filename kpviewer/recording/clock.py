"""Time of a frame in a recording: seconds since its start, always increasing."""

from __future__ import annotations

from dataclasses import dataclass

from kpviewer.structures import Frame, StreamInfo

_JUMP_S = 1.0
"""Gap in media time, in s, from which on the user has skipped the frames between."""
DEFAULT_FPS = 25.0
"""Rate of sources that have none, such as folders of images."""


@dataclass(slots=True)
class FrameClock:
    """Computes the time of each frame of one stream, in the order of recording.

    It follows the time of capture (as a viewer saw the frames) or the media time (as in the file,
    however fast it is read). Media time has no gap after a seek.
    """

    fps: float
    """Frames per second, for the distance of frames after a cut."""
    by_media_time: bool = False
    max_gap_s: float | None = None
    """Longest gap in s, to which longer ones such as a pause are cut; None keeps all."""
    _last_raw_s: float | None = None
    _last_index: int = -1
    _now_s: float = 0.0
    _is_cut: bool = False

    @classmethod
    def of_viewer(cls, info: StreamInfo) -> FrameClock:
        """Return the clock of a viewer: live streams in real time, files without pauses."""
        return cls(info.nominal_fps or DEFAULT_FPS, max_gap_s=None if info.is_live else 1.0)

    @classmethod
    def of_media(cls, info: StreamInfo) -> FrameClock:
        """Return a clock at the file's own speed; a live stream has only the time of capture."""
        return cls(info.nominal_fps or DEFAULT_FPS, by_media_time=not info.is_live)

    def seconds(self, frame: Frame) -> float:
        """Return the time of the next frame in s; the first has 0.

        A frame that is earlier in the file, as after a seek, follows at the usual distance.
        """
        raw_s = frame.captured_ns / 1e9
        if self.by_media_time:
            raw_s = frame.index / self.fps if frame.position_s is None else frame.position_s
        if self._last_raw_s is not None:
            step_s = raw_s - self._last_raw_s
            is_next = frame.index == self._last_index + 1
            is_jump = self.by_media_time and step_s > _JUMP_S and not is_next
            if step_s <= 0 or self._is_cut or is_jump:
                step_s = 1 / self.fps
            self._now_s += step_s if self.max_gap_s is None else min(step_s, self.max_gap_s)
        self._last_raw_s, self._last_index, self._is_cut = raw_s, frame.index, False
        return self._now_s

    def cut(self) -> None:
        """Leave no gap before the next frame, whenever it arrives."""
        self._is_cut = True
