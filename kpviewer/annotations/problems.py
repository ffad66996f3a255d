"""Problems of a data set: kind, location and cure, and the notes that summarise them."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from kpviewer.annotations.limits import LimitError, check_count
from kpviewer.errors import DatasetError

MAX_PROBLEMS = 200_000
"""Largest number of problems; with more, the data have another format."""

MALFORMED = "entry is malformed"
UNKNOWN_CLASS = "class is unknown"
NO_AREA = "box has no area"
INVERTED = "box is inverted"
NO_IMAGE_OF_OBJECT = "object belongs to no image"
UNREADABLE_XML = "annotation file can't be used"
FITTED = "image name differs a little from the file's"
LISTED_TWICE = "image is listed twice and counts once"
TWICE = "object is labelled twice and counts once"
SHARES = "coordinates are shares of the image, not px"
READ_SHARES = "coordinates are shares of the image, and are multiplied by its sides"
PER_CENT = "coordinates may be per cent of the image, not px"
TINY = "box is smaller than a pixel"
FAR_OUT = "boxes reach out of their images, and all are wider and higher than their left and top"
FAR_AROUND = "boxes reach out of their images, and all are larger than x and y of their centre"
BY_AREA = "boxes are read as corner and sides, but the areas beside them are those of two corners"
ROTATED = "box is rotated"
UNNAMED_POINTS = "keypoints aren't read, as no category names them"
COVERED = "labelled keypoints are all covered (flag 1), and scores compare visible ones (flag 2)"
SOME_CLASSES = (
    "images are labelled for some classes each (LVIS), and training takes them for complete"
)
UNLISTED = "image has no annotations and isn't used"
NO_LABELS = "image has no file of labels and counts as empty"
NO_LABEL_FOLDER = "folder of labels is missing, and all its images count as empty"
NO_IMAGE = "labels have no image"
OTHER_FORMAT = "image is in a format that isn't read"
COLUMN = "column isn't read"
MISSING = "image is missing"
UNREADABLE = "image can't be read"
SEVERAL = "file holds several images, of which the first is used"
WRONG_SIZE = "size isn't that of the image"
STORED_SIZE = "size is that of the image without its EXIF orientation, and boxes may be too"
BOX_OUTSIDE = "box lies outside the image"
BOX_REACHES_OUT = "box reaches out of the image"
POINT_OUTSIDE = "point lies outside the image"
COPY = "image is in training and validation"
SAME_SET = "set is trained on and scored on"
NO_SET = "set can't be read"
NO_IMAGES = "set has no image"
NO_OBJECTS = "set has no object"
NO_OBJECTS_OF_CLASS = "class has no object"
HOW_READ = "how the set is read"
OTHER_NAMES = "classes or keypoints aren't those of the first set"

CURES = {
    MALFORMED: "Correct the entry, or remove it.",
    UNKNOWN_CLASS: "Add the class to the list of classes, or remove the object.",
    NO_AREA: "Draw the box again, or remove the object.",
    INVERTED: "Exchange its sides: the left and the top one come first.",
    NO_IMAGE_OF_OBJECT: "Add the image to the list of images, or remove the object.",
    UNREADABLE_XML: "Save the file again, or remove it with its image.",
    FITTED: "Write the file's own name into the annotations.",
    LISTED_TWICE: "Remove the second entry of the image.",
    TWICE: "Remove the second object.",
    SHARES: "Multiply x by the width and y by the height of the image.",
    READ_SHARES: "Write px if that is wrong.",
    PER_CENT: "If so, multiply by the image's sides and divide by 100.",
    TINY: "If its coordinates are shares of the image, multiply them by the image's sides.",
    FAR_OUT: "If they are two corners, write left, top, width and height instead.",
    FAR_AROUND: "If they are two corners, write centre, width and height instead.",
    BY_AREA: "Write left, top, width and height instead of two corners.",
    ROTATED: "Models of upright boxes are compared with the larger box around it.",
    UNNAMED_POINTS: "List the names as 'keypoints' of the category.",
    COVERED: "Write 2 for those that can be seen.",
    SOME_CLASSES: "Scores leave out detections of classes that an image isn't labelled for.",
    UNLISTED: "Annotate the image, or move it elsewhere.",
    SEVERAL: "Save its pages or frames as files of their own, if they are annotated.",
    NO_LABELS: "Annotate the image; an empty file says that it shows nothing.",
    NO_LABEL_FOLDER: "Put the labels into a folder 'labels' beside 'images'.",
    NO_IMAGE: "Give the image the name of its labels, or remove the labels.",
    OTHER_FORMAT: "Convert it to JPEG or PNG.",
    COLUMN: "Rename the column if it should be read; the guide lists the names.",
    MISSING: "Put the image back, or correct its name or the folder of the images.",
    UNREADABLE: "Copy or download the image again, or remove it.",
    STORED_SIZE: "Boxes aren't rotated: save the image upright and label it again.",
    WRONG_SIZE: "Correct the size; if the image was scaled, scale its boxes too.",
    BOX_OUTSIDE: "Check that the labels belong to this image, or remove the box.",
    BOX_REACHES_OUT: "Nothing, if the object does; else correct the box.",
    POINT_OUTSIDE: "Correct the point, or mark it as unknown.",
    COPY: "Remove the image from one of the two sets.",
    SAME_SET: "Score on images that aren't trained on.",
    NO_SET: "Correct what the message names.",
    NO_IMAGES: "Check the path and the split.",
    NO_OBJECTS: "Annotate some objects, or check that the labels are found.",
    NO_OBJECTS_OF_CLASS: "Annotate some, or remove the class from the list of classes.",
    HOW_READ: "Correct the set if that is wrong.",
    OTHER_NAMES: "Name the set with all classes first, and correct names that differ.",
}
"""Cure for each kind of problem, one sentence."""
_NOTHING_LOST = frozenset((SHARES, NO_AREA))
"""Kinds of errors for which no entry is left out."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of a data set."""

    what: str
    """Kind of the problem: one of the texts above."""
    where: str
    """File and position in it; or a sentence that names them."""
    is_error: bool = True
    """Whether it stops training from starting; otherwise it is a warning."""
    is_sentence: bool = False
    """Whether ``where`` is a sentence that also names the problem."""
    image: int | None = None
    """Row of the image that lost an object to this problem, among the images read; None if none."""

    @property
    def text(self) -> str:
        """Sentence that describes this problem alone."""
        return self.where if self.is_sentence else f"{self.where}: {self.what}."


