"""OpenVINO's own files open like ONNX files, by their metadata or a description."""

from pathlib import Path

import numpy as np
import pytest
from onnx_files import constant_model, onnx

from kpviewer.errors import WeightsError
from kpviewer.models.libraries.inference import has_openvino, library, openvino_core
from kpviewer.models.loading import open_model
from kpviewer.models.onnx.openvino.session import OpenVinoSession
from kpviewer.runtime.executor import Executor

pytestmark = pytest.mark.skipif(not has_openvino(), reason="OpenVINO isn't installed")
ROWS = np.array([[[40, 25, 60, 35, 0.6, 1], [0, 0, 1, 1, 0.0, 0]]])
METADATA = {"task": "detect", "names": "{0: 'crow', 1: 'gull'}", "imgsz": "[64, 96]",
            "stride": "32", "end2end": "True"}  # fmt: skip
YAML = """task: detect
names:
  0: crow
  1: gull
imgsz: [64, 96]
stride: 32
end2end: true
args: {nms: false}
"""


def converted(tmp_path: Path, **metadata: str) -> Path:
    """Write NAME.xml and NAME.bin in a folder; return the .xml."""
    source = constant_model(tmp_path / "birds.onnx", {"output0": ROWS}, **metadata)
    folder = tmp_path / "birds_openvino_model"
    folder.mkdir()
    library("openvino").save_model(openvino_core().read_model(str(source)), folder / "birds.xml")
    source.unlink()
    return folder / "birds.xml"


@pytest.mark.parametrize("named", ["file", "folder"])
@pytest.mark.parametrize("kept_in", ["xml", "yaml"])
def test_the_metadata_say_what_the_outputs_mean(tmp_path, named, kept_in):
    path = converted(tmp_path, **(METADATA if kept_in == "xml" else {}))
    if kept_in == "yaml":
        (path.parent / "metadata.yaml").write_text(YAML)
    detector = open_model(path if named == "file" else path.parent)
    assert detector.spec.class_names == ("crow", "gull")
    assert detector.spec.input_hw == (64, 96)
    executor = Executor(detector, "cpu")
    executor.warm_up((64, 96))
    candidates, _ = executor.infer(np.zeros((64, 96, 3), np.uint8))
    assert candidates.xyxy[0].tolist() == [40, 25, 60, 35]
    assert candidates.scores[0].tolist() == pytest.approx([0, 0.6], abs=1e-3)
    assert executor.backend == "openvino"


def test_a_yolo_without_its_metadata_yaml_has_the_names_of_its_xml(tmp_path):
    columns = np.zeros((1, 4 + 2, 126), np.float32)  # a column per cell of 64x96 px
    columns[0, :, 0] = [50, 30, 20, 10, 0.1, 0.6]
    source = constant_model(tmp_path / "birds.onnx", {"output0": columns})
    model = openvino_core().read_model(str(source))
    entries = {"model_type": "YOLO", "labels": ["crow", "great_tit"], "iou_threshold": 0.7}
    for key, value in entries.items():  # as Ultralytics' engine/exporter.py does
        model.set_rt_info(value, ["model_info", key])
    library("openvino").save_model(model, tmp_path / "birds.xml")
    detector = open_model(tmp_path / "birds.xml")
    assert detector.spec.class_names == ("crow", "great_tit")
    assert (detector.spec.iou_threshold, detector.spec.padding) == (0.7, (114, 114, 114))
    assert detector.spec.notes == ()


def test_branches_are_refused_with_the_file_to_open_instead(tmp_path):
    source = constant_model(tmp_path / "birds.onnx", {"output0": ROWS}, **METADATA)
    model, helper = onnx.load(source), onnx.helper
    (rows,) = (each for each in model.graph.node if each.output[0] == "output0")
    rows.output[0] = "rows"
    parts = []
    for name in ("then", "else"):
        info = helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ROWS.shape)
        node = helper.make_node("Neg" if name == "then" else "Identity", ["rows"], [name])
        parts.append(helper.make_graph([node], name, [], [info]))
    nodes = model.graph.node
    nodes.append(helper.make_node("ReduceMax", ["image"], ["most"], keepdims=0))
    nodes.append(helper.make_node("Cast", ["most"], ["is_lit"], to=onnx.TensorProto.BOOL))
    branches = {"then_branch": parts[0], "else_branch": parts[1]}
    nodes.append(helper.make_node("If", ["is_lit"], ["output0"], **branches))
    onnx.save(model, source)
    path = tmp_path / "converted.xml"
    library("openvino").save_model(openvino_core().read_model(str(source)), path)
    with pytest.raises(WeightsError, match=r"branches.* Open the ONNX file that it was made from"):
        open_model(path)
    executor = Executor(open_model(source), "cpu", "fp32", "openvino")
    with pytest.raises(WeightsError, match=r"branches.* Use --backend auto"):
        executor.warm_up((64, 96))


