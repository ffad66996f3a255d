"""Images of which some objects are unusable."""

from collections.abc import Iterable
from dataclasses import replace

from kpviewer.annotations.problems import NO_AREA, Problem, is_left_out, problem_notes
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet


def marked(
    images: tuple[AnnotatedImage, ...], problems: Iterable[Problem]
) -> tuple[AnnotatedImage, ...]:
    """Mark the images that lost objects; a box without area hides no visible object."""
    partial = {each.image for each in problems if each.image is not None and each.what != NO_AREA}
    if not partial:
        return images
    return tuple(
        replace(image, is_partial=True) if row in partial else image
        for row, image in enumerate(images)
    )


def without_partial(data: AnnotationSet) -> AnnotationSet:
    """Leave out images with an unusable object, with a note on all that is left out.

    A detection of the unusable object would count as a false positive. These images are kept if no
    other image has objects.
    """
    whole = tuple(image for image in data.images if not image.is_partial)
    lost = [each for each in data.problems if is_left_out(each)]
    others = sum(each.image is None for each in lost)
    count, total = len(data) - len(whole) + others, len(data) + others
    if not any(len(image.targets) for image in whole):
        whole = data.images
        kept = sum(len(each.targets) or not each.is_partial for each in whole)
        count, total = len(lost), len(lost) + kept
    notes = problem_notes(data.problems, count, total)
    return replace(data, images=whole, notes=(*notes, *data.notes))
