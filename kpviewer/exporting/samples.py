"""Images of the built-in demos, on which exports are compared with torch."""

from __future__ import annotations

from kpviewer.models.networks.grid import GRID_ARCHITECTURES
from kpviewer.models.spec import ModelSpec
from kpviewer.sources.base import new_image
from kpviewer.sources.synthetic.demo import DemoSource
from kpviewer.sources.synthetic.strip.demo import StripSource
from kpviewer.structures import ImageArray


def demo_images(spec: ModelSpec, count: int) -> list[ImageArray]:
    """Return frames spread over a demo: photographs, or strips for a grid model."""
    source = StripSource() if spec.architecture in GRID_ARCHITECTURES else DemoSource()
    frames = source.open().frame_count or count
    images = []
    for index in range(count):
        source.seek(index * frames // count)
        captured = source.read(new_image)
        assert captured is not None, "the demo has frames"
        images.append(captured.bgr)
    source.close()
    return images
