r"""How far labels of points move where the image doesn't: what no model can learn of them.

    python benchmarks/label_noise.py --data coco:faces/train/annotations.json \
        --clips 'p1_tr_(.+)[0-9]\.jpg'

Optical flow carries the labelled points of a frame to another frame of the same clip, where the
image around them looks the same; the distance to the labels there is that of two labels, so one
label's part is 1/sqrt(2) of it, if they err independently and evenly. Errors that two frames share
aren't seen. The last line is the flow's own error: on each frame and the same one moved a little.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import click
import numpy as np
import numpy.typing as npt

from kpviewer.annotations.spec import read_annotations
from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.sources.opencv import cv2

LIKENESS = (0.9, 0.95, 0.98, 0.99)
"""Least correlation of the 19 x 19 px around a point in both frames."""
_RADIUS_PX = 9
_WINDOW_PX = 21
_RETURN_SHARE = 0.01
"""Flow there and back must come this near to where it began, over the distance of the eyes."""

Array = npt.NDArray[Any]


@click.command
@click.option("--data", required=True, help="Faces whose first two points are the eyes.")
@click.option("--clips", required=True, help="Pattern of names; its group names the clip.")
def main(data: str, clips: str) -> None:
    """Print the mean distance of labels from where the image says they are."""
    by_clip: dict[str, list[tuple[Array, Array]]] = defaultdict(list)
    for image in read_annotations(data).images:
        match = re.fullmatch(clips, image.path.name)
        if match is not None and len(image.targets) == 1 and _is_labelled(image):
            grey = cv2.imread(str(image.path), cv2.IMREAD_GRAYSCALE)
            assert grey is not None, image.path
            points = image.targets.keypoints_xy[0] - 0.5  # OpenCV counts from pixel centres
            by_clip[match.group(1)].append((grey, points.astype(np.float32)))
    between = [
        point
        for frames in by_clip.values()
        for here, there in permutations(frames, 2)
        for point in carried(here, there)
    ]
    own = [point for frames in by_clip.values() for here in frames for point in moved(here)]
    print(f"{sum(map(len, by_clip.values()))} frames of {len(by_clip)} clips")
    print("correlation  points  distance / eyes, one label: mean  median")
    for likeness in LIKENESS:
        _print_row(f"> {likeness}", [gap for alike, gap in between if alike > likeness], 2)
    _print_row("flow's own", [gap for alike, gap in own if alike > LIKENESS[0]], 1)


def _is_labelled(image: AnnotatedImage) -> bool:
    return bool(image.keypoints_labelled[0].all()) and not bool(image.pseudo[0])


def _print_row(name: str, gaps: list[float], labels: int) -> None:
    each = np.array(gaps) / math.sqrt(labels)
    print(f"{name:11}  {len(each):6}  {each.mean():35.4f}  {np.median(each):6.4f}")


def carried(here: tuple[Array, Array], there: tuple[Array, Array]) -> Iterator[tuple[float, float]]:
    """Carry the points of one frame to another.

    Args:
        here: (H, W) uint8 grey, and (K, 2) points, px from pixel centres, the eyes first.
        there: the same of the other frame.

    Yields:
        Of each point that flow finds: correlation of the surroundings, and the distance of where it
        comes to from the point there, over the distance of the eyes here.
    """
    (grey, points), (other, others) = here, there
    eyes = float(np.linalg.norm(points[0] - points[1]))
    places, found = _flow(grey, other, points, others)
    back, found_back = _flow(other, grey, places, points)
    returned = np.linalg.norm(back - points, axis=1) / eyes < _RETURN_SHARE
    for row in np.flatnonzero(found & found_back & returned):
        alike = _correlation(_around(grey, points[row]), _around(other, places[row]))
        yield alike, float(np.linalg.norm(places[row] - others[row])) / eyes


def moved(here: tuple[Array, Array]) -> Iterator[tuple[float, float]]:
    """As ``carried``, to the same frame turned by 2 degrees and enlarged by 2 %: points known."""
    grey, points = here
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), 2.0, 1.02)
    other = cv2.warpAffine(grey, matrix, (width, height), flags=cv2.INTER_CUBIC)
    others = (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
    yield from carried(here, (np.asarray(other), others))


def _flow(
    grey: Array, other: Array, points: Array, start: Array
) -> tuple[Array, npt.NDArray[np.bool_]]:
    places, found, _ = cv2.calcOpticalFlowPyrLK(
        grey,
        other,
        points[:, None].copy(),
        start[:, None].copy(),
        winSize=(_WINDOW_PX, _WINDOW_PX),
        maxLevel=2,
        criteria=(cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 50, 0.001),
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
    )
    return places[:, 0], found[:, 0].astype(bool)


def _around(grey: Array, point: Array) -> Array:
    side = 2 * _RADIUS_PX + 1
    patch = cv2.getRectSubPix(grey, (side, side), (float(point[0]), float(point[1])))
    return np.asarray(patch, np.float32)


def _correlation(first: Array, second: Array) -> float:
    return float(np.nan_to_num(np.corrcoef(first.ravel(), second.ravel())[0, 1]))


if __name__ == "__main__":
    main()
