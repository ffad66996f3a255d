"""Object tracking and smoothing through a pipeline."""

from dataclasses import replace

import numpy as np
import pytest
from fakes import FAKE_SPEC, TIMEOUT_S, FakeSource, FakeTimings, collect, read_stamp
from sample_results import detections

from kpviewer.models.spec import Task
from kpviewer.pipeline.pipeline import Pipeline, PipelineOptions
from kpviewer.pipeline.results.tracking import TRAIL_S, TrackingOptions, Trails, with_tracks_of
from kpviewer.structures import Candidates, FrameResult, GroundTruth, ImageArray

BOX, OTHER = (0, 0, 20, 20), (30, 0, 40, 20)
SMOOTH = TrackingOptions(smooth=True)


class ShakingEngine:
    """One face that stands still, with a landmark that shakes by 2 px."""

    spec = replace(FAKE_SPEC, task=Task.DETECT_KEYPOINTS, keypoint_names=("nose",))

    def infer(self, bgr: ImageArray) -> tuple[Candidates, FakeTimings]:
        x = 10 + 2 * (read_stamp(bgr) % 2)
        box = np.array([[0, 0, 20, 20]], np.float32)
        points = np.array([[[x, 5]]], np.float32)
        return Candidates(box, np.full((1, 1), 0.9, np.float32), points), FakeTimings()


def still_ground_truth() -> GroundTruth:
    return GroundTruth(
        np.array([[0, 0, 20, 20]], np.float32),
        np.zeros(1, np.int64),
        np.array([[[10, 5]]], np.float32),
        np.ones((1, 1), np.bool_),
        np.zeros(1, np.bool_),
    )


@pytest.fixture
def make():
    made = []

    def make_it(source: FakeSource, tracking: TrackingOptions, **options: object) -> Pipeline:
        pipeline = Pipeline(source, ShakingEngine(), options=PipelineOptions(**options))
        pipeline.settings.set_tracking(tracking)
        made.append(pipeline)
        return pipeline

    yield make_it
    for pipeline in made:
        pipeline.close()


def results_of(pipeline: Pipeline) -> list[FrameResult]:
    seen = collect(pipeline)
    pipeline.start()
    assert pipeline.join(TIMEOUT_S)
    return seen.results


def xs(results: list[FrameResult]) -> list[float]:
    return [float(one.detections.smoothed_xy[0, 0, 0]) for one in results]


def test_landmarks_are_smoothed_and_errors_and_raw_ones_are_not(make):
    file = {"pace": False, "hold_at_end": False}
    results = results_of(make(FakeSource(20, ground_truth=still_ground_truth()), SMOOTH, **file))
    raw = [float(one.detections.keypoints_xy[0, 0, 0]) for one in results]
    assert raw == [10, 12] * 10
    assert np.std(xs(results)[5:]) < 0.6
    assert [one.error.mean_px for one in results] == [0, 2] * 10


def test_nothing_is_added_unless_asked_for(make):
    results = results_of(make(FakeSource(3), TrackingOptions(), pace=False, hold_at_end=False))
    assert [one.detections.smoothed_xy for one in results] == [None] * 3


def test_seek_forgets_what_came_before(make):
    pipeline = make(FakeSource(30), SMOOTH, pace=False)
    seen = collect(pipeline)
    pipeline.pause()
    pipeline.start()
    seen.wait_for(1)
    pipeline.step()
    seen.wait_for(2)
    assert 10 < xs(seen.results)[1] < 12
    pipeline.seek(3)  # later in time, and yet not what came next
    seen.wait_for(3)
    assert xs(seen.results)[2] == 12


def test_objects_have_ids_and_trails_that_end_in_their_centre(make):
    both = TrackingOptions(smooth=True, track=True)
    results = results_of(make(FakeSource(6), both, pace=False, hold_at_end=False))
    assert [one.detections.track_ids.tolist() for one in results] == [[-1], *[[1]] * 5]
    trails = [one.detections.trails[0] for one in results]
    assert [len(trail) for trail in trails] == [0, 1, 2, 3, 4, 5]
    assert trails[-1].tolist() == [[10, 10]] * 5


def test_object_has_another_id_after_a_seek(make):
    pipeline = make(FakeSource(30), TrackingOptions(track=True), pace=False)
    seen = collect(pipeline)
    pipeline.pause()
    pipeline.start()
    seen.wait_for(1)
    for count in (2, 3):
        pipeline.step()
        seen.wait_for(count)
    pipeline.seek(3)
    seen.wait_for(4)
    pipeline.step()
    seen.wait_for(5)
    ids = [one.detections.track_ids.tolist() for one in seen.results]
    assert ids == [[-1], [1], [1], [-1], [2]]


def test_trail_forgets_what_is_long_ago():
    trails = Trails()
    box, ids = np.array([[0, 0, 2, 2]], np.float32), np.array([1])
    for step in range(5):
        (trail,) = trails.update(box + step, ids, step * TRAIL_S / 2)
    assert trail.tolist() == [[3, 3], [4, 4], [5, 5]]


def test_detections_at_other_thresholds_keep_their_tracks():
    known = replace(
        detections([BOX, OTHER], points=[[(1, 1)], [(2, 2)]]),
        smoothed_xy=np.array([[[5, 5]], [[6, 6]]], np.float32),
        track_ids=np.array([7, 8]),
        trails=(np.ones((3, 2), np.float32), np.zeros((2, 2), np.float32)),
    )
    found = detections([OTHER, (50, 50, 60, 60)], points=[[(2, 2)], [(3, 3)]])
    after = with_tracks_of(known, found)
    assert after.track_ids.tolist() == [8, -1]
    assert after.smoothed_xy.tolist() == [[[6, 6]], [[3, 3]]]
    assert [len(trail) for trail in after.trails] == [2, 0]
    assert after.keypoints_xy is found.keypoints_xy
    plain = with_tracks_of(detections([BOX]), found)
    assert (plain.smoothed_xy, plain.track_ids, plain.trails) == (None, None, None)
