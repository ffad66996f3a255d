"""Reader of the BIWI Kinect Head Pose Database: the centre of one head in each colour image.

The pose files give the centre in mm in the frame of the depth camera. ``rgb.cal`` gives the colour
camera's matrix K, rotation R and translation t: the centre is at K (R c + t) in the image. Leaving
out R and t, as fastai's lesson does, moves the point by over 10 px.

Sources: Fanelli et al. 2013, Random Forests for Real Time 3D Face Analysis, IJCV 101(3);
https://icu.ee.ethz.ch/research/datsets.html. The order of the numbers, and the people, as read by
https://github.com/huggingface/datasets (biwi_kinect_head_pose.py). Why R and t are needed:
https://github.com/kuhnkeF/headposeplus ("Biwi Calibration").
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kpviewer.annotations.limits import decode_text, read_bounded
from kpviewer.annotations.problems import MALFORMED, STRICT, Problems
from kpviewer.annotations.reading.folders import files_below
from kpviewer.annotations.reading.object_columns import VISIBLE, ImageHead, ObjectColumns
from kpviewer.annotations.reading.values import image_size, listed, number, shorten
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError

CLASS_NAME, POINT_NAME = "head", "centre"
CALIBRATION = "rgb.cal"
LIMIT_MB = 0.1
"""Largest size of a pose or calibration file, MB; they have under 1 kB."""
_SAME_PERSON = {"15": "03", "18": "05", "21": "02", "22": "07"}
"""Sequences of people that an earlier sequence shows as well: 24 sequences of 20 people."""
_ARCHIVE_FOLDER = "hpdb"
_POSE = "_pose.txt"
_IMAGES = ("_rgb.png", "_rgb.jpg")
"""Ends of image names: the authors', and those of fastai's copy."""


@dataclass(frozen=True, slots=True)
class _Camera:
    """The colour camera of a sequence."""

    matrix: NDArray[np.float64]
    """(3, 3) intrinsic matrix, px."""
    rotation: NDArray[np.float64]
    """(3, 3) from the depth camera's frame."""
    translation_mm: NDArray[np.float64]
    size_wh: tuple[int, int]

    def project(self, centre_mm: NDArray[np.float64], where: Path) -> tuple[float, float]:
        """Return the position in the image, px, of a point in the depth camera's frame.

        Raises:
            DatasetError: if it isn't in front of the camera.
        """
        x, y, depth = self.matrix @ (self.rotation @ centre_mm + self.translation_mm)
        if not depth > 0:
            raise DatasetError(f"{where}: the head must be in front of the camera. Is it damaged?")
        return (
            number(float(x / depth), "x of the centre", where),
            number(float(y / depth), "y of the centre", where),
        )


def read_biwi(
    folder: Path | str, people: str | None = None, problems: Problems = STRICT
) -> AnnotationSet:
    """Read sequences.

    Args:
        folder: folder with the sequences ``01`` to ``24``, or with the archive's ``hpdb``.
        people: sequences whose people are read, such as ``13`` or ``13,14``; with a minus sign,
            ``-13,14``, everybody else. All sequences of a person belong together. None reads all.
        problems: collector of what can't be used, and is left out.

    Returns:
        The set: one object of class "head" an image. Its box is the image; its keypoint is
        "centre". Sources are the people, so scores by source are those of each person.

    Raises:
        DatasetError: if there is no sequence, or something is missing or malformed.
    """
    root = Path(folder)
    sequences = sequences_of(root)
    if not sequences:
        raise DatasetError(
            f"{folder} must hold BIWI's folders 01 to 24, each with {CALIBRATION}, got none. "
            "Check the folder."
        )
    wanted = _wanted(people, {_person(path) for path in sequences}, root)
    objects = ObjectColumns(root, 1)
    for sequence in sequences:
        if _person(sequence) in wanted:
            with problems.collected(MALFORMED):
                _add_sequence(sequence, objects, problems)
    return AnnotationSet(objects.images(), (CLASS_NAME,), (POINT_NAME,))


def sequences_of(folder: Path) -> list[Path]:
    """Return the folders inside a folder, or inside its ``hpdb``, that have a calibration."""
    for root in (folder, folder / _ARCHIVE_FOLDER):
        try:
            inside = [Path(entry.path) for entry in os.scandir(root) if entry.is_dir()]
        except OSError:
            continue
        found = sorted(path for path in inside if (path / CALIBRATION).is_file())
        if found:
            return found
    return []


def _person(sequence: Path) -> str:
    return _SAME_PERSON.get(sequence.name, sequence.name)


def _wanted(people: str | None, known: set[str], root: Path) -> set[str]:
    """Return the people that ``people`` names, or all others if it begins with a minus sign."""
    if people is None:
        return known
    names = [part.strip().zfill(2) for part in people.removeprefix("-").split(",")]
    named = {_SAME_PERSON.get(name, name) for name in names}
    if not named <= known:
        raise DatasetError(
            f"{root} has no sequence {shorten(min(named - known))}; it has: "
            f"{listed(sorted(known), 24)}."
        )
    return known - named if people.startswith("-") else named


def _add_sequence(sequence: Path, objects: ObjectColumns, problems: Problems) -> None:
    camera = _read_camera(sequence / CALIBRATION)
    poses = [path for path in files_below(sequence, (".txt",), 0) if path.name.endswith(_POSE)]
    for pose in poses:
        with problems.collected(MALFORMED):
            x, y = camera.project(_numbers(pose, 12)[9:], pose)
            image = _image_of(pose)
            name = f"{sequence.name}/{image.name}"
            source = f"person {_person(sequence)}"
            row = objects.add_image(ImageHead(image, camera.size_wh, name, source))
            objects.add(row, (0, 0, *camera.size_wh), 0, (x, y, VISIBLE))


def _image_of(pose: Path) -> Path:
    """Return the image of a pose file; the authors' name if there is none."""
    stem = pose.name.removesuffix(_POSE)
    images = [pose.with_name(stem + end) for end in _IMAGES]
    return next((path for path in images if path.is_file()), images[0])


def _read_camera(path: Path) -> _Camera:
    """Read a calibration: matrix (9), distortion (4), rotation (9), translation (3), size (2).

    Raises:
        DatasetError: if it is malformed, or the lens has distortion, which the projection lacks.
    """
    values = _numbers(path, 27)
    if values[9:13].any():
        raise DatasetError(f"{path}: the lens must have no distortion, as in BIWI. Is it another?")
    size_wh = image_size(values[25], values[26], path)
    if size_wh == (0, 0):
        raise DatasetError(f"{path} must end with the image's width and height. Is it complete?")
    return _Camera(values[:9].reshape(3, 3), values[13:22].reshape(3, 3), values[22:25], size_wh)


def _numbers(path: Path, count: int) -> NDArray[np.float64]:
    """Read a text file of ``count`` numbers."""
    words = decode_text(read_bounded(path, LIMIT_MB), path, "replace").split()
    if len(words) != count:
        raise DatasetError(f"{path} must hold {count} numbers, got {len(words)}. Is it complete?")
    return np.array([number(word, "an entry", path) for word in words])
