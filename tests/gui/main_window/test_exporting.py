"""Export of a whole file: the dialog, the command, its progress and its outcome."""

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from fakes import FAKE_SPEC, FakeSource
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QCloseEvent
from PyQt6.QtWidgets import QLabel, QMessageBox

from kpviewer.annotations.ground_truth import AnnotationGroundTruth
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.cli import process
from kpviewer.cli.main import main
from kpviewer.gui.background.child_process import ChildProcess
from kpviewer.gui.keys import Act
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.main_window.exporting import Exporter
from kpviewer.gui.opening.model_request import LoadedModel, ModelRequest
from kpviewer.gui.opening.source_ground_truth import FoundGroundTruth
from kpviewer.gui.saving.export_choices import (
    OUTPUTS,
    ExportChoices,
    export_arguments,
    exportable,
    input_arguments,
    summary_of,
)
from kpviewer.models.spec import ModelSpec, Task
from kpviewer.overlay import OverlayStyle
from kpviewer.recording.label_formats import LABEL_FORMATS
from kpviewer.recording.results import RESULT_FORMATS
from kpviewer.runtime.choosing.choices import BackendChoice
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.sources.turn import Turn
from kpviewer.structures import NmsKind, Thresholds

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of dialogs without a screen

LEFT = Qt.MouseButton.LeftButton
CLASSES = ("person", "cat, wild", "dog")


def model(spec: ModelSpec, choice: BackendChoice | None = None, backend: str = "openvino"):
    engine = SimpleNamespace(spec=spec, backend=backend, precision="bf16")
    request = ModelRequest("best.onnx@yolox", "auto")
    return LoadedModel(request, engine, {}, choice, (), (), "c0ffee")


# -- the command


def test_the_command_has_what_the_window_shows(tmp_path):
    spec = replace(FAKE_SPEC, class_names=CLASSES, keypoint_threshold=0.5)
    thresholds = Thresholds(
        score=0.35,
        nms=NmsKind.SOFT_GAUSSIAN,
        sigma=0.4,
        classes=frozenset({0, 1}),
        class_scores={1: 0.2},
        keypoint=0.25,
    )
    style = OverlayStyle(anonymise=True, tracks=True)
    choices = ExportChoices(("video", "csv"), tmp_path)
    turn = Turn(90, is_mirrored=True)
    arguments = export_arguments(choices, "/clips/-a.mp4", model(spec), thresholds, style, turn)
    assert arguments == [
        *(
            "process",
            "--json-progress",
            "--no-manifest",
            "--out",
            str(tmp_path),
            "--video",
            "--csv",
        ),
        *("--model", "best.onnx@yolox", "--device", "auto", "--model-hash", "c0ffee"),
        *("--backend", "openvino", "--precision", "bf16"),
        *("--conf", "0.35", "--iou", "0.45", "--nms", "soft-gaussian", "--sigma", "0.4"),
        *("--keypoint-conf", "0.25", "--classes", "person,1", "--class-conf", "1=0.2"),
        *("--anonymise", "--track", "--rotate", "90", "--mirror", "--", "/clips/-a.mp4"),
    ]


