"""The files of one stretch of a recording: they have one stem and the same frames."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Protocol

from kpviewer import overlay
from kpviewer.errors import RecordingError
from kpviewer.recording.files import free_stem
from kpviewer.recording.formats import ResultHeader
from kpviewer.recording.image_folder import ImageFolder
from kpviewer.recording.label_formats import LABEL_FORMATS
from kpviewer.recording.parts import identity_of
from kpviewer.recording.recording import Recording, SpaceLimits, SpaceWatch
from kpviewer.recording.results import RESULT_FORMATS, ResultWriter, open_results
from kpviewer.recording.sound import open_sound
from kpviewer.recording.video import VideoOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kpviewer.overlay import OverlayStyle
    from kpviewer.recording.parts import Part
    from kpviewer.recording.sound import SoundTrack
    from kpviewer.structures import FrameResult, ImageArray

VIDEO, RAW = "video", "raw"
ENDINGS: dict[str, str] = {
    VIDEO: ".mp4",
    RAW: "_raw.mp4",
    **{kind: files[0][0] for kind, files in RESULT_FORMATS.items()},
    **{kind: f"_{kind}" for kind in LABEL_FORMATS},
}
"""What follows the stem in the name of each output; of its first file where it has several."""


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """What is written."""

    outputs: tuple[str, ...] = (VIDEO,)
    """Keys of ENDINGS: annotated video, video as it came, result files, folders of images."""
    header: ResultHeader = field(default_factory=lambda: ResultHeader(""))
    """For result files and labels."""
    video: VideoOptions = field(default_factory=VideoOptions)
    limits: SpaceLimits = field(default_factory=SpaceLimits)
    image_suffix: str = ".jpg"
    sound: Path | None = None
    """File whose sound the videos get, if it has any; that of the frames."""
    every: int = 1
    """Of how many frames one goes to the folders of images."""


class Render(Protocol):
    """Paints a result; ``overlay.render`` is one."""

    def __call__(self, result: FrameResult, style: OverlayStyle, /) -> ImageArray:
        """Give the (H, W, 3) uint8 image, with pixels of its own."""


def plain_image(result: FrameResult, style: OverlayStyle) -> ImageArray:
    """Give the frame without an overlay, as it may be shown: what the style hides stays hidden.

    Returns:
        (H, W, 3) uint8 BGR, owning its pixels.
    """
    image = overlay.image_of(result, style)
    return image.copy() if image is result.frame.bgr else image


@dataclass(frozen=True, slots=True)
class Images:
    """What a frame looks like in the files, in pixels of its own; None where none wants it."""

    annotated: ImageArray | None
    plain: ImageArray | None


class Segment:
    """Writes frames to all wanted files, for one thread at a time."""

    def __init__(
        self,
        folder: Path,
        stem: str,
        options: SegmentOptions,
        *,
        nominal_fps: float,
        render: Render = overlay.render,
    ) -> None:
        """Take the names; an existing file is never replaced.

        Raises:
            RecordingError: if there is too little space, or the folder can't be written.
        """
        self._options, self._render = options, render
        self._folder = folder
        stem = free_stem(folder, stem, _endings(options.outputs))
        self._space = SpaceWatch(folder, options.limits)
        self._videos: dict[str, Recording] = {}
        self._writers: list[ResultWriter] = []
        self._folders: list[ImageFolder] = []
        self._start_s: float | None = None
        self._last_s = 0.0
        self._sound_notice: str | None = None
        self.frames = 0
        """How many were written."""
        try:
            for kind in options.outputs:
                self._open(kind, folder, stem, nominal_fps)
        except BaseException:
            self.close()
            raise
        self._identity = identity_of(folder)

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self._folder

    @property
    def seconds(self) -> float:
        """Length so far."""
        longest = max((video.seconds for video in self._videos.values()), default=0.0)
        return longest or self._last_s

    @property
    def bytes(self) -> int:
        """Size of videos and images."""
        folders = sum(each.bytes for each in self._folders)
        return folders + sum(video.bytes for video in self._videos.values())

    @property
    def paths(self) -> list[Path]:
        """The files, parts while they grow; those that hold something."""
        paths = [video.path for video in self._videos.values()]
        paths += [writer.path for writer in self._writers if self.frames]
        paths += [each.path for each in self._folders]
        return [path for path in paths if path is not None]

    @property
    def notes(self) -> list[str]:
        """What the files lack, and why, for people."""
        return [note for writer in self._writers for note in writer.notes]

    def prepare(self, result: FrameResult, style: OverlayStyle) -> Images:
        """Copy or paint what will be written of a frame; its buffer is free then."""
        wants_plain = RAW in self._videos or any(each.wants_next for each in self._folders)
        return Images(
            self._render(result, style) if VIDEO in self._videos else None,
            plain_image(result, style) if wants_plain else None,
        )

    def write(self, result: FrameResult, images: Images, time_s: float) -> None:
        """Add a frame.

        Args:
            result: its own image isn't looked at.
            images: from ``prepare``.
            time_s: of any clock; the first frame has 0 in the files.

        Raises:
            RecordingError: if the disk is full or refuses; ``close`` then keeps what there is.
        """
        self._start_s = time_s if self._start_s is None else self._start_s
        self._last_s = time_s - self._start_s
        for kind, image in ((VIDEO, images.annotated), (RAW, images.plain)):
            if image is not None and kind in self._videos:
                self._videos[kind].write(image, self._last_s, result.frame.position_s)
        for each in self._folders:
            each.write(result, images.plain)
        for writer in self._writers:
            writer.accept(result)
            if writer.failure is not None:
                raise RecordingError(writer.failure)
        self.frames += 1
        self._identity = self._identity or identity_of(self._folder)
        self._space.check(self.bytes / max(self._last_s, 1.0))

    def missing(self) -> str | None:
        """Return the name of a file that was removed or moved, or can't be reached any more."""
        for part in self._parts:
            if not part.is_there():
                return part.name
        for each in self._folders:
            if each.path is not None and not each.is_there():
                return each.path.name
        return None

    def is_folder_there(self) -> bool:
        """Return whether the folder is still the one in which the files were begun."""
        return self._identity is not None and self._identity == identity_of(self._folder)

    def rescue_to(self, folder: Path) -> None:
        """Let ``close`` save files whose names are gone in another folder."""
        for part in self._parts:
            part.rescue_folder = folder

    def close(self) -> None:
        """Finish the files and give them their names; those without a frame are removed.

        Raises:
            RecordingError: the first thing that can't be finished; the others are.
        """
        failure: Exception | None = None
        closers: list[Callable[[], object]] = [video.close for video in self._videos.values()]
        closers += [writer.close for writer in self._writers]
        for close in closers:
            try:
                close()
            except Exception as error:
                failure = failure or error
        if not self.frames:
            for writer in self._writers:
                if writer.path is not None:
                    writer.path.unlink(missing_ok=True)
        if failure is not None:
            raise failure

    @property
    def notices(self) -> list[str]:
        """What the files lack, for the user."""
        ended = [video.sound_failure for video in self._videos.values()]
        return [text for text in (self._sound_notice, *ended) if text is not None]

    def _open_sound(self) -> SoundTrack | None:
        try:
            return open_sound(self._options.sound)
        except RecordingError as error:
            self._sound_notice = str(error)
            return None

    @property
    def _parts(self) -> list[Part]:
        videos = [video.part for video in self._videos.values()]
        return videos + [writer.part for writer in self._writers]

    def _open(self, kind: str, folder: Path, stem: str, nominal_fps: float) -> None:
        options, ending = self._options, ENDINGS[kind]
        if kind in (VIDEO, RAW):
            self._videos[kind] = Recording(
                folder,
                stem + ending.removesuffix(ENDINGS[VIDEO]),
                nominal_fps=nominal_fps,
                video=options.video,
                limits=replace(options.limits, to_start=0),
                sound=self._open_sound(),
            )
        elif kind in RESULT_FORMATS:
            self._writers += open_results(kind, folder, stem, options.header)
        else:
            self._folders.append(
                ImageFolder(
                    folder / (stem + ending),
                    kind,
                    options.header,
                    stem=stem,
                    image_suffix=options.image_suffix,
                    every=options.every,
                )
            )


def _endings(outputs: tuple[str, ...]) -> list[str]:
    """Return what follows the stem in the name of every file and folder."""
    files = [(suffix for suffix, _ in RESULT_FORMATS.get(kind, ())) for kind in outputs]
    others = [ENDINGS[kind] for kind in outputs if kind not in RESULT_FORMATS]
    return [*chain.from_iterable(files), *others]
