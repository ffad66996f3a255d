"""Settings that may change while frames flow: models, thresholds, tracking and sinks."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kpviewer.pipeline.results.tracking import TrackingOptions

if TYPE_CHECKING:
    from kpviewer.pipeline.protocols import InferenceEngine, ResultSink
    from kpviewer.pipeline.results.comparing import SecondModel
    from kpviewer.structures import Thresholds


@dataclass(frozen=True, slots=True)
class InferenceSettings:
    """Settings that the inference thread reads once per frame; swapped as one."""

    engine: InferenceEngine | None
    thresholds: Thresholds
    sinks: tuple[ResultSink, ...] = ()
    tracking: TrackingOptions = field(default_factory=TrackingOptions)
    second: SecondModel | None = None


class SettingsCell:
    """Holds the present settings. Changes are thread-safe; reading is one attribute."""

    def __init__(self, settings: InferenceSettings) -> None:
        self._lock = threading.Lock()
        self._settings = settings

    @property
    def current(self) -> InferenceSettings:
        """The present settings, one immutable object."""
        return self._settings

    def set_engine(self, engine: InferenceEngine | None) -> InferenceEngine | None:
        """Use another model, or none, from the next frame on; return the one before."""
        with self._lock:
            before, self._settings = self._settings, replace(self._settings, engine=engine)
        return before.engine

    def replace_engine(self, old: InferenceEngine, new: InferenceEngine) -> None:
        """Use ``new`` in place of ``old``, unless another model was chosen meanwhile."""
        with self._lock:
            if self._settings.engine is old:
                self._settings = replace(self._settings, engine=new)

    def set_thresholds(self, thresholds: Thresholds) -> None:
        """Use other thresholds from the next frame on."""
        with self._lock:
            self._settings = replace(self._settings, thresholds=thresholds)

    def set_tracking(self, tracking: TrackingOptions) -> None:
        """Use other tracking options from the next frame on."""
        with self._lock:
            self._settings = replace(self._settings, tracking=tracking)

    def set_second(self, second: SecondModel | None) -> None:
        """Compare with another model, or with none, from the next frame on."""
        with self._lock:
            self._settings = replace(self._settings, second=second)

    def add_sink(self, sink: ResultSink) -> None:
        """Pass results to ``sink`` too; adding it again changes nothing."""
        with self._lock:
            if all(present is not sink for present in self._settings.sinks):
                self._settings = replace(self._settings, sinks=(*self._settings.sinks, sink))

    def remove_sink(self, sink: ResultSink) -> None:
        """Pass no more results to ``sink``; one may be under way."""
        with self._lock:
            sinks = tuple(present for present in self._settings.sinks if present is not sink)
            self._settings = replace(self._settings, sinks=sinks)
