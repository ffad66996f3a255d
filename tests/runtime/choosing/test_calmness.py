"""How busy the machine is."""

import pytest

from kpviewer.runtime.choosing import choosing
from kpviewer.runtime.choosing.choosing import share_of_cores


@pytest.mark.parametrize(("used_s", "expected"), [(0.02, 1.0), (0.01, 0.5)])
def test_the_share_is_that_of_all_threads(monkeypatch, used_s, expected):
    monkeypatch.setattr(choosing, "cpu_threads", lambda: 2)
    monkeypatch.setattr(choosing, "_computed", lambda _: (used_s, 0.02))
    assert share_of_cores() == expected


def test_a_computation_takes_at_least_its_processor_time():
    cpu_s, wall_s = choosing._computed(0)  # noqa: SLF001 - the share alone hides its parts
    assert 0 < cpu_s <= wall_s * 1.5, "clocks of threads may be coarse"
