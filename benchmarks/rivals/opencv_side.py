"""The loop that one writes first: OpenCV and ONNX Runtime, one frame after the other."""

from pathlib import Path

import cv2
import numpy as np
import onnxruntime

from benchmarks.layouts.common import letterbox
from benchmarks.rivals.sides import Asked

_MOST = 300


class _Side:
    versions = f"OpenCV {cv2.__version__}, onnxruntime {onnxruntime.__version__} fp32"

    def __init__(self, asked: Asked) -> None:
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(asked.model), providers=providers)
        (self._input,) = self._session.get_inputs()
        self._asked = asked

    def run(self, video: Path, draws: bool, target: Path | None) -> int:
        capture, writer, found = cv2.VideoCapture(str(video)), None, 0
        while True:
            is_there, image = capture.read()
            if not is_there:
                break
            boxes, scores, classes = self._detect(image)
            found += len(boxes)
            if draws:
                _draw(image, boxes, scores, classes)
            if target is not None:
                if writer is None:
                    writer = _writer(target, capture)
                writer.write(image)
        capture.release()
        if writer is not None:
            writer.release()
        return found

    def _detect(self, image: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        size = (self._input.shape[2], self._input.shape[3])
        padded, scale, (left, top) = letterbox(image, size)
        planes = padded[..., ::-1].transpose(2, 0, 1)[None].astype(np.float32) / 255
        (rows,) = self._session.run(None, {self._input.name: planes})
        boxes, scores, classes = self._decode(rows[0])
        boxes = (boxes - (left, top, left, top)) / scale
        return boxes, scores, classes

    def _decode(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return corners, scores and classes: of (N, 6) final rows, or of (4 + C, N) raw ones."""
        if rows.shape[1] == 6:
            rows = rows[rows[:, 4] > self._asked.confidence]
            return rows[:, :4], rows[:, 4], rows[:, 5].astype(int)
        scores = rows[4:].max(0)
        rows = rows[:, scores > self._asked.confidence]
        scores, classes = rows[4:].max(0), rows[4:].argmax(0)
        centres, sizes = rows[:2].T, rows[2:4].T
        corners = np.concatenate([centres - sizes / 2, centres + sizes / 2], 1)
        by_corner = np.concatenate([corners[:, :2], sizes], 1)
        kept = cv2.dnn.NMSBoxesBatched(
            by_corner, scores, classes, self._asked.confidence, self._asked.iou
        )[:_MOST]
        return corners[kept], scores[kept], classes[kept]


def _draw(image: np.ndarray, boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray) -> None:
    for box, score, kind in zip(boxes.astype(int).tolist(), scores, classes, strict=True):
        cv2.rectangle(image, box[:2], box[2:], (80, 160, 40), 2)
        text = f"{kind} {score:.2f}"
        cv2.putText(image, text, box[:2], cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1)


def _writer(target: Path, capture: cv2.VideoCapture) -> cv2.VideoWriter:
    size = [
        int(capture.get(each)) for each in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    ]
    code = cv2.VideoWriter.fourcc(*"mp4v")
    return cv2.VideoWriter(str(target), code, capture.get(cv2.CAP_PROP_FPS), size)


def open_side(asked: Asked) -> _Side:
    """Load the model."""
    return _Side(asked)
