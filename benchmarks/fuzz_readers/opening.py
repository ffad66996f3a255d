"""What a damaged model is put through: it is opened, run and painted."""

from pathlib import Path


def open_run_and_paint(path: Path) -> None:
    """Open a model, run it on one image and draw its detections."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    from kpviewer.models.loading import open_model
    from kpviewer.models.selection import select
    from kpviewer.overlay import OverlayStyle, ensure_gui_application, render
    from kpviewer.runtime.executor import Executor
    from kpviewer.structures import Frame, FrameResult, StageTimings, Thresholds

    detector = open_model(str(path))
    spec = detector.spec
    style = OverlayStyle(class_names=spec.class_names, skeleton=spec.skeleton)
    backend = "onnxruntime" if path.suffix == ".onnx" else "torch"
    executor = Executor(detector, "cpu", "fp32", backend)
    ensure_gui_application()
    for shape in ((60, 80, 3), (97, 41, 3)):
        bgr = np.zeros(shape, np.uint8)
        candidates, _ = executor.infer(bgr)
        select(candidates, spec.thresholds)
        everything = select(candidates, Thresholds(score=0.0, iou=0.5, max_detections=20))
        frame = Frame(0, 0, 0.0, bgr, None, None)
        render(FrameResult(frame, candidates, everything, StageTimings()), style)
