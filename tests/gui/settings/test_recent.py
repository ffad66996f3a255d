"""Which sources and models may be kept."""

from pathlib import Path

import pytest

from kpviewer.config.settings import MAX_RECENT, RecentItems, Settings
from kpviewer.gui.settings.recent import (
    is_there,
    kept_model,
    with_model,
    with_source,
    without_models,
)


def sources(*texts: str) -> tuple[str, ...]:
    settings = Settings()
    for text in texts:
        settings = with_source(settings, text)
    return settings.recent.sources


def test_newest_is_first_and_nothing_is_there_twice():
    assert sources("/a", "/b", "/a") == ("/a", "/b")


def test_no_more_than_ten_are_kept():
    kept = sources(*(f"/{number}" for number in range(14)))
    assert len(kept) == MAX_RECENT == 10
    assert kept[0] == "/13"


def test_paths_are_kept_in_full(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert sources("clip.mp4") == (str(tmp_path / "clip.mp4"),)
    assert sources("frames/*.png") == (str(tmp_path / "frames" / "*.png"),)
    assert sources("~/x.mp4") == (str(Path.home() / "x.mp4"),)


@pytest.mark.parametrize(
    "text", ["", "demo", "strip", "0", "12", "0:640x480@30:MJPG", "screen", "screen:2"]
)
def test_items_that_the_menu_always_lists_are_not_kept(text):
    assert sources(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://me:geheim@cam/1",
        "rtsp://geheim@cam/1",
        "http://cam/live?token=geheim",
        "http://cam/live?x=1&password=geheim",
        "rtsp://cam:554/user=admin_password=geheim_channel=1.sdp",
    ],
)
def test_address_with_a_secret_is_not_kept(text):
    assert sources(text) == ()


@pytest.mark.parametrize(
    "text", ["rtsp://cam:554/1", "https://x.org/a/b.m3u8?quality=high", "screen:1:0,0,640,480"]
)
def test_other_addresses_and_parts_of_screens_are_kept(text):
    assert sources(text) == (text,)


def test_shipped_models_are_not_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for after in ("@640", "@yolox", "@yolox@640"):
        assert kept_model(f"m.onnx{after}") == f"{tmp_path / 'm.onnx'}{after}"
    for darknet in ("m.cfg", "m.weights", "m.weights@608"):
        assert kept_model(darknet) == str(tmp_path / darknet)
    settings = Settings()
    for name in ("face-ssd", "m.onnx", "torchvision:ssd300_vgg16", "package.module:mine"):
        settings = with_model(settings, name, frozenset({"face-ssd"}))
    mine = str(tmp_path / "m.onnx")
    assert settings.recent.models == ("package.module:mine", "torchvision:ssd300_vgg16", mine)
    assert without_models(settings).recent == RecentItems()


def test_files_within_a_models_name_are_kept_with_their_paths(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    boxes, points = tmp_path / "boxes.onnx", tmp_path / "pose.onnx"
    kept = kept_model("two-stage:boxes.onnx@yolox+pose.onnx@640")
    assert kept == f"two-stage:{boxes}@yolox+{points}@640"
    assert kept_model("two-stage:face-ssd+pose.onnx") == f"two-stage:face-ssd+{points}"
    assert kept_model("torchvision:ssd@w.pth") == f"torchvision:ssd@{tmp_path / 'w.pth'}"
    assert kept_model("torchvision:ssd@640") == "torchvision:ssd@640"
    boxes.touch()
    assert not is_there(kept)
    points.touch()
    assert is_there(kept)


def test_a_folder_that_cannot_be_named_in_two_stages_is_not_kept(tmp_path, monkeypatch):
    folder = tmp_path / "c++"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert kept_model("two-stage:boxes.onnx+face-points") is None
    assert (
        kept_model("two-stage:face-ssd+pose.onnx") == f"two-stage:face-ssd+{folder / 'pose.onnx'}"
    )


def test_only_paths_can_be_gone(tmp_path):
    assert is_there(str(tmp_path))
    assert not is_there(str(tmp_path / "x.onnx"))
    assert not is_there(str(tmp_path / "best[1].onnx"))
    assert is_there(f"{tmp_path}@640")
    (tmp_path / "m.onnx").touch()
    assert is_there(f"{tmp_path / 'm.onnx'}@yolox@640")
    assert not is_there(f"{tmp_path / 'other.onnx'}@yolox")
    assert is_there("package.module:mine")
    assert is_there("torchvision:ssd300_vgg16@mine.pth")


def test_weights_for_a_model_of_torchvision_can_be_gone(tmp_path):
    name = f"torchvision:ssd@{tmp_path / 'w.pth'}"
    assert not is_there(name)
    (tmp_path / "w.pth").touch()
    assert is_there(name) and is_there(f"{name}@640")


def test_a_name_that_is_no_text_is_not_kept(tmp_path):
    assert sources(str(tmp_path / "clip-\udce9.mp4")) == ()
    settings = with_model(Settings(), str(tmp_path / "clip-\udce9.onnx"), frozenset())
    assert settings.recent.models == ()
