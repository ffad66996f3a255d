"""Training of a point refiner."""

import numpy as np
import torch

from kpviewer.models.networks.points.refiner import PointRefiner, frames_of, from_window
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd
from kpviewer.training.data.datasets import IGNORED, PADDED, Batch
from kpviewer.training.losses.refining import refiner_loss, shaken

TEMPLATE = ((-0.4, -0.4), (0.4, -0.4), (0.0, 0.5))


def drawn(count: int, seed: int) -> Batch:
    """Return images of one object: three bright dots near a rotated, scaled template."""
    rng = np.random.default_rng(seed)
    images = np.zeros((count, 3, 96, 96), np.uint8)
    points = np.zeros((count, 1, 3, 2), np.float32)
    rows, columns = np.mgrid[:96, :96] + 0.5
    for index in range(count):
        angle, scale = rng.uniform(-0.3, 0.3), rng.uniform(18, 26)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        own = np.array(TEMPLATE) + rng.uniform(-0.15, 0.15, (3, 2))
        points[index, 0] = scale * own @ turn.T + 48 + rng.uniform(-8, 8, 2)
        for channel, (x, y) in enumerate(points[index, 0]):
            gap = (columns - x) ** 2 + (rows - y) ** 2
            images[index, channel] = 255 * np.exp(-gap / 18)
    return Batch(
        torch.from_numpy(images),
        torch.zeros(count, 1, 4),
        torch.zeros(count, 1, dtype=torch.int64),
        torch.from_numpy(points),
        torch.ones(count, 1, 3, dtype=torch.bool),
    )


def test_windows_are_moved_about_the_true_ones():
    torch.manual_seed(0)
    frame = torch.tensor([12.0, 5.0, 60.0, 50.0])
    many = shaken(frame.expand(4000, 4))
    assert torch.allclose(many.mean(0), frame, atol=0.3)
    size = many[:, :2].norm(dim=-1)
    # 0.1 of a size of 13, and a position off by 0.07 of it: with 4000 draws, to a tenth
    assert torch.isclose(size.std(), torch.tensor(1.3), rtol=0.1)
    assert torch.isclose(many[:, 2].std(), torch.tensor(0.91), rtol=0.1)
    angle = torch.rad2deg(torch.atan2(many[:, 1], many[:, 0]))
    assert torch.isclose(angle.std(), torch.tensor(8.0), rtol=0.1)


def test_only_complete_objects_of_some_size_have_a_loss():
    torch.manual_seed(0)
    refiner = PointRefiner(TEMPLATE)
    batch = drawn(2, 0)
    images = batch.images / 255
    assert refiner_loss(refiner, images, batch) > 0
    hidden = batch.labelled.clone()
    hidden[:, :, 1] = False
    padded = torch.full((2, 1), PADDED)
    ignored = torch.full((2, 1), IGNORED)
    for changed in (
        batch._replace(labelled=hidden),
        batch._replace(class_ids=padded),
        batch._replace(class_ids=ignored),
        batch._replace(points_xy=batch.points_xy / 50),
        batch._replace(points_xy=torch.zeros_like(batch.points_xy)),
    ):
        assert refiner_loss(refiner, images, changed) == 0


def test_a_refiner_learns_to_find_dots():
    torch.manual_seed(0)
    refiner = PointRefiner(TEMPLATE, widths=(8, 16, 16), hidden=32)
    optimizer = torch.optim.AdamW(refiner.parameters(), lr=4e-3)
    batch = drawn(64, 1)
    images = batch.images / 64 - 1
    for _ in range(100):
        loss = refiner_loss(refiner, images, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    refiner.eval()
    test = drawn(32, 2)
    with torch.inference_mode():
        rough = from_window(refiner.template, shaken(frames_of(test.points_xy, refiner.template)))
        found = refiner(test.images / 64 - 1, rough)
    before = (rough - test.points_xy).norm(dim=-1).mean()
    after = (found - test.points_xy).norm(dim=-1).mean()
    assert after < 0.5 * before


def test_the_face_template_is_upright_and_inside_the_window():
    refiner = build_face_ssd().network.point_refiner
    left_eye, right_eye, nose, left_mouth, right_mouth = refiner.template
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_eye[1] < nose[1] < left_mouth[1] == right_mouth[1]
    assert refiner.template.abs().max() < 0.5
