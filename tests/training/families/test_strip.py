"""Training of the grid detector: streams, batches, augmentation of ground truth and pixels."""

import dataclasses
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from sample_results import objects

from kpviewer.annotations.formats.voc.reader import read_voc
from kpviewer.annotations.structure import AnnotatedImage, AnnotationSet
from kpviewer.errors import DatasetError
from kpviewer.models.networks.grid import STRIP_SPEC, build_strip_grid
from kpviewer.sources.opencv import cv2
from kpviewer.training.data.datasets import IGNORED, PADDED
from kpviewer.training.families.strip import ImageOptions, StripObjective, spec_for
from kpviewer.training.losses.grid import GridLossOptions

DOTS = {0: (70.5, 40.5), 1: (150.5, 90.5)}
"""Centres of a dark dot of class 0 and a bright one of class 1."""


@pytest.fixture
def dotted(tmp_path: Path) -> AnnotationSet:
    """Write two grey images of 224 x 128: one has two dots, one a box too long for a centre."""
    image = np.full((128, 224, 3), 120, np.uint8)
    for class_id, (x, y) in DOTS.items():
        cv2.circle(image, (int(x), int(y)), 5, (0, 0, 0) if class_id == 0 else (255,) * 3, -1)
    cv2.imwrite(str(tmp_path / "dots.png"), image)
    cv2.imwrite(str(tmp_path / "long.png"), image)
    centres = np.array(list(DOTS.values()), np.float32)
    return AnnotationSet(
        (
            annotated(tmp_path / "dots.png", np.concatenate([centres - 10, centres + 10], 1)),
            annotated(tmp_path / "long.png", np.array([[10, 10, 200, 60]], np.float32)),
        ),
        ("fi", "hb"),
    )


def annotated(path: Path, xyxy: np.ndarray) -> AnnotatedImage:
    count = len(xyxy)
    targets = objects(xyxy, np.arange(count))
    labelled = np.zeros((count, 0), np.bool_)
    return AnnotatedImage(path, (224, 128), targets, "", np.zeros(count, np.bool_), labelled, 0)


def objective(data: AnnotationSet | None, **options: float) -> StripObjective:
    return StripObjective(build_strip_grid(spec_for(data)), data, None, ImageOptions(**options))


def test_the_largest_input_has_the_size_of_the_images(dotted):
    assert spec_for(None) == STRIP_SPEC
    spec = spec_for(dataclasses.replace(dotted, class_names=("a", "b")))
    assert spec.input_hw == (224, 224)
    assert spec.class_names == ("a", "b")


def test_scenes_depend_on_the_seed_alone():
    first, again, other = (
        list(islice(objective(None).dataset((96, 192), seed), 2)) for seed in (3, 3, 4)
    )
    for one, two in zip(first, again, strict=True):
        assert np.array_equal(one.rgb, two.rgb)
        assert np.array_equal(one.points_xy, two.points_xy)
    assert not np.array_equal(first[0].rgb, other[0].rgb)


def test_the_same_seed_gives_the_same_images(dotted):
    first, again = (list(islice(objective(dotted).dataset((128, 224), 3), 3)) for _ in range(2))
    assert all(np.array_equal(a.rgb, b.rgb) for a, b in zip(first, again, strict=True))


@pytest.mark.parametrize("input_hw", [(128, 224), (64, 96), (160, 256)])
def test_ground_truth_moves_with_the_pixels(dotted, input_hw):
    """The dots of augmented images are at the points of the ground truth."""
    seen = 0
    alone = dataclasses.replace(dotted, images=dotted.images[:1])
    for sample in islice(objective(alone).dataset(input_hw, 1), 40):
        grey = sample.rgb.astype(float).mean(-1)
        for class_id, (x, y) in zip(sample.class_ids, sample.points_xy[:, 0], strict=True):
            low, high = np.array([x, y]) - 13, np.array([x, y]) + 13
            if (low < 0).any() or (high > input_hw[::-1]).any():
                continue  # partly outside
            left, top = low.astype(int)
            part = grey[top : top + 26, left : left + 26]
            gap = (part - np.median(part)) * (-1 if class_id == 0 else 1)
            weight = np.where(gap > gap.max() / 2, gap, 0)
            rows, columns = np.mgrid[top : top + 26, left : left + 26] + 0.5
            found = np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()
            # noise moves the centre of some eighty pixels by a few tenths of one
            assert np.abs(found - (x, y)).max() < 0.5
            seen += 1
    assert seen > 20


