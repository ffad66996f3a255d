"""Loading of an engine, and the garbage collector meanwhile."""

import gc
from collections.abc import Iterator

import pytest

from kpviewer.gui.opening.engine_loading import load_first
from kpviewer.runtime.process.garbage import keep_for_good


def full_collections() -> int:
    return int(gc.get_stats()[2]["collections"])


class FakeExecutor:
    """Engine of many objects that notes the full collections while it is made."""

    def __init__(self, detector: str, device: str, **_how: object) -> None:
        self.made_of, self.full_before = (detector, device), full_collections()

    def warm_up(self, source_hw: tuple[int, int]) -> None:
        self.parts = [[] for _ in range(300_000)]
        self.full_collections = full_collections() - self.full_before


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("kpviewer.models.loading.open_model", lambda name: f"model {name}")
    monkeypatch.setattr("kpviewer.runtime.executor.Executor", FakeExecutor)
    gc.unfreeze()
    keep_for_good.cache_clear()
    yield
    gc.unfreeze()


def test_there_is_no_full_collection_while_an_engine_is_made():
    engine = load_first("face", "cpu", (48, 64))
    assert engine.made_of == ("model face", "cpu")
    assert engine.full_collections == 0
    assert gc.isenabled()


def test_what_comes_with_the_first_model_is_never_visited_again():
    engine = load_first("face", "cpu", (48, 64))
    assert gc.get_freeze_count() > 0
    assert any(each is engine for each in gc.get_referrers(FakeExecutor))  # another may replace it


def test_what_comes_with_a_later_model_is_collected():
    load_first("face", "cpu", (48, 64))
    gc.unfreeze()
    load_first("face", "cpu", (48, 64))
    assert gc.get_freeze_count() == 0
