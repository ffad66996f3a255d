"""Strip at the bottom: FPS and error as small plots, the model, frames not shown, messages."""

import time
from collections.abc import Callable, Mapping

import numpy as np
from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QMouseEvent, QResizeEvent
from PyQt6.QtWidgets import QFrame

from kpviewer.gui.keys import Act, tooltip
from kpviewer.gui.language import tr, tr_noop
from kpviewer.gui.views.panels.message_line import MessageLine, Offer
from kpviewer.gui.views.timeline.texts import count_text
from kpviewer.gui.widgets.buttons import ToolButton
from kpviewer.gui.widgets.layouts import boxed, row_of
from kpviewer.gui.widgets.plain_text import Label, plain_tip, shortened
from kpviewer.gui.widgets.sparkline import Sparkline
from kpviewer.pipeline.state.stats import DISPLAY, DISPLAY_SKIPPED, NO_FREE_BUFFER, QUEUE_FULL
from kpviewer.pipeline_status import PipelineStats
from kpviewer.structures import Frame, FrameError, StreamInfo

HEIGHT = 28
_SPACING = 16
ROOMY_PX = 1200
"""Width from which delay and causes are shown; else they are in tooltips only."""
CAUSES = {
    QUEUE_FULL: (tr_noop("model busy"), tr_noop("arrived while the model was busy")),
    NO_FREE_BUFFER: (tr_noop("no buffer"), tr_noop("all buffers were in use")),
    DISPLAY_SKIPPED: (tr_noop("window busy"), tr_noop("a newer frame was ready")),
}
"""Why frames were not shown, by the names of ``pipeline.state.stats``: short and long texts."""
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
    """Row of plots and labels at fixed positions: changing numbers don't move them.

    A click asks for the large plots.
    """

    asked = pyqtSignal(object)
    """Emitted with the Act of a click."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.setObjectName("statusBar")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._clock = clock
        self._error_px: float | None = None
        self._is_difference = False
        self._fps_line = Sparkline(tr("Frames per second, last 10 s"), least_top=10.0)
        self._error_line = Sparkline(tr("Error, last 10 s"), least_top=2.0)
        self._error = _label(tr("Error"), 80)
        self._plots = ToolButton("chevron-up", tr(Act.PLOTS.value.text), tooltip(Act.PLOTS))
        self._plots.setProperty("extent", "small")
        self._plots.clicked.connect(lambda: self.asked.emit(Act.PLOTS))
        self.model = _label(tr("Device, backend, precision and time of the model"), 96)
        self._size = _label(tr("Size of the source"), 96)
        self._rates = _label(tr("Frames per second"), 44)
        self._latency = _label(tr("Capture to screen"), 152)
        self._drops = _label(tr("Frames not shown"), 64)
        self._message = MessageLine(clock)
        self._fps_group = boxed(row_of(self._plots, self._fps_line, self._rates, gap=6))
        self._error_group = boxed(row_of(self._error_line, self._error, gap=6))
        parts = (self._fps_group, self._error_group, *self._numbers, self._message)
        row_of(*parts, gap=_SPACING, margins=(8, 3, 12, 3), grows=self._message, into=self)
        self.setFixedHeight(HEIGHT)
        self._error_group.hide()

    def hide_plots(self) -> None:
        """Offer no large plots: the window has none."""
        self._plots.hide()
        self.unsetCursor()

    @property
    def _numbers(self) -> tuple[Label, ...]:
        """Labels that give way to a message, the last ones first."""
        return self.model, self._size, self._drops, self._latency

    def show_model(self, device: str, backend: str, forward_ms: float | None) -> None:
        """Show device, backend and precision of the model, and its time per frame."""
        parts = [part for part in (device, backend) if part]
        if forward_ms is not None:
            parts.append(f"{forward_ms:.1f} ms")
        self.model.setText(" · ".join(parts) or tr("No model"))

    def show_source(self, info: StreamInfo | None, frame: Frame | None = None) -> None:
        """Show size and rate of the source; for a folder, name, number and size of the image."""
        if info is None:
            self._size.setText("")
            self._clear_lines()
            return
        height, width = (info.height, info.width) if frame is None else frame.bgr.shape[:2]
        rate = f" @ {info.nominal_fps:.4g}" if info.nominal_fps else ""
        text = f"{width}×{height}{rate}"
        self._size.setToolTip("")
        if frame is not None and frame.file is not None and frame.file != info.name:
            count = "?" if info.frame_count is None else count_text(info.frame_count)
            number = tr("{number} of {count}").format(
                number=count_text(frame.index + 1), count=count
            )
            self._size.setToolTip(plain_tip(frame.file))
            text = f"{shortened(frame.file)} · {number} · {width}×{height}"
        self._size.setText(text)

    def show_stats(self, stats: PipelineStats, *, has_model: bool) -> None:
        """Show rates, delay and the number of frames not shown."""
        now_s = self._clock()
        self._fps_line.add(now_s, stats.display_fps)
        self._rates.setText(fps_text(stats.display_fps))
        self._error_line.add(now_s, self._error_px)
        self._error_px = None
        self._show_latency(stats, has_model=has_model)
        self._show_drops(stats.drops)
        if self._message.is_over():
            self.show_message("")
        self._fit()

    def clear_stats(self) -> None:
        """Remove the numbers: no source is open."""
        for label in (self._rates, self._error, self._latency, self._drops):
            label.setText("")
            label.setToolTip("")
        self._fps_group.setToolTip("")
        self._clear_lines()
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
        lasting = (self._fps_group, self._error_group)
        room -= sum(each.sizeHint().width() + spacing for each in lasting if not each.isHidden())
        numbers = [each for each in self._numbers if each is not self._latency or self._is_roomy]
        taken = [max(each.sizeHint().width(), each.minimumWidth()) + spacing for each in numbers]
        while numbers and room - sum(taken) < self._message.wanted_width():
            numbers.pop()
            taken.pop()
        for label in self._numbers:
            label.setVisible(label in numbers)
        wanted = self._message.fit_height(room - sum(taken))
        frame = self.height() - self.contentsRect().height()
        self.setFixedHeight(max(HEIGHT, wanted + margins.top() + margins.bottom() + frame))

    @property
    def _is_roomy(self) -> bool:
        return self.width() >= ROOMY_PX

    def _show_latency(self, stats: PipelineStats, *, has_model: bool) -> None:
        table = rate_table(stats, has_model=has_model)
        for widget in (self._fps_group, self._latency):
            widget.setToolTip(table)
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
        self._drops.setToolTip(drop_table(drops))

    def note_error(self, error: FrameError | None, difference: FrameError | None) -> None:
        """Show the error of a frame; without ground truth, the difference of two models."""
        shown = difference if error is None else error
        if shown is not None and (error is None) is not self._is_difference:
            self._is_difference = error is None
            self._error_line.clear()
        is_recent = bool(np.isfinite(self._error_line.values()).any())
        self._error_group.setVisible(shown is not None or is_recent)
        px = shown.mean_px if shown is not None else None
        text = tr("A–B {px}") if self._is_difference else tr("error {px}")
        self._error.setText(text.format(px="–" if px is None else f"{px:.1f} px"))
        if px is not None:
            self._error_px = max(px, self._error_px or 0.0)

    def forget_errors(self) -> None:
        """Forget the errors of a former model."""
        self._error_line.clear()
        self._error_px = None
        self._error_group.hide()

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Ask for the large plots."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self.asked.emit(Act.PLOTS)

    def show_plots(self, *, are_open: bool) -> None:
        """Show whether the large plots are open: the arrow points where they will go."""
        self._plots.set_icon_name("chevron-down" if are_open else "chevron-up")

    def _clear_lines(self) -> None:
        self._fps_line.clear()
        self.forget_errors()

    def show_message(self, text: str, offer: Offer = None) -> None:
        """Show a message for a while, with the button of an offer."""
        self._message.show_message(text, offer)
        self._fit()

    def message(self) -> str:
        """Return the message and its button's text."""
        return self._message.text()

    def message_text(self) -> str:
        """Return the message alone."""
        return self._message.label_text()


