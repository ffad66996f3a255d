"""Exported files detect the same as torch, and describe themselves."""

import ast
import json
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import kpviewer
from kpviewer.errors import KpviewerError, WeightsError
from kpviewer.exporting import export as exporting
from kpviewer.exporting.export import export
from kpviewer.exporting.formats import write_onnx, write_torchscript
from kpviewer.exporting.options import ExportOptions, Format
from kpviewer.exporting.parity import Limits
from kpviewer.models.base import Detector
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.grid import STRIP_SPEC
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC
from kpviewer.models.spec import ModelSpec, Resize, Task
from kpviewer.runtime.model import Model
from kpviewer.runtime.torch.int8 import observed_ranges
from kpviewer.structures import NmsKind

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

HW = (64, 96)
POINTS = ("left_tip", "right_tip", "root")


def spec_of(architecture: str, task: Task, classes: tuple[str, ...], **values) -> ModelSpec:
    fixed = {"input_hw": HW, "stride": None, "resize": Resize.LETTERBOX, "padding": (9, 99, 199)}
    return ModelSpec(architecture, architecture, task, classes, **{**fixed, **values})


SPECS = {
    "ssd": replace(
        FACE_SPEC, input_hw=HW, stride=None, resize=Resize.LETTERBOX, padding=(124, 116, 104)
    ),
    "cards": spec_of("light-ssd", Task.DETECT, ("nine", "ace", "king")),
    "grid": replace(STRIP_SPEC, input_hw=HW, stride=None, padding=(124, 116, 104)),
    "points": spec_of(
        "heatmap-light",
        Task.KEYPOINTS,
        ("leaf",),
        keypoint_names=POINTS,
        mirrored_keypoints=(1, 0, 2),
        skeleton=((0, 2), (1, 2)),
        tta_runs=3,
    ),
    "single": spec_of("single-object-light", Task.DETECT, ("cat", "dog"), resize=Resize.STRETCH),
    "yolo": spec_of("yolov3-light", Task.DETECT, ("nine", "ace", "king")),
    "labels": spec_of("multilabel-light", Task.CLASSIFY, ("rain", "snow", "fog")),
}


def images() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    small = rng.integers(0, 256, (2, 6, 7, 3), np.uint8)
    return [np.ascontiguousarray(each.repeat(12, 0).repeat(14, 1)) for each in small]


def detector_of(name: str) -> Detector:
    """Return a detector of random weights whose scores are spread."""
    torch.manual_seed(2)
    detector = ARCHITECTURES[SPECS[name].architecture](SPECS[name])
    with torch.no_grad():
        for key, value in detector.network.named_parameters():
            if key.startswith(("heads", "classes", "heat.")) and value.ndim > 1:
                value.normal_(std=0.1)
    detector.network.eval()
    with torch.no_grad():
        scores = detector.decode(detector.network(torch.rand(1, 3, *HW)), HW).scores
    level = float(scores[scores > 0.001].quantile(0.8))
    detector.spec = replace(detector.spec, score_threshold=min(0.5, level))
    return detector


def loaded(path: Path) -> Model:
    return kpviewer.load(path, device="cpu", backend="onnxruntime")


