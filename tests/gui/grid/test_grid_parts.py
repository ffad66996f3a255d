"""Parts of a grid alone: arrangement, words, and the image of all streams."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PyQt6.QtWidgets import QLabel, QPushButton, QWidget
from sample_results import CountedLease, result

from kpviewer.errors import SourceError
from kpviewer.gui.grid.layout import Cell, cells, moved, shape_of
from kpviewer.gui.grid.mosaic_source import MosaicSource, MosaicStream
from kpviewer.gui.grid.session import AT_ONCE, PATIENCE_S, OpeningQueue
from kpviewer.gui.grid.texts import (
    distinct_names,
    line_of,
    model_failure_line,
    tile_state,
    total_stats,
)
from kpviewer.gui.grid.tile import Tile
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.saving.choices import RecordingChoices
from kpviewer.gui.session import Session
from kpviewer.gui.session.base import SessionStatus
from kpviewer.gui.settings.remembered import RememberedSettings
from kpviewer.gui.settings.store import SettingsStore
from kpviewer.gui.views.panels.recording_panel import RecordingPanel
from kpviewer.gui.views.video.state_card import Card, Chip, StateCard
from kpviewer.gui.widgets.card_layout import CardLayout, Place
from kpviewer.gui.widgets.fitted_label import FittedLabel
from kpviewer.pipeline_status import (
    Percentiles,
    PipelineState,
    PipelineStats,
    PipelineStatus,
    StopReason,
)

STATS = PipelineStats(
    display_fps=29.7, drops={"queue full": 3}, latency={"display": Percentiles(41.2, 60.0, 70.0)}
)


@pytest.mark.parametrize(
    ("count", "shape"),
    [(0, (1, 1)), (1, (1, 1)), (2, (2, 1)), (4, (2, 2)), (5, (3, 2)), (9, (3, 3)), (16, (4, 4))],
)
def test_grid_is_as_square_as_it_can_be(count, shape):
    assert shape_of(count) == shape


def test_tiles_fill_the_area_but_for_the_gaps():
    assert cells(3, 101, 41, gap=1) == [
        Cell(0, 0, 50, 20),
        Cell(51, 0, 50, 20),
        Cell(0, 21, 50, 20),
    ]
    assert sum(cell.width * cell.height for cell in cells(16, 1237, 853)) == 1237 * 853


@pytest.mark.parametrize(
    ("index", "step", "expected"),
    [
        (0, (1, 0), 1),
        (2, (1, 0), 2),  # at the edge
        (0, (-1, 0), 0),
        (1, (0, 1), 4),
        (2, (0, 1), 4),  # the last row is shorter
        (4, (0, 1), 4),
        (4, (0, -1), 1),
    ],
)
def test_steps_of_five_tiles_stay_in_the_grid(index, step, expected):
    assert moved(index, 5, *step) == expected


def status(state=PipelineState.RUNNING, **changes):
    failure, stop_reason = changes.pop("failure", None), changes.pop("stop_reason", None)
    pipeline = PipelineStatus(state, stop_reason, STATS, None, **changes)
    return SessionStatus("cam", 9.0, pipeline, failure, None, 0.0, None)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (status(), ("30 fps", "41 ms", "3 not shown")),
        (status(PipelineState.STARTING), ("opening",)),
        (status(PipelineState.PAUSED), ("paused",)),
        (replace(status(PipelineState.PAUSED), waits_for_model=True), ("waiting for the model",)),
        (status(signal_lost_s=3.0), ("no signal",)),
        (status(read_s=6.0), ("no answer",)),
        (status(failure="Gone. Plug it in."), ("failed",)),
        (
            status(PipelineState.PAUSED, stop_reason=StopReason.END_OF_STREAM),
            ("ended", "Space plays again"),
        ),
        (
            replace(
                status(PipelineState.PAUSED, stop_reason=StopReason.END_OF_STREAM),
                is_one_image=True,
            ),
            (),
        ),
    ],
)
def test_line_of_a_tile_has_figures_or_the_state(qapp, given, line):
    assert line_of(given, has_image=True) == line


def test_card_of_a_tile_offers_to_try_again_or_to_remove(qapp):
    card = tile_state(status(failure="Gone. Plug it in."), has_image=False).card
    assert (card.title, card.text) == ("Gone.", "Plug it in.")
    assert [key for key, _ in card.buttons] == ["retry", "remove"]


def test_model_that_fails_covers_no_tile(qapp):
    assert (
        tile_state(status(model_failure="It fails.\nChoose another."), has_image=True).card is None
    )


def test_model_that_fails_on_some_streams_is_named_with_them():
    bad = replace(status(model_failure="It fails."), source="b.mp4")
    assert model_failure_line([status(), bad]) == "b.mp4: It fails."
    assert model_failure_line([bad, bad]) == "It fails."
    assert model_failure_line([status()]) == ""


def test_streams_of_one_name_are_told_apart():
    paths = ["/x/day1/a/cam.mp4", "/x/day2/a/cam.mp4", "clip.mp4", "/x/day2/a/cam.mp4"]
    files = [(Path(path).name, path) for path in paths]
    assert distinct_names([*files, ("HD Webcam", "0"), ("HD Webcam", "2")]) == [
        "day1/a/cam.mp4",
        "day2/a/cam.mp4",
        "clip.mp4",
        "day2/a/cam.mp4 (2)",
        "HD Webcam",
        "HD Webcam (2)",
    ]
    beside = [("a.mp4", "a.mp4"), ("a.mp4", "b/a.mp4")]
    assert distinct_names(beside) == ["a.mp4", "b/a.mp4"]


def test_rates_of_streams_are_added_and_the_slowest_latency_of_running_ones_counts():
    def playing(fps: float, dropped: int, ms: float, state=PipelineState.RUNNING) -> PipelineStatus:
        latency = {"display": Percentiles(ms, ms, ms)}
        drops = {"queue full": dropped}
        stats = PipelineStats(display_fps=fps, drops=drops, latency=latency)
        return PipelineStatus(state, None, stats, None)

    ended = playing(0.3, 0, 400.0, PipelineState.PAUSED)  # a rate falls slowly
    total = total_stats([playing(29.7, 3, 41.2), playing(10.3, 2, 90.0), ended])
    assert total.display_fps == pytest.approx(40.0)
    assert total.drops == {"queue full": 5}
    assert total.latency["display"].p50 == 90.0
    assert total_stats([]) == PipelineStats()
    fast, slow = playing(29.7, 3, 41.2), playing(0.0, 2, 90.0)
    behind = total_stats([fast, slow], hidden=[slow])
    assert behind.latency["display"].p50 == 41.2  # the slow one hasn't been on the screen since
    assert behind.drops == {"queue full": 5}


class FakeSession:
    """Session that only notes what it is asked to open."""

    def __init__(self, opened: list[str]) -> None:
        self.opened = opened
        self.source_text: str | None = None
        self.source_name: str | None = None
        self.failure = self.pipeline = None

    def open(self, text: str) -> None:
        self.opened.append(text)


def test_sources_are_opened_a_few_at_a_time_and_a_silent_one_holds_up_none(qtbot):
    opened, now_s = [], [0.0]
    queue = OpeningQueue(lambda: now_s[0])
    sessions = [FakeSession(opened) for _ in range(AT_ONCE + 3)]
    for number, session in enumerate(sessions):
        queue.add(session, f"rtsp://me:secret@host/{number}")
    assert len(opened) == AT_ONCE
    assert "secret" not in sessions[-1].source_name
    sessions[0].failure = SourceError("Gone.")
    qtbot.waitUntil(lambda: len(opened) == AT_ONCE + 1)
    queue.drop(sessions[-2])
    assert queue.is_waiting(sessions[-1])
    now_s[0] = PATIENCE_S  # no other one answers
    qtbot.waitUntil(lambda: len(opened) == AT_ONCE + 2)
    assert opened[-1].endswith(str(len(sessions) - 1))


# -- the image of all streams -------------------------------------------------------------------


def read(source: MosaicSource):
    return source.read(lambda height, width: np.zeros((height, width, 3), np.uint8)).bgr


def test_mosaic_paints_each_stream_in_its_place(qapp):
    source = MosaicSource("grid", (200, 124), sleep=lambda _s: None)
    streams = MosaicStream("red"), MosaicStream("blue"), MosaicStream("none yet")
    source.streams = streams
    with pytest.raises(SourceError):
        read(source)
    info = source.open()
    assert (info.width, info.height, info.is_live) == (200, 124, True)
    for stream, bgr in zip(streams, ((0, 0, 255), (255, 0, 0)), strict=False):
        stream.accept(result(bgr=np.full((60, 80, 3), bgr, np.uint8)))
    image = read(source)
    assert image.shape == (124, 200, 3)
    # 2 x 2 places of 99 x 61 px, each below a caption of 24 px
    assert image[42, 49].tolist() == [0, 0, 255]
    assert image[42, 150].tolist() == [255, 0, 0]
    assert image[105, 49].tolist() == [19, 17, 15]
    assert source.next_index == 1


def test_mosaic_keeps_the_newest_image_and_dims_an_outdated_one(qapp):
    source = MosaicSource("grid", (100, 84), sleep=lambda _s: None)
    stream = MosaicStream("cam")
    source.streams = (stream,)
    source.open()
    leases = CountedLease(), CountedLease()
    for level, lease in zip((100, 200), leases, strict=True):
        stream.accept(result(bgr=np.full((60, 100, 3), level, np.uint8), lease=lease))
    assert read(source)[54, 50].tolist() == [200] * 3
    stream.is_dimmed = True
    assert read(source)[54, 50, 0] < 100
    assert [lease.holders for lease in leases] == [0, 1]
    stream.clear()
    assert [lease.holders for lease in leases] == [0, 0]


# -- widgets --------------------------------------------------------------------------------------


def test_label_drops_its_last_parts_where_there_is_no_room(qtbot):
    label = FittedLabel()
    qtbot.addWidget(label)
    label.show()
    label.set_parts("30 fps", "", "41 ms", "12 not shown")
    label.resize(1000, 20)
    assert label.text() == "30 fps · 41 ms · 12 not shown"
    label.resize(label.fontMetrics().horizontalAdvance("30 fps · 41 ms") + 4, 20)
    assert label.text() == "30 fps · 41 ms"
    label.resize(label.fontMetrics().horizontalAdvance("30 fp"), 20)
    assert "…" in label.text()
    assert label.accessibleName() == "30 fps · 41 ms · 12 not shown"


def test_card_in_a_small_view_fits_and_keeps_its_buttons_while_it_can(qtbot):
    view = QWidget()
    qtbot.addWidget(view)
    card = StateCard(view)
    layout = CardLayout(view)
    layout.add(Place.CENTER, card)
    view.show()
    long = Card("The camera can't be opened.", "Close other programs. " * 9, (("retry", "Again"),))
    sizes = ((900, 600, True, True), (190, 110, True, False), (120, 64, False, False))
    for width, height, has_button, has_text in sizes:
        view.resize(width, height)
        card.set_card(long)
        assert view.rect().contains(card.geometry())
        (button,) = card.findChildren(QPushButton)
        assert button.isHidden() is not has_button
        assert ("Close other programs" not in card.toolTip()) is has_text


def test_card_without_room_for_its_title_is_laid_out_once(qtbot, qapp):
    view = QWidget()
    qtbot.addWidget(view)
    view.resize(120, 64)
    card, layout, arranged = StateCard(view), CardLayout(view), []
    layout.add(Place.CENTER, card)
    view.show()
    card.set_card(Card("The camera can't be opened, as another program uses it.", "Close it. " * 9))
    qapp.processEvents()
    layout.arranged.connect(lambda: arranged.append(1))
    for _ in range(20):  # each layout that asks for another one comes with the next events
        qapp.processEvents()
    assert not arranged


def test_chip_in_a_small_view_is_one_line(qtbot, themes):
    view = QWidget()
    qtbot.addWidget(view)
    view.resize(190, 120)
    view.show()
    chip = Chip(view)
    layout = CardLayout(view)
    layout.add(Place.BOTTOM, chip)
    chip.show_line("No signal for 12 s · try 3. Trying again.\nThe camera can't be opened.")
    assert view.rect().contains(chip.geometry())
    assert chip.height() < view.height() / 5
    assert chip.text().endswith("opened.")
    (label,) = chip.findChildren(QLabel)
    assert label.text().startswith("No signal for 12 s")
    assert label.fontMetrics().horizontalAdvance(label.text()) <= label.width()
    chip.show_line("Saved north-entrance_2026-11-29_18-14-43.mp4, 12.3 s")
    assert label.text().startswith("Saved north-entrance")
    chip.show_line("No signal for 12 s · try 3. Trying again.\nThe camera can't be opened.")
    view.resize(640, 400)
    assert label.text() == chip.text()


def test_tile_says_in_its_tooltip_what_its_chip_has_no_room_for(qtbot, themes):
    options = ViewerOptions()
    remembered = RememberedSettings(SettingsStore(None, None), options)
    tile = Tile(Session(options, LOADERS, remembered))
    qtbot.addWidget(tile)
    tile.resize(190, 150)
    tile.has_image = True
    lost = replace(status(signal_lost_s=12.0, attempts=3), source="cam")
    tile.show_status(lost, None, 0.0)
    assert (
        tile.view.toolTip() == tile.view.chip.text() == "No signal for 12 s · try 3. Trying again."
    )
    tile.show_status(status(), None, 0.0)
    assert tile.view.toolTip() == ""
    tile.session.close()


def test_choice_of_streams_is_only_in_a_grid_and_is_remembered(qtbot):
    panel = RecordingPanel()
    qtbot.addWidget(panel)
    assert panel.streams.isHidden()
    panel.offer_streams()
    assert not panel.streams.isHidden()
    panel.streams.buttons()[1].click()
    assert panel.choices.streams == "grid"
    assert panel.videos.isHidden()  # the grid is one annotated video, without results
    assert RecordingChoices.from_table(panel.choices.to_table()).streams == "grid"
    assert RecordingChoices.from_table({"streams": "nonsense"}).streams == "each"