def test_the_program_takes_the_command(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(process, "process_sources", lambda *given, **_run: seen.append(given) or 0)
    spec = replace(FAKE_SPEC, class_names=(*CLASSES, " bird "))
    thresholds = Thresholds(score=0.35, classes=frozenset({2, 3}), class_scores={2: 0.2})
    choice = BackendChoice("openvino", "bf16", "cuda:0")
    choices = ExportChoices(("raw", "voc", "yolo"), tmp_path)
    style = OverlayStyle(smooth_landmarks=True)
    given = export_arguments(
        choices, "/clips/-a.mp4", model(spec, choice), thresholds, style, Turn(180)
    )
    done = CliRunner().invoke(main, given)
    assert done.exit_code == 0, done.output
    ((sources, options),) = seen
    assert sources == ("/clips/-a.mp4",)
    assert (options.out, options.device, options.model_hash) == (tmp_path, "cuda:0", "c0ffee")
    assert sorted(options.outputs) == ["raw", "voc", "yolo"]
    assert options.thresholds_of(spec) == replace(thresholds, keypoint=spec.thresholds.keypoint)
    assert options.style == style
    assert options.turn == Turn(180)


def test_a_backend_of_a_program_s_own_engine_is_measured_again(tmp_path):
    own = model(FAKE_SPEC, backend="mine")
    choices = ExportChoices(("video",), tmp_path)
    arguments = export_arguments(choices, "/a.mp4", own, Thresholds(), OverlayStyle(), Turn())
    assert "--backend" not in arguments


def test_every_kind_of_file_of_results_can_be_exported():
    assert set(OUTPUTS) >= {*RESULT_FORMATS, *LABEL_FORMATS}


@pytest.mark.parametrize(
    ("source", "whole"),
    [
        ("Demo", "demo"),
        ("/clips/a.mp4", "/clips/a.mp4"),
        ("/photos/*.jpg", "/photos/*.jpg"),
        ("0", None),
        ("screen", None),
        ("rtsp://me:secret@camera/", None),
        (None, None),
    ],
)
def test_only_files_can_be_exported_whole(source, whole):
    assert exportable(source) == whole


def test_the_summary_says_what_is_used():
    spec = replace(FAKE_SPEC, class_names=CLASSES)
    thresholds = Thresholds(score=0.35, classes=frozenset({0}))
    style = OverlayStyle(anonymise=True, tracks=True, smooth_landmarks=True)
    assert summary_of(thresholds, spec, style) == (
        "fake · confidence 0.35 · IoU 0.45 · 1 of 3 classes · tracked · anonymised · "
        "landmarks smoothed"
    )


# -- the window


def exporter_of(window: MainWindow, code: str) -> Exporter:
    """Return an exporter whose command is a program of one's own."""
    return Exporter(
        window.panes, window.session, window.saving, ChildProcess((sys.executable, "-c", code))
    )


def words(exporter: Exporter) -> str:
    notice = exporter.line.notice()
    return notice.text if notice is not None else ""


def press(qtbot, exporter: Exporter) -> None:
    (link,) = exporter.line.links()
    qtbot.mouseClick(link, LEFT)


@pytest.fixture
def window(qtbot, open_window) -> MainWindow:
    window = open_window(FakeSource(5000))
    qtbot.waitUntil(lambda: window.session.engine is not None and window.session.info is not None)
    return window


def test_the_dialog_starts_the_export_and_its_files_can_be_shown(
    qtbot, window, tmp_path, monkeypatch
):
    opened = []
    monkeypatch.setattr(
        "PyQt6.QtGui.QDesktopServices.openUrl", lambda url: opened.append(url.toLocalFile())
    )
    code = f"""import json, sys
assert sys.argv[1:3] == ['process', '--json-progress'], sys.argv
print(json.dumps({{"frames": 1200, "total": 5000}}))
print(json.dumps({{"files": [{str(tmp_path / "fake.mp4")!r}, {str(tmp_path / "fake.csv")!r}]}}))"""
    exporter = exporter_of(window, code)
    exporter.ask()
    dialog = exporter.dialog
    assert [kind for kind, box in dialog.boxes.items() if box.isChecked()] == ["video"]
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Return):
        qtbot.keyClick(dialog.boxes["video"], key)
    assert not dialog.export.isEnabled()
    assert dialog.isVisible()
    for key in (Qt.Key.Key_Space, Qt.Key.Key_Return):  # tick, and export
        qtbot.keyClick(dialog.boxes["csv"], key)
    assert exporter.is_running
    qtbot.waitUntil(lambda: not exporter.is_running)
    assert words(exporter) == "Saved fake.mp4, fake.csv"
    assert exporter.line.bar.isHidden()
    press(qtbot, exporter)
    assert opened == [str(tmp_path)]
    exporter.ask()
    assert exporter.dialog.choices.outputs == ("csv",), "the choices are kept"


def test_the_dialog_says_which_model_it_exports_if_another_arrives(qtbot, window, engine):
    exporter = exporter_of(window, "")
    exporter.ask()
    hint = exporter.dialog.findChild(QLabel)
    assert "fake · confidence" in hint.text()
    other = replace(engine.spec, name="other", score_threshold=0.25)
    window.session.use_engine(type(engine)(spec=other))
    assert "other · confidence 0.25" in hint.text()
    exporter.dialog.reject()


def test_the_dialog_closes_if_another_source_arrives(qtbot, window):
    exporter = exporter_of(window, "")
    exporter.ask()
    assert exporter.dialog.isVisible()
    window.session.open("other")  # as one that was slow to open
    qtbot.waitUntil(lambda: not exporter.dialog.isVisible())
    assert not exporter.is_running


WAITS = """import json, signal, sys
def end(*_):
    print(json.dumps({"files": ["/out/fake.mp4"]}))
    sys.exit(143)
signal.signal(signal.SIGTERM, end)
print(json.dumps({"frames": 1200, "total": 5000}), flush=True)
signal.pause()"""


def test_progress_is_shown_and_the_export_can_be_cancelled(qtbot, window, tmp_path):
    exporter = exporter_of(window, WAITS)
    exporter.start(ExportChoices(("video",), tmp_path))
    qtbot.waitUntil(lambda: words(exporter) == "Exporting fake · 1,200 of 5,000 frames")
    assert (exporter.line.bar.value(), exporter.line.bar.maximum()) == (1200, 5000)
    exporter.ask()
    assert "An export is already running" in window.status_bar.message_text()
    press(qtbot, exporter)
    qtbot.waitUntil(lambda: not exporter.is_running)
    assert words(exporter) == "Export cancelled: the files hold the first 1,200 frames."
    qtbot.mouseClick(exporter.line.close_button, LEFT)
    assert words(exporter) == ""


def test_a_failure_is_one_line(qtbot, window, tmp_path):
    code = "import sys; print('Error: The disk is full. Free some.', file=sys.stderr); sys.exit(6)"
    exporter = exporter_of(window, code)
    exporter.start(ExportChoices(("video",), tmp_path))
    qtbot.waitUntil(lambda: not exporter.is_running)
    assert words(exporter) == "fake can't be exported. The disk is full. Free some."


