"""A small Darknet model with every kind of layer, written byte by byte."""

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CFG = """\
[net]
width=64
height=64
channels=3
letter_box=1

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=mish

[route]
layers=-1
groups=2
group_id=1

[convolutional]
batch_normalize=1
filters=4
size=1
stride=1
pad=1
activation=swish

[route]
layers=-1,-3

[maxpool]
size=2
stride=2

[convolutional]
batch_normalize=1
filters=12
size=3
stride=1
pad=1
activation=leaky

[shortcut]
from=-2
activation=linear

[maxpool]
size=2
stride=2

[maxpool]
size=2
stride=1

[convolutional]
filters=8
size=3
stride=2
pad=1
activation=relu

[convolutional]
filters=14
size=1
stride=1
pad=0
activation=linear

[yolo]
mask=1,2
anchors=5,7, 20,12, 30,40
classes=2
num=3
scale_x_y=1.1
ignore_thresh=.7

[route]
layers=-3

[upsample]
stride=2

[route]
layers=-1,8

[convolutional]
filters=14
size=1
stride=1
activation=linear

[yolo]
mask=0,1
anchors=5,7, 20,12, 30,40
classes=2
num=3
ignore_thresh=.7
"""
CONVOLUTIONS = (
    (0, 3, 8, 3, True), (2, 4, 4, 1, True), (5, 12, 12, 3, True),
    (9, 12, 8, 3, False), (10, 8, 14, 1, False), (15, 20, 14, 1, False),
)  # fmt: skip
"""Layer, input channels, filters, size, and whether it is normalised."""
HEADER = struct.pack("<3iq", 0, 2, 0, 32_013_312)

Floats = NDArray[np.float32]


def arrays() -> dict[int, list[Floats]]:
    """Return the weights of each layer, in the order of the file."""
    random = np.random.default_rng(18)
    found = {}
    for layer, inputs, filters, size, has_norm in CONVOLUTIONS:
        parts = [random.normal(0, 0.5, filters)]
        if has_norm:
            parts += [
                random.uniform(0.5, 1.5, filters),
                random.normal(0, 0.2, filters),
                random.uniform(0.5, 1.5, filters),
            ]
        scale = 1 / np.sqrt(inputs * size * size)
        kernels = random.normal(0, scale, filters * inputs * size * size)
        parts.append(kernels.reshape(filters, inputs, size, size))
        found[layer] = [part.astype("<f4") for part in parts]
    return found


def weights_bytes(header: bytes = HEADER) -> bytes:
    """Return the whole `.weights` file."""
    return header + b"".join(part.tobytes() for parts in arrays().values() for part in parts)


def write_model(folder: Path, stem: str = "small") -> Path:
    """Write the two files, and return the path of the cfg."""
    (folder / f"{stem}.weights").write_bytes(weights_bytes())
    cfg = folder / f"{stem}.cfg"
    cfg.write_text(CFG)
    return cfg


def image() -> Floats:
    """Return the (1, 3, 64, 64) image of the reference values."""
    return np.random.default_rng(7).uniform(0, 1, (1, 3, 64, 64)).astype("f4")
