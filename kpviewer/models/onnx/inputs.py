"""Inputs of ONNX files: an image in one of several forms, and for some models its size or scale."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kpviewer.errors import WeightsError
from kpviewer.models.onnx.facts import FileFacts, Port, shape_text

ORIGINAL_SIZES = "orig_target_sizes"
"""Input of RT-DETR and D-FINE: (1, 2) width and height of the image that boxes are scaled to."""
SCALE, INPUT_SIZE = "scale_factor", "im_shape"
"""Inputs of Paddle's detectors: (1, 2) scale of height and width, by which boxes are divided, and
(1, 2) height and width of the scaled image."""
PIXEL_MASK = "pixel_mask"
"""Input of DETRs of transformers: (B, H, W), 1 where the image is and 0 in its padding."""
_GREY = np.array([0.299, 0.587, 0.114], np.float32)[:, None, None]
"""Weights of red, green and blue in a grey image (ITU-R BT.601), as OpenCV has them."""
MAX_BATCH = 64
"""Most images that a file may take at once."""
_REAL = ("float32", "float16", "float64")
_WHOLE = ("uint8", "int32", "int64")


@dataclass(frozen=True, slots=True)
class ImageInput:
    """The input of an image: its form, and other inputs with its size, if there are some."""

    port: Port
    has_batch: bool
    """Whether it is (1, 3, H, W); otherwise (3, H, W)."""
    is_channels_last: bool
    """Whether it is (1, H, W, 3) or (H, W, 3)."""
    others: tuple[Port, ...] = ()
    """Inputs that get the size or scale of the image, by their names."""
    is_grey: bool = False
    """Whether it has one channel instead of three."""
    batch: int = 1
    """Number of images that a run takes; all of them are the same one."""

    @property
    def size_hw(self) -> tuple[int | None, int | None]:
        """Height and width, px; None for one that the file leaves open."""
        shape = self.port.shape[-3:]
        height, width = shape[:2] if self.is_channels_last else shape[1:]
        return height, width

    @property
    def takes_planes(self) -> bool:
        """Whether it is (B, 3, H, W) of floating point numbers, as most models have it."""
        has_planes = self.has_batch and not self.is_channels_last and not self.is_grey
        return has_planes and self.port.element in _REAL

    @property
    def takes_levels(self) -> bool:
        """Whether it takes whole numbers: the pixels' own levels from 0 to 255."""
        return self.port.element in _WHOLE

    @property
    def takes_batches(self) -> bool:
        """Whether it takes any number of images, and nothing else about them."""
        return self.takes_planes and self.port.shape[0] is None and not self.others

    def feeds(self, planes: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
        """Return the inputs by name for one image, (3, H, W)."""
        height, width = planes.shape[1:]
        if self.is_grey:
            planes = (planes * _GREY).sum(0, keepdims=True)
        image = planes.transpose(1, 2, 0) if self.is_channels_last else planes
        if self.takes_levels:
            image = np.clip(np.rint(image), 0, 255)
        image = np.ascontiguousarray(image, self.port.element)
        return self._all(image[None] if self.has_batch else image, (height, width))

    def pixel_feeds(self, rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return the inputs by name for one image, (1, H, W, 3) pixels.

        They fit a graph that was compiled with its normalisation.
        """
        return self._all(rows, (rows.shape[1], rows.shape[2]))

    def _all(self, image: NDArray[Any], size_hw: tuple[int, int]) -> dict[str, NDArray[Any]]:
        feeds = {self.port.name: image if self.batch == 1 else image.repeat(self.batch, 0)}
        values = {ORIGINAL_SIZES: size_hw[::-1], SCALE: (1, 1), INPUT_SIZE: size_hw}
        for port in self.others:
            if port.name == PIXEL_MASK:  # no padding
                sides = (own or side for own, side in zip(port.shape[1:], size_hw, strict=True))
                value = np.ones((1, *sides), port.element)
            else:
                value = np.array([values[port.name]], port.element)
            feeds[port.name] = value.repeat(self.batch, 0)
        return feeds


def image_input(facts: FileFacts) -> ImageInput:
    """Return how a file takes an image.

    Raises:
        WeightsError: if it takes none, or something else that isn't known.
    """
    images = [port for port in facts.inputs if _is_image(port)]
    others = [port for port in facts.inputs if not _is_image(port)]
    known = {ORIGINAL_SIZES: 2, SCALE: 2, INPUT_SIZE: 2, PIXEL_MASK: 3}
    are_known = all(known.get(port.name) == len(port.shape) for port in others)
    if len(images) != 1 or not are_known:
        got = ", ".join(
            f"{port.name} {port.element} {shape_text(port.shape)}" for port in facts.inputs
        )
        raise WeightsError(
            f"{facts.stem}.onnx must take one image of shape (1, 3, height, width), got {got}. "
            "Export it again with one such input."
        )
    (port,) = images
    has_batch = len(port.shape) == 4
    return ImageInput(
        port,
        has_batch,
        _is_channels_last(port),
        tuple(others),
        1 in (port.shape[-3], port.shape[-1]),
        (port.shape[0] or 1) if has_batch else 1,
    )


def _is_image(port: Port) -> bool:
    shape = port.shape
    is_kind = port.element in (*_REAL, *_WHOLE) and port.name != PIXEL_MASK
    if not is_kind or len(shape) not in (3, 4):
        return False
    if len(shape) == 4 and (shape[0] or 1) > MAX_BATCH:
        return False
    return shape[-3] in (1, 3, None) or _is_channels_last(port)


def _is_channels_last(port: Port) -> bool:
    return port.shape[-1] in (1, 3) and port.shape[-3] not in (1, 3)
