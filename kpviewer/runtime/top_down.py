"""Runner of keypoint models that read crops (``models.top_down``): a runner of each of both models.

Crops are cut from the image's own pixels: for a model that kpviewer trained as it was trained, for
others as the makers' own programs do.

Source of the others' crops: mmpose, projects/rtmpose, examples/onnxruntime/main.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.geometry import Letterbox
from kpviewer.models.base import AnyDetector
from kpviewer.models.inputs.letterboxes import letterbox_of
from kpviewer.models.ranking import one_hot_scores
from kpviewer.models.selection import select
from kpviewer.models.spec import ModelSpec
from kpviewer.models.top_down import TopDownNetwork, read_classes
from kpviewer.runtime.letterboxing import padding_of, resizing_of
from kpviewer.runtime.runners import Runner, StageClock, candidates_of, fitting_runners
from kpviewer.runtime.unpacking import unpacked
from kpviewer.sources.opencv import cv2
from kpviewer.sources.resizing import resized
from kpviewer.structures import FloatArray, ImageArray

MAX_OBJECTS = 300
"""Largest number of crops of an image."""
MARGIN = 1.25
"""Side of a crop of OpenMMLab over that of the box."""
_MOST_TIMES = 32
"""Most times that a crop is cut larger before it is shrunk: 50 MB for face-points."""
_LEAST_SCORE = 0.25
"""Boxes above it, or above half the detector's own threshold, get a crop."""


class TopDownRunner:
    """Finds boxes, cuts a crop around each, and reads keypoints in it.

    Args:
        network: both models.
        spec: description of both as one.
        reader: runs the model of crops.
        boxes: runs the box detector; None: one box, the whole image.
        precision: name of the precision of both.
    """

    clock = StageClock

    def __init__(
        self,
        network: TopDownNetwork,
        spec: ModelSpec,
        reader: Runner,
        boxes: Runner | None,
        precision: str,
    ) -> None:
        self._network, self._reader, self._boxes = network, reader, boxes
        self._resize, self._classes = resizing_of(spec), len(spec.class_names)
        self.backend, self.precision = reader.backend, precision
        where = boxes if boxes is not None and reader.place == "cpu" else reader
        self.device, self.place = where.device, where.place
        self.needs_pinned_memory = boxes is not None and boxes.needs_pinned_memory
        crop_hw = network.reader.spec.input_hw
        self._crop_box = Letterbox.stretch(crop_hw, crop_hw)
        self._colour = padding_colour(network.reader.spec)

    def prepare(self, input_hw: tuple[int, int]) -> None:
        """Prepare both runners for images of a size."""
        if self._boxes is not None and self._network.boxes is not None:
            self._boxes.prepare(letterbox_of(self._network.boxes.spec, input_hw).input_hw)
        self._reader.prepare(self._crop_box.input_hw)

    def load(self, bgr: ImageArray, box: Letterbox) -> ImageArray:
        """Shrink the image if it is too large."""
        return np.asarray(self._resize(bgr, box.resized_hw), np.uint8)

    def forward(self, loaded: ImageArray) -> FloatArray:
        """Run both models: (R, 4 + C + 3K) boxes, scores and keypoints with theirs, best first."""
        xyxy, scores = self._found(loaded)
        size = np.array([loaded.shape[1], loaded.shape[0]] * 2, np.float32)
        points = [self._read(loaded, box) for box in xyxy.clip(0, size)]
        reader = self._network.reader.spec
        values = 2 if reader.keypoint_threshold is None else 3
        blank = np.zeros((0, values * len(reader.keypoint_names)))
        return np.concatenate([xyxy, scores, points or blank], 1, dtype=np.float32)

    def decode(self, raw: FloatArray, input_hw: tuple[int, int]) -> FloatArray:
        """Return the candidates, which are decoded."""
        return raw

    def _found(self, image: ImageArray) -> tuple[FloatArray, FloatArray]:
        """Return (R, 4) boxes that get a crop, px of the image, and their (R, C) scores."""
        source_hw = (image.shape[0], image.shape[1])
        if self._boxes is None or self._network.boxes is None:
            whole = np.array([[0, 0, source_hw[1], source_hw[0]]], np.float32)
            return whole, one_hot_scores(
                np.ones(1, np.float32), np.zeros(1, np.int64), self._classes
            )
        spec = self._network.boxes.spec
        box = letterbox_of(spec, source_hw)
        candidates = unpacked(candidates_of(self._boxes, image, box), spec, box, source_hw)
        thresholds = replace(
            spec.thresholds,
            score=min(_LEAST_SCORE, spec.score_threshold / 2),
            classes=read_classes(spec, self._network.reader.spec),
            max_detections=MAX_OBJECTS,
        )
        found = select(replace(candidates, size_wh=None), thresholds)
        return found.xyxy, one_hot_scores(found.scores, found.class_ids, self._classes)

    def _read(self, image: ImageArray, xyxy: FloatArray) -> FloatArray:
        """Return the keypoints of a box, px of the image, and behind them their scores: (3K,)."""
        crop_hw, margin = self._crop_box.input_hw, self._network.margin
        low, scale = crop_region(xyxy, crop_hw, margin or MARGIN)
        if margin is None:
            crop = cut(image, low, scale, crop_hw)
        else:
            crop = cut_smoothly(image, low, scale, crop_hw, self._colour)
        reader = self._network.reader.spec
        row = candidates_of(self._reader, crop, self._crop_box)[0, 4 + len(reader.class_names) :]
        points, scores = np.split(row, [2 * len(reader.keypoint_names)])
        return np.concatenate([(low + points.reshape(-1, 2) * scale).ravel(), scores])


