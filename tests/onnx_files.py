"""Tiny ONNX files with known outputs."""

from pathlib import Path

import numpy as np
import pytest

onnx = pytest.importorskip("onnx")

HW = (64, 96)


def constant_model(path: Path, outputs: dict[str, np.ndarray], hw=HW, **metadata: str) -> Path:
    """Write a model with constant outputs and an output of the image's mean colours."""
    helper = onnx.helper
    image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, *hw])
    nodes, infos = [], []
    for name, value in outputs.items():
        tensor = onnx.numpy_helper.from_array(value.astype(np.float32))
        nodes.append(helper.make_node("Constant", [], [name], value=tensor))
        infos.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, value.shape))
    nodes.append(helper.make_node("ReduceMean", ["image"], ["colours"], axes=[2, 3]))
    infos.append(helper.make_tensor_value_info("colours", onnx.TensorProto.FLOAT, [1, 3, 1, 1]))
    model = helper.make_model(
        helper.make_graph(nodes, "constant", [image], infos),
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
    )
    helper.set_model_props(model, metadata)
    onnx.save(model, str(path))
    return path


def graph_model(
    path: Path,
    inputs: dict[str, tuple[str, list[int | str]]],
    outputs: dict[str, np.ndarray],
    shapes: dict[str, list[int | str]] | None = None,
    **metadata: str,
) -> Path:
    """Write a model with constant outputs of their own types.

    Args:
        path: path of the file.
        inputs: type, by its name in NumPy, and shape of each input.
        outputs: value of each output.
        shapes: shapes that the file claims, where they aren't those of the values.
        metadata: entries of the file.
    """
    helper = onnx.helper

    def info(name: str, dtype: str, shape: list[int | str]):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return helper.make_tensor_value_info(name, kind, shape)

    tensors = {name: onnx.numpy_helper.from_array(value) for name, value in outputs.items()}
    graph = helper.make_graph(
        [helper.make_node("Constant", [], [name], value=each) for name, each in tensors.items()],
        "constants",
        [info(name, *each) for name, each in inputs.items()],
        [
            info(name, str(value.dtype), (shapes or {}).get(name, list(value.shape)))
            for name, value in outputs.items()
        ],
    )
    opsets = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    helper.set_model_props(model, metadata)
    onnx.save(model, str(path))
    return path


def ambiguous_model(path: Path) -> Path:
    """Write a YOLOX export for inputs of ``HW``, which doesn't say whether its boxes are decoded.

    Read as decoded, it has one box: (38, 22) to (58, 42), class 1, score 0.9 * 0.8.
    """
    cells = sum((HW[0] // stride) * (HW[1] // stride) for stride in (8, 16, 32))
    rows = np.zeros((1, cells, 7), np.float32)
    rows[0, 0] = (48, 32, 20, 20, 0.9, 0, 0.8)
    return graph_model(path, {"images": ("float32", [1, 3, *HW])}, {"output": rows})


def pose_file(path: Path, count: int = 17, peak: float = 0.8, shape=None) -> Path:
    """Write a model that puts all keypoints at (48, 64) of a crop of 192x256."""
    x, y = np.zeros((1, count, 384), "f4"), np.zeros((1, count, 512), "f4")
    x[..., 96], y[..., 128] = peak, peak + 0.1
    shapes = {"simcc_x": shape, "simcc_y": shape} if shape else None
    inputs = {"input": ("float32", ["batch", 3, 256, 192])}
    return graph_model(path, inputs, {"simcc_x": x, "simcc_y": y}, shapes)


def boxes_file(path: Path, names: str) -> Path:
    """Write a detector of three boxes in an input of ``HW``: two of class 0, one of class 1."""
    rows = np.array([[[8, 8, 40, 40, 0.9, 0], [9, 8, 40, 40, 0.6, 0], [50, 4, 90, 60, 0.8, 1]]])
    meta = {"task": "detect", "names": names, "end2end": "True", "imgsz": "[64, 96]"}
    return graph_model(
        path, {"images": ("float32", [1, 3, *HW])}, {"output0": rows.astype("f4")}, **meta
    )
