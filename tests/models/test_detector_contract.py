"""Contract of every detector, on random weights: shapes, order, batch equals single."""

import pytest
import torch

from kpviewer.models.base import Detector
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.darknet.architectures import TINY_SPEC
from kpviewer.models.networks.ssd.face_ssd import FACE_SPEC
from kpviewer.models.networks.ssd.light_ssd import LIGHT_SPEC
from kpviewer.models.networks.yolov3.light import LIGHT_YOLO_SPEC

SPECS = {
    "face-ssd": FACE_SPEC,
    "light-ssd": LIGHT_SPEC,
    "yolov3-light": LIGHT_YOLO_SPEC,
    "yolov3-tiny": TINY_SPEC,
}
"""Input size, px, of the detectors that take any size."""


@pytest.fixture(params=sorted(SPECS))
def detector(request: pytest.FixtureRequest) -> Detector:
    torch.manual_seed(0)
    built = ARCHITECTURES[request.param](SPECS[request.param])
    for module in built.network.modules():  # statistics of a network that has seen data
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    built.network.eval()
    return built


def test_candidates_have_the_specified_shapes_and_are_inside_the_input(detector):
    spec = detector.spec
    for hw in ((320, 320), (192, 320), (320, 256)):
        with torch.inference_mode():
            decoded = detector.decode(detector.network(torch.randn(2, 3, *hw)), hw)
        rows = decoded.xyxy.shape[1]
        assert rows <= 400
        assert decoded.xyxy.shape == (2, rows, 4)
        assert decoded.scores.shape == (2, rows, len(spec.class_names))
        assert decoded.keypoints_xy.shape == (2, rows, len(spec.keypoint_names), 2)
        assert (decoded.xyxy >= 0).all()
        assert (decoded.xyxy <= torch.tensor([hw[1], hw[0], hw[1], hw[0]])).all()
        best = decoded.scores.amax(-1)
        assert (best[:, :-1] >= best[:, 1:]).all()
        assert ((decoded.scores >= 0) & (decoded.scores <= 1)).all()


def test_a_batch_has_the_candidates_of_single_images(detector):
    images = torch.randn(3, 3, 128, 192)
    with torch.inference_mode():
        together = detector.decode(detector.network(images), (128, 192))
        for row in range(3):
            alone = detector.decode(detector.network(images[row : row + 1]), (128, 192))
            # float32 sums in another order, through some twenty layers
            torch.testing.assert_close(together.scores[row], alone.scores[0], rtol=0, atol=1e-4)


def test_an_untrained_detector_detects_nothing_in_a_blank_image(detector):
    with torch.inference_mode():
        raw = detector.network(torch.zeros(1, 3, 128, 128))
    assert detector.decode(raw, (128, 128)).scores.max() < 0.5
