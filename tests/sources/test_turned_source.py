"""Rotated and mirrored sources, and the ground truth of rotated images."""

from dataclasses import replace

import numpy as np
import pytest
from sample_results import ground_truth

from kpviewer.sources.base import Captured
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.sources.turn import ANGLES, Turn
from kpviewer.sources.turned_source import TurnedSource
from kpviewer.structures import StreamInfo

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
TRUE = ground_truth((1, 0, 3, 1), (2.5, 0.5))  # in the third pixel of the first row
TURNS = [Turn(degrees, mirrored) for degrees in ANGLES for mirrored in (False, True)]


class OneImage:
    """Source of one image, over and over."""

    info = StreamInfo("one", 6, 4, 30.0, None, is_live=True, is_seekable=False)
    warning = None
    next_index = 7

    def open(self):
        return self.info

    def read(self, allocate):
        buffer = allocate(4, 6)
        buffer[:] = IMAGE
        return Captured(buffer, 5, 0.5, TRUE, "a.png", 3)

    def close(self):
        pass


def new_buffer(height, width):
    return np.zeros((height, width, 3), np.uint8)


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_frames_are_rotated_clockwise_then_mirrored(turn):
    expected = np.rot90(IMAGE, -turn.degrees // 90)
    expected = expected[:, ::-1] if turn.is_mirrored else expected
    source = TurnedSource(OneImage(), lambda _info: turn)
    info = source.open()
    captured = source.read(new_buffer)
    assert np.array_equal(captured.bgr, expected)
    assert (info.height, info.width) == (source.info.height, source.info.width)
    assert (info.height, info.width) == expected.shape[:2]
    assert (captured.captured_ns, captured.position_s) == (5, 0.5)
    assert (captured.file, captured.frame_in_file) == ("a.png", 3)


def test_frame_keeps_its_pixels_when_the_next_one_is_read():
    source = TurnedSource(OneImage(), lambda _info: Turn(90))
    source.open()
    first = source.read(new_buffer).bgr
    before = first.copy()
    first_again = source.read(new_buffer).bgr
    first_again[:] = 0
    assert np.array_equal(first, before)


@pytest.mark.parametrize("degrees", ANGLES)
def test_ground_truth_turns_with_the_image(degrees):
    source = TurnedSource(OneImage(), lambda _info: Turn(degrees))
    source.open()
    captured = source.read(new_buffer)
    x, y = captured.ground_truth.keypoints_xy[0, 0]
    assert np.array_equal(captured.bgr[int(y), int(x)], IMAGE[0, 2])
    left, top, right, bottom = captured.ground_truth.xyxy[0].astype(int)
    inside = captured.bgr[top:bottom, left:right].reshape(-1, 3)
    assert {tuple(pixel) for pixel in inside} == {tuple(IMAGE[0, 1]), tuple(IMAGE[0, 2])}


def test_rotated_boxes_turn_with_the_image():
    corners = np.array([[[1, 0], [3, 1], [2, 3], [0, 2]]], np.float32)
    truth = replace(ground_truth((0, 0, 3, 3), (1, 1)), outlines_xy=corners)
    turned = Turn(90).ground_truth(truth, (8, 5))  # (x, y) lies at (5 - y, x) then
    assert turned.outlines_xy.tolist() == [[[5, 1], [4, 3], [2, 2], [3, 0]]]


def test_mirrored_frames_have_no_ground_truth():
    source = TurnedSource(OneImage(), lambda _info: Turn(90, is_mirrored=True))
    source.open()
    assert source.read(new_buffer).ground_truth is None


def test_turn_depends_on_the_opened_source():
    turns = {"one": Turn(180)}
    source = TurnedSource(OneImage(), lambda info: turns[info.name])
    source.open()
    assert np.array_equal(source.read(new_buffer).bgr, IMAGE[::-1, ::-1])


def test_other_properties_are_those_of_the_source():
    class Listening(OneImage):
        open_timeout_s, silence_s, usual_gap_s, warning = 15.0, 2.0, 0.5, "late"
        interrupted = False

        def interrupt(self):
            self.interrupted = True

    inner = Listening()
    source = TurnedSource(inner, lambda _info: Turn())
    source.interrupt()
    assert inner.interrupted
    assert (source.open_timeout_s, source.silence_s, source.usual_gap_s) == (15.0, 2.0, 0.5)
    assert (source.warning, source.next_index) == ("late", 7)
    plain = TurnedSource(OneImage(), lambda _info: Turn())
    plain.interrupt()
    assert (plain.silence_s, plain.usual_gap_s) == (None, 0)


def test_demo_turns_with_its_ground_truth():
    plain, turned = DemoSource(), TurnedSource(DemoSource(), lambda _info: Turn(180))
    plain.open()
    info = turned.open()
    true, seen = plain.read(new_buffer).ground_truth, turned.read(new_buffer).ground_truth
    size = np.array([info.width, info.height], np.float32)
    assert seen.keypoints_xy == pytest.approx(size - true.keypoints_xy)


@pytest.mark.parametrize("turn", TURNS, ids=str)
def test_text_of_a_turn_can_be_read_again(turn):
    assert Turn.parse(str(turn)) == turn


def test_unknown_texts_turn_nothing():
    assert Turn.parse("45 upside down") == Turn()
    with pytest.raises(ValueError, match="degrees must be one of"):
        Turn(45)


def test_rotating_turns_what_is_seen_clockwise():
    for turn in TURNS:
        source = TurnedSource(OneImage(), lambda _info, turn=turn: turn)
        further = TurnedSource(OneImage(), lambda _info, turn=turn: turn.rotated())
        source.open()
        further.open()
        seen, next_one = source.read(new_buffer).bgr, further.read(new_buffer).bgr
        assert np.array_equal(next_one, np.rot90(seen, -1))


def test_ground_truth_without_keypoints_and_objects_turns():
    visible = np.ones((1, 0), np.bool_)
    no_points = np.zeros((1, 0, 2), np.float32)
    none = replace(TRUE, keypoints_xy=no_points, keypoints_visible=visible)
    assert Turn(90).ground_truth(none, (6, 4)).xyxy.tolist() == [[3, 1, 4, 3]]
    empty = none.take(np.zeros(1, np.bool_))
    assert len(Turn(90).ground_truth(empty, (6, 4))) == 0
