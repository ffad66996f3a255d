"""``MODEL@SIDE``: a model with another input size, for small objects or for speed."""

from dataclasses import replace

from kpviewer.errors import WeightsError
from kpviewer.models.base import AnyDetector, DescribedDetector
from kpviewer.models.opening.shipped_graph import shipped_name

LARGEST_PX = 4096
"""Largest side of an input, px."""


class ResizedDetector(DescribedDetector):
    """A detector with another input size.

    Args:
        detector: detector whose network takes inputs of several sizes.
        side: side of the square that images are fitted into, px.

    Raises:
        WeightsError: if the detector doesn't take inputs of that size.
    """

    def __init__(self, detector: AnyDetector, side: int) -> None:
        spec = detector.spec
        if spec.stride is None:
            height, width = spec.input_hw
            raise WeightsError(
                f"{spec.name} takes inputs of {width}x{height} px only, got @{side}. "
                f"Leave out @{side}."
            )
        if side % spec.stride or not 0 < side <= LARGEST_PX:
            near = min(max(round(side / spec.stride), 1), LARGEST_PX // spec.stride) * spec.stride
            raise WeightsError(
                f"Inputs of {spec.name} are multiples of {spec.stride} px up to {LARGEST_PX}, "
                f"got {side}. Write {spec.name}@{near}."
            )
        resized = replace(spec, name=f"{spec.name}@{side}", input_hw=(side, side))
        super().__init__(detector, resized)
        own = shipped_name(detector)
        self.shipped_name = f"{own}@{side}" if own is not None else None
