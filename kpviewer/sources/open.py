"""Construction of sources by the names of the command line.

(empty)   the first camera, else the demo      0, 1 ...   a camera
demo      the demo video                       rtsp://, http://   a stream
strip     the video of steel strips            a path    a video, an image, or a folder or glob
screen    a screen                             synthetic   frames in memory, for benchmarks

``naming`` describes what may follow the number of a camera or a screen.
"""

import glob
from collections.abc import Callable
from functools import partial
from pathlib import Path

from kpviewer.errors import FolderBelowError, SourceError
from kpviewer.image_files import (
    ARCHIVE_SUFFIXES,
    HEAD_BYTES,
    IMAGE_SUFFIXES,
    OTHER_IMAGE_SUFFIXES,
    ImageFileError,
    header_of,
    image_format,
    open_regular,
)
from kpviewer.sources.base import FrameSource, GroundTruthProvider
from kpviewer.sources.devices.camera import Camera, CameraSource, list_cameras
from kpviewer.sources.devices.screen import ScreenSource
from kpviewer.sources.images.lists import fixed_folder, folder_with_images, images_among, matching
from kpviewer.sources.images.source import ImagesSource, natural_order
from kpviewer.sources.naming import (
    CameraName,
    file_named,
    is_device,
    is_screen,
    is_synthetic,
    parse_camera,
    parse_screen,
)
from kpviewer.sources.network.stream import StreamSource
from kpviewer.sources.redact import HIDDEN, redact_url
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.sources.synthetic.source import synthetic_source
from kpviewer.sources.synthetic.strip.demo import StripSource
from kpviewer.sources.turn import Turn
from kpviewer.sources.turned_source import TurnedSource
from kpviewer.sources.video.file import VideoSource
from kpviewer.sources.video.formats import VIDEO_SUFFIXES
from kpviewer.system.progress import noting_progress

LONGEST_NAME = 80
"""Maximum number of characters of a source in a message."""
_MODEL_SUFFIXES = (".onnx", ".safetensors", ".pt", ".pth", ".ckpt", ".engine", ".weights")
_TIMED_SUFFIX = ".gif"
"""Suffix of animations that play as a video, with the time of each frame."""


def make_source(
    text: str | None, *, ground_truth: GroundTruthProvider | None = None, turn: Turn | None = None
) -> FrameSource:
    """Return the source that a user named, without opening it.

    Args:
        text: name as typed; None or empty for the first camera, or else the demo.
        ground_truth: ground truth of a video or of images; the demos have their own.
        turn: rotation and mirroring of the frames; None leaves them as they are.

    Raises:
        SourceError: if there is no such source, it isn't readable, or ``ground_truth`` is given for
            a camera, a screen or a stream.
    """
    source = _make(text, ground_truth)
    return source if turn is None else TurnedSource(source, lambda _info: turn)


def _make(source: str | None, ground_truth: GroundTruthProvider | None) -> FrameSource:
    text = (source or "").strip()
    is_live = not text or is_device(text) or "://" in text
    if ground_truth is not None and (is_live or is_synthetic(text)):
        raise SourceError(
            "Ground truth needs a video or images, got a camera, a screen or a stream. "
            "Name the file or the folder, or omit --ground-truth."
        )
    if not text:
        return _default()
    if text.lower() in _GENERATED or is_synthetic(text):
        return _GENERATED.get(text.lower(), partial(synthetic_source, text))()
    camera = parse_camera(text)
    if camera is not None:
        return _camera(camera, list_cameras())
    if is_screen(text):
        return ScreenSource(parse_screen(text))
    if "://" in text:
        return StreamSource(text)
    try:
        return _from_disk(source or "", ground_truth)
    except (OSError, RuntimeError, ValueError) as error:
        # no permission, an unknown ~user, or an invalid file name; the error may show secrets
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, UnicodeError):
            reason = "it holds characters that file names can't have"
        raise SourceError(
            f"{_shown(text)} can't be accessed ({reason}). "
            "Check the name, and your permission to read it."
        ) from None


_GENERATED: dict[str, Callable[[], FrameSource]] = {"demo": DemoSource, "strip": StripSource}


