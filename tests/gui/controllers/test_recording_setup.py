"""Messages about a recording before it runs."""

from pathlib import Path

import pytest
from fakes import FakeSource

from kpviewer.gui.controllers.recording_setup import recorder_options, space_text
from kpviewer.overlay import OverlayStyle


@pytest.mark.parametrize(
    ("rate", "free", "text"),
    [
        (12.0, 40_000_000_000, "about 12 MB a minute; 40 GB free, 56 h"),
        (100.0, 1_500_000_000, "about 100 MB a minute; 1.5 GB free, 15 min"),
        (0.18, 900_000_000_000, "about 0.18 MB a minute; 900 GB free, months"),
    ],
)
def test_space_is_given_in_words(rate, free, text):
    assert space_text(rate, free) == text


@pytest.mark.qt_log_ignore("This plugin does not support")  # said of the options
def test_the_end_of_the_folder_is_shown_as_soon_as_the_options_are(qtbot, open_window, tmp_path):
    folder = tmp_path / "a name too long for the side panel" / "and another one" / "takes"
    window = open_window(folder=folder)
    window.top_bar.open_recording_options()
    shown = window.top_bar.recording.folder
    qtbot.waitUntil(lambda: shown.text().startswith("…") and shown.text().endswith("takes"))
    assert len(shown.text()) > 15  # as much of it as fits
    whole = len(shown.text())
    shown.resize(shown.width() // 2, shown.height())
    assert 0 < len(shown.text()) < whole and shown.text().endswith("takes")


@pytest.mark.parametrize("live", [False, True])
def test_a_file_is_recorded_with_its_sound_and_at_its_own_times(qtbot, open_window, live):
    source = FakeSource(live=live)
    source.give()
    window = open_window(source, named="0" if live else "/clips/fake.mp4")
    qtbot.waitUntil(lambda: window.session.info is not None)
    options = recorder_options(window.saving.choices, window.session, OverlayStyle(), "")
    assert options.segment.sound == (None if live else Path("/clips/fake.mp4"))
    assert options.by_media_time is not live
    assert options.source == "fake", "files are named after it"
