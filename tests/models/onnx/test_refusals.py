"""What is said of files that don't open, and of folders."""

import os
from pathlib import Path

import numpy as np
import pytest

from kpviewer.errors import WeightsError
from kpviewer.models.loading import open_model
from kpviewer.models.onnx.cells import has_feature_maps
from kpviewer.models.onnx.facts import FileFacts, Port
from kpviewer.models.onnx.families.base import AmbiguousLayout
from kpviewer.models.opening.onnx_file import open_onnx

pytest.importorskip("onnxruntime")

from onnx_files import constant_model, graph_model, onnx

ENTRIES = {"task": "detect", "names": "{0: 'cat'}", "imgsz": "[64, 96]"}
RAW = {"output0": np.zeros((1, 5, 9))}


def rewritten(path: Path, **changes: int) -> None:
    model = onnx.load(str(constant_model(path, RAW, **ENTRIES)))
    if "ir_version" in changes:
        model.ir_version = changes["ir_version"]
    else:
        model.opset_import[0].version = changes["opset"]
    onnx.save(model, str(path))


def with_external_data(path: Path) -> None:
    model = onnx.load(str(constant_model(path, RAW, **ENTRIES)))
    where = {"location": "weights.data", "size_threshold": 0, "convert_attribute": True}
    onnx.save(model, str(path), save_as_external_data=True, **where)
    (path.parent / "weights.data").unlink()


def with_weights_at(path: Path, location: str, size: int = 0) -> None:
    """Keep the weights in another file, of ``size`` bytes."""
    with_external_data(path)
    (path.parent / "weights.data").write_bytes(bytes(size))
    model = onnx.load(str(path), load_external_data=False)
    for node in model.graph.node:
        for attribute in node.attribute:
            for entry in attribute.t.external_data:
                entry.value = location if entry.key == "location" else entry.value
    onnx.save(model, str(path))


def with_a_cycle(path: Path) -> None:
    model = onnx.load(str(constant_model(path, RAW, **ENTRIES)))
    model.graph.node.append(onnx.helper.make_node("Add", ["b", "b"], ["a"]))
    model.graph.node.append(onnx.helper.make_node("Add", ["a", "a"], ["b"]))
    onnx.save(model, str(path))


def with_text(path: Path) -> None:
    model = onnx.load(str(constant_model(path, RAW, **ENTRIES)))
    text = onnx.helper.make_tensor("text", onnx.TensorProto.STRING, [1], [b"cat"])
    model.graph.node[0].attribute[0].t.CopyFrom(text)
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.STRING
    del model.graph.output[0].type.tensor_type.shape.dim[1:]
    onnx.save(model, str(path))


def with_plug_in(path: Path) -> None:
    model = onnx.load(str(constant_model(path, RAW, **ENTRIES)))
    model.graph.node[0].domain = "mmdeploy"
    model.graph.node[0].op_type = "MyOp"
    model.opset_import.append(onnx.helper.make_opsetid("mmdeploy", 1))
    onnx.save(model, str(path))


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: rewritten(path, ir_version=99), "pip install --upgrade onnxruntime"),
        (lambda path: rewritten(path, opset=999), "pip install --upgrade onnxruntime"),
        (with_external_data, "keeps its weights in another file, such as a.onnx.data"),
        (lambda path: with_weights_at(path, "weights.data", 8), "beside it, which is cut off"),
        (lambda path: with_weights_at(path, "../weights.data"), "outside of its folder"),
        (lambda path: with_weights_at(path, "/etc/passwd"), "outside of its folder"),
        (with_a_cycle, "opened: This is an invalid model. Error: the graph is not acyclic. Is"),
        (with_text, "must be numbers, got text"),
        (lambda path: path.write_bytes(b""), "isn't an ONNX file, or is cut off"),
        (with_plug_in, "operator mmdeploy:MyOp, which ONNX Runtime lacks"),
        (lambda path: path.write_bytes(b"\x08\x09nothing"), "isn't an ONNX file, or is cut off"),
        (lambda path: path.write_text("version https://git-lfs.github.com/spec/v1\n"), "lfs pull"),
    ],
    ids=[
        "ir",
        "opset",
        "weights",
        "cut",
        "outside",
        "absolute",
        "cycle",
        "text",
        "empty",
        "plug-in",
        "junk",
        "lfs",
    ],
)
def test_the_cure_is_named(tmp_path, write, said):
    path = tmp_path / "a.onnx"
    write(path)
    with pytest.raises(WeightsError, match=said):
        open_model(path)