def test_a_file_that_was_replaced_is_not_read_for_the_one_opened(tmp_path):
    path = converted(tmp_path, **METADATA)
    executor = Executor(open_model(path), "cpu", "fp32", "openvino")
    text = path.read_text().replace("crow", "raven")
    path.write_text(text)
    with pytest.raises(WeightsError, match="xml has changed since it was opened"):
        executor.infer(np.zeros((64, 96, 3), np.uint8))
    again = Executor(open_model(path), "cpu", "fp32", "openvino")
    assert again.infer(np.zeros((64, 96, 3), np.uint8))[0].scores.shape == (1, 2)


def test_bfloat16_at_the_ends_of_a_graph_is_float32(tmp_path):
    openvino, operators = library("openvino"), library("openvino").opset13
    given = operators.parameter([1, 3, 4, 4], openvino.Type.bf16, name="x")
    two = operators.convert(operators.constant(np.float32([2])), "bf16")
    model = openvino.Model([operators.result(operators.multiply(given, two))], [given])
    openvino.save_model(model, tmp_path / "bf16.xml", compress_to_fp16=False)
    session = OpenVinoSession(tmp_path / "bf16.xml")
    (port,) = session.facts.inputs
    assert port.element == "float32"
    (value,) = session.run({port.name: np.full((1, 3, 4, 4), 0.75, np.float32)}).values()
    assert value.dtype == np.float32 and np.unique(value).tolist() == [1.5]


def test_a_description_lies_beside_the_file(tmp_path):
    path = converted(tmp_path)
    path.with_suffix(".toml").write_text('classes = ["a", "b"]\n[output]\nkind = "boxes"\n')
    assert open_model(path).spec.class_names == ("a", "b")


@pytest.mark.parametrize(
    "text",
    ["names: [", "- a", "a: &a [x]\nb: [*a, *a]\n", "x: " + "y" * 1_000_000, "\x00"],
)
def test_metadata_that_can_not_be_read_are_refused_in_a_line(tmp_path, text):
    path = converted(tmp_path)
    (path.parent / "metadata.yaml").write_text(text)
    with pytest.raises(WeightsError, match=r"metadata\.yaml can't be used"):
        open_model(path)


def test_an_xml_of_something_else_is_refused(tmp_path):
    path = tmp_path / "annotation.xml"
    path.write_text("<annotation><object/></annotation>")
    with pytest.raises(WeightsError, match=r"annotation\.xml can't be opened"):
        open_model(path)


def test_without_openvino_the_message_says_how_to_install_it(tmp_path, monkeypatch):
    from kpviewer.models.onnx.openvino import graph  # noqa: PLC0415

    def missing() -> None:
        raise ImportError("no openvino")

    path = converted(tmp_path)
    monkeypatch.setattr(graph, "openvino_core", missing)
    with pytest.raises(WeightsError, match=r"birds\.xml needs OpenVINO: pip install openvino"):
        open_model(path)


def test_the_network_runs_outside_an_executor(tmp_path):
    detector = open_model(converted(tmp_path, **METADATA))
    decoded = detector.decode(detector.network(np.zeros((1, 3, 64, 96), np.float32)), (64, 96))
    assert decoded.xyxy[0, 0].tolist() == [40, 25, 60, 35]


def test_missing_weights_are_named(tmp_path):
    path = converted(tmp_path, **METADATA)
    path.with_suffix(".bin").unlink()
    with pytest.raises(WeightsError, match=r"needs the weights .* birds\.bin, beside it"):
        open_model(path)


def test_a_damaged_file_is_reported_with_the_reason_and_not_openvinos_source(tmp_path):
    (tmp_path / "birds.xml").write_text("<net><layers/></net>")
    with pytest.raises(WeightsError, match="can't be opened: Unable to read") as caught:
        open_model(str(tmp_path / "birds.xml"))
    assert "core.cpp" not in str(caught.value)
