"""Labels of mirrored crops have the bias of their source."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from training.images import dotted_face

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.errors import DatasetError
from kpviewer.sources.opencv import cv2
from kpviewer.structures import GroundTruth
from kpviewer.training.data.crops import JitterOptions
from kpviewer.training.data.label_bias import LabelBias
from kpviewer.training.data.placement import Placement, place
from kpviewer.training.data.samples import Sample
from kpviewer.training.families.points import PointOptions, PointStream

NAMES = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
SWAP = (1, 0, 2, 4, 3)
STILL = JitterOptions(scale=0, shift=0, rotate_deg=0, mirror=1.0, colours=False)
SIDE = 120
FLAT = {name: [-0.1, 0.05] for name in NAMES}
"""Predictions left of the labels and below them: the labels are too far right and up."""


def annotated(sample: Sample, source: str, path: Path = Path("face.png")) -> AnnotatedImage:
    targets = GroundTruth(
        sample.xyxy,
        sample.class_ids,
        sample.points_xy,
        sample.labelled,
        np.zeros(len(sample.xyxy), np.bool_),
    )
    return AnnotatedImage(
        path, (SIDE, SIDE), targets, source, np.zeros(1, np.bool_), sample.labelled, 0
    )


def test_labels_of_the_mirrored_image_have_the_bias_of_their_source():
    rng = np.random.default_rng(0)
    found_minus_true = rng.uniform(-0.1, 0.1, (5, 2))
    labelled = dotted_face()
    unit = float(np.linalg.norm(labelled.points_xy[0, 0] - labelled.points_xy[0, 1]))
    face_xy = labelled.points_xy + found_minus_true * unit

    named = dict(zip(NAMES, found_minus_true.tolist(), strict=True))
    bias = LabelBias({"tilted": named}, NAMES, SWAP)
    moved = bias.before_mirroring(labelled, annotated(labelled, "tilted"), 0)
    mirror = Placement((60, 60), (60, 60), 1.0, 0.0, True, (SIDE, SIDE))
    got = place(moved, mirror, SWAP, cv2.BORDER_CONSTANT).points_xy
    # by hand: mirror and rename the face's own points, then add the bias of the source
    own = (face_xy * (-1, 1) + (SIDE, 0))[:, list(SWAP)]
    assert got == pytest.approx(own - found_minus_true * unit, abs=1e-3)


def test_labels_of_other_sources_and_without_a_normaliser_stay():
    face = dotted_face()
    bias = LabelBias({"tilted": FLAT}, NAMES, SWAP)
    assert bias.before_mirroring(face, annotated(face, "other"), 0) is face
    hidden = replace(face, labelled=np.array([[False, True, True, True, True]]))
    moved = bias.before_mirroring(hidden, annotated(hidden, "tilted"), 0)
    assert (moved.points_xy == face.points_xy).all()


def test_only_mirrored_crops_are_moved(tmp_path):
    face = dotted_face()
    cv2.imwrite(str(tmp_path / "face.png"), face.rgb[..., ::-1])
    objects = [(annotated(face, "tilted", tmp_path / "face.png"), 0)]
    bias = LabelBias({"tilted": FLAT}, NAMES, SWAP)

    def points(mirror: float, bias: LabelBias | None) -> np.ndarray:
        options = PointOptions(margin=1.0, jitter=replace(STILL, mirror=mirror))
        return next(iter(PointStream(objects, (64, 64), 0, SWAP, options, bias))).points_xy[0]

    assert (points(0.0, bias) == points(0.0, None)).all()
    plain = points(1.0, None)
    unit = float(np.linalg.norm(plain[0] - plain[1]))
    # labels are 0.1 too far right, so 0.1 too far left in the mirrored crop: they move by twice
    # that; there is no vertical bias
    target = [[0.2 * unit, 0.0]] * 5
    assert points(1.0, bias) - plain == pytest.approx(np.array(target), abs=1e-3)


def test_covered_faces_keep_their_points(tmp_path):
    face = dotted_face()
    cv2.imwrite(str(tmp_path / "face.png"), face.rgb[..., ::-1])
    objects = [(annotated(face, "", tmp_path / "face.png"), 0)]

    def seen(share: float) -> tuple[np.ndarray, np.ndarray]:
        options = PointOptions(jitter=replace(STILL, mirror=0.0), occluded_share=share)
        sample = next(iter(PointStream(objects, (64, 64), 0, SWAP, options)))
        return sample.rgb, sample.points_xy

    (bare, points), (covered, same) = seen(0.0), seen(1.0)
    assert (bare != covered).any(-1).mean() > 0.03
    assert (points == same).all()


@pytest.mark.parametrize(
    "points",
    [
        {},
        {name: [0.1, 0.0] for name in NAMES[1:]},
        {**FLAT, "chin": [0.0, 0.0]},
        {**FLAT, "nose": [0.1]},
        {**FLAT, "nose": ["a", "b"]},
        [[0.1, 0.0]] * 5,
    ],
)
def test_a_bias_of_other_points_is_refused(points):
    with pytest.raises(DatasetError, match=r"mirrored_bias\.tilted must have \[x, y\] for each of"):
        LabelBias({"tilted": points}, NAMES, SWAP)  # type: ignore[dict-item]
