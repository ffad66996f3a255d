"""Loading of an engine, and the garbage collector meanwhile."""

import gc
import sys
from collections.abc import Iterator

import pytest

from kpviewer.gui.opening.engine_loading import load_first


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
    yield
    gc.unfreeze()


def test_nothing_is_collected_while_an_engine_is_made() -> None:
    engine = load_first("face", "cpu", (48, 64))
    assert engine.made_of == ("model face", "cpu")
    assert not engine.collects
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_what_comes_with_the_first_model_is_never_visited_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "torch")
    engine = load_first("face", "cpu", (48, 64))
    assert gc.get_freeze_count() > 0
    assert any(each is engine for each in gc.get_objects())  # another may replace it
