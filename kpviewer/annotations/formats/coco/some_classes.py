"""Images of a COCO file that are labelled for some classes each, as in LVIS.

Annotators looked for the classes of an image's objects and for its ``neg_category_ids``. Of those
in ``not_exhaustive_category_ids`` they didn't annotate every object.

Source: Gupta et al. 2019, LVIS (arXiv:1908.03195), section 2.1, "Federated dataset".
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kpviewer.annotations.formats.coco.records import Image
from kpviewer.annotations.problems import SOME_CLASSES, Problem, Problems
from kpviewer.annotations.reading.values import EntryLocation, identity
from kpviewer.annotations.structure import AnnotatedImage


class SomeClasses:
    """The images of one file that aren't labelled for every class."""

    def __init__(self) -> None:
        self._lists: dict[int, tuple[object, object]] = {}
        self._first: EntryLocation | None = None

    def add(self, row: int, image: Image, where: EntryLocation) -> None:
        """Note the image of a row if it isn't labelled for every class."""
        if image.neg_category_ids is not None:
            self._lists[row] = image.neg_category_ids, image.not_exhaustive_category_ids
            self._first = self._first or where

    def noted(
        self, images: Sequence[AnnotatedImage], ids: Mapping[int | str, int], problems: Problems
    ) -> tuple[AnnotatedImage, ...]:
        """Return the images with the classes that each is completely labelled for.

        Args:
            images: images with their objects, by row.
            ids: class ids by category.
            problems: collector of a note that there are such images.
        """
        if self._first is not None:
            problems.append(Problem(SOME_CLASSES, str(self._first), is_error=False))
        found = list(images)
        for row, (absent, not_all) in self._lists.items():
            targets = found[row].targets
            labelled = {*targets.class_ids.tolist(), *_ids(absent, ids)} - _ids(not_all, ids)
            found[row] = replace(
                found[row], targets=replace(targets, labelled_ids=frozenset(labelled))
            )
        return tuple(found)


def _ids(categories: object, ids: Mapping[int | str, int]) -> set[int]:
    """Return the class ids of a list of categories; other values are ignored."""
    keys = map(identity, categories) if isinstance(categories, list) else ()
    return {ids[key] for key in keys if key is not None and key in ids}
