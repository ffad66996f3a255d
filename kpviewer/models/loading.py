"""Open a model by name: a shipped one, a file of any known kind, or the user's own code."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

from kpviewer.errors import WeightsError
from kpviewer.models.base import AnyDetector
from kpviewer.models.files.catalogue import check_file, find_weights, read_header
from kpviewer.models.files.foreign import foreign_refusal
from kpviewer.models.files.paths import check_model_file, graph_file, is_regular, model_path
from kpviewer.models.libraries.torch_needed import has_torch, torch_needed
from kpviewer.models.names.models import (
    DARKNET_SUFFIXES,
    FILE_SUFFIXES,
    STATE_DICT_SUFFIXES,
    TORCHVISION,
    TWO_STAGE,
    code_of,
    split_input_size,
    split_layout,
    split_two_stage,
)
from kpviewer.models.opening.input_size import ResizedDetector
from kpviewer.models.opening.onnx_file import open_onnx
from kpviewer.models.opening.shipped_graph import MARGIN, READERS, open_shipped
from kpviewer.models.opening.whole_models import refuse_whole_model
from kpviewer.models.tables import shown
from kpviewer.models.top_down import TopDownDetector
from kpviewer.shipped import is_shipped

if TYPE_CHECKING:
    from kpviewer.models.networks.points.network import PointDetector


def open_model(name_or_path: str | Path) -> AnyDetector:
    """Open a model.

    Args:
        name_or_path: name of the model, one of

            - a shipped name, such as "face-ssd", or a ``.safetensors`` file that kpviewer wrote;
            - a ``.pt``, ``.pth`` or ``.ckpt`` state dict of a shipped architecture, or of an SSD300
              in a layout that ``models.opening.import_ssd`` reads;
            - an ``.onnx`` file (``models.onnx.description`` lists what must be known about it);
              ``FILE.onnx@LAYOUT`` reads its outputs in that layout;
            - OpenVINO's ``.xml``, with its ``.bin``;
            - a folder with one of these;
            - a TensorRT ``.engine``, which is code;
            - Darknet's ``.cfg`` or ``.weights``, with the other beside it;
            - ``torchvision:NAME`` or ``torchvision:NAME@FILE``;
            - ``two-stage:BOXES+POINTS``: a box detector, and a point model for crops of its boxes;
            - ``package.module:function``, which returns a Detector;
            - the name of a model that an installed package adds (``plug_ins``);
            - ``NAME@SIDE`` for any of the above: the same model with inputs of up to SIDE px
              (``models.opening.input_size``), as in "face-ssd@640".

    Returns:
        The detector, its network in evaluation mode, on the CPU. A shipped one is the graph of its
        file, whether torch is installed or not; ``models.opening.torch_loading.as_torch`` converts
        it.

    Raises:
        WeightsError: if the model is missing, damaged, refused, or doesn't fit its description.
    """
    name = str(name_or_path)
    if name.startswith(TWO_STAGE):
        return _open_two_stage(name)
    model, side = split_input_size(name)
    if side is None or model_path(name).exists():
        return _open_at_own_size(name)
    return ResizedDetector(_open_at_own_size(model), side)


def _open_two_stage(name: str) -> TopDownDetector:
    boxes, points = split_two_stage(name)
    if not boxes or not points:
        raise WeightsError(
            f"A two-stage model is named {TWO_STAGE}BOXES+POINTS, such as "
            f"{TWO_STAGE}face-ssd+points.safetensors; got {name!r}."
        )
    reader, margin = _open_reader(points)
    return TopDownDetector(reader, open_model(boxes), margin)


def _open_reader(name: str) -> tuple[AnyDetector, float | None]:
    """Open the second of two stages; return the margin of its crops, too."""
    if (shipped := open_shipped(name, READERS)) is not None:
        return shipped, float(shipped.network.session.facts.metadata[MARGIN])
    detector = open_model(name)
    if isinstance(detector, TopDownDetector) and detector.network.boxes is None:
        return detector.network.reader, None
    margin = getattr(detector.network, "crop_margin", None)
    if margin is None:
        raise WeightsError(
            f"The second stage must be a point model, got {name} ({detector.spec.architecture}). "
            "Train one with: kpviewer train face-points, or take an RTMPose in ONNX."
        )
    if float(margin) <= 0:
        raise WeightsError(
            f"{name} takes whole images, so it can't find points in boxes. "
            'Train it on crops of boxes (crop = "box" in the recipe).'
        )
    from kpviewer.models.networks.points.network import without_tta  # noqa: PLC0415 - torch is there

    return without_tta(cast("PointDetector", detector)), float(margin)


def _open_at_own_size(name: str) -> AnyDetector:
    path, layout = model_path(name), None
    if not path.exists():
        file, layout = split_layout(name)
        path = model_path(file)
    if not is_shipped(name):
        path = graph_file(path)
    if path.suffix.lower() in FILE_SUFFIXES:
        return open_onnx(path, layout)
    if not is_regular(path) and (shipped := open_shipped(name)) is not None:
        return shipped
    _refuse_without_torch(name, path)
    if not has_torch():
        raise torch_needed(f"The model {shown(name)}")
    from kpviewer.models.opening.torch_loading import open_torch_model  # noqa: PLC0415 - as above

    return open_torch_model(name, path)


def _refuse_without_torch(name: str, path: Path) -> None:
    """Refuse a model that torch couldn't open either, before its import, which takes seconds.

    Raises:
        WeightsError: if there is no such model, or it can't be one.
    """
    if (refusal := foreign_refusal(path)) is not None:
        raise WeightsError(refusal)
    if name.startswith(TORCHVISION):
        return  # perhaps with a file behind it
    suffix = path.suffix.lower()
    if suffix in STATE_DICT_SUFFIXES:
        check_model_file(path)
        refuse_whole_model(path)
    elif suffix not in DARKNET_SUFFIXES and not code_of(name):
        found = find_weights(name)
        check_file(found)
        read_header(found)
