"""Layouts of face detectors (SCRFD, RetinaFace), and of OpenMMLab's and Google's pose models."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.layouts import decoding
from benchmarks.layouts.common import CONFIDENCE, Network, Result
from benchmarks.layouts.tiny import STRIDES, Head, Pyramid, grid, pyramid_over, write_onnx

SIZE = 320
ROWS = 100
"""Rows that OpenMMLab's deployed models give: ``keep_top_k``."""
COCO_POINTS = 17
PRIOR_SIZES = ((16, 32), (64, 128), (256, 512))
RETINA_MEAN_BGR = (104, 117, 123)
DETECTOR = "ultralytics-v8n-2"


def networks(images: Mapping[str, np.ndarray]) -> Iterator[Network]:
    """Yield all layouts; ``images`` calibrate their weights."""
    image = images["small"]
    normal = decoding.planes(image[..., ::-1], 127.5, 128)
    for points in (True, False):
        yield _scrfd(pyramid_over(15 if points else 5, 1, normal, anchors=2), points, batched=False)
    yield _scrfd(pyramid_over(15, 1, normal, anchors=2), points=True, batched=True)
    centred = decoding.planes(image, RETINA_MEAN_BGR)
    yield _retinaface(pyramid_over(15, 1, centred, anchors=2, unit=128.0))
    bgr = decoding.planes(image, decoding.MEAN_RGB[::-1], decoding.STD_RGB[::-1])
    yield _openmmlab("rtmdet-3", pyramid_over(7, 3, bgr), is_pose=False)
    raw = decoding.planes(image)
    yield _openmmlab("rtmo-1", pyramid_over(5 + 3 * COCO_POINTS, 1, raw, unit=255.0), is_pose=True)
    torch.manual_seed(5)
    simcc = _SimCC()
    yield _rtmpose("rtmpose-17", simcc, "")
    two_stages = f"two-stage:FOLDER/{DETECTOR}.onnx+FOLDER/two-stage-rtmpose-17.onnx"
    yield _rtmpose("two-stage-rtmpose-17", simcc, two_stages)
    yield _movenet()


def _scrfd(pyramid: Pyramid, points: bool, batched: bool) -> Network:
    """Return SCRFD: 9 outputs, or 6 without points; in units of the stride, from cell corners.

    Source: retinaface.py of insightface's model_zoo, and tools/scrfd2onnx.py for the names; its
    published files name outputs by numbers and have no batch axis there.
    """
    parts = ("score", "bbox", "kps") if points else ("score", "bbox")
    names = [f"{part}_{stride}" for part in parts for stride in STRIDES]
    if not batched:
        names = [str(448 + 23 * index) for index in range(len(names))]

    def layout(levels: list[Tensor]) -> list[Tensor]:
        def part(rows: Tensor, columns: slice) -> Tensor:
            values = rows[..., columns]
            values = values.sigmoid() if columns.stop == 1 else values + float(columns.stop == 5)
            return values if batched else values[0]

        columns = [slice(0, 1), slice(1, 5), slice(5, 15)][: len(parts)]
        return [part(rows, each) for each in columns for rows in levels]

    def write(path: Path) -> None:
        axes = None if batched else {"input.1": {0: "?", 2: "?", 3: "?"}}
        inputs = {"input.1": torch.zeros(1, 3, SIZE, SIZE)}
        write_onnx(path, Head(pyramid, layout), inputs, names, None, axes)

    def predict(path: Path, image: np.ndarray) -> Result:
        canvas, back = decoding.boxed(image, SIZE, 0, centred=False)
        values = decoding.planes(canvas[..., ::-1], 127.5, 128)
        outputs = [
            each.reshape(-1, each.shape[-1]) for each in decoding.run(path, {"input.1": values})
        ]
        boxes, keypoints = [], []
        for level, stride in enumerate(STRIDES):
            cells = decoding.cells(SIZE, stride, 2) * stride
            sides = outputs[level + 3] * stride
            boxes.append(np.concatenate([cells - sides[:, :2], cells + sides[:, 2:]], 1))
            if points:
                offsets = outputs[level + 6].reshape(-1, 5, 2) * stride
                keypoints.append(cells[:, None] + offsets)
        found = decoding.without_confidence(back(np.concatenate(keypoints))) if points else None
        corners = back(np.concatenate(boxes)).astype(np.float32)
        return decoding.suppressed(image, corners, np.concatenate(outputs[:3]), found)

    name = f"scrfd-{len(names)}" + ("-batched" if batched else "")
    opens = "" if batched else f"FOLDER/{name}.onnx@{SIZE}"  # the published files leave it open
    return Network(name, write, predict, opens)


