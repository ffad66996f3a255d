"""Darknet's `.cfg`, `.weights` and lists of names."""

import struct
from pathlib import Path
from random import Random

from benchmarks.fuzz_readers.damage import damaged_bytes, damaged_text, literal_text, odd_value
from benchmarks.fuzz_readers.opening import open_run_and_paint
from benchmarks.fuzz_readers.reader import Reader

DARKNET_CFG = """\
# small
[net]
width=64
height=64
channels=3
momentum=0.9

[convolutional]
batch_normalize=1
filters=6
size=3
stride=32
pad=1
activation=leaky

[shortcut]
from=-1
activation=linear

[maxpool]
size=2
stride=1

[route]
layers = -1, 0
groups=2

[convolutional]
filters=7
activation=linear

[yolo]
mask = 1
anchors = 10,13,  16,30.5
classes=2
num=2
scale_x_y = 1.05

[route]
layers=-3

[upsample]
stride=2

[convolutional]
filters=7
activation=linear

[yolo]
mask = 0
anchors = 10,13,  16,30.5
classes=2
num=2
"""
WEIGHTS = struct.pack("<3iq284f", 0, 2, 0, 1, *([0.25] * 284))
"""Weights for the cfg: 6 * (4 + 27), 7 * (1 + 6) and 7 * (1 + 6) values."""


def write_darknet_cfg(folder: Path, random: Random) -> Path:
    """Write intact weights, and a damaged cfg or one with a changed value."""
    text = DARKNET_CFG
    if random.random() < 0.5:
        lines = [at for at, line in enumerate(text.splitlines()) if "=" in line]
        changed = text.splitlines()
        at = random.choice(lines)
        changed[at] = f"{changed[at].partition('=')[0]}={literal_text(odd_value(random))}"
        data = "\n".join(changed).encode("utf-8", "surrogatepass")
    else:
        data = damaged_text(text, random)
    (folder / "model.cfg").write_bytes(data)
    (folder / "model.weights").write_bytes(WEIGHTS)
    return folder / "model.cfg"


def write_darknet_weights(folder: Path, random: Random) -> Path:
    """Write an intact cfg, and damaged weights or a damaged list of names."""
    (folder / "model.cfg").write_text(DARKNET_CFG)
    weights, names = WEIGHTS, b"crow\ngull\n"
    if random.random() < 0.7:
        weights = damaged_bytes(weights, random)
    else:
        names = damaged_bytes(names, random)
    (folder / "model.weights").write_bytes(weights)
    (folder / random.choice(["model.names", "obj.names"])).write_bytes(names)
    return folder / "model.weights"


READERS = {
    "darknet-cfg": Reader(write_darknet_cfg, open_run_and_paint),
    "darknet-weights": Reader(write_darknet_weights, open_run_and_paint),
}