def test_a_path_that_libraries_cannot_take_is_said(tmp_path):
    folder = tmp_path / os.fsdecode(b"old\xff")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("the file system takes UTF-8 alone")
    with pytest.raises(WeightsError, match=r"isn't valid UTF-8\. Rename"):
        open_model(constant_model(folder / "a.onnx", RAW, **ENTRIES))


def test_the_current_folder_has_a_name_in_messages(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WeightsError, match=r"^\. is a folder without a model"):
        open_model(".")


def test_a_folder_with_one_onnx_opens_and_with_two_asks_for_the_name(tmp_path):
    with pytest.raises(WeightsError, match="is a folder without a model"):
        open_model(tmp_path)
    constant_model(tmp_path / "best.onnx", RAW, **ENTRIES)
    assert open_model(tmp_path).spec.class_names == ("cat",)
    constant_model(tmp_path / "last.onnx", RAW, **ENTRIES)
    with pytest.raises(WeightsError, match=r"2 models: best.onnx, last.onnx. Name one"):
        open_model(tmp_path)


def test_lists_of_a_graph_that_does_not_normalise_are_not_taken_for_torchvision(tmp_path):
    helper, types = onnx.helper, onnx.TensorProto
    values = {"b": np.zeros((1, 4), np.float32), "l": np.ones(1, np.int64),
              "s": np.ones(1, np.float32)}  # fmt: skip
    kinds = {"b": types.FLOAT, "l": types.INT64, "s": types.FLOAT}
    nodes = [helper.make_node("Conv", ["image", "w"], ["c"])]
    nodes += [helper.make_node("Constant", [], [name], value=onnx.numpy_helper.from_array(value))
              for name, value in values.items()]  # fmt: skip
    outputs = [helper.make_tensor_value_info(name, kinds[name], value.shape)
               for name, value in values.items()]  # fmt: skip
    outputs.append(helper.make_tensor_value_info("c", types.FLOAT, [1, 1, 62, 62]))
    image = helper.make_tensor_value_info("image", types.FLOAT, [1, 3, 64, 64])
    weights = onnx.numpy_helper.from_array(np.zeros((1, 3, 3, 3), np.float32), "w")
    graph = helper.make_graph(nodes, "g", [image], outputs, [weights])
    opsets = [helper.make_opsetid("", 13)]
    path = tmp_path / "zoo.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    with pytest.raises(AmbiguousLayout, match="--layout torchvision"):
        open_model(path)


@pytest.mark.parametrize(
    "shapes",
    [
        {f"p{stride}": (1, 67, 64 // stride, 64 // stride) for stride in (8, 16, 32)},  # of RKNN's
        {"heat": (1, 1, 16, 16), "size": (1, 2, 16, 16), "offset": (1, 2, 16, 16)},  # CenterNet
        {  # PicoDet
            f"{part}{stride}": (1, (64 // stride) ** 2, columns)
            for part, columns in (("cls", 10), ("dis", 32))
            for stride in (8, 16, 32, 64)
        },
    ],
)
def test_outputs_without_decoding_are_no_matter_of_a_description(shapes, tmp_path):
    outputs = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
    path = graph_model(tmp_path / "net.onnx", {"x": ("float32", [1, 3, 64, 64])}, outputs)
    with pytest.raises(WeightsError, match=r"feature maps without decoding, such as .*Export it"):
        open_onnx(path)


@pytest.mark.parametrize(
    "shapes",
    [
        {"boxes": (1, 100, 4), "scores": (1, 100, 3), "more": (1, 100, 2)},
        {"boxes": (1, 64, 4), "scores": (1, 64, 3)},  # of one map, which ssd reads
        {"mask": (1, 2, 64, 64)},
    ],
)
def test_other_outputs_can_be_described(shapes):
    facts = FileFacts("net", (Port("x", (1, 3, 64, 64)),), shapes)
    assert not has_feature_maps(facts)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        ("EfficientNMS_TRT", r"plug-in for NMS"),
        ("MultiscaleDeformableAttnPlugin_TRT", r"the operator .*_TRT, which ONNX Runtime lacks"),
    ],
)
def test_only_plug_ins_of_nms_are_called_so(operator, expected, tmp_path):
    path = graph_model(
        tmp_path / "net.onnx", {"x": ("float32", [1, 3, 64, 64])}, {"y": np.zeros((1, 3, 64, 64))}
    )
    model = onnx.load(path)
    model.graph.node[0].CopyFrom(onnx.helper.make_node(operator, ["x"], ["y"], domain="TRT"))
    model.opset_import.append(onnx.helper.make_opsetid("TRT", 1))
    onnx.save(model, path)
    with pytest.raises(WeightsError, match=expected):
        open_onnx(path)
