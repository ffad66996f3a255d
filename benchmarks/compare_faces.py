"""Score face detectors on the same images with the same evaluator, and print a table.

    python benchmarks/compare_faces.py --data coco:faces/val/annotations.json \
        --model face-ssd --yunet face_detection_yunet.onnx --rfb version-RFB-320.onnx

YuNet and CenterFace get images of 320 px on the long side, or of ``--side`` px. Candidates have
scores of at least 0.02; NMS at IoU 0.45 is kpviewer's. RFB-320 is scored twice: on images stretched
to 320x240, like its authors do, and on letterboxed images, on which it is better.

``--conditions`` adds a table at the default threshold: the share of missed faces on the same images
made grey, and with 1.8 times the contrast, and the recall of faces of 12 to 24 px.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np

from kpviewer.annotations.derived.classes import align_classes
from kpviewer.annotations.spec import read_annotations
from kpviewer.annotations.structure import AnnotationSet
from kpviewer.evaluation.detections import DetectionScores, Infer, score_detections
from kpviewer.geometry import Letterbox, xywh_to_xyxy
from kpviewer.metrics.matching import match
from kpviewer.models.libraries.inference import library
from kpviewer.models.selection import select
from kpviewer.sources.images.source import load_image
from kpviewer.sources.opencv import cv2
from kpviewer.structures import Candidates, FloatArray, ImageArray, Thresholds

LONG_SIDE = 320
"""Side at which sizes of faces are counted, px."""
SCORE_FLOOR = 0.02
NMS_IOU = 0.45
FACE_POINTS = 5
OTHERS_THRESHOLD = 0.7
"""Score of a detection of others: YuNet as in ``label_faces``, RFB-320 as its authors use it."""
CENTERFACE_OUTPUTS = ("537", "538", "539", "540")
"""Heat map of centres, log of the sides, offsets of the centres, and landmarks."""
SMALL_PX = (12.0, 24.0)
"""Small faces: the square root of the area of the box, px of the scaled image."""


class Detector(NamedTuple):
    """A detector with its default threshold."""

    name: str
    infer: Callable[[ImageArray], Candidates]
    threshold: float = OTHERS_THRESHOLD


def best(xyxy: FloatArray, scores: FloatArray, points: FloatArray) -> Candidates:
    """Keep the best 400 of (M, 4) boxes with (M,) scores and (M, K, 2) points."""
    order = np.argsort(-scores, kind="stable")[:400]
    return Candidates(
        xyxy[order].astype(np.float32),
        np.clip(scores[order], 0, 1).astype(np.float32)[:, None],
        points[order].astype(np.float32),
    )


class YuNet:
    """YuNet (Wu et al. 2023), run by OpenCV on images of ``side`` px on the long side."""

    def __init__(self, path: Path, side: int = LONG_SIDE) -> None:
        self._side = side
        size = (side, side)
        self._net = cv2.FaceDetectorYN.create(str(path), "", size, SCORE_FLOOR, NMS_IOU, 5000)

    def infer(self, bgr: ImageArray) -> Candidates:
        """Detect on the scaled image; the viewer's left eye comes first."""
        small, scale = scaled(bgr, self._side)
        self._net.setInputSize(small.shape[1::-1])
        _, found = self._net.detect(small)
        if found is None:
            return Candidates.empty(1, FACE_POINTS)
        rows = np.asarray(found, np.float32)  # (M, 15): x y w h, 5 points, score
        xyxy = xywh_to_xyxy(rows[:, :4]) / scale
        return best(xyxy, rows[:, 14], rows[:, 4:14].reshape(-1, FACE_POINTS, 2) / scale)


class CenterFace:
    """CenterFace (Xu et al. 2019), run by OpenCV on images of ``side`` px, boxes alone."""

    def __init__(self, path: Path, side: int) -> None:
        self._net = cv2.dnn.readNetFromONNX(str(path))
        self._side = side

    def infer(self, bgr: ImageArray) -> Candidates:
        """Detect on the scaled image, padded to multiples of 32 px."""
        small, scale = scaled(bgr, self._side)
        height, width = (-side % 32 for side in small.shape[:2])
        padded = cv2.copyMakeBorder(small, 0, height, 0, width, cv2.BORDER_CONSTANT)
        self._net.setInput(cv2.dnn.blobFromImage(padded, swapRB=True))
        heat, log_hw, offset_yx, _ = self._net.forward(CENTERFACE_OUTPUTS)
        rows, columns = np.nonzero(heat[0, 0] >= SCORE_FLOOR)
        sides = 4 * np.exp(log_hw[0, ::-1, rows, columns])  # (N, 2) w, h: the maps' stride is 4
        centres = 4 * (offset_yx[0, ::-1, rows, columns] + np.stack([columns, rows], 1) + 0.5)
        xyxy = np.concatenate([centres - sides / 2, centres + sides / 2], 1) / scale
        no_points = np.zeros((len(rows), 0, 2), np.float32)
        return best(xyxy.astype(np.float32), heat[0, 0, rows, columns], no_points)


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


def own_model(name: str, threads: int) -> Detector:
    """Load one of kpviewer's models on the CPU."""
    import torch

    from kpviewer.models.weights import load_model
    from kpviewer.runtime.executor import Executor

    executor = Executor(load_model(name), "cpu")
    torch.set_num_threads(threads)  # Executor sets another number
    spec = executor.spec
    return Detector(
        f"kpviewer {spec.name}", lambda bgr: executor.infer(bgr)[0], spec.score_threshold
    )


