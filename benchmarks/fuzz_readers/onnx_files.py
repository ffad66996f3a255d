"""ONNX files: their bytes, their metadata, and the TOML beside them."""

from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.fuzz_readers.damage import (
    damaged_bytes,
    damaged_text,
    damaged_value,
    literal_text,
    odd_value,
)
from benchmarks.fuzz_readers.opening import open_run_and_paint
from benchmarks.fuzz_readers.reader import Reader

ULTRALYTICS = {
    "description": "Ultralytics YOLO11n-pose model",
    "task": "pose",
    "names": "{0: 'dog', 1: 'cat'}",
    "imgsz": "[64, 64]",
    "stride": "32",
    "batch": "1",
    "kpt_shape": "[2, 3]",
    "end2end": "False",
    "args": "{'batch': 1, 'half': False, 'dynamic': False, 'nms': False}",
    "license": "AGPL-3.0",
}

ONNX_TOML = """\
name = "birds"
classes = ["crow", "gull"]
keypoints = ["beak", "tail"]
skeleton = [[0, 1]]
input = [64, 64]
stride = 32
resize = "letterbox"
channels = "rgb"
value_range = [0, 1]
mean = [0, 0, 0]
std = [1, 1, 1]
score_threshold = 0.25
iou_threshold = 0.45
licence = "MIT"
trained_on = "birds"

[output]
kind = "yolov8"
rows = "y"
normalised = false
"""


def _write_onnx(path: Path, metadata: dict[str, str], *, is_open: bool) -> Path:
    """Write a model that returns the same two rows for any image: (1, 12, 2)."""
    import numpy as np
    import onnx
    from onnx import helper

    sides: list[Any] = ["h", "w"] if is_open else [64, 64]
    rows = np.zeros((1, 12, 2), np.float32)
    rows[0, :6, 0] = [32, 32, 20, 20, 0.9, 0.1]
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["m"], keepdims=0),
        helper.make_node("Mul", ["m", "zero"], ["z"]),
        helper.make_node("Add", ["rows", "z"], ["y"]),
    ]
    real = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", real, [1, 3, *sides])],
        [helper.make_tensor_value_info("y", real, [1, 12, 2])],
        [
            onnx.numpy_helper.from_array(rows, "rows"),
            onnx.numpy_helper.from_array(np.array(0, np.float32), "zero"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {k: v.encode("utf-8", "replace") for k, v in metadata.items()})
    path.write_bytes(model.SerializeToString())
    return path


def write_onnx_metadata(folder: Path, random: Random) -> Path:
    """Write an ONNX file with Ultralytics metadata that has one wrong entry."""
    metadata = dict(ULTRALYTICS)
    key = random.choice(list(metadata))
    fate = random.random()
    if fate < 0.5:
        metadata[key] = literal_text(odd_value(random))
    elif fate < 0.8:
        metadata[key] = damaged_bytes(metadata[key].encode(), random).decode("utf-8", "replace")
    elif fate < 0.9:
        value = damaged_value(["dog", "cat"], random)
        metadata["names"] = literal_text(
            dict(enumerate(value)) if isinstance(value, list) else value
        )
    else:
        depth = random.choice([100, 5_000, 200_000])
        metadata[key] = random.choice(["-" * depth + "1", "[" * depth, "(" * depth + ")" * depth])
    return _write_onnx(folder / "model.onnx", metadata, is_open=random.random() < 0.5)


def write_onnx_toml(folder: Path, random: Random) -> Path:
    """Write an ONNX file, and beside it a description with one wrong value."""
    import tomllib

    import tomli_w

    text: bytes | None = None
    if random.random() < 0.7:
        with suppress(TypeError, ValueError, RecursionError):
            table = damaged_value(tomllib.loads(ONNX_TOML), random)
            text = tomli_w.dumps(table if isinstance(table, dict) else {"x": table}).encode(
                "utf-8", "surrogatepass"
            )
    if text is None:
        text = damaged_text(ONNX_TOML, random)
    (folder / "model.toml").write_bytes(text)
    return _write_onnx(folder / "model.onnx", {}, is_open=random.random() < 0.5)


def write_onnx_bytes(folder: Path, random: Random) -> Path:
    """Write an ONNX file with damaged bytes."""
    path = _write_onnx(folder / "model.onnx", dict(ULTRALYTICS), is_open=random.random() < 0.5)
    path.write_bytes(damaged_bytes(path.read_bytes(), random))
    return path


READERS = {
    "onnx-metadata": Reader(write_onnx_metadata, open_run_and_paint),
    "onnx-toml": Reader(write_onnx_toml, open_run_and_paint),
    "onnx-bytes": Reader(write_onnx_bytes, open_run_and_paint),
}
