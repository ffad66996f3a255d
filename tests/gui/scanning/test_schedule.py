"""When lanes, scores and suspects are calculated."""

import pytest

from kpviewer.gui.scanning.schedule import REST_S, SHARE, Schedule, Stage

LANES, SCORES, SUSPECTS = Stage


class Desk:
    def __init__(self) -> None:
        self.now_s = 100.0
        self.schedule = Schedule(lambda: self.now_s)

    def begin(self) -> list[Stage]:
        """Begin what is due, and return it."""
        due = self.schedule.due()
        for stage in due:
            self.schedule.begin(stage)
        return due

    def end(self, stage: Stage, after_s: float = 0.01, *, is_good: bool = True) -> None:
        self.now_s += after_s
        self.schedule.end(stage, is_good=is_good)

    def settle(self) -> list[Stage]:
        """Return all calculations until nothing is due."""
        order = []
        while (wait_s := self.schedule.wait_s) is not None:
            self.now_s += wait_s
            begun = self.begin()
            for stage in begun:
                self.end(stage)
            order += begun
        assert self.schedule.is_idle
        return order


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_edit_makes_lanes_then_scores_then_suspects(desk):
    desk.schedule.note_edit()
    assert desk.begin() == [LANES]
    assert desk.begin() == []
    desk.end(LANES)
    assert desk.begin() == [SCORES]
    desk.end(SCORES)
    assert desk.schedule.wait_s == pytest.approx(REST_S - 0.02)
    assert desk.settle() == [SUSPECTS]


def test_lanes_go_on_beside_scores(desk):
    desk.schedule.note_edit()
    desk.begin()
    desk.end(LANES)
    assert desk.begin() == [SCORES]
    desk.schedule.note_edit()
    assert desk.begin() == [LANES]
    desk.end(LANES)
    assert desk.begin() == []  # one at a time
    desk.end(SCORES)
    assert desk.begin() == [SCORES]  # of the last edit


def test_a_slider_that_moves_on_and_on_puts_nothing_off_but_suspects(desk):
    seen = []
    for _ in range(60):
        desk.schedule.note_edit()
        for stage in desk.begin():
            seen.append(stage)
            desk.end(stage)
    assert seen.count(LANES) == 60 and seen.count(SCORES) == 59
    assert SUSPECTS not in seen
    assert set(desk.settle()) == {SCORES, SUSPECTS}  # of the last edit


def test_new_frames_make_calculations_a_few_times_a_second(desk):
    seen = []
    for _ in range(600):  # ten seconds
        desk.schedule.note_frames()
        for stage in desk.begin():
            seen.append(stage)
            desk.end(stage, 0.0)
        desk.now_s += 1 / 60
    counts = [seen.count(stage) for stage in Stage]
    assert 85 <= counts[0] <= 101
    assert 35 <= counts[1] <= 41
    assert 8 <= counts[2] <= 11
    assert desk.settle()[-1] in (SCORES, SUSPECTS)  # the last frames count


def test_long_calculations_wait_longer_for_new_frames(desk):
    desk.schedule.note_frames()
    assert desk.begin() == [LANES]
    desk.end(LANES, 1.0)
    desk.settle()
    desk.schedule.note_frames()
    begun_s = 100.0
    assert desk.schedule.wait_s == pytest.approx(begun_s + SHARE * 1.0 - desk.now_s)


def test_lanes_of_another_source_give_no_scores(desk):
    desk.schedule.note_edit()
    desk.begin()
    desk.schedule.begin_again()
    desk.end(LANES, is_good=False)
    assert desk.begin() == [LANES]
    desk.end(LANES)
    assert desk.begin() == [SCORES]


def test_what_was_given_up_begins_again_after_a_rest(desk):
    desk.schedule.note_edit()
    assert desk.settle() == [LANES, SCORES, SUSPECTS]
    desk.schedule.want_later(SUSPECTS)
    assert desk.begin() == []
    assert desk.settle() == [SUSPECTS]


def test_nothing_is_due_after_forgetting(desk):
    desk.schedule.note_edit()
    desk.schedule.forget()
    assert desk.schedule.is_idle and desk.schedule.wait_s is None
