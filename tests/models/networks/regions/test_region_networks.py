"""The four compositions on the light backbone: shapes, batches, files, what can't be done."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from torch import nn

from kpviewer.cli.calibrate import command as calibrate
from kpviewer.errors import KpviewerError, PipelineError
from kpviewer.exporting.graph import OutputKind, export_graph
from kpviewer.models.networks.architectures import ARCHITECTURES
from kpviewer.models.networks.dry_run import check_runs, planned
from kpviewer.models.networks.regions import proposals
from kpviewer.models.networks.regions.architectures import REGION_SPEC, SYSTEMS, build_regions
from kpviewer.models.networks.regions.detector import RegionDetector
from kpviewer.models.weights import load_model, save_weights
from kpviewer.runtime.executor import Executor
from kpviewer.runtime.summary import summarise


@pytest.fixture(autouse=True)
def search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace selective search, which takes a second, by three boxes; a blank image has none."""

    def three_boxes(rgb: np.ndarray) -> np.ndarray:
        boxes = np.array([[0, 0, 40, 50], [10, 20, 60, 60], [30, 0, 60, 30]], np.float32)
        return boxes if np.ptp(rgb, (0, 1)).any() else boxes[:0]

    monkeypatch.setattr(proposals, "selective_search", three_boxes)


@pytest.fixture(params=SYSTEMS)
def detector(request: pytest.FixtureRequest) -> RegionDetector:
    torch.manual_seed(0)
    name = f"{request.param}-light"
    spec = replace(REGION_SPEC, name=name, architecture=name, class_names=("red", "blue"))
    built = ARCHITECTURES[name](spec)
    assert isinstance(built, RegionDetector)
    built.network.eval()
    return built


def test_a_batch_has_the_candidates_of_single_images_inside_the_input(detector):
    images = torch.randn(2, 3, 64, 96)
    with torch.inference_mode():
        together = detector.decode(detector.network(images), (64, 96))
        for row in range(2):
            alone = detector.decode(detector.network(images[row : row + 1]), (64, 96))
            torch.testing.assert_close(together.scores[row], alone.scores[0], rtol=0, atol=1e-4)
    assert together.xyxy.shape == (2, 400, 4)
    assert (together.xyxy >= 0).all()
    assert (together.xyxy <= torch.tensor([96.0, 64, 96, 64])).all()
    best = together.scores.amax(-1)
    assert best.max() > 0
    assert (best[:, :-1] >= best[:, 1:]).all()


def test_an_image_without_proposals_has_no_detections():
    for system in ("rcnn", "fast-rcnn"):
        detector = build_regions(REGION_SPEC, system, "light")
        detector.network.eval()
        with torch.inference_mode():
            found = detector.decode(detector.network(torch.zeros(1, 3, 64, 64)), (64, 64))
        assert not found.scores.any()


def test_a_file_brings_back_the_same_detector(detector, tmp_path):
    if hasattr(detector.network.proposals, "anchor_generator"):
        detector.network.proposals.anchor_generator.sides_px.copy_(torch.tensor([8.0, 16.0, 32.0]))
    save_weights(detector, tmp_path / "model.safetensors")
    loaded = load_model(tmp_path / "model.safetensors")
    assert loaded.spec == detector.spec
    images = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        first, second = (
            each.decode(each.network(images), (64, 64)).xyxy[0, :20] for each in (detector, loaded)
        )
    torch.testing.assert_close(first, second, rtol=0, atol=0.5)  # the file has half precision


def test_the_backbone_is_shared_by_all_but_r_cnn(detector):
    shapes: list[tuple[int, ...]] = []
    detector.network.backbone.register_forward_pre_hook(
        lambda _, given: shapes.append(tuple(given[0].shape))
    )
    with torch.inference_mode():
        detector.network(torch.randn(1, 3, 64, 64))
    is_first = detector.spec.architecture == "rcnn-light"
    assert shapes == [(3, 3, 112, 112) if is_first else (1, 3, 64, 64)]


def test_a_dry_run_computes_the_backbone_once_for_each_size():
    plan = planned(ARCHITECTURES["rcnn-light"], replace(REGION_SPEC, architecture="rcnn-light"))
    calls: list[torch.Size] = []
    plan.network.backbone.register_forward_hook(lambda *values: calls.append(values[2].shape))
    check_runs(plan)
    assert [shape[0] for shape in calls] == [2000] * 3


def test_the_executor_runs_it_in_torch(detector):
    bgr = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    candidates, _ = Executor(detector, "cpu", "fp32").infer(bgr)
    assert len(candidates) and (candidates.scores.max(1) > 0).all()


def test_no_graph_can_be_made_of_it(detector):
    for backend, precision in (("openvino", "auto"), ("auto", "int8")):
        with pytest.raises(PipelineError, match="Use --backend torch"):
            Executor(detector, "cpu", precision, backend)
    with pytest.raises(KpviewerError, match=r"^[a-z-]+ can't be exported: the number of its RoIs"):
        export_graph(detector, OutputKind.BOXES, (64, 64), None)


@pytest.mark.parametrize("detector", ["faster-rcnn"], indirect=True)  # all refuse alike
def test_calibration_is_refused(detector, tmp_path):
    save_weights(detector, tmp_path / "model.safetensors")
    arguments = [
        str(tmp_path / "model.safetensors"),
        "--data",
        "demo",
        "--out",
        str(tmp_path / "x.safetensors"),
    ]
    result = CliRunner().invoke(calibrate, arguments)
    assert "runs in torch only, which has no int8" in str(result.exception)


def test_a_summary_lists_its_layers(detector):
    summary = summarise(detector.network, (64, 64))
    names = {layer.name for layer in summary.layers}
    assert any(name.startswith("head") for name in names)
    assert summary.parameters == sum(each.numel() for each in detector.network.parameters())


@pytest.mark.parametrize(
    ("backbone", "channels"), [("light", 64), ("mobilenet", 48), ("resnet18", 256), ("vgg16", 512)]
)
def test_every_backbone_ends_at_stride_16(backbone, channels):
    network = build_regions(REGION_SPEC, "faster-rcnn", backbone).network.eval()
    with torch.inference_mode():
        assert network.backbone(torch.zeros(1, 3, 64, 96)).shape == (1, channels, 4, 6)


def test_backbones_have_torchvisions_names_so_that_its_files_fit():
    from torchvision.models import get_model  # noqa: PLC0415 - takes seconds

    for kind, prefix in (("vgg16", "features."), ("resnet18", ""), ("mobilenet", "features.")):
        name = "mobilenet_v3_small" if kind == "mobilenet" else kind
        with torch.device("meta"):
            whole = get_model(name, weights=None).state_dict()
        backbone: nn.Module = build_regions(REGION_SPEC, "faster-rcnn", kind).network.backbone
        for own, value in backbone.state_dict().items():
            assert whole[prefix + own].shape == value.shape
