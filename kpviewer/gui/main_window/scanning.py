"""The scan and the analysis of a window, connected with its session and its timeline."""

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import QObject

from kpviewer.gui.background.child_process import ChildProcess
from kpviewer.gui.main_window.compare_link import CompareLink
from kpviewer.gui.main_window.scan_link import ScanLink
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.opening.ground_truth_lookup import GroundTruthLookup
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.scanning.analysis import Analysis
from kpviewer.gui.scanning.scan import Scan
from kpviewer.gui.session import Session
from kpviewer.gui.views.timeline.buttons import ScanButton
from kpviewer.sources.turn import Turn
from kpviewer.structures import StreamInfo

Find = Callable[[], GroundTruthLookup | None]


class Scanning(QObject):
    """Owner of both; it tells the analysis of the source, models and thresholds of the session."""

    def __init__(
        self, session: Session, compare: CompareLink, button: ScanButton, loaders: Loaders
    ) -> None:
        super().__init__()
        self._session, self._compare = session, compare
        self._knows_sources = loaders.open_source is LOADERS.open_source
        self.analysis = Analysis(self)
        session.opened.connect(self._on_opened)
        session.source_changed.connect(lambda: self.analysis.set_source(None))
        session.ground_truth.changed.connect(lambda: self.analysis.set_ground_truth(self._finder()))
        session.model_changed.connect(self.note_models)
        compare.second_changed.connect(self.note_models)
        names = ("load_engine", "load_variant")
        knows_models = all(getattr(loaders, name) is getattr(LOADERS, name) for name in names)
        is_own = self._knows_sources and knows_models
        self.scan = Scan(ChildProcess())
        self.link = ScanLink(session, compare, self.analysis, button, self.scan, is_own=is_own)
        """Starts the scan when it is asked to, or while the source is paused."""

    def note_models(self) -> None:
        """Note that a model was loaded or left, or thresholds were edited."""
        session = self._session
        engine, second = session.engine, session.second
        loaded, other = session.models.current, self._compare.models.current
        self.analysis.set_models(
            engine.spec if engine is not None else None,
            second.engine.spec if second is not None else None,
            (
                loaded.content if loaded is not None else None,
                other.content if other is not None else None,
            ),
        )
        self.analysis.set_thresholds(
            session.thresholds, second.thresholds if second is not None else None
        )

    def stop(self) -> None:
        """Ask the scan to end, and calculate no more; doesn't wait."""
        self.link.stop()
        self.analysis.close()

    def close(self) -> None:
        """Wait until the scan has ended, in bounded time."""
        self.scan.close()

    def _on_opened(self) -> None:
        self.analysis.set_source(self._session.info, self._finder())

    def _finder(self) -> Find:
        """Return the function that finds the ground truth of the source, on another thread."""
        info = self._session.info
        lookup = self._session.ground_truth.lookup()
        return (lambda: lookup) if info is None else partial(_turned, lookup, info)


def _turned(lookup: GroundTruthLookup | None, info: StreamInfo) -> GroundTruthLookup | None:
    if lookup is None:
        return None
    return lookup.turned(Turn.parse(info.turn), (info.width, info.height))
