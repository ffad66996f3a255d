"""Files that don't say what their outputs mean: the user chooses, once."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kpviewer.config import files as config_files
from kpviewer.errors import WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.onnx.description import (
    Activation,
    BoxFormat,
    Channels,
    OnnxDescription,
    OutputFormat,
    OutputKind,
    read_description,
)
from kpviewer.models.onnx.families.base import AmbiguousLayout, Recognised
from kpviewer.models.onnx.saved import description_toml, name_in_settings, save_description
from kpviewer.models.spec import Placement, Resize, Sampling
from kpviewer.structures import NmsKind

pytest.importorskip("onnxruntime")

from onnx_files import HW, ambiguous_model

DECODED_BOX = [38, 22, 58, 42]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an ambiguous file; the settings are this test's."""
    monkeypatch.setattr(config_files, "settings_folder", lambda: tmp_path / "settings")
    (tmp_path / "models").mkdir()
    return ambiguous_model(tmp_path / "models" / "net.onnx")


@pytest.fixture
def unwritable(model: Path) -> Path:
    """Return an ambiguous file beside which no description can be written."""
    model.with_suffix(".toml").mkdir()  # tests may run as root, who may write into any folder
    return model


def candidates_of(model: Path) -> tuple[Recognised, ...]:
    with pytest.raises(AmbiguousLayout) as caught:
        open_model(model)
    return caught.value.candidates


def best_box(name: str | Path) -> list[int]:
    detector = open_model(name)
    decoded = detector.decode(detector.network(np.zeros((1, 3, *HW), np.float32)), HW)
    return decoded.xyxy[0, 0].round().astype(int).tolist()


def test_an_ambiguous_file_is_refused_with_its_layouts(model):
    with pytest.raises(AmbiguousLayout) as caught:
        open_model(model)
    assert [each.layout for each in caught.value.candidates] == [
        "yolox",
        "yolox-decoded",
        "yolov8",
    ]
    assert "--layout yolox-decoded (YOLOX with --decode_in_inference" in str(caught.value)


@pytest.mark.parametrize("name", ["{}@yolox-decoded", "{}@YOLOX-Decoded"])
def test_a_name_may_say_the_layout(model, name):
    assert best_box(name.format(model)) == DECODED_BOX


def test_a_layout_that_does_not_fit_is_refused_with_those_that_do(model):
    with pytest.raises(WeightsError, match=r"'yolov5'. Fitting: yolox, yolox-decoded"):
        open_model(f"{model}@yolov5")


def test_a_chosen_layout_is_written_beside_the_file_and_found_again(model):
    chosen = candidates_of(model)[1]
    written = save_description(model, chosen.description, "layout yolox-decoded")
    assert written == model.with_suffix(".toml")
    assert written.read_text().startswith("# layout yolox-decoded\n")
    assert best_box(model) == DECODED_BOX


def test_a_folder_that_cannot_be_written_leaves_the_description_in_the_settings(unwritable):
    written = save_description(unwritable, candidates_of(unwritable)[1].description)
    folder = config_files.settings_folder()
    assert written.parent == folder / "descriptions"
    moved = unwritable.rename(unwritable.with_name("renamed.onnx"))
    assert best_box(moved) == DECODED_BOX, "the content of the file counts, not its name"
    assert config_files.delete_all_settings(folder) == [written]
    assert not folder.exists()
    with pytest.raises(AmbiguousLayout):
        open_model(moved)


def test_another_file_of_the_same_size_is_not_described(unwritable):
    save_description(unwritable, candidates_of(unwritable)[1].description)
    content = bytearray(unwritable.read_bytes())
    at = content.index(b"constants")  # the name of the graph
    content[at : at + 9] = b"different"
    unwritable.write_bytes(content)
    with pytest.raises(AmbiguousLayout):
        open_model(unwritable)


def test_a_description_that_is_there_is_not_replaced(model):
    description = candidates_of(model)[0].description
    beside = model.with_suffix(".toml")
    beside.write_text("mine")
    written = save_description(model, description)
    assert beside.read_text() == "mine"
    assert written.parent.name == "descriptions"


def test_a_choice_completes_the_names_that_lie_beside_the_file(model):
    model.with_suffix(".toml").write_text('classes = ["crow", "gull"]\n')
    assert save_description(model, candidates_of(model)[1].description).parent != model.parent
    assert best_box(model) == DECODED_BOX
    spec = open_model(model).spec
    assert (spec.class_names, spec.notes) == (("crow", "gull"), ())


def test_a_description_that_fits_nowhere_says_so(unwritable, tmp_path, monkeypatch):
    description = candidates_of(unwritable)[0].description
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(config_files, "settings_folder", lambda: tmp_path / "file")
    with pytest.raises(WeightsError, match=r"neither beside net.onnx nor to .*descriptions"):
        save_description(unwritable, description)


FULL = OnnxDescription(
    classes=('a "b"', "ü\\n", "c"),
    output=OutputFormat(
        OutputKind.SSD,
        rows="r",
        scores="s",
        boxes="b",
        box_format=BoxFormat.XYWH,
        normalised=True,
        activation=Activation.SIGMOID,
        background=0,
        extra_columns=2,
        transposed=False,
    ),
    name="mine",
    input=(64, 96),
    stride=32,
    resize=Resize.AREA,
    placement=Placement.TOP_LEFT,
    sampling=Sampling.LINEAR,
    content=(60, 90),
    channels=Channels.BGR,
    value_range=(-1.0, 255.0),
    mean=(0.1, 0.2, 0.3),
    std=(1e-6, 0.5, 2.0),
    score_threshold=0.123456789,
    iou_threshold=0.7,
    nms=NmsKind.NONE,
    padding=(114, 0, 255),
    licence="MIT",
    trained_on="two\nlines",
    notes=("No masks.", "No angles."),
    match={"s": (1, -1, 3)},
)


@pytest.mark.parametrize(
    "description",
    [
        *(OnnxDescription(("a",), OutputFormat(kind)) for kind in OutputKind),
        FULL,
        replace(
            FULL,
            output=replace(FULL.output, kind=OutputKind.YOLOV8, background=None),
            keypoints=("eye", "nose"),
            skeleton=((0, 1),),
        ),
    ],
    ids=lambda each: f"{each.output.kind}-{len(each.classes)}-{len(each.keypoints)}",
)
def test_a_description_survives_writing_and_reading(description, tmp_path):
    path = tmp_path / "net.toml"
    path.write_text(description_toml(description, "any\nremark"), "utf-8")
    assert read_description(path) == description


def test_a_pipe_in_place_of_the_settings_does_not_block(model, tmp_path, monkeypatch):
    folder = config_files.descriptions_folder(config_files.settings_folder())
    folder.mkdir(parents=True)
    os.mkfifo(folder / name_in_settings(model))
    with pytest.raises(AmbiguousLayout):
        open_model(model)
