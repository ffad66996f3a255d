"""One image at a time runs on the threads that are faster at the moment."""

import pytest

from kpviewer.models.libraries import openvino_widths
from kpviewer.models.libraries.openvino_widths import TRIED_EVERY, TRIED_FIRST, Widths
from kpviewer.runtime.openvino.flights import PATIENCE


class Machine:
    """Two requests of given times, whose first image after the other one takes longer."""

    def __init__(self, wide_ms, narrow_ms):
        self.ms, self.cold_ms = {"wide": wide_ms, "narrow": narrow_ms}, 4.0
        self.now_s, self.used = 0.0, ["wide"]
        self.compiled = []
        self.widths = Widths(Request(self, "wide"), self.narrow)

    def narrow(self):
        self.compiled.append(len(self.used))
        return Request(self, "narrow")

    def run(self, images):
        """Run images; return the share of them on all threads."""
        used = [self.widths.infer({0: None}).name for _ in range(images)]
        return used.count("wide") / images


class Request:
    def __init__(self, machine, name):
        self.machine, self.name = machine, name

    def infer(self, values, *, share_inputs):
        assert share_inputs and values == {0: None}
        machine = self.machine
        cold_ms = machine.cold_ms if machine.used[-1] != self.name else 0.0
        machine.now_s += (machine.ms[self.name] + cold_ms) / 1e3
        machine.used.append(self.name)


@pytest.fixture
def machine_of(monkeypatch):
    def build(wide_ms, narrow_ms):
        machine = Machine(wide_ms, narrow_ms)
        monkeypatch.setattr(openvino_widths.time, "perf_counter", lambda: machine.now_s)
        machine.run(TRIED_FIRST + 3)  # each is measured
        return machine

    return build


@pytest.mark.parametrize(
    ("wide_ms", "narrow_ms", "is_wide"),
    [(1.4, 2.0, True), (1.9, 2.0, False), (3.0, 2.0, False)],
    ids=["calm", "hardly faster", "busy"],
)
def test_all_threads_run_where_that_is_faster_by_a_tenth(machine_of, wide_ms, narrow_ms, is_wide):
    machine = machine_of(wide_ms, narrow_ms)
    share = machine.run(10 * TRIED_EVERY)
    assert (share if is_wide else 1 - share) > 0.95
    assert machine.widths.is_wide == is_wide


def test_few_images_are_not_worth_a_second_compilation(machine_of):
    machine = machine_of(3.0, 2.0)
    machine.run(3 * TRIED_EVERY)
    assert machine.compiled == [TRIED_FIRST - 1], "after all images but two of the first trial"
    assert machine.compiled[0] > PATIENCE + 1, "else where images are in flight soon, too"


def test_the_choice_follows_the_machine(machine_of):
    machine = machine_of(1.4, 2.0)
    machine.ms["wide"] = 3.2  # another program takes a core
    machine.run(2)
    assert machine.run(20) == 0
    machine.ms["wide"] = 1.4
    machine.run(3 * TRIED_EVERY)
    assert machine.run(TRIED_EVERY // 2) == 1


def test_all_threads_are_not_known_to_be_faster_before_both_have_run(machine_of):
    assert not Machine(1.4, 2.0).widths.is_wide
    assert not Widths(Request(machine_of(1.4, 2.0), "wide")).is_wide, "there is no other"


def test_one_slow_image_changes_nothing(machine_of):
    machine = machine_of(1.4, 2.0)
    machine.run(3)
    machine.ms["wide"] = 30.0
    machine.run(1)
    machine.ms["wide"] = 1.4
    assert machine.run(10) == 1
