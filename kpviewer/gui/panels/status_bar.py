"""Status bar: device, rates, delay, frames not shown, and messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QFrame, QHBoxLayout

from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.panels.message_line import MessageLine
from kpviewer.gui.widgets.plain_text import Label, plain_tip
from kpviewer.pipeline.stats import DISPLAY, DISPLAY_SKIPPED, NO_FREE_BUFFER, QUEUE_FULL
from kpviewer.pipeline_status import PipelineStats
from kpviewer.structures import Frame, StreamInfo

HEIGHT = 28
NAME_CHARS = 34
ROOMY_PX = 1200
"""Width from which delay and causes are shown; else they are in tooltips only."""
CAUSES = {
    QUEUE_FULL: (tr_noop("model busy"), tr_noop("arrived while the model was busy")),
    NO_FREE_BUFFER: (tr_noop("no buffer"), tr_noop("all buffers were in use")),
    DISPLAY_SKIPPED: (tr_noop("window busy"), tr_noop("a newer frame was ready")),
}
"""Why frames were not shown, by the names of ``pipeline.stats``: short and long texts."""
STAGES = {
    "read": tr_noop("read"),
    "queue_wait": tr_noop("wait"),
    "upload": tr_noop("upload"),
    "forward": tr_noop("model"),
    "postprocess": tr_noop("select"),
    "total": tr_noop("capture to result"),
    DISPLAY: tr_noop("capture to screen"),
}


class StatusBar(QFrame):
    """Row of labels at fixed positions: changing numbers don't move them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.setObjectName("statusBar")
        self._model = _label(tr("Device, engine, precision and time of the model"), 96)
        self._size = _label(tr("Size of the source"), 96)
        self._rates = _label(tr("Frames per second"), 96)
        self._latency = _label(tr("Capture to screen"), 152)
        self._drops = _label(tr("Frames not shown"), 64)
        self._message = MessageLine(clock)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 4)
        row.setSpacing(20)
        for label in (self._model, self._size, self._rates, self._latency, self._drops):
            row.addWidget(label)
        row.addWidget(self._message, 1)
        self.setFixedHeight(HEIGHT)

    def show_model(self, device: str, backend: str, forward_ms: float | None) -> None:
        """Show device, backend and precision of the model, and its time per frame."""
        parts = [part for part in (device, backend) if part]
        if forward_ms is not None:
            parts.append(f"{forward_ms:.1f} ms")
        self._model.setText(" · ".join(parts) or tr("No model"))

    def model_text(self) -> str:
        """Return what is shown of the model."""
        return self._model.text()

    def show_source(self, info: StreamInfo | None, frame: Frame | None = None) -> None:
        """Show size and rate of the source; for a folder, name, number and size of the image."""
        if info is None:
            self._size.setText("")
            return
        height, width = (info.height, info.width) if frame is None else frame.bgr.shape[:2]
        rate = f" @ {info.nominal_fps:.4g}" if info.nominal_fps else ""
        text = f"{width}×{height}{rate}"
        self._size.setToolTip("")
        if frame is not None and frame.file is not None and frame.file != info.name:
            number = tr("{number} of {count}").format(
                number=frame.index + 1, count=info.frame_count or "?"
            )
            self._size.setToolTip(plain_tip(frame.file))
            text = f"{shortened(frame.file)} · {number} · {width}×{height}"
        self._size.setText(text)

    def show_stats(self, stats: PipelineStats, *, has_model: bool) -> None:
        """Show rates, delay and the number of frames not shown."""
        rates = tr("capture {capture:.1f}   model {model}   display {display:.1f} fps").format(
            capture=stats.capture_fps,
            model=f"{stats.inference_fps:.1f}" if has_model else "–",
            display=stats.display_fps,
        )
        self._rates.setText(rates)
        self._show_latency(stats)
        self._show_drops(stats.drops)
        if self._message.is_over():
            self.show_message("")
        self._fit()

    def clear_stats(self) -> None:
        """Remove the numbers: no source is open."""
        for label in (self._rates, self._latency, self._drops):
            label.setText("")
            label.setToolTip("")
        if self._message.is_over():
            self.show_message("")
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fit numbers and message into another width."""
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Hide numbers if the message needs their room; wrap it if that is too little."""
        layout = self.layout()
        if layout is None:
            return
        margins, spacing = layout.contentsMargins(), layout.spacing()
        room = self.width() - margins.left() - margins.right()
        numbers = [self._model, self._size, self._rates, self._drops]
        numbers += [self._latency] if self._is_roomy else []
        taken = [max(each.sizeHint().width(), each.minimumWidth()) + spacing for each in numbers]
        while len(numbers) > 1 and room - sum(taken) < self._message.wanted_width():
            numbers.pop()
            taken.pop()
        for label in (self._model, self._size, self._rates, self._latency, self._drops):
            label.setVisible(label in numbers)
        wanted = self._message.fit_height(room - sum(taken))
        frame = self.height() - self.contentsRect().height()
        self.setFixedHeight(max(HEIGHT, wanted + margins.top() + margins.bottom() + frame))

    @property
    def _is_roomy(self) -> bool:
        return self.width() >= ROOMY_PX

    def _show_latency(self, stats: PipelineStats) -> None:
        table = _latency_table(stats)
        for label in (self._rates, self._latency):
            label.setToolTip(table)
        whole = stats.latency.get(DISPLAY)
        text = tr("delay {p50:.0f} ms (95 %: {p95:.0f})")
        self._latency.setText(
            text.format(p50=whole.p50, p95=whole.p95) if whole is not None else ""
        )

    def _show_drops(self, drops: Mapping[str, int]) -> None:
        text = tr("{count} not shown").format(count=sum(drops.values()))
        if self._is_roomy and drops.keys() - {DISPLAY_SKIPPED}:
            each = (f"{tr(_cause(name)[0])} {count}" for name, count in drops.items())
            text = f"{text}: {', '.join(each)}"
        self._drops.setText(text)
        rows = (
            f"{tr(_cause(name)[0])}: {count} ({tr(_cause(name)[1])})"
            for name, count in drops.items()
        )
        head = tr("Frames not shown since the start")
        self._drops.setToolTip("\n".join((head, *rows)) if drops else f"{head}: {tr('none')}")

    def show_message(self, text: str, saved: Path | None = None) -> None:
        """Show a message for a while; with ``saved``, a button opens the file's folder."""
        self._message.show_message(text, saved)
        self._fit()

    def message(self) -> str:
        """Return the message and its button's text."""
        return self._message.text()

    def message_text(self) -> str:
        """Return the message alone."""
        return self._message.label_text()


def _latency_table(stats: PipelineStats) -> str:
    """Return a table of the latency of each stage, and from capture to screen."""
    rows = [
        f"{tr(STAGES[stage])}: {each.p50:.1f}, {each.p95:.1f}, {each.p99:.1f}"
        for stage, each in stats.latency.items()
    ]
    head = tr("Latency of the last 300 frames, ms: median, 95 % under, 99 % under")
    return "\n".join([head, *(rows or [tr("none yet")])])


def _cause(name: str) -> tuple[str, str]:
    return CAUSES.get(name, (name, name))


def shortened(name: str) -> str:
    """Return a name; a long one without its middle."""
    half = NAME_CHARS // 2
    return name if len(name) <= NAME_CHARS else f"{name[: half - 1]}…{name[-half:]}"


def _label(name: str, least_px: int) -> Label:
    label = Label()
    label.setProperty("kind", "small")
    label.setAccessibleName(name)
    label.setMinimumWidth(least_px)
    return label
