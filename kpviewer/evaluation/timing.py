"""Reading of the images of a set, and times of a model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import numpy as np

from kpviewer.annotations.structure import AnnotatedImage
from kpviewer.errors import DatasetError
from kpviewer.sources.images.source import load_image
from kpviewer.structures import ImageArray

_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class FrameTime:
    """Time of the model for one image or object, ms."""

    mean: float
    p50: float
    p95: float

    @classmethod
    def of(cls, times_ms: Sequence[float]) -> FrameTime:
        """Return mean, median and 95th percentile of at least one time, ms."""
        p50, p95 = np.percentile(times_ms, (50, 95))
        return cls(float(np.mean(times_ms)), float(p50), float(p95))


class CallTimer:
    """Measures the times of calls."""

    def __init__(self) -> None:
        self._times_ms: list[float] = []

    def measure(
        self, count: int, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs
    ) -> _T:
        """Call a function and return its result; its time is divided by ``count``."""
        start_ns = time.perf_counter_ns()
        result = call(*args, **kwargs)
        self._times_ms.append((time.perf_counter_ns() - start_ns) / 1e6 / count)
        return result

    def times(self) -> FrameTime:
        """Return mean, median and 95th percentile of at least one call."""
        return FrameTime.of(self._times_ms)


def read_image(image: AnnotatedImage) -> ImageArray:
    """Return the (H, W, 3) uint8 BGR pixels of an image of a set.

    Raises:
        DatasetError: if it can't be read.
    """
    bgr = load_image(image.path)
    if bgr is None:
        raise DatasetError(
            f"The data set names an image that can't be read: {image.path}. "
            "Check the folder of the images, and whether the file is complete."
        )
    return bgr