def padding_colour(spec: ModelSpec) -> tuple[float, ...]:
    """Return the BGR colour that a model sees beside the image."""
    return tuple(padding_of(spec)[::-1].round().tolist())


def crop_region(
    xyxy: FloatArray, crop_hw: tuple[int, int], margin: float
) -> tuple[NDArray[np.float64], float]:
    """Return the corner (2,) of the region that a crop shows, px, and its px in one of the crop.

    A region is ``margin`` times its (4,) box, widened to the proportions of the crop.
    """
    box, crop = xyxy.astype(np.float64), np.array(crop_hw[::-1], np.float64)
    sides = (box[2:] - box[:2]).clip(min=1) * margin
    scale = float((sides / crop).max())
    return (box[:2] + box[2:]) / 2 - scale * crop / 2, scale


def cut(
    image: ImageArray,
    low: NDArray[Any],
    scale: float,
    crop_hw: tuple[int, int],
    colour: Sequence[float] = (0, 0, 0),
) -> ImageArray:
    """Cut a crop of an image by its region: pixel (0, 0) is the region's corner.

    Args:
        image: (H, W, 3) uint8 image.
        low: corner of the region, px of the image.
        scale: px of the image in one of the crop.
        crop_hw: height and width of the crop, px.
        colour: colour outside of the image.
    """
    matrix = np.array([[scale, 0, low[0]], [0, scale, low[1]]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = crop_hw[::-1]
    crop = cv2.warpAffine(image, matrix, size, flags=flags, borderValue=colour)
    return np.asarray(crop, np.uint8)


def cut_smoothly(
    image: ImageArray,
    low: NDArray[Any],
    scale: float,
    crop_hw: tuple[int, int],
    colour: Sequence[float],
) -> ImageArray:
    """Cut as ``cut`` does, with the centre of pixel (0, 0) half a pixel from the corner.

    A crop that shrinks the image is cut larger and shrunk by area averages.
    """
    times = min(1 << max(0, round(math.log2(scale))), _MOST_TIMES)
    scale /= times
    wide = cut(
        image, low + (scale - 1) / 2, scale, (crop_hw[0] * times, crop_hw[1] * times), colour
    )
    return resized(wide, crop_hw)


def make_top_down_runners(
    network: TopDownNetwork,
    spec: ModelSpec,
    make: Callable[[AnyDetector, str, str], list[Runner]],
    precision: str,
    backend: str,
) -> list[Runner]:
    """Return the runners to choose from: the exact one first, which others must agree with.

    Args:
        network: both models.
        spec: description of both as one.
        make: returns the runners of a detector by precision and backend.
        precision: auto, or a precision, of the model of crops; int8: of either model.
        backend: auto, or a backend, of the model of crops.

    Raises:
        PipelineError: if no runner fits.
    """
    readers = make(network.reader, "auto" if precision == "int8" else precision, backend)
    boxes = make(network.boxes, "auto", "auto") if network.boxes is not None else []
    pairs = [(each, _alike(each, boxes), each.precision) for each in readers]
    if all(each.precision != "int8" for each in readers):
        fewest_bits_first = (*readers[1:], readers[0])
        pairs[1:1] = [
            (each, coarse, "int8")
            for coarse in boxes
            for each in fewest_bits_first
            if coarse.precision == "int8" and coarse.backend == each.backend
        ][:1]
    runners = [TopDownRunner(network, spec, *pair) for pair in pairs]
    return fitting_runners(runners, spec.name, readers[0].precision, backend, precision)


def _alike(reader: Runner, boxes: Sequence[Runner]) -> Runner | None:
    """Return the runner of boxes on a reader's backend in its precision; else the exact one."""
    for each in boxes:
        if (each.backend, each.precision) == (reader.backend, reader.precision):
            return each
    return next(iter(boxes), None)