def fps_text(fps: float) -> str:
    """Return a rate for people; of a model that takes seconds, with a decimal."""
    is_slow = 0.05 <= fps < 2
    return (tr("{fps:.1f} fps") if is_slow else tr("{fps:.0f} fps")).format(fps=fps)


def rate_table(stats: PipelineStats, *, has_model: bool) -> str:
    """Return a table of the rates, and of the latency of each stage and from capture to screen."""
    rates = tr("capture {capture:.1f}   model {model}   display {display:.1f} fps").format(
        capture=stats.capture_fps,
        model=f"{stats.inference_fps:.1f}" if has_model else "–",
        display=stats.display_fps,
    )
    rows = [
        f"{tr(STAGES[stage])}: {each.p50:.1f}, {each.p95:.1f}, {each.p99:.1f}"
        for stage, each in stats.latency.items()
    ]
    head = tr("Latency of the last 10 s, ms: median, 95 % under, 99 % under")
    return "\n".join([rates, head, *(rows or [tr("none yet")])])


def drop_table(drops: Mapping[str, int]) -> str:
    """Return a table of the frames that were not shown, by cause."""
    rows = (
        f"{tr(_cause(name)[0])}: {count} ({tr(_cause(name)[1])})" for name, count in drops.items()
    )
    head = tr("Frames not shown since the start")
    return "\n".join((head, *rows)) if drops else f"{head}: {tr('none')}"


def _cause(name: str) -> tuple[str, str]:
    return CAUSES.get(name, (name, name))


def _label(name: str, least_px: int) -> Label:
    label = Label(kind="small", name=name)
    label.setMinimumWidth(least_px)
    return label
