"""A file that doesn't say what its outputs mean: the window shows what each layout would mean."""

from pathlib import Path

import numpy as np
import pytest
from fakes import FakeSource
from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QLabel, QScrollArea
from pytestqt.qtbot import QtBot

from kpviewer.config import files as config_files
from kpviewer.gui.main_window import MainWindow
from kpviewer.gui.opening.engine_loading import load_first
from kpviewer.gui.opening.layout_previews import Preview, PreviewFrame, preview
from kpviewer.gui.views.dialogs.layout_dialog import LayoutCard, LayoutDialog
from kpviewer.gui.views.panels.message_line import MessageLine
from kpviewer.models.onnx.description import OnnxDescription, OutputFormat, OutputKind
from kpviewer.models.onnx.families.base import Recognised
from kpviewer.sources.synthetic.demo import DemoSource

pytest.importorskip("onnxruntime")

from onnx_files import HW, ambiguous_model, graph_model

pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")  # said of dialogs without a screen

DECODED = 1
"""Index of the layout that is right."""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(config_files, "settings_folder", lambda: tmp_path / "settings")
    (tmp_path / "models").mkdir()
    return ambiguous_model(tmp_path / "models" / "net.onnx")


@pytest.fixture
def window(open_window, engine, qtbot: QtBot) -> MainWindow:
    """Return a window that shows frames and runs the fake model."""

    def load(name: str, device: str, size: tuple[int, int]) -> object:
        return engine if name == "fake" else load_first(name, device, size)

    window = open_window(FakeSource(300), load_engine=load)
    qtbot.waitUntil(lambda: window.session.engine is engine)
    qtbot.waitUntil(lambda: window.view.result() is not None)
    return window


def messages(window: MainWindow) -> str:
    """Return the messages of the status bar, earlier ones too."""
    return window.findChild(MessageLine).toolTip()


def asked(window: MainWindow, qtbot: QtBot, model: Path | str) -> LayoutDialog:
    """Open a model; return the dialog once all layouts are drawn."""
    window.opener.choose_model(str(model))
    return drawn(window, qtbot)


def drawn(window: MainWindow, qtbot: QtBot) -> LayoutDialog:
    qtbot.waitUntil(lambda: window.opener.layouts.dialog is not None)
    dialog = window.opener.layouts.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: all(each.has_image() for each in dialog.cards))
    return dialog


def test_each_layout_is_drawn_on_the_present_frame(window, qtbot, model, engine):
    dialog = asked(window, qtbot, model)
    undecoded, decoded, *_ = (card.count.text() for card in dialog.cards)
    assert undecoded == "1 detection, which can't be right"  # its sides are exp(20) cells
    assert decoded == "1 detection"
    assert dialog.isVisible()
    assert window.session.engine is engine, "the old model continues to run"
    assert window.session.models.failure is None
    assert not model.with_suffix(".toml").exists()


def test_one_click_saves_the_layout_and_opens_the_model(window, qtbot, model):
    dialog = asked(window, qtbot, model)
    qtbot.mouseClick(dialog.cards[DECODED].button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.engine.spec.name == "net")
    assert window.opener.layouts.dialog is None
    text = model.with_suffix(".toml").read_text()
    assert "layout yolox-decoded" in text
    assert 'kind = "yolov5"' in text
    assert str(model.with_suffix(".toml")) in messages(window)


