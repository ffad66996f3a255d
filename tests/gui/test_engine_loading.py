"""Loading of an engine, and the garbage collector meanwhile."""

import gc
from collections.abc import Iterator

import pytest

from kpviewer.gui.opening.engine_loading import load_first
from kpviewer.runtime.garbage import keep_for_good


class FakeExecutor:
    """Engine that notes whether garbage is collected while it is made."""

    def __init__(self, detector: str, device: str, **_how: object) -> None:
        self.made_of, self.collects = (detector, device), gc.isenabled()

    def warm_up(self, source_hw: tuple[int, int]) -> None:
        self.collects |= gc.isenabled()


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("kpviewer.models.loading.open_model", lambda name: f"model {name}")
    monkeypatch.setattr("kpviewer.runtime.executor.Executor", FakeExecutor)
    gc.unfreeze()
    keep_for_good.cache_clear()
    yield
    gc.unfreeze()


def test_nothing_is_collected_while_an_engine_is_made() -> None:
    engine = load_first("face", "cpu", (48, 64))
    assert engine.made_of == ("model face", "cpu")
    assert not engine.collects
    assert gc.isenabled()


def test_what_comes_with_the_first_model_is_never_visited_again() -> None:
    engine = load_first("face", "cpu", (48, 64))
    assert gc.get_freeze_count() > 0
    assert any(each is engine for each in gc.get_objects())  # another may replace it


def test_what_comes_with_a_later_model_is_collected() -> None:
    load_first("face", "cpu", (48, 64))
    gc.unfreeze()
    load_first("face", "cpu", (48, 64))
    assert gc.get_freeze_count() == 0
