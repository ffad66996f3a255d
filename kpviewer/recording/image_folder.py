"""A folder of frames with their labels: a draft of a data set that labelling programs open."""

from __future__ import annotations

import contextlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from kpviewer.errors import RecordingError
from kpviewer.overlay.jpeg import encoded
from kpviewer.recording.disk import asking_disk
from kpviewer.recording.files import PART_SUFFIX, utf8_of
from kpviewer.recording.label_formats import LABEL_FORMATS
from kpviewer.recording.parts import identity_of
from kpviewer.recording.reasons import reason_of

if TYPE_CHECKING:
    from pathlib import Path

    from kpviewer.recording.formats import ResultHeader
    from kpviewer.structures import Frame, FrameResult, ImageArray

IMAGE_KINDS = {".jpg": ("JPEG", 95), ".png": ("PNG", 80)}
"""Qt's name and quality by suffix; that of PNG is how hard it is compressed, here a little."""


class ImageFolder:
    """Writes every Nth frame to a folder, for one thread.

    An image gets its name once it is complete, after its labels: whatever is cut off, no image
    lacks its labels. The same frame twice, as after a seek, is written once more in its place.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        header: ResultHeader,
        *,
        stem: str,
        image_suffix: str = ".jpg",
        every: int = 1,
    ) -> None:
        """Make nothing yet.

        Args:
            path: of the folder; it must not be there.
            kind: a key of LABEL_FORMATS.
            header: of the stream and the model.
            stem: beginning of the names of frames that come from no file; their number follows.
            image_suffix: a key of IMAGE_KINDS.
            every: write each so many frames, from the first on.
        """
        self._place = path
        self._labels = LABEL_FORMATS[kind](header)
        self._stem, self._suffix, self._every = stem, image_suffix, every
        self._came = 0
        self._names: dict[str, tuple[str | None, int]] = {}
        """What each name was given to."""
        self._images: set[str] = set()
        self._identity: tuple[int, int] | None = None
        self.bytes = 0
        """Size of all that was written."""

    @property
    def path(self) -> Path | None:
        """The folder; None as long as nothing came."""
        return self._place if self._images else None

    def is_there(self) -> bool:
        """Return whether the folder is still the one that was made, or none was."""
        return self._identity is None or self._identity == identity_of(self._place)

    @property
    def images(self) -> int:
        """How many images there are."""
        return len(self._images)

    @property
    def wants_next(self) -> bool:
        """Whether the next frame will be written."""
        return self._came % self._every == 0

    def write(self, result: FrameResult, bgr: ImageArray | None) -> None:
        """Add a frame.

        Args:
            result: where its detections come from; its image isn't looked at.
            bgr: (H, W, 3) uint8, as it may be saved; None only where ``wants_next`` is false.

        Raises:
            RecordingError: if it can't be written.
        """
        is_wanted = self.wants_next
        self._came += 1
        if not is_wanted or bgr is None:
            return
        try:
            if not self._images:
                self._begin()
            self._write(self._name_of(result.frame), result, bgr)
        except (OSError, ValueError) as error:
            raise RecordingError(f"{self._place.name} is incomplete: {reason_of(error)}") from error

    def _name_of(self, frame: Frame) -> str:
        """Return the path of a frame's image and labels, without suffix: that of its file.

        Two files of one name, such as a.jpg and a.png, get names of their own.
        """
        path, number = frame.file, frame.frame_in_file
        key = (path, frame.index if number is None and path is None else number or 0)
        if path is None:
            name = f"{self._stem}_{frame.index:06d}"
        else:
            inside = [part for part in PurePosixPath(path).parts if part not in ("..", "/")]
            name = str(PurePosixPath(*inside).with_suffix(""))
            name += "" if number is None else f"_{number:06d}"
        unique, count = name, 1
        while self._names.get(unique, key) != key:
            count += 1
            unique = f"{name}_{count}"
        self._names[unique] = key
        return unique

    def _begin(self) -> None:
        with asking_disk():
            self._place.mkdir(parents=True)
            for name in (self._labels.images, self._labels.labels):
                (self._place / name).mkdir()
        for name, text in self._labels.beside().items():
            self._save(self._place / name, utf8_of(text))
        self._identity = identity_of(self._place)

    def _write(self, name: str, result: FrameResult, bgr: ImageArray) -> None:
        labels = self._labels
        image = self._place / labels.images / (name + self._suffix)
        text = labels.text(image.name, (bgr.shape[1], bgr.shape[0]), result.detections)
        beside = self._place / labels.labels / (name + labels.suffix)
        kind, quality = IMAGE_KINDS[self._suffix]
        data = encoded(bgr, kind, quality)
        with asking_disk():
            for path in (image, beside):
                path.parent.mkdir(parents=True, exist_ok=True)
        self._save(beside, utf8_of(text))
        part = image.with_name(image.name + PART_SUFFIX)
        try:
            self._save(part, data)
            with asking_disk():
                part.replace(image)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        self._images.add(name)

    def _save(self, path: Path, data: bytes) -> None:
        with asking_disk():
            path.write_bytes(data)
        self.bytes += len(data)
