"""Main window: connects the parts, and folds the plots if there is little room.

Only ``app`` imports it; the parts take the objects that they need.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtGui import QResizeEvent
from PyQt6.QtWidgets import QWidget

from kpviewer.gui.controllers.actions import Actions
from kpviewer.gui.controllers.any_window import AnyWindow
from kpviewer.gui.controllers.dropping import DropTarget, open_dropped
from kpviewer.gui.controllers.everyday import EverydayObjects
from kpviewer.gui.controllers.menus.model_menu import ModelMenu
from kpviewer.gui.controllers.menus.settings_menu import SettingsMenu
from kpviewer.gui.controllers.saving import Saving
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window.bridge import Bridge
from kpviewer.gui.main_window.compare_link import CompareLink
from kpviewer.gui.main_window.compare_menu import add_compare_menu
from kpviewer.gui.main_window.demo_banner import DemoBanner
from kpviewer.gui.main_window.exporting import Exporter
from kpviewer.gui.main_window.nothing_found import NothingFoundLine
from kpviewer.gui.main_window.opener import Opener
from kpviewer.gui.main_window.picture_link import PictureLink
from kpviewer.gui.main_window.real_speed import RealSpeed
from kpviewer.gui.main_window.scanning import Scanning
from kpviewer.gui.main_window.source_menu import SourceMenu
from kpviewer.gui.main_window.table_link import TableLink
from kpviewer.gui.main_window.timeline_link import TimelineLink
from kpviewer.gui.main_window.turning import Turning
from kpviewer.gui.opening.clipboard import paste
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.opening.loaders import Loaders
from kpviewer.gui.opening.second_model import SecondLoading
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.session import Session
from kpviewer.gui.views.dialogs.keys_dialog import KeysDialog
from kpviewer.gui.views.dialogs.questions import (
    ask_for_files,
    ask_for_ground_truth,
)
from kpviewer.gui.views.panels.docks import Part
from kpviewer.gui.views.panels.plots_panel import FOLDED_HEIGHT
from kpviewer.gui.views.panes import Panes, make_panes
from kpviewer.gui.views.video.video_view import WHEEL_ZOOM, VideoView
from kpviewer.gui.widgets.theme import ThemeManager

ROOMY_PX = 1240
"""Width of the window from which the plots stand side by side."""


class MainWindow(AnyWindow):
    """Owner of the widgets, the session and the bridge between them."""

    several_asked = pyqtSignal(list)
    """Emitted with the names of several sources, which a grid shows."""

    panes: Panes
    view: VideoView
    session: Session
    saving: Saving
    opener: Opener
    bridge: Bridge

    def __init__(
        self, options: ViewerOptions, themes: ThemeManager, loaders: Loaders = LOADERS
    ) -> None:
        super().__init__(options, loaders)
        self.setWindowTitle("kpviewer")
        self.setCentralWidget(center := QWidget())
        panes = self.panes = make_panes(themes.theme, center)
        self.top_bar, self.status_bar, self.docks = panes.top_bar, panes.status_bar, panes.docks
        self.view, self.pair, self.transport = panes.view, panes.pair, panes.transport
        self.side_panel, self.plots, self.table = panes.side_panel, panes.plots, panes.table
        options, loaders = self._options, self._loaders
        self.session = Session(options, loaders, self._remembered)
        self.saving = Saving(self.session, options.folder, with_results=options.with_results)
        second = SecondLoading(options, loaders)
        self.compare = CompareLink(second, self.session, self.pair, self.side_panel.compare)
        self.opener = Opener(self.session, self.compare, panes, loaders)
        self.choose_source, self.choose_model = self.opener.choose_source, self.opener.choose_model
        self.everyday = EverydayObjects(panes.notices.add(), self.opener.choose_model)
        DropTarget(self, lambda texts: self._open_all(texts, self.opener.open))
        self.scanning = Scanning(self.session, self.compare, panes.transport.scan, loaders)
        self.bridge = Bridge(panes, self.opener, self.saving, self.scanning)
        speed = RealSpeed(panes, self.session, self.bridge.playback)
        self.bridge.titled.connect(lambda title: self.setWindowTitle(speed.titled(title)))
        table = TableLink(self.table, self.view, self.session)
        table.reported.connect(panes.say)
        self.table.export_asked.connect(lambda: table.export(self.saving.save))
        self.exporter = Exporter(panes, self.session, self.saving)
        self.actions_of_keys = Actions(self)
        self.timeline = TimelineLink(
            panes, self.session, self.bridge.playback, self._remembered, loaders.open_source
        )
        self.scanning.analysis.lanes_changed.connect(self.timeline.show_lanes)
        self._connect_acts()
        self._connect_score()
        self.side_panel.score.set_theme(themes.theme)
        themes.changed.connect(lambda: self.plots.set_theme(themes.theme))
        themes.changed.connect(lambda: self.side_panel.score.set_theme(themes.theme))
        self._link(themes, self.scanning.scan)
        self._connect_menus()
        run = self.actions_of_keys.run
        self.demo_banner = DemoBanner(panes.notices.add(), self.session, run)
        self.nothing_found = NothingFoundLine(panes, self.opener, self.bridge)
        self.view.setFocus()  # else the first picker has it, with a frame

    def begin(self, options: ViewerOptions) -> None:
        """Open the source and load the model, once the window is on the screen."""
        options = self._remembered.fill(options)
        self.session.open(options.source)
        self.opener.choose_model(options.model)
        self.opener.compare_with(options.compare or "")
        self.saving.recover_leftovers()
        if options.record is not None:
            self.saving.record_from_start(options.record)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Fold the plots if the video would get too small."""
        super().resizeEvent(event)
        was_folded = self.plots.is_folded()
        self.plots.set_folded(self.width() < ROOMY_PX)
        if self.plots.is_folded() is not was_folded:
            self.docks.fit_height(Part.PLOTS, FOLDED_HEIGHT)

    def _stop_showing(self) -> None:
        self.timeline.close()
        self.view.clear()

    def _close_parts(self) -> None:
        """Close what runs in the background, after the session."""
        self.exporter.close()
        self.compare.close()
        super()._close_parts()
        self.picture.close()
        self.scanning.close()

    def _connect_score(self) -> None:
        score, run = self.side_panel.score, self.actions_of_keys.run
        score.summary.demo_asked.connect(lambda: self.opener.choose_source("demo"))
        score.summary.annotations_asked.connect(lambda: run(Act.OPEN_GROUND_TRUTH))
        score.summary.score_all_asked.connect(self.scanning.scan.start)
        self.scanning.scan.scan.state_changed.connect(self.bridge.scores.show_scan)
        score.report_asked.connect(self.exporter.ask_for_report)
        self.exporter.scan_file = self.scanning.scan.file

    def _connect_acts(self) -> None:
        playback, saving, view = self.bridge.playback, self.saving, self.view
        opener, say = self.opener, self.panes.say
        self.actions_of_keys.handle(
            {
                **self._acts(),
                Act.PLAY: playback.toggle,
                Act.BACK: lambda: playback.jump(-1),
                Act.FORWARD: lambda: playback.jump(1),
                Act.STEP_BACK: playback.step_back,
                Act.STEP_FORWARD: playback.step_forward,
                Act.START: lambda: playback.seek(0),
                Act.SLOWER: lambda: playback.change_speed(-1),
                Act.FASTER: lambda: playback.change_speed(1),
                Act.LOOP: playback.toggle_loop,
                Act.REPEAT: playback.mark_ab,
                Act.OPEN_FILE: lambda: self._open_all(
                    ask_for_files(self, self.memory.recent_sources()), opener.choose_source
                ),
                Act.PASTE: lambda: paste(opener.open, say),
                Act.OPEN_GROUND_TRUTH: lambda: opener.use_ground_truth(
                    ask_for_ground_truth(self, self.session.source_text)
                ),
                Act.SCAN: self.scanning.scan.toggle,
                Act.SNAPSHOT: lambda: saving.save_snapshot(view.result()),
                Act.EXPORT: self.exporter.ask,
                Act.FIT: view.fit,
                Act.ZOOM_IN: lambda: view.zoom(WHEEL_ZOOM),
                Act.ZOOM_OUT: lambda: view.zoom(1 / WHEEL_ZOOM),
                Act.LEAVE: lambda: self.set_fullscreen(False),
                Act.PLOTS: lambda: self.docks.toggle(Part.PLOTS),
                Act.TABLE: lambda: self.docks.toggle(Part.TABLE),
                Act.KEYS: lambda: KeysDialog(self, self.key_bindings).open(),
            }
        )
        self.actions_of_keys.handle(self.timeline.acts)
        run = self.actions_of_keys.run
        self.status_bar.asked.connect(run)
        self.docks.wanted_changed.connect(self._on_wanted_changed)
        self.transport.asked.connect(run)

    def _connect_menus(self) -> None:
        run, opener, memory, bar = self.actions_of_keys.run, self.opener, self.memory, self.top_bar
        self.turning = Turning(
            self.session,
            self._remembered,
            self.view,
            self.bridge.playback,
            lambda: self.saving.recorded_s is not None,
        )
        self.picture = PictureLink(self.panes, self.actions_of_keys, self.turning)
        SourceMenu(bar.source.popup, opener, memory, self.turning, run)
        SettingsMenu(bar.settings_menu, self.panes, self.session, self.saving, memory, run)
        ModelMenu(
            bar.model.popup,
            opener,
            self.everyday,
            memory,
            run,
            partial(add_compare_menu, opener),
        )
        self.view.card_pressed.connect(self._on_card_pressed)

    def _open_all(self, texts: list[str], open_one: Callable[[str], None]) -> None:
        open_dropped(texts, open_one, self.several_asked.emit, self.panes.say)

    def _on_wanted_changed(self) -> None:
        self.status_bar.show_plots(are_open=self.docks.wanted()[Part.PLOTS])

    def _on_card_pressed(self, key: str) -> None:
        presses = {
            "camera": self.opener.open_camera,
            "file": lambda: self.actions_of_keys.run(Act.OPEN_FILE),
            "demo": lambda: self.opener.choose_source("demo"),
            "model": lambda: self.actions_of_keys.run(Act.OPEN_MODEL),
            "retry": self.session.reopen,
            "below": self.session.open_below,
            "cancel": self.session.close_source,
        }
        presses[key]()
