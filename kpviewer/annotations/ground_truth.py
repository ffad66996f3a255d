"""Ground truth of each frame of a source: a ``sources.base.GroundTruthProvider``."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePath
from typing import TypeAlias

import numpy as np

from kpviewer.annotations.derived.classes import align_classes
from kpviewer.annotations.derived.keypoints import align_keypoints
from kpviewer.annotations.finishing.frame_labels import match_frame_labels, number_in
from kpviewer.annotations.finishing.pixels import size_problem, without_outside
from kpviewer.annotations.problems import Problem, and_more, kind_note, left_out
from kpviewer.annotations.reading.fitting import fit_names
from kpviewer.annotations.spec import read_usable
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.structures import GroundTruth

_NO_ROWS = np.zeros(0, np.int64)

_Names: TypeAlias = tuple[tuple[str, ...], tuple[str, ...]]
"""Names of a model's classes, and of its keypoints."""


class AnnotationGroundTruth:
    """Lookup of frames in a data set: images by their file, video frames by number.

    ``fit_names`` matches names to files once the source has set its files.

    The number of a frame is the ``frame`` of its entry. Without that key, the entries' ids are used
    if they count from 0, and otherwise the numbers in the names if these do. YOLO labels without
    images have the size of the frame, and the numbers of ``match_frame_labels``.
    """

    def __init__(self, annotations: AnnotationSet) -> None:
        """Index the set.

        Args:
            annotations: the set as it was read; ``use_names`` numbers it as a model does.
        """
        self._annotations = self._shown = annotations
        self._targets = _targets(annotations)
        self._names: _Names = (annotations.class_names, annotations.keypoint_names)
        self._prepared: tuple[_Names, AnnotationSet, dict[int, GroundTruth]] | None = None
        self._paths = [image.path for image in annotations.images]
        by_name = _rows_of(path.name for path in self._paths)
        self._by_file: Mapping[str, int] | None = None
        self._by_name = {name: rows[0] for name, rows in by_name.items() if len(rows) == 1}
        self._by_frame: Mapping[int, int | None] = {}
        self._others_are_empty = False
        self._duplicates = ""
        self._is_video = False
        self._by_frame = self._frames(range(len(self._paths)))
        self._fit: tuple[str, ...] = ()
        self._other_sizes: list[Problem] = []
        self._outside: list[Problem] = []
        self._measured: set[int] = set()
        self._unusable: set[int] = set()
        self.spec = ""
        """Specification that ``read_ground_truth`` read the set from, or ""."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for the user: what is left out, and how the set matches the source."""
        seen = [found for found in (self._other_sizes, self._outside) if found]
        notes = (kind_note(found[0], len(found)) for found in seen)
        return (*self._shown.notes, *self._fit, *notes)

    @property
    def fingerprint(self) -> str:
        """Hash of the annotations as they were read."""
        return _fingerprint(self._annotations)

    @property
    def category_ids(self) -> Mapping[int, int | str] | None:
        """COCO categories by class id; None for other formats."""
        return self._shown.category_ids or None

    def use_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Use the class ids and the order of keypoints of another model.

        Other threads may look frames up meanwhile; they get either the old ids or the new ones.

        Raises:
            DatasetError: if no class matches; then no frame has ground truth.
        """
        names = (tuple(class_names), tuple(keypoint_names))
        prepared, self._prepared = self._prepared, None
        if self._targets and self._names == names:
            return
        if prepared is None or prepared[0] != names:
            try:
                prepared = self._with(names)
            except DatasetError:
                self._targets = {}
                raise
        self._names, self._shown, self._targets = prepared

    def prepare_names(self, class_names: Sequence[str], keypoint_names: Sequence[str]) -> None:
        """Prepare the next ``use_names``, in any thread; it takes seconds for COCO."""
        with contextlib.suppress(DatasetError):  # raised again when they are used
            self._prepared = self._with((tuple(class_names), tuple(keypoint_names)))

    def _with(self, names: _Names) -> tuple[_Names, AnnotationSet, dict[int, GroundTruth]]:
        shown = align_keypoints(align_classes(self._annotations, names[0]), names[1])
        return names, shown, _targets(shown)

    def copy(self) -> AnnotationGroundTruth:
        """Return an independent look-up of the same annotations, for another thread or model."""
        other = copy.copy(self)
        other.forget_sizes()
        return other

    def forget_sizes(self) -> None:
        """Forget the sizes of the frames that were looked up, and the notes on them."""
        self._other_sizes, self._outside = [], []
        self._measured, self._unusable = set(), set()

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        """Match the set to the files of the source, before its first frame; see ``notes``.

        Args:
            files: the images of the source, or its one video.
            frames: number of frames of the video; None if unknown, and for images.
        """
        self.forget_sizes()
        self._is_video = bool(files) and files[0].suffix.lower() not in IMAGE_SUFFIXES
        self._is_video = self._is_video or (frames or 0) > 1  # an animation
        if self._is_video:
            self._match_video(files[0], frames)
            return
        if self._annotations.label_files and files:
            self._paths = [path.with_suffix(files[0].suffix) for path in self._paths]
        rows = fit_names(self._paths, files)
        self._by_file = {str(files[file_row]): row for row, file_row in rows.items()}
        self._fit = tuple(self._fit_notes(files, rows))

    def _match_video(self, path: Path, frames: int | None) -> None:
        if self._annotations.label_files:
            notes = self._match_label_files(path, frames)
        else:
            notes = self._match_entries(path, frames)
        inside = [number for number in self._by_frame if frames is None or number < frames]
        if len(inside) < len(self._by_frame):
            gone = len(self._by_frame) - len(inside)
            reason = f"{path.name} has only {frames} frames"
            first = f"frame {min(number for number in self._by_frame if number not in inside)}"
            notes.append(left_out(gone, len(self._by_frame), "entries", reason, first))
        self._fit = tuple(notes)

    def _match_label_files(self, path: Path, frames: int | None) -> list[str]:
        images = self._annotations.images
        empty = {image.path for image in images if not len(image.targets)}
        found = match_frame_labels(self._annotations.label_files, empty, path, frames)
        rows = {image.path: row for row, image in enumerate(images)}
        self._by_frame = {number: rows.get(file) for number, file in found.by_frame.items()}
        self._others_are_empty = found.are_all
        return list(found.notes)

    def _match_entries(self, path: Path, frames: int | None) -> list[str]:
        own = re.compile(re.escape(path.stem) + r"(?:[\W_].*)?")  # clip.mp4, clip_0001.jpg
        mine = [row for row, each in enumerate(self._paths) if own.fullmatch(each.stem)]
        self._by_frame = self._frames(mine or range(len(self._paths)))
        notes = [self._duplicates] if self._duplicates else []
        if not self._by_frame and self._paths:
            notes.append(
                f"ground truth fits no frame of {path.name}: no entry has a 'frame', and the ids "
                "don't count from 0. Give each entry the number of its frame, from 0"
            )
        return notes

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of one frame, or None if it has none.

        Args:
            index: number of the frame in the source, from 0.
            name: path of the image or video.
            size_wh: size of the frame, px, which YOLO labels without images need; ``notes`` counts
                images whose annotated size differs.
        """
        is_video = self._is_video or PurePath(name).suffix.lower() not in IMAGE_SUFFIXES
        if is_video:
            row = self._by_frame.get(index)
            if self._others_are_empty and index not in self._by_frame:
                return next((each.take(_NO_ROWS) for each in self._targets.values()), None)
        elif self._by_file is not None:
            row = self._by_file.get(name)
        else:
            row = self._by_name.get(PurePath(name).name)
        if row is None:
            return None
        if self._annotations.label_files:
            shares = None if size_wh is None else self._targets.get(row)
            return None if shares is None or size_wh is None else _in_px(shares, size_wh)
        if size_wh is not None and not is_video and row not in self._measured:
            self._measured.add(row)
            image = self._annotations.images[row]
            self._other_sizes += size_problem(image, size_wh)
            outside = without_outside(image, size_wh)[1]
            if outside:
                self._outside.append(outside[0])
                self._unusable.add(row)
        return None if row in self._unusable else self._targets.get(row)

    def _frames(self, rows: Sequence[int]) -> dict[int, int]:
        """Return rows by frame number; the first one if several rows have the same number."""
        images = self._annotations.images
        numbered = [(images[row].frame_index, row) for row in rows]
        if all(number is None for number, _ in numbered):
            numbered = self._numbered(rows)
        found: dict[int, int] = {}
        for number, row in numbered:
            if number is not None:
                found.setdefault(number, row)
        known = sum(number is not None for number, _ in numbered)
        twice = known - len(found)
        reason = "their frame is named twice, and the first entry counts"
        self._duplicates = left_out(twice, known, "entries", reason) if twice else ""
        return found

    def _numbered(self, rows: Sequence[int]) -> list[tuple[int | None, int]]:
        """Return the numbers of entries without a frame: their ids, or those in their names.

        Names count before ids that number the entries, while names number every tenth frame.
        """
        images = [self._annotations.images[row] for row in rows]
        ids = [each.image_id if isinstance(each.image_id, int) else None for each in images]
        named = [number_in(each.path) for each in images]
        are_named = None not in named and len(set(named)) == len(named) > 1
        if 0 in ids:
            offsets = {
                name - own
                for name, own in zip(named, ids, strict=True)
                if name is not None and own is not None
            }
            found = named if are_named and len(offsets) > 1 else ids
        else:
            found = named if 0 in named else [None] * len(rows)
        return list(zip(found, rows, strict=True))

    def _fit_notes(self, files: Sequence[Path], rows: Mapping[int, int]) -> list[str]:
        """Return notes on images without ground truth, and on images matched by a similar name."""
        fitted = set(rows.values())
        alone = [path for file_row, path in enumerate(files) if file_row not in fitted]
        if not rows and self._paths and files:
            return [
                f"ground truth fits 0 of {len(files)} images: they are named "
                f"{files[0].name!r}, its entries {self._paths[0].name!r}. Rename one of the two"
            ]
        notes = []
        if alone:
            notes.append(
                f"ground truth fits {len(fitted)} of {len(files)} images: "
                f"none for {and_more(alone[0].name, len(alone))}"
            )
        similar = [(row, file_row) for row, file_row in rows.items()
                   if self._paths[row].name != files[file_row].name]  # fmt: skip
        if similar:
            row, file_row = similar[0]
            first = f"{self._paths[row].name!r} is {files[file_row].name!r}"
            notes.append(f"names differ a little and were fitted: {and_more(first, len(similar))}")
        return notes


