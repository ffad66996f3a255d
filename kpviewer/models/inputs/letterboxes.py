"""Position of an image in the input of a model, by the model's description."""

from functools import lru_cache

from kpviewer.geometry import Letterbox
from kpviewer.models.spec import ModelSpec, Placement, Resize


@lru_cache
def letterbox_of(spec: ModelSpec, source_hw: tuple[int, int]) -> Letterbox:
    """Return where an image of ``source_hw`` px is in the model's input."""
    if spec.resize is Resize.STRETCH:
        return Letterbox.stretch(source_hw, spec.input_hw)
    if spec.resize is Resize.EDGES:
        return Letterbox.stretch(source_hw, edges_hw(source_hw, spec.input_hw, spec.stride or 1))
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


def edges_hw(
    source_hw: tuple[int, int], limits: tuple[int, int], stride: int = 1
) -> tuple[int, int]:
    """Return the size of an image scaled to a shortest side, px, by the rounding of transformers.

    Args:
        source_hw: height and width of the image, px.
        limits: shortest side, and limit of the longest one, px.
        stride: sides are rounded down to multiples of it.

    Source: ``get_size_with_aspect_ratio`` of DETR and YOLOS in Hugging Face's transformers 5.24.
    """
    shortest, longest = limits
    least, most = min(source_hw), max(source_hw)
    is_limited = most / least * shortest > longest
    exact = longest * least / most if is_limited else float(shortest)
    side = round(exact)
    scaled = [side if each == least else int(exact * each / least) for each in source_hw]
    sides = source_hw if side == least else scaled
    height, width = (max(each // stride, 1) * stride for each in sides)
    return height, width
