"""How busy the machine is."""

import pytest

from kpviewer.runtime.choosing import calmness
from kpviewer.runtime.choosing.calmness import share_of_cores


@pytest.mark.parametrize(("used_s", "expected"), [(0.02, 1.0), (0.01, 0.5)])
def test_the_share_is_that_of_all_threads(
    monkeypatch: pytest.MonkeyPatch, used_s: float, expected: float
) -> None:
    monkeypatch.setattr(calmness, "cpu_threads", lambda: 2)
    monkeypatch.setattr(calmness, "_computed", lambda _: (used_s, 0.02))
    assert share_of_cores() == expected


def test_a_computation_takes_at_least_its_processor_time() -> None:
    cpu_s, wall_s = calmness._computed(0)  # noqa: SLF001 - the share alone hides its parts
    assert 0 < cpu_s <= wall_s * 1.5, "clocks of threads may be coarse"
