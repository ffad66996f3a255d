"""What each side is, and what it is asked for. Each runs in a process of its own (``worker``)."""

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

SIDES = {
    "kpviewer": "kpviewer's pipeline and recorder, backend and precision by its own choice",
    "opencv": "plain loop: OpenCV reads, draws and writes, ONNX Runtime runs the network",
    "ultralytics": "predict(stream=True) of Ultralytics; save=True records",
    "supervision": "process_video of supervision, around Ultralytics' model",
    "roboflow": "InferencePipeline of Roboflow's inference, with its own ONNX model",
}


@dataclass(frozen=True)
class Asked:
    """What every side gets."""

    model: Path
    """ONNX file of an Ultralytics export."""
    confidence: float
    iou: float


class Side(Protocol):
    """A way to detect in a video."""

    versions: str
    """What runs the network, with versions."""

    def run(self, video: Path, draws: bool, target: Path | None) -> int:
        """Detect in all frames of a video; return the number of boxes.

        Args:
            video: video to read.
            draws: whether to draw the boxes, with class and score.
            target: video to write; None: none.
        """


def open_side(name: str, asked: Asked) -> Side:
    """Load the model of a side."""
    return importlib.import_module(f"benchmarks.rivals.{name}_side").open_side(asked)
