"""Find the ground truth of each frame of a source: a ``sources.base.GroundTruthProvider``."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath

from kpviewer.annotations.classes import align_classes
from kpviewer.annotations.finishing import size_problem, without_outside
from kpviewer.annotations.fitting import fit_names
from kpviewer.annotations.problems import Problem, kind_note, left_out
from kpviewer.annotations.spec import read_usable
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.image_files import IMAGE_SUFFIXES
from kpviewer.structures import GroundTruth

_NUMBERED = re.compile(r"\D*?(\d+)\.\w+")


class AnnotationGroundTruth:
    """Looks frames up in a data set: images by their file, frames of a video by number.

    Names are fitted to files by ``fit_names`` once the source has told its files.

    The number of a frame is the ``frame`` of its entry. In a set that has none, the entries' ids
    stand for it if they count from 0, or else the numbers in the names if they do.
    """

    def __init__(self, annotations: AnnotationSet) -> None:
        """Index the set.

        Args:
            annotations: with the class ids of the model (``annotations.classes``).
        """
        self._annotations = self._shown = annotations
        self._targets = _targets(annotations)
        self._prepared: tuple[tuple[str, ...], AnnotationSet, dict[int, GroundTruth]] | None = None
        self._paths = [image.path for image in annotations.images]
        by_name = _rows_of(path.name for path in self._paths)
        self._by_file: Mapping[str, int] | None = None
        self._by_name = {name: rows[0] for name, rows in by_name.items() if len(rows) == 1}
        self._by_frame: Mapping[int, int] = {}
        self._doubles = ""
        self._is_film = False
        self._by_frame = self._frames(range(len(self._paths)))
        self._fit: tuple[str, ...] = ()
        self._other_sizes: list[Problem] = []
        self._outside: list[Problem] = []
        self._measured: set[int] = set()
        self._unusable: set[int] = set()

    @property
    def notes(self) -> tuple[str, ...]:
        """What is left out of the ground truth, and how it fits the source, for people."""
        seen = [found for found in (self._other_sizes, self._outside) if found]
        notes = (kind_note(found[0], len(found)) for found in seen)
        return (*self._shown.notes, *self._fit, *notes)

    @property
    def category_ids(self) -> Mapping[int, int] | None:
        """Categories of a COCO file by class id; None for other formats."""
        return self._shown.category_ids or None

    def use_classes(self, class_names: Sequence[str]) -> None:
        """Number the objects as another model does.

        Any thread may be looking frames up meanwhile: it sees the old numbers or the new ones.

        Raises:
            DatasetError: if no class fits; then nothing is known of any frame.
        """
        prepared, self._prepared = self._prepared, None
        if prepared is not None and prepared[0] == tuple(class_names):
            _, self._shown, self._targets = prepared
            return
        try:
            shown = align_classes(self._annotations, class_names)
        except DatasetError:
            self._targets = {}
            raise
        self._shown, self._targets = shown, _targets(shown)

    def prepare_classes(self, class_names: Sequence[str]) -> None:
        """Do the work of the next ``use_classes`` now, in any thread: it takes seconds for COCO."""
        with contextlib.suppress(DatasetError):  # raised again when they are used
            shown = align_classes(self._annotations, class_names)
            self._prepared = (tuple(class_names), shown, _targets(shown))

    def set_source_files(self, files: Sequence[Path], frames: int | None = None) -> None:
        """Learn what the source holds, before its first frame: ``notes`` says what fits.

        Args:
            files: its images, or the one video.
            frames: number of the video's frames; None where it isn't known, and for images.
        """
        self._other_sizes, self._outside = [], []
        self._measured, self._unusable = set(), set()
        self._is_film = bool(files) and files[0].suffix.lower() not in IMAGE_SUFFIXES
        self._is_film = self._is_film or (frames or 0) > 1  # an animation
        if self._is_film:
            self._meet_video(files[0], frames)
            return
        rows = fit_names(self._paths, files)
        self._by_file = {str(files[place]): row for row, place in rows.items()}
        self._fit = tuple(self._fit_notes(files, rows))

    def _meet_video(self, path: Path, frames: int | None) -> None:
        names = {each.stem for each in self._paths}
        mine = [row for row, each in enumerate(self._paths) if each.stem == path.stem]
        several = path.stem in names and len(names) > 1
        self._by_frame = self._frames(mine if several else range(len(self._paths)))
        inside = [number for number in self._by_frame if frames is None or number < frames]
        notes = [self._doubles] if self._doubles else []
        if not self._by_frame and self._paths:
            notes.append(
                f"ground truth fits no frame of {path.name}: no entry has a 'frame', and the ids "
                "don't count from 0. Give each entry the number of its frame, from 0"
            )
        elif len(inside) < len(self._by_frame):
            gone = len(self._by_frame) - len(inside)
            reason = f"{path.name} has only {frames} frames"
            first = f"frame {min(number for number in self._by_frame if number not in inside)}"
            notes.append(left_out(gone, len(self._by_frame), "entries", reason, first))
        self._fit = tuple(notes)

    def for_frame(
        self, index: int, name: str, size_wh: tuple[int, int] | None = None
    ) -> GroundTruth | None:
        """Return the ground truth of one frame, None where nothing is known.

        Args:
            index: number of the frame in the source, from 0.
            name: path of the image, or of the video.
            size_wh: of the frame, px; ``notes`` counts those that the annotations contradict.
        """
        if self._is_film or PurePath(name).suffix.lower() not in IMAGE_SUFFIXES:
            row = self._by_frame.get(index)
        elif self._by_file is not None:
            row = self._by_file.get(name)
        else:
            row = self._by_name.get(PurePath(name).name)
        if row is None:
            return None
        if size_wh is not None and row not in self._measured:
            self._measured.add(row)
            image = self._annotations.images[row]
            self._other_sizes += size_problem(image, size_wh)
            outside = without_outside(image, size_wh)[1]
            if outside:
                self._outside.append(outside[0])
                self._unusable.add(row)
        return None if row in self._unusable else self._targets.get(row)

    def _frames(self, rows: Sequence[int]) -> dict[int, int]:
        """Return rows by the number of their frame; of several with one number, the first."""
        images = self._annotations.images
        numbered = [(images[row].frame_index, row) for row in rows]
        if all(number is None for number, _ in numbered):
            numbered = [(each if isinstance(each := images[row].image_id, int) else None, row)
                        for row in rows]  # fmt: skip
            if all(number != 0 for number, _ in numbered):
                numbered = [(_number_in(images[row].path.name), row) for row in rows]
                if all(number != 0 for number, _ in numbered):
                    return {}
        found: dict[int, int] = {}
        for number, row in numbered:
            if number is not None:
                found.setdefault(number, row)
        known = sum(number is not None for number, _ in numbered)
        twice = known - len(found)
        reason = "their frame is named twice, and the first entry counts"
        self._doubles = left_out(twice, known, "entries", reason) if twice else ""
        return found

    def _fit_notes(self, files: Sequence[Path], rows: Mapping[int, int]) -> list[str]:
        """Say which images have no ground truth, and which have it by a similar name."""
        fitted = set(rows.values())
        alone = [path for place, path in enumerate(files) if place not in fitted]
        if not rows and self._paths and files:
            return [
                f"ground truth fits 0 of {len(files)} images: they are named "
                f"{files[0].name!r}, its entries {self._paths[0].name!r}. Rename one of the two"
            ]
        notes = []
        if alone:
            more = f" and {len(alone) - 1} more" if len(alone) > 1 else ""
            notes.append(
                f"ground truth fits {len(fitted)} of {len(files)} images: "
                f"none for {alone[0].name}{more}"
            )
        similar = [(row, place) for row, place in rows.items()
                   if self._paths[row].name != files[place].name]  # fmt: skip
        if similar:
            row, place = similar[0]
            more = f" and {len(similar) - 1} more" if len(similar) > 1 else ""
            notes.append(
                "names differ a little and were fitted: "
                f"{self._paths[row].name!r} is {files[place].name!r}{more}"
            )
        return notes


def _targets(annotations: AnnotationSet) -> dict[int, GroundTruth]:
    return {row: image.targets for row, image in enumerate(annotations.images)}


def _rows_of(names: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        found.setdefault(name, []).append(row)
    return found


def _number_in(name: str) -> int | None:
    match = _NUMBERED.fullmatch(name)
    return int(match.group(1)) if match and len(match.group(1)) < 10 else None


def read_ground_truth(spec: str, class_names: Sequence[str]) -> AnnotationGroundTruth:
    """Read annotations as the ground truth of a source.

    Args:
        spec: as for ``read_annotations``.
        class_names: of the model; where they are not known (empty), the set keeps its own ids.

    Raises:
        DatasetError: if it can't be read, fits no frames, or shares no class with the model.
    """
    ground_truth = AnnotationGroundTruth(
        read_usable(spec, is_whole=False)
    )  # ``set_source_files`` counts images
    if class_names:
        ground_truth.use_classes(class_names)
    return ground_truth
