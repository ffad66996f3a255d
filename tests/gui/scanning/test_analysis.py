"""Analysis of what was scanned: lanes, scores, and what makes them new."""

import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from fakes import FAKE_SPEC
from pytestqt.qtbot import QtBot
from sample_results import objects

from kpviewer.gui.opening.ground_truth_lookup import GroundTruthLookup
from kpviewer.gui.scanning import calculation
from kpviewer.gui.scanning.analysis import Analysis
from kpviewer.gui.scanning.calculation import TwoScores
from kpviewer.models.spec import Task
from kpviewer.scanning.columns import ScannedFrame, columns_of
from kpviewer.scanning.lanes import Lanes
from kpviewer.scanning.records import ScanChunk
from kpviewer.scanning.signs import Kind
from kpviewer.scanning.store import BLOCK, ScanStore
from kpviewer.scanning.suspects import Suspect
from kpviewer.sources.synthetic.video import GeneratedGroundTruth
from kpviewer.structures import (
    Candidates,
    Detections,
    Frame,
    FrameError,
    FrameResult,
    GroundTruth,
    SecondResult,
    StageTimings,
    StreamInfo,
    Thresholds,
)

SPEC = replace(FAKE_SPEC, class_names=("thing",), keypoint_names=(), skeleton=())
OTHER = replace(SPEC, name="other", class_names=("idea", "thing"))
FRAMES = 6
INFO = StreamInfo("clip.mp4", 64, 48, 30.0, FRAMES, is_live=False, is_seekable=True)
AT_03, AT_06 = Thresholds(score=0.3), Thresholds(score=0.6)
AGREES = FrameError(0.0, None, "box diagonal", 1.0, 1, 0, 0)


def candidates(index: int, classes: int = 1) -> Candidates:
    """A box of 0.9 at x = index, and one of 0.4 far from it, of the last class."""
    scores = np.zeros((2, classes), np.float32)
    scores[:, -1] = (0.9, 0.4)
    xyxy = np.array([[index, 0, index + 10, 10], [30, 30, 40, 40]], np.float32)
    return Candidates(xyxy, scores, np.zeros((2, 0, 2), np.float32))


def ground_truth(class_id: int = 0) -> GroundTruth:
    return objects([[0, 0, 10, 10]], [class_id])


def result(index: int, **changes: object) -> FrameResult:
    image = np.zeros((48, 64, 3), np.uint8)
    truth = changes.pop("truth", None)
    frame = Frame(index, 0, index / 30, image, truth)  # type: ignore[arg-type]
    usual = FrameResult(frame, candidates(index), Detections.empty(), StageTimings(), spec=SPEC)
    return replace(usual, **changes)  # type: ignore[arg-type]


def second(index: int) -> SecondResult:
    return SecondResult(candidates(index, 2), Detections.empty(), 1.0, AGREES, OTHER)


def chunk(*indices: int, classes: int = 1) -> ScanChunk:
    frames = [ScannedFrame(index, index / 30, candidates(index, classes)) for index in indices]
    return ScanChunk(columns_of(frames, classes, 0, 0.05))


def at_zero() -> GroundTruthLookup:
    return GroundTruthLookup(GeneratedGroundTruth(lambda _: ground_truth(), SPEC.class_names, ()))


class Seen:
    """What an analysis emitted last."""

    def __init__(self, analysis: Analysis) -> None:
        self.lanes: Lanes | None = None
        self.scores = TwoScores()
        self.emitted = 0
        analysis.lanes_changed.connect(self._on_lanes_changed)
        self.suspects: list[Suspect] = []
        analysis.suspects_changed.connect(lambda found: setattr(self, "suspects", found))
        analysis.scores_changed.connect(lambda scores: setattr(self, "scores", scores))

    def _on_lanes_changed(self, lanes: Lanes | None) -> None:
        self.lanes = lanes
        self.emitted += 1

    @property
    def found(self) -> list[int]:
        return [] if self.lanes is None else self.lanes.found.tolist()


@pytest.fixture
def analysis(qapp) -> Iterator[Analysis]:
    analysis = Analysis()
    analysis.set_models(SPEC, None)
    analysis.set_thresholds(AT_03, None)
    yield analysis
    analysis.close()


