"""Comparison with a second model: it is loaded, run by the pipeline, and shown."""

from dataclasses import replace

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from kpviewer.gui.language import tr
from kpviewer.gui.opening.loaders import ViewerEngine, backend_of
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.opening.model_names import loaded_name, short_name
from kpviewer.gui.session import Session
from kpviewer.gui.views.panels.compare_panel import SIDE_BY_SIDE, CompareMeans, ComparePanel
from kpviewer.gui.views.video.pair_view import PairView
from kpviewer.overlay import OverlayStyle
from kpviewer.pipeline.results.comparing import SecondModel, second_thresholds
from kpviewer.structures import Thresholds

TICK_MS = 100


class CompareLink(QObject):
    """Logic of the section for two models; ``close`` lets go of the loader."""

    changed = pyqtSignal()
    """``style_of`` or ``style_on_screen`` now returns another style."""
    second_changed = pyqtSignal()
    """The session has another second model, or other thresholds for it."""

    def __init__(
        self,
        loading: ModelLoading,
        session: Session,
        pair: PairView,
        panel: ComparePanel,
    ) -> None:
        super().__init__(panel)
        self._session, self._pair, self._panel = session, pair, panel
        self._view = pair.view
        self.models = loading
        """Loads the second model."""
        self.text: str | None = None
        """Second model as for ``--compare``; None compares nothing."""
        self._asked: Thresholds | None = None
        """Thresholds of the first model at the time when the second was loaded."""
        self._means = CompareMeans()
        self._last: tuple[int, int] | None = None
        self._section = panel.parentWidget() or panel
        self._section.hide()
        panel.stop_button.clicked.connect(self.stop)
        panel.modes.chosen.connect(self._show_mode)
        pair.view.result_changed.connect(self._on_result_changed)
        session.model_changed.connect(self._on_model_changed)
        session.source_changed.connect(self._means.clear)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._show_numbers)
        loading.engine_loaded.connect(self._on_loaded)
        loading.failed.connect(panel.show_note)

    @property
    def engine(self) -> ViewerEngine | None:
        """Engine of the second model; None while nothing is compared."""
        return self.models.engine

    @property
    def is_on(self) -> bool:
        """Whether two models are compared."""
        return self.engine is not None

    def start(self, text: str, first_model: str) -> None:
        """Compare with another model, or with the first one on another backend or precision."""
        if not text:
            return
        self.text = text
        info = self._session.info
        size = (info.height, info.width) if info is not None else None
        request = self.models.compare(text, first_model, self._session.models.asked.device)
        self.models.start_due(size, can_wait=False)
        self._panel.show_note(tr("Loading {name} …").format(name=short_name(request.name)))
        self._section.show()
        self._timer.start(TICK_MS)

    def stop(self) -> None:
        """Stop comparing."""
        self.text = None
        self._timer.stop()
        self.models.leave()
        self._run_second()
        self._section.hide()
        self._show_mode()

    def give_up(self) -> None:
        """Forget a load that failed; a second model that is there goes on."""
        self._panel.show_note("")
        if not self.is_on:
            self.stop()

    def close(self) -> None:
        """Stop comparing; let go of what loads."""
        self._timer.stop()
        self._pair.set_names(None)
        self.models.close()

    def style_of(self, style: OverlayStyle) -> OverlayStyle:
        """Return the style with what one image needs to show both models, as files have them."""
        return replace(style, names_of_two=self._names())

    def style_on_screen(self, style: OverlayStyle) -> OverlayStyle:
        """Return the style of the first model's image; side by side, the other has one too."""
        is_beside = self._panel.mode == SIDE_BY_SIDE
        return replace(style, names_of_two=None) if is_beside else self.style_of(style)

    def note_thresholds(self) -> None:
        """Apply the new thresholds of the first model to the second, if there is one."""
        if self.is_on:
            self._run_second()

    def _on_loaded(self) -> None:
        self._asked = None
        self._panel.show_note("")
        self._run_second()
        self._show_mode()
        if self._session.pipeline is not None:
            self._session.pipeline.repeat_frame()

    def _run_second(self) -> None:
        """Run the second model in the current and in future pipelines."""
        first, second = self._session.engine, None
        self._means.clear()
        self._last = None
        if self.engine is not None:
            thresholds, asked = self.engine.spec.thresholds, self._session.thresholds
            if first is not None:
                self._asked = asked if self._asked is None else self._asked
                is_edited = replace(asked, classes=None) != replace(self._asked, classes=None)
                thresholds = second_thresholds(
                    asked, first.spec, self.engine.spec, is_edited=is_edited
                )
            second = SecondModel(self.engine, thresholds)
        self._session.second = second
        if self._session.pipeline is not None:
            self._session.pipeline.settings.set_second(second)
        self.second_changed.emit()

    def _on_model_changed(self) -> None:
        self._asked = None
        self._run_second()
        self._show_mode()

    def _on_result_changed(self) -> None:
        if self.engine is None:
            return
        result = self._view.result()
        if result is not None and result.second is not None:
            seen = result.frame.index, result.frame.captured_ns
            if seen != self._last:
                self._last = seen
                self._means.add(result.second.difference)
        self._show_second()

    def _show_second(self) -> None:
        first, second = self._session.engine, self._session.second
        specs = (first.spec, second.engine.spec) if first is not None and second is not None else ()
        names = {(spec.class_names, spec.keypoint_names) for spec in specs}
        self._pair.show_frame(self._style_of_second(), shares_names=len(names) < 2)

    def _style_of_second(self) -> OverlayStyle:
        style = replace(self._view.overlay_style, names_of_two=None, bars=None)
        first, second = self._session.engine, self._session.second
        if first is None or second is None:
            return style
        spec = second.engine.spec
        has_verdicts = style.verdicts and spec.class_names == first.spec.class_names
        return replace(
            style,
            class_names=spec.class_names,
            skeleton=spec.skeleton,
            keypoint_names=spec.keypoint_names,
            shown=second.thresholds.classes,
            verdicts=has_verdicts,  # the class ids of the ground truth are the first model's
        )

    def _show_mode(self) -> None:
        is_beside = self._panel.mode == SIDE_BY_SIDE
        self._pair.set_names(self._names() if is_beside else None)
        self.changed.emit()
        self._show_second()

    def _show_numbers(self) -> None:
        result = self._view.current_result()
        second = result.second if result is not None else None
        if result is None or second is None or self.engine is None:
            self._panel.show_difference(None, self._means, None)
            return
        times_ms = (result.timings.model_ms, second.model_ms)
        self._panel.show_difference(second.difference, self._means, times_ms)

    def _names(self) -> tuple[str, str] | None:
        first, loaded, second = self._session.engine, self._session.models.loaded, self.models
        if first is None or second.engine is None:
            return None
        one, two = (
            f"{loaded_name(request.model if request else None, engine.spec)} · {backend_of(engine)}"
            for request, engine in ((loaded, first), (second.loaded, second.engine))
        )
        return one, two
