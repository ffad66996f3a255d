"""The categories of a COCO file: classes, keypoints, and groups that aren't classes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kpviewer.annotations.formats.coco.records import Category
from kpviewer.annotations.limits import MAX_CLASSES, check_count, check_keypoints
from kpviewer.annotations.problems import MALFORMED, Problems
from kpviewer.annotations.reading.values import identity, listed, own_id, shorten
from kpviewer.errors import DatasetError


@dataclass(frozen=True, slots=True)
class CocoClasses:
    """The categories of a file, in the order of their ids."""

    index: dict[int | str, int]
    ids: tuple[int | str, ...]
    """Ids as the file has them."""
    names: tuple[str, ...]
    keypoint_names: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    groups: frozenset[int] = frozenset()
    """Categories that others name as their supercategory."""
    points: frozenset[int] = frozenset()
    """Categories that are keypoints of their supercategory, as CVAT writes its skeletons."""
    notes: tuple[str, ...] = ()
    """Sentences for the user on what was assumed."""

    def in_use(self, used: set[int]) -> tuple[list[int], tuple[str, ...]]:
        """Return the categories that are classes, and notes on the others.

        Those are categories without objects that only group others, are keypoints of another, or
        have the name of another.
        """
        named = {self.names[number] for number in used}
        twice = {number for number, name in enumerate(self.names) if name in named} - used
        gone = ((self.groups | self.points) - used) | twice
        notes = [
            f"categories left out, as they {why}: {listed(map(self.names.__getitem__, rows))}"
            for which, why in ((self.groups, "only group others"), (self.points, "are keypoints"))
            if (rows := sorted(which - used - twice))
        ]
        kept = [number for number in range(len(self.names)) if number not in gone]
        same = [name for name, count in Counter(self.names[each] for each in kept).items()
                if count > 1]  # fmt: skip
        if same:
            notes.append(f"categories that share a name: {listed(same)}. Rename or merge them")
        return kept, tuple(notes)


def read_classes(
    categories: Iterable[Category | None], path: Path, problems: Problems
) -> CocoClasses:
    """Read the categories of a file.

    Raises:
        DatasetError: if one is malformed, or their keypoints differ.
        LimitError: if there are too many.
    """
    found: dict[int | str, Category] = {}
    points: tuple[str, ...] = ()
    skeleton: tuple[tuple[int, int], ...] = ()
    for position, category in enumerate(categories, 1):
        with problems.collected(MALFORMED):
            if category is None:
                raise DatasetError(
                    f"{path}: categories must be objects in UTF-8, number {position} isn't one."
                )
            key = _checked_id(category, path)
            if key in found and _name(found[key]) == _name(category):
                continue  # as after joining two files of one project
            if key in found:
                raise DatasetError(
                    f"{path}: categories need an id of their own, no. {position} is "
                    f"{shorten(category.name)} with the id {shorten(category.id)}."
                )
            own = _keypoints(category.keypoints or [], path)
            if own and points and own != points:
                raise DatasetError(
                    f"{path}: all categories with keypoints must have the same ones, got "
                    f"{len(points)} and {len(own)}. Split the file by category."
                )
            found[key] = category
            if own:
                points = own
                with problems.collected(MALFORMED):
                    skeleton = _skeleton(category.skeleton or [], len(own), path)
    check_count(len(found), MAX_CLASSES, "categories", path)
    order = sorted(
        found, key=lambda key: (isinstance(key, str), key if isinstance(key, int) else 0)
    )
    names = tuple(_name(found[key]) for key in order)
    index = {key: number for number, key in enumerate(order)}
    ordered = [found[key] for key in order]
    parts = _points_of_others(ordered)
    groups = _groups(ordered, parts)
    ids = tuple(own_id(each.id) for each in ordered)
    return CocoClasses(index, ids, names, points, skeleton, groups, parts, _assumed(found))


def _assumed(found: Mapping[int | str, Category]) -> tuple[str, ...]:
    """Return a note on categories that are named by their id, as they have no name."""
    unnamed = listed(_name(each) for each in found.values() if not _own_name(each))
    return (f"categories without a name: {unnamed}",) if unnamed != "none" else ()


def _points_of_others(categories: Sequence[Category]) -> frozenset[int]:
    """Return the indices of the categories that are keypoints of their supercategory."""
    points = {(_name(each), point) for each in categories for point in each.keypoints or ()}
    return frozenset(
        position
        for position, each in enumerate(categories)
        if isinstance(each.supercategory, str) and (each.supercategory, _name(each)) in points
    )


def _groups(categories: Sequence[Category], points: frozenset[int]) -> frozenset[int]:
    """Return the indices of the categories that another one names as its supercategory."""
    above = Counter(each.supercategory for position, each in enumerate(categories)
                    if isinstance(each.supercategory, str) and position not in points)  # fmt: skip
    return frozenset(
        position
        for position, each in enumerate(categories)
        if above[_name(each)] > (each.supercategory == each.name)
    )


def _checked_id(category: Category, path: Path) -> int | str:
    key = identity(category.id)
    if key is None:
        raise DatasetError(
            f"{path}: the id of a category must be a whole number, got {shorten(category.id)}."
        )
    return key


def _name(category: Category) -> str:
    """Return the name of a category; that of its id if it has none."""
    return _own_name(category) or f"category {identity(category.id)}"


def _own_name(category: Category) -> str:
    name = category.name
    is_number = isinstance(name, int | float) and not isinstance(name, bool)
    return str(name).strip() if isinstance(name, str) or is_number else ""


def _keypoints(raw: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
        raise DatasetError(f"{path}: keypoints of a category must be names, got {shorten(raw)}.")
    check_keypoints(0, len(raw), path)
    return tuple(raw)


def _skeleton(raw: Any, points: int, path: Path) -> tuple[tuple[int, int], ...]:
    """Convert COCO's pairs, which count from 1, to pairs of indices; a 0 says that they do so."""
    pairs: Sequence[Any] = raw if isinstance(raw, list) else [raw]
    first = 0 if any(isinstance(pair, list) and 0 in pair for pair in pairs) else 1
    lines = []
    for pair in pairs:
        ends = [identity(end) for end in pair] if isinstance(pair, list) else []
        lines.append(
            tuple(end - first for end in ends if isinstance(end, int) and 0 <= end - first < points)
        )
        if len(ends) != 2 or len(lines[-1]) != 2:
            raise DatasetError(
                f"{path}: skeleton must be pairs of keypoint numbers from 1 to {points}, "
                f"got {shorten(pair)}."
            )
    return tuple((start, end) for start, end in lines)
