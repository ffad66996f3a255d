"""Open a model by name: a shipped one, a file of any known kind, or the user's own code."""

from __future__ import annotations

from pathlib import Path

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.catalogue import available_models
from kpviewer.models.darknet.opening import open_darknet
from kpviewer.models.factory import open_factory
from kpviewer.models.files import is_regular, model_path, openvino_file
from kpviewer.models.foreign import foreign_refusal
from kpviewer.models.import_ssd import import_ssd300
from kpviewer.models.input_size import ResizedDetector
from kpviewer.models.names import (
    DARKNET_SUFFIXES,
    FILE_SUFFIXES,
    TORCHVISION,
    TWO_STAGE,
    code_of,
    split_input_size,
    split_layout,
)
from kpviewer.models.onnx.file import open_onnx
from kpviewer.models.state_dict import open_state_dict
from kpviewer.models.two_stage import open_two_stage
from kpviewer.models.weights import ARCHITECTURES, load_model
from kpviewer.models.zoo import open_torchvision

STATE_DICT_SUFFIXES = (".pt", ".pth", ".ckpt")


def open_model(name_or_path: str | Path) -> Detector:
    """Open a model.

    Args:
        name_or_path: name of the model, one of

            - a shipped name, such as "face-ssd", or a ``.safetensors`` file that kpviewer wrote;
            - a ``.pt``, ``.pth`` or ``.ckpt`` state dict of a shipped architecture, or of an SSD300
              in a layout that ``models.import_ssd`` reads;
            - an ``.onnx`` file (``models.onnx.description`` lists what must be known about it);
              ``FILE.onnx@LAYOUT`` reads its outputs in that layout;
            - OpenVINO's ``.xml``, with its ``.bin``, or a folder with one of them;
            - a TensorRT ``.engine``, which is code;
            - Darknet's ``.cfg`` or ``.weights``, with the other beside it;
            - ``torchvision:NAME`` or ``torchvision:NAME@FILE``;
            - ``two-stage:BOXES+POINTS``: a box detector, and a point model for crops of its boxes;
            - ``package.module:function``, which returns a Detector;
            - the name of a model that an installed package adds (``plug_ins``);
            - ``NAME@SIDE`` for any of the above: the same model with inputs of up to SIDE px
              (``models.input_size``), as in "face-ssd@640".

    Returns:
        The detector, its network in evaluation mode, on the CPU.

    Raises:
        WeightsError: if the model is missing, damaged, refused, or doesn't fit its description.
    """
    name = str(name_or_path)
    if name.startswith(TWO_STAGE):
        return open_two_stage(name, open_model)
    model, side = split_input_size(name)
    if side is None or model_path(name).exists():
        return _open_at_own_size(name)
    return ResizedDetector(_open_at_own_size(model), side)


def _open_at_own_size(name: str) -> Detector:
    if name.startswith(TORCHVISION):
        return open_torchvision(name)
    path, layout = model_path(name), None
    if not path.exists():
        file, layout = split_layout(name)
        path = model_path(file)
    path = openvino_file(path)
    if path.suffix.lower() in FILE_SUFFIXES:
        return open_onnx(path, layout)
    if path.suffix.lower() in DARKNET_SUFFIXES:
        return open_darknet(path)
    if path.suffix.lower() in STATE_DICT_SUFFIXES:
        specs = [each.spec for each in available_models()]
        return open_state_dict(path, specs, ARCHITECTURES, [import_ssd300])
    code = code_of(name)
    if code is not None and not is_regular(path):
        return open_factory(code)
    if (refusal := foreign_refusal(path)) is not None:
        raise WeightsError(refusal)
    return load_model(name)
