"""Families of exports.

A new family is a module with ``recognise``, a line here, and the names of its layouts in ``names``.
"""

from kpviewer.models.onnx.families import (
    bare,
    deepstream,
    detr,
    faces,
    heatmaps,
    kpviewer,
    libreyolo,
    lightly,
    movenet,
    openmmlab,
    openvino,
    paddle,
    sleap,
    tensorflow,
    torchvision,
    transformers,
    ultralytics,
    yolo,
    yolo_nas,
    yolox,
)
from kpviewer.models.onnx.families.base import Family

FAMILIES: tuple[Family, ...] = (
    kpviewer.recognise,
    libreyolo.recognise,
    lightly.recognise,
    ultralytics.recognise,
    deepstream.recognise,
    yolo.recognise,
    yolox.recognise,
    yolo_nas.recognise,
    detr.recognise,
    transformers.recognise,
    torchvision.recognise,
    faces.recognise,
    openmmlab.recognise,
    openvino.recognise,
    tensorflow.recognise,
    paddle.recognise,
    sleap.recognise,
    movenet.recognise,
    heatmaps.recognise,
    bare.recognise,
)
