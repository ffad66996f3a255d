"""Points move with pixels: they are found in the image after each change."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torchvision.transforms import v2
from training.images import COLOURS, background, dot_centre, dotted_face

from kpviewer.sources.opencv import cv2
from kpviewer.training.data.mosaic import Mosaic, MosaicOptions
from kpviewer.training.data.occlusion import occlude_faces
from kpviewer.training.data.placement import Placement, move_boxes, place
from kpviewer.training.data.samples import Sample
from kpviewer.training.data.transforms import LightOptions, light_from_side, photometric

SWAP = (1, 0, 2, 4, 3)


def check_points(sample: Sample, *, mirrored: bool, tolerance_px: float) -> int:
    """Compare labelled points with the dots in the pixels; return their number."""
    found = 0
    for index in range(5):
        if not sample.labelled[0, index]:
            continue
        colour = COLOURS[SWAP[index] if mirrored else index]
        dot = dot_centre(sample.rgb, colour)
        if dot is not None:
            assert np.abs(dot - sample.points_xy[0, index]).max() <= tolerance_px
            found += 1
    return found


def only_the_box(sample: Sample) -> Sample:
    """Return the sample with grey pixels outside the box of its first object."""
    left, top, right, bottom = sample.xyxy[0].astype(int)
    rgb = np.full_like(sample.rgb, 40)
    rgb[top:bottom, left:right] = sample.rgb[top:bottom, left:right]
    return replace(sample, rgb=rgb)


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("degrees", [0, 30, -20])
@pytest.mark.parametrize("scale", [0.5, 1.0, 2.3])
def test_points_stay_on_their_pixels(mirror, degrees, scale):
    face = dotted_face()
    placement = Placement((60, 60), (150, 140), scale, math.radians(degrees), mirror, (300, 310))
    moved = place(face, placement, SWAP, cv2.BORDER_CONSTANT)
    assert moved.hw == (300, 310)
    # half a pixel of resampling; the dots are five source pixels wide
    assert check_points(moved, mirrored=mirror, tolerance_px=0.6) == 5


def test_a_mirrored_face_keeps_its_left_eye_on_the_left():
    placement = Placement((60, 60), (60, 60), 1.0, 0.0, True, (120, 120))
    moved = place(dotted_face(), placement, SWAP, cv2.BORDER_CONSTANT)
    points = moved.points_xy[0]
    assert points[0, 0] < points[1, 0] and points[3, 0] < points[4, 0]


def test_points_that_leave_the_image_lose_their_label():
    placement = Placement((60, 60), (0, 60), 1.0, 0.0, False, (120, 120))
    moved = place(dotted_face(), placement, SWAP, cv2.BORDER_CONSTANT)
    assert moved.labelled[0].tolist() == (moved.points_xy[0, :, 0] >= 0).tolist()
    assert not moved.labelled.all()


@pytest.mark.parametrize(
    ("at_x", "scale", "count", "ignored"),
    [(60, 1.0, 1, False), (-15, 1.0, 1, True), (-300, 1.0, 0, None), (60, 0.05, 1, True)],
    ids=["inside", "mostly outside", "gone", "too small"],
)
def test_objects_that_are_hardly_visible_are_ignored(at_x, scale, count, ignored):
    placement = Placement((60, 60), (at_x, 60), scale, 0.0, False, (120, 120))
    moved = place(dotted_face(), placement, SWAP, cv2.BORDER_CONSTANT)
    assert len(moved.xyxy) == count
    assert (moved.xyxy >= 0).all() and (moved.xyxy <= 120).all()
    if ignored is not None:
        assert moved.ignore.tolist() == [ignored]


def test_a_rotated_box_is_that_of_its_ellipse():
    box = np.array([[-20, -10, 20, 10]], np.float32)
    quarter = np.array([[0, -1, 0], [1, 0, 0]], np.float32)
    np.testing.assert_allclose(move_boxes(box, quarter), [[-10, -20, 10, 20]], atol=1e-5)
    turn = math.radians(30)
    matrix = np.array(
        [[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0]], np.float32
    )
    angles = np.linspace(0, 2 * np.pi, 20000)
    outline = np.stack([20 * np.cos(angles), 10 * np.sin(angles)], 1) @ matrix[:, :2].T
    expected = np.concatenate([outline.min(0), outline.max(0)])
    np.testing.assert_allclose(move_boxes(box, matrix)[0], expected, atol=1e-3)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", ["scene", "paste", "grid"])
@pytest.mark.parametrize("hw", [(192, 192), (128, 224)])
def test_composed_images_are_complete_and_their_objects_inside(hw, kind, seed):
    shares = {"scene": (1.0, 0.0), "paste": (0.0, 1.0), "grid": (0.0, 0.0)}[kind]
    mosaic = Mosaic(MosaicOptions(scene_share=shares[0], paste_share=shares[1]), SWAP)
    rng = np.random.default_rng(seed)
    made = mosaic.compose(lambda: dotted_face(seed=int(rng.integers(99))), background, hw, rng)
    assert made.rgb.shape == (*hw, 3) and made.rgb.dtype == np.uint8
    height, width = hw
    assert (made.xyxy >= 0).all() and (made.xyxy <= [width, height, width, height]).all()
    assert len(made.xyxy) == len(made.points_xy) == len(made.ignore) == len(made.class_ids)
    inside = (made.points_xy >= 0).all(-1) & (made.points_xy <= [width, height]).all(-1)
    assert inside[made.labelled].all()


def test_one_face_in_a_grid_of_one_is_where_its_label_says():
    mosaic = Mosaic(MosaicOptions(scene_share=0, paste_share=0, grid_weights=(1.0,)), SWAP)
    compared = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        made = mosaic.compose(dotted_face, background, (256, 256), rng)
        if len(made.xyxy) != 1 or made.ignore[0] or (made.xyxy[0, 2] - made.xyxy[0, 0]) < 50:
            continue
        made = only_the_box(made)  # the colours behind a face are drawn at random
        # the dots show whether the face was mirrored: red marks the eye that was on the left
        red = dot_centre(made.rgb, COLOURS[0])
        if red is None:
            continue
        eyes = np.linalg.norm(made.points_xy[0, :2] - red, axis=1)
        compared += check_points(made, mirrored=bool(eyes[1] < eyes[0]), tolerance_px=1.5)
    assert compared >= 25


def test_pasted_faces_have_the_smallest_size_of_the_options():
    mosaic = Mosaic(MosaicOptions(scene_share=0, paste_share=1, min_object_px=8.0), SWAP)
    sides: list[float] = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        made = mosaic.compose(dotted_face, background, (256, 256), rng)
        sides += (made.xyxy[:, 2:] - made.xyxy[:, :2]).prod(1)[~made.ignore].tolist()
    smallest, half = np.sqrt(np.percentile(sides, [2, 50]))
    assert 7 < smallest < 14
    assert (
        half < 80
    )  # log-uniformly: as many under sqrt(8 * 243) = 44 px as over it, if all had room


def test_objects_leave_the_image_by_half_with_that_option():
    def cut(half_share: float) -> int:
        options = MosaicOptions(
            scene_share=0, paste_share=0, grid_weights=(1.0,), level_share=0, half_share=half_share
        )
        mosaic, found = Mosaic(options, SWAP), 0
        for seed in range(40):
            rng = np.random.default_rng(seed)
            made = mosaic.compose(dotted_face, background, (128, 128), rng)
            found += bool((~made.labelled[~made.ignore]).any())
        return found

    assert cut(1.0) > 2 * cut(0.0)


def test_objects_are_turned_to_every_side_with_that_option():
    def upside_down(turned_share: float) -> int:
        options = MosaicOptions(
            scene_share=0,
            paste_share=0,
            grid_weights=(1.0,),
            level_share=0,
            turned_share=turned_share,
        )
        mosaic, count = Mosaic(options, SWAP), 0
        for seed in range(30):
            made = mosaic.compose(dotted_face, background, (256, 256), np.random.default_rng(seed))
            eyes, mouth = made.points_xy[0, :2, 1].mean(), made.points_xy[0, 3:, 1].mean()
            count += bool(eyes > mouth)
        return count

    assert upside_down(0.0) == 0
    assert 8 <= upside_down(1.0) <= 22  # half of 30


def test_side_light_darkens_one_side_of_an_object_and_nothing_far_away():
    face = replace(dotted_face(240), rgb=np.full((240, 240, 3), 100, np.uint8))
    face = replace(face, xyxy=np.array([[100, 90, 140, 150]], np.float32))
    made = light_from_side(face, np.random.default_rng(3), 1.0)
    inside = made.rgb[90:150, 100:140].astype(int)
    assert inside.min() < 60 and inside.max() >= 100
    far = np.ones((240, 240), bool)
    far[60:180, 80:160] = False  # twice the box
    assert (made.rgb[far] == 100).all()
    corners = made.rgb[[61, 61, 178, 178], [81, 158, 81, 158]]
    assert (corners == 100).all()  # it fades out, in an ellipse
    assert (face.rgb == 100).all()  # the cached original


def test_side_light_leaves_ignored_objects_and_random_numbers_alone():
    face, rng = dotted_face(), np.random.default_rng(0)
    assert light_from_side(face, rng, 0.0) is face
    assert rng.random() == np.random.default_rng(0).random()
    ignored = replace(face, ignore=np.ones(1, np.bool_))
    assert light_from_side(ignored, rng, 1.0) is ignored


def test_occlusion_changes_pixels_and_no_label():
    face = dotted_face()
    changed = 0
    for seed in range(12):
        covered = occlude_faces(face, np.random.default_rng(seed), 1.0)
        changed += bool((covered.rgb != face.rgb).any())
        assert (covered.points_xy == face.points_xy).all() and covered.labelled.all()
    assert changed >= 10
    assert occlude_faces(face, np.random.default_rng(0), 0.0) is face


def test_photometric_changes_keep_the_shape_of_an_image():
    torch.manual_seed(0)
    chain, image = photometric(), torch.randint(0, 256, (3, 40, 50), dtype=torch.uint8)
    results = [chain(image) for _ in range(60)]
    assert all(made.shape == image.shape and made.dtype == torch.uint8 for made in results)
    assert sum(bool((made != image).any()) for made in results) > 30


@pytest.mark.parametrize(
    ("light", "changed"),
    [
        (LightOptions(grey_share=1.0), lambda made: (made == made[:1]).all()),
        (LightOptions(grey_share=0.0, tint_share=1.0), lambda made: (made != made[:1]).any()),
        # contrast about the mean, 128: 64 to 51 or less, 192 to 205 or more
        (
            LightOptions(contrast_share=1.0, grey_share=0.0),
            lambda made: made.min() <= 51 and made.max() >= 204,
        ),
    ],
    ids=["grey", "tint", "contrast"],
)
def test_light_options_change_images(light, changed):
    half = torch.full((3, 20, 40), 64, dtype=torch.uint8)
    half[..., 20:] = 192
    if light.grey_share:
        half[0] = 100
    chain = photometric(light)
    only = v2.Compose([chain.transforms[0]] if light.grey_share == 0 else [chain.transforms[3]])
    torch.manual_seed(1)
    assert all(changed(only(half)) for _ in range(5))


def test_default_light_is_the_chain_of_other_recipes():
    assert str(photometric()) == str(photometric(LightOptions()))
    assert len(photometric(LightOptions()).transforms) == 7