@pytest.fixture
def seen(analysis) -> Seen:
    return Seen(analysis)


@pytest.fixture
def settle(qtbot: QtBot, analysis) -> Callable[[], None]:
    return lambda: qtbot.waitUntil(lambda: not analysis.is_busy)


def test_lanes_are_of_frames_that_were_seen_or_scanned(analysis, seen, settle):
    analysis.set_source(INFO)
    analysis.add(result(1))
    analysis.add_chunks("A", [chunk(3, 4)])
    settle()
    assert seen.found == [-1, 2, -1, 2, 2, -1]
    assert seen.scores == TwoScores() or seen.scores.first is None


def test_frames_that_are_dropped_are_reported_once_a_source(analysis, seen, settle, monkeypatch):
    long = replace(INFO, frame_count=3 * BLOCK)
    monkeypatch.setattr(calculation, "ScanStore", partial(ScanStore, max_bytes=100))
    dropped: list[int] = []
    analysis.dropped.connect(lambda: dropped.append(1))
    for _ in range(2):
        analysis.set_source(long)
        analysis.add_chunks("A", [chunk(0)])
        settle()
        told = len(dropped)
        for first in (BLOCK, 2 * BLOCK):
            analysis.add_chunks("A", [chunk(first)])
            settle()
        assert seen.found[0] == -1 and seen.found[2 * BLOCK] == 2
        assert len(dropped) == told + 1
    assert len(dropped) == 2


def test_frames_of_the_second_model_that_are_dropped_are_reported(analysis, settle, monkeypatch):
    monkeypatch.setattr(calculation, "ScanStore", partial(ScanStore, max_bytes=100))
    dropped: list[int] = []
    analysis.dropped.connect(lambda: dropped.append(1))
    analysis.set_models(SPEC, OTHER)
    analysis.set_thresholds(AT_03, AT_03)
    analysis.set_source(replace(INFO, frame_count=2 * BLOCK))
    analysis.add_chunks("A", [chunk(0)])
    for first in (0, BLOCK):
        analysis.add_chunks("B", [chunk(first, classes=2)])
        settle()
    assert dropped == [1]


def test_a_source_that_is_left_takes_its_dropping_scan_along(analysis, settle, monkeypatch):
    stores: list[weakref.ref[ScanStore]] = []  # each may hold 1 GiB

    def made(*shape: int) -> ScanStore:
        store = ScanStore(*shape, max_bytes=100)
        stores.append(weakref.ref(store))
        return store

    monkeypatch.setattr(calculation, "ScanStore", made)
    analysis.set_source(replace(INFO, frame_count=2 * BLOCK))
    for first in (0, BLOCK):
        analysis.add_chunks("A", [chunk(first)])
        settle()
    analysis.set_source(INFO)
    settle()
    assert [store() is None for store in stores] == [True, False]


def test_lanes_follow_the_confidence(analysis, seen, settle):
    analysis.set_source(INFO)
    analysis.add_chunks("A", [chunk(*range(FRAMES))])
    settle()
    assert seen.found == [2] * FRAMES
    analysis.set_thresholds(AT_06, None)
    settle()
    assert seen.found == [1] * FRAMES


def test_every_scanned_frame_is_scored_with_its_ground_truth(analysis, seen, settle):
    analysis.set_source(INFO, at_zero)
    analysis.add_chunks("A", [chunk(*range(FRAMES))])
    settle()
    scores = seen.scores.first
    assert (scores.scored, scores.with_ground_truth, scores.overall.objects) == (6, 6, 6)
    assert scores.summary.matched == 4  # IoU of at least 0.5 up to a shift of 3 px
    assert scores.summary.false_positives == 8
    assert seen.lanes.error_px[:4].tolist() == [0, 1, 2, 3]
    assert seen.lanes.missed.tolist() == [0, 0, 0, 0, 1, 1]
    analysis.set_thresholds(AT_06, None)
    settle()
    assert seen.scores.first.summary.false_positives == 2
    assert seen.lanes.false_alarms.tolist() == [0, 0, 0, 0, 1, 1]


