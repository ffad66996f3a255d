"""Ultralytics' own ``predict`` on the file that it exported."""

from pathlib import Path
from typing import Any

import onnxruntime
import ultralytics

from benchmarks.rivals.sides import Asked


def open_model(asked: Asked) -> tuple[Any, dict[str, Any]]:
    """Return Ultralytics' model, and the options of each prediction."""
    model = ultralytics.YOLO(str(asked.model), task="detect")
    options = {"conf": asked.confidence, "iou": asked.iou, "verbose": False, "device": "cpu"}
    return model, options


class _Side:
    versions = f"ultralytics {ultralytics.__version__}, onnxruntime {onnxruntime.__version__} fp32"

    def __init__(self, asked: Asked) -> None:
        self._model, self._options = open_model(asked)

    def run(self, video: Path, draws: bool, target: Path | None) -> int:
        saving: dict[str, Any] = {"save": False}
        if target is not None:  # it draws what it saves
            saving = {"save": True, "project": str(target.parent), "name": target.stem}
        found = 0
        for result in self._model.predict(str(video), stream=True, **self._options, **saving):
            found += len(result.boxes)
            if draws and target is None:
                result.plot()
        return found


def open_side(asked: Asked) -> _Side:
    """Load the model."""
    return _Side(asked)
