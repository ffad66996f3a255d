"""Candidates in px of the source, from a runner's array of them in px of the input."""

import numpy as np

from kpviewer.errors import PipelineError
from kpviewer.geometry import Letterbox
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.structures import Candidates, FloatArray


def unpacked(
    packed: FloatArray, spec: ModelSpec, box: Letterbox, source_hw: tuple[int, int]
) -> Candidates:
    """Return the candidates of an image in its own px.

    Args:
        packed: (M, 4 + C + 2K) or + 3K float32 candidates, input px; without keypoints perhaps a
            column of overlaps and 2V of outlines. Rows of score 0 at the end, as images of a batch
            have that have fewer than others, are left out.
        spec: description of the model.
        box: where the image is in the input.
        source_hw: height and width of the image, px.

    Raises:
        PipelineError: if the model predicts scores of keypoints that its spec doesn't declare.
    """
    size_wh = (source_hw[1], source_hw[0])
    classes, points = len(spec.class_names), len(spec.keypoint_names)
    first, end = 4 + classes, 4 + classes + 2 * points
    if spec.task is not Task.CLASSIFY and not packed[-1:, 4:first].any():
        packed = packed[: np.flatnonzero(packed[:, 4:first].any(1)).max(initial=-1) + 1]
    scores, rest = map(np.ascontiguousarray, (packed[:, 4:first], packed[:, end:]))
    confidences = rest if points and rest.shape[1] else None
    if confidences is not None and spec.keypoint_threshold is None:
        raise PipelineError(
            f"{spec.name} predicts scores of keypoints, but its ModelSpec says that it "
            "predicts none. Set keypoint_threshold, such as 0.5."
        )
    has_overlaps = not points and rest.shape[1] % 2 == 1
    outlines = rest[:, rest.shape[1] if points else int(has_overlaps) :]
    shape = len(packed), outlines.shape[1] // 2, 2
    boxes = box.to_source(packed[:, :4])
    if spec.task is Task.CLASSIFY:  # the whole image, without the letterbox's padding
        boxes[:] = (0, 0, *size_wh)
    return Candidates(
        boxes,
        scores,
        box.to_source(packed[:, first:end]).reshape(len(packed), points, 2),
        confidences,
        size_wh,
        rest[:, 0] if has_overlaps else None,
        box.to_source(outlines).reshape(*shape) if shape[1] else None,
    )
