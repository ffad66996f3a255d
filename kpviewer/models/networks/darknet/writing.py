"""Darknet's files from a detector: NAME.cfg, NAME.weights and NAME.names."""

from pathlib import Path

import msgspec
import numpy as np
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.base import Detector
from kpviewer.models.networks.darknet.blocks import DarknetCfg, Layer, Net
from kpviewer.models.networks.darknet.cfg import cfg_text
from kpviewer.models.networks.darknet.network import DarknetNetwork
from kpviewer.models.networks.darknet.pairing import CFG, NAMES_SUFFIX, WEIGHTS
from kpviewer.models.networks.darknet.shapes import yolo_maps
from kpviewer.models.networks.darknet.weights import save_weights
from kpviewer.models.spec import ModelSpec, Resize


def write_darknet(
    detector: Detector, folder: Path, stem: str, input_hw: tuple[int, int] | None = None
) -> Path:
    """Write a detector as the three files of Darknet.

    Anchors are those that the network has now, and weights are in single precision. Darknet's
    files have no place for thresholds.

    Args:
        detector: detector of a ``DarknetNetwork``, on any device.
        folder: folder of the files, which must exist.
        stem: name of the files, without their suffixes.
        input_hw: height and width of the input, px; None: the largest of the description.

    Returns:
        The path of the `.cfg` file.

    Raises:
        WeightsError: if Darknet has no such network, or a file can't be written.
    """
    network, spec = detector.network, detector.spec
    if not isinstance(network, DarknetNetwork):
        raise WeightsError(
            f"{spec.name} isn't made of Darknet's layers ({spec.architecture}). Export it as onnx, "
            "or train yolov3 with model=yolov3-tiny or yolov3-darknet53."
        )
    if (spec.mean, spec.std) != ((0.0,) * 3, (1.0,) * 3):
        raise WeightsError(
            f"{spec.name} subtracts a mean from its images, which Darknet doesn't. "
            "Export it as onnx."
        )
    cfg = folder / f"{stem}{CFG}"
    names = [name.strip() or f"class {at}" for at, name in enumerate(spec.class_names)]
    try:
        cfg.write_text(cfg_text(_current_cfg(network, spec, input_hw or spec.input_hw)), "utf-8")
        (folder / f"{stem}{NAMES_SUFFIX}").write_text("\n".join(names) + "\n", "utf-8")
    except OSError as error:
        raise WeightsError(
            f"{cfg} can't be written: {error.strerror or error}. Is there such a folder, with room?"
        ) from error
    save_weights(network, folder / f"{stem}{WEIGHTS}")
    return cfg


def _current_cfg(network: DarknetNetwork, spec: ModelSpec, input_hw: tuple[int, int]) -> DarknetCfg:
    """Return the cfg of a network with its present anchors and an input size."""
    cfg = network.cfg
    sides = _decimals(network.anchors_wh)
    count = network.anchors_wh.shape[1]
    layers: list[Layer] = list(cfg.layers)
    for level, each in enumerate(yolo_maps(cfg)):
        mask = tuple(range(count * level, count * (level + 1)))
        layers[each.layer + 1] = msgspec.structs.replace(
            layers[each.layer + 1], anchors=sides, num=len(sides) // 2, mask=mask
        )
    letter_box = 0 if spec.resize is Resize.STRETCH else 1
    height, width = input_hw
    return DarknetCfg(Net(width, height, letter_box=letter_box), tuple(layers))


def _decimals(values: Tensor) -> tuple[float, ...]:
    """Return float32 values as the shortest decimals that stand for them."""
    return tuple(float(str(each)) for each in values.detach().cpu().numpy().astype(np.float32).flat)
