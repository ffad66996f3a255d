"""RF-DETR's own export with random weights, and its own decoding of ``dets`` and ``labels``."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.layouts import decoding
from benchmarks.layouts.common import CONFIDENCE, Network, Result, spread

SIZE = 288
"""A smaller input has fewer cells than the network has queries."""


def networks(images: Mapping[str, np.ndarray]) -> Iterator[Network]:
    """Yield the nano detector with three classes."""
    image = images["small"]

    def write(path: Path) -> None:
        _export(path, _random(image))

    yield Network("rfdetr-nano-3", write, predict)


def _random(image: np.ndarray) -> Any:
    from rfdetr import RFDETRNano

    torch.manual_seed(7)
    options = {"resolution": SIZE, "positional_encoding_size": SIZE // 16}
    model = RFDETRNano(pretrain_weights=None, num_classes=3, device="cpu", **options)
    network = model.model.model.eval()
    batch = torch.from_numpy(_planes(image))
    torch.nn.init.normal_(network.bbox_embed.layers[-1].weight, std=0.02)
    spread([network.class_embed], lambda: network(batch), slice(0, 3), axis=-1)
    return model


def _export(path: Path, model: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        model.export(output_dir=folder, verbose=False, shape=(SIZE, SIZE))
        shutil.move(next(Path(folder).glob("*.onnx")), path)


def _planes(image: np.ndarray) -> np.ndarray:
    from PIL import Image
    from rfdetr.export._runtime.preprocess import preprocess_to_nchw

    return preprocess_to_nchw(Image.fromarray(image[..., ::-1].copy()), SIZE, SIZE)


def predict(path: Path, image: np.ndarray) -> Result:
    """Run RF-DETR's own ``decode_detections`` on the outputs of an export."""
    from rfdetr.export._runtime.decode import decode_detections

    boxes, logits = decoding.run(path, {"input": _planes(image)})
    found = decode_detections(boxes[0], logits[0], image.shape[1::-1], CONFIDENCE)
    classes = found.class_id.tolist()
    return Result(found.xyxy.tolist(), found.confidence.tolist(), classes)
