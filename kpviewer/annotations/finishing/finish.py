"""Post-processing of data sets after reading, independent of their format."""

from __future__ import annotations

from dataclasses import replace

from kpviewer.annotations.finishing.duplicates import merged, without_duplicates
from kpviewer.annotations.finishing.files import ImageFolders, unlisted, with_files
from kpviewer.annotations.finishing.partial import marked
from kpviewer.annotations.finishing.units import unit_problems
from kpviewer.annotations.problems import Problem
from kpviewer.annotations.structure import AnnotationSet


def finish(
    data: AnnotationSet, problems: list[Problem] | None, *, is_whole: bool = True
) -> AnnotationSet:
    """Match names to files and remove duplicates.

    Args:
        data: the set that a reader returned.
        problems: a list that collects changes and suspected mistakes; None discards them.
        is_whole: whether the set should list all images of its folders.
    """
    found: list[Problem] = []
    files = ImageFolders()
    images = with_files(marked(data.images, problems or ()), files, found)
    images = merged(images, found)
    images = tuple(without_duplicates(image, found) for image in images)
    data = replace(data, images=images)
    if problems is not None:
        alone = list(unlisted(images, files)) if is_whole else []
        if len(alone) <= sum(problem.is_error for problem in problems):
            alone = []  # these images have unusable entries
        problems += [*found, *unit_problems(data), *alone]
    return data