def test_classes_of_whole_images_are_no_missed_boxes(analysis, seen, settle):
    analysis.set_models(replace(SPEC, task=Task.CLASSIFY), None)
    analysis.set_source(INFO, at_zero)
    analysis.add_chunks("A", [chunk(*range(FRAMES))])
    settle()
    assert seen.scores.first is None
    assert not seen.lanes.has_errors


def test_ground_truth_that_live_frames_bring_counts_too(analysis, seen, settle):
    analysis.set_source(INFO)
    analysis.add(result(0, truth=ground_truth()))
    analysis.add(result(1))
    settle()
    assert (seen.scores.first.scored, seen.scores.first.scanned) == (1, 2)
    analysis.add(result(2, truth=ground_truth()))
    settle()
    assert seen.scores.first.scored == 2


def test_playing_what_was_scanned_calculates_nothing(analysis, seen, settle):
    analysis.set_models(SPEC, OTHER)
    analysis.set_thresholds(AT_03, AT_03)
    analysis.set_source(INFO, lambda: None)
    analysis.add_chunks("A", [chunk(0, 1)])
    analysis.add_chunks("B", [chunk(0, 1, classes=2)])
    settle()
    analysis.add(result(0, second=second(0)))
    assert not analysis.is_busy
    analysis.add(result(1, truth=ground_truth()))  # which is news, once
    settle()
    assert seen.scores.first.scored == 1
    analysis.add(result(1, truth=ground_truth()))
    assert not analysis.is_busy


def test_two_models_are_scored_with_their_own_class_ids(analysis, seen, settle):
    analysis.set_models(SPEC, OTHER)
    analysis.set_thresholds(AT_06, AT_03)
    analysis.set_source(INFO)
    analysis.add(result(0, truth=ground_truth(), second=second(0)))
    settle()
    first, other = seen.scores.first, seen.scores.second
    assert (first.summary.matched, first.summary.false_positives) == (1, 0)
    assert (other.summary.matched, other.summary.false_positives) == (1, 1)
    assert other.overall.objects == 1 and other.curve(1).objects == 1


def test_lanes_show_how_two_models_differ(analysis, seen, settle):
    analysis.set_models(SPEC, OTHER)
    analysis.set_thresholds(AT_03, AT_06)
    analysis.set_source(INFO)
    analysis.add_chunks("A", [chunk(0, 1, 2)])
    analysis.add_chunks("B", [chunk(1, 2, 3, classes=2)])
    settle()
    assert seen.lanes.disagreements.tolist() == [-1, 1, 1, -1, -1, -1]
    assert seen.lanes.difference_px[1:3].tolist() == [0, 0]
    assert {each.kind for each in seen.suspects} >= {Kind.DISAGREEMENT}
    analysis.set_thresholds(AT_06, AT_06)
    settle()
    assert seen.lanes.disagreements.tolist() == [-1, 0, 0, -1, -1, -1]
    analysis.set_models(SPEC, None)
    settle()
    assert not seen.lanes.has_differences


def test_an_object_that_is_gone_for_a_frame_is_suspected(analysis, seen, settle):
    analysis.set_source(INFO)
    gone = replace(candidates(2), scores=np.zeros((2, 1), np.float32))
    chunks = [chunk(0, 1), chunk(3, 4, 5)]
    analysis.add_chunks("A", chunks)
    analysis.add(result(2, candidates=gone))
    settle()
    assert (seen.suspects[0].kind, seen.suspects[0].frame_index) == (Kind.GONE, 2)


def test_a_scan_of_the_second_model_is_its_own(analysis, seen, settle):
    analysis.set_models(SPEC, OTHER)
    analysis.set_thresholds(AT_03, AT_03)
    analysis.set_source(INFO, at_zero)
    analysis.add_chunks("B", [chunk(*range(FRAMES), classes=2)])
    analysis.add_chunks("A", [chunk(0)])
    settle()
    assert seen.scores.first.scanned == 1
    assert seen.scores.second.scanned == 6
    assert seen.found == [2, -1, -1, -1, -1, -1]


