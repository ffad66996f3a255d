"""Darknet's files as models: what belongs together is found, and the outputs are OpenCV's."""

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from darknet_files import CFG, image, weights_bytes, write_model

from kpviewer.errors import WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.names.coco_classes import NAMES
from kpviewer.models.networks.darknet import opening
from kpviewer.models.networks.darknet.cfg import cfg_text
from kpviewer.models.networks.darknet.standard import tiny
from kpviewer.models.spec import Resize
from kpviewer.models.weights import load_model
from kpviewer.models.weights import save_weights as save_model

# cv2.dnn.readNetFromDarknet of OpenCV 4.10 for these files and this image: the best eight boxes,
# px of the input, and their class scores
REFERENCE = (
    ((14.732, 9.301, 51.665, 34.271), (0.38870, 0.62526)),
    ((21.794, 0.0, 24.928, 9.460), (0.58957, 0.24113)),
    ((29.799, 0.0, 32.930, 9.429), (0.58491, 0.24069)),
    ((28.684, 24.679, 64.0, 51.444), (0.36159, 0.57914)),
    ((0.0, 24.688, 38.071, 51.722), (0.35760, 0.57244)),
    ((6.024, 0.0, 8.912, 9.207), (0.56616, 0.24161)),
    ((0.0, 7.312, 36.917, 35.559), (0.37062, 0.55111)),
    ((13.902, 0.0, 16.892, 9.615), (0.54752, 0.24118)),
)


def test_boxes_and_scores_are_those_of_opencv(tmp_path):
    detector = open_model(write_model(tmp_path))
    with torch.inference_mode():
        decoded = detector.decode(detector.network(torch.from_numpy(image())), (64, 64))
    boxes, scores = zip(*REFERENCE, strict=True)
    np.testing.assert_allclose(decoded.xyxy[0, :8], boxes, atol=2e-3)
    np.testing.assert_allclose(decoded.scores[0, :8], scores, atol=2e-4)


def test_either_file_finds_the_other(tmp_path):
    cfg = write_model(tmp_path)
    spec = open_model(cfg).spec
    assert open_model(tmp_path / "small.weights").spec == spec
    assert (spec.name, spec.architecture, spec.input_hw) == ("small", "darknet", (64, 64))
    assert (spec.mean, spec.std) == ((0, 0, 0), (1, 1, 1))


@pytest.mark.parametrize("name", ["small_best", "small_final", "small_3000"])
def test_weights_of_a_training_find_their_cfg(name, tmp_path):
    write_model(tmp_path)
    (tmp_path / "small.weights").rename(tmp_path / f"{name}.weights")
    assert open_model(tmp_path / f"{name}.weights").spec.name == name
    if name != "small_3000":  # which step is meant, only the user knows
        assert open_model(tmp_path / "small.cfg").spec.name == name


def test_darknets_own_folders_are_searched(tmp_path):
    for folder in ("cfg", "data"):
        (tmp_path / folder).mkdir()
    cfg = write_model(tmp_path).rename(tmp_path / "cfg" / "small.cfg")
    (tmp_path / "data" / "small.names").write_text("cat\ndog\n")
    for path in (cfg, tmp_path / "small.weights"):
        assert open_model(path).spec.class_names == ("cat", "dog")


@pytest.mark.parametrize(
    ("files", "names", "note"),
    [
        ({}, ("class 0", "class 1"), "small.names"),
        ({"small.names": "cat\n\ndog\n"}, ("cat", "dog"), None),
        ({"small.names": "ca\x1bt\ndog\n"}, ("ca t", "dog"), None),
        ({"small.toml": 'classes = ["a", "b"]', "small.names": "x"}, ("a", "b"), None),
        ({"small.data": "classes=2\nnames = data/x.names", "x.names": "a\nb"}, ("a", "b"), None),
        ({"obj.data": "names=x.names", "x.names": "a\nb"}, ("a", "b"), "named by obj.data"),
        ({"obj.names": "a\nb"}, ("a", "b"), "named by obj.names"),
        ({"obj.names": "a\nb\nc"}, ("class 0", "class 1"), "small.names"),
    ],
)
def test_classes_are_named_by_the_nearest_file(files, names, note, tmp_path):
    cfg = write_model(tmp_path)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    spec = open_model(cfg).spec
    assert spec.class_names == names
    assert [note in each for each in spec.notes] == ([] if note is None else [True])


def test_names_that_do_not_fit_are_refused(tmp_path):
    cfg = write_model(tmp_path)
    (tmp_path / "small.names").write_text("cat\n")
    with pytest.raises(WeightsError, match=r"small\.names names 1 classes, the model has 2"):
        open_model(cfg)


@pytest.mark.parametrize(
    ("old", "new", "resize", "note"),
    [
        ("letter_box=1", "letter_box=1", Resize.LETTERBOX, None),
        ("letter_box=1", "letter_box=0", Resize.STRETCH, None),
        ("letter_box=1\n", "", Resize.STRETCH, "stretched"),
    ],
)
def test_the_cfg_says_how_images_are_fitted(old, new, resize, note, tmp_path):
    cfg = write_model(tmp_path)
    (tmp_path / "small.names").write_text("cat\ndog\n")
    cfg.write_text(CFG.replace(old, new))
    spec = open_model(cfg).spec
    assert spec.resize is resize
    assert [note in each for each in spec.notes] == ([] if note is None else [True])


