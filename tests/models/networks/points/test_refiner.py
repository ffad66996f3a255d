"""Refinement of points from pixels: positions of the windows, and the points replaced."""

import cv2
import numpy as np
import torch

from kpviewer.models.networks.points.refiner import (
    WINDOW,
    PointRefiner,
    frames_of,
    from_window,
    to_window,
    windows_of,
)
from kpviewer.models.networks.ssd import detector as ssd
from kpviewer.models.networks.ssd.face_ssd import build_face_ssd

TEMPLATE = ((-0.4, -0.4), (0.4, -0.4), (0.1, 0.0), (0.0, 0.5))


def moved(points: torch.Tensor, scale: float, angle: float, shift: tuple[float, float]):
    turn = torch.tensor([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]).float()
    return scale * points @ turn.T + torch.tensor(shift)


def test_the_frame_of_a_moved_template_is_that_motion():
    points = moved(torch.tensor(TEMPLATE), 20.0, 0.5, (70.0, 40.0))
    frame = frames_of(points[None], torch.tensor(TEMPLATE))
    expected = torch.tensor([[20 * np.cos(0.5), 20 * np.sin(0.5), 70, 40]]).float()
    torch.testing.assert_close(frame, expected, rtol=1e-5, atol=1e-4)


def test_the_frame_of_any_points_is_the_one_of_least_squares():
    rng = np.random.default_rng(0)
    template = np.array(TEMPLATE)
    points = rng.uniform(0, 100, (4, 2))
    # the same problem as a linear system in (a, b, x, y), solved by numpy
    rows = [[u, -v, 1, 0] for u, v in template] + [[v, u, 0, 1] for u, v in template]
    expected = np.linalg.lstsq(np.array(rows), points.T.flatten(), rcond=None)[0]
    found = frames_of(torch.from_numpy(points)[None], torch.from_numpy(template))[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


def test_window_units_there_and_back():
    torch.manual_seed(0)
    frames = torch.tensor([[12.0, 5.0, 60.0, 50.0], [-3.0, 8.0, 10.0, 20.0]])
    points = torch.rand(2, 4, 2) * 100
    there = to_window(points, frames)
    torch.testing.assert_close(from_window(there, frames), points, rtol=1e-4, atol=1e-3)


def test_a_window_equals_opencvs_crop():
    rng = np.random.default_rng(1)
    image = cv2.GaussianBlur(rng.uniform(0, 1, (96, 128, 3)).astype(np.float32), (9, 9), 0)
    a, b, x, y = 24.0, 10.0, 66.0, 45.0
    # output pixel i has its middle at (i + 0.5) / WINDOW * 2 - 1; OpenCV counts from middles
    step = 2 / WINDOW
    first = step / 2 - 1
    matrix = np.array([[a * step, -b * step, 0], [b * step, a * step, 0]])
    matrix[:, 2] = [a * first - b * first + x - 0.5, b * first + a * first + y - 0.5]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    expected = cv2.warpAffine(image, matrix, (WINDOW, WINDOW), flags=flags)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
    found = windows_of(pixels, torch.tensor([[[a, b, x, y]]]))[0, 0].permute(1, 2, 0).numpy()
    # OpenCV rounds places to 1/32 px
    np.testing.assert_allclose(found, expected, atol=0.02)


def test_points_are_found_in_any_pose_of_the_object():
    """An untrained refiner predicts the template, aligned with the object."""
    torch.manual_seed(2)
    refiner = PointRefiner(TEMPLATE).eval()
    torch.nn.init.zeros_(refiner.shifts.weight)
    points = torch.stack([
        moved(torch.tensor(TEMPLATE), 20.0, 0.5, (70.0, 40.0)),
        moved(torch.tensor(TEMPLATE), 9.0, -2.0, (30.0, 30.0)),
    ])  # fmt: skip
    refined = refiner(torch.randn(1, 3, 96, 128), points[None])
    torch.testing.assert_close(refined[0], points, rtol=1e-4, atol=1e-3)


def test_each_object_of_each_image_has_its_own_window():
    torch.manual_seed(3)
    refiner = PointRefiner(TEMPLATE).eval()
    torch.nn.init.normal_(refiner.shifts.weight)
    images = torch.randn(2, 3, 64, 96)
    points = torch.rand(2, 3, 4, 2) * 60
    together = refiner(images, points)
    for image in range(2):
        for row in range(3):
            one = refiner(images[image : image + 1], points[image, row][None, None])
            torch.testing.assert_close(together[image, row], one[0, 0], rtol=1e-3, atol=1e-3)


def likely(detector: ssd.SsdDetector) -> ssd.SsdDetector:
    """Give a detector random heads, by which anything may be an object."""
    for head in detector.network.heads:
        torch.nn.init.normal_(head.weight, std=0.1)
        torch.nn.init.zeros_(head.bias)
    torch.nn.init.normal_(detector.network.point_refiner.shifts.weight)
    detector.network.eval()
    return detector


def test_the_best_distinct_boxes_get_refined_points(monkeypatch):
    monkeypatch.setattr(ssd, "MAX_OBJECTS", 2)
    torch.manual_seed(4)
    detector = likely(build_face_ssd())
    network = detector.network
    image = torch.randn(1, 3, 128, 128)
    with torch.inference_mode():
        refined = detector.decode(network(image), (128, 128))
        refiner, network.point_refiner = network.point_refiner, None
        rough = detector.decode(network(image), (128, 128))
    torch.testing.assert_close(refined.xyxy, rough.xyxy)
    changed = ((refined.keypoints_xy - rough.keypoints_xy).abs().amax((2, 3)) > 1e-3)[0]
    assert changed.sum() == 2
    assert changed[0]  # the best box of all
    rows = changed.nonzero()[:, 0]
    expected = refiner(image, rough.keypoints_xy[:, rows])
    torch.testing.assert_close(refined.keypoints_xy[:, rows], expected, rtol=1e-3, atol=1e-3)


def test_only_objects_of_a_score_are_refined():
    torch.manual_seed(5)
    detector = likely(build_face_ssd())
    network, image = detector.network, torch.randn(1, 3, 128, 128)
    with torch.inference_mode():
        rows = network(image).refinement.rows[0]
        logits = detector.decode(network(image), (128, 128)).scores.logit()[0, rows, 0]
        # three of them keep a score of at least the limit
        limit = torch.tensor(ssd.REFINED_SCORE).logit()
        for head in network.heads:
            head.bias.view(-1, 15)[:, 0] += limit - (logits[2] + logits[3]) / 2
        refinement = network(image).refinement
    assert refinement.rows[0].tolist() == [*rows[:3].tolist(), *[-1] * (ssd.MAX_OBJECTS - 3)]
    moves = (refinement.refined_xy - refinement.rough_xy)[0].abs().amax((1, 2))
    assert moves.nonzero()[:, 0].tolist() == sorted(rows[:3].tolist())
