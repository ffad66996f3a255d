"""The model that several pipelines share, which another may replace while they run."""

from collections.abc import Callable

from kpviewer.pipeline.protocols import InferenceEngine
from kpviewer.pipeline.sharing.engine import Seat, SharedEngine


class SharedModel:
    """Owner of the present shared engine, and of those before it that still run; for one thread."""

    def __init__(self) -> None:
        self._shared: SharedEngine | None = None
        self._replaced: list[SharedEngine] = []
        """Engines that were replaced, and may still process a frame."""

    @property
    def engine(self) -> InferenceEngine | None:
        """The present engine: on the CPU, if its device failed. None before the first."""
        return self._shared.engine if self._shared is not None else None

    def use(self, engine: InferenceEngine, take_seats: Callable[[], object]) -> None:
        """Use an engine from now on; frames that wait for the one before run on it.

        Args:
            engine: the model. Nothing else runs it, except one that it replaced before.
            take_seats: function that gives each pipeline a new ``seat``.
        """
        former, before = self._shared, [*self._replaced, *([self._shared] if self._shared else [])]
        busy = next((each for each in before if each.engine is engine and each.is_alive()), None)
        self._shared = SharedEngine(engine, after=busy)
        self._shared.start()
        take_seats()
        if former is not None:
            former.close()
        self._replaced = [each for each in before if each.is_alive()]

    def seat(self) -> Seat:
        """Return a seat for a pipeline in the present engine."""
        assert self._shared is not None, "an engine is in use"
        return self._shared.seat()

    def stop(self) -> None:
        """Refuse further frames, and wait for the engines' ends for a limited time; idempotent."""
        for shared in (*self._replaced, self._shared):
            if shared is not None:
                shared.stop()
        self._replaced, self._shared = [], None