def _retinaface(pyramid: Pyramid) -> Network:
    """Return RetinaFace of biubug6/Pytorch_Retinaface: offsets from priors of six sizes.

    Its detect.py takes images of any size. For a fixed input this one pads at the right and at the
    bottom, which is a convention of this script.
    """

    def layout(levels: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        rows = torch.cat(levels, 1)
        background = torch.zeros_like(rows[..., :1])
        scores = torch.cat([background, rows[..., :1]], 2).softmax(2)
        return rows[..., 1:5], scores, rows[..., 5:]

    def write(path: Path) -> None:
        inputs, names = {"input": torch.zeros(1, 3, SIZE, SIZE)}, ("output", "outputt", "outputtt")
        write_onnx(path, Head(pyramid, layout), inputs, names)

    def predict(path: Path, image: np.ndarray) -> Result:
        canvas, back = decoding.boxed(image, SIZE, 0, centred=False)
        values = decoding.planes(canvas, RETINA_MEAN_BGR)
        offsets, scores, points = (each[0] for each in decoding.run(path, {"input": values}))
        priors = np.concatenate([_priors(*each) for each in zip(STRIDES, PRIOR_SIZES, strict=True)])
        centres = priors[:, :2] + offsets[:, :2] * 0.1 * priors[:, 2:]
        sizes = priors[:, 2:] * np.exp(offsets[:, 2:] * 0.2)
        boxes = back(decoding.corners(np.concatenate([centres, sizes], 1) * SIZE))
        places = points.reshape(-1, 5, 2) * 0.1 * priors[:, None, 2:] + priors[:, None, :2]
        found = decoding.without_confidence(back(places * SIZE))
        return decoding.suppressed(image, boxes.astype(np.float32), scores[:, 1:], found)

    return Network("retinaface", write, predict)


def _priors(stride: int, sizes: tuple[int, ...]) -> np.ndarray:
    """Return centre and size of the priors of a level, in [0, 1] of the input."""
    centres = (decoding.cells(SIZE, stride, len(sizes)) + 0.5) * stride / SIZE
    sides = np.tile(np.array(sizes, np.float32), len(centres) // len(sizes)) / SIZE
    return np.concatenate([centres, sides[:, None], sides[:, None]], 1)


def _openmmlab(name: str, pyramid: Pyramid, is_pose: bool) -> Network:
    """Return RTMDet (dets, labels) or RTMO (dets, keypoints) as mmdeploy exports them.

    Source: configs/mmdet/_base_/base_static.py of open-mmlab/mmdeploy, and rtmlib's pre-processing.
    """
    second = "keypoints" if is_pose else "labels"
    classes = pyramid.classes

    def layout(levels: list[Tensor]) -> tuple[Tensor, Tensor]:
        boxes, points = [], []
        for rows, stride in zip(levels, STRIDES, strict=True):
            x, y = grid(rows, stride, SIZE // stride)
            centre = torch.cat([x, y], 2) * stride
            sides = (rows[..., classes : classes + 4] + 1.2).exp() * stride
            boxes.append(torch.cat([centre - sides[..., :2], centre + sides[..., 2:]], 2))
            count = (rows.shape[2] - classes - 4) // 3
            places = rows[..., classes + 4 :].reshape(1, rows.shape[1], count, 3)
            offsets = centre[:, :, None] + places[..., :2] * stride * 2
            points.append(torch.cat([offsets, places[..., 2:].sigmoid()], 3))
        score, kind = torch.cat(levels, 1)[..., :classes].sigmoid().max(2)
        best = score[0].topk(ROWS).indices
        dets = torch.cat([torch.cat(boxes, 1), score[..., None]], 2)[:, best]
        return dets, torch.cat(points, 1)[:, best] if is_pose else kind[:, best]

    def write(path: Path) -> None:
        inputs = {"input": torch.zeros(1, 3, SIZE, SIZE)}
        write_onnx(path, Head(pyramid, layout), inputs, ("dets", second))

    def predict(path: Path, image: np.ndarray) -> Result:
        canvas, back = decoding.boxed(image, SIZE, 114, centred=False)
        mean, std = (0, 1) if is_pose else (decoding.MEAN_RGB[::-1], decoding.STD_RGB[::-1])
        rows, others = decoding.run(path, {"input": decoding.planes(canvas, mean, std)})
        kinds = np.zeros(ROWS) if is_pose else others[0]
        scores = decoding.one_hot(rows[0, :, 4], kinds, classes)
        found = None
        if is_pose:
            found = np.concatenate([back(others[0, ..., :2]), others[0, ..., 2:]], -1)
        keep = decoding.suppressed if is_pose else decoding.distinct  # rtmlib's RTMO does NMS again
        return keep(image, back(rows[0, :, :4]), scores, found)

    return Network(name, write, predict)


class _SimCC(nn.Module):
    """RTMPose's outputs: a distribution over half pixels for each axis of each point."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 32, 1)
        self.points = nn.Conv2d(32, COCO_POINTS, 1)
        nn.init.normal_(self.mix.weight, std=2.0)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        seen = nn.functional.avg_pool2d(image, 16)
        heat = self.points(torch.sin(self.mix(seen)))
        axes = [heat.amax(2), heat.amax(3)]
        smooth = [
            nn.functional.interpolate(each, size=size, mode="linear", align_corners=False)
            for each, size in zip(axes, (384, 512), strict=True)
        ]
        return smooth[0], smooth[1]


def _rtmpose(name: str, model: nn.Module, opens: str) -> Network:
    """Return RTMPose: one person in a crop of 1.25 times a box; alone, of the whole image.

    Source: projects/rtmpose of open-mmlab/mmpose; its config turns BGR to RGB.
    """
    size = (192, 256)

    def write(path: Path) -> None:
        inputs = {"input": torch.zeros(1, 3, size[1], size[0])}
        axes = {each: {0: "batch"} for each in ("input", "simcc_x", "simcc_y")}
        write_onnx(path, model, inputs, ("simcc_x", "simcc_y"), None, axes)

    def pose(path: Path, image: np.ndarray, box: np.ndarray) -> list[list[float]]:
        crop, centre, extent = decoding.crop_affine(image, box, size)
        values = decoding.planes(crop[..., ::-1], decoding.MEAN_RGB, decoding.STD_RGB)
        x, y = (each[0] for each in decoding.run(path, {"input": values}))
        places = np.stack([x.argmax(1), y.argmax(1)], 1) / 2
        places = places / np.array(size) * extent + centre - extent / 2
        scores = np.minimum(x.max(1), y.max(1))[:, None]
        found: list[list[float]] = np.concatenate([places, scores], 1).tolist()
        return found

    def predict(path: Path, image: np.ndarray) -> Result:
        if opens:
            from benchmarks.layouts.ultralytics_zoo import predict as detect

            found = detect(path.parent / f"{DETECTOR}.onnx", image)
            found.keypoints = [pose(path, image, np.array(box)) for box in found.boxes or []]
            return found
        whole = np.array([0, 0, *image.shape[1::-1]], np.float64)
        return Result(None, [1.0], [0], [pose(path, image, whole)])

    return Network(name, write, predict, opens)


class _MoveNet(nn.Module):
    """MoveNet's tensors: int32 (1, 192, 192, 3) in, (1, 1, 17, 3) of y, x and score out."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 32, 1)
        self.points = nn.Conv2d(32, COCO_POINTS, 1)
        nn.init.normal_(self.mix.weight, std=2.0)
        nn.init.normal_(self.points.weight, std=0.6)

    def forward(self, image: Tensor) -> Tensor:
        planes = image.float().permute(0, 3, 1, 2) / 127.5 - 1
        seen = torch.sin(self.mix(nn.functional.avg_pool2d(planes, 16)))
        heat = self.points(seen)
        share = heat.flatten(2).softmax(2).reshape(heat.shape)
        steps = (torch.arange(12) + 0.5) / 12
        y = (share.sum(3) * steps).sum(2)
        x = (share.sum(2) * steps).sum(2)
        return torch.stack([y, x, heat.amax((2, 3)).sigmoid()], 2)[:, None]


def _movenet() -> Network:
    """Return MoveNet SinglePose, letterboxed with black as its example does (resize_with_pad)."""
    torch.manual_seed(5)
    model, side = _MoveNet(), 192

    def write(path: Path) -> None:
        inputs = {"input": torch.zeros(1, side, side, 3, dtype=torch.int32)}
        write_onnx(path, model, inputs, ("output_0",))

    def predict(path: Path, image: np.ndarray) -> Result:
        canvas, back = decoding.boxed(image, side, 0, centred=True)
        rows = decoding.run(path, {"input": canvas[..., ::-1][None].astype(np.int32)})[0][0, 0]
        places = back(rows[:, 1::-1] * side)
        keypoints = np.concatenate([places, rows[:, 2:]], 1).tolist()
        score = float(rows[:, 2].mean())
        return Result(None, [score], [0], [keypoints] if score > CONFIDENCE else [])

    return Network("movenet-single", write, predict)
