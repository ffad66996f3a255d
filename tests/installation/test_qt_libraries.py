"""Missing libraries of Qt, and the command that installs them."""

import sys

import pytest

from kpviewer.installation import qt_libraries


@pytest.fixture(autouse=True)
def on_linux(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)


def test_absent_libraries_are_named_by_their_packages():
    missing = qt_libraries.missing_packages(
        qt_libraries.XCB, lambda library: library != "libxcb-cursor.so.0"
    )
    assert missing == ["libxcb-cursor0"]


def test_other_systems_need_no_packages(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert qt_libraries.missing_packages(qt_libraries.XCB, lambda _library: False) == []


def test_xcb_is_needed_only_on_an_x11_screen(monkeypatch):
    assert "libxcb-cursor.so.0" not in qt_libraries.needed_libraries()
    monkeypatch.setenv("DISPLAY", ":0")
    assert "libxcb-cursor.so.0" in qt_libraries.needed_libraries()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert "libxcb-cursor.so.0" not in qt_libraries.needed_libraries()


def test_a_user_without_rights_gets_the_command(monkeypatch, capsys):
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(qt_libraries, "ALWAYS", {})
    monkeypatch.setattr(qt_libraries, "XCB", {"libno-such-thing.so.0": "libno-such-thing0"})
    assert qt_libraries.main([]) == 1
    assert "\n  sudo apt-get install libno-such-thing0\n" in capsys.readouterr().out


def test_nothing_is_printed_if_nothing_is_missing(monkeypatch, capsys):
    monkeypatch.setattr(qt_libraries, "ALWAYS", {"libc.so.6": "libc6"})
    assert qt_libraries.main([]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.skipif(not qt_libraries.is_loadable("libX11.so.6"), reason="needs Xlib")
def test_a_missing_x11_screen_is_not_reachable(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":9731")
    assert not qt_libraries.is_x11_reachable()