Exported = Callable[[str, bool], tuple[Detector, Path]]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Return a function that returns a detector and its file, which is written once."""

    @cache
    def of(name: str, nms: bool) -> tuple[Detector, Path]:
        detector, path = detector_of(name), tmp_path_factory.mktemp(name) / "m.onnx"
        export(detector, path, ExportOptions(nms=nms), images())
        return detector, path

    return of


@pytest.mark.parametrize(
    ("name", "nms"),
    [*((name, False) for name in SPECS), *((name, True) for name in SPECS if name != "labels")],
)  # class scores have no NMS
def test_a_file_detects_the_same_as_torch(exported, name, nms):
    detector, path = exported(name, nms)
    given = loaded(path)
    original = Model(detector, "cpu", "fp32", "torch")
    for image in images():
        expected, found = original(image), given(image)
        assert len(expected) == len(found) > 0
        apart = np.abs(expected.xyxy[:, None] - found.xyxy).max(-1)
        apart += 1e6 * (expected.class_ids[:, None] != found.class_ids)  # equal scores may swap
        nearest = apart.argmin(1)
        assert apart.min(1).max() < 0.5
        assert expected.scores == pytest.approx(found.scores[nearest], abs=0.01)
        assert expected.keypoints_xy == pytest.approx(found.keypoints_xy[nearest], abs=0.5)


@pytest.mark.parametrize("name", SPECS)
def test_the_description_comes_back(exported, name):
    detector, path = exported(name, False)
    spec = loaded(path).spec
    is_points = name == "points"
    normalised = replace(
        detector.spec,
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        architecture="onnx" if is_points else detector.spec.architecture,
    )
    assert spec == normalised


def test_the_original_description_is_in_the_file(tmp_path):
    detector = detector_of("ssd")
    detector.spec = replace(detector.spec, resize=Resize.AREA, stride=32)
    export(detector, tmp_path / "m.onnx", ExportOptions(input_hw=(96, 96)), images())
    assert ModelSpec.from_json(metadata(tmp_path / "m.onnx")["kpviewer"]) == detector.spec
    opened = loaded(tmp_path / "m.onnx").spec
    assert (opened.resize, opened.stride, opened.input_hw) == (Resize.LETTERBOX, None, (96, 96))


def metadata(path: Path) -> dict[str, str]:
    return {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}


def test_other_programs_find_ultralytics_entries(exported):
    _, path = exported("points", True)
    entries = metadata(path)
    assert entries["task"] == "pose"
    assert ast.literal_eval(entries["names"]) == {0: "leaf"}
    assert ast.literal_eval(entries["imgsz"]) == [64, 96]
    assert entries["stride"] == "32"
    assert ast.literal_eval(entries["kpt_shape"]) == [3, 2]
    assert ast.literal_eval(entries["kpt_names"]) == {0: list(POINTS)}
    assert ast.literal_eval(entries["args"])["nms"] is True
    (output,) = onnx.load(str(path)).graph.output
    assert output.name == "output0"


@pytest.mark.parametrize("nms", [False, True])
def test_a_reader_of_ultralytics_exports_finds_the_same(exported, tmp_path, nms):
    detector, path = exported("ssd", nms)
    model = onnx.load(str(path))
    kept = {k: v for k, v in metadata(path).items() if not k.startswith("kpviewer")}
    onnx.helper.set_model_props(model, kept)
    onnx.save(model, str(tmp_path / "theirs.onnx"))
    image = np.ascontiguousarray(images()[0][:64, :96])  # of the input's size: no padding
    settings = {"score": detector.spec.score_threshold, "iou": 0.45}
    expected = Model(detector, "cpu", "fp32", "torch")(image, **settings)
    found = loaded(tmp_path / "theirs.onnx")(image, **settings)
    assert expected.xyxy == pytest.approx(found.xyxy, abs=0.5)
    assert expected.keypoints_xy == pytest.approx(found.keypoints_xy, abs=0.5)


def test_half_stores_weights_in_half_precision(exported, tmp_path):
    detector, path = exported("cards", False)
    report = export(detector, tmp_path / "half.onnx", ExportOptions(half=True), images())
    ratio = (tmp_path / "half.onnx").stat().st_size / path.stat().st_size
    assert ratio < 0.65
    assert report.size_bytes == (tmp_path / "half.onnx").stat().st_size
    assert report.parity.score < 0.01


def test_int8_stores_weights_as_bytes(tmp_path):
    detector = detector_of("cards")
    with pytest.raises(KpviewerError, match="kpviewer calibrate"):
        export(detector, tmp_path / "m.onnx", ExportOptions(int8=True), images())
    ranges = observed_ranges(detector, images())
    rows = tuple((name, *limits) for name, limits in ranges.items())
    detector.spec = replace(detector.spec, activation_ranges=rows)
    exporting_any = replace(exporting.INT8, score=1.0, unmatched=1.0, shift_px=1e3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "INT8", exporting_any)  # random weights suffer more
        export(detector, tmp_path / "m.onnx", ExportOptions(int8=True), images())
    graph = onnx.load(str(tmp_path / "m.onnx")).graph
    assert sum(each.data_type == onnx.TensorProto.INT8 for each in graph.initializer) >= len(rows)
    assert any(node.op_type == "QuantizeLinear" for node in graph.node)


def test_openvino_is_a_folder_of_three_files(tmp_path):
    pytest.importorskip("openvino")
    out = tmp_path / "m_openvino_model"
    options = ExportOptions(Format.OPENVINO, nms=True)
    report = export(detector_of("cards"), out, options, images())
    assert sorted(file.name for file in out.iterdir()) == ["m.bin", "m.xml", "metadata.yaml"]
    assert report.parity.box_px < 0.5 and report.parity.detections > 0
    entries = yaml.safe_load((out / "metadata.yaml").read_text())
    assert entries["names"] == {0: "nine", 1: "ace", 2: "king"}
    opened = kpviewer.load(out / "m.xml", device="cpu", precision="fp32")
    assert opened.spec.class_names == ("nine", "ace", "king")


def test_torchscript_has_its_metadata_beside_the_code(tmp_path):
    out = tmp_path / "m.torchscript"
    report = export(detector_of("cards"), out, ExportOptions(Format.TORCHSCRIPT), images())
    assert report.parity.score < 0.01
    files = {"config.txt": ""}
    with pytest.warns(FutureWarning):
        torch.jit.load(str(out), _extra_files=files)
    assert json.loads(files["config.txt"])["task"] == "detect"


def test_a_file_that_differs_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "EXACT", Limits(0.5, 0.0, -1.0, 0.0))
    with pytest.raises(KpviewerError, match="doesn't detect the same as torch"):
        export(detector_of("cards"), tmp_path / "m.onnx", ExportOptions(), images())
    assert list(tmp_path.iterdir()) == []


def test_a_model_below_its_threshold_that_differs_is_to_be_trained_further(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "EXACT", Limits(0.5, 0.0, -1.0, 0.0))
    detector = detector_of("cards")
    detector.spec = replace(detector.spec, score_threshold=1.0)
    with pytest.raises(KpviewerError, match="No score reaches the model's threshold"):
        export(detector, tmp_path / "m.onnx", ExportOptions(), images())


@pytest.mark.parametrize(
    ("options", "name", "message"),
    [
        (ExportOptions(), "m.pt", "must be named .onnx"),
        (ExportOptions(), "gone/m.onnx", "no such folder"),
        (ExportOptions(Format.OPENVINO), "m.xml", "Name a folder: --out m_openvino_model"),
        (ExportOptions(Format.TORCHSCRIPT, half=True), "m.torchscript", "are for onnx"),
        (ExportOptions(half=True, int8=True), "m.onnx", "Choose one"),
        (ExportOptions(input_hw=(32, 32)), "m.onnx", "64x96 px only"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, options, name, message):
    with pytest.raises(KpviewerError, match=message):
        export(detector_of("cards"), tmp_path / name, options, images())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
def test_a_full_disk_is_not_blamed_on_the_network():
    graph = torch.nn.Conv2d(3, 1, 1)
    for write in (write_onnx, write_torchscript):
        with pytest.raises(OSError, match="No space left"):
            write(graph, torch.zeros(1, 3, 8, 8), Path("/dev/full"), {})


def test_nms_that_graphs_lack_is_refused(tmp_path):
    detector = detector_of("cards")
    detector.spec = replace(detector.spec, nms=NmsKind.SOFT_LINEAR)
    with pytest.raises(KpviewerError, match="hard NMS"):
        export(detector, tmp_path / "m.onnx", ExportOptions(nms=True), images())


def test_a_file_of_another_library_is_refused(exported, tmp_path):
    opened = loaded(exported("cards", False)[1]).detector
    with pytest.raises(KpviewerError, match="Use the file itself"):
        export(opened, tmp_path / "again.onnx", ExportOptions(), images())


def test_a_description_that_lies_is_refused(exported, tmp_path):
    _, path = exported("cards", False)
    model, entries = onnx.load(str(path)), metadata(path)
    path = tmp_path / "m.onnx"
    lies = [
        {"kpviewer": "[" * 100_000},
        {"kpviewer": "{}"},
        {"kpviewer": entries["kpviewer"].replace('"nine"', "9")},
        {"kpviewer": entries["kpviewer"].replace('"nine", ', "")},  # a class less
        {"kpviewer_output": "pickle"},
        {"kpviewer_output": "classes"},
        {"kpviewer_output": "boxes"},
    ]
    for lie in lies:
        onnx.helper.set_model_props(model, {**entries, **lie})
        onnx.save(model, str(path))
        with pytest.raises(WeightsError):
            kpviewer.load(path)


def test_a_model_that_finds_nothing_cannot_be_compared(tmp_path):
    detector = detector_of("grid")
    with torch.no_grad():
        detector.network.classes.bias[0] = 1e6
    with pytest.raises(KpviewerError, match="--data SPEC"):
        export(detector, tmp_path / "m.onnx", ExportOptions(), images())
    assert list(tmp_path.iterdir()) == []


def test_two_exports_to_one_file_leave_each_other_alone(monkeypatch, tmp_path):
    path, compare, began = tmp_path / "m.onnx", exporting.compared, []

    def compared_meanwhile(*given):
        if not began:
            began.append(True)
            export(detector_of("cards"), path, ExportOptions(), images())
            assert loaded(path).spec.name == "light-ssd"
        return compare(*given)

    monkeypatch.setattr(exporting, "compared", compared_meanwhile)
    export(detector_of("yolo"), path, ExportOptions(), images())
    assert loaded(path).spec.name == "yolov3-light"
    assert list(tmp_path.iterdir()) == [path]
