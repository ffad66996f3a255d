"""Score face detectors on the same images with the same evaluator, and print a table.

    python benchmarks/compare_faces.py --data coco:faces/val/annotations.json \
        --model face-ssd --yunet face_detection_yunet.onnx --rfb version-RFB-320.onnx

Images are scaled to 320 px on the long side. Candidates have scores of at least 0.02; NMS at IoU
0.45 is kpviewer's. RFB-320 is scored twice: on images stretched to 320x240, like its authors do,
and on letterboxed images, on which it is better.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from kpviewer.annotations.classes import align_classes
from kpviewer.annotations.spec import read_annotations
from kpviewer.evaluation.detections import DetectionScores, Infer, score_detections
from kpviewer.geometry import Letterbox, xywh_to_xyxy
from kpviewer.models.inference_libraries import library
from kpviewer.sources.images import load_image
from kpviewer.sources.opencv import cv2
from kpviewer.structures import Candidates, FloatArray, ImageArray, Thresholds

if TYPE_CHECKING:
    from kpviewer.models.spec import ModelSpec

LONG_SIDE = 320
SCORE_FLOOR = 0.02
NMS_IOU = 0.45
FACE_POINTS = 5


def best(xyxy: FloatArray, scores: FloatArray, points: FloatArray) -> Candidates:
    """Keep the best 400 of (M, 4) boxes with (M,) scores and (M, K, 2) points."""
    order = np.argsort(-scores, kind="stable")[:400]
    return Candidates(
        xyxy[order].astype(np.float32),
        np.clip(scores[order], 0, 1).astype(np.float32)[:, None],
        points[order].astype(np.float32),
    )


class YuNet:
    """YuNet (Wu et al. 2023), run by OpenCV."""

    def __init__(self, path: Path) -> None:
        size = (LONG_SIDE, LONG_SIDE)
        self._net = cv2.FaceDetectorYN.create(str(path), "", size, SCORE_FLOOR, NMS_IOU, 5000)

    def infer(self, bgr: ImageArray) -> Candidates:
        """Detect on the image scaled to LONG_SIDE; the viewer's left eye comes first."""
        scale = LONG_SIDE / max(bgr.shape[:2])
        size = (max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale)))
        self._net.setInputSize(size)
        _, found = self._net.detect(cv2.resize(bgr, size, interpolation=_filter(scale)))
        if found is None:
            return Candidates.empty(1, FACE_POINTS)
        rows = np.asarray(found, np.float32)  # (M, 15): x y w h, 5 points, score
        xyxy = xywh_to_xyxy(rows[:, :4]) / scale
        return best(xyxy, rows[:, 14], rows[:, 4:14].reshape(-1, FACE_POINTS, 2) / scale)


class UltraLight:
    """Ultra-Light-Fast-Generic-Face-Detector-1MB, RFB-320 (Linzaer 2019), run by ONNX Runtime."""

    def __init__(self, path: Path, threads: int) -> None:
        onnxruntime = library("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0]

    def infer(self, bgr: ImageArray) -> Candidates:
        """Detect boxes on the image stretched to the network's input."""
        height, width = self._input.shape[2:]
        small = cv2.resize(bgr, (width, height), interpolation=cv2.INTER_LINEAR)
        rgb = (small[..., ::-1].astype(np.float32) - 127.0) / 128.0
        scores, boxes = self._session.run(
            None, {self._input.name: np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])}
        )  # (1, P, 2) background and face; (1, P, 4) corners in shares of the sides
        xyxy = boxes[0] * np.array([bgr.shape[1], bgr.shape[0]] * 2, np.float32)
        kept = scores[0, :, 1] >= SCORE_FLOOR
        return best(xyxy[kept], scores[0, kept, 1], np.zeros((kept.sum(), 0, 2), np.float32))

    def infer_letterboxed(self, bgr: ImageArray) -> Candidates:
        """Detect boxes on the image letterboxed in grey."""
        height, width = self._input.shape[2:]
        box = Letterbox.fit(bgr.shape[:2], (height, width))
        rows, columns = box.resized_hw
        canvas = np.full((height, width, 3), 127, np.uint8)
        canvas[box.top : box.top + rows, box.left : box.left + columns] = cv2.resize(
            bgr, (columns, rows), interpolation=_filter(box.scale_x)
        )
        found = self.infer(canvas)
        return Candidates(box.to_source(found.xyxy), found.scores, found.keypoints_xy)


def own_model(name: str, threads: int) -> tuple[Infer, ModelSpec]:
    """Load one of kpviewer's models on the CPU."""
    import torch

    from kpviewer.models.weights import load_model
    from kpviewer.runtime.executor import Executor

    executor = Executor(load_model(name), "cpu")
    torch.set_num_threads(threads)  # Executor sets another number
    return lambda bgr: executor.infer(bgr)[0], executor.spec


def _filter(scale: float) -> int:
    return int(cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def table_row(name: str, report: DetectionScores) -> str:
    """Return one line of the Markdown table."""
    score = report.overall
    cells = [
        name,
        _number(score.precision.ap50),
        _number(score.precision.ap),
        _number(score.keypoints.mean, 4),
        _number(score.keypoints.median, 4),
        _number(score.working_point.recall),
        f"{score.negatives.clean}/{score.negatives.images}",
        f"{report.frame_ms.p50:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


HEADER = """\
| detector | AP@0.5 | AP@[.5:.95] | NME mean | NME median | recall @ 0.1 FP | clean negatives | ms |
|---|---|---|---|---|---|---|---|"""


@click.command()
@click.option("--data", required=True, metavar="SPEC", help="Data, such as coco:FILE.")
@click.option("--model", "models", multiple=True, help="Model of kpviewer, by name or file.")
@click.option(
    "--yunet", type=click.Path(path_type=Path, exists=True), help="YuNet as an ONNX file."
)
@click.option(
    "--rfb", type=click.Path(path_type=Path, exists=True), help="RFB-320 as an ONNX file."
)
@click.option(
    "--threads", default=2, show_default=True, help="Number of CPU threads of each runtime."
)
@click.option("--groups", is_flag=True, help="Add a line for each source of images.")
def main(
    data: str,
    models: tuple[str, ...],
    yunet: Path | None,
    rfb: Path | None,
    threads: int,
    groups: bool,
) -> None:
    """Print the table of scores, as Markdown."""
    cv2.setNumThreads(threads)
    annotations = align_classes(read_annotations(data), ("face",))
    click.echo(HEADER)
    for name, infer in _detectors(models, yunet, rfb, threads):
        each = partial(_each, infer)
        report = score_detections(each, annotations, load_image, thresholds=Thresholds(iou=NMS_IOU))
        click.echo(table_row(name, report))
        for source, score in report.groups.items() if groups else ():
            part = replace(report, overall=score)
            click.echo(table_row(f"{name}: {source}", part))


def _each(infer: Infer, images: Sequence[ImageArray]) -> list[Candidates]:
    return [infer(bgr) for bgr in images]


def _detectors(
    models: tuple[str, ...], yunet: Path | None, rfb: Path | None, threads: int
) -> Iterator[tuple[str, Infer]]:
    for model in models:
        infer, spec = own_model(model, threads)
        yield f"kpviewer {spec.name}", infer
    if yunet is not None:
        yield f"YuNet ({LONG_SIDE})", YuNet(yunet).infer
    if rfb is not None:
        ultra_light = UltraLight(rfb, threads)
        yield "Ultra-Light RFB-320", ultra_light.infer
        yield "Ultra-Light RFB-320, letterboxed", ultra_light.infer_letterboxed


if __name__ == "__main__":
    main()
