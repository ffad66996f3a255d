"""One segment of a recording: files with one stem and the same frames."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from kpviewer import overlay
from kpviewer.errors import RecordingError
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.disk import disk_call
from kpviewer.recording.files import StemClaim
from kpviewer.recording.formats import ResultHeader
from kpviewer.recording.image_folder import ImageFolder
from kpviewer.recording.label_formats import LABEL_FORMATS
from kpviewer.recording.parts import Part, identity_of, reserve
from kpviewer.recording.results import RESULT_FORMATS, ResultWriter, open_results
from kpviewer.recording.sound import SoundTrack, open_sound
from kpviewer.recording.space import SpaceLimits, SpaceWatch
from kpviewer.recording.video import VideoOptions, VideoWriter
from kpviewer.structures import FrameResult, ImageArray
from kpviewer.system.locks import turn_in

VIDEO, RAW = "video", "raw"
ENDINGS: dict[str, str] = {
    VIDEO: ".mp4",
    RAW: "_raw.mp4",
    **{kind: files[0][0] for kind, files in RESULT_FORMATS.items()},
    **{kind: f"_{kind}" for kind in LABEL_FORMATS},
}
"""Text after the stem in the file name of each output (of its first file, if several)."""


@dataclass(frozen=True, slots=True)
class SegmentOptions:
    """Outputs of a recording."""

    outputs: tuple[str, ...] = (VIDEO,)
    """Keys of ENDINGS: annotated video, raw video, result files, folders of images."""
    header: ResultHeader = field(default_factory=lambda: ResultHeader(""))
    """Description of the stream and the model, for result files and labels."""
    video: VideoOptions = field(default_factory=VideoOptions)
    limits: SpaceLimits = field(default_factory=SpaceLimits)
    image_suffix: str = ".jpg"
    sound: Path | None = None
    """File of the frames, whose sound the videos get if it has any."""
    every: int = 1
    """Interval of the frames in folders of images: every Nth."""


Render: TypeAlias = Callable[[FrameResult, OverlayStyle], ImageArray]
"""Function that paints a result, such as ``overlay.Canvas().paint``.

It returns an (H, W, 3) BGR or (H, W, 4) BGRA image, uint8, valid until the next call. It outlives
the frame's lease."""


def plain_image(result: FrameResult, style: OverlayStyle) -> ImageArray:
    """Return the frame without an overlay, but anonymised if the style is.

    Returns:
        (H, W, 3) uint8 BGR, owning its pixels.
    """
    image = overlay.image_of(result, style)
    return image.copy() if image is result.frame.bgr else image


@dataclass(frozen=True, slots=True)
class Images:
    """Images of a frame for the files, valid until those of the next; None if no file uses one.

    They outlive the frame's lease.
    """

    annotated: ImageArray | None
    plain: ImageArray | None


class Segment:
    """Writes frames to all outputs, for one thread at a time."""

    def __init__(
        self,
        folder: Path,
        stem: str,
        options: SegmentOptions,
        *,
        nominal_fps: float,
        render: Render | None = None,
    ) -> None:
        """Reserve the names; no existing file is replaced.

        Args:
            folder: folder of the files; made if it doesn't exist.
            stem: their name without suffix.
            options: what to write.
            nominal_fps: approximate number of frames per second.
            render: function that paints a result; None: an ``overlay.Canvas``.

        Raises:
            RecordingError: if there is too little space, or the folder can't be written.
        """
        self._options, self._render = options, render or overlay.Canvas().paint
        self.folder = folder
        """Folder of the files."""
        self._space = SpaceWatch(folder, options.limits)
        self._videos: dict[str, VideoWriter] = {}
        self._writers: list[ResultWriter] = []
        self._folders: list[ImageFolder] = []
        self._start_s: float | None = None
        self._last_s = 0.0
        self._sound_notice: str | None = None
        self._is_closed = False
        self.frames = 0
        """Number of frames written."""
        with ExitStack() as turn:  # else another process could find the same stem free
            with disk_call():
                turn.enter_context(turn_in(folder))
            self._claim = StemClaim(folder, stem, output_endings(options.outputs))
            try:
                for kind in options.outputs:
                    self._open(kind, folder, self._claim.stem, nominal_fps)
            except BaseException:
                self.close()
                raise
        self._identity = identity_of(folder)

    @property
    def seconds(self) -> float:
        """Length so far, in s."""
        longest = max((video.seconds for video in self._videos.values()), default=0.0)
        return longest or self._last_s

    @property
    def bytes(self) -> int:
        """Size of videos and images, in bytes."""
        folders = sum(each.bytes for each in self._folders)
        return folders + sum(video.bytes for video in self._videos.values())

    @property
    def paths(self) -> list[Path]:
        """Files with a frame; part files while they grow."""
        videos = self._videos.values()
        paths = [video.path if self._is_closed else video.part.path for video in videos]
        paths += [writer.path for writer in self._writers if self.frames]
        paths += [each.path for each in self._folders]
        return [path for path in paths if path is not None]

    @property
    def notes(self) -> list[str]:
        """Notes for the user on results that files leave out, and why."""
        return [note for writer in self._writers for note in writer.notes]

    def prepare(self, result: FrameResult, style: OverlayStyle) -> Images:
        """Return the images of a frame to write; its buffer may be released then."""
        needs_plain = RAW in self._videos or any(each.needs_next for each in self._folders)
        return Images(
            self._render(result, style) if VIDEO in self._videos else None,
            plain_image(result, style) if needs_plain else None,
        )

    def write(self, result: FrameResult, images: Images, time_s: float) -> None:
        """Add a frame.

        Raises:
            RecordingError: if the disk is full or fails; ``close`` then keeps the frames so far.
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
        self._identity = self._identity or identity_of(self.folder)
        self._space.check(self.bytes / max(self._last_s, 1.0))

    def missing(self) -> str | None:
        """Return the name of a file that was removed, moved or is unreachable; None if none is."""
        for part in self._parts:
            if not part.is_there():
                return part.name
        for each in self._folders:
            if not each.is_there():
                return each.name
        return None

    def forget_lost_folders(self) -> list[str]:
        """Forget the folders of images that were removed or moved; return their names."""
        lost = [each for each in self._folders if not each.is_there()]
        self._folders = [each for each in self._folders if each not in lost]
        return [each.name for each in lost]

    def is_folder_there(self) -> bool:
        """Return whether the folder is still the one in which the files were made."""
        return self._identity is not None and self._identity == identity_of(self.folder)

    def rescue_to(self, folder: Path) -> None:
        """Make ``close`` save files whose names are gone in another folder."""
        for part in self._parts:
            part.rescue_folder = folder

    def close(self) -> None:
        """Finish the files and give them their final names; those without a frame are removed.

        Raises:
            RecordingError: if one can't be finished; the others are finished anyway.
        """
        failure: Exception | None = None
        self._is_closed = True
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
        self._claim.release()
        if failure is not None:
            raise failure

    @property
    def notices(self) -> list[str]:
        """Messages for the user, such as about missing sound."""
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
            part = reserve(folder, stem + ending.removesuffix(ENDINGS[VIDEO]), ENDINGS[VIDEO])
            sound = self._open_sound()
            self._videos[kind] = VideoWriter(part, nominal_fps, options.video, sound)
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


def output_endings(outputs: tuple[str, ...]) -> list[str]:
    """Return the text after the stem in the name of every file and folder."""
    files = [(suffix for suffix, _ in RESULT_FORMATS.get(kind, ())) for kind in outputs]
    others = [ENDINGS[kind] for kind in outputs if kind not in RESULT_FORMATS]
    return [*chain.from_iterable(files), *others]
