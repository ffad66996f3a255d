"""Rounded convolutions in a graph that OpenVINO read, against rounding by hand."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from kpviewer.models.libraries.inference import has_openvino
from kpviewer.models.onnx.openvino.graph import Changes
from kpviewer.models.onnx.openvino.pixels import PixelInput
from kpviewer.models.onnx.openvino.session import OpenVinoSession

pytestmark = pytest.mark.skipif(not has_openvino(), reason="needs OpenVINO")


def conv_file(path: Path) -> Path:
    """Write a 1x1 convolution of three channels to one: weights 1, 0.4 and -0.3."""
    weight = np.array([1, 0.4, -0.3], np.float32).reshape(1, 3, 1, 1)
    image, one = (1, 3, "h", "w"), (1, 1, "h", "w")
    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["images", "network.first.weight"], ["sum"]),
            helper.make_node("Neg", ["images"], ["negative"]),
        ],
        "conv",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, image)],
        [
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, one),
            helper.make_tensor_value_info("negative", TensorProto.FLOAT, image),
        ],
        [numpy_helper.from_array(weight, "network.first.weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))
    return path


def run(session: OpenVinoSession) -> float:
    values = np.array([3.4, 100.7, 300.0], np.float32).reshape(1, 3, 1, 1)
    return float(session.run({"images": values})["sum"].item())


def test_inputs_and_weights_are_rounded_to_steps(tmp_path):
    path = conv_file(tmp_path / "conv.onnx")
    ranges = {"first": (0.0, 255.0)}
    session = OpenVinoSession(path, precision="int8", changes=Changes(ranges=ranges))
    # inputs 3, 101 and 255, in steps of 1; weights in steps of 1/127: 127, 51 and -38 of them
    expected = (3 * 127 + 101 * 51 - 255 * 38) / 127
    assert run(session) == pytest.approx(expected, abs=1e-3)
    exact = 3.4 + 0.4 * 100.7 - 0.3 * 300
    assert run(OpenVinoSession(path)) == pytest.approx(exact, abs=1e-3)
    assert abs(expected - exact) > 10, "300 is out of range"


def test_other_convolutions_stay_as_they_are(tmp_path):
    path = conv_file(tmp_path / "conv.onnx")
    session = OpenVinoSession(
        path, precision="int8", changes=Changes(ranges={"second": (0.0, 255.0)})
    )
    assert run(session) == pytest.approx(run(OpenVinoSession(path)))


@pytest.mark.parametrize("is_bgr", [False, True])
def test_pixels_give_what_normalised_planes_give(tmp_path, is_bgr):
    path, ranges = conv_file(tmp_path / "conv.onnx"), {"first": (-2.0, 3.0)}
    mean, std = (0.1, 0.4, 0.6), (0.2, 0.3, 0.25)
    rows = np.random.default_rng(0).integers(0, 256, (1, 4, 6, 3)).astype(np.uint8)
    planes = ((rows / 255 - mean) / std).transpose(0, 3, 1, 2).astype(np.float32)
    split = []
    pixels = PixelInput(
        "images",
        mean,
        std,
        is_bgr,
        lambda each: split.append(1) or each.transpose(0, 3, 1, 2).copy(),
    )
    plain = OpenVinoSession(path, precision="int8", changes=Changes(ranges=ranges))
    expected = plain.run({"images": planes[:, ::-1].copy() if is_bgr else planes})
    found = OpenVinoSession(path, "CPU", "int8", Changes(pixels, ranges)).run({"images": rows})
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=0.02)  # a step of the input
    assert bool(split) is not is_bgr
