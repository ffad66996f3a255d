"""Layouts of the YOLO repositories, YOLOX, YOLO-NAS, and the DETRs with a second input."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.ops import nms

from benchmarks.layouts import decoding
from benchmarks.layouts.common import CONFIDENCE, IOU, MAX_DETECTIONS, Network, Result
from benchmarks.layouts.tiny import STRIDES, Head, Pyramid, grid, pyramid_over, write_onnx

SIZE = 320
NAMES = {0: "crow", 1: "gull", 2: "duck"}
REPOSITORY = {"stride": 32, "names": NAMES}
"""Metadata of ultralytics/yolov5's and WongKinYiu/yolov9's export.py; yolov7's writes none."""


def networks(images: Mapping[str, np.ndarray]) -> Iterator[Network]:
    """Yield all layouts; ``images`` calibrate their weights."""
    image = images["small"]
    rgb = decoding.planes(_rgb(image), 0, 255)
    for name, output, metadata, classes in (
        ("yolov5-repo-3", "output0", REPOSITORY, 3),
        ("yolov5-repo-1", "output0", {"stride": 32, "names": {0: "crow"}}, 1),
        ("yolov7-repo-3", "output", {}, 3),
    ):
        head = Head(pyramid_over(5 + classes, classes, rgb, anchors=3), _objectness_rows)
        yield _single(name, head, (output,), metadata, _read_objectness)
    head = Head(pyramid_over(7, 3, rgb), _class_columns)
    yield _single("yolov9-repo-3", head, ("output0",), REPOSITORY, _read_columns)
    head = Head(pyramid_over(8, 3, rgb, anchors=3), _yolov7_end2end)
    yield _single("yolov7-repo-3-end2end", head, ("output",), {}, _read_end2end)
    head = Head(pyramid_over(7, 3, rgb), _nas_raw)
    yield _single("yolo-nas-3", head, ("boxes", "scores"), {}, _read_nas)
    raw = decoding.planes(image, 0, 1)
    pyramid = pyramid_over(8, 3, raw, unit=255.0)
    yield _yolox("yolox-3", pyramid, _yolox_undecoded)
    yield _yolox("yolox-3-decoded", pyramid, _yolox_decoded)
    yield _nas_batch(Head(_Bytes(pyramid_over(7, 3, rgb)), _nas_rows))
    for name in ("rtdetr-official-3", "d-fine-3"):
        yield _two_inputs(name, Head(pyramid_over(7, 3, rgb), _detr))
    yield _dense()


def _rgb(image: np.ndarray) -> np.ndarray:
    return image[..., ::-1]