def test_crops_show_their_object(dotted):
    alone = dataclasses.replace(dotted, images=dotted.images[:1])
    samples = islice(objective(alone, object_share=1.0).dataset((64, 96), 2), 30)
    assert all((~sample.ignore & sample.labelled[:, 0]).any() for sample in samples)


def test_a_batch_pads_and_ignores(dotted):
    one = objective(dotted)
    samples = list(islice(one.dataset((128, 224), 1), 12))
    batch = one.collate(samples)
    assert batch.images.shape == (12, 3, 128, 224)
    assert batch.images.dtype == torch.uint8
    assert batch.points_xy[:, :, 0].shape == (12, 2, 2)
    kinds = {tuple(row) for row in batch.class_ids.tolist()}
    assert kinds == {(0, 1), (IGNORED, PADDED)}  # two dots; one box that is too long
    row = next(i for i, ids in enumerate(batch.class_ids.tolist()) if ids == [0, 1])
    assert np.array_equal(batch.points_xy[row, :, 0].numpy(), samples[row].points_xy[:, 0])
    assert np.array_equal(batch.images[row].permute(1, 2, 0).numpy(), samples[row].rgb)


def test_a_few_steps_lower_both_losses():
    torch.manual_seed(0)
    one = objective(None)
    optimizer = torch.optim.Adam(one.detector.network.parameters(), 5e-3)
    samples = list(islice(one.dataset((96, 192), 0), 8))
    batch = one.collate(samples)
    images = (batch.images.float() - 110) / 60
    history = []
    for _ in range(25):
        losses = one.losses(one.detector.network, batch, images)
        assert len(losses) == len(one.loss_names)
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()
        optimizer.step()
        history.append([loss.item() for loss in losses])
    assert history[-1][0] < 0.5 * history[0][0]
    assert history[-1][1] < 0.5 * history[0][1]


def test_wrong_inputs_and_data_are_refused(dotted):
    with pytest.raises(DatasetError, match="multiples of 32"):
        objective(None).dataset((100, 320), 0)
    with pytest.raises(DatasetError, match="share a class"):
        StripObjective(build_strip_grid(), dataclasses.replace(dotted, class_names=("a", "b")))
    other = dataclasses.replace(STRIP_SPEC, class_names=("a", "b"))
    with pytest.raises(DatasetError, match="Generated scenes"):
        StripObjective(build_strip_grid(other), None)
    nothing = dataclasses.replace(
        dotted, images=(annotated(dotted.images[0].path, np.zeros((0, 4))),)
    )
    with pytest.raises(DatasetError, match="must have objects"):
        objective(nothing).dataset((128, 224), 0)


def test_real_strips_are_read(shared_data):
    data = read_voc(shared_data / "strip", "val")
    spec = spec_for(data)
    assert (spec.class_names, spec.input_hw) == (("fi", "hb"), (800, 800))
    one = StripObjective(build_strip_grid(spec), data, GridLossOptions())
    batch = one.collate(list(islice(one.dataset((160, 800), 0), 6)))
    assert batch.images.shape == (6, 3, 160, 800)
    assert (batch.class_ids >= 0).any()
    assert torch.isfinite(
        torch.stack(one.losses(one.detector.network, batch, batch.images / 255.0))
    ).all()
