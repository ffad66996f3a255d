"""torchvision's detectors: ``torchvision:NAME``, or ``torchvision:NAME@FILE`` with other weights.

They resize, normalise and apply NMS themselves. They therefore take pixels in [0, 1], and their
detections are only ranked here. torchvision is imported once such a model is requested.
"""

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from kpviewer.errors import PipelineError, WeightsError
from kpviewer.models.base import DecodedBatch
from kpviewer.models.files.paths import model_path
from kpviewer.models.files.weights_toml import count_refusal, read_weights_toml
from kpviewer.models.limits import MAX_CLASSES
from kpviewer.models.names.coco_keypoints import mirrored_keypoints, skeleton_of
from kpviewer.models.names.models import TORCHVISION
from kpviewer.models.networks.ranking import Rows, one_hot_scores, ranked
from kpviewer.models.networks.unfilled import unfilled
from kpviewer.models.opening.downloads import short_reason, torchvision_state
from kpviewer.models.opening.state_dict import read_state_dict
from kpviewer.models.opening.weight_files import torch_cache
from kpviewer.models.ranking import MAX_CANDIDATES
from kpviewer.models.spec import ModelSpec, Task, checked

Found: TypeAlias = dict[str, Tensor]
"""torchvision's detections of an image: boxes, labels, scores, and keypoints if there are any."""

_NO_CLASS = ("", "N/A", "__background__", "no person")
"""Names of categories that aren't classes."""

_CLASS_HEADS = {
    "fasterrcnn": ("roi_heads.box_predictor.cls_score.bias", 1),
    "keypointrcnn": ("roi_heads.box_predictor.cls_score.bias", 1),
    "maskrcnn": ("roi_heads.box_predictor.cls_score.bias", 1),
    "retinanet": ("head.classification_head.cls_logits.bias", 9),
    "fcos": ("head.classification_head.cls_logits.bias", 1),
    "ssd300": ("head.classification_head.module_list.0.bias", 4),
    "ssdlite320": ("head.classification_head.module_list.0.1.bias", 6),
}
"""Name of a tensor of the class head, and its number of values per label, by family."""


class ZooNetwork(nn.Module):
    """A torchvision detector that takes a batch instead of a list of images.

    Its number of boxes depends on the image. A trace would be wrong, so it is refused.
    """

    compile_refusal = (
        "torchvision's detectors can't be compiled by another backend. Use --backend torch."
    )

    def __init__(self, detector: nn.Module) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> list[Found]:
        """Detect in (B, 3, H, W) RGB images in [0, 1]; boxes are in their px."""
        if torch.jit.is_tracing():  # type: ignore[attr-defined, no-untyped-call]
            raise PipelineError(self.compile_refusal)
        found: list[Found] = self.detector(list(images))
        return found


class ZooDetector:
    """A torchvision detector with its description.

    Args:
        spec: description, with the class names of ``labels`` in order.
        network: network around the detector.
        labels: torchvision's label of each class.
        count: largest number of boxes per image.
    """

    def __init__(
        self, spec: ModelSpec, network: ZooNetwork, labels: Sequence[int], count: int
    ) -> None:
        self.spec = spec
        self.network = network
        self._count = min(count, MAX_CANDIDATES)
        self._class_of = torch.full((max(labels) + 1,), -1)
        self._class_of[list(labels)] = torch.arange(len(labels))

    def decode(self, raw: list[Found], input_hw: tuple[int, int]) -> DecodedBatch:
        """Rank the detections by score, one-hot by class; the network has applied NMS."""
        return ranked([self._rows(found) for found in raw], self._count)

    def class_ids(self, labels: Tensor) -> Tensor:
        """Return the class of each of torchvision's labels, (N,) int64; -1 for none."""
        last = len(self._class_of) - 1
        classes = self._class_of.to(labels.device)[labels.clamp(0, last)]
        return torch.where(labels > last, -1, classes)

    def _rows(self, found: Found) -> Rows:
        boxes, classes = found["boxes"].float(), self.class_ids(found["labels"])
        scores = one_hot_scores(found["scores"].float(), classes, len(self.spec.class_names))
        if not self.spec.keypoint_names:
            return Rows(boxes, scores, boxes.new_zeros(len(boxes), 0, 2))
        points = found["keypoints"][..., :2].float()  # the third number is always 1, visible
        return Rows(boxes, scores, points, heatmap_scores(found["keypoints_scores"]))


def heatmap_scores(logits: Tensor) -> Tensor:
    """Return keypoint scores in [0, 1] of the largest logits of a Keypoint R-CNN's heatmaps.

    The logits aren't probabilities. 0.5 is where Detectron's own tools begin to draw a keypoint: at
    a logit of 2 (``kp_thresh`` of detectron/utils/vis.py).
    """
    return (logits.float() - 2).sigmoid()


def open_torchvision(name: str) -> ZooDetector:
    """Build a torchvision detector and load its COCO weights, or those of a file.

    Args:
        name: ``torchvision:NAME`` or ``torchvision:NAME@FILE``. Without a file, weights that aren't
            in torch's cache are downloaded, with progress on stderr. A file may have other classes
            than COCO's; ``classes = [...]`` in a TOML beside it names them.

    Raises:
        WeightsError: if there is no such model, its weights aren't available, or they don't fit.
    """
    model_name, _, file_name = name.removeprefix(TORCHVISION).partition("@")
    _check_name(model_name)
    if not file_name:
        detector = unfilled(build_zoo_detector, model_name)
        detector.network.detector.load_state_dict(_downloaded(model_name))
        detector.spec = replace(detector.spec, trained_on="COCO")
        return detector
    path = model_path(file_name)
    state = read_state_dict(path)
    detector = unfilled(build_zoo_detector, model_name, label_names(model_name, path, state))
    try:
        detector.network.detector.load_state_dict(state)
    except RuntimeError as error:  # torch lists the differences
        raise WeightsError(
            f"{path.name} doesn't fit torchvision's {model_name}: {short_reason(error)}. "
            "It must be a state dict of this model."
        ) from error
    beside = path.with_suffix(".toml").name
    detector.spec = checked(detector.spec, path.name, f"Correct {beside}.")
    return detector


