"""What OpenAPI says of requests and answers, with examples."""

from typing import Any, NamedTuple


class Described(NamedTuple):
    """Parts of OpenAPI for one route."""

    responses: dict[int | str, dict[str, Any]]
    request: dict[str, Any] | None = None


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FRAME = {
    "index": 0,
    "position_s": None,
    "captured_ns": 81_300_412_087,
    "file": None,
    "detections": [
        {
            "class": "face",
            "class_id": 0,
            "score": 0.9921,
            "xyxy": [201.5, 96.25, 318.75, 251.0],
            "keypoints": [[232.5, 158.25], [287.0, 157.5]],
        }
    ],
    "timings": {
        "read": 2.9,
        "queue_wait": 0.2,
        "upload": 0.6,
        "forward": 8.1,
        "postprocess": 0.7,
        "total": 12.6,
    },
    "error": None,
}


def _json(description: str, example: object) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"example": example}}}


def _failure(description: str, error: str) -> dict[str, Any]:
    return _json(description, {"error": error})


DETECT = Described(
    {
        200: {
            "description": "The detections, or the annotated image with format=image.",
            "content": {"application/json": {"example": _FRAME}, "image/jpeg": _BINARY},
        },
        401: _failure("No token, or a wrong one.", "The token is missing or wrong. …"),
        408: _failure("The upload was too slow.", "The upload took more than 30 s. …"),
        413: _failure("The image is too large.", "The body is larger than 16 MiB. …"),
        415: _failure("Not an image that is taken.", "The body is no JPEG, PNG or WebP. …"),
        422: _failure("A damaged image or a wrong parameter.", "conf must be …, got '3'."),
        500: _failure("The model failed.", "The model failed: …"),
        503: _failure("Busy; Retry-After says when.", "The service has 64 requests …"),
        504: _failure("No answer in time.", "There was no answer within 30 s. Try again."),
    },
    {
        "requestBody": {
            "required": True,
            "content": {
                **dict.fromkeys(("image/jpeg", "image/png", "image/webp"), _BINARY),
                "multipart/form-data": {
                    "schema": {
                        "type": "object",
                        "required": ["image"],
                        "properties": {"image": {"type": "string", "format": "binary"}},
                    }
                },
            },
        }
    },
)
MODELS = Described(
    {
        200: _json(
            "The models that answer.",
            [
                {
                    "name": "face-ssd",
                    "task": "detect",
                    "architecture": "face-ssd",
                    "classes": ["face"],
                    "keypoints": ["left_eye", "right_eye"],
                    "input_hw": [240, 320],
                    "thresholds": {"conf": 0.62, "iou": 0.45, "nms": "hard"},
                    "licence": "GPL-3.0-or-later",
                    "trained_on": "photographs with faces",
                    "model_hash": "8d1f…",
                }
            ],
        )
    }
)
HEALTH = Described(
    {
        200: _json("Ready.", {"ready": True}),
        503: _json("Not ready.", {"ready": False, "error": "The model is being prepared. …"}),
    }
)
