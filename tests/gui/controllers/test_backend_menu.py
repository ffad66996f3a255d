"""The menu of backends: what it lists, what a choice loads, and what is remembered."""

from dataclasses import replace

import pytest
from fakes import FAKE_SPEC
from gui.conftest import ViewerFakeEngine
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QMenu, QPushButton

from kpviewer.config.files import read_settings, settings_path, write_settings
from kpviewer.config.settings import Settings
from kpviewer.errors import PipelineError
from kpviewer.gui.opening.engine_loading import LOADERS
from kpviewer.gui.opening.model_loading import ModelLoading
from kpviewer.gui.options import ViewerOptions
from kpviewer.runtime.choosing.choices import BackendChoice

BF16, FP32 = BackendChoice("openvino", "bf16", "cpu"), BackendChoice("torch", "fp32", "cpu")
ON_GPU = BackendChoice("onnxruntime", "fp32", "cuda:0")


class Engine(ViewerFakeEngine):
    """Engine of a machine with three backends; a file without bf16 is called plain."""

    def backends(self, device: str) -> list[BackendChoice]:
        if device == "cuda:7":
            raise PipelineError("cuda:7 isn't there.")
        return [FP32, BF16, ON_GPU]


class Machine:
    """Loaders that note what they are asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []

    def load(self, name, device, _size):
        self.asked.append((name, device))
        if device == "cuda:7":
            raise PipelineError("cuda:7 isn't there.")
        return self.engine(name)

    def variant(self, name, device, _size, backend, precision):
        self.asked.append((name, device, backend, precision))
        if name == "plain":
            raise PipelineError("plain runs here in torch fp32.")
        engine = self.engine(name)
        engine.backend, engine.precision = backend, precision
        return engine

    def engine(self, name: str) -> Engine:
        return Engine(spec=replace(FAKE_SPEC, name=name, class_names=("thing",)))


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def opened(qtbot, open_window, machine, tmp_path):
    """Return a function that opens a window on the machine."""

    def open_it(**options):
        options = {"settings_folder": tmp_path / "config", **options}
        window = open_window(load_engine=machine.load, load_variant=machine.variant, **options)
        qtbot.waitUntil(lambda: window.session.engine is not None)
        return window

    return open_it


def entries(window) -> dict[str, QAction]:
    """Return the entries of the menu by their texts."""
    menu = window.top_bar.model.menu()
    assert isinstance(menu, QMenu)
    menu.aboutToShow.emit()
    submenu = next(each.menu() for each in menu.actions() if each.text() == "Backend")
    return {each.text(): each for each in submenu.actions() if each.text()}


def ticked(window) -> list[str]:
    return [text for text, each in entries(window).items() if each.isChecked()]


def choose(qtbot, window, text: str) -> None:
    before = window.session.engine
    entries(window)[text].trigger()
    qtbot.waitUntil(lambda: window.session.engine is not before)


def kept(window, tmp_path) -> str | None:
    window.close()
    return read_settings(settings_path(tmp_path / "config")).settings.backend


def test_the_menu_lists_what_runs_here_and_ticks_what_is_chosen(qtbot, opened):
    window = opened()
    assert list(entries(window)) == [
        "Automatic\ttorch fp32", "torch fp32\tCPU", "openvino bf16\tCPU",
        "onnxruntime fp32\tFake GPU",
    ]  # fmt: skip
    assert ticked(window) == ["Automatic\ttorch fp32"]
    choose(qtbot, window, "openvino bf16\tCPU")
    assert ticked(window) == ["openvino bf16\tCPU"]
    assert "Automatic" in entries(window)


def test_a_choice_loads_the_model_again_and_is_remembered(qtbot, opened, machine, tmp_path):
    window = opened()
    choose(qtbot, window, "onnxruntime fp32\tFake GPU")
    assert machine.asked == [("fake", "auto"), ("fake", "cuda:0", "onnxruntime", "fp32")]
    assert window.session.models.asked.device == "auto"
    assert kept(window, tmp_path) == "onnxruntime:fp32@cuda:0"
    machine.asked.clear()
    again = opened()
    assert machine.asked == [("fake", "cuda:0", "onnxruntime", "fp32")]
    choose(qtbot, again, "Automatic")
    assert machine.asked[1:] == [("fake", "auto")]
    assert kept(again, tmp_path) is None


def test_a_choice_shows_the_loading_card_and_can_be_cancelled(qtbot, opened, machine):
    window = opened()
    entries(window)["openvino bf16\tCPU"].trigger()
    assert window.session.models.loading == "fake"
    window.session.models.cancel()
    assert window.session.models.loading is None
    assert ticked(window) == ["Automatic\ttorch fp32"]


def test_a_model_that_a_remembered_backend_can_not_run_is_measured(
    qtbot, opened, machine, tmp_path
):
    write_settings(settings_path(tmp_path / "config"), Settings(backend="openvino:bf16@cpu"))
    window = opened(model="plain", given=frozenset({"model"}))
    assert machine.asked == [("plain", "cpu", "openvino", "bf16"), ("plain", "auto")]
    said = "plain can't run on openvino bf16 here. It runs on torch fp32."
    qtbot.waitUntil(lambda: said in window.status_bar.message())
    assert ticked(window) == ["Automatic\ttorch fp32"]
    assert kept(window, tmp_path) == "openvino:bf16@cpu"  # for models that it can run


@pytest.mark.parametrize("text", ["", "junk", "openvino", "a:b@c d"])
def test_a_damaged_setting_is_measured(opened, machine, tmp_path, text):
    path = settings_path(tmp_path / "config")
    path.parent.mkdir()
    path.write_text(f'version = 1\nbackend = "{text}"\n')
    opened()
    assert machine.asked == [("fake", "auto")]


def test_a_backend_of_the_command_line_is_kept_or_fails(qtbot, opened, machine):
    window = opened(backend=BackendChoice("openvino", "auto"), given=frozenset({"backend"}))
    assert machine.asked == [("fake", "auto", "openvino", "auto")]
    window.session.models.load("plain")
    qtbot.waitUntil(lambda: window.session.models.failure is not None)
    assert machine.asked[1:] == [("plain", "auto", "openvino", "auto")]


def test_a_remembered_device_that_a_model_can_not_use_falls_back_with_a_line(
    qtbot, opened, machine, tmp_path
):
    write_settings(settings_path(tmp_path / "config"), Settings(device="cuda:7"))
    window = opened()
    assert machine.asked == [("fake", "cuda:7"), ("fake", "auto")]
    qtbot.waitUntil(
        lambda: "fake can't run on cuda:7 here. It runs on CPU." in window.status_bar.message()
    )
    assert len(entries(window)) == 4


def test_a_device_of_another_model_falls_back_but_one_that_is_chosen_fails(qtbot, opened, machine):
    window = opened()
    models = window.session.models
    models.use("cuda:7", None)
    qtbot.waitUntil(lambda: models.failure is not None)
    assert machine.asked == [("fake", "auto"), ("fake", "cuda:7")]
    models.use("cuda:7", None)
    models.load("other")  # as if the device had been chosen for the model before
    qtbot.waitUntil(lambda: models.engine.spec.name == "other")
    assert machine.asked[2:] == [("other", "cuda:7"), ("other", "auto")]


def test_the_message_of_a_load_that_failed_is_closed_by_hand(qtbot, opened):
    window = opened()
    window.session.models.use("cuda:7", None)
    chip = window.view.chip
    qtbot.waitUntil(lambda: "can't be loaded" in chip.text())
    button = chip.findChild(QPushButton)
    assert button.text() == "Close"
    button.click()
    window.bridge.refresh()
    assert chip.isHidden()
    assert window.session.engine is not None


def test_a_device_of_the_command_line_fails(qtbot, opened, machine, open_window):
    window = open_window(load_engine=machine.load, device="cuda:7", given=frozenset({"device"}))
    qtbot.waitUntil(lambda: window.session.models.failure is not None)
    assert machine.asked == [("fake", "cuda:7")]


def test_a_second_model_that_can_not_use_the_device_falls_back(qtbot, machine):
    own = replace(LOADERS, load_engine=machine.load, load_variant=machine.variant)
    loading = ModelLoading(ViewerOptions(), own, is_second=True)
    try:
        with qtbot.waitSignal(loading.engine_loaded):
            loading.compare("other", "fake", "cuda:7")
            loading.start_due((24, 32), can_wait=False)
    finally:
        loading.close()
    assert machine.asked == [("other", "cuda:7"), ("other", "auto")]
