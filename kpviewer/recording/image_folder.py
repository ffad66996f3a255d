"""A folder of frames with labels: a draft data set for labelling programs."""

import contextlib
import os
from pathlib import Path, PurePosixPath

from kpviewer.errors import RecordingError
from kpviewer.overlay.jpeg import encoded
from kpviewer.recording.disk import disk_call
from kpviewer.recording.files import PART_SUFFIX, candidates, no_name_error, utf8_of
from kpviewer.recording.formats import ResultHeader
from kpviewer.recording.label_formats import LABEL_FORMATS
from kpviewer.recording.parts import identity_of
from kpviewer.recording.reasons import reason_of
from kpviewer.structures import Frame, FrameResult, ImageArray

IMAGE_KINDS = {".jpg": ("JPEG", 95), ".png": ("PNG", 80)}
"""Qt's format name and quality by suffix; for PNG the quality sets the compression, here fast."""

_LONGEST_BYTES = 230
"""Longest name of a file, without number and suffixes; systems allow 255 bytes."""


class ImageFolder:
    """Writes every Nth frame to a folder, for one thread.

    An image gets its name after its labels are complete: even after a crash, no image lacks its
    labels. A frame that comes again, as after a seek, replaces the first one.
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
        """Prepare; nothing is written yet.

        Args:
            path: path of the folder; if another process makes it first, a number follows the name.
            kind: a key of LABEL_FORMATS.
            header: description of the stream and the model.
            stem: start of the file name of frames without a file; their index follows.
            image_suffix: a key of IMAGE_KINDS.
            every: write every Nth frame, from the first on.
        """
        self._folder = path
        self.name = path.name
        """Name of the folder."""
        self._labels = LABEL_FORMATS[kind](header)
        self._stem, self._suffix, self._every = stem, image_suffix, every
        self._received = 0
        """Number of frames so far, written or not."""
        self._names: dict[str, tuple[str | None, int]] = dict.fromkeys(self._taken(), ("", 0))
        """Frame (file and number) that each name belongs to; no frame has those of other files."""
        self._images: set[str] = set()
        self._identity: tuple[int, int] | None = None
        self.bytes = 0
        """Size of all files."""

    @property
    def path(self) -> Path | None:
        """The folder; None while it has no image."""
        return self._folder if self._images else None

    def is_there(self) -> bool:
        """Return whether the folder is still the one that was made; True before that."""
        return self._identity is None or self._identity == identity_of(self._folder)

    @property
    def images(self) -> int:
        """Number of images."""
        return len(self._images)

    @property
    def needs_next(self) -> bool:
        """Whether the next frame will be written."""
        return self._received % self._every == 0

    def write(self, result: FrameResult, bgr: ImageArray | None) -> None:
        """Add a frame.

        Args:
            result: the detections; the image of its frame isn't used.
            bgr: image to save, (H, W, 3) uint8; None only if ``needs_next`` is false.

        Raises:
            RecordingError: if it can't be written.
        """
        is_due = self.needs_next
        self._received += 1
        if not is_due or bgr is None:
            return
        try:
            if not self._images:
                self._begin()
            self._write(self._name_of(result.frame), result, bgr)
        except (OSError, ValueError) as error:
            raise RecordingError(f"{self.name} is incomplete: {reason_of(error)}") from error

    def _taken(self) -> list[str]:
        """Return the names whose labels would replace a file that describes the data set."""
        folder, suffix = f"{self._labels.labels}/", self._labels.suffix
        files = (name for name in self._labels.extra_files() if name.startswith(folder))
        return [name.removeprefix(folder).removesuffix(suffix) for name in files]

    def _name_of(self, frame: Frame) -> str:
        """Return the relative path of a frame's image and labels, without suffix, as of its file.

        Two files of one stem, such as a.jpg and a.png, get different names.
        """
        path, number = frame.file, frame.frame_in_file
        key = (path, frame.index if number is None and path is None else number or 0)
        if path is None:
            name = f"{self._stem}_{frame.index:06d}"
        else:
            inside = [part for part in PurePosixPath(path).parts if part not in ("..", "/")]
            whole = PurePosixPath(*inside).with_suffix("")
            stem = whole.name
            while len(os.fsencode(stem)) > _LONGEST_BYTES:
                stem = stem[:-1]
            name = str(whole.with_name(stem))
            name += "" if number is None else f"_{number:06d}"
        unique, count = name, 1
        while self._names.get(unique, key) != key:
            count += 1
            unique = f"{name}_{count}"
        self._names[unique] = key
        return unique

    def _begin(self) -> None:
        with disk_call():
            self._make()
            for name in (self._labels.images, self._labels.labels):
                (self._folder / name).mkdir()
        for name, text in self._labels.extra_files().items():
            self._save(self._folder / name, utf8_of(text))
        self._identity = identity_of(self._folder)

    def _make(self) -> None:
        for path in candidates(self._folder.parent, self.name, ""):
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                if path.is_dir():
                    continue
                raise
            self._folder, self.name = path, path.name
            return
        raise no_name_error(self._folder.parent, self.name)

    def _write(self, name: str, result: FrameResult, bgr: ImageArray) -> None:
        labels = self._labels
        image = self._folder / labels.images / (name + self._suffix)
        text = labels.text(image.name, (bgr.shape[1], bgr.shape[0]), result.detections)
        label_file = self._folder / labels.labels / (name + labels.suffix)
        kind, quality = IMAGE_KINDS[self._suffix]
        data = encoded(bgr, kind, quality)
        with disk_call():
            for path in (image, label_file):
                self._make_below(path.parent)
        self._save(label_file, utf8_of(text))
        part = image.with_name(image.name + PART_SUFFIX)
        try:
            self._save(part, data)
            with disk_call():
                part.replace(image)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        self._images.add(name)

    def _make_below(self, folder: Path) -> None:
        """Make a folder for images or labels; their own one isn't made again if it was removed."""
        if folder.parent != self._folder and not folder.is_dir():
            self._make_below(folder.parent)
            folder.mkdir(exist_ok=True)

    def _save(self, path: Path, data: bytes) -> None:
        with disk_call():
            path.write_bytes(data)
        self.bytes += len(data)