def build_zoo_detector(model_name: str, categories: Sequence[str] | None = None) -> ZooDetector:
    """Build a detector with random weights, for COCO or labels named from 0, the background, on."""
    from torchvision.models import get_model  # noqa: PLC0415 - takes seconds

    meta = _meta(model_name)
    categories = meta["categories"] if categories is None else categories
    keypoint_names = tuple(meta.get("keypoint_names", ()))
    detector = get_model(
        model_name, weights=None, weights_backbone=None, num_classes=len(categories)
    )
    detector.eval()
    labels = [label for label, category in enumerate(categories) if category not in _NO_CLASS]
    rules = getattr(detector, "roi_heads", detector)
    spec = ModelSpec(
        name=model_name,
        architecture=TORCHVISION + model_name,
        task=Task.DETECT_KEYPOINTS if keypoint_names else Task.DETECT,
        class_names=tuple(categories[label] for label in labels),
        input_hw=_input_hw(detector),
        keypoint_names=keypoint_names,
        skeleton=skeleton_of(keypoint_names),
        mirrored_keypoints=mirrored_keypoints(keypoint_names),
        stride=1,  # no padding: the detector resizes once more, and pads as it was trained
        mean=(0.0, 0.0, 0.0),
        std=(1.0, 1.0, 1.0),
        iou_threshold=float(rules.nms_thresh),
        keypoint_threshold=0.5 if keypoint_names else None,
        licence="BSD-3-Clause (torchvision)",
    )
    return ZooDetector(spec, ZooNetwork(detector), labels, int(rules.detections_per_img))


def _meta(model_name: str) -> Mapping[str, Any]:
    """Return torchvision's metadata of a model's default weights."""
    from torchvision.models import get_model_weights  # noqa: PLC0415 - takes seconds

    meta: Mapping[str, Any] = get_model_weights(model_name).DEFAULT.meta
    return meta


def count_labels(model_name: str, state: Mapping[str, Tensor]) -> int | None:
    """Return the number of labels of a file by the size of its class head; None if it has none.

    Its weights must be as many: a bias of a few kB could ask for a network of gigabytes.
    """
    key, values = _CLASS_HEADS.get(model_name.partition("_")[0], ("", 1))
    weight = state.get(f"{key.removesuffix('bias')}weight")
    if key not in state or weight is None or state[key].shape != weight.shape[:1]:
        return None
    return max(1 if _is_without_background(model_name) else 2, len(state[key]) // values)


def _is_without_background(model_name: str) -> bool:
    """Return whether each label has its own sigmoid, so that label 0 may be a class like others."""
    return model_name.partition("_")[0] in ("retinanet", "fcos")


def label_names(model_name: str, path: Path, state: Mapping[str, Tensor]) -> Sequence[str] | None:
    """Return the names of a file's labels, from label 0: from the TOML beside it, else numbered.

    Returns:
        One name per label, "" for a label that isn't a class; None: COCO's.

    Raises:
        WeightsError: if the TOML names another number of classes.
    """
    count = count_labels(model_name, state)
    names = read_weights_toml(path).classes
    if count is None or (names is None and count == len(_meta(model_name)["categories"])):
        return None
    if count > MAX_CLASSES:
        raise WeightsError(f"{path.name} has {count:,} labels, at most {MAX_CLASSES:,}.")
    may_begin = _is_without_background(model_name)
    if names is None:
        numbered = [f"class {label}" for label in range(count)]
        return numbered if may_begin else ["", *numbered[1:]]
    if len(names) == count - 1:
        return ["", *names]
    if len(names) == count and names[0].strip("_").lower() == "background":
        return ["", *names[1:]]
    if len(names) == count and may_begin:
        return names
    expected = f"{count - 1} of them" + (f", or {count} if they count from 0" if may_begin else "")
    raise count_refusal(path, expected, len(names))


def _input_hw(detector: nn.Module) -> tuple[int, int]:
    """Return the input size, px, large enough for the detector's own resize to lose nothing."""
    transform: Any = detector.transform
    if transform.fixed_size is not None:  # width and height that it stretches any image to
        width, height = transform.fixed_size
        return 2 * height, 2 * width
    return transform.max_size, transform.max_size


def _check_name(model_name: str) -> None:
    from torchvision.models import detection, list_models  # noqa: PLC0415 - takes seconds

    known = list_models(module=detection)
    if model_name not in known:
        near = difflib.get_close_matches(model_name, known, n=1, cutoff=0.4)
        guess = f"Did you mean {near[0]!r}? " if near else ""
        raise WeightsError(
            f"torchvision has no detector {model_name!r}. {guess}There are {', '.join(known)}."
        )


def _downloaded(model_name: str) -> Mapping[str, Tensor]:
    from torchvision.models import get_model_weights  # noqa: PLC0415 - takes seconds

    return torchvision_state(
        get_model_weights(model_name).DEFAULT,
        f"The weights of {model_name}",
        f"put it into {torch_cache()}",
    )