def _decoded(levels: list[Tensor], classes: int, anchors: int = 1) -> tuple[Tensor, Tensor]:
    """Return boxes as centre and size in input pixels, and class logits with what follows."""
    boxes, rest = [], []
    for rows, stride in zip(levels, STRIDES, strict=True):
        x, y = grid(rows, stride, SIZE // stride, anchors)
        box = rows[..., classes : classes + 4]
        centre = (torch.cat([x, y], 2) + 0.5 + box[..., :2].tanh()) * stride
        boxes.append(torch.cat([centre, (box[..., 2:] + 1.2).exp() * stride], 2))
        rest.append(torch.cat([rows[..., :classes], rows[..., classes + 4 :]], 2))
    return torch.cat(boxes, 1), torch.cat(rest, 1)


def _objectness_rows(levels: list[Tensor]) -> Tensor:
    """yolov5, yolov7 --grid: (1, P, 5 + C) of centre, size, objectness and class scores."""
    classes = levels[0].shape[2] - 5
    boxes, rest = _decoded(levels, classes, 3)
    objectness = rest[..., -1:].sigmoid() * 0.2 + 0.8
    return torch.cat([boxes, objectness, rest[..., :classes].sigmoid()], 2)


def _class_columns(levels: list[Tensor]) -> Tensor:
    """yolov9: (1, 4 + C, P)."""
    boxes, rest = _decoded(levels, 3)
    return torch.cat([boxes, rest.sigmoid()], 2).transpose(1, 2)


def _corners(boxes: Tensor) -> Tensor:
    half = boxes[..., 2:] / 2
    return torch.cat([boxes[..., :2] - half, boxes[..., :2] + half], -1)


def _yolov7_end2end(levels: list[Tensor]) -> Tensor:
    """yolov7 --end2end --max-wh: (N, 7) of image, corners, class and score after NMS."""
    rows = _objectness_rows(levels)[0]
    score, kind = (rows[:, 5:] * rows[:, 4:5]).max(1)
    boxes = _corners(rows[:, :4])
    kept = score > CONFIDENCE
    boxes, score, kind = boxes[kept], score[kept], kind[kept].float()
    order = nms(boxes + kind[:, None] * SIZE * 4, score, IOU)
    columns = [score[order] * 0, *boxes[order].unbind(1), kind[order], score[order]]
    return torch.stack(columns, 1)


def _nas_raw(levels: list[Tensor]) -> tuple[Tensor, Tensor]:
    """YOLO-NAS without post-processing: (1, P, 4) corners and (1, P, C) scores."""
    boxes, rest = _decoded(levels, 3)
    return _corners(boxes), rest.sigmoid()


def _nas_rows(levels: list[Tensor]) -> tuple[Tensor, ...]:
    """YOLO-NAS with post-processing, format "batch": count, boxes, scores and classes."""
    boxes, scores = _nas_raw(levels)
    score, kind = scores[0].max(1)
    kept = score > CONFIDENCE
    order = nms(boxes[0][kept] + kind[kept][:, None] * SIZE * 4, score[kept], IOU)
    order = order[: torch.tensor(MAX_DETECTIONS)]
    room = MAX_DETECTIONS - order.shape[0]
    parts = boxes[0][kept][order], score[kept][order], kind[kept][order]
    padded = [nn.functional.pad(parts[0], (0, 0, 0, room))[None]]
    padded += [nn.functional.pad(part, (0, room))[None] for part in parts[1:]]
    return (torch._shape_as_tensor(order)[:1].reshape(1, 1), *padded)  # noqa: SLF001


def _yolox_undecoded(levels: list[Tensor]) -> Tensor:
    """YOLOX without --decode_in_inference: offsets in cells and logarithms of sizes."""
    rows = torch.cat(levels, 1)
    boxes = torch.cat([rows[..., 3:5].tanh() + 0.5, rows[..., 5:7] + 1.2], 2)
    objectness = rows[..., 7:].sigmoid() * 0.2 + 0.8
    return torch.cat([boxes, objectness, rows[..., :3].sigmoid()], 2)


def _yolox_decoded(levels: list[Tensor]) -> Tensor:
    """YOLOX with --decode_in_inference: the same in input pixels."""
    rows, parts = _yolox_undecoded(levels), []
    counts = [level.shape[1] for level in levels]
    for part, stride in zip(rows.split(counts, 1), STRIDES, strict=True):
        x, y = grid(part, stride, SIZE // stride)
        centre = (part[..., :2] + torch.cat([x, y], 2)) * stride
        parts.append(torch.cat([centre, part[..., 2:4].exp() * stride, part[..., 4:]], 2))
    return torch.cat(parts, 1)


def _detr(levels: list[Tensor], sizes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """RT-DETR's and D-FINE's deployed post-processor: labels, boxes in image px and scores."""
    boxes, rest = _decoded(levels, 3)
    scores, index = rest.sigmoid().flatten(1).topk(MAX_DETECTIONS)
    chosen = _corners(boxes / SIZE)[0][index[0] // 3][None]
    return index % 3, chosen * sizes.float().repeat(1, 2)[:, None], scores


class _Bytes(nn.Module):
    """The normalisation inside of YOLO-NAS's export: uint8 BGR in."""

    def __init__(self, pyramid: Pyramid) -> None:
        super().__init__()
        self.pyramid = pyramid

    def forward(self, image: Tensor) -> list[Tensor]:
        return self.pyramid(image.float().flip(1) / 255)


def _single(
    name: str, head: Head, outputs: tuple[str, ...], metadata: dict[str, Any], read: Any
) -> Network:
    """Return a network of one RGB input in [0, 1], letterboxed as YOLOv5 does."""

    def write(path: Path) -> None:
        write_onnx(path, head, {"images": torch.zeros(1, 3, SIZE, SIZE)}, outputs, metadata)

    def predict(path: Path, image: np.ndarray) -> Result:
        canvas, back = decoding.boxed(image, SIZE, 114, centred=True)
        values = decoding.planes(_rgb(canvas), 0, 255)
        return read(image, decoding.run(path, {"images": values}), back)

    return Network(name, write, predict)


def _read_objectness(image: np.ndarray, outputs: list[np.ndarray], back: Any) -> Result:
    rows = outputs[0][0]
    boxes = back(decoding.corners(rows[:, :4]))
    return decoding.suppressed(image, boxes, rows[:, 4:5] * rows[:, 5:])


def _read_columns(image: np.ndarray, outputs: list[np.ndarray], back: Any) -> Result:
    rows = outputs[0][0].T
    return decoding.suppressed(image, back(decoding.corners(rows[:, :4])), rows[:, 4:])


def _read_end2end(image: np.ndarray, outputs: list[np.ndarray], back: Any) -> Result:
    rows = outputs[0]
    scores = decoding.one_hot(rows[:, 6], rows[:, 5], 3)
    return decoding.suppressed(image, back(rows[:, 1:5]), scores)


def _read_nas(image: np.ndarray, outputs: list[np.ndarray], back: Any) -> Result:
    return decoding.suppressed(image, back(outputs[0][0]), outputs[1][0])


def _yolox(name: str, pyramid: Pyramid, layout: Any) -> Network:
    """Return YOLOX: BGR of 0 to 255, padded at the right and at the bottom."""

    def write(path: Path) -> None:
        inputs = {"images": torch.zeros(1, 3, SIZE, SIZE)}
        write_onnx(path, Head(pyramid, layout), inputs, ("output",))

    def predict(path: Path, image: np.ndarray) -> Result:
        canvas, back = decoding.boxed(image, SIZE, 114, centred=False)
        (rows,) = decoding.run(path, {"images": decoding.planes(canvas)})[0]
        if layout is _yolox_undecoded:  # demo_postprocess of YOLOX's demo_utils.py
            centres = np.concatenate([decoding.cells(SIZE, stride) for stride in STRIDES])
            strides = np.repeat(STRIDES, [(SIZE // stride) ** 2 for stride in STRIDES])[:, None]
            boxes = [(rows[:, :2] + centres) * strides, np.exp(rows[:, 2:4]) * strides]
            rows = np.concatenate([*boxes, rows[:, 4:]], 1).astype(np.float32)
        return _read_objectness(image, [rows[None]], back)

    chosen = "yolox" if layout is _yolox_undecoded else "yolox-decoded"
    return Network(name, write, predict, f"FOLDER/{name}.onnx@{chosen}")


def _nas_batch(head: Head) -> Network:
    names = ("num_predictions", "pred_boxes", "pred_scores", "pred_classes")

    def write(path: Path) -> None:
        inputs = {"input": torch.zeros(1, 3, SIZE, SIZE, dtype=torch.uint8)}
        write_onnx(path, head, inputs, [f"graph2_{name}" for name in names])

    def predict(path: Path, image: np.ndarray) -> Result:
        canvas, back = decoding.boxed(image, SIZE, 114, centred=True)
        values = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None])
        count, boxes, scores, classes = decoding.run(path, {"input": values})
        found = slice(int(count.item()))
        table = decoding.one_hot(scores[0][found], classes[0][found], 3)
        return decoding.suppressed(image, back(boxes[0][found]), table)

    return Network("yolo-nas-3-nms", write, predict)


def _two_inputs(name: str, head: Head) -> Network:
    def write(path: Path) -> None:
        image, size = torch.zeros(1, 3, SIZE, SIZE), torch.tensor([[SIZE, SIZE]])
        batch = {"images": {0: "N"}, "orig_target_sizes": {0: "N"}}
        inputs = {"images": image, "orig_target_sizes": size}
        write_onnx(path, head, inputs, ("labels", "boxes", "scores"), None, batch)

    def predict(path: Path, image: np.ndarray) -> Result:
        values = decoding.planes(decoding.stretched(_rgb(image), SIZE), 0, 255)
        size = np.array([image.shape[1::-1]], np.int64)  # width, height
        inputs = {"images": values, "orig_target_sizes": size}
        (labels,), (boxes,), (scores,) = decoding.run(path, inputs)
        kept = scores > CONFIDENCE  # no NMS
        return Result(boxes[kept].tolist(), scores[kept].tolist(), labels[kept].tolist())

    return Network(name, write, predict)


class _Crowd(nn.Module):
    """256 objects, each predicted eight times: 2,048 rows over the confidence, before NMS."""

    def __init__(self) -> None:
        super().__init__()
        steps = torch.arange(16) * 20.0 + 10
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        scores = torch.linspace(0.95, 0.3, 256)
        copies = []
        for copy in range(8):
            sides = torch.full_like(x, 14.0 + copy * 0.1)
            rows = [x, y, sides, sides]
            columns = [*(each.flatten() for each in rows), scores - copy * 0.001, scores * 0]
            copies.append(torch.stack(columns))
        self.rows = nn.Buffer(torch.cat(copies, 1)[None])

    def forward(self, image: Tensor) -> Tensor:
        return self.rows + image.mean() * 0


def _dense() -> Network:
    """Return a raw head with more rows than a ranking of 400 keeps."""
    from benchmarks.layouts.ultralytics_zoo import predict

    entries = {"task": "detect", "names": {0: "person", 1: "dog"}, "imgsz": [SIZE, SIZE]}
    entries |= {"stride": 32, "batch": 1, "head": "Detect", "end2end": False, "args": {}}

    def write(path: Path) -> None:
        inputs = {"images": torch.zeros(1, 3, SIZE, SIZE)}
        write_onnx(path, _Crowd(), inputs, ("output0",), entries)

    return Network("ultralytics-crowd", write, predict)
