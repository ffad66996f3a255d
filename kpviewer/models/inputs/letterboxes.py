"""Position of an image in the input of a model, by the model's description."""

from __future__ import annotations

from functools import lru_cache

from kpviewer.geometry import Letterbox
from kpviewer.models.spec import ModelSpec, Placement, Resize


@lru_cache
def letterbox_of(spec: ModelSpec, source_hw: tuple[int, int]) -> Letterbox:
    """Return where an image of ``source_hw`` px is in the model's input."""
    if spec.resize is Resize.STRETCH:
        return Letterbox.stretch(source_hw, spec.input_hw)
    if spec.resize is Resize.AREA and spec.stride is not None:
        return Letterbox.fit_area(source_hw, spec.input_hw, spec.stride)
    if spec.resize is Resize.NONE:
        limits = zip(source_hw, spec.input_hw, strict=True)
        if all(side <= limit for side, limit in limits):
            return Letterbox.stretch(source_hw, source_hw)
    stride = None if spec.whole_input else spec.stride
    is_centred = spec.placement is Placement.CENTRE
    return Letterbox.fit(
        source_hw, spec.input_hw, stride, is_centred=is_centred, content_hw=spec.content_hw
    )