def test_a_click_on_the_image_takes_its_layout(window, qtbot, model):
    dialog = asked(window, qtbot, model)
    qtbot.mouseClick(dialog.cards[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: window.session.engine.spec.name == "net")
    assert 'kind = "yolox"' in model.with_suffix(".toml").read_text()


def test_a_file_that_was_chosen_once_opens_without_a_question(window, qtbot, model):
    asked(window, qtbot, model).cards[DECODED].button.click()
    qtbot.waitUntil(lambda: window.session.engine.spec.name == "net")
    window.opener.choose_model("fake")
    qtbot.waitUntil(lambda: window.session.engine.spec.name != "net")
    window.opener.choose_model(str(model))
    qtbot.waitUntil(lambda: window.session.engine.spec.name == "net")
    assert window.opener.layouts.dialog is None


def test_cancel_leaves_the_old_model(window, qtbot, model, engine):
    dialog = asked(window, qtbot, model)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert window.opener.layouts.dialog is None
    window.bridge.refresh()
    assert window.session.engine is engine
    assert window.session.models.failure is None
    assert engine.spec.name in window.top_bar.model.text()
    assert list(model.parent.iterdir()) == [model]


def test_where_the_folder_cannot_be_written_the_settings_keep_the_layout(window, qtbot, model):
    model.with_suffix(".toml").mkdir()
    asked(window, qtbot, model).cards[DECODED].button.click()
    qtbot.waitUntil(lambda: window.session.engine.spec.name == "net")
    (kept,) = (config_files.settings_folder() / "descriptions").iterdir()
    assert 'kind = "yolov5"' in kept.read_text()


def test_where_nothing_can_be_written_the_model_opens_all_the_same(window, qtbot, model, tmp_path):
    model.with_suffix(".toml").mkdir()
    (tmp_path / "settings").touch()
    asked(window, qtbot, model).cards[DECODED].button.click()
    qtbot.waitUntil(lambda: window.session.engine.spec.name == "net")
    assert window.session.models.loaded.model == f"{model}@yolox-decoded"
    assert "written neither beside net.onnx" in messages(window)


def test_a_second_model_is_asked_for_too(window, qtbot, model):
    window.opener.compare_with(str(model))
    drawn(window, qtbot).cards[DECODED].button.click()
    qtbot.waitUntil(lambda: window.compare.is_on)
    assert window.session.second.engine.spec.name == "net"


@pytest.mark.parametrize("is_compared", [False, True])
def test_cancel_compares_with_nothing_else(window, qtbot, model, is_compared):
    panel = window.side_panel.compare
    if is_compared:
        window.opener.compare_with("fake")
        qtbot.waitUntil(lambda: window.compare.is_on)
    window.opener.compare_with(str(model))
    qtbot.keyClick(drawn(window, qtbot), Qt.Key.Key_Escape)
    assert window.compare.is_on is panel.isVisible() is is_compared
    assert "layout" not in panel.text()


def test_a_layout_that_cannot_be_opened_cannot_be_taken(window, qtbot, model, engine):
    dialog = asked(window, qtbot, model)
    dialog.cards[0].show_problem("It contradicts the file.")
    assert not dialog.cards[0].button.isEnabled()
    qtbot.mouseClick(dialog.cards[0], Qt.MouseButton.LeftButton)
    assert window.opener.layouts.dialog is dialog


def test_closing_the_window_ends_the_question(window, qtbot, model):
    window.opener.choose_model(str(model))
    qtbot.waitUntil(lambda: window.opener.layouts.dialog is not None)
    window.close()
    assert window.opener.layouts.dialog is None


# -- previews ------------------------------------------------------------------------------------


def colour_at(image: QImage, x: float, y: float) -> QColor:
    return image.pixelColor(
        round(x * image.devicePixelRatio()), round(y * image.devicePixelRatio())
    )


@pytest.mark.parametrize("ratio", [1.0, 2.0])
def test_a_preview_shows_the_boxes_of_its_layout(model, ratio):
    black = np.zeros((*HW, 3), np.uint8)
    frame = PreviewFrame(black, black)
    made = preview(load_first, f"{model}@yolox-decoded", frame, QSize(192, 192), ratio)
    assert made.detections == 1
    assert (made.image.width(), made.image.height()) == (192 * ratio, 128 * ratio)
    # the box is (38, 22) to (58, 42) in the frame of 96 x 64 px
    assert colour_at(made.image, 96, 84).lightness() > 50
    assert colour_at(made.image, 150, 20).lightness() < 5
    assert not black.any(), "the frame stays as it is"


def test_a_preview_that_cannot_be_right_says_so(qtbot):
    card = LayoutCard(
        Recognised(OnnxDescription(("a",), OutputFormat(OutputKind.BOXES)), "yolox", "any")
    )
    qtbot.addWidget(card)
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    card.show_preview(Preview(image, 12, is_doubtful=True))
    assert card.count.text() == "12 detections, which can't be right"
    card.show_preview(Preview(image, 1))
    assert card.count.text() == "1 detection"


def test_no_card_is_cut_on_a_small_screen(qtbot, themes):
    described = OnnxDescription(("a",), OutputFormat(OutputKind.BOXES))
    summary = "RT-DETR or D-FINE, no NMS needed, 80 unnamed classes, in rows"
    dialog = LayoutDialog("network_" * 8 + ".onnx", [Recognised(described, "yolox", summary)] * 3)
    qtbot.addWidget(dialog)
    with qtbot.waitExposed(dialog):
        dialog.show()
    room = dialog.screen().availableSize()
    assert dialog.width() <= room.width()
    assert dialog.height() <= room.height()
    (area,) = dialog.findChildren(QScrollArea)
    assert area.horizontalScrollBar().maximum() == 0
    (note,) = (each for each in dialog.findChildren(QLabel) if "saved" in each.text())
    assert note.y() > area.geometry().bottom()
    image, text, count, *_ = dialog.cards[0].findChildren(QLabel)
    assert image.geometry().bottom() < text.y() < text.geometry().bottom() < count.y()
    assert text.height() >= text.heightForWidth(text.width())


def test_a_preview_without_a_frame_is_of_the_demo(model):
    made = preview(load_first, f"{model}@yolox-decoded", None, QSize(192, 192), 1.0)
    source = DemoSource()
    info = source.open()
    source.close()
    assert made.image.width() / made.image.height() == info.width / info.height
    assert len({colour_at(made.image, x, 100).rgb() for x in range(0, 190, 10)}) > 5


# -- outputs that can't be right -------------------------------------------------------------------


def test_outputs_that_cannot_be_right_are_said_until_another_model_is_chosen(
    window, qtbot, tmp_path
):
    rows = np.zeros((1, 300, 6), np.float32)
    rows[0, :4] = [(x, x, x + 0.1, x + 0.2, 0.9, 0) for x in (0.1, 0.3, 0.5, 0.7)]
    path = tmp_path / "wrong.onnx"
    graph_model(path, {"image": ("float32", [1, 3, *HW])}, {"rows": rows})
    path.with_suffix(".toml").write_text('classes = ["a"]\n[output]\nkind = "boxes"\n')
    window.opener.choose_model(str(path))
    qtbot.waitUntil(lambda: "under 1 px" in window.view.chip.text())
    qtbot.waitUntil(lambda: "under 1 px" in messages(window))
    window.opener.choose_model("fake")
    qtbot.waitUntil(lambda: window.view.chip.text() == "")