def published(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write weights of a network for COCO that counts as a published one."""
    path = folder / "mine.weights"
    path.write_bytes(weights_bytes()[:20] + b"\0" * 4 * 8_858_734)
    known = dict(opening.PUBLISHED)
    monkeypatch.setattr(opening, "PUBLISHED", {path.stat().st_size: known[35_434_956]})
    return path


def test_published_weights_need_no_cfg(tmp_path, monkeypatch):
    detector = open_model(published(tmp_path, monkeypatch))
    spec = detector.spec
    assert (spec.architecture, spec.input_hw, spec.stride) == ("yolov3-tiny", (416, 416), 32)
    assert (spec.class_names, spec.resize) == (NAMES, Resize.LETTERBOX)
    assert len(spec.notes) == 1 and "There is no mine.cfg" in spec.notes[0]
    assert open_model(f"{tmp_path / 'mine.weights'}@320").spec.input_hw == (320, 320)


def test_a_published_network_with_other_anchors_is_kept_as_safetensors(tmp_path):
    cfg = tiny(1, ((4, 6), (9, 9), (20, 30), (40, 40), (90, 60), (200, 190)), 96)
    (tmp_path / "mine.cfg").write_text(cfg_text(cfg))
    count = 8_858_734 - 2 * 3 * 79 * (512 + 256 + 2) // 2
    (tmp_path / "mine.weights").write_bytes(weights_bytes()[:20] + b"\0" * 4 * count)
    detector = open_model(tmp_path / "mine.cfg")
    assert detector.spec.architecture == "yolov3-tiny"
    save_model(detector, tmp_path / "mine.safetensors")
    again = load_model(tmp_path / "mine.safetensors")
    assert again.network.anchors_wh.tolist()[1] == [[40, 40], [90, 60], [200, 190]]
    assert again.spec == detector.spec


@pytest.mark.parametrize(
    ("cfg", "message"),
    [
        ("[net]\n" * 2_000_000, r"small\.cfg .* it has more than 512 kB"),
        ("", r"first section must be \[net\]"),
        (CFG.replace("width=64", "width=1000000000"), r"width must be a whole number, at most"),
        (CFG.replace("width=64", "width=16384").replace("height=64", "height=16384"), "pixels"),
        (CFG.replace("width=64", "width=60"), r"small\.cfg can't be used: .*multiples of 32"),
        (CFG.replace("filters=8\nsize=3\nstride=2\npad=1\nactivation=relu",
                     "filters=60000\nsize=3\nstride=2\npad=1\nactivation=relu"), "bytes fewer"),
        (CFG.replace("layers=-1,8", "layers=14"), r"layer 14 \[route\] must read layers before"),
        (CFG.replace("[upsample]", "[gru]"), r"layer 13 \[gru\], line 80, is none of"),
        (CFG.replace("classes=2", "classes=100000"), "classes must be a whole number, at most"),
        (CFG + "\nmax_boxes\n", "must be a section or key=value, got 'max_boxes'"),
    ],
)  # fmt: skip
def test_a_hostile_cfg_is_refused_in_one_line(cfg, message, tmp_path):
    path = write_model(tmp_path)
    path.write_text(cfg)
    with pytest.raises(WeightsError, match=message) as refusal:
        open_model(path)
    assert "\n" not in str(refusal.value)


def test_keys_of_forks_are_said_when_the_model_opens(tmp_path):
    path = write_model(tmp_path)
    (tmp_path / "small.names").write_text("cat\ndog\n")
    path.write_text(CFG.replace("stride=1\npad=0", "stride=1\npad=0\nfancy=3"))
    assert open_model(path).spec.notes == ("Keys without meaning here: [convolutional] fancy.",)


def test_a_file_without_the_other_is_refused(tmp_path):
    cfg = write_model(tmp_path)
    weights = tmp_path / "small.weights"
    data = weights.read_bytes()
    weights.unlink()
    with pytest.raises(WeightsError, match=r"small\.weights must be beside it"):
        open_model(cfg)
    weights.write_bytes(data)
    cfg.unlink()
    with pytest.raises(WeightsError, match=r"small\.cfg must be beside it"):
        open_model(weights)
    with pytest.raises(WeightsError, match="not found"):
        open_model(tmp_path / "gone.cfg")


def test_weights_are_counted_before_memory_is_taken(tmp_path):
    cfg = write_model(tmp_path)
    cfg.write_text(CFG.replace("filters=12", "filters=20000").replace("from=-2", "from=-1"))
    with pytest.raises(WeightsError, match=r"bytes fewer than small\.cfg describes"):
        open_model(cfg)
    (tmp_path / "small.weights").write_bytes(struct.pack("<4i", 0, 2, 0, 0))
    with pytest.raises(WeightsError, match="too short"):
        open_model(cfg)
