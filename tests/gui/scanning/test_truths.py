"""Ground truth of what was scanned, for two models."""

import numpy as np

from kpviewer.gui.opening.ground_truth_lookup import GroundTruthLookup
from kpviewer.gui.scanning.truths import Truths
from kpviewer.scanning.columns import CandidateColumns, ScannedFrame, columns_of
from kpviewer.structures import Candidates, GroundTruth

FIRST, SECOND = ("cat", "dog"), ("dog", "bird")


def one(class_id: int, labelled: frozenset[int] | None = None) -> GroundTruth:
    return GroundTruth(
        np.array([[0, 0, 9, 9]], np.float32),
        np.array([class_id]),
        np.zeros((1, 0, 2), np.float32),
        np.zeros((1, 0), np.bool_),
        np.zeros(1, np.bool_),
        labelled_ids=labelled,
    )


def block(*indices: int, size_wh: tuple[int, int] | None = (64, 48)) -> CandidateColumns:
    nothing = Candidates(
        np.zeros((0, 4), np.float32),
        np.zeros((0, 2), np.float32),
        np.zeros((0, 0, 2), np.float32),
        size_wh=size_wh,
    )
    return columns_of([ScannedFrame(index, None, nothing) for index in indices], 2, 0, 0.05)


class FakeLookup(GroundTruthLookup):
    """Ground truth of the even frames; that of images depends on their size."""

    def __init__(self, *, needs_sizes: bool = False) -> None:
        self.asked: list[tuple[object, ...]] = []
        self._needs_sizes = needs_sizes
        self._kept = {index: one(0) for index in range(0, 100, 2)}

    @property
    def needs_sizes(self) -> bool:
        return self._needs_sizes

    def for_names(self, class_names, keypoint_names):
        return self if "cat" in class_names else None

    def for_frame(self, index, size_wh=None, file=None):
        self.asked.append((index, size_wh, file))
        return None if size_wh == (1, 1) or file == "other.png" else self._kept.get(index)


def indices(truths: Truths, names=FIRST, blocks=(), files=None) -> list[int]:
    return truths.columns(names, (), blocks, files or {}).frame_index.tolist()


def test_all_frames_of_a_video_are_looked_up_once():
    lookup = FakeLookup()
    truths = Truths(lambda: lookup, FIRST, 5)
    before = truths.columns(FIRST, (), [block(0)], {})
    assert before.frame_index.tolist() == [0, 2, 4]
    assert truths.columns(FIRST, (), [block(0), block(1, 2)], {}) is before
    assert [index for index, *_ in lookup.asked] == [0, 1, 2, 3, 4]


def test_an_image_is_looked_up_again_when_its_size_and_file_are_known():
    lookup = FakeLookup(needs_sizes=True)
    truths = Truths(lambda: lookup, FIRST, 6)
    before = truths.columns(FIRST, (), [], {})
    assert before.frame_index.tolist() == [0, 2, 4]
    kept = block(0, 1)
    assert truths.columns(FIRST, (), [kept], {0: "a.png"}) is before
    assert (0, (64, 48), "a.png") in lookup.asked
    assert indices(truths, blocks=[kept, block(2, size_wh=(1, 1))]) == [0, 4]
    assert indices(truths, blocks=[block(4)], files={4: "other.png"}) == [0]


def test_frames_of_a_source_of_unknown_length_are_looked_up_as_they_come():
    truths = Truths(FakeLookup, FIRST, None)
    assert indices(truths, blocks=[block(1, 2)]) == [2]
    assert indices(truths, blocks=[block(1, 2), block(6)]) == [2, 6]


def test_a_model_without_a_shared_class_has_none():
    truths = Truths(FakeLookup, FIRST, 5)
    truths.add_live({1: one(1)})  # of a frame before the model
    assert indices(truths, SECOND) == []


def test_what_frames_bring_is_renumbered_for_the_second_model():
    truths = Truths(lambda: None, FIRST, 5)
    truths.add_live({1: one(1), 3: one(0)})
    first, second = truths.columns(FIRST, (), [], {}), truths.columns(SECOND, (), [], {})
    assert (first.frame_index.tolist(), first.objects.class_ids.tolist()) == ([1, 3], [1, 0])
    assert (second.frame_index.tolist(), second.objects.class_ids.tolist()) == ([1, 3], [0])
    assert second.labelled == (frozenset({0}),)  # nobody has looked for birds


def test_classes_that_are_not_labelled_stay_so_for_the_second_model():
    truths = Truths(lambda: None, FIRST, 5)
    truths.add_live({1: one(0, frozenset({0}))})
    assert truths.columns(SECOND, (), [], {}).labelled == (frozenset(),)
