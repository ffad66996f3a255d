"""Python interface of kpviewer: detect, stream, draw, evaluate, view, and read scans.

Example::

    import kpviewer as kp

    model = kp.load("face-ssd")
    for result in kp.stream("demo", model):
        print(result.detections.xyxy)

Importing this package loads neither torch nor Qt: each name below is imported on first use.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpviewer.api.detecting import load, stream
    from kpviewer.api.drawing import draw, png_of
    from kpviewer.api.evaluating import evaluate
    from kpviewer.api.scans import Scan, ScanFrame, read_scan
    from kpviewer.api.viewing import view
    from kpviewer.errors import InputError, KpviewerError
    from kpviewer.evaluation.report import Report
    from kpviewer.models.base import DecodedBatch, Detector
    from kpviewer.models.spec import ModelSpec, Task
    from kpviewer.overlay.style import OverlayStyle
    from kpviewer.pipeline.protocols import ResultSink
    from kpviewer.recording.formats import ResultHeader
    from kpviewer.runtime.interchange import to_supervision
    from kpviewer.runtime.model import Model
    from kpviewer.sources.base import Captured, FrameSource
    from kpviewer.structures import (
        Candidates,
        Detections,
        Frame,
        FrameResult,
        GroundTruth,
        StreamInfo,
        Thresholds,
    )

__version__ = "0.2.0"

__all__ = [
    "Candidates",
    "Captured",
    "DecodedBatch",
    "Detections",
    "Detector",
    "Frame",
    "FrameResult",
    "FrameSource",
    "GroundTruth",
    "InputError",
    "KpviewerError",
    "Model",
    "ModelSpec",
    "OverlayStyle",
    "Report",
    "ResultHeader",
    "ResultSink",
    "Scan",
    "ScanFrame",
    "StreamInfo",
    "Task",
    "Thresholds",
    "draw",
    "evaluate",
    "load",
    "png_of",
    "read_scan",
    "stream",
    "to_supervision",
    "view",
]

_STRUCTURES = (
    *("Candidates", "Detections", "Frame", "FrameResult", "GroundTruth", "StreamInfo"),
    "Thresholds",
)
_HOMES = {
    "api.detecting": ("load", "stream"),
    "api.drawing": ("draw", "png_of"),
    "api.evaluating": ("evaluate",),
    "api.scans": ("Scan", "ScanFrame", "read_scan"),
    "api.viewing": ("view",),
    "errors": ("InputError", "KpviewerError"),
    "evaluation.report": ("Report",),
    "models.base": ("DecodedBatch", "Detector"),
    "models.spec": ("ModelSpec", "Task"),
    "overlay.style": ("OverlayStyle",),
    "pipeline.protocols": ("ResultSink",),
    "recording.formats": ("ResultHeader",),
    "runtime.interchange": ("to_supervision",),
    "runtime.model": ("Model",),
    "sources.base": ("Captured", "FrameSource"),
    "structures": _STRUCTURES,
}
"""Public names by the module that defines them."""
_MODULES = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return all names, including public names that aren't imported yet."""
    return sorted({*globals(), *__all__})
