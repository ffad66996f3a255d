"""Settings of version 0.1, some of whose keys were renamed since, are still read."""

from kpviewer.gui.settings.remembered import style_of


def test_a_display_setting_of_an_older_version_is_kept():
    assert style_of({"truth": False}).ground_truth is False
    assert style_of({"truth": 3, "other": True}).ground_truth is True


def test_the_switches_of_an_older_version_are_kept():
    style = style_of({"follow": True, "blur": True, "smooth": True})
    assert style.tracks
    assert style.anonymise
    assert style.smooth_landmarks
