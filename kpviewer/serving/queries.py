"""Parameters of requests: thresholds, with the names of the command line."""

from collections import Counter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import QueryParams

from kpviewer.errors import InputError
from kpviewer.models.spec import ModelSpec
from kpviewer.runtime.thresholds import thresholds_with
from kpviewer.serving.limits import RequestError
from kpviewer.structures import NmsKind, Thresholds

_LONGEST_NAME = 200
_MODELS = "Default: the model's."


class ThresholdQuery(BaseModel):
    """Thresholds of a request; those that are left out are the model's."""

    model_config = ConfigDict(extra="forbid")

    conf: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description=f"Confidence threshold. {_MODELS}"
    )
    iou: float | None = Field(
        None, ge=0, le=1, allow_inf_nan=False, description=f"IoU threshold of NMS. {_MODELS}"
    )
    nms: NmsKind | None = Field(None, description=f"NMS algorithm. {_MODELS}")
    sigma: float | None = Field(
        None, ge=0.01, le=1, allow_inf_nan=False, description=f"Sigma of soft-gaussian. {_MODELS}"
    )
    keypoint_conf: float | None = Field(
        None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description=f"Confidence threshold of keypoints. {_MODELS}",
    )
    classes: str | None = Field(
        None, description="Only these classes: names or numbers, joined by commas."
    )

    def thresholds(self, spec: ModelSpec) -> Thresholds:
        """Return the thresholds of a model, with those of the request in place.

        Raises:
            RequestError: 422 if the model has no such class.
        """
        fields = {
            "score": self.conf,
            "iou": self.iou,
            "nms": self.nms,
            "sigma": self.sigma,
            "keypoint": self.keypoint_conf,
            "classes": _classes(self.classes, spec),
        }
        given = {name: value for name, value in fields.items() if value is not None}
        try:
            return thresholds_with(spec, given)
        except InputError as error:
            raise RequestError(422, str(error)) from error


class DetectQuery(ThresholdQuery):
    """Parameters of ``POST /detect``."""

    format: Literal["json", "image"] = Field(
        "json", description="json: the detections; image: the annotated image as JPEG."
    )


def check_once(query: QueryParams) -> None:
    """Refuse a parameter that is given twice, of which only the last would count.

    Raises:
        RequestError: 422 if there is one.
    """
    for name, count in Counter(name for name, _ in query.multi_items()).items():
        if count > 1:
            hint = "Join classes by commas." if name == "classes" else "Leave the others out."
            raise RequestError(422, f"{name} must be given once, got it {count} times. {hint}")


def _classes(text: str | None, spec: ModelSpec) -> list[Any] | None:
    """Return the classes of a list by name or number."""
    if text is None:
        return None
    names = [name.strip()[:_LONGEST_NAME] for name in text.split(",") if name.strip()]
    if not names:
        raise RequestError(422, "classes is empty. Name one, or leave it out for all.")
    return [
        int(name) if name not in spec.class_names and name.isascii() and name.isdigit() else name
        for name in names
    ]
