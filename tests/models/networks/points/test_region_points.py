"""Points from regions: positions of the grid, and the points replaced."""

import pytest
import torch
from torch.nn import functional
from torchvision.ops import roi_align

from kpviewer.models.networks.boxes import (
    decode_boxes,
    decode_points,
    encode_points,
    iou_matrix,
    xyxy_to_cxcywh,
)
from kpviewer.models.networks.points.region_points import GRID, RegionPoints, sampling_grid
from kpviewer.models.networks.ssd import detector as ssd
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd

INPUT_HW = (64, 96)


def test_samples_equal_those_of_roi_align() -> None:
    torch.manual_seed(0)
    features = torch.randn(1, 4, 8, 12)  # stride 8
    boxes = torch.tensor([[20.0, 10.0, 52.0, 44.0], [30.5, 17.25, 61.0, 50.0]])
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * 1.15  # the margin
    wider = torch.cat([torch.zeros(2, 1), centre - half, centre + half], 1)
    expected = roi_align(features, wider, GRID, 1 / 8, sampling_ratio=1, aligned=True)
    grid = sampling_grid(boxes[None], INPUT_HW).reshape(1, 2 * GRID, GRID, 2)
    sampled = functional.grid_sample(features, grid, align_corners=False, padding_mode="border")
    mine = sampled.reshape(1, 4, 2, GRID, GRID).transpose(1, 2)[0]
    torch.testing.assert_close(mine, expected, rtol=0, atol=1e-4)


def test_each_box_of_each_image_gets_its_own_points() -> None:
    torch.manual_seed(1)
    head = RegionPoints(channels=6, num_maps=2, num_keypoints=3, width=4, hidden=8).eval()
    torch.nn.init.normal_(head.offsets.weight)
    maps = [torch.randn(2, 6, 8, 12), torch.randn(2, 6, 4, 6)]
    boxes = torch.tensor([[[5.0, 5.0, 40.0, 40.0], [20.0, 8.0, 60.0, 60.0]]]).repeat(2, 1, 1)
    together = head(maps, boxes, INPUT_HW)
    assert together.shape == (2, 2, 3, 2)
    for image in range(2):
        alone = [level[image : image + 1] for level in maps]
        for box in range(2):
            one = head(alone, boxes[:1, box : box + 1], INPUT_HW)
            torch.testing.assert_close(together[image, box], one[0, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("most", [3, 10_000])
def test_the_best_distinct_boxes_get_the_points_of_their_regions(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssd, "MAX_OBJECTS", most)
    torch.manual_seed(2)
    network = build_face_ssd().network.eval()
    network.point_refiner = None
    torch.nn.init.normal_(network.region_points.offsets.weight)
    for head in network.heads:
        torch.nn.init.normal_(head.weight, std=0.1)
    image = torch.randn(1, 3, 64, 64)
    with torch.inference_mode():
        heads = network(image)
        again, network.region_points = network.region_points, None
        plain = network(image)
        network.region_points = again
        anchors = network.anchors((64, 64), image.device)
        order = plain.class_logits[0, :, 0].argsort(descending=True)[:128]
        boxes = decode_boxes(plain.box_offsets[0, order], anchors[order])
        # none overlaps a better one by more than 0.55, one by one
        apart = [
            row for row in range(128)
            if not (iou_matrix(boxes[row : row + 1], boxes[:row]) > 0.55).any()
        ][:most]  # fmt: skip
        best, xyxy = order[apart], boxes[apart]
        read = network(image, xyxy[None]).proposal_points[0]
    expected = encode_points(decode_points(read, xyxy_to_cxcywh(xyxy)), anchors[best])
    place = {int(anchor): row for row, anchor in enumerate(heads.best[0])}
    rows = [place[int(anchor)] for anchor in best]
    torch.testing.assert_close(heads.point_offsets[0, rows], expected, rtol=1e-4, atol=1e-4)
    if most == 3:
        rest = torch.ones(len(place), dtype=torch.bool)
        rest[rows] = False
        plain_points = plain.point_offsets[:, heads.best[0]]
        torch.testing.assert_close(heads.point_offsets[:, rest], plain_points[:, rest])
    torch.testing.assert_close(heads.class_logits, plain.class_logits[:, heads.best[0]])
