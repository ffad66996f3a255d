"""`.weights` files of Darknet: a header, and the weights of each convolution in turn.

The header is three int32, the version as major, minor and revision, and the number of images seen
in training: an int64 from version 0.2 on, before it an int32. Then follow, for each convolution,
float32 values: biases; with batch normalisation scales, running means and running variances; and
the kernels, as (filters, channels, height, width). All are little-endian.

Source: Darknet's src/parser.c, load_weights_upto and load_convolutional_weights.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import torch
from torch import Tensor

from kpviewer.errors import WeightsError
from kpviewer.models.files.paths import check_model_file
from kpviewer.models.networks.darknet.blocks import Convolutional, DarknetCfg, Yolo
from kpviewer.models.networks.darknet.network import DarknetConvolution, DarknetNetwork
from kpviewer.models.networks.darknet.shapes import weight_counts

FLOAT_BYTES = 4
_VERSION = struct.Struct("<3i")
_SEEN = struct.Struct("<q")
_SEEN_BEFORE_0_2 = struct.Struct("<i")
_WRITTEN = (0, 2, 0)
"""Version that is written: that of the published files."""
_LARGEST_PART = 1000
"""A major or minor version above it marks transposed weights, of files before 0.2."""


class WeightsHeader(NamedTuple):
    """What a file says before its weights."""

    version: tuple[int, int, int]
    seen: int
    """Number of images seen in training."""
    size: int


@dataclass(frozen=True, slots=True)
class StartReport:
    """What a file gave to a network at the start of its training."""

    filled: int
    """Number of convolutions that got values."""
    convolutions: int
    unused: int
    """Number of weights of the file that are of later layers."""

    def __str__(self) -> str:
        """Return one line for users."""
        rest = f"; {self.unused:,} weights of the file's heads left out" if self.unused else ""
        return f"Read as Darknet: {self.filled} of {self.convolutions} convolutions filled{rest}."


def read_header(path: Path) -> WeightsHeader:
    """Read the header of a file.

    Raises:
        WeightsError: if the file is missing, too large, or shorter than a header.
    """
    check_model_file(path)
    try:
        with path.open("rb") as file:
            return _header(file)
    except (OSError, struct.error) as error:
        raise WeightsError(
            f"{path.name} can't be read: it is too short for Darknet's weights. Is it complete?"
        ) from error


def check_size(path: Path, cfg: DarknetCfg, cfg_name: str) -> None:
    """Compare the size of a file with what a cfg describes, before anything is built.

    Raises:
        WeightsError: if they differ.
        ValueError: if the cfg's layers don't fit together.
    """
    header = read_header(path)
    needed = header.size + FLOAT_BYTES * sum(weight_counts(cfg))
    size = path.stat().st_size
    if size != needed:
        more = f"{abs(size - needed):,} bytes {'more' if size > needed else 'fewer'}"
        raise WeightsError(
            f"{path.name} has {size:,} bytes, {more} than {cfg_name} describes. "
            "Is it complete, and of this network?"
        )


def load_weights(network: DarknetNetwork, path: Path) -> None:
    """Fill a network from a file whose size ``check_size`` has checked.

    Raises:
        WeightsError: if the file ends early, or a value isn't a number.
    """
    with _opened(path) as file:
        header = _header(file)
        for index, convolution in network.convolutions():
            _fill(convolution, file, f"{path.name}, layer {index}")
    network.seen = header.seen


def start_from_darknet(network: DarknetNetwork, path: Path) -> StartReport:
    """Fill a network from the beginning of a file, as the start of training.

    The file may be of the backbone alone, such as darknet53.conv.74, or of a whole detector with
    other classes: the last convolution before the first ``[yolo]`` depends on the classes, so
    nothing is read from it on.

    Raises:
        WeightsError: if the file ends within a layer, or a value isn't a number.
    """
    header = read_header(path)
    total = (path.stat().st_size - header.size) / FLOAT_BYTES
    counts = weight_counts(network.cfg)
    first_head = next(at for at, each in enumerate(network.cfg.layers) if isinstance(each, Yolo))
    convolutions = list(network.convolutions())
    chosen, used = [], 0
    for index, convolution in convolutions:
        if index >= first_head - 1 or used + counts[index] > total:
            break
        chosen.append((index, convolution))
        used += counts[index]
    is_whole = bool(chosen) and chosen[-1][0] == _last_shared(network.cfg, first_head)
    if not chosen or (used != total and not is_whole):
        raise WeightsError(
            f"{path.name} has {total:,.0f} weights, and no layer of this network ends there. "
            "Is it the file of another backbone?"
        )
    with _opened(path) as file:
        _header(file)
        for index, convolution in chosen:
            _fill(convolution, file, f"{path.name}, layer {index}")
    return StartReport(len(chosen), len(convolutions), int(total) - used)


def save_weights(network: DarknetNetwork, path: Path) -> None:
    """Write the weights of a network on any device, in single precision.

    Raises:
        WeightsError: if the file can't be written.
    """
    try:
        with path.open("wb") as file:
            file.write(_VERSION.pack(*_WRITTEN) + _SEEN.pack(network.seen))
            for _, convolution in network.convolutions():
                for tensor in convolution.stored():
                    values = tensor.detach().to("cpu", torch.float32).contiguous().numpy()
                    file.write(values.astype("<f4", copy=False).tobytes())
    except OSError as error:
        raise WeightsError(
            f"{path} can't be written: {error.strerror or error}. Is there such a folder, with "
            "room?"
        ) from error


def _last_shared(cfg: DarknetCfg, first_head: int) -> int:
    """Return the number of the last convolution that doesn't depend on the classes."""
    layers = cfg.layers[: first_head - 1]
    return max(at for at, each in enumerate(layers) if isinstance(each, Convolutional))


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise WeightsError(f"{path.name} can't be read: {error.strerror or error}.") from error


def _header(file: BinaryIO) -> WeightsHeader:
    version: tuple[int, int, int] = _VERSION.unpack(file.read(_VERSION.size))
    major, minor, _ = version
    is_new = 10 * major + minor >= 2 and max(major, minor) < _LARGEST_PART
    seen = _SEEN if is_new else _SEEN_BEFORE_0_2
    (count,) = seen.unpack(file.read(seen.size))
    return WeightsHeader(version, count, _VERSION.size + seen.size)


def _fill(convolution: DarknetConvolution, file: BinaryIO, name: str) -> None:
    tensors = convolution.stored()
    for tensor in tensors:
        with torch.no_grad():
            tensor.copy_(_values(file, tensor.shape, name))
    if len(tensors) > 2 and bool((tensors[3] < 0).any()):
        raise WeightsError(f"{name}: a running variance is negative. Is the file damaged?")


def _values(file: BinaryIO, shape: Sequence[int], name: str) -> Tensor:
    """Read the values of a tensor."""
    data = bytearray(FLOAT_BYTES * int(np.prod(shape)))
    if file.readinto(data) != len(data):  # type: ignore[attr-defined]
        raise WeightsError(f"{name}: the file ends early. Is it complete?")
    values = np.frombuffer(data, "<f4")
    if not np.isfinite(values).all():
        raise WeightsError(f"{name} has values that aren't numbers. Is the file damaged?")
    return torch.from_numpy(values).reshape(tuple(shape))
