"""Detectors from Darknet's files."""

from dataclasses import replace
from pathlib import Path

import msgspec

from kpviewer.errors import WeightsError
from kpviewer.models.files.paths import check_model_file
from kpviewer.models.limits import clean_name
from kpviewer.models.networks.darknet.architectures import DARKNET53_SPEC
from kpviewer.models.networks.darknet.blocks import DarknetCfg, Yolo
from kpviewer.models.networks.darknet.cfg import read_cfg
from kpviewer.models.networks.darknet.network import DarknetNetwork
from kpviewer.models.networks.darknet.pairing import CFG, find_cfg, find_weights, named_classes
from kpviewer.models.networks.darknet.shapes import layer_shapes, yolo_maps
from kpviewer.models.networks.darknet.standard import STANDARD, darknet53, tiny
from kpviewer.models.networks.darknet.weights import check_size, load_weights
from kpviewer.models.networks.dry_run import STRIDE, check_runs, planned
from kpviewer.models.networks.yolov3.detector import YoloDetector
from kpviewer.models.spec import ModelSpec, Resize, checked

ARCHITECTURE = "darknet"
"""Architecture of networks that aren't a published one."""
PUBLISHED = {248_007_048: ("yolov3", darknet53), 35_434_956: ("yolov3-tiny", tiny)}
"""Names and networks of the published files for COCO, by their size in bytes."""
_COCO_CLASSES = 80


def open_darknet(path: Path) -> YoloDetector:
    """Open a detector by its `.cfg` or its `.weights`; the other is found beside it.

    Args:
        path: path of either file. Weights without a cfg are opened if they have exactly the size of
            yolov3.weights or yolov3-tiny.weights as published.

    Returns:
        The detector, its network in evaluation mode, float32 on the CPU.

    Raises:
        WeightsError: if a file is missing, damaged or refused, or the two don't fit each other.
    """
    check_model_file(path)
    cfg_path, weights = (path, None) if path.suffix.lower() == CFG else (find_cfg(path), path)
    notes: tuple[str, ...] = ()
    if cfg_path is None:
        cfg, notes = _published(path)
    else:
        cfg = read_cfg(cfg_path)
        weights = weights or find_weights(cfg_path)
    assert weights is not None
    check_model_file(weights)
    name = cfg_path.name if cfg_path is not None else f"the published {weights.stem}"
    files = (weights,) if cfg_path is None else (weights, cfg_path)
    try:
        spec = _spec(cfg, files, notes)
        check_size(weights, cfg, name)
        check_runs(planned(lambda spec: YoloDetector(spec, DarknetNetwork(cfg)), spec))
    except ValueError as error:
        raise WeightsError(f"{name} can't be used: {error}.") from error
    network = DarknetNetwork(cfg)
    load_weights(network, weights)
    network.eval()
    return YoloDetector(spec, network)


def _published(weights: Path) -> tuple[DarknetCfg, tuple[str, ...]]:
    """Return the network of published weights that have no cfg."""
    known = PUBLISHED.get(weights.stat().st_size)
    if known is None:
        stem = weights.stem
        raise WeightsError(
            f"{weights.name} has no cfg: {stem}{CFG} must be beside it, and it isn't of the size "
            "of the published yolov3.weights or yolov3-tiny.weights."
        )
    name, network = known
    cfg = network(_COCO_CLASSES)
    note = (
        f"There is no {weights.stem}{CFG}: read as the published {name} at {cfg.net.width} px, its "
        "classes as COCO's."
    )
    return cfg, (note,)


def _spec(cfg: DarknetCfg, files: tuple[Path, ...], notes: tuple[str, ...]) -> ModelSpec:
    maps = yolo_maps(cfg)
    input_hw = cfg.net.height, cfg.net.width
    classes = named_classes(files, maps[0].classes)
    resize, way = _resize(cfg)
    if notes:  # the published file says how it was made
        classes, way = classes._replace(note=None), None
    ignored = f"Keys without meaning here: {', '.join(cfg.ignored)}." if cfg.ignored else None
    found = (*notes, classes.note, way, ignored)
    spec = replace(
        DARKNET53_SPEC,
        name=clean_name(files[0].stem) or ARCHITECTURE,
        architecture=_architecture(cfg),
        class_names=classes.names,
        input_hw=input_hw,
        resize=resize,
        whole_input=True,
        stride=_step(cfg, maps[-1].stride),
        notes=tuple(note for note in found if note is not None),
    )
    return checked(spec, files[-1].name, "Correct it.")


def _resize(cfg: DarknetCfg) -> tuple[Resize, str | None]:
    """Return how images are fitted into the input, and a sentence if the cfg doesn't say it.

    The original Darknet always keeps proportions. Newer ones stretch unless ``letter_box=1``; their
    cfgs are recognised by ``scale_x_y``, which all of YOLOv4 have.
    """
    if cfg.net.letter_box is not None:
        return (Resize.LETTERBOX if cfg.net.letter_box else Resize.STRETCH), None
    if any(isinstance(layer, Yolo) and layer.scale_x_y != 1 for layer in cfg.layers):
        return Resize.STRETCH, (
            "Images are stretched, as by the Darknet of YOLOv4; letter_box=1 in [net] keeps their "
            "proportions."
        )
    return Resize.LETTERBOX, (
        "Images keep their proportions, as in the original Darknet; letter_box=0 in [net] "
        "stretches them."
    )


def _step(cfg: DarknetCfg, stride: int) -> int | None:
    """Return the step of the input's sides; None if the network takes one size only."""
    if stride % STRIDE or cfg.net.width % stride or cfg.net.height % stride:
        return None
    try:
        layer_shapes(cfg, (stride, stride))
    except ValueError:
        return None
    return stride


def _architecture(cfg: DarknetCfg) -> str:
    """Return the architecture of a published network, whatever its anchors; else "darknet"."""
    plain = _without_anchors(cfg)
    for name, network in STANDARD.items():
        if plain == _without_anchors(network(yolo_maps(cfg)[0].classes)):
            return name
    return ARCHITECTURE


def _without_anchors(cfg: DarknetCfg) -> list[msgspec.Struct]:
    return [
        Yolo((1, 1), layer.classes, scale_x_y=layer.scale_x_y) if isinstance(layer, Yolo) else layer
        for layer in cfg.layers
    ]