def test_another_source_or_model_starts_again(analysis, seen, settle):
    analysis.set_source(INFO)
    analysis.add(result(1))
    settle()
    analysis.set_source(None)
    assert seen.lanes is None
    analysis.set_source(INFO)
    analysis.add(result(2))
    settle()
    assert seen.found == [-1, -1, 2, -1, -1, -1]
    analysis.set_models(replace(SPEC, input_hw=(16, 16)), None)
    assert seen.lanes is None  # at once
    settle()
    assert seen.lanes is None


def test_the_same_model_on_another_backend_keeps_what_was_scanned(analysis, seen, settle):
    analysis.set_source(INFO)
    analysis.add(result(1))
    settle()
    analysis.set_models(replace(SPEC), OTHER)
    settle()
    assert seen.found == [-1, 2, -1, -1, -1, -1]


def test_another_training_of_the_same_description_starts_again(analysis, seen, settle):
    analysis.set_models(SPEC, OTHER, ("one", "other"))
    analysis.set_source(INFO)
    analysis.add(result(1))
    settle()
    retrained = replace(SPEC)
    analysis.set_models(retrained, OTHER, ("two", "other"))
    settle()
    assert seen.lanes is None
    analysis.add(result(3, spec=retrained))
    settle()
    assert seen.found == [-1, -1, -1, 2, -1, -1]


def test_another_training_of_the_second_model_starts_again(analysis, seen, settle):
    analysis.set_source(INFO)
    analysis.set_models(SPEC, OTHER, ("one", "other"))
    analysis.set_thresholds(AT_03, AT_03)
    analysis.add(result(1, second=second(1)))
    settle()
    assert seen.lanes is not None and seen.lanes.has_differences
    retrained = replace(OTHER)
    analysis.set_models(SPEC, retrained, ("one", "another"))
    analysis.add(result(2))
    settle()
    assert seen.found == [-1, 2, 2, -1, -1, -1]
    assert not seen.lanes.has_differences


def test_another_ground_truth_scores_the_same_frames_again(analysis, seen, settle):
    analysis.set_source(INFO)
    analysis.add_chunks("A", [chunk(*range(FRAMES))])
    settle()
    assert seen.scores.first is None
    analysis.set_ground_truth(at_zero)
    settle()
    assert seen.scores.first.scored == FRAMES
    analysis.set_ground_truth(lambda: None)
    settle()
    assert seen.scores.first is None


def test_live_sources_are_not_kept(analysis, seen, settle):
    analysis.set_source(replace(INFO, is_live=True, is_seekable=False, frame_count=None))
    analysis.add(result(1))
    settle()
    assert seen.lanes is None


def test_frames_without_a_model_are_not_kept(analysis, seen, settle):
    analysis.set_source(INFO)
    analysis.add(result(1, has_model=False))
    settle()
    assert seen.lanes is None


def test_a_source_of_unknown_length_has_lanes_up_to_the_last_frame(analysis, seen, settle):
    analysis.set_source(replace(INFO, frame_count=None), at_zero)
    analysis.add(result(3))
    settle()
    assert seen.found == [-1, -1, -1, 2]
    assert seen.scores.first.scored == 1


def test_many_edits_make_few_calculations_and_the_last_one_counts(analysis, seen, settle):
    analysis.set_source(INFO)
    analysis.add_chunks("A", [chunk(*range(FRAMES))])
    settle()
    before = seen.emitted
    for step in range(300, 700):
        analysis.set_thresholds(Thresholds(score=step / 1000), None)
    settle()
    assert seen.found == [1] * FRAMES
    assert seen.emitted - before <= 2


def test_a_calculation_that_fails_is_logged(analysis, settle, caplog):
    analysis.set_source(INFO, lambda: 1 / 0)
    analysis.add_chunks("A", [chunk(0)])
    settle()
    assert "division by zero" in caplog.text


def test_closing_drops_what_runs(qtbot, qapp):
    analysis = Analysis()
    seen = Seen(analysis)
    analysis.set_models(SPEC, None)
    analysis.set_thresholds(AT_03, None)
    analysis.set_source(INFO)
    analysis.add_chunks("A", [chunk(0)])
    analysis.close()
    assert not analysis.is_busy
    assert seen.lanes is None