def test_a_report_reads_annotations_and_a_scan(tmp_path):
    report, video = (ExportChoices((kind,), tmp_path) for kind in ("report", "video"))
    scan = tmp_path / "a.kpv"
    assert input_arguments(report, "coco:a.json", scan) == [
        *("--ground-truth", "coco:a.json"),
        *("--from-scan", str(scan)),
    ]
    assert input_arguments(video, "coco:a.json", None) == []
    assert input_arguments(report, "", None) == []


def test_a_report_needs_annotations_in_a_file(qtbot, window):
    exporter = exporter_of(window, WAITS)
    exporter.ask_for_report()
    box = exporter.dialog.boxes["report"]
    assert not box.isEnabled()
    assert box.toolTip() == "Open annotations of this source first."
    assert exporter.dialog.choices.outputs == ()
    exporter.dialog.reject()
    window.session.ground_truth.use(FoundGroundTruth(annotations()))
    exporter.ask_for_report()
    assert exporter.dialog.choices.outputs == ("report",)
    exporter.dialog.reject()


def test_classes_of_whole_images_have_no_report_in_the_window(window, engine):
    why = "This model gives classes of whole images, no boxes. kpviewer eval scores it."
    window.session.ground_truth.use(FoundGroundTruth(annotations()))
    window.session.use_engine(type(engine)(spec=replace(engine.spec, task=Task.CLASSIFY)))
    exporter = exporter_of(window, WAITS)
    exporter.ask_for_report()
    assert exporter.dialog.boxes["report"].toolTip() == why
    assert not exporter.dialog.boxes["report"].isEnabled()
    exporter.dialog.reject()


def annotations() -> AnnotationGroundTruth:
    found = AnnotationGroundTruth(AnnotationSet((), ("thing",)))
    found.spec = "coco:a.json"
    return found


def test_an_export_ends_with_the_window(qtbot, window, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(ChildProcess, "start", lambda _, arguments: started.append(arguments))
    ended = []
    monkeypatch.setattr(ChildProcess, "close", lambda _, *_patience: ended.append(True))
    window.exporter.start(ExportChoices(("video",), tmp_path))
    assert len(started) == 1
    window.close()
    assert ended


class FromDesktop(QCloseEvent):
    """What the close button of a window's frame sends."""

    def spontaneous(self) -> bool:
        return True


def test_closing_asks_before_it_cancels_an_export(qtbot, window, tmp_path):
    asked = []
    window.exporter = exporter = exporter_of(window, WAITS)
    window.show()

    def quit_window() -> None:
        window.actions_of_keys.run(Act.QUIT)

    def press_close_button() -> None:
        event = FromDesktop()
        window.closeEvent(event)
        assert not event.isAccepted()

    def answer(text: str) -> None:
        (box,) = window.findChildren(QMessageBox)
        asked.append(box.text())
        (button,) = (each for each in box.buttons() if each.text() == text)
        qtbot.mouseClick(button, LEFT)
        qtbot.waitUntil(lambda: not window.findChildren(QMessageBox))

    exporter.start(ExportChoices(("video",), tmp_path))
    for leave in (quit_window, press_close_button):
        leave()
        answer("Go on exporting")
        assert window.isVisible()
        assert exporter.is_running
    quit_window()
    answer("Cancel it and close")
    assert set(asked) == {"fake is still being exported. Closing cancels that."}
    assert not window.isVisible()
    assert not exporter.is_running


def test_without_an_export_closing_asks_nothing(window):
    event = FromDesktop()
    window.closeEvent(event)
    assert event.isAccepted()


def test_a_live_source_is_recorded_instead(qtbot, open_window):
    source = FakeSource(live=True)
    source.give()
    window = open_window(source, named="rtsp://camera/")
    qtbot.waitUntil(lambda: window.session.info is not None)
    window.actions_of_keys.run(Act.EXPORT)
    assert "Record a live source instead" in window.status_bar.message_text()
    assert window.exporter.dialog is None


def test_nothing_is_exported_while_no_class_is_shown(window):
    hidden = replace(window.session.thresholds, classes=frozenset())
    window.session.set_thresholds(hidden)
    window.actions_of_keys.run(Act.EXPORT)
    assert "No class is shown" in window.status_bar.message_text()
    assert window.exporter.dialog is None


def test_the_demo_without_a_name_is_exported_as_the_demo(qtbot, open_window, tmp_path):
    window = open_window(DemoSource(), named=None)
    qtbot.waitUntil(lambda: window.session.engine is not None and window.session.info is not None)
    exporter = exporter_of(
        window, "import sys; print(sys.argv[-1]); sys.exit('Error: ' + sys.argv[-1])"
    )
    exporter.start(ExportChoices(("video",), Path(tmp_path)))
    qtbot.waitUntil(lambda: not exporter.is_running)
    assert words(exporter).endswith(" demo")
