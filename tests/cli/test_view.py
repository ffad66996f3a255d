"""``kpviewer view``: the meaning of the options, and behaviour without a display."""

import socket

import pytest
from click.testing import CliRunner

from kpviewer.cli import process, view
from kpviewer.errors import KpviewerError
from kpviewer.gui import app
from kpviewer.gui.options import ViewerOptions
from kpviewer.gui.widgets.theme import ThemeChoice
from kpviewer.installation import qt_libraries
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.sources.turn import Turn
from kpviewer.structures import NmsKind

SPEC = ModelSpec("m", "m", Task.DETECT, ("cat", "dog"), (64, 64), score_threshold=0.3)


@pytest.fixture
def started(monkeypatch):
    """Record the options instead of opening a window."""
    calls: list[tuple[ViewerOptions, ThemeChoice]] = []

    def run_viewer(options, theme):
        calls.append((options, theme))
        return 0

    monkeypatch.setattr(app, "run_viewer", run_viewer)
    monkeypatch.setattr(qt_libraries, "needed_libraries", dict)
    return calls


def test_a_turn_reaches_the_window(started):
    for words in ("demo", "demo --rotate 90", "demo --rotate 180 --mirror"):
        assert CliRunner().invoke(view.command, words.split()).exit_code == 0
    assert [options.turn for options, _ in started] == [
        None, Turn(90), Turn(180, is_mirrored=True),
    ]  # fmt: skip


def test_a_backend_reaches_the_window(started):
    for words in ("demo", "demo --backend openvino --precision bf16", "demo --engine torch"):
        result = CliRunner().invoke(view.command, words.split())
        assert result.exit_code == 0, result.output
    assert [options.backend for options, _ in started] == [
        None, BackendChoice("openvino", "bf16"), BackendChoice("torch", "auto"),
    ]  # fmt: skip
    assert {"backend", "precision"} <= started[1][0].given


def test_options_reach_the_viewer(started):
    words = "demo --conf 0.4 --nms soft-linear --classes dog --seconds 2 --theme light --record"
    result = CliRunner().invoke(view.command, words.split())
    assert result.exit_code == 0, result.output
    options, theme = started[0]
    assert (options.source, options.seconds, options.record) == ("demo", 2.0, "")
    assert theme is ThemeChoice.LIGHT
    thresholds = options.thresholds_for(SPEC)
    assert thresholds.score == 0.4
    assert thresholds.iou == SPEC.iou_threshold
    assert thresholds.nms is NmsKind.SOFT_LINEAR
    assert thresholds.classes == {1}


def test_defaults_are_the_models_own(started):
    assert CliRunner().invoke(view.command, []).exit_code == 0
    options, theme = started[0]
    assert options.source is None
    assert options.record is None
    assert theme is ThemeChoice.SYSTEM
    assert options.thresholds_for(SPEC) == SPEC.thresholds


def test_model_to_compare_with_reaches_the_viewer(started):
    words = ["demo", "--compare", "torch"]
    assert CliRunner().invoke(view.command, words).exit_code == 0
    assert started[0][0].compare == "torch"


def test_class_that_the_model_lacks_is_named():
    with pytest.raises(ValueError, match=r"'cow' must be a class of the model \(cat, dog\)"):
        ViewerOptions(classes=("cow",)).thresholds_for(SPEC)


@pytest.mark.parametrize("words", [["--conf", "2"], ["--nms", "no"], ["--theme", "pink"]])
def test_wrong_values_are_usage_errors(started, words):
    assert CliRunner().invoke(view.command, words).exit_code == 2
    assert started == []


def test_no_display_annotates_the_source_instead(monkeypatch, started):
    calls = []
    monkeypatch.setattr(view, "has_display", lambda: False)
    monkeypatch.setattr(
        process, "process_sources", lambda sources, options: calls.append((sources, options)) or 3
    )
    result = CliRunner().invoke(view.command, ["clip.mp4", "--conf", "0.7", "--seconds", "5"])
    assert "no display" in result.output
    assert result.exit_code == 3
    sources, options = calls[0]
    assert sources == ["clip.mp4"]
    assert options.changes == {"score": 0.7}
    assert options.seconds == 5
    assert started == []


def test_no_seconds_of_a_video_are_refused_without_a_display(monkeypatch, started):
    monkeypatch.setattr(view, "has_display", lambda: False)
    monkeypatch.setattr(process, "process_sources", lambda *_: started.append("all of it"))
    result = CliRunner().invoke(view.command, ["clip.mp4", "--seconds", "0"])
    assert (result.exit_code, started) == (2, [])
    assert "needs --seconds above 0" in result.stderr


def test_without_a_display_files_are_annotated_whole_under_the_name_asked_for(
    monkeypatch, started, tmp_path
):
    calls = []
    monkeypatch.setattr(view, "has_display", lambda: False)
    monkeypatch.setattr(
        process, "process_sources", lambda _sources, options: calls.append(options) or 0
    )
    # Of an ONNX file, no class names are known before it is loaded.
    words = ["clip.mp4", "--model", "detector.onnx", "--classes", "dog", "--record"]
    assert CliRunner().invoke(view.command, [*words, str(tmp_path / "mine.mp4")]).exit_code == 0
    assert CliRunner().invoke(view.command, [*words, str(tmp_path)]).exit_code == 0
    assert [(options.out, options.stem) for options in calls] == [
        (tmp_path, "mine"),
        (tmp_path, None),
    ]
    assert calls[0].seconds is None
    assert calls[0].live_seconds is not None
    assert calls[0].classes == ("dog",)


def test_missing_libraries_are_named_with_the_line_that_installs_them(monkeypatch, started):
    monkeypatch.setattr(
        qt_libraries, "needed_libraries", lambda: {"libxcb-cursor.so.0": "libxcb-cursor0"}
    )
    monkeypatch.setattr(
        qt_libraries, "missing_packages", lambda libraries: list(libraries.values())
    )
    result = CliRunner().invoke(view.command, ["demo"])
    assert isinstance(result.exception, KpviewerError)
    assert "sudo apt-get install libxcb-cursor0" in str(result.exception)
    assert started == []


@pytest.mark.parametrize(
    ("variables", "answers", "expected"),
    [
        ({}, True, False),
        ({"DISPLAY": ":0"}, True, True),
        ({"DISPLAY": ":0"}, False, False),
        ({"WAYLAND_DISPLAY": "gone"}, False, False),
        ({"WAYLAND_DISPLAY": "gone", "DISPLAY": ":0"}, True, True),
        ({"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":0"}, False, False),
        ({"QT_QPA_PLATFORM": "wayland;xcb:x=1", "DISPLAY": ":0"}, True, True),
        ({"QT_QPA_PLATFORM": "wayland"}, True, False),
        ({"QT_QPA_PLATFORM": "mistyped"}, True, False),
        ({"QT_QPA_PLATFORM": "offscreen:size=9x9"}, False, True),
    ],
)
def test_a_display_must_be_named_and_answer(monkeypatch, tmp_path, variables, answers, expected):
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(qt_libraries, "is_x11_reachable", lambda: answers)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert qt_libraries.has_display() is expected


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="needs a Unix socket")
def test_a_compositor_that_listens_is_a_display(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    monkeypatch.setenv("WAYLAND_DISPLAY", "w")
    with socket.socket(socket.AF_UNIX) as compositor:
        compositor.bind("w")
        compositor.listen()
        assert qt_libraries.is_wayland_reachable()