def _default() -> FrameSource:
    cameras = list_cameras()
    return _camera(CameraName(cameras[0].index, None), cameras) if cameras else DemoSource()


def _camera(name: CameraName, known: list[Camera]) -> CameraSource:
    found = next((camera for camera in known if camera.index == name.index), None)
    if found is None:
        return CameraSource(name.index, request=name.request)
    source = CameraSource(name.index, name=found.name, id=found.id, request=name.request)
    source.has_twin = [camera.id for camera in known].count(found.id) > 1
    return source


def _from_disk(text: str, ground_truth: GroundTruthProvider | None) -> FrameSource:
    path = file_named(text)
    if path.is_dir():
        files = [*noting_progress(path.iterdir())]
        return _images(text, path.resolve().name, files, ground_truth, path)
    if path.exists():
        return _file(path, ground_truth)
    if glob.has_magic(text):
        if not (files := matching(path)):
            raise SourceError(f"No file matches {redact_url(text)}. Check its spelling and folder.")
        return _images(text, text, files, ground_truth, fixed_folder(path))
    raise SourceError(
        f"File not found: {_shown(text)}. Check the spelling. A source is a file, a folder, a "
        "camera's number ('kpviewer cameras' lists them), an address, demo, strip or screen."
    )


def _file(path: Path, ground_truth: GroundTruthProvider | None) -> FrameSource:
    suffix = path.suffix.lower()
    if suffix in OTHER_IMAGE_SUFFIXES:
        raise SourceError(
            f"{path.name} is an image in a format that can't be shown ({suffix[1:].upper()}). "
            "Convert it to JPEG or PNG."
        )
    if suffix in ARCHIVE_SUFFIXES:
        raise SourceError(f"{path.name} is an archive. Unpack it, and open what it holds.")
    if suffix == ".kpv":
        raise SourceError(
            f"{path.name} is a scan, not a video. Open the video: a scan beside it is used."
        )
    if suffix in _MODEL_SUFFIXES:
        raise SourceError(
            f"{path.name} is a model, not a video. Open a video, and this file as the model "
            f"(--model {path.name})."
        )
    is_known = suffix in (*IMAGE_SUFFIXES, *VIDEO_SUFFIXES) and suffix != _TIMED_SUFFIX
    if not is_known:
        from kpviewer.annotations.formats.recognition import (  # noqa: PLC0415 - for few files
            format_not_read,
        )

        if sentence := format_not_read(path):
            raise SourceError(f"Not a video: {sentence}")
    if suffix in IMAGE_SUFFIXES if is_known else _is_still_image(path):
        return ImagesSource(path.name, [path], ground_truth=ground_truth)
    return VideoSource(path, ground_truth=ground_truth)


def _is_still_image(path: Path) -> bool:
    """Return whether the content of a file is an image, and not a GIF, which plays as a video."""
    try:
        with open_regular(path) as file:
            kind = image_format(file.read(HEAD_BYTES))
            return kind not in (None, "GIF") and bool(header_of(file))
    except ImageFileError:
        return False  # a video, or nothing


def _shown(text: str) -> str:
    """Shorten a source for a message; text before an @ is hidden, as it may be a secret."""
    before, at, behind = redact_url(text).rpartition("@")
    shown = f"{HIDDEN}@{behind}" if at and not before.endswith(HIDDEN) else f"{before}{at}{behind}"
    return shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}…"


def _images(
    text: str, name: str, files: list[Path], ground_truth: GroundTruthProvider | None, folder: Path
) -> ImagesSource:
    found = images_among(natural_order(files))
    if not found.paths:
        why = f" ({'; '.join(found.notes)})" if found.notes else ""
        below = folder_with_images(files)
        what = f"There is no image in {redact_url(text)} that can be shown{why}."
        if below is not None:
            raise FolderBelowError(f"{what} Open {below}.", (str(below),))
        what += " For a video, name the file itself."
        if found.videos:
            raise FolderBelowError(what, tuple(map(str, found.videos)))
        raise SourceError(what)
    return ImagesSource(
        name, found.paths, ground_truth=ground_truth, folder=folder, notes=found.notes
    )
