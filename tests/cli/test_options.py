from kpviewer.cli.options import threshold_changes
from kpviewer.structures import NmsKind, Thresholds


def test_only_what_was_given_changes_the_thresholds():
    assert (
        threshold_changes(
            {"conf": None, "iou": None, "nms": None, "sigma": None, "keypoint_conf": None}
        )
        == {}
    )
    changes = threshold_changes(
        {"conf": 0.0, "iou": None, "nms": "soft-linear", "sigma": 0.25, "keypoint_conf": 0.4}
    )
    assert Thresholds(**changes) == Thresholds(
        score=0.0, nms=NmsKind.SOFT_LINEAR, sigma=0.25, keypoint=0.4
    )