def _in_px(shares: GroundTruth, size_wh: tuple[int, int]) -> GroundTruth:
    sides = np.array(size_wh, np.float32)
    keypoints_xy = shares.keypoints_xy * sides
    return replace(shares, xyxy=shares.xyxy * np.tile(sides, 2), keypoints_xy=keypoints_xy)


def _targets(annotations: AnnotationSet) -> dict[int, GroundTruth]:
    return {row: image.targets for row, image in enumerate(annotations.images)}


def _rows_of(names: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        found.setdefault(name, []).append(row)
    return found


def _fingerprint(annotations: AnnotationSet) -> str:
    """Return a hash of the classes, and of each image's name and objects; no image is read."""
    digest = hashlib.blake2b(digest_size=16)
    names = (annotations.class_names, annotations.keypoint_names, annotations.skeleton)
    digest.update(ascii((names, sorted(annotations.category_ids.items()))).encode())
    for image in annotations.images:
        objects, labelled = image.targets, image.targets.labelled_ids
        digest.update(
            ascii(
                (
                    (str(image.path), image.size_wh, image.image_id, image.frame_index),
                    (image.source, image.is_partial, objects.keypoints_xy.shape),
                    None if labelled is None else sorted(labelled),
                )
            ).encode()
        )
        for values in (
            objects.xyxy,
            objects.class_ids,
            objects.keypoints_xy,
            objects.keypoints_visible,
            objects.difficult,
        ):
            digest.update(values.tobytes())
    return digest.hexdigest()


def read_ground_truth(
    spec: str, class_names: Sequence[str], keypoint_names: Sequence[str] = ()
) -> AnnotationGroundTruth:
    """Read annotations as the ground truth of a source.

    Args:
        spec: as for ``read_annotations``.
        class_names: names of the model's classes; if empty (unknown), the set is used as it is.
        keypoint_names: names of the model's keypoints; if empty, the set keeps its own order.

    Raises:
        DatasetError: if it can't be read, or shares no class with the model.
    """
    # images beside the set are counted by ``set_source_files``
    ground_truth = AnnotationGroundTruth(read_usable(spec, of_source=True))
    ground_truth.spec = spec
    if class_names:
        ground_truth.use_names(class_names, keypoint_names)
    return ground_truth