def scaled(bgr: ImageArray, side: int) -> tuple[ImageArray, float]:
    """Return the image with ``side`` px on the long side, and its scale."""
    scale = side / max(bgr.shape[:2])
    size = (max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale)))
    return np.asarray(cv2.resize(bgr, size, interpolation=_filter(scale)), np.uint8), scale


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


def grey(bgr: ImageArray) -> ImageArray:
    """Return the image without colours."""
    return np.asarray(cv2.cvtColor(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))


def contrasted(bgr: ImageArray) -> ImageArray:
    """Return the image with 1.8 times the contrast about mid-grey, clipped."""
    return ((bgr.astype(np.float32) - 128) * 1.8 + 128).clip(0, 255).astype(np.uint8)


def found_faces(
    infer: Infer,
    annotations: AnnotationSet,
    score: float,
    change: Callable[[ImageArray], ImageArray],
) -> tuple[FloatArray, int]:
    """Detect on changed images at one threshold.

    Returns:
        (N, 2) sizes of the faces, px of the scaled image, and whether each was found (0 or 1); and
        the number of false positives.
    """
    rows, false_positives = [np.zeros((0, 2), np.float32)], 0
    for image in annotations.images:
        bgr, truth = load_image(image.path), image.targets
        assert bgr is not None
        seen = select(infer(change(bgr)), Thresholds(score=score, iou=NMS_IOU))
        matches = match(seen, truth)
        false_positives += matches.false_positives
        found = np.isin(np.arange(len(truth)), matches.pairs[1])
        sides = truth.xyxy[:, 2:] - truth.xyxy[:, :2]
        size = np.sqrt(sides.prod(1)) * LONG_SIDE / max(bgr.shape[:2])
        rows.append(np.stack([size, found], 1)[~truth.difficult])
    return np.concatenate(rows), false_positives


def conditions_row(name: str, infer: Infer, annotations: AnnotationSet, score: float) -> str:
    """Return one line of the second table."""
    plain, false_positives = found_faces(infer, annotations, score, lambda bgr: bgr)
    changed = [found_faces(infer, annotations, score, each)[0] for each in (grey, contrasted)]
    missed = [100 * (1 - each[:, 1].mean()) for each in (plain, *changed)]
    small = plain[(plain[:, 0] >= SMALL_PX[0]) & (plain[:, 0] < SMALL_PX[1]), 1]
    cells = [
        name,
        f"{score:.2f}",
        *(f"{each:.1f} %" for each in missed),
        f"{small.mean():.2f} of {len(small)}" if len(small) else "-",
        f"{false_positives / len(annotations):.3f}",
    ]
    return "| " + " | ".join(cells) + " |"


CONDITIONS_HEADER = """
| detector | threshold | missed | grey | contrast x1.8 | recall 12-24 px | FP an image |
|---|---|---|---|---|---|---|"""

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
    "--centerface", type=click.Path(path_type=Path, exists=True), help="CenterFace as an ONNX file."
)
@click.option(
    "--side", default=LONG_SIDE, show_default=True, help="Long side for both of these, px."
)
@click.option(
    "--threads", default=2, show_default=True, help="Number of CPU threads of each runtime."
)
@click.option("--groups", is_flag=True, help="Add a line for each source of images.")
@click.option("--conditions", is_flag=True, help="Add a table of grey and hard-contrast images.")
def main(  # noqa: PLR0913, PLR0917 - options of a command
    data: str,
    models: tuple[str, ...],
    yunet: Path | None,
    rfb: Path | None,
    centerface: Path | None,
    side: int,
    threads: int,
    groups: bool,
    conditions: bool,
) -> None:
    """Print the table of scores, as Markdown."""
    cv2.setNumThreads(threads)
    annotations = align_classes(read_annotations(data), ("face",))
    detectors = [own_model(model, threads) for model in models]
    if yunet is not None:
        detectors.append(Detector(f"YuNet ({side})", YuNet(yunet, side).infer))
    if centerface is not None:
        detectors.append(Detector(f"CenterFace ({side})", CenterFace(centerface, side).infer))
    if rfb is not None:
        ultra_light = UltraLight(rfb, threads)
        detectors += [
            Detector("Ultra-Light RFB-320", ultra_light.infer),
            Detector("Ultra-Light RFB-320, letterboxed", ultra_light.infer_letterboxed),
        ]
    click.echo(HEADER)
    for name, detect, _ in detectors:
        each = partial(_each, detect)
        report = score_detections(each, annotations, thresholds=Thresholds(iou=NMS_IOU))
        click.echo(table_row(name, report))
        for source, score in report.groups.items() if groups else ():
            part = replace(report, overall=score)
            click.echo(table_row(f"{name}: {source}", part))
    if conditions:
        click.echo(CONDITIONS_HEADER)
        for name, detect, threshold in detectors:
            click.echo(conditions_row(name, detect, annotations, threshold))


def _each(infer: Infer, images: Sequence[ImageArray]) -> list[Candidates]:
    return [infer(bgr) for bgr in images]


if __name__ == "__main__":
    main()
