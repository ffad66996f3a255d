"""SSD300's maps and anchors, by hand and against torchvision; its decoding as a softmax."""

import pytest
import torch

from kpviewer.models.networks.ssd.anchors import aspect_sizes
from kpviewer.models.networks.ssd.detector import SsdDetector, SsdHeads, softmax_log_odds
from kpviewer.models.networks.ssd.ssd300 import CHANNELS, L2Norm, Ssd300Backbone, build_ssd300

CELLS = (38, 19, 10, 5, 3, 1)
PER_CELL = (4, 6, 6, 6, 4, 4)


@pytest.fixture(scope="module")
def plain() -> SsdDetector:
    detector = build_ssd300()
    detector.network.eval()
    return detector


def test_sizes_are_the_sides_and_the_ratios_of_the_first_by_hand():
    sizes = aspect_sizes((30.0, 60.0), (1, 4, 1 / 4))
    assert sizes == ((30.0, 30.0), (60.0, 60.0), (60.0, 15.0), (15.0, 60.0))


def test_there_are_8732_anchors_with_the_sizes_of_their_map(plain):
    boxes = plain.network.anchors((300, 300), torch.device("cpu"))
    assert len(boxes) == 8732
    rows = [cells**2 * count for cells, count in zip(CELLS, PER_CELL, strict=True)]
    first = [part[0] for part in torch.split(boxes, rows)]
    # the first box of each map: a square of the smaller side, in the middle of the first cell
    assert [box[2].item() for box in first] == pytest.approx([30, 60, 111, 162, 213, 264])
    assert [box[0].item() for box in first] == pytest.approx([4, 8, 16, 32, 50, 150])
    last = boxes[-4:]  # one cell: .88 square, .961 square, 2:1 and 1:2 of .88
    assert last[:, 2].tolist() == pytest.approx([264, 288.3, 264 * 2**0.5, 264 / 2**0.5])
    assert last[:, 3].tolist() == pytest.approx([264, 288.3, 264 / 2**0.5, 264 * 2**0.5])


def test_six_maps_have_one_cell_per_set_of_anchors(plain):
    with torch.inference_mode():
        maps = plain.network.backbone(torch.zeros(1, 3, 300, 300))
        heads = plain.network(torch.zeros(1, 3, 300, 300))
    assert [tuple(each.shape[1:]) for each in maps] == [
        (channels, cells, cells) for channels, cells in zip(CHANNELS, CELLS, strict=True)
    ]
    assert heads.class_logits.shape == (1, 8732, 21)
    assert heads.box_offsets.shape == (1, 8732, 4)


def test_every_position_of_the_first_map_has_length_twenty():
    features = torch.rand(2, 512, 3, 3)
    lengths = L2Norm(512, 20.0)(features).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((2, 3, 3), 20.0))


def test_the_batch_norm_variant_learns_from_one_image():
    # its last map is one cell, of which there are no batch statistics
    network = build_ssd300(batch_norm=True).network.train()
    with torch.no_grad():
        heads = network(torch.zeros(1, 3, 300, 300))
    assert torch.isfinite(heads.class_logits).all()


def test_layers_are_named_in_the_order_of_the_forward_pass():
    with torch.device("meta"):
        backbone = Ssd300Backbone(batch_norm=False)
    names = [name for name, _ in backbone.layers()]
    assert len(names) == 13 + 2 + 8
    known = dict(backbone.named_modules())
    assert all(known[name] is layer for name, layer in backbone.layers())


def test_log_odds_of_a_softmax_give_its_probabilities():
    torch.manual_seed(0)
    logits = torch.randn(2, 50, 4) * 8
    torch.testing.assert_close(softmax_log_odds(logits).sigmoid(), logits.softmax(-1)[..., 1:])
    sure = torch.tensor([[[0.0, 200.0, 0.0]]])
    assert softmax_log_odds(sure).sigmoid().tolist() == [[[1.0, 0.0]]]


def test_background_hides_classes_in_the_decoding(plain):
    logits = torch.zeros(1, 8732, 21)
    logits[0, :, 0] = 12.0
    logits[0, 7, :3] = torch.tensor([0.0, 1.0, 9.0])
    raw = SsdHeads(logits, torch.zeros(1, 8732, 4), torch.zeros(1, 8732, 0, 2))
    decoded = plain.decode(raw, (300, 300))
    assert decoded.xyxy.shape == (1, 400, 4) and decoded.keypoints_xy.shape == (1, 400, 0, 2)
    # softmax of [0, 1, 9, 0 x 18] by hand: e^9 / (e^9 + e + 19)
    assert decoded.scores[0, 0, 1].item() == pytest.approx(8103.08 / 8124.80, abs=1e-5)
    assert decoded.scores[0, 1:].max() < 1e-4
    # the anchor itself: of the second cell of the first row, the tall one of 30 x 30's area
    box = torch.tensor([12 - 15 / 2**0.5, 4 - 15 * 2**0.5, 12 + 15 / 2**0.5, 4 + 15 * 2**0.5])
    torch.testing.assert_close(decoded.xyxy[0, 0], box.clamp(min=0), rtol=0, atol=1e-4)
