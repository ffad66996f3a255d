"""The scan and the analysis of a window, connected with its session and its timeline."""

from __future__ import annotations

from kpviewer.gui.child_process import ChildProcess
from kpviewer.gui.comparing.link import CompareLink
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.opening.own_loaders import LOADERS
from kpviewer.gui.scanning.analysis_link import AnalysisLink
from kpviewer.gui.scanning.scan import Scan
from kpviewer.gui.scanning.scan_link import ScanLink
from kpviewer.gui.session import Session
from kpviewer.gui.timeline.scan_button import ScanButton


class Scanning:
    """Owner of both; ``close`` ends them."""

    def __init__(
        self, session: Session, compare: CompareLink, button: ScanButton, loaders: Loaders
    ) -> None:
        knows_sources = loaders.open_source is LOADERS.open_source
        names = ("load_engine", "load_variant")
        knows_models = all(getattr(loaders, name) is getattr(LOADERS, name) for name in names)
        self._link = AnalysisLink(session, compare, knows_sources=knows_sources)
        self.analysis = self._link.analysis
        is_own = knows_sources and knows_models
        scan = Scan(ChildProcess())
        self.scan = ScanLink(session, compare, self.analysis, button, scan, is_own=is_own)

    def note_thresholds(self) -> None:
        """Calculate at the present thresholds of the session."""
        self._link.update_models()

    def stop(self) -> None:
        """Ask the scan to end, and calculate no more; doesn't wait."""
        self.scan.stop()
        self.analysis.close()

    def close(self) -> None:
        """Wait until the scan has ended, in bounded time."""
        self.scan.scan.close()
