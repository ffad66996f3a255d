"""Refinement of keypoints outside of a detector's graph: of the objects that were found, alone.

Within the graph, windows of as many objects as it may find are always computed. It names the
candidates to refine instead; OpenCV cuts their windows out of the pixels, and the refiner's own
graph reads them (``models.networks.points.refiner``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.models.libraries.inference import library
from kpviewer.models.libraries.openvino_requests import outputs_of
from kpviewer.models.onnx.facts import FileFacts, Port
from kpviewer.models.onnx.openvino.graph import Changes
from kpviewer.models.onnx.openvino.int8 import Ranges
from kpviewer.models.onnx.openvino.pixels import PixelInput
from kpviewer.models.onnx.openvino.session import OpenVinoSession
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.sessions.planes import split
from kpviewer.sources.opencv import cv2
from kpviewer.structures import FloatArray, ImageArray

ROWS, ROUGH, REFINED = "refiner.rows", "refiner.rough", "refiner.refined"
"""Outputs of a detector's graph: candidates to refine, or -1, and points before and after it."""
TEMPLATE = "template"
"""Key of its metadata: the points of a mean object in window units, as JSON."""
WINDOWS, PLACES = "windows", "places"
"""Input and output of the refiner's graph: (N, 3, WINDOW, WINDOW), and (N, K, 2) window units."""
WINDOW = 64
"""Side of a window, px; a unit is half of it."""
_ONE_BY_ONE = 3
"""Most windows that are read one by one: more are read with others up to ``_TOGETHER``."""
_TOGETHER = 8


class Refining:
    """The refiner of a detector, on one thread: its network is too small for more.

    Args:
        path: file of the refiner's graph.
        spec: description of the detector.
        template: points of a mean object, as in the metadata of the detector's graph.
        precision: precision of the computation.
        ranges: inputs of convolutions to compute in 8-bit integers.
    """

    def __init__(
        self, path: Path, spec: ModelSpec, template: str, precision: str, ranges: Ranges | None
    ) -> None:
        points = [complex(*point) for point in json.loads(template)]
        port = Port(WINDOWS, (None, 3, WINDOW, WINDOW))
        facts = FileFacts(path.stem, (port,), {PLACES: (None, len(points), 2)}, path=path)
        changes = Changes(PixelInput(WINDOWS, spec.mean, spec.std, False, split), ranges)
        session = OpenVinoSession(path, "CPU", precision, changes, facts, threads=1)
        self._one, self._several = (_Reader(session, count) for count in (1, _TOGETHER))
        self._centre = sum(points) / len(points)
        arms = [point - self._centre for point in points]
        power = sum(abs(arm) ** 2 for arm in arms)
        self._arms = [arm.conjugate() / power for arm in arms]
        self._colour = tuple(float(round(255 * value)) for value in spec.mean)
        self._first = 4 + len(spec.class_names)

    def __call__(self, rgb: NDArray[Any], candidates: FloatArray, rows: NDArray[np.int64]) -> None:
        """Refine the points of some candidates in place.

        Args:
            rgb: (B, h, w, 3) uint8 images.
            candidates: (B, M, 4 + C + 2K) candidates of each, input px.
            rows: (B, R) rows of the candidates to refine; -1: none.
        """
        for image, own, wanted in zip(rgb, candidates, rows.tolist(), strict=True):
            chosen = [row for row in wanted if row >= 0]
            reader = self._one if len(chosen) <= _ONE_BY_ONE else self._several
            for start in range(0, len(chosen), reader.count):
                part = chosen[start : start + reader.count]
                rough = own[part, self._first :].tolist()
                own[part, self._first :] = self._refined(image, rough, reader)

    def _refined(
        self, image: ImageArray, rough: list[list[float]], reader: _Reader
    ) -> list[list[float]]:
        """Return N rows of refined points, x and y in turn, from those of rough ones; input px."""
        frames = [self._frame(row) for row in rough]
        for window, frame in zip(reader.windows, frames, strict=False):
            self._cut(image, frame, window)
        places = reader.read()[: len(frames)].tolist()
        found = (
            [turn * complex(*place) + origin for place in own]
            for own, (turn, origin) in zip(places, frames, strict=True)
        )
        return [[side for point in own for side in (point.real, point.imag)] for own in found]

    def _frame(self, row: list[float]) -> tuple[complex, complex]:
        """Return the least-squares similarity from the template to points, x and y in turn.

        A number z of the window, in units from its centre, is at turn * z + origin of the image.

        Source: as ``models.networks.points.refiner.frames_of``, in complex numbers.
        """
        points = [complex(x, y) for x, y in zip(row[::2], row[1::2], strict=True)]
        turn = sum(point * arm for point, arm in zip(points, self._arms, strict=True))
        return turn, sum(points) / len(points) - turn * self._centre

    def _cut(self, image: ImageArray, frame: tuple[complex, complex], window: ImageArray) -> None:
        """Write the pixels around an object, upright, into a (WINDOW, WINDOW, 3) array."""
        turn, origin = frame
        step = turn * 2 / WINDOW
        # centres of pixels: half a pixel from the corners of the window and of the image
        start = origin - turn * (1 + 1j) * (1 - 1 / WINDOW) - (0.5 + 0.5j)
        cv2.warpAffine(
            image,
            np.array([[step.real, -step.imag, start.real], [step.imag, step.real, start.imag]]),
            (WINDOW, WINDOW),
            dst=window,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=self._colour,
        )


class _Reader:
    """The refiner's graph for a number of windows, which it keeps.

    Args:
        session: session of the graph.
        count: number of windows.
    """

    def __init__(self, session: OpenVinoSession, count: int) -> None:
        self.count = count
        self.windows = np.zeros((count, WINDOW, WINDOW, 3), np.uint8)
        """Pixels of the windows."""
        self._request = session.compiled({WINDOWS: self.windows}).request
        tensor = library("openvino").Tensor(self.windows, shared_memory=True)
        self._request.set_input_tensor(0, tensor)

    def read(self) -> FloatArray:
        """Return the points in each window: (count, K, 2), window units."""
        self._request.infer()
        return np.asarray(outputs_of(self._request)[0])
