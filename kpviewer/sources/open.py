"""From the SOURCE of the command line to a source of frames.

Nothing   the first camera, else the demo      0, 1 ...   a camera
demo      the demo film                        rtsp://, http://   a stream
strip     the film along steel strips          a path    a video, an image, or a folder or glob
screen    a screen

``naming`` tells what may stand behind the number of a camera or a screen.
"""

from __future__ import annotations

import glob
from collections.abc import Callable
from pathlib import Path

from kpviewer.errors import SourceError
from kpviewer.image_files import IMAGE_SUFFIXES, OTHER_IMAGE_SUFFIXES
from kpviewer.sources.base import FrameSource, GroundTruthProvider
from kpviewer.sources.camera import Camera, CameraSource, list_cameras
from kpviewer.sources.demo import DemoSource
from kpviewer.sources.image_lists import fixed_folder, images_among, matching
from kpviewer.sources.images import ImagesSource, natural_order
from kpviewer.sources.naming import (
    CameraName,
    is_camera,
    is_screen,
    parse_camera,
    parse_screen,
)
from kpviewer.sources.redact import HIDDEN, redact_url
from kpviewer.sources.screen import ScreenSource
from kpviewer.sources.stream import StreamSource
from kpviewer.sources.strip_demo import StripSource
from kpviewer.sources.video import VideoSource

LONGEST_NAME = 80
"""Of a source, in a message."""
_TIMED_SUFFIX = ".gif"
"""An animation opened alone plays as a video, with the time of each frame."""


def make_source(
    text: str | None, *, ground_truth: GroundTruthProvider | None = None
) -> FrameSource:
    """Make the source that a user named; it is not opened yet.

    Args:
        text: as typed; None or empty for what the machine offers.
        ground_truth: annotations of a video or of images; the demo brings its own.

    Raises:
        SourceError: if nothing of that name is known or readable, or if ``ground_truth`` is for a
            camera, a screen or a stream.
    """
    text = (text or "").strip()
    if ground_truth is not None and (
        not text or is_camera(text) or is_screen(text) or "://" in text
    ):
        raise SourceError(
            "Annotations belong to a video or to images, got a camera, a screen or a stream. "
            "Name the file or the folder, or leave --ground-truth away."
        )
    if not text:
        return _default()
    if text.lower() in _FILMS:
        return _FILMS[text.lower()]()
    camera = parse_camera(text)
    if camera is not None:
        return _camera(camera, list_cameras())
    if is_screen(text):
        return ScreenSource(parse_screen(text))
    if "://" in text:
        return StreamSource(text)
    try:
        return _from_disk(text, ground_truth)
    except (OSError, RuntimeError, ValueError) as error:
        # no permission, an unknown ~user, or a name that no file can have; the error holds it
        reason = getattr(error, "strerror", None) or str(error)
        if isinstance(error, UnicodeError):
            reason = "it holds letters that no name can have"
        raise SourceError(
            f"{_shown(text)} can't be looked at ({reason}). "
            "Check the name, and that you may read it."
        ) from None


_FILMS: dict[str, Callable[[], FrameSource]] = {"demo": DemoSource, "strip": StripSource}


def _default() -> FrameSource:
    cameras = list_cameras()
    return _camera(CameraName(cameras[0].index, None), cameras) if cameras else DemoSource()


def _camera(asked: CameraName, known: list[Camera]) -> CameraSource:
    found = next((camera for camera in known if camera.index == asked.index), None)
    if found is None:
        return CameraSource(asked.index, request=asked.request)
    return CameraSource(asked.index, name=found.name, id=found.id, request=asked.request)


def _from_disk(text: str, ground_truth: GroundTruthProvider | None) -> FrameSource:
    path = Path(text).expanduser()
    if path.is_dir():
        return _images(text, path.resolve().name, list(path.iterdir()), ground_truth, path)
    if path.exists():
        return _file(path, ground_truth)
    if glob.has_magic(text):
        return _images(text, text, matching(path), ground_truth, fixed_folder(path))
    raise SourceError(
        f"No source is named {_shown(text)}: it is no camera number, address, file or folder, nor "
        "'demo', 'strip' or 'screen'. Check the spelling; 'kpviewer cameras' lists the cameras."
    )


def _file(path: Path, ground_truth: GroundTruthProvider | None) -> FrameSource:
    suffix = path.suffix.lower()
    if suffix in OTHER_IMAGE_SUFFIXES:
        raise SourceError(
            f"{path.name} is an image in a format that can't be shown ({suffix[1:].upper()}). "
            "Convert it to JPEG or PNG."
        )
    if suffix in IMAGE_SUFFIXES and suffix != _TIMED_SUFFIX:
        return ImagesSource(path.name, [path], ground_truth=ground_truth)
    return VideoSource(path, ground_truth=ground_truth)


def _shown(text: str) -> str:
    """Shorten a source for a message. As there is none of that name, it may be a slip: no @."""
    before, at, behind = redact_url(text).rpartition("@")
    shown = f"{HIDDEN}@{behind}" if at and not before.endswith(HIDDEN) else f"{before}{at}{behind}"
    return shown if len(shown) <= LONGEST_NAME else f"{shown[:LONGEST_NAME]}…"


def _images(
    text: str, name: str, files: list[Path], ground_truth: GroundTruthProvider | None, folder: Path
) -> ImagesSource:
    found = images_among(natural_order(files))
    if not found.paths:
        why = f" ({'; '.join(found.notes)})" if found.notes else ""
        raise SourceError(
            f"There is no image in {redact_url(text)} that can be shown{why}. "
            "For a video, name the file itself."
        )
    return ImagesSource(
        name, found.paths, ground_truth=ground_truth, folder=folder, notes=found.notes
    )
