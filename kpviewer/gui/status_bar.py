"""The line at the bottom: where the model runs, how fast, what was lost, and what was saved."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import Qt, QUrl
from PyQt6.QtGui import QDesktopServices
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy

from kpviewer.structures import PipelineStats, StreamInfo

MESSAGE_S = 12.0


class StatusBar(QFrame):
    """Labels with fixed places, so that changing numbers move nothing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.setObjectName("statusBar")
        self._clock = clock
        self._message_until = 0.0
        self._folder: Path | None = None
        self._model = _label("Device, engine, precision and time of the model", 96)
        self._size = _label("Size of the source", 96)
        self._rates = _label("Frames a second", 96)
        self._drops = _label("Dropped frames", 64)
        self._message = QLabel()
        self._message.setAccessibleName("Message")
        self._message.setTextFormat(Qt.TextFormat.RichText)
        self._message.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._message.linkActivated.connect(self._on_link_activated)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 4)
        row.setSpacing(20)
        for label in (self._model, self._size, self._rates, self._drops):
            row.addWidget(label)
        row.addWidget(self._message, 1)
        self.setFixedHeight(28)

    def show_model(self, device: str, how: str, forward_ms: float | None) -> None:
        """Tell where and how the model runs, and how long a frame takes it."""
        parts = [part for part in (device, how) if part]
        if forward_ms is not None:
            parts.append(f"{forward_ms:.1f} ms")
        self._model.setText(" · ".join(parts) or "No model")

    def show_source(self, info: StreamInfo | None) -> None:
        """Tell the size and rate of the source."""
        if info is None:
            self._size.setText("")
            return
        rate = f" @ {info.nominal_fps:.4g}" if info.nominal_fps else ""
        self._size.setText(f"{info.width}×{info.height}{rate}")

    def show_stats(
        self, stats: PipelineStats, *, has_model: bool, recorder_dropped: int = 0
    ) -> None:
        """Tell the rates and the drops, with those of the recording that runs."""
        model = f"{stats.inference_fps:.1f}" if has_model else "–"
        self._rates.setText(
            f"capture {stats.capture_fps:.1f}   model {model}   display {stats.display_fps:.1f} fps"
        )
        self._rates.setToolTip(_latency_table(stats))
        drops = {**stats.drops, **({"recorder full": recorder_dropped} if recorder_dropped else {})}
        self._drops.setText(f"dropped {sum(drops.values())}")
        causes = "\n".join(f"{cause}: {count}" for cause, count in drops.items())
        self._drops.setToolTip(f"Frames lost since the start\n{causes or 'none'}")
        if self._message_until and self._clock() > self._message_until:
            self.show_message("")

    def show_message(self, text: str, saved: Path | None = None) -> None:
        """Tell something for a while; with ``saved`` a link opens the file's folder."""
        self._folder = saved.parent if saved is not None else None
        link = '&nbsp; <a href="folder">Open folder</a>' if saved is not None else ""
        self._message.setText(_escaped(text) + link)
        self._message.setToolTip(str(saved) if saved is not None else text)
        self._message_until = self._clock() + MESSAGE_S if text else 0.0

    def message(self) -> str:
        """What is told."""
        return self._message.text()

    def _on_link_activated(self, _link: str) -> None:
        if self._folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._folder)))


def _latency_table(stats: PipelineStats) -> str:
    """Write the latency of each stage, and of the whole way to the screen."""
    rows = [
        f"{stage.replace('_', ' ')}: {each.p50:.1f}, {each.p95:.1f}"
        for stage, each in stats.latency.items()
    ]
    return "\n".join(["Latency, ms: median, 95 % under", *(rows or ["none yet"])])


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")


def _label(name: str, least_px: int) -> QLabel:
    label = QLabel()
    label.setProperty("kind", "small")
    label.setAccessibleName(name)
    label.setMinimumWidth(least_px)
    return label