class Problems(list[Problem]):
    """Problems of a data set, in the order in which they are found."""

    @contextmanager
    def collected(self, what: str, image: int | None = None) -> Iterator[None]:
        """Turn a DatasetError of the block into a problem and continue after the block.

        Args:
            what: kind of the problem; the error's message becomes its location.
            image: row of the image that loses an object.
        """
        try:
            yield
        except LimitError:
            raise
        except DatasetError as error:
            check_count(len(self) + 1, MAX_PROBLEMS, "problems", "A data set")
            self.append(Problem(what, str(error), is_sentence=True, image=image))


class _Strict(Problems):
    """Collects nothing: an entry that can't be used raises its DatasetError."""

    @contextmanager
    def collected(self, what: str, image: int | None = None) -> Iterator[None]:
        yield

    def append(self, problem: Problem) -> None:
        pass

    def __iadd__(self, problems: Iterable[Problem]) -> Self:  # type: ignore[override,misc]
        return self


STRICT = _Strict()
"""For readers that are to raise for the first entry that can't be used."""


def box_problem(xyxy: Sequence[float]) -> str | None:
    """Return the kind of problem of a box's corners; None if the box is valid."""
    width, height = xyxy[2] - xyxy[0], xyxy[3] - xyxy[1]
    if width < 0 or height < 0:
        return INVERTED
    return NO_AREA if width == 0 or height == 0 else None


def ignored_columns(
    path: Path, columns: Iterable[str], known: Collection[str]
) -> Iterator[Problem]:
    """Yield a problem for each column that the reader of the table doesn't know."""
    for column in columns:
        if column not in known:
            yield Problem(COLUMN, f"{path}: {column!r}", is_error=False)


def left_out(count: int, total: int, unit: str, reason: str, first: str = "") -> str:
    """Return the note on entries that are left out: files, images, objects or classes.

    Args:
        count: number left out, at least 1.
        total: number before.
        unit: name of what is counted, in the plural.
        reason: why, as part of a sentence or as a sentence.
        first: name of the first one, if the reason doesn't name it.
    """
    location = f" ({and_more(first, count)})" if first else ""
    return f"{count} of {total} {unit} left out: {reason}{location}"


def and_more(first: str, count: int) -> str:
    """Return the first of ``count`` entries and the number of the others."""
    return f"{first} and {count - 1} more" if count > 1 else first


def problem_notes(problems: Sequence[Problem], count: int = 0, total: int = 0) -> tuple[str, ...]:
    """Return a note on all entries that are left out, and one for each kind of warning.

    Args:
        problems: problems of one data set.
        count: number of entries left out; an image with all its objects is one.
        total: number of entries in the set.
    """
    errors = [each for each in problems if is_left_out(each)]
    notes = []
    if errors and count:
        more = "" if len(errors) == 1 else " 'kpviewer check-data' lists all."
        notes.append(left_out(count, total, "entries", errors[0].text + more))
    kinds: dict[str, list[Problem]] = {}
    for problem in problems:
        if not (count and is_left_out(problem)):
            kinds.setdefault(problem.what, []).append(problem)
    notes += [kind_note(found[0], len(found)) for found in kinds.values()]
    return tuple(notes)


def is_left_out(problem: Problem) -> bool:
    """Return whether a problem causes an entry to be left out."""
    return problem.is_error and problem.what not in _NOTHING_LOST


def kind_note(first: Problem, count: int) -> str:
    """Return the note on ``count`` problems of one kind."""
    return f"{first.what}: {and_more(first.where, count)}. {CURES[first.what]}"
