"""supervision's ``process_video`` and annotators, around Ultralytics' model."""

from pathlib import Path

import numpy as np
import onnxruntime
import supervision as sv
import ultralytics

from benchmarks.rivals.sides import Asked
from benchmarks.rivals.ultralytics_side import open_model


class _Side:
    versions = (
        f"supervision {sv.__version__}, ultralytics {ultralytics.__version__}, "
        f"onnxruntime {onnxruntime.__version__} fp32"
    )

    def __init__(self, asked: Asked) -> None:
        self._model, self._options = open_model(asked)
        self._boxes, self._labels = sv.BoxAnnotator(), sv.LabelAnnotator()
        self._found, self._draws = 0, False

    def run(self, video: Path, draws: bool, target: Path | None) -> int:
        self._found, self._draws = 0, draws
        if target is not None:
            sv.process_video(str(video), str(target), self._process)
        else:
            for index, frame in enumerate(sv.get_video_frames_generator(str(video))):
                self._process(frame, index)
        return self._found

    def _process(self, frame: np.ndarray, _index: int) -> np.ndarray:
        result = self._model(frame, **self._options)[0]
        detections = sv.Detections.from_ultralytics(result)
        self._found += len(detections)
        if not self._draws:
            return frame
        names = detections.data["class_name"]
        labels = [
            f"{name} {score:.2f}" for name, score in zip(names, detections.confidence, strict=True)
        ]
        scene = self._boxes.annotate(frame.copy(), detections)
        return self._labels.annotate(scene, detections, labels)


def open_side(asked: Asked) -> _Side:
    """Load the model."""
    return _Side(asked)
