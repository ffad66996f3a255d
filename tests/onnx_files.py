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
