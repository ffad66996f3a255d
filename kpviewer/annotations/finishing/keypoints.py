"""Visibility of keypoints: sets whose points no score compares."""

from collections.abc import Iterator

from kpviewer.annotations.finishing.pixels import describe_object
from kpviewer.annotations.problems import COVERED, Problem
from kpviewer.annotations.structure import AnnotationSet


def keypoint_problems(data: AnnotationSet) -> Iterator[Problem]:
    """Yield a problem if keypoints are labelled and none is visible, as where 1 means visible.

    One alone may be covered by chance.
    """
    labelled = [image for image in data.images if image.keypoints_labelled.any()]
    count = sum(int(image.keypoints_labelled.sum()) for image in labelled)
    if count > 1 and not any(image.targets.keypoints_visible.any() for image in labelled):
        first = labelled[0]
        row = int(first.keypoints_labelled.any(axis=1).argmax())
        where = describe_object(first, row, first.targets.xyxy[row])
        yield Problem(COVERED, where, is_error=False)
