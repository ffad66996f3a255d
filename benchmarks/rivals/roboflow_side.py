"""Roboflow's ``InferencePipeline`` with the model class of its own ``inference_models``."""

import json
from importlib import import_module, metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import onnxruntime
import supervision as sv
import torch
from inference import InferencePipeline

from benchmarks.rivals.sides import Asked

_RAW = ("yolov8.yolov8_object_detection_onnx", "YOLOv8ForObjectDetectionOnnx")
_FINAL = ("yolo26.yolo26_object_detection_onnx", "YOLO26ForObjectDetectionOnnx")
"""Module and class for each layout of the output: (4 + C, N) before NMS, and (N, 6) after it."""
_CONFIG = {
    "network_input": {
        "training_input_size": {"height": 640, "width": 640},
        "dynamic_spatial_size_supported": False,
        "color_mode": "rgb",
        "resize_mode": "letterbox",
        "padding_value": 114,
        "input_channels": 3,
        "scaling_factor": 255,
    },
}


class _Side:
    versions = (
        f"inference {metadata.version('inference')}, onnxruntime {onnxruntime.__version__} fp32"
    )

    def __init__(self, asked: Asked) -> None:
        self._asked, self._folder = asked, TemporaryDirectory()
        package = Path(self._folder.name)
        session = onnxruntime.InferenceSession(str(asked.model))
        is_final = session.get_outputs()[0].shape[2] == 6
        config = {**_CONFIG, "post_processing": {"type": "nms", "fused": is_final}}
        (package / "inference_config.json").write_text(json.dumps(config))
        (package / "class_names.txt").write_text("\n".join(f"kind {at}" for at in range(80)))
        (package / "weights.onnx").symlink_to(asked.model.resolve())
        module, name = _FINAL if is_final else _RAW
        kind = getattr(import_module(f"inference_models.models.{module}"), name)
        self._model = kind.from_pretrained(
            str(package),
            onnx_execution_providers=["CPUExecutionProvider"],
            device=torch.device("cpu"),
        )
        self._boxes, self._labels = sv.BoxAnnotator(), sv.LabelAnnotator()

    def run(self, video: Path, draws: bool, target: Path | None) -> int:
        found, writer = 0, None

        def detect(frames: list[Any]) -> list[Any]:
            options = {"confidence": self._asked.confidence, "iou_threshold": self._asked.iou}
            return self._model([each.image for each in frames], **options)

        def take(detections: Any, frame: Any) -> None:
            nonlocal found, writer
            found += len(detections.xyxy)
            image = self._drawn(frame.image, detections) if draws else frame.image
            if target is not None:
                if writer is None:
                    size = image.shape[1::-1]
                    writer = cv2.VideoWriter(str(target), _MP4V, frame.fps or 30, size)
                writer.write(image)

        pipeline = InferencePipeline.init_with_custom_logic(
            video_reference=str(video), on_video_frame=detect, on_prediction=take
        )
        pipeline.start()
        pipeline.join()
        if writer is not None:
            writer.release()
        return found

    def _drawn(self, image: Any, found: Any) -> Any:
        detections = found.to_supervision()
        scores = detections.confidence
        labels = [
            f"{kind} {score:.2f}" for kind, score in zip(detections.class_id, scores, strict=True)
        ]
        scene = self._boxes.annotate(image.copy(), detections)
        return self._labels.annotate(scene, detections, labels)


_MP4V = cv2.VideoWriter.fourcc(*"mp4v")


def open_side(asked: Asked) -> _Side:
    """Load the model."""
    return _Side(asked)
